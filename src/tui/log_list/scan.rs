//! The thread that reads the logs of the list: first it opens each log, which is quick, then it reads each to its end.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::model::{LogFacts, LogHealth, LogListChange, LogListUpdate};
use crate::StorageError;
use crate::inspect::{LogView, Progress, SurveyOptions, SurveyUpdate, survey};
use crate::log_disk::log_disk;
use crate::report::{FindingCounts, screen_message};

/// Shortest time between two reports about the progress of a log.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// How much of each log the thread reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListScanDepth {
    /// Open each log, without reading it.
    FactsOnly,
    /// Read each log to its end.
    WholeLogs,
}

/// A running thread. Dropping it stops the thread.
#[derive(Debug)]
pub(super) struct ListScan {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ListScan {
    /// Starts to read the logs, one after the other; each with one thread per processor.
    pub(super) fn start(logs: Vec<(usize, PathBuf)>, depth: ListScanDepth, out: &Sender<LogListUpdate>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let run = {
            let (stop, out) = (stop.clone(), out.clone());
            move || read_logs(&logs, depth, &stop, &out)
        };
        // Without the thread, the list shows the logs as unread.
        let thread = thread::Builder::new().name("log list".into()).spawn(run).ok();
        Self { stop, thread }
    }
}

impl Drop for ListScan {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read_logs(logs: &[(usize, PathBuf)], depth: ListScanDepth, stop: &AtomicBool, out: &Sender<LogListUpdate>) {
    let send = |log, change| {
        let _ = out.send(LogListUpdate { log, change });
    };
    for (log, path) in logs {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        send(
            *log,
            match read_facts(path) {
                Ok(facts) => LogListChange::Facts(facts),
                Err(error) => LogListChange::Health(failed(&error)),
            },
        );
    }
    if depth == ListScanDepth::FactsOnly {
        return;
    }
    for (log, path) in logs {
        let mut reported_at = Instant::now();
        let read = read_log(path, &mut |at| {
            if reported_at.elapsed() >= PROGRESS_INTERVAL {
                reported_at = Instant::now();
                send(*log, LogListChange::Health(LogHealth::Reading { read: at.position, total: at.total }));
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match read {
            Ok(health) => send(*log, LogListChange::Health(health)),
            Err(StorageError::Cancelled) => return,
            Err(error) => send(*log, LogListChange::Health(failed(&error))),
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

fn failed(error: &StorageError) -> LogHealth {
    LogHealth::Failed(screen_message(error))
}

fn read_facts(path: &Path) -> Result<LogFacts, StorageError> {
    let view = LogView::open(log_disk(), path, None)?;
    Ok(LogFacts {
        bytes: view.log().len()?,
        events: view.index_coverage().map(|coverage| coverage.events),
        index: view.index_state().clone(),
        version: view.log().version(),
        known_damage: view.known_damage().len() as u64,
    })
}

fn read_log(path: &Path, on_progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<LogHealth, StorageError> {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let view = LogView::open(log_disk(), path, None)?.with_threads(threads);
    let mut counts = FindingCounts::default();
    let survey = survey(&view, &SurveyOptions::new(), None, &mut |update| match update {
        SurveyUpdate::Progress(at) => on_progress(at),
        SurveyUpdate::Finding(finding) => {
            counts.add(finding);
            ControlFlow::Continue(())
        }
    })?;
    Ok(LogHealth::Read { events: survey.events, counts })
}
