//! What happens to the model: keys and the mouse, answers and news from the workers, signals. Plain data.

use std::path::PathBuf;
use std::time::Duration;

use super::effect::{Extent, Lane};
use super::keys::Key;
use super::model::{Contents, Facts, Lost, Offer};
use crate::index::AggregateSummary;
use crate::query::{Hits, Page};
use crate::repair::{Applied, Proposed, Record, RecordState};

/// Something happened.
#[derive(Debug)]
pub(crate) enum Message {
    /// A key, and when it was typed.
    Key(Key, Moment),
    /// Text was pasted.
    Paste(String),
    /// The left button was pressed at a column and a line.
    Click(u16, u16),
    /// The wheel was turned at a column and a line, down or up.
    Wheel(u16, u16, Turn),
    /// The terminal has this many columns and lines.
    Resize(u16, u16),
    /// A worker answers what it was asked.
    Answer(Lane, u64, Told),
    /// Something has become known without being asked for.
    News(News),
    /// The screen was drawn.
    Drawn(Moment),
    /// A signal asks to suspend.
    Suspend,
    /// A signal asks to quit, or nobody is there any more.
    Quit,
}

/// Time since the screen was opened. Keys carry it, so that a question takes none that was typed before it was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) Duration);

/// A turn of the wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Towards the end.
    Down,
    /// Towards the start.
    Up,
}

/// An answer.
#[derive(Debug)]
pub(crate) enum Told {
    /// It is being worked on: so many bytes of so many.
    Progress(u64, u64),
    /// Rows around a place, with the one the cursor belongs on.
    Window(Page, u64),
    /// Further rows.
    More(Page),
    /// What stands in a row.
    Detail(Box<Contents>),
    /// Hits, with what a slice more of the log had.
    Hits(Box<Hits>),
    /// An offset to go to; none when nothing matches.
    Place(Option<u64>),
    /// The last row, for a jump that leads behind it, in words.
    Beyond(u64, String),
    /// Lines of the table of aggregates, of so many.
    Aggregates {
        /// The first line.
        from: usize,
        /// The lines.
        rows: Vec<AggregateSummary>,
        /// How many there are.
        total: usize,
        /// There are more than can be sorted.
        cut: bool,
    },
    /// There is no index yet to take aggregates from.
    NoIndex,
    /// Events were appended.
    Appended(Box<Appended>),
    /// The index was saved.
    Saved(Box<Saved>),
    /// The medical record, and a notice for each file in its folder that is no journal of this log.
    Records(Vec<Record>, Vec<String>),
    /// A plan was made.
    Planned(Box<Offer>),
    /// A plan was carried out.
    Repaired(Box<Repaired>),
    /// It went wrong.
    Failed(Failure),
}

/// What appending has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Appended {
    /// Offset of the first event.
    pub(crate) first: u64,
    /// Offset of the last event.
    pub(crate) last: u64,
    /// Bytes they take.
    pub(crate) bytes: u64,
    /// Each was on stable storage when its time was up.
    pub(crate) synced: bool,
    /// The time each took.
    pub(crate) times: Vec<Duration>,
    /// What opening has done, in words: a killed repair recovered, an unfinished end set aside.
    pub(crate) opened: Vec<String>,
    /// Why it ended early.
    pub(crate) stopped: Option<String>,
}

/// What saving the index has done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Saved {
    /// Where.
    pub(crate) path: PathBuf,
    /// How much was built.
    pub(crate) extent: Extent,
    /// The state's word and the events covered, before.
    pub(crate) before: (&'static str, Option<u64>),
    /// The same, after.
    pub(crate) after: (&'static str, Option<u64>),
    /// How far the log was verified by that, from its start.
    pub(crate) verified_to: u64,
    /// The time it took.
    pub(crate) took: Duration,
}

/// What a repair, or an undo, has done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Repaired {
    /// Its number and its journal.
    pub(crate) applied: Applied,
    /// What became first of a repair that was killed before, in words.
    pub(crate) recovered: Option<String>,
    /// The repair that it took back.
    pub(crate) undoes: Option<u32>,
    /// The log as it is now.
    pub(crate) facts: Facts,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was stopped on purpose.
    Stopped,
    /// Words for the user.
    Error(String),
}

/// News.
#[derive(Debug)]
pub(crate) enum News {
    /// What is known about the log has changed.
    Facts(Box<Facts>),
    /// The log at this path is another one now, or was cut.
    Changed(Box<Facts>, Change),
    /// What the log's name belongs to now is no log.
    Lost(Lost),
    /// A repair that was killed was ended, as said in words, and nothing else was done.
    Recovered(Box<Facts>, String),
    /// The scan has come to an offset, of an end.
    Scanned {
        /// Where it started this time.
        from: u64,
        /// Where it is.
        at: u64,
        /// Where it will end.
        end: u64,
    },
    /// What the scan behind knows of events, up to an offset.
    Counted(u64),
    /// The scan has found something, and knows what can be done about it.
    Found(Box<Proposed>),
    /// The scan is about to look at everything from an offset on again.
    Rescan(u64),
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
pub(crate) enum Change {
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
        state: RecordState,
    },
    /// Its name belonged to no log for a while.
    Back,
}
