//! The findings: kind, range and verdict, in a tab of their own and below the events.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::events::finding_glyph;
use super::pane::{draw_border, span, tab_title};
use super::text::{draw_spans, fit_safe, pad, style_line};
use crate::format::Finding;
use crate::report::units::{format_number, format_size};
use crate::report::{finding_sentence, fix_label};
use crate::tui::layout::{Border, LayoutAreas};
use crate::tui::model::{Model, Pane, ScanState, Tab};
use crate::tui::theme::Role;

/// Columns from which start, end and size have columns of their own.
const MIN_WIDE_COLUMNS: usize = 78;

/// Draws the tab.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    draw_border(frame, model, areas, (Pane::Main, areas.main), (tab_title(model), Line::default()));
    if areas.border == Border::Around {
        let heading = if is_wide(areas.main) {
            format!("   {:>12}  {:>12}  {:>9}  {:<14} what can be done, verdict", "start", "end", "size", "kind")
        } else {
            format!("   {:<width$}  {:<14} what can be done, verdict", "range", "kind", width = range_width(model))
        };
        draw_spans(frame, areas.inner(areas.main), 0, vec![span(model, Role::Muted, heading)]);
    }
    draw_rows(frame, areas.table_body(areas.main), model, Pane::Main);
}

/// Draws them below the events.
pub(super) fn draw_below_events(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let title = Line::from(span(model, Role::Title, format!(" {} ", summary(model))));
    draw_border(frame, model, areas, (Pane::Findings, areas.findings), (title, Line::default()));
    draw_rows(frame, areas.inner(areas.findings), model, Pane::Findings);
}

fn draw_rows(frame: &mut Frame, area: Rect, model: &Model, pane: Pane) {
    if model.scan.findings.is_empty() {
        for (line, text) in empty_message(model).split('\n').enumerate().take(usize::from(area.height)) {
            draw_spans(frame, area, line as u16, vec![span(model, Role::Muted, text)]);
        }
        return;
    }
    let cursor = &model.findings;
    let shown = model.scan.findings.iter().enumerate().skip(cursor.top).take(usize::from(area.height));
    for (line, (number, finding)) in shown.enumerate() {
        let chosen = number == cursor.line && (pane == model.focus || model.tab == Tab::Findings);
        let spans = finding_spans(model, finding, usize::from(area.width), chosen);
        draw_spans(frame, area, line as u16, spans);
        if chosen {
            let role = if model.focus == pane { Role::Cursor } else { Role::CursorUnfocused };
            style_line(frame, area, line as u16, model.theme.style(role));
        }
    }
}

fn finding_spans(model: &Model, finding: &Finding, width: usize, chosen: bool) -> Vec<Span<'static>> {
    let (glyph, role) = finding_glyph(finding);
    let marker = if chosen { ">" } else { " " };
    let bytes = format_size(finding.end - finding.start);
    let start = if model.tab == Tab::Findings && width >= MIN_WIDE_COLUMNS {
        format!("{marker}{glyph} {:>12}  {:>12}  {bytes:>9}  ", finding.start, finding.end)
    } else {
        let columns = range_width(model);
        format!("{marker}{glyph} {:<columns$}  ", format!("{}..{}", finding.start, finding.end))
    };
    let kind = pad(finding.kind.name(), 14) + " ";
    let room = width.saturating_sub(start.chars().count() + 15);
    let done = model.scan.fix_for(finding).map(|fix| format!("[{}] ", fix_label(fix))).unwrap_or_default();
    let said = Span::raw(fit_safe(&finding_sentence(finding), room.saturating_sub(done.chars().count())));
    vec![Span::raw(start), span(model, role, kind), span(model, Role::Title, fit_safe(&done, room)), said]
}

/// Columns of a range, from offset to offset.
fn range_width(model: &Model) -> usize {
    model.log_info.bytes.to_string().len() * 2 + 2
}

fn is_wide(pane: Rect) -> bool {
    usize::from(pane.width) >= MIN_WIDE_COLUMNS + 2
}

/// How many there are, and whether that is all.
fn summary(model: &Model) -> String {
    let found = model.scan.findings.len() as u64 + model.scan.dropped_findings;
    let so_far = if model.scan.has_read_all() { "" } else { " so far" };
    format!("Findings {}{so_far}", format_number(found))
}

fn empty_message(model: &Model) -> String {
    if let Some(left_out) = model.skipped_note() {
        return format!("none found; {left_out}\n:scan go reads it, X plans the repair of all there is");
    }
    let words = match model.scan.state {
        ScanState::Off => "nothing was scanned; :scan go starts",
        ScanState::Done => "nothing found: every frame is valid and every payload an event",
        ScanState::Running => "nothing found so far",
        ScanState::Stopped => "nothing found before the scan was stopped; :scan go lets it go on",
        ScanState::Failed => "the scan could not go on; nothing found before",
    };
    words.into()
}
