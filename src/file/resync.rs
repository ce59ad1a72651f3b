//! The search for the next valid frame after damage, in time linear in the number of bytes.
//!
//! The first byte of every length field is 00, and JSON text contains no 00 byte. The search therefore takes every 00
//! byte as a candidate for the start of a frame. Random bytes contain a candidate for a frame of up to 16 MiB at every
//! 256th byte, and a hostile file can contain one at every byte. The checksum of a short frame is computed directly.
//! The checksum of a long frame is computed from two prefix checksums (see [`crate::format::crc`]), which are stored
//! for every 64th byte of the window.

use super::LogFile;
use super::window::ReadWindow;
use crate::StorageError;
use crate::format::Version;
use crate::format::byte_layout::u32_at;
use crate::format::crc::{self, CrcShiftTable};
use crate::format::frame::{CHECKSUM_LEN, DecodeResult, LENGTH_LEN, decode, is_valid_length};

/// Distance between two stored prefix checksums, in bytes.
const PREFIX_STRIDE: u64 = 64;
/// The largest frame whose checksum is computed directly, in bytes. This costs no more than two prefix checksums.
const DIRECT_CHECK_MAX: usize = 1024;

/// A search for the next valid frame.
pub(super) struct FrameSearch<'l> {
    log: &'l LogFile,
    end: u64,
    /// Only frames that start before this offset are found.
    start_limit: u64,
    prefixes: Option<PrefixChecksums>,
}

/// Prefix checksums: entry `i` is the CRC of the bytes from `origin` to `origin + PREFIX_STRIDE * i`.
struct PrefixChecksums {
    origin: u64,
    checksums: Vec<u32>,
    shift: CrcShiftTable,
}

impl<'l> FrameSearch<'l> {
    /// Creates a search for a frame that ends at or before `end`.
    pub(super) const fn new(log: &'l LogFile, end: u64) -> Self {
        Self { log, end, start_limit: end, prefixes: None }
    }

    /// Limits the search to frames that start before `before`.
    pub(super) fn with_start_limit(self, before: u64) -> Self {
        Self { start_limit: before.min(self.end), ..self }
    }

    /// Finds the first offset at or after `from` where a valid frame starts. Returns the limit of the search when there
    /// is none.
    pub(super) fn find_next(mut self, window: &mut ReadWindow, from: u64) -> Result<u64, StorageError> {
        let mut at = from;
        while at < self.start_limit && at + LENGTH_LEN as u64 <= self.end {
            let loaded = window.bytes_from(at);
            if loaded.len() < LENGTH_LEN {
                self.fill_window(window, at, LENGTH_LEN)?;
                continue;
            }
            let Some(skipped) = memchr::memchr(0, loaded) else {
                at += loaded.len() as u64;
                continue;
            };
            at += skipped as u64;
            if at >= self.start_limit {
                break;
            }
            let candidate = loaded.get(skipped..).unwrap_or_default();
            if let Some(&[0, 0, 0, 0, 0, 0, 0, 0]) = candidate.first_chunk::<8>() {
                // Eight zero bytes: none of the first five offsets has a length other than zero.
                at += 5;
                continue;
            }
            let Some(length) = u32_at(candidate, 0) else {
                if at + LENGTH_LEN as u64 > self.end {
                    break;
                }
                self.fill_window(window, at, LENGTH_LEN)?;
                continue;
            };
            if is_valid_length(length) && self.is_valid_frame(window, at, length)? {
                return Ok(at);
            }
            at += 1;
        }
        Ok(self.start_limit)
    }

    /// True when a valid frame with a payload of `length` bytes starts at `at` and ends before the end of the search.
    fn is_valid_frame(&mut self, window: &mut ReadWindow, at: u64, length: u32) -> Result<bool, StorageError> {
        let format = self.log.format();
        let version = format.version();
        let need = LENGTH_LEN + length as usize + version.checksum_len();
        if at + need as u64 > self.end {
            return Ok(false);
        }
        if version == Version::V0 && !can_be_event(window.bytes_from(at), length) {
            return Ok(false);
        }
        if window.bytes_from(at).len() < need {
            self.fill_window(window, at, need)?;
        }
        let frame = window.bytes_from(at);
        if version == Version::V0 {
            return Ok(can_be_event(frame, length) && matches!(decode(frame, format, at), DecodeResult::Complete(_)));
        }
        if need <= DIRECT_CHECK_MAX {
            return Ok(matches!(decode(frame, format, at), DecodeResult::Complete(_)));
        }
        let covered = (need - CHECKSUM_LEN) as u64;
        let stored = u32_at(frame, covered as usize);
        let prefixes = self.prefixes.get_or_insert_with(|| PrefixChecksums::new(at));
        // The preceding bytes that the checksum covers replace the bytes before the frame.
        let before = prefixes.checksum_to(window, at) ^ format.preceding_checksum(at);
        let after = prefixes.checksum_to(window, at + covered);
        // The covered bytes can exceed the 24 bits of the shift tables by the four bytes of the length field, so the
        // prefix is shifted in two steps.
        let shifted = prefixes.shift.suffix_checksum(before, 0, LENGTH_LEN as u32);
        Ok(stored == Some(prefixes.shift.suffix_checksum(shifted, after, length)))
    }

    fn fill_window(&self, window: &mut ReadWindow, at: u64, need: usize) -> Result<(), StorageError> {
        window.fill(self.log, at, need, self.end)?;
        self.log.ensure_bytes_available(at + window.bytes_from(at).len() as u64, at + need as u64)
    }
}

impl PrefixChecksums {
    fn new(origin: u64) -> Self {
        Self { origin, checksums: vec![0], shift: CrcShiftTable::new() }
    }

    /// Returns the CRC of `origin..at`. When the window no longer holds bytes that this needs, the origin moves to
    /// `at`, which happens at most once each time the window moves.
    fn checksum_to(&mut self, window: &ReadWindow, at: u64) -> u32 {
        self.try_checksum_to(window, at).unwrap_or_else(|| {
            (self.origin, self.checksums) = (at, vec![0]);
            0
        })
    }

    fn try_checksum_to(&mut self, window: &ReadWindow, at: u64) -> Option<u32> {
        let slot = at.checked_sub(self.origin)? / PREFIX_STRIDE;
        while (self.checksums.len() as u64) <= slot {
            let newest = self.origin + PREFIX_STRIDE * (self.checksums.len() as u64 - 1);
            let block = window.bytes_from(newest).get(..PREFIX_STRIDE as usize)?;
            self.checksums.push(crc::extend(*self.checksums.last()?, block));
        }
        let start = self.origin + slot * PREFIX_STRIDE;
        let rest = window.bytes_from(start).get(..(at - start) as usize)?;
        Some(crc::extend(*self.checksums.get(slot as usize)?, rest))
    }
}

/// False when the loaded bytes already prove that the payload is not an event. An event contains no 00 byte, so the
/// check of a candidate stops at the next 00 byte, and each byte is examined for a few candidates only.
fn can_be_event(frame: &[u8], length: u32) -> bool {
    let payload = frame.get(LENGTH_LEN..).unwrap_or_default();
    let payload = payload.get(..length as usize).unwrap_or(payload);
    matches!(payload.first(), None | Some(b'{' | b' ' | b'\t' | b'\n' | b'\r')) && memchr::memchr(0, payload).is_none()
}
