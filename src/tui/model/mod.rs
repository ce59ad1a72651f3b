//! The state that the screen is drawn from. This module accesses no terminal, no file and no clock.

mod aggregate_filter;
mod availability;
mod awaited;
mod both_sides;
mod byte_lines;
mod column_chooser;
mod columns;
mod compare;
mod damage_advice;
mod detail;
mod detail_lines;
mod detail_pane;
mod difference_text;
mod export_content;
mod fix_preview;
mod fix_text;
mod folded_findings;
mod form;
mod growth_rate;
mod help;
mod hex_fields;
mod history_lines;
mod hit_counter;
mod index_lines;
mod jobs;
mod json;
mod json_lines;
mod json_rows;
mod json_value;
mod jump_list;
mod labelled_lines;
mod laid_out_lines;
mod latency;
mod line_copy;
mod list;
mod log_counts;
mod log_info;
mod match_position;
mod modes;
mod notices;
mod offset_base;
mod overlays;
mod palette_command;
mod path_completion;
mod plan_columns;
mod plan_dialog;
mod plan_preview;
mod prompt;
mod prompt_feedback;
mod repairs;
mod saved_session;
mod scan;
mod scroll;
mod segments;
mod statistics;
mod suggestion;
mod tables;
mod text_input;
mod timeline;

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::layout::Size;

pub(crate) use awaited::RowNeed;
pub(crate) use both_sides::{BothSides, MAX_SIDE_BYTES, MAX_SIDE_PAYLOAD, SideContents, SideTone};
pub(crate) use byte_lines::{ByteLine, LineChange};
pub(crate) use column_chooser::ColumnChooser;
pub(crate) use columns::{ColumnLayout, EventColumn};
pub(crate) use compare::{BackupComparison, ComparePane, CompareState, DifferenceMeaning, DifferenceTally};
pub(crate) use detail::{AggregateMode, DetailView, RowContents, ShownState, row_doc};
pub(crate) use detail_lines::{wrapped_row_lines, wrapped_state_lines};
pub(crate) use detail_pane::{DetailPane, DetailRequest, HEX_WINDOW_BYTES, LineWrap};
pub(crate) use difference_text::{DifferenceText, ShownValue, VALUE_SEPARATOR};
pub(crate) use fix_preview::fix_preview_lines;
pub(crate) use form::{AppendForm, FormField};
pub(crate) use growth_rate::{GrowthPerSecond, GrowthRate};
pub(crate) use help::{HelpLine, HelpOverlay, help_legend_height};
pub(crate) use hex_fields::{NamedField, line_field_names};
pub(crate) use history_lines::{HistoryLine, ShownHistory};
pub(crate) use hit_counter::{
    DEFAULT_HIT_SLICE_BYTES, DeferredRequest, HitCounter, HitCounterState, HitCounters, HitReadiness,
};
pub(crate) use index_lines::{index_state_tone, wrapped_index_lines};
pub(crate) use jobs::{EscBehavior, RequestGenerations, UserJob};
pub(crate) use json::{FoldedLines, JsonDoc, JsonRoot, JsonRowView};
pub(crate) use json_rows::INDENT_COLUMNS;
pub(crate) use jump_list::{JumpList, JumpPlace};
pub(crate) use labelled_lines::{label_columns, wrap_text};
pub(crate) use latency::histogram_bars;
pub(crate) use list::{EventList, ROW_BATCH, RowRequestState, RowsNeeded};
pub(crate) use log_info::{IndexInfo, LogInfo, LogUnavailable};
pub(crate) use modes::{Access, Bell, Follow, FollowPause, Glyphs, Pane, Tab, WriteConsent, ZoneOnStart, Zoom};
pub(crate) use notices::{Notice, PastNotice};
pub(crate) use offset_base::OffsetBase;
pub(crate) use overlays::{ConfirmDialog, ConfirmedAction, DialogButton, ListedSegments, MarkUse, Overlay};
pub(crate) use palette_command::{
    COMPACT_WORD, COMPARE_WORD, PaletteCommand, REPORT_WORD, SCREENSHOT_WORD, THEME_WORD,
};
pub(crate) use path_completion::{FolderEntry, FolderEntryKind, FolderListing};
pub(crate) use plan_columns::{MARK_COLUMNS, PlanTableColumns};
pub(crate) use plan_dialog::{PlanBytes, PlanDialog, PlanFocus, PlanLine, PlanPage};
pub(crate) use plan_preview::PlanPreview;
pub(crate) use prompt::{CompletionSources, Prompt, PromptError, PromptHistory, PromptPurpose, PromptStep};
pub(crate) use prompt_feedback::PromptFeedback;
pub(crate) use repairs::{LoggedChange, RepairsPane, UndoEffect};
pub(crate) use saved_session::{
    LoadedSession, MAX_SESSION_BYTES, SavedPlace, SavedSession, SavedZone, SessionPhase, SessionState,
};
pub(crate) use scan::{EarlierVerification, ScanProgress, ScanRun, ScanState};
pub(crate) use scroll::ScrollPosition;
pub(crate) use segments::{SegmentAim, SegmentEvents, SegmentHealth, SegmentLoadState, SegmentsPane};
pub(crate) use statistics::{StatisticsKey, StatisticsPane, StatisticsProgress, StatisticsResult};
pub(crate) use tables::{AggregateLoadState, AggregateTable, FindingAnchor, ListCursor};
pub(crate) use text_input::TextInput;
pub(crate) use timeline::{ColumnStep, TimelineColumns, TimelinePane, TimelineProgress, TimelineVisibility};

