//! Naming damage: a damaged range is cut into pieces from its start, each named by the first line that fits of
//! FORMAT.md's table.
//!
//! Memory: one frame. Time: linear in the range, because the search for the end of a frame with a damaged length is
//! bounded over all pieces together.

use std::ops::Range;
use std::sync::Arc;

use crate::StorageError;
use crate::file::LogFile;
use crate::format::crc::{self, Shift};
use crate::format::field::u32_at;
use crate::format::frame::{LENGTH_LEN, MAX_FRAME, MAX_PAYLOAD, in_range, length_at};
use crate::format::{EventView, Evidence, Finding, Kind, Version, gap};

/// The ends tried for damaged lengths may be this many times the range's bytes.
const ENDS_PER_BYTE: u64 = 16;
/// Bytes behind a frame that are looked at: a length and a brace.
const LOOK_BEHIND: usize = LENGTH_LEN + 1;

/// The pieces of a damaged range, ascending and adjacent, named one by one.
#[derive(Debug)]
pub struct Pieces {
    judge: Judge,
    at: u64,
}

/// A piece, named.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPiece {
    /// Kind, range and evidence.
    pub finding: Finding,
    /// True when it would be a torn tail, had the index not seen it whole.
    pub torn_but_for_index: bool,
}

impl Pieces {
    /// The pieces of the damaged `range` of a log that ends, as far as this look goes, at `end`.
    ///
    /// `witnessed_end` is the `log_end_offset` of an index that may speak: nothing below it was ever torn.
    ///
    /// # Errors
    /// `Io`, `Changed`; likewise as items, and `Memory`.
    pub fn of(
        log: &Arc<LogFile>,
        range: Range<u64>,
        end: u64,
        witnessed_end: Option<u64>,
    ) -> Result<Self, StorageError> {
        let judge = Judge {
            end: range.end,
            at_end_of_file: range.end == end,
            witnessed_end: witnessed_end.unwrap_or_default(),
            last_nonzero: last_nonzero(log, &range)?,
            ends_left: (range.end - range.start).saturating_mul(ENDS_PER_BYTE),
            shift: None,
            buf: Vec::new(),
            base: range.start,
            log: log.clone(),
        };
        Ok(Self { judge, at: range.start })
    }

    fn name_next(&mut self) -> Result<NamedPiece, StorageError> {
        self.judge.load(self.at)?;
        let piece = self.judge.piece(self.at);
        let finding = self.judge.finding(self.at, &piece)?;
        self.at = finding.end;
        Ok(NamedPiece { finding, torn_but_for_index: piece.torn_but_for_index })
    }
}

impl Iterator for Pieces {
    type Item = Result<NamedPiece, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.judge.end {
            return None;
        }
        let named = self.name_next();
        if named.is_err() {
            self.at = self.judge.end;
        }
        Some(named)
    }
}

#[derive(Debug)]
struct Judge {
    log: Arc<LogFile>,
    /// Where the range ends.
    end: u64,
    at_end_of_file: bool,
    witnessed_end: u64,
    last_nonzero: Option<u64>,
    /// Ends of damaged frames that may still be tried.
    ends_left: u64,
    shift: Option<Box<Shift>>,
    /// The range's bytes from `base` on, as many as one frame and what is looked at behind it.
    buf: Vec<u8>,
    base: u64,
}

/// A piece, before its evidence is gathered.
struct Piece {
    kind: Kind,
    end: u64,
    torn_but_for_index: bool,
}

impl Judge {
    /// Makes `buf` hold what a frame at `at` could be.
    fn load(&mut self, at: u64) -> Result<(), StorageError> {
        let wanted = (self.end - at).min((MAX_FRAME + LOOK_BEHIND) as u64) as usize;
        let skip = (at - self.base) as usize;
        if self.buf.len() < skip + wanted {
            self.buf.clear();
            self.base = at;
            // A little more than one frame, so that the next pieces find their bytes here.
            let wanted = (self.end - at).min((MAX_FRAME + (1 << 20)) as u64) as usize;
            self.buf.try_reserve_exact(wanted).map_err(|_| StorageError::Memory {
                path: self.log.path().to_owned(),
                offset: at,
                bytes: wanted as u64,
            })?;
            self.buf.resize(wanted, 0);
            let read = self.log.read(&mut self.buf, at)?;
            self.log.expect_bytes(at + read as u64, at + wanted as u64)?;
        }
        Ok(())
    }

    /// The bytes from `at` to the end of the range, or as far as a frame could reach.
    fn from(&self, at: u64) -> &[u8] {
        self.buf.get((at - self.base) as usize..).unwrap_or_default()
    }

