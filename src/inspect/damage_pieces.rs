//! Classifies damage: divides a damaged range into pieces, from its start, by the table of pieces in docs/format.md. The
//! first row of the table that matches determines the kind of a piece.
//!
//! Memory: one frame. Time: linear in the range, because the search for the end of a frame with a damaged length is
//! bounded over all pieces together.

use std::ops::Range;
use std::sync::Arc;

use super::damage_origin::DamageOrigin;
use super::frame_origin::FrameOrigin;
use super::payload_end::{find_checksummed_payload_len, find_event_payload_len};
use super::zeros::{find_last_nonzero, measure_zero_share};
use crate::StorageError;
use crate::file::LogFile;
use crate::format::byte_layout::u32_at;
use crate::format::crc::CrcShiftTable;
use crate::format::frame::{LENGTH_LEN, MAX_FRAME, MAX_PAYLOAD, is_valid_length, payload_length_at};
use crate::format::{DamageKind, EventView, Evidence, Finding, Version};
use crate::index::SeenEnd;

/// Number of possible ends that are tried for frames with a damaged length, for each byte of the range.
const MAX_END_ATTEMPTS_PER_BYTE: u64 = 16;
/// Number of bytes after a frame that its classification reads: a length and a brace.
const LOOKAHEAD_BYTES: usize = LENGTH_LEN + 1;

/// The pieces of a damaged range, ascending and adjacent, classified one by one.
#[derive(Debug)]
pub(super) struct DamagePieces {
    classifier: DamageClassifier,
    position: u64,
}

/// The outcome of classifying the next bytes of a damaged range.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a value lives for one call, and damage is rare")]
pub(super) enum PieceOutcome {
    /// The bytes are a damaged piece.
    Damaged(DamagePiece),
    /// The bytes at this offset are not damaged. They have changed since the scan read them.
    Changed(u64),
}

/// A classified piece of a damaged range.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DamagePiece {
    /// The kind, the range and the evidence of the damage.
    pub finding: Finding,
    /// True when the piece has the form of a torn tail, but starts before the end of the log that an index has recorded, or
    /// that end is unknown.
    pub is_torn_before_indexed_end: bool,
}

impl DamagePieces {
    /// Creates an iterator over the pieces of the damaged `range` of a log whose end was fixed at `end`.
    ///
    /// No piece that starts before `seen_end` is a torn tail, and none is one when that end is unknown.
    ///
    /// # Errors
    /// `Io` when the log cannot be read; `Changed` when the file was cut.
    pub(super) fn new(
        log: &Arc<LogFile>,
        range: Range<u64>,
        end: u64,
        seen_end: &SeenEnd,
    ) -> Result<Self, StorageError> {
        let classifier = DamageClassifier {
            end: range.end,
            at_end_of_file: range.end == end,
            seen_end: seen_end.clone(),
            last_nonzero: find_last_nonzero(log, &range)?,
            remaining_end_attempts: (range.end - range.start).saturating_mul(MAX_END_ATTEMPTS_PER_BYTE),
            crc_shift: None,
            origin: None,
            buf: Vec::new(),
            buf_start: range.start,
            log: log.clone(),
        };
        Ok(Self { classifier, position: range.start })
    }

    /// Returns the file offset of the next piece.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Returns the next piece; `None` at the end of the range. After `Changed`, the rest of the range must be scanned again.
    ///
    /// # Errors
    /// `Io`; `Changed` when the file was cut; `OutOfMemory` when there is not enough memory for a frame.
    pub(super) fn next_piece(&mut self) -> Result<Option<PieceOutcome>, StorageError> {
        if self.position >= self.classifier.end {
            return Ok(None);
        }
        self.classifier.fill_buffer(self.position)?;
        if self.classifier.origin.is_none() {
            let bytes = self.classifier.bytes_from(self.position);
            self.classifier.origin = Some(DamageOrigin::of_range(&self.classifier.log, self.position, bytes)?);
        }
        let piece = self.classifier.classify_range(self.position);
        let finding = self.classifier.build_finding(self.position, &piece)?;
        if contradicts_scan(&finding) {
            return Ok(Some(PieceOutcome::Changed(self.position)));
        }
        self.position = finding.end;
        let is_torn_before_indexed_end = piece.is_torn_before_indexed_end;
        Ok(Some(PieceOutcome::Damaged(DamagePiece { finding, is_torn_before_indexed_end })))
    }
}

