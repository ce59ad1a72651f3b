//! Updates the model after every message: sets the sizes of the panes, and requests rows and contents that are visible
//! but not loaded.

use super::requests::send_request;
use super::{aggregates, compare, dispatch, finding_cursor, help, hit_counter, rows, segments, statistics, timeline};
use crate::query::RowContent;
use crate::tui::model::{
    AggregateLoadState, DetailRequest, FolderListing, Model, Overlay, Pane, ROW_BATCH, RowsNeeded, Tab,
    wrapped_index_lines,
};
use crate::tui::request::{Request, WorkerKind};
use crate::tui::{dialog_layout, layout};

/// Updates sizes and sends requests after the model has changed.
pub(super) fn refresh(model: &mut Model) {
    dispatch::run_awaited(model);
    update_detail_contents(model);
    update_sizes(model);
    hit_counter::advance(model);
    request_missing_rows(model);
    request_detail(model);
    aggregates::request_rows(model);
    segments::request_rows(model);
    statistics::request_statistics(model);
    timeline::request_timeline(model);
    timeline::follow_list(model);
    compare::request_comparison(model);
    request_folder(model);
}

/// Copies what the scan and the repair history know about the row in the detail pane to its contents.
fn update_detail_contents(model: &mut Model) {
    let Some(contents) = &mut model.detail.contents else { return };
    let row = &contents.details.row;
    contents.difference = model.compare.difference_in(row.start, row.end);
    if let Some(history) = &mut contents.history {
        history.sync_findings(&model.scan.findings);
    }
    let RowContent::Finding(finding) = &contents.details.row.content else { return };
    let fix = model.scan.fix_for(finding);
    let journal = model.repairs.backup_journal(finding.kind, finding.range());
    if contents.backup_journal.as_deref() != journal {
        contents.backup_journal = journal.map(std::path::Path::to_owned);
    }
    if contents.fix.as_ref() != fix {
        contents.set_fix(fix.cloned());
    }
}

fn update_sizes(model: &mut Model) {
    let areas = layout::compute_areas(model);
    let lines = areas.table_body(areas.main);
    let event_rows = areas.event_rows(model);
    if model.tab == Tab::Events && event_rows.height > 0 {
        model.list.resize(usize::from(event_rows.height));
    }
    let detail = areas.inner(areas.detail);
    model.detail.hex_width = if usize::from(detail.width) >= model.hex_columns(16) { 16 } else { 8 };
    let head_height = layout::detail_head_height(model);
    let height = areas.table_body(areas.detail).height.saturating_sub(head_height);
    let shows_sides = model.tab == Tab::Compare || model.shows_backup_view();
    model.detail.side_line_count = if shows_sides { model.side_lines(usize::from(detail.width)).len() } else { 0 };
    model.detail.resize(usize::from(detail.width), usize::from(height));
    model.aggregates.cursor.height = usize::from(lines.height);
    if model.aggregates.load_state == AggregateLoadState::Loaded {
        model.aggregates.cursor.move_by(0, model.aggregates.total);
    }
    model.statistics.cursor.height = usize::from(lines.height);
    let groups = model.statistics.groups().len();
    model.statistics.cursor.move_by(0, groups);
    if model.tab == Tab::Index {
        let area = layout::index_area(&areas);
        let total = wrapped_index_lines(model, usize::from(area.width)).len();
        model.index.resize(usize::from(area.height), total);
    }
    let findings =
        if model.tab == Tab::Findings { areas.finding_areas(model).rows } else { areas.inner(areas.findings) };
    model.findings.height = usize::from(findings.height);
    finding_cursor::keep_on_finding(model);
    if model.tab == Tab::Compare {
        model.compare.cursor.height = usize::from(areas.comparison_areas(model).rows.height);
        model.compare.move_by(0);
        model.compare.detail_cursor.height = usize::from(detail.height);
        model.compare.detail_cursor.move_by(0, model.detail.side_line_count);
    }
    if model.tab == Tab::Segments {
        model.segments.cursor.height = usize::from(areas.segment_areas(model).rows.height);
        model.segments.cursor.move_by(0, model.segments.page.total);
    }
    model.repairs.cursor.height = usize::from(lines.height);
    model.repairs.cursor.move_by(0, model.repairs.entry_count());
    model.repairs.detail_cursor.height = usize::from(detail.height);
    if model.tab == Tab::Repairs {
        model.repairs.move_in_details(0, model.detail.width, model.zone);
    }
    update_overlay_sizes(model);
    let focusable = layout::focusable_panes(model);
    if !focusable.contains(&model.focus) {
        model.focus = Pane::Main;
    }
    // The detail pane keeps the row of the list that had the focus before it.
    if model.focus != Pane::Detail || !focusable.contains(&model.detail_source) {
        model.detail_source = if model.focus == Pane::Findings { Pane::Findings } else { Pane::Main };
    }
}

