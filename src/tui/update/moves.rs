//! Moving about: lines, pages, panes, tabs, places in the log, damage, matches.

use super::{ask, gather, layout, repair, settle, start};
use crate::query::{Direction, Filter, Jump};
use crate::tui::actions::Id;
use crate::tui::effect::{Ask, Lane};
use crate::tui::model::{BATCH, Follow, Model, Pane, Source, Tab, View};

/// Moves the cursor of the pane that has the keys.
pub(super) fn move_cursor(model: &mut Model, id: Id) {
    let height = match (model.focus, model.tab) {
        (Pane::Detail, Tab::Repairs) => model.repairs.about.height,
        (Pane::Detail, _) => model.detail.height,
        (Pane::Findings, _) | (_, Tab::Findings) => model.findings.height,
        (_, Tab::Events) => model.list.height(),
        (_, Tab::Aggregates) => model.aggregates.cursor.height,
        (_, Tab::Index) => model.index.height,
        (_, Tab::Repairs) => model.repairs.cursor.height,
    };
    let page = height.max(1) as i64;
    let by = match id {
        Id::Down => 1,
        Id::Up => -1,
        Id::HalfDown => (page / 2).max(1),
        Id::HalfUp => -(page / 2).max(1),
        Id::PageDown => page,
        Id::PageUp => -page,
        Id::First => i64::MIN / 2,
        _ => i64::MAX / 2,
    };
    match (model.focus, model.tab) {
        (Pane::Detail, Tab::Repairs) => {
            let lines = model.repairs.sheet(model.detail.width).len();
            model.repairs.about.move_by(by, lines);
        }
        (Pane::Detail, _) => model.detail.move_by(by),
        (Pane::Findings, _) | (_, Tab::Findings) => model.findings.move_by(by, model.scan.findings.len()),
        (_, Tab::Events) => in_list(model, id, by),
        (_, Tab::Aggregates) => model.aggregates.cursor.move_by(by, model.aggregates.total),
        (_, Tab::Index) => model.index.move_by(by, usize::MAX / 2),
        (_, Tab::Repairs) => model.repairs.move_by(by),
    }
}

fn in_list(model: &mut Model, id: Id, by: i64) {
    if by < 0 {
        leave_end(model);
    }
    match id {
        Id::First if !model.list.at_start => window(model, 0),
        Id::Last if !model.list.at_end => end(model),
        Id::First | Id::Last => model.list.move_by(if by < 0 { i64::from(i32::MIN) } else { i64::from(i32::MAX) }),
        _ => model.list.move_by(by),
    }
}

/// Follows no more, and says so.
pub(super) fn leave_end(model: &mut Model) {
    if model.follow == Follow::Yes {
        model.follow = Follow::No;
        model.tell("following no more; F follows again");
    }
}

/// Follows the end, or no more.
pub(super) fn follow(model: &mut Model) {
    if model.follow == Follow::Yes {
        leave_end(model);
    } else {
        model.follow = Follow::Yes;
        model.tab = Tab::Events;
        model.focus = Pane::Main;
        end(model);
    }
}

/// Asks for the rows around an offset.
pub(super) fn window(model: &mut Model, offset: u64) {
    model.list.expect_window(model.facts.bytes, Some(offset));
    let filter = model.list.filter.clone();
    rows(model, Ask::Around { offset, rows: (BATCH / 2, BATCH), filter, hits: None });
}

/// Asks for the rows that end the log.
pub(super) fn end(model: &mut Model) {
    model.list.expect_window(model.facts.bytes, None);
    let filter = model.list.filter.clone();
    rows(model, Ask::End { rows: BATCH, filter, hits: None });
}

fn rows(model: &mut Model, what: Ask) {
    gather::keep(model);
    if model.list.filter.is_empty() {
        model.jobs.retain(|job| job.lane != Lane::List);
        ask(model, Lane::List, what);
    } else {
        start(model, Lane::List, "filtering", what);
    }
}

/// Goes to an offset, in the events.
pub(super) fn go_to(model: &mut Model, offset: u64) {
    leave_end(model);
    model.tab = Tab::Events;
    model.focus = Pane::Main;
    if !model.list.go_to(offset) {
        window(model, offset);
    }
}

