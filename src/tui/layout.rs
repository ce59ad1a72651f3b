//! Computes the areas of the panes from the size of the screen: three panes, two panes, one pane, or one line.
//!
//! ```text
//!     status                                      status                status          row
//!     strip                                       strip                 row             row
//!     ━ Events ━━━━━━━━━━┭─ detail ───────────    ━ Events ━━━━━━━━━    row
//!     row                │ line                   row                   footer
//!     row                │ line                   note
//!     note               │ line                   ─ detail ─────────
//!     ─ Findings ────────┤ line                    line
//!     row                │ line                    line
//!     footer                                      footer
//! ```
//!
//! Each pane has a row with its title, and a vertical rule is between the list and the detail pane; nothing else takes room
//! from the rows. The note describes the rows of the main pane: the filter and the search of the events, or the sum of a
//! list. The pane with the findings is shown only when there are findings, and its height depends on their number.
//!
//! The timeline, where it is shown, takes some lines below the strip, over the whole width.
//!
//! `view` draws into these areas, and `update` uses them for the heights of lists and for clicks.

mod event_columns;

use ratatui::layout::{Constraint, Layout, Rect, Size};

pub(crate) use event_columns::{
    Align, COLUMN_GAP, EventColumns, PREFIX_COLUMNS, SizedColumn, aggregate_text, schema_text, value_text,
};

use super::model::{
    AggregateMode, DetailView, Model, NamedField, Pane, RowContents, Tab, TimelineVisibility, Zoom, fix_preview_lines,
    help_legend_height, wrapped_state_lines,
};

/// Minimum width of a screen that has the list and the detail pane side by side.
const SIDE_BY_SIDE_MIN_WIDTH: u16 = 100;
/// Minimum height of a narrow screen that has the list above the detail pane.
const STACKED_MIN_HEIGHT: u16 = 20;
/// Smallest width of the detail pane beside the list: a line of eight bytes fits, with its offset and its text.
const DETAIL_MIN_WIDTH: u16 = 43;
/// Largest height of the pane with the findings, title included.
const FINDINGS_MAX_HEIGHT: u16 = 8;
/// Minimum size of a screen that has a pane for the findings below the events.
const THREE_PANES_MIN_SIZE: Size = Size::new(110, 30);
/// Maximum width of the dialog with the columns of the list, border included.
const COLUMN_CHOOSER_WIDTH: u16 = 64;
/// Minimum size of a screen whose panes have titles.
const TITLES_MIN_SIZE: Size = Size::new(36, 8);
/// Minimum height of a main pane that has a note: its title, its heading, two rows and the note.
const NOTE_MIN_HEIGHT: u16 = 5;
/// Minimum height of a screen that has an integrity strip.
const STRIP_MIN_HEIGHT: u16 = 10;

/// The areas of the parts of the screen. A part for which there is no room has an empty area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LayoutAreas {
    /// The status line, the first line of the screen.
    pub(crate) status: Rect,
    /// The integrity strip, below the status line.
    pub(crate) strip: Rect,
    /// The timeline, below the strip while it is shown, with its title.
    pub(crate) timeline: Rect,
    /// The main pane, which shows the selected tab, with its title.
    pub(crate) main: Rect,
    /// The note about the rows of the main pane, below them.
    pub(crate) note: Rect,
    /// The vertical rule between the list and the detail pane.
    pub(crate) divider: Rect,
    /// The detail pane, with its title.
    pub(crate) detail: Rect,
    /// The findings below the events, with their title.
    pub(crate) findings: Rect,
    /// The footer, the last line of the screen.
    pub(crate) footer: Rect,
    /// Whether panes have titles.
    pub(crate) titles: PaneTitles,
}

/// The parts of the Findings tab, of the Compare tab and of the Segments tab.
pub(crate) struct FindingAreas {
    /// The area of the findings, differences or segments.
    pub(crate) rows: Rect,
    /// The lines of advice about the whole log.
    pub(crate) advice: Vec<String>,
    /// The area of the advice, below the findings.
    pub(crate) advice_area: Rect,
}