use super::actions::{ActionId, KeyMap};
use super::effect::{Effect, MouseCapture};
use super::keys::Key;
use super::request::{FirstHints, WorkerKind};
use super::session_time::SessionTime;
use super::theme::Theme;
use crate::query::{EventTimes, Filter, KnownNames, LogRow, RowContent, SearchPattern, TimeContext};
use crate::report::units::DisplayZone;

/// A text that was copied last.
#[derive(Debug, Clone)]
pub(crate) struct CopiedText {
    /// The part of the row that the text is, in a word.
    pub(crate) name: &'static str,
    /// The text.
    pub(crate) text: String,
}

/// A search as the user typed it, and as it was parsed.
#[derive(Debug, Clone)]
pub(crate) struct ActiveSearch {
    /// The text of the prompt.
    pub(crate) text: String,
    /// The pattern that rows are matched with.
    pub(crate) pattern: SearchPattern,
}

/// Settings of a new model.
#[derive(Debug, Clone)]
pub(crate) struct ModelOptions {
    /// Whether the screen may write.
    pub(crate) access: Access,
    /// Initial state of the background scan.
    pub(crate) scan: ScanState,
    /// Theme of the screen.
    pub(crate) theme: Theme,
    /// The keys of the actions.
    pub(crate) keys: KeyMap,
    /// The columns of the list of events; `None` for the default ones.
    pub(crate) columns: Option<ColumnLayout>,
    /// Whether the bell rings when new damage is found.
    pub(crate) bell: Bell,
    /// The characters that the screen draws.
    pub(crate) glyphs: Glyphs,
    /// The zone in which times are shown at first; `None` for UTC.
    pub(crate) zone: Option<DisplayZone>,
    /// Whether the screen receives mouse events.
    pub(crate) mouse: MouseCapture,
    /// Size of the screen.
    pub(crate) size: Size,
    /// Bytes of the log that are searched for hits in one request.
    pub(crate) hit_slice_bytes: u64,
    /// The source of the zone when the state of the last run is restored; `None` when no state is kept between runs.
    pub(crate) session: Option<ZoneOnStart>,
}

