//! Answers: one function from a question to what is told, the same on a worker's thread and in a test.

use std::ops::ControlFlow;

use super::{OnProgress, Shared, aggregates, contents, hits, repair, writing};
use crate::StorageError;
use crate::query::{self, Direction, Filter, Hits, Jump, Page, find, land, page, resolve};
use crate::tui::effect::Ask;
use crate::tui::message::Told;

/// What a lane remembers from one question to the next.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(super) aggregates: aggregates::Sorted,
}

/// Answers a question.
///
/// # Errors
/// `Stopped` when it is not wanted any more; otherwise as the rooms below.
pub(crate) fn answer(
    shared: &Shared,
    ask: Ask,
    memory: &mut Memory,
    on: &mut OnProgress,
) -> Result<Told, StorageError> {
    match ask {
        Ask::Around { offset, rows, filter, hits } => around(shared, offset, rows, (&filter, hits.as_ref()), on),
        Ask::End { rows, filter, hits } => {
            let page = rows_from(shared, (u64::MAX, Direction::Backward), rows, (&filter, hits.as_ref()), on)?;
            let last = page.rows.last().map_or(0, |row| row.start);
            Ok(Told::Window(Page { at_end: true, ..page }, last))
        }
        Ask::More { from, direction, rows, filter, hits } => {
            rows_from(shared, (from, direction), rows, (&filter, hits.as_ref()), on).map(Told::More)
        }
        Ask::Detail { row, base, view } => contents::contents(shared, row, base, view, on).map(Told::Detail),
        Ask::Go(jump) => {
            let view = shared.view();
            let total = view.log().len()?;
            let index = shared.index();
            let (index, mut on) = (index.as_deref(), |at| on(at, total));
            if let Some(place) = land(&view, index, &jump, &mut on)? {
                return Ok(Told::Place(Some(place)));
            }
            let why = match jump {
                Jump::Offset(_) => format!("the log ends at {total}: this is its last row"),
                Jump::Ordinal(_) => "there are not so many events: this is the last row".into(),
                Jump::Time(_) => "no event is of that time or later: this is the last row".into(),
                Jump::Percent(_) | Jump::First | Jump::Last => "this is the last row".into(),
            };
            Ok(Told::Beyond(resolve(&view, index, &Jump::Last, &mut on)?, why))
        }
        Ask::Hits { hits, pace } => hits::look_on(shared, hits, pace, on),
        Ask::Find { pattern, filter, from, direction, hits } => {
            let view = shared.view();
            let total = view.log().len()?;
            let index = shared.index();
            let mut told = |at| covered(on, from, at, direction, total);
            let found = match hits {
                Some(hits) => hits.find(&view, index.as_deref(), (from, direction), &mut told),
                None => find(&view, index.as_deref(), &pattern, &filter, from, direction, &mut told),
            };
            found.map(Told::Place)
        }
        Ask::Damage { from, direction } => {
            let filter = Filter::parse("is:damaged", 0).unwrap_or_default();
            let page = rows_from(shared, (from, direction), 1, (&filter, None), on)?;
            let row = if direction == Direction::Forward { page.rows.first() } else { page.rows.last() };
            Ok(Told::Place(row.map(|row| row.start)))
        }
        Ask::Aggregates { sort, from, rows } => memory.aggregates.lines(shared, sort, from, rows, on),
        Ask::Append(order) => writing::append(shared, &order, on),
        Ask::Records => repair::records(shared),
        Ask::Plan(wanted) => repair::plan(shared, wanted, on),
        Ask::Apply(plan) => repair::apply(shared, &plan),
        Ask::SaveIndex(extent) => writing::save_index(shared, extent, on),
    }
}

/// What is shown, and where it stands as far as that is known.
type Among<'a> = (&'a Filter, Option<&'a Hits>);

/// Rows before an offset and from it on.
fn around(
    shared: &Shared,
    offset: u64,
    rows: (usize, usize),
    among: Among,
    on: &mut OnProgress,
) -> Result<Told, StorageError> {
    let behind = rows_from(shared, (offset, Direction::Forward), rows.1, among, on)?;
    // What no hit is known of yet is asked for behind the first page.
    let unknown = among.1.is_some_and(|hits| !hits.can_answer(offset, Direction::Backward, u64::MAX));
    if unknown && !behind.rows.is_empty() {
        return Ok(Told::Window(behind, offset));
    }
    let mut before = rows_from(shared, (offset, Direction::Backward), rows.0, among, on)?;
    // A log that lost its end ends with a row of no bytes, which belongs to either side.
    if behind.rows.first().is_some_and(|first| before.rows.last() == Some(first)) {
        before.rows.pop();
    }
    let at_start = before.at_start;
    before.rows.extend(behind.rows);
    Ok(Told::Window(Page { rows: before.rows, at_start, at_end: behind.at_end }, offset))
}

/// Rows from an offset, one way.
pub(super) fn rows_from(
    shared: &Shared,
    (from, direction): (u64, Direction),
    limit: usize,
    (filter, hits): Among,
    on: &mut OnProgress,
) -> Result<Page, StorageError> {
    let view = shared.view();
    let total = view.log().len()?;
    let mut told = |at| covered(on, from, at, direction, total);
    let index = shared.index();
    if let Some(hits) = hits {
        return hits.page(&view, index.as_deref(), (from, direction), limit, &mut told);
    }
    let ask = query::Ask { from, direction, limit, filter };
    page(&view, index.as_deref(), &ask, &mut told)
}

/// Tells how much of what lies that way was read.
fn covered(on: &mut OnProgress, from: u64, at: u64, direction: Direction, total: u64) -> ControlFlow<()> {
    let from = from.min(total);
    match direction {
        Direction::Forward => on(at.saturating_sub(from), total - from),
        Direction::Backward => on(from.saturating_sub(at), from),
    }
}
