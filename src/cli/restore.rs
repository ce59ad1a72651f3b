//! `restore`: writes a log again from a copy on servers.

use std::path::PathBuf;

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::options::{GlobalArgs, ThreadArgs};
use super::output::CommandOutput;

/// Write a log again from a stream of NATS JetStream.
///
/// The new log has the same bytes as the one that was replicated. Each message is checked, and the new log is read again before it
/// gets its name: it is complete, or it is not there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle restore nats://db2:4222/ACCOUNTS -o accounts.log
  chronicle restore nats://db2:4222/ACCOUNTS -o accounts.log --continue
  chronicle restore nats://db2:4222/ACCOUNTS -o replica.log --follow

Credentials for NATS come from --creds or from the environment: NATS_CREDS (a file), NATS_USER and NATS_PASSWORD, or NATS_TOKEN.")]
pub(super) struct RestoreArgs {
    /// Stream, as `nats://HOST[:PORT]/STREAM`
    source: PathBuf,
    /// Path of the new log; a folder for a log in segments
    #[arg(short, long, value_name = "NEW")]
    output: PathBuf,
    /// Append to a log that has the first part already
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
        #[cfg(feature = "remote")]
        if let Ok(crate::place::Place::Remote(url)) = crate::place::Place::parse(self.source.as_os_str()) {
            let settings = super::stream_restore::StreamRestore {
                url: &url,
                output: &self.output,
                continues: self.continues,
                follow: self.follow,
                creds: self.creds.as_deref(),
                threads: self.threads.count(),
            };
            return super::stream_restore::restore_stream(&settings, global, out);
        }
        let _ = (global, out);
        Err(CommandFailure::Usage {
            message: format!(
                "{}: expected a stream, as nats://HOST[:PORT]/STREAM, found a path",
                self.source.display()
            ),
            hint: "Copy a local log with `cp`, or with `chronicle salvage` when it is damaged".into(),
        })
    }
}
