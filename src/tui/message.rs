//! Inputs of `update`, as plain data: keys, mouse events, signals, responses of the workers, and background updates.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ratatui::layout::{Position, Size};

use super::keys::Key;
use super::model::{
    BackupComparison, BothSides, FolderListing, LoadedSession, LogInfo, LogUnavailable, PlanPreview, RowContents,
    StatisticsResult,
};
use super::request::{AggregateRow, FirstHints, IndexBuildMode, SegmentChange, SegmentPage, WorkerKind};
use super::session_time::SessionTime;
use crate::SegmentRemoval;
use crate::file::Durability;
use crate::index::IndexState;
use crate::query::{EventTimes, Hits, KnownNames, RowPage, Timeline};
use crate::repair::{AppliedRepair, BytesPreview, ProposedFix, RepairRecord, RepairState};
use crate::report::PlanWords;

/// An input of `update`.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key was pressed at this time.
    Key(Key, SessionTime),
    /// Text was pasted into the terminal.
    Paste(String),
    /// The left mouse button was pressed.
    Click(Position),
    /// The mouse wheel was turned.
    Wheel(Position, WheelDirection),
    /// The terminal was resized.
    Resize(Size),
    /// A worker responded to a request.
    Response {
        /// The worker that responded.
        worker: WorkerKind,
        /// The generation of the request.
        generation: u64,
        /// The content of the response.
        response: Response,
    },
    /// A thread reports a change that was not requested.
    Background(BackgroundUpdate),
    /// The screen was drawn at this time.
    Drawn(SessionTime),
    /// A copied text was written to a file, or could not be.
    CopySaved(CopySaveResult),
    /// A picture of the screen was written to a file, or could not be.
    ScreenshotSaved {
        /// Path of the file.
        path: PathBuf,
        /// Why it could not be written.
        result: Result<(), String>,
    },
    /// Time has passed, which the screen shows: the rate of growth.
    Tick,
    /// A signal asks the process to suspend.
    Suspend,
    /// A signal asks the process to quit, or the terminal was closed.
    Quit,
}

/// The result of writing a copied text to a file.
#[derive(Debug)]
pub(crate) enum CopySaveResult {
    /// The text is in this file.
    Saved(PathBuf),
    /// The text could not be written, for this reason.
    Failed(String),
}

/// The direction of a turn of the mouse wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WheelDirection {
    /// Towards the end of the list.
    Down,
    /// Towards the start of the list.
    Up,
}