fn update_overlay_sizes(model: &mut Model) {
    let size = model.size;
    let plan_areas = model.plan_dialog().map(|dialog| dialog_layout::plan_dialog_areas(model, dialog));
    match model.overlays.last_mut() {
        Some(Overlay::Confirm(dialog)) => {
            let text = dialog_layout::dialog_text_size(size, dialog);
            let lines = dialog.wrapped_lines(usize::from(text.width)).len();
            dialog.scroll.resize(usize::from(text.height), lines);
        }
        Some(Overlay::Plan(dialog)) => {
            if let Some(areas) = plan_areas {
                let columns = usize::from(areas.body.width).max(1);
                dialog.resize(usize::from(areas.body.height), columns, areas.bytes_per_line());
            }
        }
        Some(Overlay::Help(_)) => help::move_by(model, |_| 0),
        Some(Overlay::Columns(chooser)) => {
            let total = model.list.columns.choices().len();
            chooser.cursor.height = usize::from(layout::column_chooser_lines(size, total));
            chooser.cursor.move_by(0, total);
        }
        _ => {}
    }
}

/// Requests the names in the folder of the path that is being typed, when another folder was listed before.
fn request_folder(model: &mut Model) {
    let Some(Overlay::Prompt(prompt)) = model.overlays.last() else { return };
    let Some(folder) = prompt.typed_path().map(|typed| typed.folder.to_owned()) else { return };
    if model.folder_listing.as_ref().is_none_or(|listing| listing.folder != folder) {
        // Until the names arrive, the folder counts as empty, so that it is requested once.
        model.folder_listing = Some(FolderListing { folder: folder.clone(), entries: Vec::new() });
        send_request(model, WorkerKind::Prompt, Request::ListFolder(folder));
    }
}

fn request_missing_rows(model: &mut Model) {
    let log_bytes = model.log_info.bytes;
    // The counter is cloned, because `is_ready` uses it while `begin_next_request` borrows the model mutably.
    let counter = model.paging_counter().filter(|_| model.can_read_in_background()).cloned();
    let is_ready = |needed: RowsNeeded| {
        counter.as_ref().is_none_or(|counter| counter.can_answer(needed.from, needed.direction, log_bytes))
    };
    if let Some(RowsNeeded { from, direction }) = model.list.begin_next_request(log_bytes, is_ready) {
        let filter = model.list.filter.clone();
        let columns = model.list.columns.page_columns();
        let request = Request::MoreRows { from, direction, rows: ROW_BATCH, filter, hits: None, columns };
        rows::send_row_request(model, request);
    }
}

fn request_detail(model: &mut Model) {
    let is_visible = layout::compute_areas(model).detail.height > 0;
    if !is_visible && model.overlays.is_empty() && !matches!(model.tab, Tab::Events | Tab::Findings) {
        return;
    }
    let Some(row) = model.selected_row() else {
        model.detail.contents = None;
        model.detail.last_request = None;
        return;
    };
    let aggregate = model.detail.aggregate_part(&row.content);
    let requested =
        model.detail.last_request.filter(|requested| (requested.start, requested.end) == (row.start, row.end));
    if requested.is_none() {
        model.detail.scroll_to_start();
    }
    let missing_window = requested.and_then(|_| model.detail.missing_hex_window());
    let hex_start = missing_window.or(requested.map(|requested| requested.hex_start)).unwrap_or(row.start);
    let needed = DetailRequest {
        start: row.start,
        end: row.end,
        aggregate,
        hex_start,
        index_generation: model.detail.index_generation,
    };
    if model.detail.last_request != Some(needed) {
        model.detail.last_request = Some(needed);
        model.detail.failed_at = None;
        send_request(model, WorkerKind::Detail, Request::Detail { row, hex_start, aggregate });
    }
}
