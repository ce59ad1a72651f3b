//! The detail pane: the selected row as JSON, as bytes, as frame fields, or as a part of its aggregate.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::hex::NamePlace;
use super::pane::{PaneTitle, draw_title, span, title_role};
use super::text::{draw_spans, fit_safe, spans_width};
use super::{aggregate_history, compare, hex, json, labelled_lines};
use crate::query::{LogRow, RowContent};
use crate::report::units::{format_time_of_day, format_zone_word};
use crate::tui::actions::ActionId;
use crate::tui::click_targets::view_labels;
use crate::tui::layout::{LayoutAreas, PaneTitles, detail_head_height, hex_head};
use crate::tui::model::{AggregateMode, DetailView, Model, Pane, RowContents, wrapped_row_lines, wrapped_state_lines};
use crate::tui::theme::Role;

/// Draws the detail pane with its title.
pub(super) fn draw(frame: &mut Frame, areas: &LayoutAreas, model: &Model) {
    let contents = model.detail.contents.as_ref();
    let offset = |row: &LogRow| model.format_offset(row.start);
    let title = match (contents, model.selected_row()) {
        (Some(contents), _) => format!(" {}  {} ", offset(&contents.details.row), row_kind_name(contents)),
        // A row that could not be read still has its place.
        (None, Some(row)) if !model.awaits_contents() => format!(" {} ", offset(&row)),
        (None, _) => String::new(),
    };
    let mut title = vec![span(model, title_role(model, Pane::Detail), title)];
    let value = model.detail.value_under_cursor().filter(|_| model.focus == Pane::Detail);
    if let Some(path) = value.map(|value| value.path()).filter(|path| !path.is_empty()) {
        title.push(span(model, Role::Key, format!(" {} ", fit_safe(&path, usize::from(areas.detail.width)))));
    }
    if model.awaits_contents()
        && let Some(row) = model.selected_row()
    {
        title.push(span(model, Role::Warning, format!(" reading {} ", model.format_offset(row.start))));
    }
    let read_at = contents.filter(|contents| contents.read_at_ms > 0).map(|contents| {
        let ms = contents.read_at_ms;
        let (time, zone) = (format_time_of_day(ms, model.zone), format_zone_word(ms, model.zone));
        span(model, Role::Muted, format!(" read at {time} {zone} "))
    });
    let right = Line::from(read_at.unwrap_or_default());
    draw_title(
        frame,
        model,
        areas,
        PaneTitle { pane: Pane::Detail, area: areas.detail, title: Line::from(title), right },
    );
    if areas.titles == PaneTitles::Shown {
        let mut heading = contents.map(|contents| view_names(model, contents)).unwrap_or_default();
        if let (DetailView::Hex, Some(contents)) = (model.detail.shown_view(), contents) {
            let legend = hex::legend(model, contents);
            let width = usize::from(areas.inner(areas.detail).width);
            // A part of the legend explains nothing; the lines of bytes end in the names, or lines above them name them.
            if spans_width(&heading) + spans_width(&legend) < width && model.hex_field_lines(contents, width).is_empty()
            {
                heading.push(Span::raw(" "));
                heading.extend(legend);
            }
        }
        draw_spans(frame, areas.inner(areas.detail), 0, heading);
    }
    let lines = areas.table_body(areas.detail);
    let Some(contents) = contents else {
        return draw_spans(frame, lines, 0, vec![span(model, Role::Muted, empty_message(model))]);
    };
    let head_height = detail_head_height(model).min(lines.height);
    let head = Rect { height: head_height, ..lines };
    let body = Rect { y: lines.y + head_height, height: lines.height - head_height, ..lines };
    match model.detail.shown_view() {
        DetailView::Hex => {
            let hex_head = hex_head(model, contents, lines);
            let name_place = if hex_head.field_lines.is_empty() { NamePlace::LineEnd } else { NamePlace::Above };
            hex::draw_head(frame, head, model, contents, hex_head);
            hex::draw(frame, body, model, contents, name_place);
        }
        DetailView::Json => json::draw(frame, body, model, &contents.doc),
        DetailView::Backup => compare::draw_sides(frame, body, model, &model.detail.cursor),
        DetailView::Aggregate => draw_aggregate(frame, head, body, model, contents),
        DetailView::Frame => {
            let detail_lines = wrapped_row_lines(contents, usize::from(lines.width));
            labelled_lines::draw_with_cursor(frame, lines, model, &detail_lines, &model.detail.cursor);
        }
    }
}

/// Draws the history or the state of the aggregate.
fn draw_aggregate(frame: &mut Frame, head: Rect, body: Rect, model: &Model, contents: &RowContents) {
    match (model.detail.aggregate_mode, &contents.history, &contents.state) {
        (AggregateMode::History, Some(history), _) => {
            aggregate_history::draw(frame, body, model, contents, history);
        }
        (AggregateMode::State, _, Some(state)) => {
            let lines = wrapped_state_lines(state, usize::from(head.width));
            labelled_lines::draw(frame, head, model, &lines, 0);
            json::draw(frame, body, model, &state.doc);
        }
        (AggregateMode::History | AggregateMode::State, _, _) => {
            draw_spans(frame, body, 0, vec![span(model, Role::Muted, "Reading the events of the aggregate…")]);
        }
    }
}

/// Returns a message that explains why there are no contents.
fn empty_message(model: &Model) -> String {
    match model.selected_row() {
        None => "No row is selected.".into(),
        Some(row) if model.detail.failed_at == Some(row.start) => {
            format!("This row could not be read; {} lists the messages.", model.keys.hint(ActionId::Messages))
        }
        Some(_) => "Reading…".into(),
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

/// Returns the names of the views that the row has, with the current one in brackets.
fn view_names(model: &Model, contents: &RowContents) -> Vec<Span<'static>> {
    let shown = model.detail.shown_view();
    let role = |view| if view == shown { Role::Title } else { Role::Muted };
    view_labels(model, contents).map(|(view, label)| span(model, role(view), label)).collect()
}
