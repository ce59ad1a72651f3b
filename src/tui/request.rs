//! Requests that the screen sends to its workers, as plain data.

use std::path::PathBuf;

pub(crate) use super::id_prefix::IdPrefix;
pub(crate) use super::plan_request::{EraseTarget, PlanRequest, UndecidedFinding};
pub(crate) use super::segment_change::{RetainLimit, SegmentChange, SegmentChangeRequest};
pub(crate) use super::segment_request::{
    EarlierRows, SegmentCounts, SegmentFacts, SegmentPage, SegmentRequest, SegmentRow,
};
pub(crate) use super::statistics_request::{StatisticsPeriod, StatisticsRequest};
pub(crate) use super::timeline_request::TimelineRequest;
use crate::export::ExportFileFormat;
use crate::file::{Durability, ExistingFile};
use crate::format::Event;
use crate::index::AggregateSummary;
use crate::inspect::LogDifference;
use crate::query::{Direction, ExcerptRequest, Filter, Hits, JumpTarget, LogRow, SearchPattern};
use crate::repair::Plan;
use crate::report::PlanRowSource;

/// The kinds of workers. Each kind of request has its own worker, so that no kind waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerKind {
    /// Reads the rows of the events pane.
    List,
    /// Reads the contents of the selected row.
    Detail,
    /// Resolves jumps, and finds the next match and the next damage.
    Jump,
    /// Counts the hits of the filter and of the search.
    Hits,
    /// Reads the table of aggregates.
    Aggregates,
    /// Reads the repair history.
    Repairs,
    /// Reads the data that prompts and dialogs show.
    Prompt,
    /// Reads the table of segments.
    Segments,
    /// Counts events in groups.
    Statistics,
    /// Counts events in intervals of time.
    Timeline,
    /// Writes events to a file.
    Export,
    /// Reads and writes the state that is kept between runs.
    Session,
    /// Compares the log with a backup.
    Compare,
    /// Reads the contents of the log and of a backup at a difference.
    Sides,
    /// Plans and applies repairs, appends events, and saves the index.
    Write,
}

impl WorkerKind {
    /// All workers, in the order of their discriminants.
    pub(crate) const ALL: [Self; 15] = [
        Self::List,
        Self::Detail,
        Self::Jump,
        Self::Hits,
        Self::Aggregates,
        Self::Repairs,
        Self::Prompt,
        Self::Segments,
        Self::Statistics,
        Self::Timeline,
        Self::Export,
        Self::Session,
        Self::Compare,
        Self::Sides,
        Self::Write,
    ];
}

/// A request to a worker. Offsets and sizes are in bytes.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Reads the rows around an offset.
    RowsAround {
        /// Offset of the row that the cursor is moved to.
        offset: u64,
        /// Number of rows to read before the offset.
        rows_before: usize,
        /// Number of rows to read from the offset on.
        rows_after: usize,
        /// The filter that selects the rows.
        filter: Filter,
        /// Hits of the filter counted so far, which save reading the ranges between them.
        hits: Option<Hits>,
        /// The content of the rows besides the fields of events.
        columns: PageColumns,
    },
    /// Reads the last rows of the log.
    LastRows {
        /// Number of rows to read.
        rows: usize,
        /// The filter that selects the rows.
        filter: Filter,
        /// Hits of the filter counted so far.
        hits: Option<Hits>,
        /// The content of the rows besides the fields of events.
        columns: PageColumns,
    },
    /// Reads rows that extend the window in one direction.
    MoreRows {
        /// Offset at which the window ends (forward) or starts (backward).
        from: u64,
        /// Direction to read in.
        direction: Direction,
        /// Number of rows to read.
        rows: usize,
        /// The filter that selects the rows.
        filter: Filter,
        /// Hits of the filter counted so far.
        hits: Option<Hits>,
        /// The content of the rows besides the fields of events.
        columns: PageColumns,
    },
    /// Reads the contents of a row.
    Detail {
        /// The row to read.
        row: LogRow,
        /// Offset of the first byte of the hex window.
        hex_start: u64,
        /// The part of the event's aggregate that is read.
        aggregate: AggregatePart,
    },
    /// Resolves a jump to the offset of a row.
    ResolveJump(JumpTarget),
    /// Finds the next row that matches a pattern.
    FindMatch {
        /// The pattern to search for.
        pattern: SearchPattern,
        /// The filter that selects the rows to search.
        filter: Filter,
        /// Hits of the search counted so far.
        hits: Option<Hits>,
        /// Offset to search from.
        from: u64,
        /// Direction to search in.
        direction: Direction,
    },
    /// Searches a further slice of the log for hits.
    ExtendHits {
        /// Hits counted so far.
        hits: Hits,
        /// Size of the slice.
        slice_bytes: u64,
        /// Whether the read rate is limited.
        priority: ReadPriority,
    },
    /// Finds the next damage by reading the log.
    FindDamage {
        /// Offset to search from.
        from: u64,
        /// Direction to search in.
        direction: Direction,
    },
    /// Reads the times of the first and the last event.
    EventTimes,
    /// Lists the names in a folder, given as it was typed, with the separator at its end.
    ListFolder(String),
    /// Reads rows of the table of aggregates.
    Aggregates {
        /// The rows of the table, and their order.
        selection: AggregateSelection,
        /// Position of the first row.
        from: usize,
        /// Number of rows to read.
        rows: usize,
    },
    /// Reads rows of the table of segments.
    Segments(SegmentRequest),
    /// Counts events in groups.
    Statistics(StatisticsRequest),
    /// Counts events in intervals of time.
    Timeline(TimelineRequest),
    /// Writes the events that a filter shows to a new file.
    Export(ExportRequest),
    /// Copies the latest event of each aggregate that a filter shows into a new log at the path.
    Compact(CompactRequest),
    /// Writes the report about the log.
    Report(ReportRequest),
    /// Reads the state of the last run.
    LoadSession,
    /// Prepares the folder of the state, and claims the hints of the first start when they are wanted.
    PrepareSession(FirstHints),
    /// Writes the state of this run, as a document.
    SaveSession(Vec<u8>),
    /// Compares the log with the backup at a path.
    Compare(PathBuf),
    /// Reads the contents of the log and of a backup at a difference.
    BothSides {
        /// The path of the backup.
        path: PathBuf,
        /// The difference.
        difference: Box<LogDifference>,
    },
    /// Appends events to the log.
    Append(AppendRequest),
    /// Builds the index and saves it.
    SaveIndex(IndexBuildMode),
    /// Reads the repair history.
    RepairHistory,
    /// Makes the plan of a repair or an undo. Nothing is written.
    Plan(PlanRequest),
    /// Reads the bytes of a part of a plan before and after the repair.
    PlanBytes {
        /// The plan.
        plan: Box<Plan>,
        /// The part of the plan.
        source: PlanRowSource,
    },
    /// Applies a plan exactly as it was shown.
    Apply(Box<Plan>),
    /// Plans to remove, restore or delete segments. Nothing is written.
    PlanSegmentChange(SegmentChangeRequest),
    /// Removes, restores or deletes exactly the segments that were shown.
    ChangeSegments(Box<SegmentChange>),
}

