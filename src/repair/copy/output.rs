//! The files that a copy writes. Their bytes are read again and compared before a file gets its final name.

use super::offset_map::OffsetMapFormat;
use crate::file::{NewLog, VerifiedFile};

/// The files that a copy writes.
pub(super) struct OutputFiles<'d> {
    /// The new log.
    pub(super) log: NewLog<'d>,
    /// The map from old offsets to new ones.
    pub(super) map: Option<MapFile<'d>>,
}

/// The file of a map, and its format.
pub(super) struct MapFile<'d> {
    pub(super) file: VerifiedFile<'d>,
    pub(super) format: OffsetMapFormat,
}