/// True when the evidence shows no damage, because the bytes have changed since the scan that found them damaged.
fn contradicts_scan(finding: &Finding) -> bool {
    let evidence = &finding.evidence;
    match finding.kind {
        DamageKind::Checksum => evidence.stored_checksum == evidence.computed_checksum,
        DamageKind::Length => evidence.length_found == evidence.length_implied,
        DamageKind::InvalidEvent => evidence.reason.is_none(),
        DamageKind::Zeros => evidence.zero_share != Some(1.0),
        DamageKind::TornTail
        | DamageKind::Garbage
        | DamageKind::Truncated
        | DamageKind::Header
        | DamageKind::Lost
        | DamageKind::Gap
        | DamageKind::Clock
        | DamageKind::Unreadable => false,
    }
}

/// The state of the classification of one damaged range.
#[derive(Debug)]
struct DamageClassifier {
    log: Arc<LogFile>,
    /// The end of the range.
    end: u64,
    /// True when the range ends with the log.
    at_end_of_file: bool,
    /// How far the log was seen, according to its index.
    seen_end: SeenEnd,
    /// The offset of the last byte of the range that is not zero.
    last_nonzero: Option<u64>,
    /// Number of possible ends of frames with a damaged length that may still be tried.
    remaining_end_attempts: u64,
    crc_shift: Option<Box<CrcShiftTable>>,
    /// The cause of the damage; `None` before the first bytes of the range are read.
    origin: Option<DamageOrigin>,
    /// The bytes of the range that start at `buf_start`: at least one frame and [`LOOKAHEAD_BYTES`].
    buf: Vec<u8>,
    buf_start: u64,
}

/// The kind and end of a piece, before its evidence is collected.
struct ClassifiedRange {
    kind: DamageKind,
    end: u64,
    is_torn_before_indexed_end: bool,
}

impl DamageClassifier {
    /// Fills `buf` with the bytes that start at `at`: as many as a frame and the lookahead can have.
    fn fill_buffer(&mut self, at: u64) -> Result<(), StorageError> {
        let needed = (self.end - at).min((MAX_FRAME + LOOKAHEAD_BYTES) as u64) as usize;
        let skip = (at - self.buf_start) as usize;
        if self.buf.len() < skip + needed {
            self.buf.clear();
            self.buf_start = at;
            // One mebibyte more than a frame is read, so that short pieces after it need no further read.
            let wanted = (self.end - at).min((MAX_FRAME + (1 << 20)) as u64) as usize;
            self.buf.try_reserve_exact(wanted).map_err(|_| StorageError::OutOfMemory {
                path: self.log.path().to_owned(),
                offset: at,
                bytes: wanted as u64,
            })?;
            self.buf.resize(wanted, 0);
            let read = self.log.read_at(&mut self.buf, at)?;
            self.log.ensure_bytes_available(at + read as u64, at + wanted as u64)?;
        }
        Ok(())
    }

    /// Returns the buffered bytes that start at `at`: up to the end of the range, or at least one frame of maximum length.
    fn bytes_from(&self, at: u64) -> &[u8] {
        self.buf.get((at - self.buf_start) as usize..).unwrap_or_default()
    }