/// Whether panes have titles, and lists have headings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PaneTitles {
    /// Panes have only rows, because there is no room for more.
    #[default]
    None,
    /// The first row of each pane is its title.
    Shown,
}

impl LayoutAreas {
    /// Returns the area below the title of a pane. In the detail pane, whose lines have no column for a mark, an empty column
    /// precedes it.
    pub(crate) fn inner(&self, pane: Rect) -> Rect {
        if self.titles == PaneTitles::None {
            return pane;
        }
        let margin = u16::from(pane == self.detail).min(pane.width);
        let title = pane.height.min(1);
        Rect::new(pane.x + margin, pane.y + title, pane.width - margin, pane.height - title)
    }

    /// Returns the area of the rows of the events pane. The last line of the pane has the folded findings, when there are
    /// some and the pane has room for more than that line.
    pub(crate) fn event_rows(&self, model: &Model) -> Rect {
        let body = self.table_body(self.main);
        let has_note = body.height > 1 && model.folded_findings_line().is_some();
        // A message of two lines covers the last line above the footer, where the selected row would be hidden.
        let covered = if body.bottom() == self.footer.y { model.lines_above_footer() } else { 0 };
        Rect { height: body.height.saturating_sub(u16::from(has_note) + covered), ..body }
    }

    /// Returns the areas of the Findings tab: the findings, and below them the advice about the whole file, which takes at
    /// most half of the pane.
    pub(crate) fn finding_areas(&self, model: &Model) -> FindingAreas {
        self.areas_with_advice(model.damage_advice(usize::from(self.table_body(self.main).width)))
    }

    /// Returns the areas of the Compare tab: the differences, and below them the notes about the limits of the backup.
    pub(crate) fn comparison_areas(&self, model: &Model) -> FindingAreas {
        self.areas_with_advice(model.backup_notes(usize::from(self.table_body(self.main).width)))
    }

    /// Returns the areas of the Segments tab: the segments, and below them the files that are none of the log.
    pub(crate) fn segment_areas(&self, model: &Model) -> FindingAreas {
        self.areas_with_advice(model.strange_file_notes(usize::from(self.table_body(self.main).width)))
    }

    fn areas_with_advice(&self, mut advice: Vec<String>) -> FindingAreas {
        let body = self.table_body(self.main);
        advice.truncate(usize::from(body.height / 2));
        let height = advice.len() as u16;
        let rows = Rect { height: body.height - height, ..body };
        FindingAreas { rows, advice, advice_area: Rect { y: rows.bottom(), height, ..body } }
    }

    /// Returns the area of a table's rows inside a pane: below the heading, where there is room for one.
    pub(crate) fn table_body(&self, pane: Rect) -> Rect {
        let inner = self.inner(pane);
        match self.titles {
            PaneTitles::Shown if inner.height > 1 => Rect { y: inner.y + 1, height: inner.height - 1, ..inner },
            _ => inner,
        }
    }
}

