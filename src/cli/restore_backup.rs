//! The actions of `restore` on the backups that `backup` has made: restore, check, list.

use std::path::Path;

use super::backup_store::{damage_of_backup, no_backup, open_store};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::overwrite::create_replacing;
use super::progress::TerminalProgress;
use crate::backup::{
    BackupManifest, ManifestEntry, ObjectStore, PartFault, check_backup, latest_manifest, list_manifests,
    read_manifest, restore_backup,
};
use crate::file::{ExistingFile, NewLogForm, RollPolicy};
use crate::report::json::Json;
use crate::report::units::{DisplayZone, format_count, format_number, format_size, format_timestamp};
use crate::report::{ExitStatus, describe_error, safe_path_text};

/// The backups at one place.
pub(super) struct BackupSource<'a> {
    place: &'a Path,
    store: Box<dyn ObjectStore>,
    /// The number of the backup that is used; `None` for the newest one.
    number: Option<u32>,
}

impl<'a> BackupSource<'a> {
    /// Opens the place where the backups are.
    ///
    /// # Errors
    /// Those of [`open_store`].
    pub(super) fn open(place: &'a Path, number: Option<u32>) -> Result<Self, CommandFailure> {
        Ok(Self { place, store: open_store(place, None)?, number })
    }

    /// Writes the log of the backup to `output`.
    pub(super) fn restore(
        &self,
        output: &Path,
        existing: ExistingFile,
        global: &GlobalArgs,
        out: &mut CommandOutput,
    ) -> CommandResult {
        let manifest = self.manifest()?;
        let form = if manifest.log.is_folder { NewLogForm::Folder(RollPolicy::default()) } else { NewLogForm::File };
        CommandPaths::new(global)
            .reads_log("the backup", self.place)
            .writes_log("-o", output, existing, form)
            .check()?;
        create_replacing(output, existing, form, || {
            let progress = TerminalProgress::new("restoring", out);
            restore_backup(self.store.as_ref(), &manifest, output, &mut |read| progress.show(read))
                .map_err(damage_of_backup)
        })?;
        out.set_effect(format!("{} is complete", safe_path_text(output)));
        if out.is_json() {
            let mut keys =
                vec![("new", Json::from(safe_path_text(output))), ("source", safe_path_text(self.place).into())];
            keys.extend(manifest_keys(&manifest));
            out.print_json(&Json::Object(keys))?;
        } else {
            let text = format!(": backup {} of {}", manifest.number, manifest_text(&manifest));
            out.print_path_line(output, &text)?;
        }
        Ok(status_of(&manifest))
    }

    /// Reads every part of the backup, and reports those that are missing or not the expected ones.
    pub(super) fn check(&self, out: &mut CommandOutput) -> CommandResult {
        let manifest = self.manifest()?;
        let check = {
            let progress = TerminalProgress::new("checking", out);
            check_backup(self.store.as_ref(), &manifest, &mut |read| progress.show(read))?
        };
        if out.is_json() {
            let faults = check.faults.iter().map(fault_json).collect();
            let mut keys = vec![("source", Json::from(safe_path_text(self.place)))];
            keys.extend(manifest_keys(&manifest));
            keys.extend([("fault_count", check.fault_count.into()), ("faults", Json::List(faults))]);
            out.print_json(&Json::Object(keys))?;
        } else {
            for PartFault { file, offset, bytes, error } in &check.faults {
                let range = format!("{}..{}", offset, offset.saturating_add(*bytes));
                out.print_line(&format!("{range} of {file} cannot be restored: {}", describe_error(error)))?;
            }
            let result = match check.fault_count {
                0 => "every part has its hash".to_owned(),
                count => format!("{} cannot be restored", format_count(count, "part")),
            };
            let text = format!(": backup {} of {}; {result}", manifest.number, manifest_text(&manifest));
            out.print_path_line(self.place, &text)?;
        }
        let status = if check.fault_count > 0 { ExitStatus::Damage } else { ExitStatus::Done };
        Ok(status.combine(status_of(&manifest)))
    }

    /// Lists the backups, a line each.
    pub(super) fn list(&self, out: &mut CommandOutput) -> CommandResult {
        let entries = list_manifests(self.store.as_ref())?;
        if entries.is_empty() {
            return Err(no_backup(self.place));
        }
        let mut status = ExitStatus::Done;
        for ManifestEntry { number, manifest } in entries {
            let (keys, text) = match &manifest {
                Ok(manifest) => (manifest_keys(manifest), manifest_text(manifest)),
                Err(error) => {
                    status = status.combine(ExitStatus::Damage);
                    let error = describe_error(error);
                    (vec![("backup", u64::from(number).into()), ("error", error.as_str().into())], error)
                }
            };
            if out.is_json() {
                out.print_json(&Json::Object(keys))?;
            } else {
                out.print_line(&format!("{number}  {text}"))?;
            }
        }
        Ok(status)
    }

    fn manifest(&self) -> Result<BackupManifest, CommandFailure> {
        let manifest = match self.number {
            Some(number) => read_manifest(self.store.as_ref(), number).map(Some),
            None => latest_manifest(self.store.as_ref()),
        };
        manifest.map_err(damage_of_backup)?.ok_or_else(|| no_backup(self.place))
    }
}

/// The status of a command on a backup: the bytes of damaged ranges are those of the log.
fn status_of(manifest: &BackupManifest) -> ExitStatus {
    if manifest.damaged_ranges > 0 { ExitStatus::Damage } else { ExitStatus::Done }
}

fn manifest_text(manifest: &BackupManifest) -> String {
    let damage = match manifest.damaged_ranges {
        0 => String::new(),
        count => format!(", {} as in the log", format_count(count, "damaged range")),
    };
    format!(
        "{} on {}: {}, {}, up to offset {}{damage}",
        manifest.log.name,
        format_timestamp(manifest.created_at_ms, DisplayZone::Utc),
        format_count(manifest.events, "event"),
        format_size(manifest.bytes()),
        format_number(manifest.end),
    )
}

fn manifest_keys(manifest: &BackupManifest) -> Vec<(&'static str, Json)> {
    vec![
        ("backup", u64::from(manifest.number).into()),
        ("created_at_ms", manifest.created_at_ms.into()),
        ("name", manifest.log.name.as_str().into()),
        ("log_id", manifest.log.log_id.clone().into()),
        ("version", u64::from(manifest.log.version).into()),
        ("start", manifest.start.into()),
        ("end", manifest.end.into()),
        ("events", manifest.events.into()),
        ("bytes", manifest.bytes().into()),
        ("damaged_ranges", manifest.damaged_ranges.into()),
    ]
}

fn fault_json(fault: &PartFault) -> Json {
    Json::Object(vec![
        ("file", fault.file.as_str().into()),
        ("start", fault.offset.into()),
        ("end", fault.offset.saturating_add(fault.bytes).into()),
        ("error", describe_error(&fault.error).into()),
    ])
}
