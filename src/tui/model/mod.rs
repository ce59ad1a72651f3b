//! Everything the screen is drawn from, and nothing that touches a terminal, a file or a clock.

mod detail;
mod facts;
mod fixes;
mod form;
mod gather;
mod json;
mod layers;
mod line;
mod list;
mod repairs;
mod scan;
mod sheet;
mod tables;

use std::collections::VecDeque;

pub(crate) use detail::{Asked, Chapter, Contents, Detail, Difference, Entry, FrameFacts, Mark, Story, View, WINDOW};
pub(crate) use facts::{Facts, IndexFacts, Lost};
pub(crate) use fixes::fix_lines;
pub(crate) use form::{Field, Form, histogram};
pub(crate) use gather::{Gather, Gathering, Gathers, SLICE};
pub(crate) use json::{JsonDoc, Shown, leaves};
pub(crate) use layers::{Choice, Help, Layer, Prompt, Purpose, Question, Then};
pub(crate) use line::Line;
pub(crate) use list::{BATCH, List, Waiting};
pub(crate) use repairs::{Offer, Repairs, Undecided, Wanted};
pub(crate) use scan::{Scan, ScanState};
pub(crate) use sheet::{LABEL, SheetLine, Tone, pieces, sheet};
pub(crate) use tables::{Aggregates, Cursor, Sort, Source};

use super::effect::{Effect, Lane};
use super::message::Moment;
use super::theme::Theme;
use crate::format::Kind;
use crate::index::Verified;
use crate::query::{Filter, Pattern};
use crate::report::units::{Zone, day};

/// The tabs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Tab {
    /// The log.
    #[default]
    Events,
    /// Each aggregate.
    Aggregates,
    /// What the scan has found.
    Findings,
    /// The index.
    Index,
    /// The medical record.
    Repairs,
}

impl Tab {
    /// Every tab with its name.
    pub(crate) const ALL: [(Self, &'static str); 5] = [
        (Self::Events, "Events"),
        (Self::Aggregates, "Aggregates"),
        (Self::Findings, "Findings"),
        (Self::Index, "Index"),
        (Self::Repairs, "Repairs"),
    ];
}

/// The panes that can have the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// The tab's own.
    #[default]
    Main,
    /// Detail.
    Detail,
    /// The findings below the events, where there is room.
    Findings,
}

/// How a pane stands to the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Zoom {
    /// Beside the others.
    #[default]
    Out,
    /// Alone.
    In,
}

/// Whether the end of the log is followed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Follow {
    /// It is not.
    #[default]
    No,
    /// It is.
    Yes,
}

/// Whether anything may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// It may.
    ReadWrite,
    /// `--read-only`
    ReadOnly,
}

/// Whether somebody has agreed to this run writing to the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Not yet.
    #[default]
    Unasked,
    /// Yes.
    Given,
}

/// A line that tells something, in the place of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What is told.
    pub(crate) text: String,
    /// How it is meant.
    pub(crate) tone: Tone,
}

/// A job that the user has started and can stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    /// Who does it.
    pub(crate) lane: Lane,
    /// What it is called.
    pub(crate) name: String,
    /// Done, and in all, in bytes.
    pub(crate) done: (u64, u64),
    /// When it was started.
    pub(crate) started: Moment,
    /// Whether Esc stops it.
    pub(crate) esc: Esc,
}

/// Whether Esc stops a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Esc {
    /// It does.
    Stops,
    /// What has begun is carried through.
    Waits,
}

/// The newest question of each lane. An answer to an older one is dropped.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Generations([u64; Lane::ALL.len()]);

impl Generations {
    /// The generation of the next question; answers to those before it are late.
    pub(crate) fn next(&mut self, lane: Lane) -> u64 {
        let slot = &mut self.0[lane as usize];
        *slot += 1;
        *slot
    }

    /// True for the answer to the newest question.
    pub(crate) fn is_newest(&self, lane: Lane, generation: u64) -> bool {
        self.0[lane as usize] == generation
    }
}

/// What the screen is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    /// Whether anything may be written.
    pub(crate) access: Access,
    /// How the scan starts.
    pub(crate) scan: ScanState,
    /// The colours.
    pub(crate) theme: Theme,
    /// Whether the mouse is listened to.
    pub(crate) mouse: Mouse,
    /// Columns and lines.
    pub(crate) size: (u16, u16),
}

/// Whether the mouse is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mouse {
    /// It is.
    On,
    /// It is the terminal's.
    Off,
}