/// Computes the areas of the screen from its size, the selected tab, the focus and the zoom.
pub(crate) fn compute_areas(model: &Model) -> LayoutAreas {
    let Size { width, height } = model.size;
    let screen = Rect::new(0, 0, width, height);
    let has_titles = fits(model.size, TITLES_MIN_SIZE);
    let [status, strip, body, footer] = Layout::vertical([
        Constraint::Length(u16::from(height >= 3)),
        Constraint::Length(u16::from(height >= STRIP_MIN_HEIGHT && width >= TITLES_MIN_SIZE.width)),
        Constraint::Fill(1),
        Constraint::Length(u16::from(height >= 2)),
    ])
    .areas(screen);
    let titles = if has_titles { PaneTitles::Shown } else { PaneTitles::None };
    let mut areas = LayoutAreas { status, strip, footer, titles, ..LayoutAreas::default() };
    let has_detail = has_detail_pane(model);
    let has_timeline = model.tab == Tab::Events && model.timeline.visibility == TimelineVisibility::Shown;
    if has_timeline && model.focus == Pane::Timeline && (model.zoom == Zoom::In || !has_titles) {
        areas.timeline = body;
        return areas;
    }
    let timeline_height =
        if has_timeline && has_titles && model.zoom == Zoom::Out { timeline_height(height) } else { 0 };
    let [timeline, body] = Layout::vertical([Constraint::Length(timeline_height), Constraint::Fill(1)]).areas(body);
    areas.timeline = timeline;
    let has_one_pane = model.zoom == Zoom::In || !has_titles || !has_detail;
    if !has_one_pane && width >= SIDE_BY_SIDE_MIN_WIDTH {
        // The list has most of the room, because its rows show what each event contains.
        let detail_width = (width * 2 / 5 - 1).max(DETAIL_MIN_WIDTH);
        let [left, divider, right] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(1), Constraint::Length(detail_width)])
                .areas(body);
        (areas.main, areas.divider, areas.detail) = (left, divider, right);
        if has_findings_pane(model) {
            let lines = u16::try_from(model.scan.findings.len()).unwrap_or(FINDINGS_MAX_HEIGHT);
            let findings_height = lines.saturating_add(1).min(FINDINGS_MAX_HEIGHT);
            let [events, findings] =
                Layout::vertical([Constraint::Fill(1), Constraint::Length(findings_height)]).areas(left);
            (areas.main, areas.findings) = (events, findings);
        }
    } else if !has_one_pane && height >= STACKED_MIN_HEIGHT {
        let [above, below] = Layout::vertical([Constraint::Percentage(55), Constraint::Fill(1)]).areas(body);
        (areas.main, areas.detail) = (above, below);
    } else {
        match model.focus {
            Pane::Detail if has_detail => areas.detail = body,
            Pane::Findings if model.tab == Tab::Events && has_titles => areas.findings = body,
            _ => areas.main = body,
        }
    }
    if has_titles && has_note(model) && areas.main.height >= NOTE_MIN_HEIGHT {
        let [rows, note] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(areas.main);
        (areas.main, areas.note) = (rows, note);
    }
    areas
}

/// Returns whether the tab has a detail pane: where rows of the log are listed, or a table that has rows.
fn has_detail_pane(model: &Model) -> bool {
    match model.tab {
        Tab::Events => true,
        Tab::Findings => model.expects_findings(),
        Tab::Repairs => model.repairs.entry_count() > 0 || !model.repairs.notices.is_empty(),
        Tab::Compare => model.lists_differences(),
        Tab::Aggregates | Tab::Index | Tab::Statistics | Tab::Segments => false,
    }
}

/// Returns whether the main pane has a note below its rows: the filter and the search of the events, or the sum of a list that
/// has rows.
fn has_note(model: &Model) -> bool {
    match model.tab {
        Tab::Events => !model.list.filter.is_empty() || model.search.is_some(),
        Tab::Aggregates => model.aggregates.unfiltered_total > 0,
        Tab::Findings => !model.scan.findings.is_empty(),
        Tab::Index => false,
        Tab::Repairs => model.repairs.entry_count() > 0,
        Tab::Statistics => true,
        Tab::Compare => model.compare.result.is_some(),
        Tab::Segments => model.segments.page.total > 0,
    }
}

/// Returns the height of the timeline on a screen of `height` lines: bars and a title, an axis where there is room, and times
/// below it on a high screen.
const fn timeline_height(height: u16) -> u16 {
    match height {
        30.. => 7,
        20..=29 => 5,
        12..=19 => 3,
        _ => 2,
    }
}

/// Returns whether the findings have a pane below the events: on a large screen, when there are any.
fn has_findings_pane(model: &Model) -> bool {
    model.tab == Tab::Events && fits(model.size, THREE_PANES_MIN_SIZE) && model.expects_findings()
}

const fn fits(size: Size, needed: Size) -> bool {
    size.width >= needed.width && size.height >= needed.height
}

/// Returns the area of the lines of the Index tab. Its first column is empty.
pub(crate) fn index_area(areas: &LayoutAreas) -> Rect {
    text_area(areas.inner(areas.main))
}

