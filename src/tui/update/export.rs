//! Asks for the file of an export, starts the export, and reports its result.

use std::path::Path;

use super::requests::start_job;
use crate::report::safe_path_text;
use crate::report::units::{format_count, format_size};
use crate::tui::actions::ActionId;
use crate::tui::home_folder::expand_home;
use crate::tui::message::ExportResult;
use crate::tui::model::{EscBehavior, Model, Overlay, Prompt, PromptError, PromptPurpose};
use crate::tui::request::{ExportRequest, Request, WorkerKind};

/// Opens the prompt for the file, with a name in the working folder as the default.
pub(super) fn open_prompt(model: &mut Model) {
    let stem = model.log_info.path.file_stem().map_or_else(|| "events".into(), |stem| stem.to_string_lossy());
    let name = format!("{stem}.ndjson");
    model.overlays.push(Overlay::Prompt(Prompt::new(PromptPurpose::ExportPath, &name)));
}

/// Starts the export to the file that was typed. Esc stops it before the file is complete.
///
/// # Errors
/// A message when the text names no file.
pub(super) fn submit_path(model: &mut Model, text: &str) -> Result<(), PromptError> {
    let path = expand_home(Path::new(text), std::env::home_dir());
    if path.file_name().is_none() {
        let text = "expected the path of a new file, such as events.csv".into();
        return Err(PromptError { text, at: None });
    }
    model.overlays.pop();
    let (format, filter) = (model.export_format(&path), model.list.filter.clone());
    let request = Request::Export(ExportRequest { path, format, filter });
    start_job(model, WorkerKind::Export, "exporting", request);
    if let Some(job) = model.jobs.last_mut() {
        job.on_esc = EscBehavior::AsksToStop;
    }
    Ok(())
}

/// Reports the file that was written. `on_esc` is the state of its job.
pub(super) fn finish(model: &mut Model, result: &ExportResult, on_esc: Option<EscBehavior>) {
    let ExportResult { path, bytes, events, damage } = result;
    let (path, size) = (safe_path_text(path), format_size(*bytes));
    let without = match *damage {
        0 => String::new(),
        damage => format!("; without {}", format_count(damage, "damaged range")),
    };
    let late = if on_esc == Some(EscBehavior::Asked) {
        format!(". {} did not stop it: the file was complete", model.keys.hint(ActionId::Back))
    } else {
        String::new()
    };
    model.notify(format!("Wrote {} ({size}) to {path}{without}{late}", format_count(*events, "event")));
}

/// Opens the prompt again with the path that was refused and the reason, so that the user can change it. While another
/// dialog is open, the footer reports the reason.
pub(super) fn show_refusal(model: &mut Model, path: &Path, reason: String) {
    if !model.overlays.is_empty() {
        model.warn(reason);
        return;
    }
    let mut prompt = Prompt::new(PromptPurpose::ExportPath, &path.to_string_lossy());
    prompt.error = Some(PromptError { text: reason, at: None });
    model.overlays.push(Overlay::Prompt(prompt));
}
