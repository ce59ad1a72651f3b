//! Answers: one function from a question to what is told, the same on a worker's thread and in a test.

use std::ops::ControlFlow;

use super::{ProgressCallback, SharedState, aggregates, contents, hits, repair, writing};
use crate::StorageError;
use crate::inspect::Progress;
use crate::query::{
    self, Direction, Filter, Hits, JumpTarget, RowPage, find_match, read_page, resolve_jump, resolve_jump_or_last_row,
};
use crate::tui::effect::Request;
use crate::tui::message::Response;

/// What a lane remembers from one question to the next.
#[derive(Debug, Default)]
pub(crate) struct WorkerCache {
    pub(super) aggregates: aggregates::SortedAggregates,
}

/// Answers a question.
///
/// # Errors
/// `Stopped` when it is not wanted any more; otherwise as the rooms below.
pub(crate) fn handle_request(
    shared: &SharedState,
    ask: Request,
    memory: &mut WorkerCache,
    on: &mut ProgressCallback,
) -> Result<Response, StorageError> {
    match ask {
        Request::RowsAround { offset, rows, filter, hits } => {
            read_rows_around(shared, offset, rows, (&filter, hits.as_ref()), on)
        }
        Request::LastRows { rows, filter, hits } => {
            let page = read_rows_from(shared, (u64::MAX, Direction::Backward), rows, (&filter, hits.as_ref()), on)?;
            let last = page.rows.last().map_or(0, |row| row.start);
            Ok(Response::RowWindow(RowPage { at_end: true, ..page }, last))
        }
        Request::MoreRows { from, direction, rows, filter, hits } => {
            read_rows_from(shared, (from, direction), rows, (&filter, hits.as_ref()), on).map(Response::MoreRows)
        }
        Request::Detail { row, base, view } => {
            contents::read_contents(shared, row, base, view, on).map(Response::Detail)
        }
        Request::ResolveJump(jump) => {
            let view = shared.view();
            let total = view.log().len()?;
            let index = shared.index();
            let (index, mut on) = (index.as_deref(), |progress: Progress| on(progress.position, total));
            if let Some(place) = resolve_jump(&view, index, &jump, &mut on)? {
                return Ok(Response::JumpTarget(Some(place)));
            }
            let message = match jump {
                JumpTarget::Offset(_) => format!("the log ends at {total}: this is its last row"),
                JumpTarget::Ordinal(_) => "there are not so many events: this is the last row".into(),
                JumpTarget::Time(_) => "no event is of that time or later: this is the last row".into(),
                JumpTarget::Percent(_) | JumpTarget::First | JumpTarget::Last => "this is the last row".into(),
            };
            Ok(Response::JumpPastEnd(resolve_jump_or_last_row(&view, index, &JumpTarget::Last, &mut on)?, message))
        }
        Request::ExtendHits { hits, priority: pace } => hits::search_next_slice(shared, hits, pace, on),
        Request::FindMatch { pattern, filter, from, direction, hits } => {
            let view = shared.view();
            let total = view.log().len()?;
            let index = shared.index();
            let mut told = |progress: Progress| report_progress(on, from, progress.position, direction, total);
            let found = match hits {
                Some(hits) => hits.find_match(&view, index.as_deref(), (from, direction), &mut told),
                None => find_match(&view, index.as_deref(), &pattern, &filter, from, direction, &mut told),
            };
            found.map(Response::JumpTarget)
        }
        Request::FindDamage { from, direction } => {
            let filter = Filter::parse("is:damaged", 0).unwrap_or_default();
            let page = read_rows_from(shared, (from, direction), 1, (&filter, None), on)?;
            let row = if direction == Direction::Forward { page.rows.first() } else { page.rows.last() };
            Ok(Response::JumpTarget(row.map(|row| row.start)))
        }
        Request::Aggregates { sort, from, rows } => memory.aggregates.read_rows(shared, sort, from, rows, on),
        Request::Append(order) => writing::append(shared, &order, on),
        Request::RepairHistory => repair::read_records(shared),
        Request::Plan(wanted) => repair::make_plan(shared, wanted, on),
        Request::Apply(plan) => repair::apply_plan(shared, &plan),
        Request::SaveIndex(extent) => writing::save_index(shared, extent, on),
    }
}

/// What is shown, and where it stands as far as that is known.
type FilterWithHits<'a> = (&'a Filter, Option<&'a Hits>);

/// Rows before an offset and from it on.
fn read_rows_around(
    shared: &SharedState,
    offset: u64,
    rows: (usize, usize),
    among: FilterWithHits,
    on: &mut ProgressCallback,
) -> Result<Response, StorageError> {
    let after = read_rows_from(shared, (offset, Direction::Forward), rows.1, among, on)?;
    // What no hit is known of yet is asked for behind the first page.
    let unknown = among.1.is_some_and(|hits| !hits.can_answer(offset, Direction::Backward, u64::MAX));
    if unknown && !after.rows.is_empty() {
        return Ok(Response::RowWindow(after, offset));
    }
    let mut before = read_rows_from(shared, (offset, Direction::Backward), rows.0, among, on)?;
    // A log that lost its end ends with a row of no bytes, which belongs to either side.
    if after.rows.first().is_some_and(|first| before.rows.last() == Some(first)) {
        before.rows.pop();
    }
    let at_start = before.at_start;
    before.rows.extend(after.rows);
    Ok(Response::RowWindow(RowPage { rows: before.rows, at_start, at_end: after.at_end }, offset))
}

/// Rows from an offset, one way.
pub(super) fn read_rows_from(
    shared: &SharedState,
    (from, direction): (u64, Direction),
    limit: usize,
    (filter, hits): FilterWithHits,
    on: &mut ProgressCallback,
) -> Result<RowPage, StorageError> {
    let view = shared.view();
    let total = view.log().len()?;
    let mut told = |progress: Progress| report_progress(on, from, progress.position, direction, total);
    let index = shared.index();
    if let Some(hits) = hits {
        return hits.read_page(&view, index.as_deref(), (from, direction), limit, &mut told);
    }
    let ask = query::PageRequest { from, direction, limit, filter };
    read_page(&view, index.as_deref(), &ask, &mut told)
}

/// Tells how much of what lies that way was read.
fn report_progress(on: &mut ProgressCallback, from: u64, at: u64, direction: Direction, total: u64) -> ControlFlow<()> {
    let from = from.min(total);
    match direction {
        Direction::Forward => on(at.saturating_sub(from), total - from),
        Direction::Backward => on(from.saturating_sub(at), from),
    }
}