/// The state that the screen is drawn from.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// The properties of the log as a whole.
    pub(crate) log_info: LogInfo,
    /// Why the path no longer leads to a log; `None` while it leads to one.
    pub(crate) unavailable: Option<LogUnavailable>,
    /// The results of the background scan so far.
    pub(crate) scan: ScanProgress,
    /// The state of the events pane.
    pub(crate) list: EventList,
    /// The state of the detail pane.
    pub(crate) detail: DetailPane,
    /// The base in which offsets are shown.
    pub(crate) offset_base: OffsetBase,
    /// The table of aggregates.
    pub(crate) aggregates: AggregateTable,
    /// The cursor in the findings.
    pub(crate) findings: ListCursor,
    /// The finding that the cursor in the findings is on.
    pub(crate) finding_anchor: Option<FindingAnchor>,
    /// The scroll position of the index tab.
    pub(crate) index: ScrollPosition,
    /// The repair history, with its cursors.
    pub(crate) repairs: RepairsPane,
    /// The number of events in groups.
    pub(crate) statistics: StatisticsPane,
    /// The number of events over time.
    pub(crate) timeline: TimelinePane,
    /// The differences from a backup.
    pub(crate) compare: ComparePane,
    /// The table of segments.
    pub(crate) segments: SegmentsPane,
    /// The tab that is shown.
    pub(crate) tab: Tab,
    /// The pane that has the focus.
    pub(crate) focus: Pane,
    /// Whether the focused pane fills the screen.
    pub(crate) zoom: Zoom,
    /// Whether the cursor follows the end of the log.
    pub(crate) follow: Follow,
    /// The rate at which the log grows.
    pub(crate) growth: GrowthRate,
    /// Open overlays, the topmost last. The topmost overlay receives the keys.
    pub(crate) overlays: Vec<Overlay>,
    /// The append form. It keeps its values while it is closed.
    pub(crate) form: AppendForm,
    /// The search that is in effect.
    pub(crate) search: Option<ActiveSearch>,
    /// The texts that were submitted in prompts.
    pub(crate) prompt_history: PromptHistory,
    /// The names that the events have, as far as they were read.
    pub(crate) names: Arc<KnownNames>,
    /// The names in the folder of the path that was typed last.
    pub(crate) folder_listing: Option<FolderListing>,
    /// The times of the first and the last event, when a prompt was last opened.
    pub(crate) event_times: Option<EventTimes>,
    /// Hits of the filter and of the search.
    pub(crate) hit_counters: HitCounters,
    /// The message in the footer.
    pub(crate) notice: Option<Notice>,
    /// The messages of the session, the newest last.
    pub(crate) past_notices: VecDeque<PastNotice>,
    /// The text that was copied last.
    pub(crate) copied: Option<CopiedText>,
    /// Actions that wait for the row or the contents that they are about, in the order of their keys.
    pub(crate) awaited: VecDeque<ActionId>,
    /// Keys without an action that the footer has reported.
    pub(crate) unbound_keys: Vec<Key>,
    /// Whether the footer has named the next keys, or a key was pressed before.
    pub(crate) has_suggested_keys: bool,
    /// The pane whose selected row the detail pane shows: the list that had the focus last.
    pub(crate) detail_source: Pane,
    /// The places that jumps have left, and the marks.
    pub(crate) jump_list: JumpList,
    /// The restoring and saving of the screen's state between runs.
    pub(crate) session: SessionState,
    /// Jobs that are running, the newest last.
    pub(crate) jobs: Vec<UserJob>,
    /// Whether the screen may write.
    pub(crate) access: Access,
    /// Whether the user has confirmed that this session writes to the log.
    pub(crate) consent: WriteConsent,
    /// Theme of the screen.
    pub(crate) theme: Theme,
    /// The keys of the actions.
    pub(crate) keys: KeyMap,
    /// Whether the bell rings when new damage is found.
    pub(crate) bell: Bell,
    /// The characters that the screen draws.
    pub(crate) glyphs: Glyphs,
    /// The zone in which times are shown.
    pub(crate) zone: DisplayZone,
    /// The zone that is shown instead of UTC when the user asks for it.
    pub(crate) local_zone: DisplayZone,
    /// Whether the screen receives mouse events.
    pub(crate) mouse: MouseCapture,
    /// Size of the screen.
    pub(crate) size: Size,
    /// The current time in milliseconds since the Unix epoch. The run loop sets it before each message.
    pub(crate) now_ms: u64,
    /// Time since the screen was opened. The run loop sets it before each message.
    pub(crate) now: SessionTime,
    /// Whether the screen has to be drawn again.
    pub(crate) needs_redraw: bool,
    /// The newest generation of each worker.
    pub(crate) generations: RequestGenerations,
    /// Effects that the run loop has not executed yet, in order.
    pub(crate) effects: VecDeque<Effect>,
}

