//! What `index` takes, and what building an index may take.

use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::{LogArgs, parse_offset};
use crate::report::units;

#[derive(Debug, Args)]
pub(super) struct IndexArgs {
    #[command(subcommand)]
    pub(super) action: IndexAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum IndexAction {
    /// Say how the index relates to the log
    Status(LogArgs),
    /// Do what the index's state needs: build it, or catch it up
    Update(UpdateArgs),
    /// Build the index anew, whatever its state
    Rebuild(RebuildArgs),
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// The log
    pub(super) log: PathBuf,
    #[command(flatten)]
    pub(super) build: BuildArgs,
}

#[derive(Debug, Args)]
pub(super) struct RebuildArgs {
    /// The log
    pub(super) log: PathBuf,
    #[command(flatten)]
    pub(super) build: BuildArgs,
    /// Keep what the index knows below this offset
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset, default_value = "0")]
    pub(super) from: u64,
}

/// How many threads read a log that has to be read whole.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct ThreadArgs {
    /// Read with this many threads; as many as there are processors unless it is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
}

impl ThreadArgs {
    /// Their number.
    pub(super) fn count(self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, NonZero::get);
        self.threads.map_or_else(all, usize::from)
    }
}

/// What building an index may take.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct BuildArgs {
    #[command(flatten)]
    pub(super) threads: ThreadArgs,
    /// Hold no more of the aggregates in memory; the rest waits in a file without a name beside the index
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, default_value = "256MiB")]
    pub(super) memory: u64,
}
