//! Everything the screen is drawn from, and nothing that touches a terminal, a file or a clock.

mod detail;
mod detail_lines;
mod fix_preview;
mod form;
mod hit_counter;
mod json;
mod list;
mod log_info;
mod overlays;
mod repairs;
mod scan;
mod tables;
mod text_input;

use std::collections::VecDeque;

pub(crate) use crate::report::{DetailLine, Tone};
pub(crate) use detail::{DetailPane, DetailRequest, DetailView, HEX_WINDOW_BYTES, RowContents};
pub(crate) use detail_lines::{LABEL_WIDTH, wrap_text, wrapped_row_lines};
pub(crate) use fix_preview::fix_preview_lines;
pub(crate) use form::{AppendForm, FormField, latency_histogram};
pub(crate) use hit_counter::{DEFAULT_HIT_SLICE_BYTES, HitCounter, HitCounterState, HitCounters};
pub(crate) use json::{JsonDoc, JsonLineView};
pub(crate) use list::{EventList, ROW_BATCH, RowRequestState};
pub(crate) use log_info::{IndexInfo, LogInfo, LogUnavailable};
pub(crate) use overlays::{ConfirmDialog, ConfirmedAction, DialogButton, HelpOverlay, Overlay, Prompt, PromptPurpose};
pub(crate) use repairs::{PlanPreview, PlanRequest, RepairsPane, UndecidedFinding};
pub(crate) use scan::{ScanProgress, ScanState};
pub(crate) use tables::{AggregateLoadState, AggregateSort, AggregateTable, ListCursor};
pub(crate) use text_input::TextInput;

use super::effect::{Effect, WorkerKind};
use super::message::SessionTime;
use super::theme::Theme;
use crate::format::DamageKind;
use crate::index::VerificationMark;
use crate::query::{Filter, SearchPattern};
use crate::report::units::{DisplayZone, format_date};

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
pub(crate) enum WriteConsent {
    /// Not yet.
    #[default]
    NotAsked,
    /// Yes.
    Granted,
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
pub(crate) struct UserJob {
    /// Who does it.
    pub(crate) worker: WorkerKind,
    /// What it is called.
    pub(crate) name: String,
    /// Done, and in all, in bytes.
    pub(crate) progress: (u64, u64),
    /// When it was started.
    pub(crate) started: SessionTime,
    /// Whether Esc stops it.
    pub(crate) on_esc: EscBehavior,
}

/// Whether Esc stops a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EscBehavior {
    /// It does.
    CancelsJob,
    /// What has begun is carried through.
    Ignored,
}

/// The newest question of each lane. An answer to an older one is dropped.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestGenerations([u64; WorkerKind::ALL.len()]);

impl RequestGenerations {
    /// The generation of the next question; answers to those before it are late.
    pub(crate) fn advance(&mut self, lane: WorkerKind) -> u64 {
        let slot = &mut self.0[lane as usize];
        *slot += 1;
        *slot
    }

    /// True for the answer to the newest question.
    pub(crate) fn is_newest(&self, lane: WorkerKind, generation: u64) -> bool {
        self.0[lane as usize] == generation
    }
}

/// What the screen is started with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelOptions {
    /// Whether anything may be written.
    pub(crate) access: Access,
    /// How the scan starts.
    pub(crate) scan: ScanState,
    /// The colours.
    pub(crate) theme: Theme,
    /// Whether the mouse is listened to.
    pub(crate) mouse: MouseCapture,
    /// Columns and lines.
    pub(crate) size: (u16, u16),
    /// Bytes of the log that the hits worker reads between two updates of the screen.
    pub(crate) hit_slice_bytes: u64,
}

/// Whether the mouse is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MouseCapture {
    /// It is.
    On,
    /// It is the terminal's.
    Off,
}

