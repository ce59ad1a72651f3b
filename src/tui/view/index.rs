//! The Index tab: the state of the index file, its coverage, the coverage of the index in memory, and the available
//! actions.

use ratatui::Frame;
use ratatui::text::Line;

use super::pane::{PaneBorder, draw_border, span, tab_title};
use super::status::{index_event_difference, index_state_role};
use super::text::{draw_spans, fit_safe};
use crate::index::{Coverage, VerificationMark};
use crate::report::units::{DisplayZone, format_count, format_number, format_size, format_timestamp};
use crate::report::{index_line, index_meaning, index_reason, safe_path_text};
use crate::tui::actions::{ActionId, action_by_id};
use crate::tui::layout::LayoutAreas;
use crate::tui::model::{Model, Pane, wrap_text};
use crate::tui::theme::Role;

/// Width of a label in columns.
const LABEL_COLUMNS: usize = 18;

/// A line of the tab. The label is empty where a line continues the one before it.
struct IndexLine {
    label: &'static str,
    role: Role,
    text: String,
}

impl IndexLine {
    fn plain(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, role: Role::Text, text: text.into() }
    }

    fn blank() -> Self {
        Self::plain("", "")
    }

    /// Splits the line into lines of at most `width` columns after the label.
    fn wrapped(self, width: usize) -> impl Iterator<Item = Self> {
        let Self { label, role, text } = self;
        let pieces = wrap_text(&text, width).into_iter().enumerate();
        pieces.map(move |(nth, text)| Self { label: if nth == 0 { label } else { "" }, role, text })
    }
}

/// Draws the Index tab with its border.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let border =
        PaneBorder { pane: Pane::Main, area: areas.main, title: tab_title(model), bottom_title: Line::default() };
    draw_border(frame, model, areas, border);
    let area = areas.inner(areas.main);
    let width = usize::from(area.width).saturating_sub(LABEL_COLUMNS + 2).max(16);
    let lines: Vec<IndexLine> = content_lines(model).into_iter().flat_map(|line| line.wrapped(width)).collect();
    let top = model.index.top.min(lines.len().saturating_sub(usize::from(area.height)));
    for (number, IndexLine { label, role, text }) in (0..area.height).zip(lines.into_iter().skip(top)) {
        let label = span(model, Role::Muted, format!(" {label:<LABEL_COLUMNS$} "));
        draw_spans(frame, area, number, vec![label, span(model, role, fit_safe(&text, width))]);
    }
}

fn content_lines(model: &Model) -> Vec<IndexLine> {
    let index = &model.log_info.index;
    let log_bytes = model.log_info.bytes;
    let state = index_line(&index.state, index_event_difference(model));
    let mut lines = vec![
        IndexLine { label: "state", role: index_state_role(&index.state), text: state },
        IndexLine::plain("", index_meaning(&index.state)),
    ];
    lines.extend(index_reason(&index.state).map(|reason| IndexLine::plain("reason", reason)));
    lines.push(IndexLine::plain("file", safe_path_text(&index.path)));
    lines.push(IndexLine::blank());
    match &index.saved_coverage {
        Some(saved) => lines.extend(coverage_lines("saved index", saved, log_bytes)),
        None => lines.push(IndexLine::plain("saved index", "none that can be used")),
    }
    lines.extend(index.verification.map(|mark| verification_line(mark, log_bytes)));
    lines.push(IndexLine::blank());
    match &index.memory_coverage {
        Some(memory) => lines.extend(coverage_lines("this session", memory, log_bytes)),
        None => lines.push(IndexLine::plain("this session", "nothing yet: the scan is not done")),
    }
    lines.push(IndexLine::blank());
    lines.push(action_line(model, "r", ActionId::UpdateIndex));
    lines.push(action_line(model, "R", ActionId::RebuildIndex));
    lines
}

/// Returns the description of a key's action, or the reason why the action is not available.
fn action_line(model: &Model, key: &'static str, id: ActionId) -> IndexLine {
    match model.disabled_reason(id) {
        Some(reason) => IndexLine::plain(key, format!("unavailable: {reason}")),
        None => IndexLine::plain(key, action_by_id(id).map_or("", |action| action.help)),
    }
}

fn verification_line(mark: VerificationMark, log_bytes: u64) -> IndexLine {
    let VerificationMark { verified_to, verified_at_ms } = mark;
    let (position, total) = (format_number(verified_to), format_number(log_bytes));
    let time = format_timestamp(verified_at_ms, DisplayZone::Utc);
    IndexLine::plain("verified earlier", format!("to {position} of {total}, on {time}"))
}

fn coverage_lines(label: &'static str, coverage: &Coverage, log_bytes: u64) -> Vec<IndexLine> {
    let events = format_count(coverage.events, "event");
    let frames = format_count(coverage.frames, "frame");
    let gaps = if coverage.gaps > 0 { format!(", {}", format_count(coverage.gaps, "gap")) } else { String::new() };
    let covered = format!("{} of {}", format_number(coverage.covered_to), format_number(log_bytes));
    let mut lines = vec![
        IndexLine::plain(label, format!("{events}, {frames}{gaps}")),
        IndexLine::plain("covered to", covered),
        IndexLine::plain("read up to", format_number(coverage.scanned_to)),
    ];
    if coverage.log_end_offset != coverage.covered_to {
        let missing = format_size(coverage.log_end_offset.saturating_sub(coverage.covered_to));
        let text = format!("{}: {missing} missing now", format_number(coverage.log_end_offset));
        lines.push(IndexLine { label: "log ended at", role: Role::Damage, text });
    }
    lines
}
