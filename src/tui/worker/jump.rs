//! Resolves a jump to an offset, a number or a time, and finds the next match or damage in one direction.

use super::SharedState;
use super::rows::{RowQuery, SearchSpan, read_rows};
use crate::StorageError;
use crate::inspect::{OnProgress, Progress};
use crate::query::{
    Direction, Filter, Hits, JumpTarget, ReadStart, SearchPattern, SearchRequest, find_match, resolve_jump,
    resolve_jump_or_last_row,
};
use crate::report::units::format_number;
use crate::tui::message::Response;
use crate::tui::request::PageColumns;

/// A search for the next row that `pattern` matches among the rows that pass `filter`.
pub(super) struct MatchSearch {
    pub(super) pattern: SearchPattern,
    pub(super) filter: Filter,
    /// Known hits of the search. Where they suffice, the log is not searched again.
    pub(super) hits: Option<Hits>,
    pub(super) from: u64,
    pub(super) direction: Direction,
}

/// Resolves a jump to the offset of a row. A target past the end resolves to the last row, and an offset that was removed to the
/// first one, with a message.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` as in [`resolve_jump`].
pub(super) fn resolve_target(
    shared: &SharedState,
    target: &JumpTarget,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let view = shared.view();
    let log_bytes = view.log().len()?;
    let index = shared.index();
    let index = index.as_deref();
    let mut report = |reached: Progress| on_progress(Progress { total: log_bytes, ..reached });
    if let Some(offset) = resolve_jump(&view, index, target, &mut report)? {
        let removed = match target {
            JumpTarget::Offset(wanted) => view.log().ensure_not_removed(*wanted).err(),
            _ => None,
        };
        let Some(StorageError::Removed { first, .. }) = removed else { return Ok(Response::JumpTarget(offset)) };
        let message = format!("Removed: the log starts at {}. This is its first row.", format_number(first));
        return Ok(Response::JumpOutside { nearest_row: offset, message });
    }
    let message = match target {
        JumpTarget::Offset(_) => format!("The log ends at {}. This is its last row.", format_number(log_bytes)),
        JumpTarget::Ordinal(number) => format!("No event {}. This is the last row.", format_number(*number)),
        JumpTarget::Time(_) => "No event at that time or later. This is the last row.".into(),
        JumpTarget::Percent(_) | JumpTarget::First | JumpTarget::Last => "This is the last row.".into(),
    };
    let nearest_row = resolve_jump_or_last_row(&view, index, &JumpTarget::Last, &mut report)?;
    Ok(Response::JumpOutside { nearest_row, message })
}

/// Finds the next row that matches. A search that reaches an end of the log continues at the other end.
///
/// # Errors
/// Returns the errors of [`find_next_match`].
pub(super) fn find_match_around(
    shared: &SharedState,
    mut search: MatchSearch,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    if let Some(offset) = find_next_match(shared, &search, on_progress)? {
        return Ok(Response::JumpTarget(offset));
    }
    search.from = search.direction.first_offset();
    Ok(find_next_match(shared, &search, on_progress)?.map_or(Response::NoMatch, Response::WrappedMatch))
}

/// Finds the next row that matches; `None` when no row in that direction does.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` as in [`find_match`].
fn find_next_match(
    shared: &SharedState,
    search: &MatchSearch,
    on_progress: &mut OnProgress,
) -> Result<Option<u64>, StorageError> {
    let MatchSearch { pattern, filter, hits, from, direction } = search;
    let start = ReadStart::new(*from, *direction);
    let view = shared.view();
    let index = shared.index();
    let span = SearchSpan { from: start.from, direction: start.direction, log_bytes: view.log().len()? };
    let mut report = |reached| span.report(reached, on_progress);
    match hits {
        Some(hits) => hits.find_match(&view, index.as_deref(), start, &mut report),
        None => find_match(&view, index.as_deref(), &SearchRequest::new(pattern, filter, start), &mut report),
    }
}

/// Finds the next damaged range by reading the log, and returns its start; `None` when there is none in that direction.
///
/// # Errors
/// Returns the errors of [`read_rows`].
pub(super) fn find_next_damage(
    shared: &SharedState,
    from: u64,
    direction: Direction,
    on_progress: &mut OnProgress,
) -> Result<Option<u64>, StorageError> {
    let filter = Filter::parse("is:damaged", 0).unwrap_or_default();
    let rows = RowQuery { from, direction, limit: 1, filter: &filter, hits: None, columns: &PageColumns::default() };
    let page = read_rows(shared, rows, on_progress)?;
    let nearest = if direction == Direction::Forward { page.rows.first() } else { page.rows.last() };
    Ok(nearest.map(|row| row.start))
}
