//! Finding the next valid frame after damage, byte by byte, in time linear in the bytes.
//!
//! JSON text holds no 00 byte, so a 00 can only be a length's first byte, part of a checksum, or damage: 00 bytes are
//! the candidates. Most announce a short frame, whose checksum is simply computed. Noise announces frames of up to
//! 16 MiB at every 256th byte, and a hostile file at every byte: their checksums follow from two prefix checksums
//! (see [`crate::format::crc`]), which are kept for every 64th byte of the window.

use super::LogFile;
use super::window::Window;
use crate::StorageError;
use crate::format::Version;
use crate::format::crc::{self, Shift};
use crate::format::field::u32_at;
use crate::format::frame::{CHECKSUM_LEN, Decoded, LENGTH_LEN, decode, in_range};

/// Distance of the prefix checksums, in bytes.
const STRIDE: u64 = 64;
/// Frames up to this size are checked directly: it costs no more than two prefix checksums.
const DIRECT: usize = 1024;

/// A search for the next valid frame.
pub(super) struct Resync<'l> {
    log: &'l LogFile,
    end: u64,
    /// A frame is looked for only before this.
    before: u64,
    prefixes: Option<Prefixes>,
}

/// CRCs of everything from `origin` up to `origin + STRIDE * i`.
struct Prefixes {
    origin: u64,
    sums: Vec<u32>,
    shift: Shift,
}

impl<'l> Resync<'l> {
    pub(super) const fn new(log: &'l LogFile, end: u64) -> Self {
        Self { log, end, before: end, prefixes: None }
    }

    /// The same for a frame that starts before an offset.
    pub(super) fn before(self, before: u64) -> Self {
        Self { before: before.min(self.end), ..self }
    }

    /// The first offset from `from` on at which a valid frame stands; where the search ends when there is none.
    pub(super) fn next(mut self, window: &mut Window, from: u64) -> Result<u64, StorageError> {
        let mut at = from;
        while at < self.before && at + LENGTH_LEN as u64 <= self.end {
            let have = window.from(at);
            if have.len() < LENGTH_LEN {
                self.load(window, at, LENGTH_LEN)?;
                continue;
            }
            let Some(skip) = memchr::memchr(0, have) else {
                at += have.len() as u64;
                continue;
            };
            at += skip as u64;
            if at >= self.before {
                break;
            }
            let candidate = have.get(skip..).unwrap_or_default();
            if let Some(&[0, 0, 0, 0, 0, 0, 0, 0]) = candidate.first_chunk::<8>() {
                at += 5; // five lengths of zero
                continue;
            }
            let Some(length) = u32_at(candidate, 0) else {
                if at + LENGTH_LEN as u64 > self.end {
                    break;
                }
                self.load(window, at, LENGTH_LEN)?;
                continue;
            };
            if in_range(length) && self.valid(window, at, length)? {
                return Ok(at);
            }
            at += 1;
        }
        Ok(self.before)
    }

    fn valid(&mut self, window: &mut Window, at: u64, length: u32) -> Result<bool, StorageError> {
        let version = self.log.version();
        let need = LENGTH_LEN + length as usize + version.checksum_len();
        if at + need as u64 > self.end {
            return Ok(false);
        }
        if version == Version::V0 && !may_be_an_event(window.from(at), length) {
            return Ok(false);
        }
        if window.from(at).len() < need {
            self.load(window, at, need)?;
        }
        let frame = window.from(at);
        if version == Version::V0 {
            return Ok(may_be_an_event(frame, length) && matches!(decode(frame, version), Decoded::Complete(_)));
        }
        if need <= DIRECT {
            return Ok(matches!(decode(frame, version), Decoded::Complete(_)));
        }
        let covered = (need - CHECKSUM_LEN) as u64;
        let stored = u32_at(frame, covered as usize);
        let prefixes = self.prefixes.get_or_insert_with(|| Prefixes::new(at));
        let before = prefixes.at(window, at);
        let after = prefixes.at(window, at + covered);
        // The length fits 24 bits, and the field adds four bytes: two shifts keep within the tables.
        let of_a = prefixes.shift.suffix(before, 0, LENGTH_LEN as u32);
        Ok(stored == Some(prefixes.shift.suffix(of_a, after, length)))
    }

    fn load(&self, window: &mut Window, at: u64, need: usize) -> Result<(), StorageError> {
        window.fill(self.log, at, need, self.end)?;
        self.log.expect_bytes(at + window.from(at).len() as u64, at + need as u64)
    }
}

impl Prefixes {
    fn new(origin: u64) -> Self {
        Self { origin, sums: vec![0], shift: Shift::new() }
    }

    /// The CRC of `origin..at`. Where the window has moved past bytes that this needs, the origin moves to `at`, which
    /// happens at most once each time the window moves.
    fn at(&mut self, window: &Window, at: u64) -> u32 {
        self.sum(window, at).unwrap_or_else(|| {
            (self.origin, self.sums) = (at, vec![0]);
            0
        })
    }

    fn sum(&mut self, window: &Window, at: u64) -> Option<u32> {
        let slot = at.checked_sub(self.origin)? / STRIDE;
        while (self.sums.len() as u64) <= slot {
            let newest = self.origin + STRIDE * (self.sums.len() as u64 - 1);
            let block = window.from(newest).get(..STRIDE as usize)?;
            self.sums.push(crc::extend(*self.sums.last()?, block));
        }
        let start = self.origin + slot * STRIDE;
        let rest = window.from(start).get(..(at - start) as usize)?;
        Some(crc::extend(*self.sums.get(slot as usize)?, rest))
    }
}

/// False when a look at what is loaded already shows that no event follows the length. An event holds no 00, so no
/// byte is looked at here by more than the few candidates before the next 00.
fn may_be_an_event(frame: &[u8], length: u32) -> bool {
    let payload = frame.get(LENGTH_LEN..).unwrap_or_default();
    let payload = payload.get(..length as usize).unwrap_or(payload);
    matches!(payload.first(), None | Some(b'{' | b' ' | b'\t' | b'\n' | b'\r')) && memchr::memchr(0, payload).is_none()
}
