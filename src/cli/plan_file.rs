//! Saves and reads plan files, for `repair --plan` and `repair --apply`.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::failure::CommandFailure;
use super::options::ExistingFiles;
use crate::StorageError;
use crate::file::{Disk, OpenMode, OsDisk, lead_to_same_file, replace_file};
use crate::inspect::index_path;
use crate::repair::{LogPaths, Plan, PlanError};

/// Reads a saved plan, and verifies that it was not changed after it was saved.
///
/// # Errors
/// `Storage` when the file cannot be read; `Usage` when it holds no plan of the layout this version writes; `Refused`
/// when the plan was changed.
pub(super) fn read_plan(file: &Path) -> Result<Plan, CommandFailure> {
    let text = fs::read_to_string(file).map_err(|error| io_failure(file, "read", error))?;
    Plan::from_json(&text).map_err(|error| {
        let message = format!("{}: {error}", file.display());
        match error {
            PlanError::Altered { .. } => CommandFailure::Refused {
                message,
                hint: "Make a new plan with `chronicle repair LOG --dry-run --plan FILE`".into(),
            },
            _ => CommandFailure::Usage {
                message,
                hint: "Create one with `chronicle repair LOG --dry-run --plan FILE`".into(),
            },
        }
    })
}

/// Checks, before the log is read, that a plan can be saved to `file`.
///
/// # Errors
/// `Storage` with `AlreadyExists` when the file exists and `existing` is `Keep`; `Refused` when replacing it would
/// replace the log or its index.
pub(super) fn check_plan_path(file: &Path, existing: ExistingFiles, paths: &LogPaths) -> Result<(), CommandFailure> {
    if existing == ExistingFiles::Keep {
        return match fs::symlink_metadata(file) {
            Ok(_) => Err(StorageError::AlreadyExists { path: file.to_owned() }.into()),
            Err(_) => Ok(()),
        };
    }
    let index = paths.custom_index.clone().unwrap_or_else(|| index_path(&paths.path));
    for protected in [&paths.path, &index] {
        if lead_to_same_file(&OsDisk, file, protected) {
            return Err(CommandFailure::Refused {
                message: format!("{}: the plan would replace {}", file.display(), protected.display()),
                hint: "Use another file after --plan".into(),
            });
        }
    }
    Ok(())
}

/// Saves a plan with the permissions of the log, because a plan contains bytes of the log.
///
/// # Errors
/// `Storage` with `AlreadyExists` when the file exists and `existing` is `Keep`, with `Io` when it cannot be written.
pub(super) fn save_plan(file: &Path, plan: &Plan, existing: ExistingFiles, log: &Path) -> Result<(), CommandFailure> {
    let mut text = plan.to_json().map_err(|error| io_failure(file, "write", error.into()))?;
    text.push('\n');
    if existing == ExistingFiles::Replace {
        return Ok(replace_file(&OsDisk, file, log, |new, path| {
            new.write_at(text.as_bytes(), 0).map_err(|error| StorageError::io(path, "write", error))
        })?);
    }
    let opened = OsDisk.open(file, OpenMode::CreateSidecar { permissions_from: log });
    opened.and_then(|new| new.write_at(text.as_bytes(), 0)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => StorageError::AlreadyExists { path: file.to_owned() }.into(),
        _ => io_failure(file, "write", error),
    })
}

fn io_failure(file: &Path, action: &'static str, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: file.to_owned(), action, offset: None, source }.into()
}
