//! Writes the report about the log as an HTML page.

use super::SharedState;
use super::export::side_file_refusal;
use crate::StorageError;
use crate::export::create_output_file;
use crate::file::{ExistingFile, FilePlace, OsDisk};
use crate::inspect::OnProgress;
use crate::log::now_ms;
use crate::log_report::{LogReport, ReportContext, report_command};
use crate::report::{safe_path_text, screen_message};
use crate::tui::message::{ReportResult, Response};
use crate::tui::request::ReportRequest;

/// Writes the page of a request. It appears whole or not at all.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; the errors of opening and reading the log, and of writing the file. A file that
/// cannot be created is a response, so that the user can name another one.
pub(super) fn write_report(
    shared: &SharedState,
    request: ReportRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let ReportRequest { path, existing } = request;
    let options = shared.open_options();
    let paths = options.log_paths(shared.path())?;
    let log = options.open_read_only(shared.path())?;
    let view = log.view().clone();
    view.check_index();
    let is_log = FilePlace::of(&OsDisk, &path).is_same_place(&FilePlace::of(&OsDisk, view.path()));
    let refusal = if is_log {
        Some(format!("this is the log itself: name another file ({})", safe_path_text(&path)))
    } else {
        side_file_refusal(shared, &view, &path)
    };
    if let Some(reason) = refusal {
        return Ok(Response::ReportRefused { path, reason });
    }
    // Created first, so that a path that cannot be written fails before the log is read.
    let mut file = match create_output_file(&path, existing, view.path()) {
        Ok(file) => file,
        Err(StorageError::AlreadyExists { .. }) => {
            let reason = format!(
                "the file exists and is not replaced: name another file, or write `report!` for `report` to replace it ({})",
                safe_path_text(&path)
            );
            return Ok(Response::ReportRefused { path, reason });
        }
        Err(error) => {
            let reason = format!("name another file: {}", screen_message(&error));
            return Ok(Response::ReportRefused { path, reason });
        }
    };
    let settings = shared.settings();
    let command = report_command(view.path(), &path, settings.index_path.as_deref(), settings.journal_dir.as_deref());
    let command = if existing == ExistingFile::Replace { command + " --force" } else { command };
    let context = ReportContext { command, time_ms: now_ms() };
    let report = LogReport::collect(&view, &paths, context, &mut |_, reached| on_progress(reached))?;
    let page = report.to_html();
    file.storage().write_at(page.as_bytes(), 0).map_err(|error| StorageError::io(file.path(), "write", error))?;
    file.commit()?;
    let path = std::path::absolute(&path).unwrap_or(path);
    let (bytes, summary) = (page.len() as u64, report.summary_line());
    Ok(Response::Reported(Box::new(ReportResult { path, bytes, summary })))
}
