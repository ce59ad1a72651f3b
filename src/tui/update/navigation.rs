//! Moves the cursor and the scroll position, and jumps to offsets, damage and matches.

use super::requests::start_job;
use super::{following, hit_counter, rows, timeline};
use crate::query::{Direction, JumpTarget, LogRow};
use crate::tui::layout;
use crate::tui::model::{ActiveSearch, ColumnStep, Follow, Model, Pane, Tab};
use crate::tui::request::{Request, WorkerKind};

/// Number of columns that one key press scrolls sideways.
const SCROLL_COLUMNS: i16 = 4;
/// Largest number of columns that a pane can be scrolled to the right.
const MAX_SCROLL_COLUMNS: u16 = 4096;

/// A movement of the cursor in the focused pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Movement {
    /// The cursor moves by a number of lines.
    Lines(i64),
    /// The cursor moves by a number of half pages.
    HalfPages(i64),
    /// The cursor moves by a number of pages.
    Pages(i64),
    /// The cursor moves to the first line.
    ToFirst,
    /// The cursor moves to the last line.
    ToLast,
}

impl Movement {
    /// Returns the movement in lines, for a page of `height` lines. The result is negative for a movement up.
    pub(super) fn lines(self, height: usize) -> i64 {
        let page = height.max(1) as i64;
        match self {
            Self::Lines(lines) => lines,
            Self::HalfPages(count) => count * (page / 2).max(1),
            Self::Pages(count) => count * page,
            // Half the range of the type, so that adding it to a position does not overflow.
            Self::ToFirst => i64::MIN / 2,
            Self::ToLast => i64::MAX / 2,
        }
    }
}

/// Moves the cursor of the focused pane.
pub(super) fn move_cursor(model: &mut Model, movement: Movement) {
    match (model.focus, model.tab) {
        (Pane::Detail, Tab::Repairs) => {
            let lines = movement.lines(model.repairs.detail_cursor.height);
            model.repairs.move_in_details(lines, model.detail.width, model.zone);
        }
        (Pane::Detail, Tab::Compare) => {
            let total = model.detail.side_line_count;
            let cursor = &mut model.compare.detail_cursor;
            cursor.move_by(movement.lines(cursor.height), total);
        }
        (Pane::Detail, _) => model.detail.move_by(movement.lines(model.detail.cursor.height)),
        (Pane::Timeline, _) if movement == Movement::ToFirst => timeline::go_to_end(model, ColumnStep::Earlier),
        (Pane::Timeline, _) if movement == Movement::ToLast => timeline::go_to_end(model, ColumnStep::Later),
        (Pane::Findings, _) | (_, Tab::Findings) => {
            model.findings.move_by(movement.lines(model.findings.height), model.scan.findings.len());
        }
        (_, Tab::Events) => move_in_list(model, movement),
        (_, Tab::Aggregates) => {
            let cursor = &mut model.aggregates.cursor;
            cursor.move_by(movement.lines(cursor.height), model.aggregates.total);
        }
        (_, Tab::Statistics) => {
            let groups = model.statistics.groups().len();
            let cursor = &mut model.statistics.cursor;
            cursor.move_by(movement.lines(cursor.height), groups);
        }
        (_, Tab::Segments) => {
            let cursor = &mut model.segments.cursor;
            cursor.move_by(movement.lines(cursor.height), model.segments.page.total);
        }
        (_, Tab::Compare) => model.compare.move_by(movement.lines(model.compare.cursor.height)),
        (_, Tab::Index) => model.index.scroll_by(movement.lines(model.index.height())),
        (_, Tab::Repairs) => model.repairs.move_by(movement.lines(model.repairs.cursor.height)),
    }
}

