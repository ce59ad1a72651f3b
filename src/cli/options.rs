//! Options that several commands share, with their help texts.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::file::ExistingFile;
use crate::format::{LogId, NewLogFormat, Version};
use crate::query;

/// Options that every command accepts.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct GlobalArgs {
    /// Print JSON: one object, or one object per line for lists
    #[arg(long, global = true, help_heading = "Global options")]
    pub(super) json: bool,
    /// Use this index file instead of LOG.idx
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(super) index: Option<PathBuf>,
    /// Keep repair journals in this folder instead of LOG.repairs
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(super) journal: Option<PathBuf>,
}

/// The number of threads that read a whole log.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct ThreadArgs {
    /// Read with this many threads [default: one per processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl ThreadArgs {
    /// Returns the number of threads: the given number, or one per processor.
    pub(super) fn count(self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.map_or_else(processors, usize::from)
    }
}

/// The time that a command waits for the writer's lock.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct LockArgs {
    /// Wait up to this many seconds for the writer's lock
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

impl LockArgs {
    /// Returns the longest time to wait for the writer's lock.
    pub(super) const fn timeout(self) -> Duration {
        Duration::from_secs(self.wait)
    }
}

/// Values of `--accept`: the certainty below `proven` at which a fix is still applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AcceptArg {
    /// Fixes that chance alone would offer less than once in 100 cases
    Likely,
}

/// The option that allows a command to replace files.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ForceArgs {
    /// Replace files that already exist
    #[arg(long)]
    pub(super) force: bool,
}

impl ForceArgs {
    /// Returns the policy for files that already exist.
    pub(super) fn existing_files(self) -> ExistingFile {
        if self.force { ExistingFile::Replace } else { ExistingFile::Keep }
    }
}

/// The option that chooses the format of a new log.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct FormatArgs {
    /// Version of the new log's format: in 2, a checksum also covers the identity of the log and the place of the event
    #[arg(long, value_name = "VERSION", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=2))]
    format: u16,
}

impl FormatArgs {
    /// Returns the format, with a random identity in version 2.
    pub(super) fn new_log_format(self) -> NewLogFormat {
        match self.version() {
            Version::V2 => NewLogFormat::V2(LogId::random()),
            Version::V0 | Version::V1 => NewLogFormat::V1,
        }
    }

    /// Returns the version.
    pub(super) const fn version(self) -> Version {
        if self.format == Version::V2.number() { Version::V2 } else { Version::V1 }
    }
}

/// Parses an offset: decimal, or hexadecimal after `0x`.
///
/// # Errors
/// Returns the expected form when `text` is neither.
pub(super) fn parse_offset(text: &str) -> Result<u64, String> {
    query::parse_offset(text).ok_or_else(|| "expected an offset such as 1223488 or 0x12ab40".into())
}
