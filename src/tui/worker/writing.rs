//! Writing: events appended under a lock that is held for that alone, and the index saved.

use std::ops::ControlFlow;
use std::time::Instant;

use super::SharedState;
use crate::StorageError;
use crate::file::Durability;
use crate::inspect::{LogView, MAX_FINDINGS, OnProgress, Progress, SurveyUpdate};
use crate::log::EventLog;
use crate::repair::FixFinder;
use crate::report::{describe_error, hint, recovered_line, set_aside_line};
use crate::tui::effect::{AppendRequest, IndexBuildMode};
use crate::tui::message::{AppendResult, BackgroundUpdate, IndexSaveResult, Response};

/// Appends events one by one, timing each.
///
/// # Errors
/// As [`EventLog::init`]. What fails later is told with what was appended by then.
pub(super) fn append(
    shared: &SharedState,
    order: &AppendRequest,
    on: &mut OnProgress,
) -> Result<Response, StorageError> {
    let (mut log, opened) = shared.with_watch_paused(|| {
        let log = shared.open_options().open(shared.path())?;
        let recovery_notes = [log.recovered_repair().map(recovered_line), log.set_aside_tail().map(set_aside_line)];
        let opened: Vec<String> = recovery_notes.into_iter().flatten().collect();
        if !opened.is_empty() {
            shared.reopen_log()?;
        }
        Ok::<_, StorageError>((log, opened))
    })?;
    let synced = order.durability == Durability::Synced;
    let mut done = AppendResult { synced, recovery_notes: opened, ..AppendResult::default() };
    for n in 0..order.count {
        if on(Progress { position: u64::from(n), total: u64::from(order.count) }).is_break() {
            done.stop_reason = Some("stopped".into());
            break;
        }
        let started = Instant::now();
        let appended = match order.durability {
            Durability::Buffered => log.append(&order.event),
            Durability::Synced => log.append_sync(&order.event),
        };
        let took = started.elapsed();
        match appended {
            Ok(offset) => {
                if done.latencies.is_empty() {
                    done.first_offset = offset;
                }
                done.last_offset = offset;
                done.latencies.push(took);
            }
            Err(error) => {
                done.stop_reason = Some(format!("{}; {}", describe_error(&error), hint(&error)));
                break;
            }
        }
    }
    if !done.latencies.is_empty() {
        done.bytes = log.len()?.saturating_sub(done.first_offset);
    }
    // Dropped, not closed: closing would rewrite the index, and an append is what was asked for.
    drop(log);
    Ok(Response::Appended(Box::new(done)))
}

/// Brings the index up to date, or builds it whole, and saves it.
///
/// # Errors
/// `Stopped`: then nothing has changed. As [`EventLog::save_index`].
pub(super) fn save_index(
    shared: &SharedState,
    extent: IndexBuildMode,
    on: &mut OnProgress,
) -> Result<Response, StorageError> {
    let started = Instant::now();
    let mut log = shared.open_options().open_read_only(shared.path())?;
    let before = index_summary(log.view());
    if let Some(index) = shared.index().filter(|_| extent == IndexBuildMode::Incremental && is_same_file(shared, &log))
    {
        // The scan has seen it all: what is left is to write it down.
        log.adopt_index((*index).clone());
    }
    build_index(shared, &mut log, extent, on)?;
    log.save_index()?;
    let after = index_summary(log.view());
    let verified = log
        .view()
        .trusted_index()
        .and_then(|index| index.verification_mark())
        .filter(|_| extent == IndexBuildMode::Full);
    let verified_to = verified.map_or(0, |verified| verified.verified_to);
    let path = log.view().index_path().to_owned();
    shared.refresh_view()?;
    shared.publish_index(Some(shared.view().load_index()));
    shared.queue_update(BackgroundUpdate::IndexReady);
    shared.queue_update(BackgroundUpdate::LogInfo(Box::new(shared.log_info()?)));
    Ok(Response::IndexSaved(Box::new(IndexSaveResult {
        path,
        mode: extent,
        before,
        after,
        verified_to,
        elapsed: started.elapsed(),
    })))
}

/// True when what the scan has gathered is about this file, and no other of its name.
fn is_same_file(shared: &SharedState, log: &EventLog) -> bool {
    let identity = |view: &LogView| view.log().storage().identity().ok();
    let (ours, its) = (identity(&shared.view()), identity(log.view()));
    ours.is_some() && ours == its
}

/// Builds, and leaves as news what is found on the way: what was read here the scan need not have read.
fn build_index(
    shared: &SharedState,
    log: &mut EventLog,
    extent: IndexBuildMode,
    on: &mut OnProgress,
) -> Result<(), StorageError> {
    let mut proposer = FixFinder::new(log.view())?;
    let (mut found, mut wrong) = (Vec::new(), None);
    let mut step = |step: SurveyUpdate| match step {
        SurveyUpdate::Progress(progress) => on(progress),
        // One more than is kept shows that there are more.
        SurveyUpdate::Finding(_) if found.len() > MAX_FINDINGS => ControlFlow::Continue(()),
        SurveyUpdate::Finding(finding) => match proposer.push(finding) {
            Ok(decided) => {
                found.extend(decided);
                ControlFlow::Continue(())
            }
            Err(error) => {
                wrong = Some(error);
                ControlFlow::Break(())
            }
        },
    };
    let built = match extent {
        IndexBuildMode::Incremental => log.catch_up_index(&mut step).map(|_| ()),
        IndexBuildMode::Full => log.rebuild_index_with_progress(0, &mut step).map(|_| ()),
    };
    wrong.map_or(built, Err)?;
    found.extend(proposer.finish());
    for found in found {
        shared.queue_update(BackgroundUpdate::Finding(Box::new(found)));
    }
    Ok(())
}

fn index_summary(view: &LogView) -> (&'static str, Option<u64>) {
    (view.index_state().name(), view.trusted_index().map(|index| index.head().events))
}
