//! The request for rows of the table of segments, and its rows.

use std::ops::Range;
use std::path::PathBuf;

use crate::file::SegmentCondition;
use crate::index::IndexState;
use crate::inspect::GoneCause;

/// A request for rows of the table of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentRequest {
    /// Position of the first row.
    pub(crate) from: usize,
    /// Number of rows to read.
    pub(crate) rows: usize,
    /// The offset in the log whose row is located; `None` for none.
    pub(crate) locate: Option<u64>,
    /// Whether what was read earlier about sealed segments counts.
    pub(crate) earlier: EarlierRows,
}

/// Whether what was read earlier about sealed segments counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EarlierRows {
    /// All of it counts.
    #[default]
    Kept,
    /// A name in the folder has changed: only where segments end counts, for those whose files are still there.
    FolderChanged,
    /// Every segment is read again.
    Discarded,
}

/// A row of the table of segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SegmentRow {
    /// A segment.
    Segment(Box<SegmentFacts>),
    /// A range of which no segment is left.
    Gone {
        /// The range.
        range: Range<u64>,
        /// Why no segment is left.
        cause: GoneCause,
        /// Number of events that were removed, when their records say so.
        events: Option<u64>,
    },
}

/// The facts about a segment that are known without a pass over it. Positions are offsets in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentFacts {
    /// The number of the segment; `None` when its header cannot be decoded.
    pub(crate) number: Option<u32>,
    /// Offset of the first byte.
    pub(crate) base: u64,
    /// Offset of the first frame.
    pub(crate) first_frame: u64,
    /// The end of the bytes in its file.
    pub(crate) data_end: u64,
    /// The offset at which the next segment starts; `None` in the active segment.
    pub(crate) sealed_at: Option<u64>,
    /// The number of its events; `None` while no index covers the whole segment.
    pub(crate) events: Option<u64>,
    /// The number of events in the segments before it; `None` while no index in memory covers them.
    pub(crate) events_before: Option<u64>,
    /// The times of the first and the last event, in milliseconds since the Unix epoch.
    pub(crate) times_ms: Option<(u64, u64)>,
    /// The number of damaged ranges that its index has recorded.
    pub(crate) known_damage: Option<u64>,
    /// The state of its index.
    pub(crate) index_state: IndexState,
    /// Whether its file can be read.
    pub(crate) condition: SegmentCondition,
}

impl SegmentRow {
    /// Returns the first offset of the row.
    pub(crate) fn start(&self) -> u64 {
        match self {
            Self::Segment(facts) => facts.base,
            Self::Gone { range, .. } => range.start,
        }
    }
}

/// Rows of the table of segments, with what is known about the whole table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SegmentPage {
    /// Position of the first row.
    pub(crate) from: usize,
    /// The rows.
    pub(crate) rows: Vec<SegmentRow>,
    /// Number of rows in the table.
    pub(crate) total: usize,
    /// Position of the row with the offset that was to be located.
    pub(crate) located: Option<usize>,
    /// The numbers of rows of each kind.
    pub(crate) counts: SegmentCounts,
    /// The names in the folder that are none of this log.
    pub(crate) strange_files: Vec<PathBuf>,
}

/// The numbers of rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SegmentCounts {
    /// Segments whose file is there.
    pub(crate) segments: u64,
    /// Segments whose file cannot be read.
    pub(crate) unreadable: u64,
    /// Ranges of which no segment is left, without those that retention has removed and those that were given up.
    pub(crate) missing: u64,
    /// Ranges of which no segment is left, and which a repair has given up.
    pub(crate) lost: u64,
}
