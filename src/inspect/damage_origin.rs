//! Recognises the cause of a damaged range: a second log after the first one, or a transfer that translated line ends.

use memchr::{memchr_iter, memmem};

use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::{DecodeResult, decode};
use crate::format::{Evidence, Finding, FrameFormat, LogHeader, header};

/// The largest damaged range whose line ends are translated back, which takes a copy of its bytes.
const MAX_TRANSLATED_BYTES: usize = 4 << 20;

/// Largest number of bytes that are read, in the damaged ranges of an index, to find the causes of the damage.
#[cfg(feature = "app")]
const MAX_INDEXED_BYTES: u64 = 16 << 20;

/// What the bytes of a damaged range show about the cause of the damage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct DamageOrigin {
    /// File offset of a header of another log in the range.
    pub(super) second_header_at: Option<u64>,
    /// Number of bytes 0d that a translation of line ends has added to the range.
    pub(super) text_mode_bytes: Option<u64>,
}

/// The start of a damaged range.
struct RangeStart<'a> {
    /// File offset of the first byte.
    offset: u64,
    format: FrameFormat,
    /// The bytes of the log before the range, when the range is that of the first frame; otherwise empty.
    header: &'a [u8],
}

impl DamageOrigin {
    /// Recognises the cause of the damage in `bytes`, which start at the offset `start` and are the whole damaged range, or
    /// its start when the range is longer than the largest frame.
    ///
    /// # Errors
    /// `Io` when the header of the log cannot be read.
    pub(super) fn of_range(log: &LogFile, start: u64, bytes: &[u8]) -> Result<Self, StorageError> {
        // A byte that was added to the header has moved the first frame.
        let has_header = start == log.first_frame_offset();
        let header = if has_header { log.read_header()? } else { Vec::new() };
        Ok(Self::recognise(&RangeStart { offset: start, format: log.format(), header: &header }, bytes))
    }

    fn recognise(start: &RangeStart, bytes: &[u8]) -> Self {
        let headers = memmem::find_iter(bytes, &header::MAGIC);
        let is_header = |at: &usize| bytes.get(*at..).is_some_and(|bytes| LogHeader::decode(bytes).is_ok());
        let second_header_at = headers.into_iter().find(is_header).map(|at| start.offset + at as u64);
        Self { second_header_at, text_mode_bytes: count_text_mode_bytes(start, bytes) }
    }
}

/// Returns how many bytes 0d a translation of line ends has added; `None` unless every 0a is preceded by a 0d, and the
/// bytes without these 0d are valid frames and nothing else.
fn count_text_mode_bytes(start: &RangeStart, bytes: &[u8]) -> Option<u64> {
    let is_translated = |at: usize| at > 0 && bytes.get(at - 1) == Some(&b'\r');
    let mut line_ends = memchr_iter(b'\n', bytes);
    if bytes.len() > MAX_TRANSLATED_BYTES || !line_ends.all(is_translated) {
        return None;
    }
    let stored = [start.header, bytes].concat();
    let original = translate_back(&stored);
    let added = stored.len() - original.len();
    let mut rest = original.get(start.header.len()..).filter(|_| added > 0)?;
    let mut offset = start.offset;
    while !rest.is_empty() {
        let DecodeResult::Complete(frame) = decode(rest, start.format, offset) else { return None };
        offset += frame.len();
        rest = rest.get(frame.len() as usize..)?;
    }
    Some(added as u64)
}

/// Replaces 0d 0a by 0a.
fn translate_back(bytes: &[u8]) -> Vec<u8> {
    let is_added = |(at, byte): &(usize, &u8)| **byte == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    bytes.iter().enumerate().filter(|byte| !is_added(byte)).map(|(_, byte)| *byte).collect()
}

/// Collects the causes of the damage of a log, for the advice that concerns the whole file.
#[derive(Debug, Clone, Default)]
pub(crate) struct DamageOrigins {
    /// File offset of the first header of another log.
    first_second_header: Option<u64>,
    /// The number of these headers.
    second_headers: u64,
    /// Number of findings in ranges that a translation of line ends explains.
    text_mode_findings: u64,
}

impl DamageOrigins {
    /// Adds the evidence of a finding.
    pub(crate) fn add(&mut self, finding: &Finding) {
        let Evidence { second_header_at, text_mode_bytes, .. } = finding.evidence;
        self.add_origin(DamageOrigin { second_header_at, text_mode_bytes });
    }

    fn add_origin(&mut self, origin: DamageOrigin) {
        if let Some(at) = origin.second_header_at {
            self.second_headers += 1;
            self.first_second_header = self.first_second_header.or(Some(at));
        }
        self.text_mode_findings += u64::from(origin.text_mode_bytes.is_some());
    }

