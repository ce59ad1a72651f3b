//! `replicate`: sends the events of a log to a stream of NATS JetStream.

use std::path::PathBuf;

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::options::GlobalArgs;
use super::output::CommandOutput;

/// Send the events of a log to a stream of NATS JetStream, each exactly once and in order.
///
/// Sends what the log has and the stream has not, and then what is appended, until Ctrl-c or --for. It goes on where the stream
/// ends, whatever was killed before. Only what is on stable storage is sent. It stops in front of damage, and goes on after the
/// repair. Exits with 3 when it stops in front of damage, or when events in the stream differ from the log, and with 6 when the
/// stream has another log or gets messages from another process.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle replicate accounts.log nats://db2:4222/ACCOUNTS --create --replicas 3
  chronicle replicate accounts.log nats://db2:4222/ACCOUNTS --once
  chronicle restore nats://db2:4222/ACCOUNTS -o accounts.log

Credentials come from --creds or from the environment: NATS_CREDS (a file), NATS_USER and NATS_PASSWORD, or NATS_TOKEN.
NATS_CA names a file with further root certificates.")]
pub(super) struct ReplicateArgs {
    /// Log to send
    log: PathBuf,
    /// Stream, as `nats://HOST[:PORT]/STREAM`
    stream: PathBuf,
    /// Send what is there, and end
    #[arg(long, conflicts_with = "seconds")]
    once: bool,
    /// End after this many seconds, but not before everything that was there is sent
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Create the stream, unless it exists: in files, without limits, with atomic batches
    #[arg(long)]
    create: bool,
    /// Number of servers that store each event of a new stream
    #[arg(long, value_name = "N", requires = "create", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
    /// Start of the subjects: an event gets PREFIX.NAMESPACE.TYPE [default: that of the stream; its name for a new one]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// File with credentials, as `nsc` writes it
    #[arg(long, value_name = "FILE")]
    creds: Option<PathBuf>,
    /// Print the state every this many seconds, when events were sent or are left
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    every: u64,
}

impl ReplicateArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        #[cfg(feature = "remote")]
        if let Ok(crate::place::Place::Remote(url)) = crate::place::Place::parse(self.stream.as_os_str()) {
            let settings = super::replication::ReplicationSettings {
                log: &self.log,
                url: &url,
                once: self.once,
                time: self.seconds.map(std::time::Duration::from_secs),
                create: self.create,
                replicas: usize::from(self.replicas),
                prefix: self.prefix.as_deref(),
                creds: self.creds.as_deref(),
                interval: std::time::Duration::from_secs(self.every),
            };
            return super::replication::replicate(&settings, global, out);
        }
        let _ = (global, out);
        Err(CommandFailure::Usage {
            message: format!(
                "{}: expected a stream, as nats://HOST[:PORT]/STREAM, found a path",
                self.stream.display()
            ),
            hint: "Name the stream to which the log is sent".into(),
        })
    }
}
