//! The rows of the sections of an index file.

use super::byte_layout::{FieldSpec, is_contiguous_layout};

/// Directory rows per guide entry. The entry is the aggregate id of the first of these rows.
pub const ROWS_PER_GUIDE_ENTRY: u64 = 32;
/// Length of a guide entry, in bytes.
pub const GUIDE_ROW_LEN: usize = 8;

/// The fields of a directory row, which describes one aggregate.
pub const DIRECTORY_FIELDS: [FieldSpec; 5] = [
    FieldSpec::new("aggregate_id", 0, 8),
    FieldSpec::new("events", 8, 8),
    FieldSpec::new("first", 16, 8),
    FieldSpec::new("last", 24, 8),
    FieldSpec::new("postings_at", 32, 8),
];
/// Length of a directory row, in bytes.
pub const DIRECTORY_ROW_LEN: usize = 40;
const _: () = assert!(is_contiguous_layout(&DIRECTORY_FIELDS, DIRECTORY_ROW_LEN), "the fields cover a directory row");

/// The fields of an anchor, which is an event from which a reader can scan.
pub const ANCHOR_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("offset", 0, 8),
    FieldSpec::new("ordinal", 8, 8),
    FieldSpec::new("timestamp", 16, 8),
    FieldSpec::new("checksum", 24, 4),
];
/// Length of an anchor, in bytes.
pub const ANCHOR_LEN: usize = 28;
const _: () = assert!(is_contiguous_layout(&ANCHOR_FIELDS, ANCHOR_LEN), "the fields cover an anchor");

/// The fields of a damaged range. Ranges found while building come first, then ranges found by a later verification,
/// whose end has [`FOUND_AFTER_BUILD_BIT`] set.
pub const DAMAGE_FIELDS: [FieldSpec; 2] = [FieldSpec::new("start", 0, 8), FieldSpec::new("end", 8, 8)];
/// Length of a damaged range, in bytes.
pub const DAMAGE_ROW_LEN: usize = 16;
/// The bit of `end` that marks a damaged range found after the index was built, where the index has frames.
pub const FOUND_AFTER_BUILD_BIT: u64 = 1 << 63;
const _: () = assert!(is_contiguous_layout(&DAMAGE_FIELDS, DAMAGE_ROW_LEN), "the fields cover a damaged range");