    fn classify_range(&mut self, at: u64) -> ClassifiedRange {
        let (bytes_left, end) = (self.end - at, self.end);
        let rest = |kind| ClassifiedRange { kind, end, is_torn_before_indexed_end: false };
        if bytes_left >= 4 && self.is_zero_from(at) {
            return rest(DamageKind::Zeros);
        }
        let trailer = self.log.version().checksum_len() as u64;
        let length = payload_length_at(self.bytes_from(at), 0);
        let stated_end = length.map(|n| at + LENGTH_LEN as u64 + u64::from(n) + trailer);
        let end_in_range = stated_end.filter(|frame_end| *frame_end <= self.end);
        let checksum = self.bad_checksum_kind();
        if let Some(frame_end) = end_in_range
            && self.is_followed_by_frame(at, frame_end)
        {
            return ClassifiedRange { kind: checksum, end: frame_end, is_torn_before_indexed_end: false };
        }
        if let Some(end) = self.find_frame_end_ignoring_length(at) {
            return ClassifiedRange { kind: DamageKind::Length, end, is_torn_before_indexed_end: false };
        }
        let mut is_torn_before_indexed_end = false;
        if self.is_torn(bytes_left, length, stated_end) {
            if self.seen_end.allows_cut_at(at) {
                return rest(DamageKind::TornTail);
            }
            is_torn_before_indexed_end = true;
        }
        if let Some(frame_end) = end_in_range
            && (frame_end == self.end || self.is_zero_from(frame_end) || self.is_likely_frame(at, frame_end))
        {
            return ClassifiedRange { kind: checksum, end: frame_end, is_torn_before_indexed_end };
        }
        ClassifiedRange { kind: DamageKind::Garbage, end: self.end, is_torn_before_indexed_end }
    }

    /// Returns the kind of a damaged frame with a plausible length. Without checksums, as in version 0, its payload is an
    /// invalid event.
    fn bad_checksum_kind(&self) -> DamageKind {
        match self.log.version() {
            Version::V0 => DamageKind::InvalidEvent,
            Version::V1 | Version::V2 => DamageKind::Checksum,
        }
    }

    fn is_zero_from(&self, at: u64) -> bool {
        self.last_nonzero.is_none_or(|last| last < at)
    }

    /// True when the last byte of the payload is not zero, and the range ends or a plausible frame starts at `frame_end`.
    fn is_followed_by_frame(&self, at: u64, frame_end: u64) -> bool {
        let trailer = self.log.version().checksum_len() as u64;
        let last_of_payload = self.byte_at(at, frame_end - trailer - 1);
        let has_next_frame = || {
            payload_length_at(self.bytes_from(at), (frame_end - at) as usize).is_some()
                && self.byte_at(at, frame_end + 4) == Some(b'{')
        };
        last_of_payload != Some(0) && (frame_end == self.end || has_next_frame())
    }

    /// True when at least two of three signs are present: the payload starts with a brace, it ends with a brace, and the
    /// next payload starts with a brace.
    fn is_likely_frame(&self, at: u64, frame_end: u64) -> bool {
        let trailer = self.log.version().checksum_len() as u64;
        let signs = [
            self.byte_at(at, at + LENGTH_LEN as u64) == Some(b'{'),
            self.byte_at(at, frame_end - trailer - 1) == Some(b'}'),
            self.byte_at(at, frame_end + 4) == Some(b'{'),
        ];
        signs.into_iter().filter(|sign| *sign).count() >= 2
    }

    /// Returns the byte at `offset`, which must not be before `at`; `None` after the end of the range.
    fn byte_at(&self, at: u64, offset: u64) -> Option<u8> {
        if offset >= self.end {
            return None;
        }
        self.bytes_from(at).get((offset - at) as usize).copied()
    }

    fn is_torn(&self, bytes_left: u64, length: Option<u32>, stated_end: Option<u64>) -> bool {
        if !self.at_end_of_file {
            return false;
        }
        let (Some(length), Some(frame_end)) = (length, stated_end) else {
            return bytes_left < LENGTH_LEN as u64;
        };
        let payload_end = frame_end - self.log.version().checksum_len() as u64;
        debug_assert!(u64::from(length) < payload_end, "the payload follows its length");
        frame_end > self.end || self.is_zero_from(payload_end - 1)
    }