/// A worker's response to a request.
#[derive(Debug)]
pub(crate) enum Response {
    /// The request is still in progress. The units are bytes, or events for an append.
    Progress {
        /// Number of units done so far.
        done: u64,
        /// Number of units in total.
        total: u64,
    },
    /// A window of rows that replaces the current one.
    RowWindow {
        /// The rows of the new window.
        page: RowPage,
        /// Offset that the cursor is moved to.
        cursor_offset: u64,
    },
    /// Rows that extend the current window.
    MoreRows(RowPage),
    /// The contents of a row.
    Detail(Box<RowContents>),
    /// Hits, extended by one slice of the log.
    Hits(Box<Hits>),
    /// The offset of the row that a jump, a search or a search for damage leads to.
    JumpTarget(u64),
    /// The search has reached an end of the log, and continued at the other end to the row at this offset.
    WrappedMatch(u64),
    /// No row matches the search.
    NoMatch,
    /// The times of the first and the last event; `None` when the log has no events at its ends.
    EventTimes(Option<EventTimes>),
    /// The names in a folder were read.
    FolderListing(FolderListing),
    /// There is no further damage.
    NoDamage,
    /// A jump leads past the end of the log, or before its start.
    JumpOutside {
        /// Offset of the row that is nearest.
        nearest_row: u64,
        /// Message for the user.
        message: String,
    },
    /// Rows of the table of aggregates.
    Aggregates {
        /// Position of the first row.
        from: usize,
        /// The rows, in the requested order.
        rows: Vec<AggregateRow>,
        /// Number of rows in the table.
        total: usize,
        /// Number of rows without the filter by id.
        unfiltered_total: usize,
        /// Position of the aggregate whose id was typed in full, among the rows of the table.
        exact: Option<usize>,
        /// Whether the index holds more aggregates than the table can sort.
        over_limit: bool,
    },
    /// Rows of the table of segments.
    Segments(Box<SegmentPage>),
    /// There is no index to read aggregates from.
    NoIndex,
    /// Events were counted in groups.
    Statistics(Box<StatisticsResult>),
    /// Events were counted in intervals of time.
    Timeline(Arc<Timeline>),
    /// Events were written to a new file.
    Exported(Box<ExportResult>),
    /// The file of an export cannot be created.
    ExportRefused {
        /// The path as it was typed.
        path: PathBuf,
        /// Why, and what to do next.
        reason: String,
    },
    /// The latest events were copied into a new log.
    Compacted(Box<CompactResult>),
    /// The report was written.
    Reported(Box<ReportResult>),
    /// The page of a report cannot be created.
    ReportRefused {
        /// The path as it was typed.
        path: PathBuf,
        /// Why, and what to do next.
        reason: String,
    },
    /// The state of the last run was read.
    SessionLoaded(Box<LoadedSession>),
    /// The folder of the state is prepared.
    SessionPrepared(SessionPreparation),
    /// The state of this run was written, or could not be for this reason.
    SessionSaved(Result<(), String>),
    /// The log was compared with a backup.
    Compared(Box<BackupComparison>),
    /// The contents of the log and of a backup at a difference were read.
    BothSides(Box<BothSides>),
    /// Events were appended to the log.
    Appended(Box<AppendResult>),
    /// The index was saved to its file.
    IndexSaved(Box<IndexSaveResult>),
    /// The repair history was read.
    RepairHistory {
        /// The repairs, oldest first.
        records: Vec<RepairRecord>,
        /// The removals of segments, oldest first.
        removals: Vec<SegmentRemoval>,
        /// One message for each file in the journal folder that is not a journal of this log, and for each record of removed
        /// segments that is not used.
        notices: Vec<String>,
    },
    /// A plan of a repair or an undo was made.
    Planned(Box<PlanPreview>),
    /// The bytes of a part of a plan, or why they could not be read.
    PlanBytes(Result<Vec<BytesPreview>, String>),
    /// A plan was applied to the log.
    Repaired(Box<RepairResult>),
    /// A change of the segments was planned.
    SegmentChangePlanned(Box<SegmentChange>),
    /// Segments were removed, restored or deleted.
    SegmentsChanged(Box<SegmentsChanged>),
    /// The request failed or was cancelled.
    Failed(RequestFailure),
}

/// The result of removing, restoring or deleting segments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SegmentsChanged {
    /// What was done.
    pub(crate) change: SegmentChange,
    /// One message for each recovery made when the log was opened.
    pub(crate) recovery_notes: Vec<String>,
    /// The properties of the log afterwards.
    pub(crate) log_info: LogInfo,
}

/// The result of a copy of the latest events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompactResult {
    /// The absolute path of the new log.
    pub(crate) path: PathBuf,
    /// What was copied, dropped and left out, in one line.
    pub(crate) summary: String,
}

/// The result of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportResult {
    /// The absolute path of the page.
    pub(crate) path: PathBuf,
    /// Size of the page.
    pub(crate) bytes: u64,
    /// The verdict of the report about the log, in one line.
    pub(crate) summary: String,
}

/// The result of preparing the folder for the state that is kept between runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionPreparation {
    /// Whether this run shows the hints of the first start.
    pub(crate) hints: FirstHints,
    /// Why the folder cannot be written.
    pub(crate) problem: Option<String>,
}

/// The result of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportResult {
    /// The absolute path of the file.
    pub(crate) path: PathBuf,
    /// Size of the file.
    pub(crate) bytes: u64,
    /// Number of events in the file.
    pub(crate) events: u64,
    /// Number of damaged ranges between the events, which are not in the file.
    pub(crate) damage: u64,
}

