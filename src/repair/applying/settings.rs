//! The change of the settings of a log in a folder, the file `log.json`, by a plan.

use crate::StorageError;
use crate::file::{LogFile, read_settings_bytes, replace_settings_bytes};
use crate::format::{LogSettings, hex};
use crate::repair::journal::JournalReader;
use crate::repair::types::{LogPaths, Plan, PlannedSettings, SettingsWrite, changed_error};

/// The settings of a log compared with a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SettingsState {
    /// As before the plan; also when the plan does not change them.
    Before,
    /// As after the plan; also when the plan does not change them.
    After,
    /// Neither: another program has changed the file.
    Other,
    /// The plan does not change them.
    Unchanged,
}

impl PlannedSettings {
    /// Returns the bytes of the file before the plan.
    fn bytes_before(&self) -> Option<Vec<u8>> {
        self.before.as_deref().and_then(hex::decode)
    }

    /// Returns the bytes of the file after a plan that begins at `begun_ms`; `None` when there is no file then.
    fn bytes_after(&self, begun_ms: u64) -> Option<Vec<u8>> {
        match &self.write {
            SettingsWrite::Bytes(bytes) => bytes.as_deref().and_then(hex::decode),
            SettingsWrite::Lost { dropped, given_up, base } => {
                let start = base.as_ref().map(|base| base.clone().into_bytes()).or_else(|| self.bytes_before())?;
                let settings = LogSettings::decode(&start).ok()?;
                Some(settings.with_lost(dropped, given_up, begun_ms).encode().into_bytes())
            }
        }
    }
}

/// Reads the file with the settings of a log.
///
/// # Errors
/// `Changed` when it cannot be used.
pub(super) fn read_settings(paths: &LogPaths, log: &LogFile) -> Result<Option<Vec<u8>>, StorageError> {
    let Some(segments) = log.storage().segments() else { return Ok(None) };
    read_settings_bytes(paths.disk.as_ref(), segments.folder(), log.storage())
        .map_err(|reason| changed_error(log.path(), "settings that can be used", &reason))
}

/// Checks that the settings of a log are those that a plan was made from.
///
/// # Errors
/// `Changed` when they are not, or cannot be used.
pub(super) fn check_settings(paths: &LogPaths, log: &LogFile, plan: &Plan) -> Result<(), StorageError> {
    let Some(change) = &plan.settings else { return Ok(()) };
    if read_settings(paths, log)? == change.bytes_before() {
        return Ok(());
    }
    Err(changed_error(log.path(), "the settings in log.json that the plan was made from", "other settings"))
}

/// Compares the settings of a log with a plan that began at `begun_ms`.
///
/// # Errors
/// `Changed` when they cannot be used.
pub(super) fn settings_state(
    paths: &LogPaths,
    log: &LogFile,
    (plan, begun_ms): (&Plan, u64),
) -> Result<SettingsState, StorageError> {
    let Some(change) = &plan.settings else { return Ok(SettingsState::Unchanged) };
    let now = read_settings(paths, log)?;
    Ok(match now {
        now if now == change.bytes_after(begun_ms) => SettingsState::After,
        now if now == change.bytes_before() => SettingsState::Before,
        _ => SettingsState::Other,
    })
}

/// Writes the settings of a plan that began at `begun_ms`.
///
/// # Errors
/// `Io` when the file cannot be written.
pub(super) fn write_settings(
    paths: &LogPaths,
    log: &LogFile,
    (plan, begun_ms): (&Plan, u64),
) -> Result<(), StorageError> {
    let Some(change) = &plan.settings else { return Ok(()) };
    replace(paths, log, change.bytes_after(begun_ms).as_deref())
}

/// Restores the settings from before a plan, unless another program has changed the file.
///
/// # Errors
/// `Io` when the file cannot be written; `Changed` when it cannot be used.
pub(super) fn roll_back_settings(paths: &LogPaths, log: &LogFile, journal: &JournalReader) -> Result<(), StorageError> {
    let record = &journal.record;
    match (&record.plan.settings, settings_state(paths, log, (&record.plan, record.begun_ms))?) {
        (Some(change), SettingsState::After) => replace(paths, log, change.bytes_before().as_deref()),
        _ => Ok(()),
    }
}

/// Returns the change of the settings that undoes that of a plan which began at `begun_ms`; `None` when it changed none.
///
/// A file that is still as the plan left it becomes what it was before. In another one, only the lost ranges of the plan change.
///
/// # Errors
/// `Changed` when the file cannot be used.
pub(super) fn undo_settings(
    paths: &LogPaths,
    log: &LogFile,
    (plan, begun_ms): (&Plan, u64),
) -> Result<Option<PlannedSettings>, StorageError> {
    let Some(change) = &plan.settings else { return Ok(None) };
    let now = read_settings(paths, log)?;
    let before = now.as_deref().map(hex::encode);
    if now == change.bytes_after(begun_ms) {
        return Ok(Some(PlannedSettings { before, write: SettingsWrite::Bytes(change.before.clone()) }));
    }
    let is_usable = now.as_deref().is_some_and(|bytes| LogSettings::decode(bytes).is_ok());
    Ok(match &change.write {
        SettingsWrite::Lost { dropped, given_up, .. } if is_usable => Some(PlannedSettings {
            before,
            write: SettingsWrite::Lost { dropped: given_up.clone(), given_up: dropped.clone(), base: None },
        }),
        // Without usable settings no range is recorded as lost.
        _ => None,
    })
}

fn replace(paths: &LogPaths, log: &LogFile, bytes: Option<&[u8]>) -> Result<(), StorageError> {
    let Some(segments) = log.storage().segments() else { return Ok(()) };
    replace_settings_bytes(paths.disk.as_ref(), segments.folder(), &paths.permissions_source(), bytes)
}