fn move_in_list(model: &mut Model, movement: Movement) {
    let lines = movement.lines(model.list.height());
    if lines < 0 {
        following::pause_following(model);
    }
    if matches!(movement, Movement::ToFirst | Movement::ToLast) {
        model.record_place();
    }
    let is_paused = matches!(model.follow, Follow::Paused(_));
    match movement {
        Movement::ToLast if is_paused => return following::follow_end(model),
        Movement::ToFirst if !model.list.at_start => rows::request_window(model, 0),
        Movement::ToLast if !model.list.at_end => rows::request_end(model),
        Movement::ToFirst => model.list.move_by(i64::from(i32::MIN)),
        Movement::ToLast => model.list.move_by(i64::from(i32::MAX)),
        _ => model.list.move_by(lines),
    }
    if is_paused && lines > 0 && model.list.is_at_end() {
        following::follow_end(model);
    }
}

/// Selects the row at an offset in the events tab.
pub(super) fn go_to_offset(model: &mut Model, offset: u64) {
    following::pause_following(model);
    if model.tab != Tab::Events || model.current_place().offset != offset {
        model.record_place();
    }
    model.tab = Tab::Events;
    model.focus = Pane::Main;
    if !model.list.select_offset(offset) {
        rows::request_window(model, offset);
    }
}

/// Starts a job that resolves a jump to an offset.
pub(super) fn start_jump(model: &mut Model, jump: JumpTarget) {
    model.detail.reveal_match = None;
    start_job(model, WorkerKind::Jump, "jumping", Request::ResolveJump(jump));
}

/// Selects the next or the previous damage.
///
/// The findings of the scan are used when the scan has read the whole range up to them; otherwise a worker searches the
/// log.
pub(super) fn go_to_damage(model: &mut Model, direction: Direction) {
    model.detail.reveal_match = None;
    let row = model.selected_row();
    let selected = row.as_ref().map_or(0, |row| row.start);
    let nearest = match direction {
        Direction::Forward => model.scan.damage_after(selected),
        Direction::Backward => model.scan.damage_before(selected),
    };
    let range_health = model.scan.health_map.range_health(match direction {
        Direction::Forward => selected..nearest.map_or(model.log_info.bytes, |finding| finding.start),
        Direction::Backward => nearest.map_or(0, |finding| finding.end)..selected,
    });
    match nearest.map(|finding| finding.start).filter(|_| range_health.verified || model.scan.is_done()) {
        Some(offset) => go_to_offset(model, offset),
        None if model.scan.is_done() => {
            let side = if direction == Direction::Forward { "after" } else { "before" };
            model.notify(match model.skipped_note() {
                Some(note) => format!("No damage found {side} this point; {note}; :scan go reads it"),
                None => format!("No damage {side} this point"),
            });
        }
        None => {
            let from = match direction {
                Direction::Forward => row.map_or(0, |row| row.end.max(row.start + 1)),
                Direction::Backward => selected,
            };
            start_job(model, WorkerKind::Jump, "searching for damage", Request::FindDamage { from, direction });
        }
    }
}

/// Selects the next or the previous row that matches the search. With the focus on the detail pane, the next match in the
/// row that it shows comes first.
pub(super) fn go_to_match(model: &mut Model, direction: Direction) {
    let Some(ActiveSearch { text, pattern }) = model.search.clone() else { return };
    let shows_selected_row = !model.awaits_contents() && model.detail.reveal_match.is_none();
    if model.focus == Pane::Detail && shows_selected_row && model.detail.go_to_next_match(&pattern, direction) {
        return;
    }
    model.detail.reveal_match = Some(direction);
    // While a requested window has not arrived, the search continues from the row that will be selected in it.
    let target = model.list.target_offset();
    let selected = target.unwrap_or_else(|| model.list.selected_offset());
    let from = match (direction, model.list.selected_row()) {
        (Direction::Backward, _) => selected,
        (Direction::Forward, Some(row)) if target.is_none() => row.end,
        (Direction::Forward, _) => selected + 1,
    };
    let filter = model.list.filter.clone();
    hit_counter::sync_counters(model);
    if let Some(offset) = model.search_counter().and_then(|counter| counter.hits.nearest(from, direction)) {
        return go_to_match_at(model, offset);
    }
    let wrapped = model.search_counter().and_then(|counter| {
        let is_complete = counter.hits.is_complete(model.log_info.bytes) && !counter.hits.is_full();
        counter.hits.first_in(direction).filter(|_| is_complete)
    });
    if let Some(offset) = wrapped {
        return go_to_wrapped_match(model, offset);
    }
    let request = Request::FindMatch { pattern, filter, from, direction, hits: None };
    start_job(model, WorkerKind::Jump, format!("searching for {text}"), request);
}