    fn piece(&mut self, at: u64) -> Piece {
        let (left, end) = (self.end - at, self.end);
        let whole = |kind| Piece { kind, end, torn_but_for_index: false };
        if left >= 4 && self.only_zeros_from(at) {
            return whole(Kind::Zeros);
        }
        let trailer = self.log.version().checksum_len() as u64;
        let length = length_at(self.from(at), 0);
        let x = length.map(|n| at + LENGTH_LEN as u64 + u64::from(n) + trailer);
        let inside = x.filter(|x| *x <= self.end);
        let checksum = self.kind_of_bad_checksum();
        if let Some(x) = inside
            && self.frame_goes_on_at(at, x)
        {
            return Piece { kind: checksum, end: x, torn_but_for_index: false };
        }
        if let Some(end) = self.end_of_damaged_length(at) {
            return Piece { kind: Kind::Length, end, torn_but_for_index: false };
        }
        let mut torn_but_for_index = false;
        if self.is_torn(left, length, x) {
            if at >= self.witnessed_end {
                return whole(Kind::TornTail);
            }
            torn_but_for_index = true;
        }
        if let Some(x) = inside
            && (x == self.end || self.only_zeros_from(x) || self.looks_like_a_frame(at, x))
        {
            return Piece { kind: checksum, end: x, torn_but_for_index };
        }
        Piece { kind: Kind::Garbage, end: self.end, torn_but_for_index }
    }

    /// Version 0 has no checksum to differ: a frame in its place is then one whose payload is no event.
    fn kind_of_bad_checksum(&self) -> Kind {
        match self.log.version() {
            Version::V0 => Kind::InvalidEvent,
            Version::V1 => Kind::Checksum,
        }
    }

    fn only_zeros_from(&self, at: u64) -> bool {
        self.last_nonzero.is_none_or(|last| last < at)
    }

    /// The payload's last byte is not zero, and at `x` the range ends or something like a frame starts.
    fn frame_goes_on_at(&self, at: u64, x: u64) -> bool {
        let trailer = self.log.version().checksum_len() as u64;
        let last_of_payload = self.byte(at, x - trailer - 1);
        let behind = || length_at(self.from(at), (x - at) as usize).is_some() && self.byte(at, x + 4) == Some(b'{');
        last_of_payload != Some(0) && (x == self.end || behind())
    }

    /// Two of three: the payload starts with a brace, ends with one, and one stands where the next would start.
    fn looks_like_a_frame(&self, at: u64, x: u64) -> bool {
        let trailer = self.log.version().checksum_len() as u64;
        let signs = [
            self.byte(at, at + LENGTH_LEN as u64) == Some(b'{'),
            self.byte(at, x - trailer - 1) == Some(b'}'),
            self.byte(at, x + 4) == Some(b'{'),
        ];
        signs.into_iter().filter(|sign| *sign).count() >= 2
    }

    /// The byte at `offset`, which lies behind `at`; nothing outside the range.
    fn byte(&self, at: u64, offset: u64) -> Option<u8> {
        if offset >= self.end {
            return None;
        }
        self.from(at).get((offset - at) as usize).copied()
    }

    fn is_torn(&self, left: u64, length: Option<u32>, x: Option<u64>) -> bool {
        if !self.at_end_of_file {
            return false;
        }
        let (Some(length), Some(x)) = (length, x) else {
            return left < LENGTH_LEN as u64;
        };
        let payload_end = x - self.log.version().checksum_len() as u64;
        debug_assert!(u64::from(length) < payload_end, "the payload follows its length");
        x > self.end || self.only_zeros_from(payload_end - 1)
    }

