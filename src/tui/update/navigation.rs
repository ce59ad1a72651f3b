//! Moving about: lines, pages, panes, tabs, places in the log, damage, matches.

use super::{hit_counter, layout, refresh, repair, send_request, start_job};
use crate::query::{Direction, Filter, JumpTarget};
use crate::tui::actions::ActionId;
use crate::tui::effect::{Request, WorkerKind};
use crate::tui::model::{AggregateLoadState, DetailView, Follow, Model, Pane, ROW_BATCH, Tab};

/// Moves the cursor of the pane that has the keys.
pub(super) fn move_cursor(model: &mut Model, id: ActionId) {
    let height = match (model.focus, model.tab) {
        (Pane::Detail, Tab::Repairs) => model.repairs.detail_cursor.height,
        (Pane::Detail, _) => model.detail.height,
        (Pane::Findings, _) | (_, Tab::Findings) => model.findings.height,
        (_, Tab::Events) => model.list.height(),
        (_, Tab::Aggregates) => model.aggregates.cursor.height,
        (_, Tab::Index) => model.index.height,
        (_, Tab::Repairs) => model.repairs.cursor.height,
    };
    let page = height.max(1) as i64;
    let by = match id {
        ActionId::Down => 1,
        ActionId::Up => -1,
        ActionId::HalfDown => (page / 2).max(1),
        ActionId::HalfUp => -(page / 2).max(1),
        ActionId::PageDown => page,
        ActionId::PageUp => -page,
        ActionId::First => i64::MIN / 2,
        _ => i64::MAX / 2,
    };
    match (model.focus, model.tab) {
        (Pane::Detail, Tab::Repairs) => {
            let lines = model.repairs.detail_lines(model.detail.width).len();
            model.repairs.detail_cursor.move_by(by, lines);
        }
        (Pane::Detail, _) => model.detail.move_by(by),
        (Pane::Findings, _) | (_, Tab::Findings) => model.findings.move_by(by, model.scan.findings.len()),
        (_, Tab::Events) => move_in_list(model, id, by),
        (_, Tab::Aggregates) => model.aggregates.cursor.move_by(by, model.aggregates.total),
        (_, Tab::Index) => model.index.move_by(by, usize::MAX / 2),
        (_, Tab::Repairs) => model.repairs.move_by(by),
    }
}

fn move_in_list(model: &mut Model, id: ActionId, by: i64) {
    if by < 0 {
        stop_following(model);
    }
    match id {
        ActionId::First if !model.list.at_start => request_window(model, 0),
        ActionId::Last if !model.list.at_end => request_end(model),
        ActionId::First | ActionId::Last => {
            model.list.move_by(if by < 0 { i64::from(i32::MIN) } else { i64::from(i32::MAX) })
        }
        _ => model.list.move_by(by),
    }
}

/// Follows no more, and says so.
pub(super) fn stop_following(model: &mut Model) {
    if model.follow == Follow::Yes {
        model.follow = Follow::No;
        model.notify("following no more; F follows again");
    }
}

/// Follows the end, or no more.
pub(super) fn toggle_follow(model: &mut Model) {
    if model.follow == Follow::Yes {
        stop_following(model);
    } else {
        model.follow = Follow::Yes;
        model.tab = Tab::Events;
        model.focus = Pane::Main;
        request_end(model);
    }
}

/// Asks for the rows around an offset.
pub(super) fn request_window(model: &mut Model, offset: u64) {
    model.list.begin_window_request(model.log_info.bytes, Some(offset));
    let filter = model.list.filter.clone();
    request_rows(model, Request::RowsAround { offset, rows: (ROW_BATCH / 2, ROW_BATCH), filter, hits: None });
}

/// Asks for the rows that end the log.
pub(super) fn request_end(model: &mut Model) {
    model.list.begin_window_request(model.log_info.bytes, None);
    let filter = model.list.filter.clone();
    request_rows(model, Request::LastRows { rows: ROW_BATCH, filter, hits: None });
}

fn request_rows(model: &mut Model, what: Request) {
    hit_counter::sync_counters(model);
    if model.list.filter.is_empty() {
        model.jobs.retain(|job| job.worker != WorkerKind::List);
        send_request(model, WorkerKind::List, what);
    } else {
        start_job(model, WorkerKind::List, "filtering", what);
    }
}

/// Goes to an offset, in the events.
pub(super) fn go_to_offset(model: &mut Model, offset: u64) {
    stop_following(model);
    model.tab = Tab::Events;
    model.focus = Pane::Main;
    if !model.list.select_offset(offset) {
        request_window(model, offset);
    }
}