/// Goes where a jump leads.
pub(super) fn jump(model: &mut Model, jump: Jump) {
    start(model, Lane::Jump, "going", Ask::Go(jump));
}

/// Goes to the next damage, or the one before: among the findings, or looked for where the scan has not been.
pub(super) fn damage(model: &mut Model, direction: Direction) {
    let here = settle::chosen(model).map_or(0, |row| row.start);
    let found = match direction {
        Direction::Forward => model.scan.damage_after(here),
        Direction::Backward => model.scan.damage_before(here),
    };
    let seen = model.scan.map.look(match direction {
        Direction::Forward => here..found.map_or(model.facts.bytes, |finding| finding.start),
        Direction::Backward => found.map_or(0, |finding| finding.end)..here,
    });
    match found.map(|finding| finding.start).filter(|_| seen.verified || model.scan.is_done()) {
        Some(offset) => go_to(model, offset),
        None if model.scan.is_done() => {
            let word = if direction == Direction::Forward { "behind" } else { "before" };
            model.tell(match model.left_out() {
                Some(left_out) => format!("none found {word} this place; {left_out}; :scan go reads it"),
                None => format!("no damage {word} this place"),
            });
        }
        None => {
            let from = match direction {
                Direction::Forward => settle::chosen(model).map_or(0, |row| row.end.max(row.start + 1)),
                Direction::Backward => here,
            };
            start(model, Lane::Jump, "looking for damage", Ask::Damage { from, direction });
        }
    }
}

/// Goes to the next place that the search matches, or the one before.
pub(super) fn search(model: &mut Model, direction: Direction) {
    let Some((text, pattern)) = model.search.clone() else {
        return;
    };
    // Keys may come faster than the rows of the place that the one before led to.
    let here = model.list.current().filter(|_| model.list.heading().is_none());
    let at = model.list.heading().unwrap_or_else(|| model.list.offset());
    let from = match direction {
        Direction::Forward => here.map_or(at + 1, |row| row.end),
        Direction::Backward => at,
    };
    let filter = model.list.filter.clone();
    gather::keep(model);
    if let Some(place) = model.search_hits().and_then(|gather| gather.hits.nearest(from, direction)) {
        return go_to(model, place);
    }
    let what = Ask::Find { pattern, filter, from, direction, hits: None };
    start(model, Lane::Jump, format!("searching {text}"), what);
}

/// Shows what a filter shows, around the same place.
pub(super) fn filter(model: &mut Model, filter: Filter) {
    let place = model.list.offset();
    model.list.filter = filter;
    if model.follow == Follow::Yes {
        end(model);
    } else {
        window(model, place);
    }
}

/// Another tab.
pub(super) fn tab(model: &mut Model, tab: Tab) {
    if model.tab != tab {
        model.tab = tab;
        model.focus = Pane::Main;
        if tab == Tab::Aggregates && model.aggregates.source == Source::NoIndex {
            model.aggregates.source = Source::Unasked;
        }
        // Another program may have repaired the log since.
        if tab == Tab::Repairs {
            repair::look(model);
        }
    }
}

/// The next pane, or the one before.
pub(super) fn pane(model: &mut Model, by: isize) {
    let panes = layout::panes(model);
    let now = panes.iter().position(|pane| *pane == model.focus).unwrap_or_default() as isize;
    let next = (now + by).rem_euclid(panes.len().max(1) as isize) as usize;
    model.focus = panes.get(next).copied().unwrap_or_default();
}

/// Another view of the same row.
pub(super) fn view(model: &mut Model, by: isize) {
    model.detail.view = model.detail.view.step(by);
    model.detail.rewind();
    if let (View::Aggregate, Some(contents)) = (model.detail.view, &model.detail.contents)
        && let Some(story) = &contents.story
    {
        let line = story.line_of(contents.row.start);
        model.detail.move_by(line as i64);
    }
}

/// Scrolls the pane sideways.
pub(super) fn sideways(model: &mut Model, by: i16) {
    let columns = match model.focus {
        Pane::Detail => &mut model.detail.sideways,
        _ => &mut model.list.sideways,
    };
    *columns = columns.saturating_add_signed(by * 4).min(4096);
}
