//! What happens to the model: keys and the mouse, answers and news from the workers, signals. Plain data.

use std::path::PathBuf;
use std::time::Duration;

use super::effect::{IndexBuildMode, WorkerKind};
use super::keys::Key;
use super::model::{LogInfo, LogUnavailable, PlanPreview, RowContents};
use crate::index::AggregateSummary;
use crate::query::{Hits, RowPage};
use crate::repair::{AppliedRepair, ProposedFix, RepairRecord, RepairState};

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key, and when it was typed.
    Key(Key, SessionTime),
    /// Text was pasted.
    Paste(String),
    /// The left button was pressed at a column and a line.
    Click(u16, u16),
    /// The wheel was turned at a column and a line, down or up.
    Wheel(u16, u16, WheelDirection),
    /// The terminal has this many columns and lines.
    Resize(u16, u16),
    /// A worker answers what it was asked.
    Response(WorkerKind, u64, Response),
    /// Something has become known without being asked for.
    Background(BackgroundUpdate),
    /// The screen was drawn.
    Drawn(SessionTime),
    /// A signal asks to suspend.
    Suspend,
    /// A signal asks to quit, or nobody is there any more.
    Quit,
}

/// Time since the screen was opened. Keys carry it, so that a question takes none that was typed before it was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionTime(pub(crate) Duration);

/// A turn of the wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WheelDirection {
    /// Towards the end.
    Down,
    /// Towards the start.
    Up,
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Response {
    /// It is being worked on: so many bytes of so many.
    Progress(u64, u64),
    /// Rows around a place, with the one the cursor belongs on.
    RowWindow(RowPage, u64),
    /// Further rows.
    MoreRows(RowPage),
    /// What stands in a row.
    Detail(Box<RowContents>),
    /// Hits, with what a slice more of the log had.
    Hits(Box<Hits>),
    /// An offset to go to; none when nothing matches.
    JumpTarget(Option<u64>),
    /// The last row, for a jump that leads behind it, in words.
    JumpPastEnd(u64, String),
    /// Lines of the table of aggregates, of so many.
    Aggregates {
        /// The first line.
        from: usize,
        /// The lines.
        rows: Vec<AggregateSummary>,
        /// How many there are.
        total: usize,
        /// There are more than can be sorted.
        over_limit: bool,
    },
    /// There is no index yet to take aggregates from.
    NoIndex,
    /// Events were appended.
    Appended(Box<AppendResult>),
    /// The index was saved.
    IndexSaved(Box<IndexSaveResult>),
    /// The medical record, and a notice for each file in its folder that is no journal of this log.
    RepairHistory(Vec<RepairRecord>, Vec<String>),
    /// A plan was made.
    Planned(Box<PlanPreview>),
    /// A plan was carried out.
    Repaired(Box<RepairResult>),
    /// It went wrong.
    Failed(RequestFailure),
}

/// What appending has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AppendResult {
    /// Offset of the first event.
    pub(crate) first_offset: u64,
    /// Offset of the last event.
    pub(crate) last_offset: u64,
    /// Bytes they take.
    pub(crate) bytes: u64,
    /// Each was on stable storage when its time was up.
    pub(crate) synced: bool,
    /// The time each took.
    pub(crate) latencies: Vec<Duration>,
    /// What opening has done, in words: a killed repair recovered, an unfinished end set aside.
    pub(crate) recovery_notes: Vec<String>,
    /// Why it ended early.
    pub(crate) stop_reason: Option<String>,
}

/// What saving the index has done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexSaveResult {
    /// Where.
    pub(crate) path: PathBuf,
    /// How much was built.
    pub(crate) mode: IndexBuildMode,
    /// The state's word and the events covered, before.
    pub(crate) before: (&'static str, Option<u64>),
    /// The same, after.
    pub(crate) after: (&'static str, Option<u64>),
    /// How far the log was verified by that, from its start.
    pub(crate) verified_to: u64,
    /// The time it took.
    pub(crate) elapsed: Duration,
}

/// What a repair, or an undo, has done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RepairResult {
    /// Its number and its journal.
    pub(crate) applied: AppliedRepair,
    /// What became first of a repair that was killed before, in words.
    pub(crate) recovery_note: Option<String>,
    /// The repair that it took back.
    pub(crate) undoes: Option<u32>,
    /// The log as it is now.
    pub(crate) log_info: LogInfo,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestFailure {
    /// It was stopped on purpose.
    Cancelled,
    /// Words for the user.
    Error(String),
}

/// News.
#[derive(Debug)]
pub(crate) enum BackgroundUpdate {
    /// What is known about the log has changed.
    LogInfo(Box<LogInfo>),
    /// The log at this path is another one now, or was cut.
    LogChanged(Box<LogInfo>, LogChange),
    /// What the log's name belongs to now is no log.
    LogUnavailable(LogUnavailable),
    /// A repair that was killed was ended, as said in words, and nothing else was done.
    RepairRecovered(Box<LogInfo>, String),
    /// The scan has come to an offset, of an end.
    ScanProgress {
        /// Where it started this time.
        from: u64,
        /// Where it is.
        at: u64,
        /// Where it will end.
        end: u64,
    },
    /// What the scan behind knows of events, up to an offset.
    EventCount(u64),
    /// The scan has found something, and knows what can be done about it.
    Finding(Box<ProposedFix>),
    /// The scan is about to look at everything from an offset on again.
    RescanFrom(u64),
    /// The scan has come to the end.
    ScanDone,
    /// The scan was stopped.
    ScanStopped,
    /// The scan could not go on.
    ScanFailed(String),
    /// An index to look aggregates up in is there.
    IndexReady,
}

/// How a log has changed other than by growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogChange {
    /// It has lost its end; it had this many bytes.
    Shrunk(u64),
    /// Another file bears its name.
    Replaced,
    /// Other bytes stand in it than those that were shown.
    Overwritten,
    /// Another process has repaired it.
    Repaired {
        /// The repair's number.
        number: u32,
        /// The repair that it took back.
        undoes: Option<u32>,
        /// How far it has come.
        state: RepairState,
    },
    /// Its name belonged to no log for a while.
    Reappeared,
}
