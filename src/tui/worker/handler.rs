//! The function that answers a [`Request`] with a [`Response`]. The worker threads and the tests call it.

use super::jump::{self, MatchSearch};
use super::rows::{self, RowQuery};
use super::{
    SharedState, aggregates, compact, compare, contents, export, folder, hits, repair, report, retention, segments,
    session_store, statistics, timeline, writing,
};
use crate::StorageError;
use crate::inspect::OnProgress;
use crate::query::{Direction, EventTimes};
use crate::tui::message::Response;
use crate::tui::request::Request;

/// State that a worker keeps between requests.
#[derive(Debug, Default)]
pub(crate) struct WorkerCache {
    pub(super) aggregates: aggregates::SortedAggregates,
    pub(super) segments: segments::KnownSegments,
}

/// Handles one request and returns its response.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks, because the request is no longer wanted; otherwise the error of the operation
/// that was requested.
pub(crate) fn handle_request(
    shared: &SharedState,
    request: Request,
    cache: &mut WorkerCache,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    match request {
        Request::RowsAround { offset, rows_before, rows_after, filter, hits, columns } => {
            let forward = RowQuery {
                from: offset,
                direction: Direction::Forward,
                limit: rows_after,
                filter: &filter,
                hits: hits.as_ref(),
                columns: &columns,
            };
            let page = rows::read_rows_around(shared, forward, rows_before, on_progress)?;
            Ok(Response::RowWindow { page, cursor_offset: offset })
        }
        Request::LastRows { rows, filter, hits, columns } => {
            let query = RowQuery {
                from: u64::MAX,
                direction: Direction::Backward,
                limit: rows,
                filter: &filter,
                hits: hits.as_ref(),
                columns: &columns,
            };
            let page = rows::read_last_rows(shared, query, on_progress)?;
            let cursor_offset = page.rows.last().map_or(0, |row| row.start);
            Ok(Response::RowWindow { page, cursor_offset })
        }
        Request::MoreRows { from, direction, rows, filter, hits, columns } => {
            let hits = hits.as_ref();
            let query = RowQuery { from, direction, limit: rows, filter: &filter, hits, columns: &columns };
            rows::read_rows(shared, query, on_progress).map(Response::MoreRows)
        }
        Request::Detail { row, hex_start, aggregate } => {
            contents::read_contents(shared, row, hex_start, aggregate, on_progress).map(Response::Detail)
        }
        Request::ResolveJump(target) => jump::resolve_target(shared, &target, on_progress),
        Request::FindMatch { pattern, filter, hits, from, direction } => {
            let search = MatchSearch { pattern, filter, hits, from, direction };
            jump::find_match_around(shared, search, on_progress)
        }
        Request::EventTimes => Ok(Response::EventTimes(EventTimes::read(&shared.view())?)),
        Request::ListFolder(folder) => Ok(folder::list_folder(folder)),
        Request::FindDamage { from, direction } => {
            let offset = jump::find_next_damage(shared, from, direction, on_progress)?;
            Ok(offset.map_or(Response::NoDamage, Response::JumpTarget))
        }
        Request::ExtendHits { hits, slice_bytes, priority } => {
            hits::search_next_slice(shared, hits, slice_bytes, priority, on_progress)
        }
        Request::Aggregates { selection, from, rows } => {
            cache.aggregates.read_rows(shared, &selection, from, rows, on_progress)
        }
        Request::Segments(request) => cache.segments.read_rows(shared, request, on_progress),
        Request::Statistics(request) => statistics::count_events(shared, request, on_progress),
        Request::Timeline(request) => timeline::count_events(shared, request, on_progress),
        Request::Export(request) => export::export_events(shared, request, on_progress),
        Request::Compact(request) => compact::write_latest_events(shared, request, on_progress),
        Request::Report(request) => report::write_report(shared, request, on_progress),
        Request::LoadSession => Ok(Response::SessionLoaded(Box::new(session_store::load(shared)?))),
        Request::PrepareSession(hints) => Ok(session_store::prepare(shared, hints)),
        Request::SaveSession(document) => Ok(Response::SessionSaved(session_store::save(shared, &document))),
        Request::Compare(path) => compare::compare(shared, &path, on_progress),
        Request::BothSides { path, difference } => compare::read_both_sides(shared, &path, *difference),
        Request::Append(request) => writing::append(shared, &request, on_progress),
        Request::SaveIndex(mode) => writing::save_index(shared, mode, on_progress),
        Request::RepairHistory => repair::read_records(shared),
        Request::Plan(request) => repair::make_plan(shared, request, on_progress),
        Request::PlanSegmentChange(request) => retention::make_plan(shared, &request, on_progress),
        Request::ChangeSegments(plan) => retention::apply_plan(shared, &plan),
        Request::PlanBytes { plan, source } => Ok(repair::read_plan_bytes(shared, &plan, source)),
        Request::Apply(plan) => repair::apply_plan(shared, &plan, on_progress),
    }
}