/// The result of an append.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AppendResult {
    /// Offset of the first event.
    pub(crate) first_offset: u64,
    /// Offset of the last event.
    pub(crate) last_offset: u64,
    /// Bytes that the events take in the log.
    pub(crate) bytes: u64,
    /// Whether each append waited for the data to reach the disk.
    pub(crate) durability: Durability,
    /// Time that each append took.
    pub(crate) latencies: Vec<Duration>,
    /// One message for each recovery made when the log was opened: a killed repair was completed or rolled back, an
    /// unfinished tail was set aside.
    pub(crate) recovery_notes: Vec<String>,
    /// Why fewer events were appended than requested.
    pub(crate) stop_reason: Option<String>,
}

/// The result of saving the index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexSaveResult {
    /// How much of the index was built.
    pub(crate) mode: IndexBuildMode,
    /// The state of the index file before the build.
    pub(crate) before: IndexSummary,
    /// The state of the index file after it was saved.
    pub(crate) after: IndexSummary,
    /// End of the range from the log's start that the build verified, in bytes; 0 when it verified nothing.
    pub(crate) verified_to: u64,
    /// Time that building and saving took.
    pub(crate) elapsed: Duration,
}

/// The state of an index file, for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexSummary {
    /// The state.
    pub(crate) state: IndexState,
    /// Number of events that the index file covers, when it can be trusted.
    pub(crate) events: Option<u64>,
}

/// The result of a repair or an undo.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RepairResult {
    /// The number and the journal of the repair.
    pub(crate) applied: AppliedRepair,
    /// How an earlier, killed repair was completed or rolled back first.
    pub(crate) recovery_note: Option<String>,
    /// Number of the repair that this one undoes.
    pub(crate) undoes: Option<u32>,
    /// The words for what was done.
    pub(crate) words: PlanWords,
    /// The properties of the log after the repair.
    pub(crate) log_info: LogInfo,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestFailure {
    /// The request was cancelled.
    Cancelled,
    /// The request failed with this message.
    Error(String),
}

/// A change reported by the scan, the log watcher or a worker without a request.
#[derive(Debug)]
pub(crate) enum BackgroundUpdate {
    /// The log has grown, or other properties of it have changed.
    LogInfo(Box<LogInfo>),
    /// The log was replaced, cut, overwritten or repaired.
    LogChanged(Box<LogInfo>, LogChange),
    /// The path no longer leads to a log.
    LogUnavailable(LogUnavailable),
    /// A killed repair was completed or rolled back, as the message reports, and the requested plan was not applied.
    RepairRecovered(Box<LogInfo>, String),
    /// The scan has read a range.
    ScanProgress {
        /// Start of the range.
        from: u64,
        /// End of the range, which is the scan's new position.
        to: u64,
        /// Offset at which the scan ends.
        end: u64,
    },
    /// Number of events that the scan has counted so far.
    EventCount(u64),
    /// The scan has counted the events before the start of a segment.
    EventsBefore {
        /// The start of the segment.
        offset: u64,
        /// The number of events before it.
        events: u64,
    },
    /// The scan has found damage, a gap or a clock anomaly, and has searched for a fix.
    Finding(Box<ProposedFix>),
    /// The scan is about to read the log again from an offset on. Its earlier results from that offset on are obsolete.
    RescanFrom(u64),
    /// The scan has reached the end of the log.
    ScanDone,
    /// The scan was stopped.
    ScanStopped,
    /// The scan failed with this message.
    ScanFailed(String),
    /// A new in-memory index is ready, so that aggregates can be looked up. It knows these names.
    IndexReady(Arc<KnownNames>),
}

/// How a log has changed other than by growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogChange {
    /// The file was cut to a smaller size. It had this many bytes before.
    Shrunk(u64),
    /// The path leads to another file.
    Replaced,
    /// The file holds other bytes than before.
    Overwritten,
    /// The file was written and has not grown, so any of its bytes may have changed.
    Written,
    /// Another process has repaired the log.
    Repaired {
        /// Number of the repair.
        number: u32,
        /// Number of the repair that it undoes.
        undoes: Option<u32>,
        /// State of the repair.
        state: RepairState,
    },
    /// The path leads to a log again, after an interval in which it did not.
    Reappeared,
    /// Segments at the front were removed. The log starts at this offset now.
    SegmentsRemoved(u64),
    /// Removed segments were restored. The log starts at this offset now.
    SegmentsRestored(u64),
    /// Files of sealed segments were moved into the folder of the log, or out of it.
    SegmentFilesChanged,
}
