//! What an update wishes the world to do: questions to the workers, and what only the loop can do. Plain data.

use std::ops::Range;

use super::model::{AggregateSort, DetailView, PlanRequest};
use crate::file::Durability;
use crate::format::Event;
use crate::query::{Direction, Filter, Hits, JumpTarget, LogRow, SearchPattern};
use crate::repair::Plan;

/// A wish.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// A question to a worker. What it asked before in that lane is not wanted any more.
    Request(WorkerKind, u64, Box<Request>),
    /// What was asked in a lane is not wanted any more.
    Cancel(WorkerKind),
    /// The scan behind the screen stops.
    StopScan,
    /// The scan behind the screen goes on.
    StartScan,
    /// The scan behind the screen looks at damage that was met here.
    RescanRange(Range<u64>),
    /// What the scan knows no longer holds: it starts anew.
    RestartScan,
    /// A text for the clipboard.
    CopyToClipboard(String),
    /// The mouse is listened to, or left to the terminal.
    SetMouseCapture(bool),
    /// The terminal goes back to the shell until it calls again.
    Suspend,
    /// The end.
    Quit,
}

/// A worker of its own for each kind of question, so that none waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerKind {
    /// Rows of the events pane.
    List,
    /// What the detail pane shows.
    Detail,
    /// Goto, search, next damage.
    Jump,
    /// Where the rows stand that are shown, and those that are searched.
    Hits,
    /// The table of aggregates.
    Aggregates,
    /// The medical record.
    Repairs,
    /// Whatever writes.
    Write,
}

impl WorkerKind {
    /// Every lane.
    pub(crate) const ALL: [Self; 7] =
        [Self::List, Self::Detail, Self::Jump, Self::Hits, Self::Aggregates, Self::Repairs, Self::Write];
}

/// A question.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    /// Rows around an offset.
    RowsAround {
        /// Where the cursor is to be.
        offset: u64,
        /// Rows before it, and from it on.
        rows: (usize, usize),
        /// What is shown.
        filter: Filter,
        /// Where they stand, as far as that is known.
        hits: Option<Hits>,
    },
    /// The rows that end the log.
    LastRows {
        /// How many.
        rows: usize,
        /// What is shown.
        filter: Filter,
        /// Where they stand, as far as that is known.
        hits: Option<Hits>,
    },
    /// Further rows.
    MoreRows {
        /// Where those that are there end, or start.
        from: u64,
        /// Which way.
        direction: Direction,
        /// How many.
        rows: usize,
        /// What is shown.
        filter: Filter,
        /// Where they stand, as far as that is known.
        hits: Option<Hits>,
    },
    /// What stands in a row.
    Detail {
        /// The row.
        row: LogRow,
        /// The first byte of the hex window.
        base: u64,
        /// As what it is shown.
        view: DetailView,
    },
    /// The place a jump leads to.
    ResolveJump(JumpTarget),
    /// The next row that matches.
    FindMatch {
        /// What.
        pattern: SearchPattern,
        /// Among what.
        filter: Filter,
        /// Where they stand, as far as that is known.
        hits: Option<Hits>,
        /// From where.
        from: u64,
        /// Which way.
        direction: Direction,
    },
    /// A slice more of the log for hits.
    ExtendHits {
        /// Those that are known.
        hits: Hits,
        /// Bytes of the log to read before the answer.
        slice_bytes: u64,
        /// Whether it has time.
        priority: ReadPriority,
    },
    /// The next damage, looked for in the log itself.
    FindDamage {
        /// From where.
        from: u64,
        /// Which way.
        direction: Direction,
    },
    /// Lines of the table of aggregates.
    Aggregates {
        /// Its order.
        sort: AggregateSort,
        /// The first line.
        from: usize,
        /// How many.
        rows: usize,
    },
    /// Events to append.
    Append(AppendRequest),
    /// The index caught up, or built whole, and saved.
    SaveIndex(IndexBuildMode),
    /// The medical record.
    RepairHistory,
    /// A plan: nothing is written.
    Plan(PlanRequest),
    /// A plan carried out, exactly.
    Apply(Box<Plan>),
}

/// Whether a reading has time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadPriority {
    /// Nobody waits for it: it is done behind, no faster than the scan.
    Background,
    /// Somebody waits.
    Interactive,
}

/// Events to append.
#[derive(Debug, Clone)]
pub(crate) struct AppendRequest {
    /// The event.
    pub(crate) event: Box<Event>,
    /// What is waited for.
    pub(crate) durability: Durability,
    /// How many times.
    pub(crate) count: u32,
}

/// How much of an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexBuildMode {
    /// What it has not seen.
    Incremental,
    /// All of it.
    Full,
}
