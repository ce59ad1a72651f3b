//! Starts the report about the log, and reports the page that was written.

use std::path::Path;

use super::requests::start_job;
use crate::file::ExistingFile;
use crate::report::safe_path_text;
use crate::report::units::format_size;
use crate::tui::actions::ActionId;
use crate::tui::home_folder::expand_home;
use crate::tui::message::ReportResult;
use crate::tui::model::{EscBehavior, Model, Overlay, Prompt, PromptError, PromptPurpose, REPORT_WORD};
use crate::tui::request::{ReportRequest, Request, WorkerKind};

/// Opens the palette with the word of the report, and with a name in the working folder.
pub(super) fn open_palette(model: &mut Model) {
    let stem = model.log_info.path.file_stem().map_or_else(|| "report".into(), |stem| stem.to_string_lossy());
    let text = format!("{REPORT_WORD} {stem}-report.html");
    model.overlays.push(Overlay::Prompt(Prompt::new(PromptPurpose::Palette, &text)));
}

/// Starts the report. Esc stops it before the page is complete.
pub(super) fn start(model: &mut Model, path: &Path, existing: ExistingFile) {
    if let Some(reason) = model.disabled_reason(ActionId::Report) {
        model.warn(format!("{REPORT_WORD}: {reason}"));
        return;
    }
    let path = expand_home(path, std::env::home_dir());
    start_job(model, WorkerKind::Export, "writing the report", Request::Report(ReportRequest { path, existing }));
    if let Some(job) = model.jobs.last_mut() {
        job.on_esc = EscBehavior::AsksToStop;
    }
}

/// Reports the page that was written. `on_esc` is the state of its job.
pub(super) fn finish(model: &mut Model, result: &ReportResult, on_esc: Option<EscBehavior>) {
    let ReportResult { path, bytes, summary } = result;
    let late = if on_esc == Some(EscBehavior::Asked) {
        format!(". {} did not stop it: the page was complete", model.keys.hint(ActionId::Back))
    } else {
        String::new()
    };
    let (size, path) = (format_size(*bytes), safe_path_text(path));
    model.notify(format!("Wrote the report ({size}) to {path}: {summary}{late}"));
}

/// Opens the palette again with the path that was refused and the reason. While another dialog is open, the footer reports
/// the reason.
pub(super) fn show_refusal(model: &mut Model, path: &Path, reason: String) {
    if !model.overlays.is_empty() {
        model.warn(reason);
        return;
    }
    let mut prompt = Prompt::new(PromptPurpose::Palette, &format!("{REPORT_WORD} {}", path.to_string_lossy()));
    prompt.error = Some(PromptError { text: reason, at: None });
    model.overlays.push(Overlay::Prompt(prompt));
}
