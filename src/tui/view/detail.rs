//! The detail pane: the selected row as JSON, as bytes, as frame fields, or among the events of its aggregate.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pane::{PaneBorder, draw_border, span};
use super::text::draw_spans;
use super::{aggregate_history, hex, json, labelled_lines};
use crate::query::RowContent;
use crate::report::units::{format_hex_offset, format_time_of_day, format_zone_word};
use crate::tui::layout::{Border, LayoutAreas, fix_preview_height};
use crate::tui::model::{DetailView, Model, Pane, RowContents, wrapped_row_lines};
use crate::tui::theme::Role;

/// Draws the detail pane with its border.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let contents = model.detail.contents.as_ref();
    let title = contents
        .map(|contents| format!(" {}  {} ", format_hex_offset(contents.details.row.start), row_kind_name(contents)));
    let mut title = vec![span(model, Role::Title, title.unwrap_or_default())];
    if model.awaits_contents()
        && let Some(row) = model.selected_row()
    {
        title.push(span(model, Role::Warning, format!(" reading {} ", row.start)));
    }
    let read_at = contents.filter(|contents| contents.read_at_ms > 0).map(|contents| {
        let ms = contents.read_at_ms;
        let (time, zone) = (format_time_of_day(ms, model.zone), format_zone_word(ms, model.zone));
        span(model, Role::Muted, format!(" read at {time} {zone} "))
    });
    let bottom_title = Line::from(read_at.unwrap_or_default());
    let border = PaneBorder { pane: Pane::Detail, area: areas.detail, title: Line::from(title), bottom_title };
    draw_border(frame, model, areas, border);
    if areas.border == Border::Around {
        let mut heading = view_names(model);
        if let (DetailView::Hex, Some(contents)) = (model.detail.view, contents) {
            heading.push(Span::raw("   "));
            heading.extend(hex::legend(model, contents));
        }
        draw_spans(frame, areas.inner(areas.detail), 0, heading);
    }
    let lines = areas.table_body(areas.detail);
    let Some(contents) = contents else {
        return draw_spans(frame, lines, 0, vec![span(model, Role::Muted, empty_message(model))]);
    };
    match model.detail.view {
        DetailView::Json if contents.details.payload_text.is_some() => json::draw(frame, lines, model, contents),
        DetailView::Hex => {
            let preview_height = fix_preview_height(model).min(lines.height);
            hex::draw_fix_preview(frame, Rect { height: preview_height, ..lines }, model, contents);
            let bytes = Rect { y: lines.y + preview_height, height: lines.height - preview_height, ..lines };
            hex::draw(frame, bytes, model, contents);
        }
        DetailView::Aggregate if contents.history.is_some() => aggregate_history::draw(frame, lines, model, contents),
        view => {
            let detail_lines = wrapped_row_lines(contents, view, usize::from(lines.width));
            labelled_lines::draw_with_cursor(frame, lines, model, detail_lines, &model.detail.cursor);
        }
    }
}

/// Returns a message that explains why there are no contents.
fn empty_message(model: &Model) -> &'static str {
    match model.selected_row() {
        None => "No row is selected.",
        Some(row) if model.detail.failed_at == Some(row.start) => "This row could not be read; M lists the messages.",
        Some(_) => "Reading…",
    }
}

/// Returns the kind of a row in one or two words.
fn row_kind_name(contents: &RowContents) -> &'static str {
    match &contents.details.row.content {
        RowContent::Header => "header",
        RowContent::Event(_) => "event",
        RowContent::Finding(finding) => finding.kind.name(),
        RowContent::InFlight => "in flight",
    }
}

/// Returns the names of the views, with the current one in brackets.
fn view_names(model: &Model) -> Vec<Span<'static>> {
    let name_span = |view: DetailView| {
        let name = view.name();
        if view == model.detail.view {
            span(model, Role::Title, format!("[{name}]"))
        } else {
            span(model, Role::Muted, format!(" {name} "))
        }
    };
    DetailView::ALL.into_iter().map(name_span).collect()
}
