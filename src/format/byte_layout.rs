//! One row of a byte table: the codec, the specification test and the hex pane all read the same rows.

/// A fixed field of a structure on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// The field's name in FORMAT.md.
    pub name: &'static str,
    /// Bytes from the start of the structure.
    pub offset: usize,
    /// Length in bytes.
    pub len: usize,
}

impl FieldSpec {
    /// A row of a table.
    pub const fn new(name: &'static str, at: usize, bytes: usize) -> Self {
        Self { name, offset: at, len: bytes }
    }
}

/// True when `fields` cover `0..total` in order, without a hole and without an overlap.
pub const fn is_contiguous_layout(fields: &[FieldSpec], total: usize) -> bool {
    let mut at = 0;
    let mut rest = fields;
    while let [field, tail @ ..] = rest {
        if field.offset != at {
            return false;
        }
        at += field.len;
        rest = tail;
    }
    at == total
}

/// A big-endian `u64` at `at`, when the slice reaches that far.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let field = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*field))
}

/// A big-endian `u32` at `at`, when the slice reaches that far.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*field))
}

/// A big-endian `u16` at `at`, when the slice reaches that far.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*field))
}
