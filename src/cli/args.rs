//! The command line as types: every command, every option, every word of help.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::index_args::{IndexArgs, ThreadArgs};
use super::repair_args::{RepairArgs, UndoArgs};
use crate::report::{ExitStatus, units};
use crate::sample::Drill;

/// Inspector and repair tool for append-only event logs.
///
/// `chronicle LOG` opens the screen; the commands do the same from a script.
#[derive(Debug, Parser)]
#[command(
    name = "chronicle",
    version,
    override_usage = "chronicle LOG\n       chronicle <COMMAND> ...",
    after_help = exit_status_help(),
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: GlobalArgs,
}

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct GlobalArgs {
    /// Print JSON: one object, or one a line where there are several
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) json: bool,
    /// Keep the index in this file instead of LOG.idx
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub(super) index: Option<PathBuf>,
    /// Keep the journals of repairs in this folder instead of LOG.repairs
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(super) journal: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open a log on the screen
    Open(OpenArgs),
    /// Judge a whole log: every frame, every event, the index
    Verify(VerifyArgs),
    /// Say what is known of a log without reading it through
    Info(LogArgs),
    /// Print events, one JSON object a line
    Cat(CatArgs),
    /// Append events, from flags or as JSON lines from stdin, and print their offsets
    Append(AppendArgs),
    /// Look at, catch up or rebuild the index
    Index(IndexArgs),
    /// Plan a repair, show it, and apply exactly that when somebody says yes
    Repair(RepairArgs),
    /// Take a repair back, or print the log's medical record
    Undo(UndoArgs),
    /// Copy every event that can be had into a new log, with a map of old to new offsets
    #[command(after_help = "Example:\n  chronicle salvage bad.log -o good.log --map moved.csv --donor backup.log")]
    Salvage(SalvageArgs),
    /// Copy the events of a log of version 0 into a new one of version 1
    #[command(after_help = "Example:\n  chronicle migrate old.log -o new.log --map moved.csv")]
    Migrate(MigrateArgs),
    /// Compare two copies of a log: exit 3 when they differ
    #[command(after_help = "Example:\n  chronicle diff accounts.log backup/accounts.log")]
    Diff(DiffArgs),
    /// Create an empty log
    Create(CreateArgs),
    /// Write a realistic log, the same bytes for the same seed and start time
    Generate(GenerateArgs),
    /// Plant one named damage in a copy of a log, and print the truth about it as JSON
    Drill(DrillArgs),
    /// Write a log with several damages and a stale index into a folder, and open it
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// The log
    pub(super) log: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    /// The log
    pub(super) log: PathBuf,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
}

/// How the screen behaves.
#[derive(Debug, Clone, Args)]
pub(super) struct ScreenArgs {
    /// Take every action away that writes
    #[arg(long)]
    pub(super) read_only: bool,
    /// Do not scan the log behind the screen
    #[arg(long)]
    pub(super) no_scan: bool,
    /// Read no more than this a second behind the screen, scan and hits together
    #[arg(long, value_name = "SIZE/s", value_parser = units::parse_rate, conflicts_with = "no_scan")]
    pub(super) rate: Option<u64>,
    /// Which colours to use
    #[arg(long, value_enum, default_value_t = ColorArg::Auto)]
    pub(super) color: ColorArg,
    /// Leave the mouse to the terminal
    #[arg(long)]
    pub(super) no_mouse: bool,
}

/// The choices of `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorArg {
    /// The terminal's own 16 colours, none where `NO_COLOR` is set
    Auto,
    /// The terminal's own 16 colours, whatever `NO_COLOR` says
    Always,
    /// High contrast on black
    Dark,
    /// High contrast on white
    Light,
    /// None
    Mono,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each one is a flag of the command line, independent of the others")]
pub(super) struct VerifyArgs {
    /// The log
    pub(super) log: PathBuf,
    /// Judge framing and checksums only: no `invalid_event`, no `clock`
    #[arg(long)]
    pub(super) frames: bool,
    /// Begin at this offset, where a frame starts
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    pub(super) from: Option<u64>,
    /// End before the first frame that starts at this offset or behind it
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    pub(super) until: Option<u64>,
    /// Print every finding as one JSON object a line, and nothing else
    #[arg(long)]
    pub(super) ndjson: bool,
    /// Let gaps count as damage
    #[arg(long)]
    pub(super) no_gaps: bool,
    /// Let an index that is missing or behind count as not usable
    #[arg(long)]
    pub(super) require_fresh: bool,
    /// Begin where the log was verified to the last time, as its index keeps it; before that, look again only at what the
    /// index knows to be damaged, or more than events
    #[arg(long, conflicts_with = "from")]
    pub(super) since_last: bool,
    /// Keep in the index how far the log was verified, and when; builds it, or catches it up
    #[arg(long, conflicts_with_all = ["frames", "until"])]
    pub(super) save: bool,
    #[command(flatten)]
    pub(super) threads: ThreadArgs,
}