/// Everything the screen is drawn from.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// The log as a whole.
    pub(crate) facts: Facts,
    /// What its name belongs to while that is no log.
    pub(crate) lost: Option<Lost>,
    /// The scan behind.
    pub(crate) scan: Scan,
    /// The events pane.
    pub(crate) list: List,
    /// The detail pane.
    pub(crate) detail: Detail,
    /// The table of aggregates.
    pub(crate) aggregates: Aggregates,
    /// The cursor in the findings.
    pub(crate) findings: Cursor,
    /// The lines of the index tab.
    pub(crate) index: Cursor,
    /// The medical record.
    pub(crate) repairs: Repairs,
    /// The tab.
    pub(crate) tab: Tab,
    /// The pane that has the keys.
    pub(crate) focus: Pane,
    /// Whether it is alone.
    pub(crate) zoom: Zoom,
    /// Whether the end is followed.
    pub(crate) follow: Follow,
    /// What lies over the screen, the top one last.
    pub(crate) layers: Vec<Layer>,
    /// The append form, kept while it is closed.
    pub(crate) form: Form,
    /// What is searched, as typed and as understood.
    pub(crate) search: Option<(String, Pattern)>,
    /// Hits of the filter and the search.
    pub(crate) gathers: Gathers,
    /// What was last told.
    pub(crate) notice: Option<Notice>,
    /// The jobs that are running.
    pub(crate) jobs: Vec<Job>,
    /// Whether anything may be written.
    pub(crate) access: Access,
    /// Whether writing was agreed to.
    pub(crate) consent: Consent,
    /// The colours.
    pub(crate) theme: Theme,
    /// Whether the mouse is listened to.
    pub(crate) mouse: Mouse,
    /// Columns and lines.
    pub(crate) size: (u16, u16),
    /// Time since the epoch in milliseconds, as the loop has set it.
    pub(crate) now_ms: u64,
    /// Time since the screen was opened, likewise.
    pub(crate) now: Moment,
    /// Something on the screen has changed.
    pub(crate) stale: bool,
    /// The newest questions.
    pub(crate) generations: Generations,
    /// What is to be done, in order.
    pub(crate) effects: VecDeque<Effect>,
}

impl Model {
    /// The screen as it opens, before anything is known but the log's facts.
    pub(crate) fn new(facts: Facts, start: Start) -> Self {
        Self {
            facts,
            lost: None,
            scan: Scan::new(start.scan),
            list: List::new(Filter::default()),
            detail: Detail::default(),
            aggregates: Aggregates::default(),
            findings: Cursor::default(),
            index: Cursor::default(),
            repairs: Repairs::default(),
            tab: Tab::default(),
            focus: Pane::default(),
            zoom: Zoom::default(),
            follow: Follow::default(),
            layers: Vec::new(),
            form: Form::default(),
            search: None,
            gathers: Gathers::default(),
            notice: None,
            jobs: Vec::new(),
            access: start.access,
            consent: Consent::default(),
            theme: start.theme,
            mouse: start.mouse,
            size: start.size,
            now_ms: 0,
            now: Moment::default(),
            stale: true,
            generations: Generations::default(),
            effects: VecDeque::new(),
        }
    }

    /// Tells something.
    pub(crate) fn tell(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone: Tone::Plain });
    }

    /// Tells something behind what was told since the last key.
    pub(crate) fn tell_too(&mut self, text: impl AsRef<str>, tone: Tone) {
        let told = self.notice.take().map(|notice| notice.text + "; ").unwrap_or_default();
        self.notice = Some(Notice { text: told + text.as_ref(), tone });
    }

    /// Tells that something is not as it should be.
    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone: Tone::Bad });
    }

    /// Events known so far. Of a log that has lost its end the index counts those that are gone too.
    pub(crate) fn events(&self) -> Option<u64> {
        let file = self.facts.index.file;
        self.scan.events.or_else(|| match file? {
            file if file.covered_to <= self.facts.bytes => Some(file.events),
            file if file.covered_to == file.log_end_offset => file.events.checked_sub(self.events_missing()?),
            _ => None,
        })
    }

    /// Events that a log that has lost its end is known to miss.
    pub(crate) fn events_missing(&self) -> Option<u64> {
        let missing = self.scan.findings.iter().find(|finding| finding.kind == Kind::Truncated);
        missing.and_then(|finding| finding.evidence.events_missing)
    }

    /// That the scan is through and has left out what was verified earlier, in words; `None` where it has not.
    pub(crate) fn left_out(&self) -> Option<String> {
        let left_out = self.scan.is_done() && !self.scan.has_read_all();
        left_out.then(|| match self.facts.index.verified {
            Some(Verified { at_ms, .. }) => {
                format!("verified earlier, on {}, and not read since", day(at_ms, Zone::Utc))
            }
            None => "verified earlier, and not read since".into(),
        })
    }

    /// The job of a lane.
    pub(crate) fn job(&self, lane: Lane) -> Option<&Job> {
        self.jobs.iter().find(|job| job.lane == lane)
    }
}