    /// The smallest end at which a frame starting at `at` is valid once its length says so.
    fn end_of_damaged_length(&mut self, at: u64) -> Option<u64> {
        let shortest = LENGTH_LEN as u64 + 1 + self.log.version().checksum_len() as u64;
        let longest = shortest - 1 + u64::from(MAX_PAYLOAD);
        let ends = (self.end - at).min(longest).checked_sub(shortest - 1)?;
        let allowed = ends.min(self.ends_left);
        let bytes = self.buf.get((at - self.base) as usize + LENGTH_LEN..).unwrap_or_default();
        let text = bytes.get(..allowed as usize).unwrap_or(bytes);
        // No event holds a byte below 20 hex but tab, line feed and carriage return: none reaches past the first.
        let foreign = text.iter().position(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
        let text = text.get(..foreign.unwrap_or(text.len())).unwrap_or_default();
        let length = match self.log.version() {
            Version::V0 => event_prefix(text),
            Version::V1 => {
                let shift = self.shift.get_or_insert_with(|| Box::new(Shift::new()));
                proven_prefix(bytes, text.len(), shift)
            }
        };
        // Every end is counted as tried, also those that a look at the bytes has ruled out.
        self.ends_left -= length.map_or(allowed, |length| length as u64);
        if ends > allowed {
            self.ends_left = 0;
        }
        length.map(|length| at + shortest - 1 + length as u64)
    }

    fn finding(&self, at: u64, piece: &Piece) -> Result<Finding, StorageError> {
        let range = at..piece.end;
        let bytes = self.from(at);
        let bytes = bytes.get(..(piece.end - at) as usize).unwrap_or(bytes);
        let resumes_at = (!self.at_end_of_file).then_some(self.end);
        let mut evidence = Evidence { resumes_at, length_found: u32_at(bytes, 0), ..Evidence::default() };
        let trailer = self.log.version().checksum_len();
        let payload_end = bytes.len().saturating_sub(trailer);
        let payload = bytes.get(LENGTH_LEN..payload_end).unwrap_or_default();
        match piece.kind {
            Kind::Checksum | Kind::InvalidEvent => {
                if self.log.version() == Version::V1 {
                    evidence.stored = u32_at(bytes, payload_end);
                    evidence.computed = bytes.get(..payload_end).map(crc::of);
                }
                if let Err(invalid) = EventView::parse(payload, self.log.version()) {
                    evidence.bad_byte_at = Some(at + (LENGTH_LEN + invalid.at) as u64);
                    evidence.reason = Some(invalid.reason.into());
                }
            }
            Kind::Length => {
                evidence.length_implied = Some(payload.len() as u32);
                evidence.stored = u32_at(bytes, payload_end).filter(|_| trailer > 0);
            }
            Kind::TornTail => {
                let missing = evidence.length_found.filter(|n| in_range(*n));
                let missing = missing.map(|n| (LENGTH_LEN + n as usize + trailer) as u64);
                evidence.bytes_missing = missing.and_then(|whole| whole.checked_sub(piece.end - at));
                evidence.zero_share = Some(zero_share(&self.log, &range)?);
            }
            _ => {
                evidence.length_found = None;
                evidence.zero_share = Some(zero_share(&self.log, &range)?);
            }
        }
        Ok(Finding::new(piece.kind, range).with(evidence))
    }
}

/// Version 1: the shortest payload that, with the length it implies, has the checksum behind it and is an event or a
/// gap. `text` bytes of what starts with the payload can belong to it.
fn proven_prefix(bytes: &[u8], text: usize, shift: &Shift) -> Option<usize> {
    if !matches!(bytes.first()?, b'{' | b'[' | b' ' | b'\t' | b'\n' | b'\r') {
        return None;
    }
    let mut done = 0;
    let mut sum = 0;
    for (i, byte) in bytes.get(..text)?.iter().enumerate() {
        if !matches!(byte, b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        }
        let length = i + 1;
        let Some(stored) = u32_at(bytes, length) else {
            break;
        };
        sum = crc::extend(sum, bytes.get(done..length)?);
        done = length;
        // CRC(length, payload) = CRC(length) x^(8 |payload|) + CRC(payload)
        let of_length = crc::of(&(length as u32).to_be_bytes());
        if shift.suffix(of_length, sum, length as u32) == stored {
            let payload = bytes.get(..length)?;
            if EventView::parse(payload, Version::V1).is_ok() || gap::is_gap(payload) {
                return Some(length);
            }
        }
    }
    None
}

/// Version 0: the shortest payload that is an event. An object ends in one place only, so at most two are judged.
fn event_prefix(text: &[u8]) -> Option<usize> {
    let text = match std::str::from_utf8(text) {
        Ok(_) => text,
        Err(error) => text.get(..error.valid_up_to())?,
    };
    let whole = match EventView::parse(text, Version::V0) {
        Ok(_) => text,
        Err(invalid) => text.get(..invalid.at).filter(|text| EventView::parse(text, Version::V0).is_ok())?,
    };
    Some(whole.trim_ascii_end().len())
}

fn last_nonzero(log: &LogFile, range: &Range<u64>) -> Result<Option<u64>, StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(1 << 20) as usize];
    let mut end = range.end;
    while end > range.start {
        let len = (end - range.start).min(buf.len() as u64);
        let from = end - len;
        let chunk = buf.get_mut(..len as usize).unwrap_or_default();
        let read = log.read(chunk, from)?;
        log.expect_bytes(from + read as u64, end)?;
        if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
            return Ok(Some(from + last as u64));
        }
        end = from;
    }
    Ok(None)
}

fn zero_share(log: &LogFile, range: &Range<u64>) -> Result<f64, StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(1 << 20) as usize];
    let (mut at, mut zeros) = (range.start, 0usize);
    while at < range.end && !buf.is_empty() {
        let len = (range.end - at).min(buf.len() as u64);
        let chunk = buf.get_mut(..len as usize).unwrap_or_default();
        let read = log.read(chunk, at)?;
        log.expect_bytes(at + read as u64, at + len)?;
        zeros += chunk.iter().filter(|byte| **byte == 0).count();
        at += len;
    }
    Ok(zeros as f64 / (range.end - range.start).max(1) as f64)
}
