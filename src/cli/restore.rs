//! `restore`: writes a log again from a backup, or from a stream that it was replicated to.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use super::backup_store::parse_place;
use super::failure::{CommandFailure, CommandResult};
use super::options::{ForceArgs, GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::restore_backup::BackupSource;
use crate::place::{Place, RemoteScheme, RemoteUrl};
use crate::report::safe_path_text;

/// Write a log again, byte by byte, from a backup or from a stream of NATS JetStream.
///
/// Every part is compared with its hash, and every message with its checksum; the new log is read again before it gets its name:
/// it is complete, or it is not there.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("action").required(true),
    after_help = "\
Examples:
  chronicle restore /mnt/backup/accounts -o accounts.log       the newest backup
  chronicle restore s3://backups/accounts --list               all backups, with their times
  chronicle restore s3://backups/accounts -o old.log --number 3
  chronicle restore s3://backups/accounts --check              read and compare every part, write nothing
  chronicle restore nats://db2:4222/ACCOUNTS -o accounts.log
  chronicle restore nats://db2:4222/ACCOUNTS -o accounts.log --continue
  chronicle restore nats://db2:4222/ACCOUNTS -o replica.log --follow

Credentials for NATS come from --creds or from the environment: NATS_CREDS (a file), NATS_USER and NATS_PASSWORD, or NATS_TOKEN.
Those for object storage come from the environment and the files in ~/.aws, see `chronicle backup --help`."
)]
#[expect(clippy::struct_excessive_bools, reason = "each one is a flag of the command line, independent of the others")]
pub(super) struct RestoreArgs {
    /// Destination of `chronicle backup`, a folder or a URL; or a stream, as `nats://HOST[:PORT]/STREAM`
    source: PathBuf,
    /// Path of the new log; a folder for a log in segments
    #[arg(short, long, value_name = "NEW", group = "action")]
    output: Option<PathBuf>,
    /// List the backups
    #[arg(long, group = "action", conflicts_with = "number")]
    list: bool,
    /// Read every part of the backup and compare its hash; write nothing
    #[arg(long, group = "action")]
    check: bool,
    /// Take this backup, as --list numbers them, instead of the newest one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    number: Option<u32>,
    #[command(flatten)]
    force: ForceArgs,
    /// Append what a stream has to a log that has the first part already
    #[arg(long = "continue")]
    continues: bool,
    /// Append what the stream gets, until Ctrl-c; continues a log that is there
    #[arg(long)]
    follow: bool,
    /// File with credentials for NATS, as `nsc` writes it
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl RestoreArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        match parse_place(&self.source)? {
            Place::Remote(url) if url.scheme() == RemoteScheme::Nats => self.restore_stream(&url, global, out),
            _ => self.restore_backup(global, out),
        }
    }

    fn restore_backup(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let options = [("--continue", self.continues), ("--follow", self.follow), ("--creds", self.creds.is_some())];
        self.refuse(&options, "a stream, as nats://HOST[:PORT]/STREAM")?;
        let source = BackupSource::open(&self.source, self.number)?;
        match &self.output {
            Some(output) => source.restore(output, self.force.existing_files(), global, out),
            None if self.check => source.check(out),
            None => source.list(out),
        }
    }

    fn restore_stream(&self, url: &RemoteUrl, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let options = [
            ("--list", self.list),
            ("--check", self.check),
            ("--number", self.number.is_some()),
            ("--force", self.force.force),
        ];
        self.refuse(&options, "a backup, a folder or s3://BUCKET/PREFIX")?;
        let output = self.output.as_deref().unwrap_or(Path::new(""));
        #[cfg(feature = "remote")]
        {
            let settings = super::stream_restore::StreamRestore {
                url,
                output,
                continues: self.continues,
                follow: self.follow,
                creds: self.creds.as_deref(),
                threads: self.threads.count(),
            };
            super::stream_restore::restore_stream(&settings, global, out)
        }
        #[cfg(not(feature = "remote"))]
        {
            let _ = (output, self.threads, global, out);
            // Where this build has no servers, the command line was refused before.
            Err(CommandFailure::Usage {
                message: format!("{url}: streams cannot be read"),
                hint: "Install Chronicle with the feature `remote`".into(),
            })
        }
    }

    /// Refuses the first of the options that is given.
    fn refuse(&self, options: &[(&str, bool)], needed: &str) -> Result<(), CommandFailure> {
        match options.iter().find(|(_, is_given)| *is_given) {
            None => Ok(()),
            Some((option, _)) => Err(CommandFailure::Usage {
                message: format!("{option} needs {needed}, found {}", safe_path_text(&self.source)),
                hint: format!("Leave out {option}, or name another source"),
            }),
        }
    }
}
