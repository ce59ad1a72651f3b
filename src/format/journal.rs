//! The bytes of a repair's journal: 16 bytes of header, then frames exactly as in a log.
//!
//! The first frame says what the journal is, as JSON. The others start with a letter: `P` a part of the plan, as JSON
//! cut anywhere; `B` bytes of the log as they were before; `A` bytes of another file that the repair writes; `I` bytes
//! of the index as it was. Behind `B`, `A` and `I` stands the offset in their file (u64), then the bytes. Later JSON
//! frames say how far the repair has come; a torn one at the end was never said.

use super::byte_layout::{FieldSpec, is_contiguous_layout, u64_at};
use super::frame;

/// The first four bytes of a journal.
pub const MAGIC: [u8; 4] = *b"CHRJ";
/// The layout described here.
pub const VERSION: u16 = 1;
/// Bytes of the header.
pub const HEADER_LEN: usize = 16;
/// The header's fields, in order.
pub const HEADER_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("flags", 6, 2),
    FieldSpec::new("created_at", 8, 8),
];
const _: () = assert!(is_contiguous_layout(&HEADER_FIELDS, HEADER_LEN), "the fields tile the journal's header");
/// Bytes kept in one frame at most.
pub const MAX_CHUNK_LEN: usize = 1 << 20;

/// The header of a journal that was begun at `created_at_ms`.
pub fn encode_header(created_at_ms: u64) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&0u16.to_be_bytes());
    out.extend_from_slice(&created_at_ms.to_be_bytes());
    out
}

/// What a frame that is no JSON holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalSection {
    /// Bytes of the log as they were before.
    BeforeImage,
    /// Bytes from elsewhere, as they will stand in the log.
    AfterImage,
    /// Bytes of the index file as it was before.
    IndexBeforeImage,
}

impl JournalSection {
    /// The first byte of such a frame's payload.
    pub const fn letter(self) -> u8 {
        match self {
            Self::BeforeImage => b'B',
            Self::AfterImage => b'A',
            Self::IndexBeforeImage => b'I',
        }
    }

    /// The part that a payload of this first byte is.
    pub const fn from_letter(letter: u8) -> Option<Self> {
        match letter {
            b'B' => Some(Self::BeforeImage),
            b'A' => Some(Self::AfterImage),
            b'I' => Some(Self::IndexBeforeImage),
            _ => None,
        }
    }
}

/// The first byte of a frame that holds a part of the plan.
pub const PLAN_LETTER: u8 = b'P';
/// Bytes in front of those that are kept: the letter and the offset.
pub const SECTION_DATA_OFFSET: usize = 9;

/// Appends a frame with bytes that stood, or will stand, at `offset` of their file, at most [`MAX_CHUNK_LEN`] of them.
pub fn encode_section(section: JournalSection, offset: u64, bytes: &[u8], out: &mut Vec<u8>) {
    frame::encode_with(out, |out| {
        out.push(section.letter());
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(bytes);
    });
}

/// The part, the offset and the bytes of such a frame's payload; `None` for another one.
pub fn decode_section(payload: &[u8]) -> Option<(JournalSection, u64, &[u8])> {
    let (letter, rest) = payload.split_first()?;
    Some((JournalSection::from_letter(*letter)?, u64_at(rest, 0)?, rest.get(8..)?))
}
