//! `backup`: copies a log into a folder or into object storage, each time only what is new.

use std::path::PathBuf;

use clap::Args;

use super::backup_store::open_store;
use super::failure::CommandResult;
use super::log_access::{open_options, print_side_file_notices};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::backup::{BackupSummary, create_backup};
use crate::log::now_ms;
use crate::report::json::Json;
use crate::report::units::{format_count, format_number, format_size};
use crate::report::{ExitStatus, safe_path_text, shell_path};

/// Copy a log into a folder or into object storage, each time only what is new.
///
/// The log is divided into parts, each of which is stored once, under its hash; a manifest, written last, makes them a backup.
/// Damaged ranges are copied as they are, and counted. The end that a writer is writing is left out. `chronicle restore`
/// writes the log again, byte by byte.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle backup accounts.log /mnt/backup/accounts         into a folder, which is created
  chronicle backup accounts/ s3://backups/accounts           into object storage (feature `remote`)
  chronicle restore s3://backups/accounts --list             the backups that are there
  chronicle restore s3://backups/accounts -o accounts.log    the newest one

Credentials and endpoint of object storage come from the environment (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL, AWS_PROFILE) and the files in ~/.aws.")]
pub(super) struct BackupArgs {
    /// Log to copy; it is only read
    log: PathBuf,
    /// Where the backups of this log are kept: a folder, or the URL of a bucket and a prefix
    #[arg(value_name = "DEST")]
    destination: PathBuf,
}

impl BackupArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let log = open_options(global).open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        let store = open_store(&self.destination, Some(log.view().path()))?;
        let summary = {
            let progress = TerminalProgress::new("copying", out);
            create_backup(log.view(), store.as_ref(), now_ms(), &mut |read| progress.show(read))?
        };
        if summary.is_new {
            out.set_effect(format!("backup {} is complete", summary.manifest.number));
        }
        self.print(&summary, out)?;
        Ok(if summary.manifest.damaged_ranges > 0 { ExitStatus::Damage } else { ExitStatus::Done })
    }

    fn print(&self, summary: &BackupSummary, out: &mut CommandOutput) -> Result<(), super::CommandFailure> {
        let (manifest, destination) = (&summary.manifest, safe_path_text(&self.destination));
        if out.is_json() {
            return out.print_json(&Json::Object(vec![
                ("log", safe_path_text(&self.log).into()),
                ("destination", destination.into()),
                ("backup", u64::from(manifest.number).into()),
                ("is_new", Json::Bool(summary.is_new)),
                ("start", manifest.start.into()),
                ("end", manifest.end.into()),
                ("events", manifest.events.into()),
                ("bytes", manifest.bytes().into()),
                ("parts", manifest.part_count().into()),
                ("written_parts", summary.written_parts.into()),
                ("written_bytes", summary.written_bytes.into()),
                ("damaged_ranges", manifest.damaged_ranges.into()),
            ]));
        }
        let content = format!(
            "{}, {}, up to offset {}",
            format_count(manifest.events, "event"),
            format_size(manifest.bytes()),
            format_number(manifest.end)
        );
        let written = match (summary.is_new, summary.written_parts) {
            (false, _) => "nothing is new".to_owned(),
            (true, 0) => "no part is new".to_owned(),
            (true, parts) => {
                format!("{} written, {}", format_count(parts, "new part"), format_size(summary.written_bytes))
            }
        };
        let number = manifest.number;
        out.print_path_line(&self.log, &format!(": backup {number} in {destination}: {content}; {written}"))?;
        if manifest.damaged_ranges > 0 {
            out.print_note(&format!(
                "{} copied as they are; `chronicle verify {}` lists them",
                format_count(manifest.damaged_ranges, "damaged range"),
                shell_path(&self.log)
            ));
        }
        Ok(())
    }
}
