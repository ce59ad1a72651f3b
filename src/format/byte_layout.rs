//! Tables of fields at fixed offsets, and functions that read big-endian integers from a slice.
//!
//! The decoders, the test of `docs/format.md` and the hex pane all use these tables.

/// A field at a fixed offset in a structure on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpec {
    /// The name of the field in `docs/format.md`.
    pub name: &'static str,
    /// Distance from the start of the structure, in bytes.
    pub offset: usize,
    /// Length of the field, in bytes.
    pub len: usize,
}

impl FieldSpec {
    /// Creates a row of a table: the field `name` of `len` bytes at `offset`.
    pub const fn new(name: &'static str, offset: usize, len: usize) -> Self {
        Self { name, offset, len }
    }
}

/// True when `fields` cover `0..total` in order, without holes and without overlaps.
pub(super) const fn is_contiguous_layout(fields: &[FieldSpec], total: usize) -> bool {
    let mut end = 0;
    let mut rest = fields;
    while let [field, tail @ ..] = rest {
        if field.offset != end {
            return false;
        }
        end += field.len;
        rest = tail;
    }
    end == total
}

/// Reads a big-endian `u64` at `offset`; `None` when the slice ends before it does.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    let field = bytes.get(offset..)?.first_chunk::<8>()?;
    Some(u64::from_be_bytes(*field))
}

/// Reads a big-endian `u32` at `offset`; `None` when the slice ends before it does.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*field))
}

/// Reads a big-endian `u16` at `offset`; `None` when the slice ends before it does.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    let field = bytes.get(offset..)?.first_chunk::<2>()?;
    Some(u16::from_be_bytes(*field))
}
