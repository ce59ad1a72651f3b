//! Handles write requests: appends events, and saves the index. The writer's lock is held for one request only.

use std::ops::ControlFlow;
use std::time::Instant;

use super::SharedState;
use super::shared::{OpenedLog, ScannedIndex};
use crate::StorageError;
use crate::file::Durability;
use crate::inspect::{LogView, MAX_FINDINGS, OnProgress, Progress, SurveyUpdate};
use crate::log::EventLog;
use crate::repair::FixFinder;
use crate::report::{recovery_line, screen_message, set_aside_line};
use crate::tui::message::{AppendResult, BackgroundUpdate, IndexSaveResult, IndexSummary, Response};
use crate::tui::request::{AppendRequest, IndexBuildMode};

/// Appends the event as often as requested, and measures the time of each append.
///
/// An error after the log was opened does not fail the request: the result describes the events that were
/// appended before it, with the error as the reason for stopping.
///
/// # Errors
/// Returns the errors of [`crate::log::OpenOptions::open`].
pub(super) fn append(
    shared: &SharedState,
    request: &AppendRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let (mut log, recovery_notes) = open_for_append(shared)?;
    let mut result = AppendResult {
        first_offset: 0,
        last_offset: 0,
        bytes: 0,
        durability: request.durability,
        latencies: Vec::new(),
        recovery_notes,
        stop_reason: None,
    };
    for number in 0..request.count {
        if on_progress(Progress { position: u64::from(number), total: u64::from(request.count) }).is_break() {
            result.stop_reason = Some("stopped".into());
            break;
        }
        let started = Instant::now();
        let appended = match request.durability {
            Durability::Buffered => log.append(&request.event),
            Durability::Synced => log.append_sync(&request.event),
        };
        let latency = started.elapsed();
        match appended {
            Ok(offset) => {
                if result.latencies.is_empty() {
                    result.first_offset = offset;
                }
                result.last_offset = offset;
                result.latencies.push(latency);
            }
            Err(error) => {
                result.stop_reason = Some(screen_message(&error));
                break;
            }
        }
    }
    if !result.latencies.is_empty() {
        result.bytes = log.len()?.saturating_sub(result.first_offset);
    }
    // The log is dropped and not closed, because closing would also save the index, which was not requested.
    drop(log);
    Ok(Response::Appended(Box::new(result)))
}

/// Opens the log for appending, and returns a note for each change that opening has made: a recovered repair, or a tail
/// that was set aside.
pub(super) fn open_for_append(shared: &SharedState) -> Result<(EventLog, Vec<String>), StorageError> {
    shared.with_watch_paused(|| {
        let log = shared.open_options().open(shared.path())?;
        let notes = [log.recovered_repair().map(recovery_line), log.set_aside_tail().map(set_aside_line)];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        if !notes.is_empty() {
            shared.reopen_log()?;
        }
        Ok((log, notes))
    })
}

/// Catches the index up or rebuilds it, and saves it.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; in that case nothing is written; otherwise the errors of
/// [`EventLog::save_index`].
pub(super) fn save_index(
    shared: &SharedState,
    mode: IndexBuildMode,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let started = Instant::now();
    let mut log = shared.open_options().open_read_only(shared.path())?;
    let before = index_summary(log.view());
    let is_usable = mode == IndexBuildMode::Incremental && is_same_file(shared, &log);
    if let Some(ScannedIndex { index, journals }) = shared.scanned_index().filter(|_| is_usable) {
        // The scan has read most of the log already, so that little remains to be read here.
        log.replace_index((*index).clone(), journals);
    }
    build_index(shared, &mut log, mode, on_progress)?;
    log.save_index()?;
    let after = index_summary(log.view());
    let verified_to = match mode {
        IndexBuildMode::Incremental => 0,
        IndexBuildMode::Full => {
            let mark = log.view().verification_mark();
            mark.map_or(0, |mark| mark.verified_to)
        }
    };
    shared.refresh_view()?;
    let OpenedLog { view, journals } = shared.opened_log();
    shared.publish_index(view.load_index(), journals);
    shared.queue_update(shared.index_ready());
    shared.queue_update(BackgroundUpdate::LogInfo(Box::new(shared.log_info()?)));
    let elapsed = started.elapsed();
    Ok(Response::IndexSaved(Box::new(IndexSaveResult { mode, before, after, verified_to, elapsed })))
}

/// Returns true when the index of the scan describes the file that `log` has open, and not one that was replaced.
fn is_same_file(shared: &SharedState, log: &EventLog) -> bool {
    let identity = |view: &LogView| view.log().storage().identity().ok();
    let scanned = identity(&shared.view());
    scanned.is_some() && scanned == identity(log.view())
}

/// Builds the index, and queues the findings of that build, so that the scan need not read the same bytes again.
fn build_index(
    shared: &SharedState,
    log: &mut EventLog,
    mode: IndexBuildMode,
    on_progress: &mut OnProgress,
) -> Result<(), StorageError> {
    let mut fix_finder = FixFinder::new(log.view())?;
    let (mut findings, mut fix_error) = (Vec::new(), None);
    let mut on_update = |update: SurveyUpdate| match update {
        SurveyUpdate::Progress(progress) => on_progress(progress),
        // One finding more than the screen stores is collected, so that the screen knows that findings were dropped.
        SurveyUpdate::Finding(_) if findings.len() > MAX_FINDINGS => ControlFlow::Continue(()),
        SurveyUpdate::Finding(finding) => match fix_finder.push(finding) {
            Ok(proposed) => {
                findings.extend(proposed);
                ControlFlow::Continue(())
            }
            Err(error) => {
                fix_error = Some(error);
                ControlFlow::Break(())
            }
        },
    };
    let built = match mode {
        IndexBuildMode::Incremental => log.catch_up_index(&mut on_update).map(|_| ()),
        IndexBuildMode::Full => log.reindex_with_progress(0, &mut on_update).map(|_| ()),
    };
    fix_error.map_or(built, Err)?;
    findings.extend(fix_finder.finish());
    for finding in findings {
        shared.queue_update(BackgroundUpdate::Finding(Box::new(finding)));
    }
    Ok(())
}

/// Summarises the index file: its state, and the events that it covers.
fn index_summary(view: &LogView) -> IndexSummary {
    IndexSummary { state: view.index_state().clone(), events: view.index_coverage().map(|coverage| coverage.events) }
}