/// Returns the area of sentences in the area of rows. The first column, which has the mark of the selected row, is empty.
pub(crate) const fn text_area(rows: Rect) -> Rect {
    let margin = if rows.width > 1 { 1 } else { 0 };
    Rect { x: rows.x + margin, width: rows.width - margin, ..rows }
}

/// Returns the height of the list of actions in the help, on a screen of `height` lines.
pub(crate) const fn help_list_height(height: u16) -> u16 {
    // The border takes two lines and the typed text one.
    height.saturating_sub(3 + help_legend_height(height) + help_description_height(height))
}

/// Returns the height of the description of the selected action in the help, on a screen of `height` lines.
pub(crate) const fn help_description_height(height: u16) -> u16 {
    if height >= 14 { 4 } else { 0 }
}

/// Returns the area of the dialog with `columns` columns of the list, at the right side of the screen.
pub(crate) fn column_chooser_area(size: Size, columns: usize) -> Rect {
    let width = size.width.min(COLUMN_CHOOSER_WIDTH);
    // The border takes two lines, and the typed path and its error two more.
    let height = size.height.saturating_sub(1).min((columns as u16).saturating_add(4));
    Rect::new(size.width - width, (size.height - height) / 2, width, height)
}

/// Returns the number of columns of the list that are visible in their dialog.
pub(crate) fn column_chooser_lines(size: Size, columns: usize) -> u16 {
    column_chooser_area(size, columns).height.saturating_sub(4).max(1)
}

/// Returns the height of the fixed lines above the scrolled part of the detail pane: the preview of a fix and the names
/// of the fields above the hex view, and the lines about a state above its JSON. It takes at most half the pane, so that some of the rest is always visible.
pub(crate) fn detail_head_height(model: &Model) -> u16 {
    let areas = compute_areas(model);
    let area = areas.table_body(areas.detail);
    let width = usize::from(area.width);
    let Some(contents) = &model.detail.contents else { return 0 };
    let lines = match (model.detail.shown_view(), model.detail.aggregate_mode) {
        (DetailView::Hex, _) => {
            let head = hex_head(model, contents, area);
            head.fix_lines.len() + head.field_lines.len()
        }
        (DetailView::Aggregate, AggregateMode::State) => {
            contents.state.as_ref().map_or(0, |state| wrapped_state_lines(state, width).len())
        }
        _ => 0,
    };
    (lines as u16).min(area.height / 2)
}

/// The fixed lines above the bytes of the hex view.
pub(crate) struct HexHead {
    /// The changes that a fix would make.
    pub(crate) fix_lines: Vec<String>,
    /// The names of the fields, where they do not fit at the ends of the lines of bytes.
    pub(crate) field_lines: Vec<Vec<NamedField>>,
}

/// Returns the fixed lines above the bytes of a row in `area`, which holds the detail pane without its headings. The names of
/// the fields are above the bytes only where all lines fit into half of the area.
pub(crate) fn hex_head(model: &Model, contents: &RowContents, area: Rect) -> HexHead {
    let width = usize::from(area.width);
    let fix = contents.fix.as_ref().filter(|fix| !fix.candidates.is_empty());
    let fix_lines = fix.map(|fix| fix_preview_lines(fix, width, model.offset_base)).unwrap_or_default();
    let mut field_lines = model.hex_field_lines(contents, width);
    if fix_lines.len() + field_lines.len() > usize::from(area.height / 2) {
        field_lines.clear();
    }
    HexHead { fix_lines, field_lines }
}

/// Returns the panes that can have the focus, in the order of Tab.
pub(crate) fn focusable_panes(model: &Model) -> Vec<Pane> {
    match model.tab {
        Tab::Events => {
            let timeline = (model.timeline.visibility == TimelineVisibility::Shown).then_some(Pane::Timeline);
            let findings = has_findings_pane(model).then_some(Pane::Findings);
            timeline.into_iter().chain([Pane::Main, Pane::Detail]).chain(findings).collect()
        }
        _ if has_detail_pane(model) => vec![Pane::Main, Pane::Detail],
        _ => vec![Pane::Main],
    }
}
