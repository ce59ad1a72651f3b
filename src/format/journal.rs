//! The byte layout of a repair journal: a 16-byte header, then frames as in a version 1 log.
//!
//! The first frame is a JSON object that describes the journal. The payload of each following frame starts with a
//! letter: `P` for a part of the plan, `B` for bytes of the log before the repair, `A` for bytes that the repair copies
//! from another file, `I` for bytes of the index file before the repair. The letters `B`, `A`, `I` and `X` are followed by
//! the file offset (u64) and the bytes. `Z` is a run of zeros in the log before the repair, as its offset and its
//! length (u64). `X` has bytes that the file of a sealed segment has
//! after its end, at their offset as if the segment went on. Frames that are JSON objects record the state of the repair. Readers ignore an
//! unfinished frame at the end, because the repair did not reach the state that the frame would have recorded.

use super::byte_layout::{FieldSpec, is_contiguous_layout, u64_at};
use super::{FrameFormat, frame};

/// The first four bytes of a journal.
pub const MAGIC: [u8; 4] = *b"CHRJ";
/// The version of the journal format that is written. Version 1 has no runs of zeros.
pub const VERSION: u16 = 2;
/// The oldest version that is read.
pub const OLDEST_VERSION: u16 = 1;
/// Length of the header, in bytes.
pub const HEADER_LEN: usize = 16;
/// The fields of the header, in order.
pub const HEADER_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("flags", 6, 2),
    FieldSpec::new("created_at", 8, 8),
];
const _: () = assert!(is_contiguous_layout(&HEADER_FIELDS, HEADER_LEN), "the fields cover the journal header");
/// The largest number of data bytes in one section frame.
pub const MAX_CHUNK_LEN: usize = 1 << 20;

/// Encodes the header of a journal that was created at `created_at_ms`, in milliseconds since the Unix epoch.
pub fn encode_header(created_at_ms: u64) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&0u16.to_be_bytes());
    out.extend_from_slice(&created_at_ms.to_be_bytes());
    out
}

/// The meaning of the data bytes of a section frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalSection {
    /// Bytes of the log before the repair.
    BeforeImage,
    /// Bytes from another file, as the repair writes them to the log.
    AfterImage,
    /// Bytes of the index file before the repair.
    IndexBeforeImage,
    /// Bytes that the file of a sealed segment has after its end.
    Excess,
}

impl JournalSection {
    /// The letter that starts the payload of a frame with this section.
    pub const fn letter(self) -> u8 {
        match self {
            Self::BeforeImage => b'B',
            Self::AfterImage => b'A',
            Self::IndexBeforeImage => b'I',
            Self::Excess => b'X',
        }
    }

    /// The section with this letter; `None` for any other byte.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'B' => Some(Self::BeforeImage),
            b'A' => Some(Self::AfterImage),
            b'I' => Some(Self::IndexBeforeImage),
            b'X' => Some(Self::Excess),
            _ => None,
        }
    }
}

/// The letter that starts the payload of a frame with a part of the plan.
pub const PLAN_LETTER: u8 = b'P';
/// The letter that starts the payload of a frame with a run of zeros of the log before the repair.
pub const ZEROS_LETTER: u8 = b'Z';
/// Offset of the data bytes in the payload of a section frame: they follow the letter and the file offset.
pub const SECTION_DATA_OFFSET: usize = 9;

/// Appends a section frame to `out`: at most [`MAX_CHUNK_LEN`] bytes that belong at `offset` of their file.
pub fn encode_section(section: JournalSection, offset: u64, bytes: &[u8], out: &mut Vec<u8>) {
    frame::encode_with(FrameFormat::V1, 0, out, |out| {
        out.push(section.letter());
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(bytes);
    });
}

/// A run of zeros of the log before the repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZeroRun {
    /// The file offset of the first zero.
    pub offset: u64,
    /// Number of zeros.
    pub len: u64,
}

/// Appends the frame of a run of zeros to `out`.
pub fn encode_zeros(run: ZeroRun, out: &mut Vec<u8>) {
    frame::encode_with(FrameFormat::V1, 0, out, |out| {
        out.push(ZEROS_LETTER);
        out.extend_from_slice(&run.offset.to_be_bytes());
        out.extend_from_slice(&run.len.to_be_bytes());
    });
}

/// Decodes the payload of a run of zeros; `None` for any other payload, and for a run that no file can have.
pub fn decode_zeros(payload: &[u8]) -> Option<ZeroRun> {
    let rest = payload.strip_prefix(&[ZEROS_LETTER]).filter(|rest| rest.len() == 16)?;
    let run = ZeroRun { offset: u64_at(rest, 0)?, len: u64_at(rest, 8)? };
    run.offset.checked_add(run.len).filter(|end| i64::try_from(*end).is_ok())?;
    Some(run)
}

/// A decoded section frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionFrame<'a> {
    /// The meaning of the data bytes.
    pub section: JournalSection,
    /// The file offset at which the bytes belong.
    pub offset: u64,
    /// The data bytes, without the letter and the offset.
    pub bytes: &'a [u8],
}

/// Decodes the payload of a section frame; `None` for any other payload.
pub fn decode_section(payload: &[u8]) -> Option<SectionFrame<'_>> {
    let (letter, rest) = payload.split_first()?;
    let section = JournalSection::from_letter(*letter)?;
    Some(SectionFrame { section, offset: u64_at(rest, 0)?, bytes: rest.get(8..)? })
}