/// Goes where a jump leads.
pub(super) fn start_jump(model: &mut Model, jump: JumpTarget) {
    start_job(model, WorkerKind::Jump, "going", Request::ResolveJump(jump));
}

/// Goes to the next damage, or the one before: among the findings, or looked for where the scan has not been.
pub(super) fn go_to_damage(model: &mut Model, direction: Direction) {
    let here = refresh::selected_row(model).map_or(0, |row| row.start);
    let found = match direction {
        Direction::Forward => model.scan.damage_after(here),
        Direction::Backward => model.scan.damage_before(here),
    };
    let seen = model.scan.health_map.range_health(match direction {
        Direction::Forward => here..found.map_or(model.log_info.bytes, |finding| finding.start),
        Direction::Backward => found.map_or(0, |finding| finding.end)..here,
    });
    match found.map(|finding| finding.start).filter(|_| seen.verified || model.scan.is_done()) {
        Some(offset) => go_to_offset(model, offset),
        None if model.scan.is_done() => {
            let word = if direction == Direction::Forward { "behind" } else { "before" };
            model.notify(match model.skipped_note() {
                Some(left_out) => format!("none found {word} this place; {left_out}; :scan go reads it"),
                None => format!("no damage {word} this place"),
            });
        }
        None => {
            let from = match direction {
                Direction::Forward => refresh::selected_row(model).map_or(0, |row| row.end.max(row.start + 1)),
                Direction::Backward => here,
            };
            start_job(model, WorkerKind::Jump, "looking for damage", Request::FindDamage { from, direction });
        }
    }
}

/// Goes to the next place that the search matches, or the one before.
pub(super) fn go_to_match(model: &mut Model, direction: Direction) {
    let Some((text, pattern)) = model.search.clone() else {
        return;
    };
    // Keys may come faster than the rows of the place that the one before led to.
    let here = model.list.selected_row().filter(|_| model.list.target_offset().is_none());
    let at = model.list.target_offset().unwrap_or_else(|| model.list.selected_offset());
    let from = match direction {
        Direction::Forward => here.map_or(at + 1, |row| row.end),
        Direction::Backward => at,
    };
    let filter = model.list.filter.clone();
    hit_counter::sync_counters(model);
    if let Some(place) = model.search_counter().and_then(|gather| gather.hits.nearest(from, direction)) {
        return go_to_offset(model, place);
    }
    let what = Request::FindMatch { pattern, filter, from, direction, hits: None };
    start_job(model, WorkerKind::Jump, format!("searching {text}"), what);
}

/// Shows what a filter shows, around the same place.
pub(super) fn set_filter(model: &mut Model, filter: Filter) {
    let place = model.list.selected_offset();
    model.list.filter = filter;
    if model.follow == Follow::Yes {
        request_end(model);
    } else {
        request_window(model, place);
    }
}

/// Another tab.
pub(super) fn switch_tab(model: &mut Model, tab: Tab) {
    if model.tab != tab {
        model.tab = tab;
        model.focus = Pane::Main;
        if tab == Tab::Aggregates && model.aggregates.load_state == AggregateLoadState::NoIndex {
            model.aggregates.load_state = AggregateLoadState::NotRequested;
        }
        // Another program may have repaired the log since.
        if tab == Tab::Repairs {
            repair::request_repair_history(model);
        }
    }
}

/// The next pane, or the one before.
pub(super) fn cycle_focus(model: &mut Model, by: isize) {
    let panes = layout::focusable_panes(model);
    let now = panes.iter().position(|pane| *pane == model.focus).unwrap_or_default() as isize;
    let next = (now + by).rem_euclid(panes.len().max(1) as isize) as usize;
    model.focus = panes.get(next).copied().unwrap_or_default();
}

/// Another view of the same row.
pub(super) fn cycle_view(model: &mut Model, by: isize) {
    model.detail.view = model.detail.view.cycle(by);
    model.detail.scroll_to_start();
    if let (DetailView::Aggregate, Some(contents)) = (model.detail.view, &model.detail.contents)
        && let Some(story) = &contents.history
    {
        let line = story.line_of_offset(contents.details.row.start);
        model.detail.move_by(line as i64);
    }
}

/// Scrolls the pane sideways.
pub(super) fn scroll_sideways(model: &mut Model, by: i16) {
    let columns = match model.focus {
        Pane::Detail => &mut model.detail.scroll_columns,
        _ => &mut model.list.scroll_columns,
    };
    *columns = columns.saturating_add_signed(by * 4).min(4096);
}
