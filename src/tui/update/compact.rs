//! Starts the copy of the latest events into a new log, and reports the log that was written.

use std::path::Path;

use super::requests::start_job;
use crate::report::safe_path_text;
use crate::tui::actions::ActionId;
use crate::tui::home_folder::expand_home;
use crate::tui::message::CompactResult;
use crate::tui::model::{COMPACT_WORD, EscBehavior, Model};
use crate::tui::request::{CompactRequest, Request, WorkerKind};

/// Starts the copy under the present filter. Esc stops it before the new log is complete.
pub(super) fn start(model: &mut Model, path: &Path) {
    if let Some(reason) = model.disabled_reason(ActionId::Compact) {
        return model.warn(format!("{COMPACT_WORD}: {reason}"));
    }
    let path = expand_home(path, std::env::home_dir());
    let filter = model.list.filter.clone();
    start_job(
        model,
        WorkerKind::Export,
        "copying the latest events",
        Request::Compact(CompactRequest { path, filter }),
    );
    if let Some(job) = model.jobs.last_mut() {
        job.on_esc = EscBehavior::AsksToStop;
    }
}

/// Reports the log that was written. `on_esc` is the state of its job.
pub(super) fn finish(model: &mut Model, result: &CompactResult, on_esc: Option<EscBehavior>) {
    let CompactResult { path, summary } = result;
    let late = if on_esc == Some(EscBehavior::Asked) {
        format!(". {} did not stop it: the log was complete", model.keys.hint(ActionId::Back))
    } else {
        String::new()
    };
    model.notify(format!("Wrote {}: {summary}{late}", safe_path_text(path)));
}