#[derive(Debug, Args)]
pub(super) struct CatArgs {
    /// The log
    pub(super) log: PathBuf,
    /// Print only what this filter shows, in the words of the screen: `agg:42 type:Updated payload.amount>=100`. What the
    /// index rules out by type, namespace, schema, time or offset is not read, unless with --strict
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub(super) filter: Option<String>,
    /// Begin at this offset, where a frame starts
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    pub(super) from: Option<u64>,
    /// End before the first frame that starts at this offset or behind it
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    pub(super) until: Option<u64>,
    /// Print at most this many events
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Stop at the first damage
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Debug, Args)]
pub(super) struct AppendArgs {
    /// The log
    pub(super) log: PathBuf,
    /// What happened; without it, events are read from stdin
    #[arg(long = "type", value_name = "TEXT", requires_all = ["namespace", "schema", "payload"])]
    pub(super) event_type: Option<String>,
    /// The part of the world the event belongs to
    #[arg(long, value_name = "TEXT", requires = "event_type")]
    pub(super) namespace: Option<String>,
    /// What the payload is meant to look like
    #[arg(long, value_name = "TEXT", requires = "event_type")]
    pub(super) schema: Option<String>,
    /// The version of that schema
    #[arg(long, value_name = "N", requires = "event_type", default_value_t = 1)]
    pub(super) schema_version: u32,
    /// Whom the event happens to
    #[arg(long, value_name = "ID", requires = "event_type")]
    pub(super) aggregate: Option<u64>,
    /// Any JSON value, kept token for token
    #[arg(long, value_name = "JSON", requires = "event_type", allow_hyphen_values = true)]
    pub(super) payload: Option<String>,
    /// Print offsets only when their events are on stable storage
    #[arg(long)]
    pub(super) sync: bool,
}

/// What `salvage` and `migrate` take.
#[derive(Debug, Args)]
pub(super) struct CopyArgs {
    /// The log, which is only read
    pub(super) log: PathBuf,
    /// The new log
    #[arg(short = 'o', long = "output", value_name = "NEW")]
    pub(super) output: PathBuf,
    /// Write here which offset each event had and has: NDJSON for .ndjson and .jsonl, else CSV
    #[arg(long, value_name = "FILE")]
    pub(super) map: Option<PathBuf>,
    /// Take what is restored without proof, too
    #[arg(long, value_enum, value_name = "CERTAINTY")]
    pub(super) accept: Option<AcceptArg>,
    /// Replace what is there
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) threads: ThreadArgs,
}

/// The choices of `--accept`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AcceptArg {
    /// Fixes that accidents look like less than once in 100
    Likely,
}

#[derive(Debug, Args)]
pub(super) struct SalvageArgs {
    #[command(flatten)]
    pub(super) copy: CopyArgs,
    /// Take what is damaged here from this copy of the log
    #[arg(long, value_name = "COPY")]
    pub(super) donor: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(flatten)]
    pub(super) copy: CopyArgs,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// One copy
    #[arg(value_name = "A")]
    pub(super) a: PathBuf,
    /// The other
    #[arg(value_name = "B")]
    pub(super) b: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The log
    pub(super) log: PathBuf,
    /// Replace what is there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// The log
    pub(super) log: PathBuf,
    /// How many events
    #[arg(long, value_name = "N", default_value_t = 100_000, conflicts_with = "size")]
    pub(super) events: u64,
    /// As many events as fit into this size
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    pub(super) size: Option<u64>,
    /// Another seed gives another log
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// How many aggregates the events belong to
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) aggregates: u64,
    /// When the log begins: a date and time, or milliseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = units::parse_time, default_value = "2026-01-01T00:00")]
    pub(super) start_time: u64,
    /// Replace what is there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct DrillArgs {
    /// The log, which is only read
    pub(super) log: PathBuf,
    /// The copy to damage
    #[arg(short = 'o', long = "output", value_name = "COPY")]
    pub(super) copy: PathBuf,
    /// Which damage
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(drill_values()))]
    pub(super) kind: String,
    /// Another seed gives another place
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Replace what is there
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// The folder, created when it is not there
    #[arg(default_value = "chronicle-demo")]
    pub(super) folder: PathBuf,
    /// Replace the demonstration that is there
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) screen: ScreenArgs,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell
    pub(super) shell: clap_complete::Shell,
}

/// Decimal, or hexadecimal behind `0x`.
pub(super) fn parse_offset(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "expected an offset such as 1223488 or 0x12ab40".into())
}

fn drill_values() -> impl Iterator<Item = clap::builder::PossibleValue> {
    Drill::ALL.iter().map(|(_, name, _, what)| clap::builder::PossibleValue::new(*name).help(*what))
}

fn exit_status_help() -> String {
    let rows = ExitStatus::ALL.iter().map(|(_, number, meaning)| format!("  {number}  {meaning}\n"));
    format!("Exit statuses:\n{}", rows.collect::<String>())
}
