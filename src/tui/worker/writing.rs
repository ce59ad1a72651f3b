//! Writing: events appended under a lock that is held for that alone, and the index saved.

use std::ops::ControlFlow;
use std::time::Instant;

use super::{OnProgress, Shared};
use crate::StorageError;
use crate::file::Durability;
use crate::inspect::{LogView, MAX_FINDINGS, Step};
use crate::log::EventLog;
use crate::repair::Proposer;
use crate::report::{describe, hint, recovered_line, set_aside_line};
use crate::tui::effect::{Extent, Order};
use crate::tui::message::{Appended, News, Saved, Told};

/// Appends events one by one, timing each.
///
/// # Errors
/// As [`EventLog::open`]. What fails later is told with what was appended by then.
pub(super) fn append(shared: &Shared, order: &Order, on: &mut OnProgress) -> Result<Told, StorageError> {
    let (mut log, opened) = shared.repairing(|| {
        let log = shared.options().open(shared.path())?;
        let opened = [log.recovered().map(recovered_line), log.set_aside().map(set_aside_line)];
        let opened: Vec<String> = opened.into_iter().flatten().collect();
        if !opened.is_empty() {
            shared.reopen()?;
        }
        Ok::<_, StorageError>((log, opened))
    })?;
    let synced = order.durability == Durability::Synced;
    let mut done = Appended { synced, opened, ..Appended::default() };
    for n in 0..order.count {
        if on(u64::from(n), u64::from(order.count)).is_break() {
            done.stopped = Some("stopped".into());
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
                if done.times.is_empty() {
                    done.first = offset;
                }
                done.last = offset;
                done.times.push(took);
            }
            Err(error) => {
                done.stopped = Some(format!("{}; {}", describe(&error), hint(&error)));
                break;
            }
        }
    }
    if !done.times.is_empty() {
        done.bytes = log.len()?.saturating_sub(done.first);
    }
    // Dropped, not closed: closing would rewrite the index, and an append is what was asked for.
    drop(log);
    Ok(Told::Appended(Box::new(done)))
}

/// Brings the index up to date, or builds it whole, and saves it.
///
/// # Errors
/// `Stopped`: then nothing has changed. As [`EventLog::save_index`].
pub(super) fn save_index(shared: &Shared, extent: Extent, on: &mut OnProgress) -> Result<Told, StorageError> {
    let started = Instant::now();
    let mut log = shared.options().open_read_only(shared.path())?;
    let before = state(log.view());
    if let Some(index) = shared.index().filter(|_| extent == Extent::Rest && is_same_file(shared, &log)) {
        // The scan has seen it all: what is left is to write it down.
        log.know((*index).clone());
    }
    build(shared, &mut log, extent, on)?;
    log.save_index()?;
    let after = state(log.view());
    let verified = log.view().witness().and_then(|index| index.verified()).filter(|_| extent == Extent::Whole);
    let verified_to = verified.map_or(0, |verified| verified.to);
    let path = log.view().index_path().to_owned();
    shared.refresh()?;
    shared.publish(Some(shared.view().index()));
    shared.tell(News::IndexReady);
    shared.tell(News::Facts(Box::new(shared.facts()?)));
    Ok(Told::Saved(Box::new(Saved { path, extent, before, after, verified_to, took: started.elapsed() })))
}

/// True when what the scan has gathered is about this file, and no other of its name.
fn is_same_file(shared: &Shared, log: &EventLog) -> bool {
    let identity = |view: &LogView| view.log().storage().identity().ok();
    let (ours, its) = (identity(&shared.view()), identity(log.view()));
    ours.is_some() && ours == its
}

/// Builds, and leaves as news what is found on the way: what was read here the scan need not have read.
fn build(shared: &Shared, log: &mut EventLog, extent: Extent, on: &mut OnProgress) -> Result<(), StorageError> {
    let mut proposer = Proposer::new(log.view())?;
    let (mut found, mut wrong) = (Vec::new(), None);
    let mut step = |step: Step| match step {
        Step::Progress(at, end) => on(at, end),
        // One more than is kept shows that there are more.
        Step::Finding(_) if found.len() > MAX_FINDINGS => ControlFlow::Continue(()),
        Step::Finding(finding) => match proposer.push(finding) {
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
        Extent::Rest => log.catch_up(&mut step).map(|_| ()),
        Extent::Whole => log.rebuild(0, &mut step).map(|_| ()),
    };
    wrong.map_or(built, Err)?;
    found.extend(proposer.finish());
    for found in found {
        shared.tell(News::Found(Box::new(found)));
    }
    Ok(())
}

fn state(view: &LogView) -> (&'static str, Option<u64>) {
    (view.state().word(), view.witness().map(|index| index.head().events))
}
