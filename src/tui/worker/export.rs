//! Writes the events that a filter shows to a new file.

use std::path::Path;

use super::SharedState;
use crate::StorageError;
use crate::export::{ExportFile, ExportTarget, ExportedPart, SelectedEvents, SelectedRange};
use crate::file::{ExistingFile, FilePlace, OsDisk, folder_of};
use crate::inspect::{LogView, OnProgress, index_path};
use crate::report::{safe_path_text, screen_message};
use crate::tui::message::{ExportResult, Response};
use crate::tui::request::ExportRequest;

/// Writes the events of a request. The file appears whole or not at all, and never replaces another one.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; the errors of opening and reading the log, and of writing the file. A file that
/// cannot be created is a response, so that the user can name another one.
pub(super) fn export_events(
    shared: &SharedState,
    request: ExportRequest,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let ExportRequest { path, format, filter } = request;
    let log = shared.open_options().open_read_only(shared.path())?;
    if let Some(reason) = side_file_refusal(shared, log.view(), &path) {
        return Ok(Response::ExportRefused { path, reason });
    }
    let target = ExportTarget { path: path.clone(), existing: ExistingFile::Keep, format };
    let mut file = match ExportFile::create(target, log.view().path()) {
        Ok(file) => file,
        Err(StorageError::AlreadyExists { .. }) => {
            let reason = format!(
                "the file exists and is not replaced: name another file, or remove it first; \
                 `chronicle export LOG -o FILE --force` replaces a file ({})",
                safe_path_text(&path)
            );
            return Ok(Response::ExportRefused { path, reason });
        }
        Err(error) => {
            let reason = format!("name another file: {}", screen_message(&error));
            return Ok(Response::ExportRefused { path, reason });
        }
    };
    let selected = SelectedEvents::new(&log, &filter, SelectedRange::default());
    let totals = file.append_selected(&selected, on_progress, &mut |_| Ok::<_, StorageError>(()))?;
    let part = ExportedPart { view: log.view(), filter: filter.text(), totals: &totals };
    let bytes = file.finish(&part)?.bytes;
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(Response::Exported(Box::new(ExportResult { path, bytes, events: totals.events, damage: totals.damage })))
}

/// Returns why a path cannot be a file that the screen writes, although it may be free: a later index or journal of the log has this
/// name.
pub(super) fn side_file_refusal(shared: &SharedState, view: &LogView, path: &Path) -> Option<String> {
    let place_of = |path: &Path| FilePlace::of(&OsDisk, path);
    let place = place_of(path);
    let is_index =
        [view.index_path(), &index_path(view.path())].iter().any(|index| place_of(index).is_same_place(&place));
    let journals = place_of(&shared.journal_folder());
    let is_journal = journals.is_same_place(&place) || journals.is_same_place(&place_of(folder_of(path)));
    let other = if is_index {
        "the index of the log"
    } else if is_journal {
        "the journals of the log"
    } else {
        return None;
    };
    Some(format!("this is the place of {other}: name another file ({})", safe_path_text(path)))
}
