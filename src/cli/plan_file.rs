//! Saves and reads plan files, for `repair --plan` and `repair --apply`.

use std::path::Path;

use super::failure::CommandFailure;
use crate::StorageError;
use crate::file::{ExistingFile, NewFile, OpenMode, OsDisk, TrustRule, permissions_source};
use crate::repair::{LogPaths, Plan, PlanError};
use crate::report::{safe_path_text, sanitize_json};

/// Largest size of a saved plan in bytes. It is read into memory as a whole.
const MAX_PLAN_BYTES: u64 = 256 << 20;

/// Reads a saved plan, and verifies that it was not changed after it was saved.
///
/// # Errors
/// `Storage` when the file cannot be read or is not trusted; `Usage` when it holds no plan of the layout this version
/// writes; `Refused` when the plan was changed.
pub(super) fn read_plan(file: &Path, paths: &LogPaths) -> Result<Plan, CommandFailure> {
    let disk = paths.disk.as_ref();
    let log = disk
        .open(&permissions_source(disk, &paths.path), OpenMode::Read)
        .and_then(|log| TrustRule::for_log(disk, log.as_ref()));
    let rule = log.map_err(|error| io_failure(&paths.path, "examine", error))?;
    let bytes = rule.read(disk, file, MAX_PLAN_BYTES).map_err(|fault| fault.into_error(file, "read"))?;
    // Bytes that are not UTF-8 are not JSON, and are reported as such.
    Plan::from_json(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        let message = format!("{}: {error}", safe_path_text(file));
        let hint = "Make a new plan with `chronicle repair LOG --dry-run --plan FILE`".into();
        match error {
            PlanError::Altered { .. } => CommandFailure::Refused { message, hint },
            _ => CommandFailure::Usage { message, hint },
        }
    })
}

/// Saves a plan with the permissions of the log, because a plan contains bytes of the log.
///
/// # Errors
/// `Storage` with `AlreadyExists` when the file exists and `existing` is `Keep`, with `Io` when it cannot be written;
/// `Refused` when it is too large to be read again.
pub(super) fn save_plan(file: &Path, plan: &Plan, existing: ExistingFile, log: &Path) -> Result<(), CommandFailure> {
    let text = plan.to_json().map_err(|error| io_failure(file, "write", error.into()))?;
    // A plan contains paths and texts of the log. Escapes keep their values, and nothing that shows the file acts on
    // them.
    let text = format!("{}\n", sanitize_json(&text));
    if text.len() as u64 > MAX_PLAN_BYTES {
        return Err(CommandFailure::Refused {
            message: format!(
                "{}: the plan takes {} bytes, and a saved plan has at most {MAX_PLAN_BYTES}",
                safe_path_text(file),
                text.len()
            ),
            hint: "Repair without --plan, or plan a part of the findings with --only".into(),
        });
    }
    let mut new = NewFile::create_sidecar(&OsDisk, file, existing, log)?;
    new.storage().write_at(text.as_bytes(), 0).map_err(|error| io_failure(file, "write", error))?;
    Ok(new.commit()?)
}

fn io_failure(file: &Path, action: &'static str, source: std::io::Error) -> CommandFailure {
    StorageError::Io { path: file.to_owned(), action, offset: None, source }.into()
}
