//! The table of aggregates: its order, its filter by id, its rows, and the events of an aggregate.

use super::requests::send_request;
use super::{following, rows};
use crate::query::RowContent;
use crate::tui::model::{AggregateLoadState, ListCursor, Model, Pane, PromptError, ROW_BATCH, Tab};
use crate::tui::request::{AggregateRow, AggregateSelection, IdPrefix, Request, WorkerKind};

/// Shows the events of the selected aggregate.
pub(super) fn show_selected(model: &mut Model) {
    let Some(aggregate) = model.aggregates.row(model.aggregates.cursor.line).map(|row| row.summary) else { return };
    if let Ok(filter) = model.list.filter.with_words(&format!("agg:{}", aggregate.id)) {
        model.record_place();
        model.tab = Tab::Events;
        model.focus = Pane::Main;
        following::stop_following(model);
        rows::set_filter_at(model, filter, aggregate.first);
    }
}

/// Sorts the table by the next column.
pub(super) fn cycle_sort(model: &mut Model) {
    let table = &mut model.aggregates;
    table.sort = table.sort.next();
    table.cursor = ListCursor { line: 0, top: 0, ..table.cursor };
    table.load_state = AggregateLoadState::NotRequested;
}

/// Sets the filter by id that was typed.
///
/// # Errors
/// No id starts with the text.
pub(super) fn submit_id(model: &mut Model, text: &str) -> Result<(), PromptError> {
    let prefix = IdPrefix::parse(text).map_err(|text| PromptError { text, at: None })?;
    model.aggregates.id_prefix = prefix;
    model.overlays.pop();
    Ok(())
}

/// Shows all aggregates again.
pub(super) fn clear_id_filter(model: &mut Model) {
    model.aggregates.id_prefix = IdPrefix::default();
    model.notify("All aggregates are shown");
}

/// Filters the events by the selected aggregate, or by the aggregate of the selected event.
pub(super) fn filter_by_aggregate(model: &mut Model) {
    if model.tab == Tab::Aggregates {
        return show_selected(model);
    }
    let id = match model.selected_row().map(|row| row.content) {
        Some(RowContent::Event(event)) => event.aggregate_id,
        _ => None,
    };
    if let Some(filter) = id.and_then(|id| model.list.filter.with_words(&format!("agg:{id}")).ok()) {
        model.tab = Tab::Events;
        rows::set_filter(model, filter);
    }
}

/// Requests the rows of the table that are visible and not loaded, while its tab is shown.
pub(super) fn request_rows(model: &mut Model) {
    if model.tab != Tab::Aggregates {
        return;
    }
    let prefix = model.aggregate_prefix();
    let table = &mut model.aggregates;
    let is_other_filter = prefix != table.requested_prefix;
    let from = match table.load_state {
        AggregateLoadState::NoIndex => None,
        _ if is_other_filter => Some(0),
        AggregateLoadState::NotRequested => Some(0),
        AggregateLoadState::Loaded => table.missing_rows_start(),
        AggregateLoadState::Requested => None,
    };
    let Some(from) = from else { return };
    if is_other_filter {
        table.goes_to_exact = true;
        table.cursor = ListCursor { line: 0, top: 0, ..table.cursor };
    }
    table.requested_prefix = prefix.clone();
    table.load_state = AggregateLoadState::Requested;
    let selection = AggregateSelection { sort: table.sort, prefix };
    send_request(model, WorkerKind::Aggregates, Request::Aggregates { selection, from, rows: ROW_BATCH });
}

/// Forgets the rows, because no index shows the aggregates of the log as it is now. The cursor waits where it is.
pub(super) fn forget_rows(model: &mut Model) {
    let table = &mut model.aggregates;
    table.load_state = AggregateLoadState::NoIndex;
    (table.first_row, table.total, table.unfiltered_total, table.over_limit) = (0, 0, 0, false);
    table.rows.clear();
}

/// Rows of the table that have arrived.
pub(super) struct LoadedAggregates {
    pub(super) first_row: usize,
    pub(super) rows: Vec<AggregateRow>,
    pub(super) total: usize,
    pub(super) unfiltered_total: usize,
    /// Position of the aggregate whose id was typed in full.
    pub(super) exact: Option<usize>,
    pub(super) over_limit: bool,
}

/// Shows rows that have arrived. The cursor goes to the aggregate whose id was typed in full.
pub(super) fn set_rows(model: &mut Model, loaded: LoadedAggregates) {
    let LoadedAggregates { first_row, rows, total, unfiltered_total, exact, over_limit } = loaded;
    let table = &mut model.aggregates;
    (table.first_row, table.rows, table.over_limit) = (first_row, rows, over_limit);
    (table.total, table.unfiltered_total) = (total, unfiltered_total);
    table.load_state = AggregateLoadState::Loaded;
    if std::mem::take(&mut table.goes_to_exact) {
        table.cursor.line = exact.unwrap_or_default();
    }
    table.cursor.move_by(0, total);
}