    /// Returns the smallest end for which a frame that starts at `at` is valid with a corrected length.
    fn find_frame_end_ignoring_length(&mut self, at: u64) -> Option<u64> {
        let shortest = LENGTH_LEN as u64 + 1 + self.log.version().checksum_len() as u64;
        let longest = shortest - 1 + u64::from(MAX_PAYLOAD);
        let ends = (self.end - at).min(longest).checked_sub(shortest - 1)?;
        let allowed = ends.min(self.remaining_end_attempts);
        let bytes = self.buf.get((at - self.buf_start) as usize + LENGTH_LEN..).unwrap_or_default();
        let text = bytes.get(..allowed as usize).unwrap_or(bytes);
        // An event contains no byte below 0x20 except tab, line feed and carriage return, so it ends before such a byte.
        let first_invalid = text.iter().position(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r'));
        let text = text.get(..first_invalid.unwrap_or(text.len())).unwrap_or_default();
        let length = match self.log.version() {
            Version::V0 => find_event_payload_len(text),
            Version::V1 | Version::V2 => {
                let shift = self.crc_shift.get_or_insert_with(|| Box::new(CrcShiftTable::new()));
                let preceding = self.log.format().preceding_checksum(at);
                find_checksummed_payload_len(bytes, text.len(), preceding, shift)
            }
        };
        // Ends that were excluded without computing a checksum are counted as tried too.
        self.remaining_end_attempts -= length.map_or(allowed, |length| length as u64);
        if length.is_none() && ends > allowed {
            self.remaining_end_attempts = 0;
        }
        length.map(|length| at + shortest - 1 + length as u64)
    }

    fn build_finding(&self, at: u64, piece: &ClassifiedRange) -> Result<Finding, StorageError> {
        let range = at..piece.end;
        let bytes = self.bytes_from(at);
        let bytes = bytes.get(..(piece.end - at) as usize).unwrap_or(bytes);
        let resumes_at = (!self.at_end_of_file).then_some(self.end);
        let DamageOrigin { second_header_at, text_mode_bytes } = self.origin.unwrap_or_default();
        let second_header_at = second_header_at.filter(|header| range.contains(header));
        let length_found = u32_at(bytes, 0);
        let mut evidence =
            Evidence { length_found, resumes_at, second_header_at, text_mode_bytes, ..Evidence::default() };
        let trailer = self.log.version().checksum_len();
        let payload_end = bytes.len().saturating_sub(trailer);
        let payload = bytes.get(LENGTH_LEN..payload_end).unwrap_or_default();
        match piece.kind {
            DamageKind::Checksum | DamageKind::InvalidEvent => {
                if self.log.version().has_checksums() {
                    evidence.stored_checksum = u32_at(bytes, payload_end);
                    evidence.computed_checksum =
                        bytes.get(..payload_end).map(|covered| self.log.format().checksum(at, covered));
                }
                if piece.kind == DamageKind::Checksum {
                    FrameOrigin::find(&self.log, at, bytes)?.add_to(&mut evidence);
                }
                if let Err(invalid) = EventView::parse(payload, self.log.version()) {
                    evidence.bad_byte_offset = Some(at + (LENGTH_LEN + invalid.offset) as u64);
                    evidence.reason = Some(invalid.reason.into());
                }
            }
            DamageKind::Length => {
                evidence.length_implied = Some(payload.len() as u32);
                evidence.stored_checksum = u32_at(bytes, payload_end).filter(|_| trailer > 0);
            }
            DamageKind::TornTail => {
                let payload_len = evidence.length_found.filter(|n| is_valid_length(*n));
                let frame_len = payload_len.map(|n| (LENGTH_LEN + n as usize + trailer) as u64);
                evidence.bytes_missing = frame_len.and_then(|len| len.checked_sub(piece.end - at));
                evidence.zero_share = Some(measure_zero_share(&self.log, &range)?);
            }
            DamageKind::Zeros
            | DamageKind::Garbage
            | DamageKind::Truncated
            | DamageKind::Header
            | DamageKind::Lost
            | DamageKind::Gap
            | DamageKind::Clock
            | DamageKind::Unreadable => {
                evidence.length_found = None;
                evidence.zero_share = Some(measure_zero_share(&self.log, &range)?);
            }
        }
        Ok(Finding::new(piece.kind, range).with_evidence(evidence))
    }
}