/// Everything the screen is drawn from.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// The log as a whole.
    pub(crate) log_info: LogInfo,
    /// What its name belongs to while that is no log.
    pub(crate) unavailable: Option<LogUnavailable>,
    /// The scan behind.
    pub(crate) scan: ScanProgress,
    /// The events pane.
    pub(crate) list: EventList,
    /// The detail pane.
    pub(crate) detail: DetailPane,
    /// The table of aggregates.
    pub(crate) aggregates: AggregateTable,
    /// The cursor in the findings.
    pub(crate) findings: ListCursor,
    /// The lines of the index tab.
    pub(crate) index: ListCursor,
    /// The medical record.
    pub(crate) repairs: RepairsPane,
    /// The tab.
    pub(crate) tab: Tab,
    /// The pane that has the keys.
    pub(crate) focus: Pane,
    /// Whether it is alone.
    pub(crate) zoom: Zoom,
    /// Whether the end is followed.
    pub(crate) follow: Follow,
    /// What lies over the screen, the top one last.
    pub(crate) overlays: Vec<Overlay>,
    /// The append form, kept while it is closed.
    pub(crate) form: AppendForm,
    /// What is searched, as typed and as understood.
    pub(crate) search: Option<(String, SearchPattern)>,
    /// Hits of the filter and the search.
    pub(crate) hit_counters: HitCounters,
    /// What was last told.
    pub(crate) notice: Option<Notice>,
    /// The jobs that are running.
    pub(crate) jobs: Vec<UserJob>,
    /// Whether anything may be written.
    pub(crate) access: Access,
    /// Whether writing was agreed to.
    pub(crate) consent: WriteConsent,
    /// The colours.
    pub(crate) theme: Theme,
    /// Whether the mouse is listened to.
    pub(crate) mouse: MouseCapture,
    /// Columns and lines.
    pub(crate) size: (u16, u16),
    /// Time since the epoch in milliseconds, as the loop has set it.
    pub(crate) now_ms: u64,
    /// Time since the screen was opened, likewise.
    pub(crate) now: SessionTime,
    /// Something on the screen has changed.
    pub(crate) needs_redraw: bool,
    /// The newest questions.
    pub(crate) generations: RequestGenerations,
    /// What is to be done, in order.
    pub(crate) effects: VecDeque<Effect>,
}

impl Model {
    /// The screen as it opens, before anything is known but the log's facts.
    pub(crate) fn new(facts: LogInfo, start: ModelOptions) -> Self {
        Self {
            log_info: facts,
            unavailable: None,
            scan: ScanProgress::new(start.scan),
            list: EventList::new(Filter::default()),
            detail: DetailPane::default(),
            aggregates: AggregateTable::default(),
            findings: ListCursor::default(),
            index: ListCursor::default(),
            repairs: RepairsPane::default(),
            tab: Tab::default(),
            focus: Pane::default(),
            zoom: Zoom::default(),
            follow: Follow::default(),
            overlays: Vec::new(),
            form: AppendForm::default(),
            search: None,
            hit_counters: HitCounters::new(start.hit_slice_bytes),
            notice: None,
            jobs: Vec::new(),
            access: start.access,
            consent: WriteConsent::default(),
            theme: start.theme,
            mouse: start.mouse,
            size: start.size,
            now_ms: 0,
            now: SessionTime::default(),
            needs_redraw: true,
            generations: RequestGenerations::default(),
            effects: VecDeque::new(),
        }
    }

    /// Tells something.
    pub(crate) fn notify(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone: Tone::Plain });
    }

    /// Tells something behind what was told since the last key.
    pub(crate) fn append_notice(&mut self, text: impl AsRef<str>, tone: Tone) {
        let told = self.notice.take().map(|notice| notice.text + "; ").unwrap_or_default();
        self.notice = Some(Notice { text: told + text.as_ref(), tone });
    }

    /// Tells that something is not as it should be.
    pub(crate) fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone: Tone::Bad });
    }

    /// Events known so far. Of a log that has lost its end the index counts those that are gone too.
    pub(crate) fn event_count(&self) -> Option<u64> {
        let file = self.log_info.index.saved_coverage;
        self.scan.event_count.or_else(|| match file? {
            file if file.covered_to <= self.log_info.bytes => Some(file.events),
            file if file.covered_to == file.log_end_offset => file.events.checked_sub(self.events_missing()?),
            _ => None,
        })
    }

    /// Events that a log that has lost its end is known to miss.
    pub(crate) fn events_missing(&self) -> Option<u64> {
        let missing = self.scan.findings.iter().find(|finding| finding.kind == DamageKind::Truncated);
        missing.and_then(|finding| finding.evidence.events_missing)
    }

    /// That the scan is through and has left out what was verified earlier, in words; `None` where it has not.
    pub(crate) fn skipped_note(&self) -> Option<String> {
        let left_out = self.scan.is_done() && !self.scan.has_read_all();
        left_out.then(|| match self.log_info.index.verified {
            Some(VerificationMark { verified_at_ms: at_ms, .. }) => {
                format!("verified earlier, on {}, and not read since", format_date(at_ms, DisplayZone::Utc))
            }
            None => "verified earlier, and not read since".into(),
        })
    }

    /// The job of a lane.
    pub(crate) fn job(&self, worker: WorkerKind) -> Option<&UserJob> {
        self.jobs.iter().find(|job| job.worker == worker)
    }
}