/// The content of the rows of a page besides the fields of events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PageColumns {
    /// The parts of each payload.
    pub(crate) excerpt: ExcerptRequest,
    /// Whether events are numbered.
    pub(crate) numbers: EventNumbers,
}

/// Whether the events of a page are numbered, which may read up to 8 MiB of the log before them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EventNumbers {
    /// Events have no numbers.
    #[default]
    Absent,
    /// Each event has its number in the log, where it can be found.
    Counted,
}

/// The part of an event's aggregate that is read together with the details of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AggregatePart {
    /// Nothing.
    Nothing,
    /// The events of the aggregate around the event, with their differences.
    History,
    /// The state of the aggregate after the event.
    State,
}

/// Whether a read is limited to the rate of the background scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadPriority {
    /// No request waits for the result: the read is limited to the rate of the background scan.
    Background,
    /// A request of the user waits for the result: the read is not limited.
    Interactive,
}

/// An aggregate of the index, with the times of its first and its last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AggregateRow {
    /// The id, the number of events, and the offsets of the first and the last event.
    pub(crate) summary: AggregateSummary,
    /// `write_timestamp_ms` of the first event; `None` when the log has no valid event there.
    pub(crate) first_time_ms: Option<u64>,
    /// `write_timestamp_ms` of the last event; `None` when the log has no valid event there.
    pub(crate) last_time_ms: Option<u64>,
}

/// The rows of the table of aggregates, and their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AggregateSelection {
    /// The sort order.
    pub(crate) sort: AggregateSort,
    /// The first digits of the ids.
    pub(crate) prefix: IdPrefix,
}

/// The sort order of the table of aggregates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AggregateSort {
    /// By id, ascending.
    #[default]
    Id,
    /// By number of events, descending.
    Events,
    /// By offset of the first event, ascending.
    First,
    /// By offset of the last event, descending.
    Last,
}

impl AggregateSort {
    /// Returns the mark of the column by which the table is sorted: it points up when values ascend.
    pub(crate) const fn mark(self) -> &'static str {
        match self {
            Self::Id | Self::First => "▲",
            Self::Events | Self::Last => "▼",
        }
    }

    /// Returns the order that follows this one when the user cycles through them.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Id => Self::Events,
            Self::Events => Self::First,
            Self::First => Self::Last,
            Self::Last => Self::Id,
        }
    }
}

/// A request to write events to a new file.
#[derive(Debug, Clone)]
pub(crate) struct ExportRequest {
    /// The path of the file.
    pub(crate) path: PathBuf,
    /// The format of the file.
    pub(crate) format: ExportFileFormat,
    /// The filter that selects the events.
    pub(crate) filter: Filter,
}

/// A request to copy the latest event of each aggregate into a new log.
#[derive(Debug, Clone)]
pub(crate) struct CompactRequest {
    /// The path of the new log.
    pub(crate) path: PathBuf,
    /// The filter that selects the events.
    pub(crate) filter: Filter,
}

/// A request to write the report about the log.
#[derive(Debug, Clone)]
pub(crate) struct ReportRequest {
    /// The path of the page.
    pub(crate) path: PathBuf,
    /// Whether a file with this name is replaced.
    pub(crate) existing: ExistingFile,
}

/// A request to append one event a number of times.
#[derive(Debug, Clone)]
pub(crate) struct AppendRequest {
    /// The event to append.
    pub(crate) event: Box<Event>,
    /// Whether each append waits for the data to reach the disk.
    pub(crate) durability: Durability,
    /// How many times the event is appended.
    pub(crate) count: u32,
}

/// Whether the hints of the first start are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FirstHints {
    /// They are not shown.
    #[default]
    Hidden,
    /// They are shown until the next key.
    Shown,
}

/// How much of an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexBuildMode {
    /// The index is extended by the part of the log that it does not cover yet.
    Incremental,
    /// The index is built from the whole log.
    Full,
}