/// Selects the match at an offset that a search has found after it continued at the other end of the log, and reports it.
pub(super) fn go_to_wrapped_match(model: &mut Model, offset: u64) {
    let is_same = model.list.target_offset().unwrap_or_else(|| model.list.selected_offset()) == offset;
    let side = if offset < model.list.selected_offset() { "the start" } else { "the end" };
    go_to_match_at(model, offset);
    model.notify(if is_same {
        "This is the only match".into()
    } else {
        format!("Search continued at {side} of the log")
    });
}

/// Selects the row at an offset that a search has found. The focus stays on the detail pane, where its next match is.
pub(super) fn go_to_match_at(model: &mut Model, offset: u64) {
    let focus = if model.focus == Pane::Detail { Pane::Detail } else { Pane::Main };
    go_to_offset(model, offset);
    model.focus = focus;
    reveal_match(model);
}

/// Scrolls the detail pane to the match of the search, once it shows the row that the search has selected.
pub(super) fn reveal_match(model: &mut Model) {
    let Some(direction) = model.detail.reveal_match else { return };
    let is_here = model.job(WorkerKind::Jump).is_none() && !model.list.is_moving() && !model.awaits_contents();
    if is_here && let Some(search) = &model.search {
        model.detail.go_to_first_match(&search.pattern, direction);
        model.detail.reveal_match = None;
    }
}

/// Shows the view of the detail pane that is a number of places further on. The order is cyclic.
pub(super) fn cycle_view(model: &mut Model, steps: isize) {
    model.detail.cycle_view(steps);
    model.detail.scroll_to_start();
    model.detail.show_chosen_event();
}

/// Scrolls the focused pane sideways by a number of steps.
pub(super) fn scroll_sideways(model: &mut Model, steps: i16) {
    if model.focus == Pane::Detail {
        let columns = &mut model.detail.scroll_columns;
        *columns = columns.saturating_add_signed(isize::from(steps * SCROLL_COLUMNS));
        // The end of the longest value stays in sight.
        let last = model.detail.longest_line().saturating_sub(model.detail.width);
        model.detail.scroll_columns = model.detail.scroll_columns.min(last);
        return;
    }
    // The end of the longest visible row stays in sight.
    let last = model.list.visible_rows().iter().map(|row| columns_beyond_pane(model, row)).max().unwrap_or_default();
    let columns = &mut model.list.scroll_columns;
    *columns = columns.saturating_add_signed(steps * SCROLL_COLUMNS).min(last);
}

/// Returns the number of columns of a row of the events that have no room in their pane.
fn columns_beyond_pane(model: &Model, row: &LogRow) -> u16 {
    let width = usize::from(layout::compute_areas(model).event_rows(model).width);
    let columns = layout::EventColumns::for_width(model, width).row_columns(model, row);
    u16::try_from(columns.saturating_sub(width)).unwrap_or(u16::MAX).min(MAX_SCROLL_COLUMNS)
}

/// Scrolls the focused pane to the start of its lines, or to the end of the line under the cursor.
pub(super) fn scroll_to_line_end(model: &mut Model, end: LineEnd) {
    match (model.focus, end) {
        (Pane::Detail, LineEnd::First) => model.detail.scroll_columns = 0,
        (Pane::Detail, LineEnd::Last) => {
            let search = model.search.as_ref().map(|search| &search.pattern);
            let columns = model.detail.cursor_line_columns(search);
            model.detail.scroll_columns = columns.saturating_sub(model.detail.width);
        }
        (_, LineEnd::First) => model.list.scroll_columns = 0,
        (_, LineEnd::Last) => {
            let columns = model.list.selected_row().map(|row| columns_beyond_pane(model, row));
            model.list.scroll_columns = columns.unwrap_or_default();
        }
    }
}

/// An end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    First,
    Last,
}
