//! Shows the timeline, moves in it and in the list together, and filters by a span of time.

use super::requests::{send_request, start_job};
use super::{following, rows, tabs};
use crate::tui::layout;
use crate::tui::model::{
    ColumnStep, Model, Pane, Tab, TimelineColumns, TimelinePane, TimelineProgress, TimelineVisibility,
};
use crate::tui::request::{Request, TimelineRequest, WorkerKind};

/// Shows the timeline and moves the focus to it; closes it when it has the focus.
pub(super) fn toggle(model: &mut Model) {
    let is_shown = model.timeline.visibility == TimelineVisibility::Shown && model.tab == Tab::Events;
    if is_shown && model.timeline.progress == TimelineProgress::Stopped {
        model.timeline.requested = None;
    } else if is_shown && model.focus == Pane::Timeline {
        return close(model);
    }
    tabs::switch_tab(model, Tab::Events);
    model.timeline.visibility = TimelineVisibility::Shown;
    model.focus = Pane::Timeline;
}

/// Leaves the timeline: drops the selected span, or closes the timeline.
pub(super) fn leave(model: &mut Model) {
    if model.timeline.anchor_ms.take().is_none() {
        close(model);
    }
}

fn close(model: &mut Model) {
    if model.timeline.progress == TimelineProgress::Counting {
        super::requests::cancel_request(model, WorkerKind::Timeline);
    }
    model.timeline = TimelinePane::default();
    model.focus = Pane::Main;
}

/// Goes to the first event of the next column with events in a direction.
pub(super) fn step(model: &mut Model, step: ColumnStep) {
    let Some(columns) = current_columns(model) else { return };
    let from = model.timeline.cursor_ms.and_then(|time| columns.position_of(time));
    if let Some(position) = columns.next_with_events(from, step) {
        go_to_column(model, &columns, position);
    }
}

/// Goes to the first event of the first or the last column with events.
pub(super) fn go_to_end(model: &mut Model, end: ColumnStep) {
    let Some(columns) = current_columns(model) else { return };
    let inwards = if end == ColumnStep::Earlier { ColumnStep::Later } else { ColumnStep::Earlier };
    if let Some(position) = columns.next_with_events(None, inwards) {
        model.record_place();
        go_to_column(model, &columns, position);
    }
}

/// Goes to the events of a column, or to the nearest column with events after it, else before it.
pub(super) fn go_to_clicked_column(model: &mut Model, position: usize) {
    let Some(columns) = current_columns(model) else { return };
    let later = columns.next_with_events(position.checked_sub(1), ColumnStep::Later);
    let nearest = later.or_else(|| columns.next_with_events(Some(position), ColumnStep::Earlier));
    if let Some(position) = nearest {
        model.record_place();
        go_to_column(model, &columns, position);
    }
}

/// Returns the columns, when they are those of the present filter.
fn current_columns(model: &Model) -> Option<TimelineColumns> {
    model.timeline.columns().filter(|_| model.is_timeline_current())
}

fn go_to_column(model: &mut Model, columns: &TimelineColumns, position: usize) {
    let Some(column) = columns.columns.get(position) else { return };
    let Some(offset) = column.first_offset else { return };
    following::pause_following(model);
    model.timeline.cursor_ms = Some(column.start_ms);
    if !model.list.select_offset(offset) {
        rows::request_window(model, offset);
    }
}

/// Starts the selection of a span at the cursor, or drops the span that is selected.
pub(super) fn toggle_selection(model: &mut Model) {
    if model.timeline.anchor_ms.take().is_none() {
        model.timeline.anchor_ms = model.timeline.cursor_ms;
    }
}

/// Filters by the selected span of time, which replaces the times of the filter.
pub(super) fn filter_by_selection(model: &mut Model) {
    let Some(columns) = current_columns(model) else { return };
    let Some(selected) = model.timeline.selection(&columns) else { return };
    let words = TimelinePane::words_of(&columns, &selected);
    let filter = words.and_then(|words| model.list.filter.without_times().with_words(&words).ok());
    let Some(filter) = filter else {
        return model.warn("No filter selects this span: its times are beyond the year 9999");
    };
    let in_span = columns.columns.get(selected).unwrap_or_default();
    let first_offset = in_span.iter().filter_map(|column| column.first_offset).min();
    model.record_place();
    model.timeline.anchor_ms = None;
    let offset = first_offset.unwrap_or_else(|| model.list.selected_offset());
    rows::set_filter_at(model, filter, offset);
}

/// Requests the timeline while it is shown, when its filter or its size has changed, or the log has grown.
pub(super) fn request_timeline(model: &mut Model) {
    let area = layout::compute_areas(model).timeline;
    if area.is_empty() || model.unavailable.as_ref().is_some_and(crate::tui::model::LogUnavailable::has_no_data) {
        return;
    }
    model.timeline.width = usize::from(area.width);
    let key = model.timeline_key();
    let is_new = model.timeline.requested.as_ref().is_none_or(|requested| !requested.is_same(&key));
    let has_grown = model.timeline.requested_at_size != model.log_info.bytes;
    if !is_new && (!has_grown || model.timeline.progress != TimelineProgress::Idle) {
        return;
    }
    let base = model.timeline.timeline.clone().filter(|timeline| !is_new && timeline.is_extensible());
    let is_extension = base.is_some();
    let request = TimelineRequest { filter: key.filter.clone(), max_intervals: key.max_intervals, base };
    let pane = &mut model.timeline;
    pane.requested = Some(key);
    pane.requested_at_size = model.log_info.bytes;
    pane.progress = TimelineProgress::Counting;
    if is_extension {
        send_request(model, WorkerKind::Timeline, Request::Timeline(request));
    } else {
        start_job(model, WorkerKind::Timeline, "counting events over time", Request::Timeline(request));
    }
}

/// Shows a timeline that has arrived.
pub(super) fn show(model: &mut Model, timeline: std::sync::Arc<crate::query::Timeline>) {
    let pane = &mut model.timeline;
    pane.shown.clone_from(&pane.requested);
    pane.timeline = Some(timeline);
    pane.progress = TimelineProgress::Idle;
}

/// Moves the mark of the timeline to the selected row of the list, unless requested rows have not arrived yet.
pub(super) fn follow_list(model: &mut Model) {
    if model.timeline.visibility == TimelineVisibility::Shown && !model.list.is_moving() {
        let time = model.selected_time();
        model.timeline.cursor_ms = time.or(model.timeline.cursor_ms);
    }
}