    /// Returns the advice, one sentence without a full stop for each cause.
    pub(crate) fn advice(&self) -> Vec<String> {
        let logs = self.first_second_header.map(|at| {
            format!(
                "concatenated logs: the file contains {} logs, the second from offset {at} on; `head -c {at} LOG` and `tail -c \
                 +{} LOG` write them to files of their own, or `chronicle salvage LOG -o NEW` copies all events into one log",
                self.second_headers + 1,
                at + 1
            )
        });
        let text_mode = (self.text_mode_findings > 0).then(|| {
            "text-mode transfer: a program has replaced 0a by 0d 0a in this file, as for text; copy the original again, in \
             binary mode"
                .to_owned()
        });
        logs.into_iter().chain(text_mode).collect()
    }
}

#[cfg(feature = "app")]
impl super::LogView {
    /// Reads the ranges that the index knows to be damaged, up to [`MAX_INDEXED_BYTES`] in total, and returns the causes
    /// that they show.
    pub(crate) fn known_damage_origins(&self) -> DamageOrigins {
        let mut origins = DamageOrigins::default();
        let mut left = MAX_INDEXED_BYTES;
        for range in self.known_damage() {
            let len = (range.end - range.start).min(MAX_TRANSLATED_BYTES as u64);
            let Some(rest) = left.checked_sub(len) else { break };
            left = rest;
            let mut bytes = vec![0; len as usize];
            // A range that cannot be read shows nothing; the damage itself is reported.
            if let Ok(read) = self.log().read_at(&mut bytes, range.start)
                && let Ok(origin) =
                    DamageOrigin::of_range(self.log(), range.start, bytes.get(..read).unwrap_or_default())
            {
                origins.add_origin(origin);
            }
        }
        origins
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{HEADER_LEN, frame};

    /// The frame of a payload of this length.
    fn frame_of(payload_len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame::encode(format!("{{{}}}", " ".repeat(payload_len - 2)).as_bytes(), &mut bytes);
        bytes
    }

    fn translated(bytes: &[u8]) -> Vec<u8> {
        bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect()
    }

    fn recognise(offset: u64, header: &[u8], bytes: &[u8]) -> DamageOrigin {
        DamageOrigin::recognise(&RangeStart { offset, format: FrameFormat::V1, header }, bytes)
    }

    #[test]
    fn a_translation_of_line_ends_is_recognised_only_where_it_explains_every_byte() {
        // A length of 10 is stored as 0a; 2 560 is stored as 0a 00.
        let frames = [frame_of(10), frame_of(2560)].concat();
        let text = translated(&frames);
        assert!(text.len() >= frames.len() + 2);
        let added = Some((text.len() - frames.len()) as u64);
        assert_eq!(recognise(100, &[], &text).text_mode_bytes, added);
        for (at, what) in [(text.len() - 1, "a checksum"), (9, "a payload")] {
            let mut other = text.clone();
            other[at] ^= 1;
            assert_eq!(recognise(100, &[], &other).text_mode_bytes, None, "{what} that differs");
        }
        assert_eq!(recognise(100, &[], &[&text[..], b"x"].concat()).text_mode_bytes, None, "a byte too many");
        assert_eq!(recognise(100, &[], &frames).text_mode_bytes, None, "0a without 0d");
        assert_eq!(recognise(100, &[], b"").text_mode_bytes, None);
    }

    #[test]
    fn a_line_end_in_the_header_moves_the_first_frame_by_a_byte() {
        let header = translated(&LogHeader::new(0x0A00_0000).encode());
        let (header, first) = header.split_at(HEADER_LEN as usize);
        assert_eq!(first.len(), 1);
        assert_eq!(recognise(HEADER_LEN, header, first).text_mode_bytes, Some(1));
        let whole = LogHeader::new(0x0B00_0000).encode();
        assert_eq!(recognise(HEADER_LEN, &whole, first).text_mode_bytes, None);
    }

    #[test]
    fn a_header_in_a_damaged_range_starts_another_log() {
        let second = [b"\0\0\0\x30{\"a".as_slice(), &LogHeader::new(5).encode()].concat();
        assert_eq!(recognise(1000, &[], &second).second_header_at, Some(1007));
        for incomplete in
            [&second[..second.len() - 1], b"CHRN\0\x02\0\0\0\0\0\0\0\0\0\0", b"the text CHRN, which is no header"]
        {
            assert_eq!(recognise(1000, &[], incomplete).second_header_at, None);
        }
    }

    #[test]
    fn the_advice_names_the_number_of_logs_and_where_the_second_starts() {
        let mut origins = DamageOrigins::default();
        assert_eq!(origins.advice(), Vec::<String>::new());
        for at in [500, 900] {
            let mut finding = Finding::new(crate::format::DamageKind::Garbage, at..at + 16);
            finding.evidence.second_header_at = Some(at);
            origins.add(&finding);
        }
        let advice = origins.advice().concat();
        assert!(advice.contains("3 logs, the second from offset 500") && advice.contains("+501"), "{advice}");
    }
}
