//! What follows from every change: heights by the size of the screen, and the questions that what is shown needs.

use super::{hit_counter, layout, repair, send_request};
use crate::query::{LogRow, RowContent};
use crate::tui::effect::{Request, WorkerKind};
use crate::tui::model::{AggregateLoadState, DetailRequest, DetailView, Model, Overlay, Pane, ROW_BATCH, Tab};

/// Brings heights in line with the screen, and asks for what it shows and does not have.
pub(super) fn refresh(model: &mut Model) {
    repair::update_detail_fix(model);
    update_sizes(model);
    hit_counter::advance(model);
    request_missing_rows(model);
    request_detail(model);
    request_aggregates(model);
}

fn update_sizes(model: &mut Model) {
    let areas = layout::compute_areas(model);
    let lines = areas.table_body(areas.main);
    if model.tab == Tab::Events && lines.height > 0 {
        model.list.resize(usize::from(lines.height));
    }
    let detail = areas.inner(areas.detail);
    model.detail.height = usize::from(areas.table_body(areas.detail).height);
    model.detail.width = usize::from(detail.width);
    let fix = layout::fix_preview_height(model);
    model.detail.height = model.detail.height.saturating_sub(usize::from(fix));
    // Offset, blanks, three columns and one character for each byte.
    model.detail.hex_width = if detail.width >= 74 { 16 } else { 8 };
    model.aggregates.cursor.height = usize::from(lines.height);
    model.index.height = usize::from(areas.inner(areas.main).height);
    let findings = if model.tab == Tab::Findings { lines } else { areas.inner(areas.findings) };
    model.findings.height = usize::from(findings.height);
    let total = model.scan.findings.len();
    model.findings.move_by(0, total);
    model.repairs.cursor.height = usize::from(lines.height);
    model.repairs.detail_cursor.height = usize::from(areas.inner(areas.detail).height);
    let size = model.size;
    if let Some(Overlay::Confirm(question)) = model.overlays.last_mut() {
        let (columns, shown) = layout::dialog_text_size(size, question);
        question.top = question.top.min(question.wrapped_lines(columns).len().saturating_sub(shown));
    }
    if let Some(Overlay::Help(help)) = model.overlays.last_mut() {
        help.cursor.height = usize::from(layout::help_list_height(model.size.1));
        let total = help.matching_actions().len();
        help.cursor.move_by(0, total);
    }
    if !layout::focusable_panes(model).contains(&model.focus) {
        model.focus = Pane::Main;
    }
}

fn request_missing_rows(model: &mut Model) {
    let (bytes, may_read) = (model.log_info.bytes, model.can_read_in_background());
    // A copy costs little, and the list is about to change.
    let gather = model.filter_counter().filter(|_| may_read).cloned();
    let ready = |from, direction| gather.as_ref().is_none_or(|gather| gather.can_answer(from, direction, bytes));
    if let Some((from, direction)) = model.list.begin_next_request(bytes, ready) {
        let filter = model.list.filter.clone();
        let more = Request::MoreRows { from, direction, rows: ROW_BATCH, filter, hits: None };
        if model.list.filter.is_empty() {
            send_request(model, WorkerKind::List, more);
        } else {
            super::start_job(model, WorkerKind::List, "filtering", more);
        }
    }
}

/// The row that the detail pane is about.
pub(super) fn selected_row(model: &Model) -> Option<LogRow> {
    if model.tab == Tab::Findings || model.focus == Pane::Findings {
        let finding = model.scan.findings.get(model.findings.line)?;
        return Some(LogRow { start: finding.start, end: finding.end, content: RowContent::Finding(finding.clone()) });
    }
    model.list.selected_row().cloned()
}

fn request_detail(model: &mut Model) {
    let visible = layout::compute_areas(model).detail.height > 0;
    if !visible && model.overlays.is_empty() && !matches!(model.tab, Tab::Events | Tab::Findings) {
        return;
    }
    let Some(row) = selected_row(model) else {
        if model.list.rows.is_empty() {
            model.detail.contents = None;
            model.detail.requested = None;
        }
        return;
    };
    // Hex reads the bytes, the others what they say: both come with every answer but the aggregate's events.
    let view = if model.detail.view == DetailView::Aggregate { DetailView::Aggregate } else { DetailView::Json };
    let range = (row.start, row.end);
    let known = model.detail.requested.filter(|asked| asked.range == range);
    if known.is_none() {
        model.detail.scroll_to_start();
    }
    let window = known.and_then(|_| model.detail.missing_hex_window());
    let base = window.or(known.map(|asked| asked.base)).unwrap_or(row.start);
    let wanted = DetailRequest { range, view, base, index_generation: model.detail.index_generation };
    if model.detail.requested != Some(wanted) {
        model.detail.requested = Some(wanted);
        send_request(model, WorkerKind::Detail, Request::Detail { row, base, view });
    }
}

fn request_aggregates(model: &mut Model) {
    if model.tab != Tab::Aggregates || model.aggregates.load_state == AggregateLoadState::Requested {
        return;
    }
    let unasked = model.aggregates.load_state == AggregateLoadState::NotRequested;
    let missing =
        model.aggregates.missing_rows_start().filter(|_| model.aggregates.load_state == AggregateLoadState::Loaded);
    if let Some(from) = missing.or(unasked.then_some(0)) {
        model.aggregates.load_state = AggregateLoadState::Requested;
        send_request(
            model,
            WorkerKind::Aggregates,
            Request::Aggregates { sort: model.aggregates.sort, from, rows: ROW_BATCH },
        );
    }
}
