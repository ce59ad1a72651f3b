//! The detail pane: one row as JSON, as bytes, as a frame, or among its aggregate's events.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::{draw_border, span};
use super::text::{draw_spans, fit_safe, style_line};
use super::{aggregate_history, hex, json};
use crate::query::RowContent;
use crate::report::units::format_hex_offset;
use crate::report::{DetailLine, Tone};
use crate::tui::layout::{Border, LayoutAreas, fix_preview_height};
use crate::tui::model::{DetailView, LABEL_WIDTH, ListCursor, Model, Pane, RowContents, wrapped_row_lines};
use crate::tui::theme::Role;

/// Draws it.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let contents = model.detail.contents.as_ref();
    let title = contents
        .map(|contents| format!(" {}  {} ", format_hex_offset(contents.details.row.start), row_kind_name(contents)));
    let title = Line::from(span(model, Role::Title, title.unwrap_or_default()));
    draw_border(frame, model, areas, (Pane::Detail, areas.detail), (title, Line::default()));
    if areas.border == Border::Around {
        let mut heading = view_names(model);
        if let (DetailView::Hex, Some(contents)) = (model.detail.view, contents) {
            heading.push(Span::raw("   "));
            heading.extend(hex::legend(model, contents));
        }
        draw_spans(frame, areas.inner(areas.detail), 0, heading);
    }
    let lines = areas.table_body(areas.detail);
    let Some(contents) = contents else { return };
    match model.detail.view {
        DetailView::Json if contents.details.payload_text.is_some() => json::draw(frame, lines, model, contents),
        DetailView::Hex => {
            let above = fix_preview_height(model).min(lines.height);
            hex::draw_fix(frame, Rect { height: above, ..lines }, model, contents);
            let below = Rect { y: lines.y + above, height: lines.height - above, ..lines };
            hex::draw(frame, below, model, contents);
        }
        DetailView::Aggregate if contents.history.is_some() => aggregate_history::draw(frame, lines, model, contents),
        view => draw_details(frame, lines, model, (contents, view)),
    }
}

/// What stands there, in a word.
fn row_kind_name(contents: &RowContents) -> &'static str {
    match &contents.details.row.content {
        RowContent::Header => "header",
        RowContent::Event(_) => "event",
        RowContent::Finding(finding) => finding.kind.name(),
        RowContent::InFlight => "in flight",
    }
}

/// The views by name, the chosen one in brackets.
fn view_names(model: &Model) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (view, name) in DetailView::ALL {
        let chosen = view == model.detail.view;
        let role = if chosen { Role::Title } else { Role::Muted };
        spans.push(span(model, role, if chosen { format!("[{name}]") } else { format!(" {name} ") }));
    }
    spans
}

fn draw_details(frame: &mut Frame, area: Rect, model: &Model, (contents, view): (&RowContents, DetailView)) {
    let cursor = ListCursor { line: model.detail.cursor, top: model.detail.top, height: model.detail.height };
    draw_labelled_lines(frame, area, model, (wrapped_row_lines(contents, view, usize::from(area.width)), &cursor));
}

/// Draws labelled lines from the one on that a cursor has scrolled to.
pub(super) fn draw_labelled_lines(
    frame: &mut Frame,
    area: Rect,
    model: &Model,
    (lines, cursor): (Vec<DetailLine>, &ListCursor),
) {
    let shown = lines.into_iter().enumerate().skip(cursor.top).take(usize::from(area.height));
    for (line, (number, detail_line)) in shown.enumerate() {
        let role = match detail_line.tone {
            Tone::Plain => Role::Text,
            Tone::Good => Role::Good,
            Tone::Bad => Role::Damage,
        };
        let text = fit_safe(&detail_line.text, usize::from(area.width).saturating_sub(LABEL_WIDTH));
        let spans =
            vec![span(model, Role::Muted, format!("{:<LABEL_WIDTH$} ", detail_line.label)), span(model, role, text)];
        draw_spans(frame, area, line as u16, spans);
        if model.focus == Pane::Detail && number == cursor.line {
            style_line(frame, area, line as u16, model.theme.style(Role::Cursor));
        }
    }
}

/// Marks the line under the cursor, when the pane has the keys.
pub(super) fn highlight_cursor_line(frame: &mut Frame, area: Rect, model: &Model, (line, number): (u16, usize)) {
    if model.focus == Pane::Detail && number == model.detail.cursor {
        style_line(frame, area, line, model.theme.style(Role::Cursor));
    }
}