impl Model {
    /// Creates the model of a screen that has just been opened.
    pub(crate) fn new(log_info: LogInfo, options: ModelOptions) -> Self {
        let mut list = EventList::new(Filter::default());
        list.columns = options.columns.unwrap_or_default();
        let session = SessionState {
            phase: if options.session.is_some() { SessionPhase::Loading } else { SessionPhase::Off },
            zone: options.session.unwrap_or_default(),
            configured_columns: list.columns.clone(),
            restored: None,
            hints: FirstHints::Hidden,
        };
        Self {
            log_info,
            unavailable: None,
            scan: ScanProgress::new(options.scan),
            list,
            detail: DetailPane::default(),
            offset_base: OffsetBase::default(),
            aggregates: AggregateTable::default(),
            findings: ListCursor::default(),
            finding_anchor: None,
            index: ScrollPosition::default(),
            repairs: RepairsPane::default(),
            statistics: StatisticsPane::default(),
            timeline: TimelinePane::default(),
            compare: ComparePane::default(),
            segments: SegmentsPane::default(),
            tab: Tab::default(),
            focus: Pane::default(),
            zoom: Zoom::default(),
            follow: Follow::default(),
            growth: GrowthRate::default(),
            overlays: Vec::new(),
            form: AppendForm::default(),
            search: None,
            prompt_history: PromptHistory::default(),
            names: Arc::default(),
            folder_listing: None,
            event_times: None,
            hit_counters: HitCounters::new(options.hit_slice_bytes),
            notice: None,
            past_notices: VecDeque::new(),
            copied: None,
            awaited: VecDeque::new(),
            unbound_keys: Vec::new(),
            has_suggested_keys: false,
            detail_source: Pane::default(),
            jump_list: JumpList::default(),
            session,
            jobs: Vec::new(),
            access: options.access,
            consent: WriteConsent::default(),
            theme: options.theme,
            keys: options.keys,
            bell: options.bell,
            glyphs: options.glyphs,
            zone: options.zone.unwrap_or_default(),
            local_zone: options.zone.filter(|zone| *zone != DisplayZone::Utc).unwrap_or(DisplayZone::Local),
            mouse: options.mouse,
            size: options.size,
            now_ms: 0,
            now: SessionTime::default(),
            needs_redraw: true,
            generations: RequestGenerations::default(),
            effects: VecDeque::new(),
        }
    }

    /// Returns the names that complete the text of a prompt.
    pub(crate) fn completion_sources(&self) -> CompletionSources<'_> {
        CompletionSources { names: &self.names, folder: self.folder_listing.as_ref() }
    }

    /// Returns the times that relative times in a prompt refer to, and the zone in which typed times are read.
    pub(crate) fn time_context(&self) -> TimeContext {
        let last_event = self.event_times.map(|times| times.last_ms);
        TimeContext::at(self.now_ms).with_last_event(last_event).in_zone(self.zone.rules())
    }

    /// Returns whether the screen changes while only time passes.
    pub(crate) fn changes_with_time(&self) -> bool {
        self.follow != Follow::No && self.growth.is_growing()
    }

    /// Returns the row that the detail pane shows: the selected finding when a list of findings had the focus last, else
    /// the selected row of the events pane.
    pub(crate) fn selected_row(&self) -> Option<LogRow> {
        if self.tab == Tab::Findings || self.detail_source == Pane::Findings {
            let finding = self.scan.findings.get(self.findings.line)?;
            let content = RowContent::Finding(finding.clone());
            return Some(LogRow { start: finding.start, end: finding.end, content });
        }
        self.list.selected_row().cloned()
    }

    /// Returns the job that a worker is running.
    pub(crate) fn job(&self, worker: WorkerKind) -> Option<&UserJob> {
        self.jobs.iter().find(|job| job.worker == worker)
    }
}
