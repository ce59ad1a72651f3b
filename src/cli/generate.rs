//! `generate`: generates a realistic test log, which its options reproduce byte for byte.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::command_paths::CommandPaths;
use super::failure::CommandResult;
use super::options::{ForceArgs, FormatArgs, GlobalArgs};
use super::output::CommandOutput;
use super::overwrite::create_replacing;
use super::progress::TerminalProgress;
use super::segment_options::{form_of, parse_segment_size};
use crate::file::{NewLogForm, OsDisk};
use crate::format::Version;
use crate::report::json::Json;
use crate::report::units::{self, format_count, format_duration, format_rate, format_size};
use crate::report::{ExitStatus, safe_path_text};
use crate::sample::{self, GeneratorOptions, LogLength};

/// Generate a realistic test log; equal options give equal bytes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chronicle generate big.log --size 1GiB --aggregates 100000\n  chronicle generate big/ --size 1GiB --segment-size 64MiB"
)]
pub(super) struct GenerateArgs {
    /// Log to create
    log: PathBuf,
    /// Number of events
    #[arg(long, value_name = "N", default_value_t = 100_000, conflicts_with = "size")]
    events: u64,
    /// Generate as many events as fit into this size, such as 64MiB
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size)]
    size: Option<u64>,
    /// Seed of the random numbers; another seed gives other events
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Number of aggregates that the events belong to
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    aggregates: u64,
    /// Time of the header and of the first event: a date and time, or milliseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = units::parse_time, default_value = "2026-01-01T00:00")]
    start_time: u64,
    #[command(flatten)]
    format: FormatArgs,
    /// Generate a folder of segments (format 2), each of at least this size, such as 64MiB
    #[arg(long, value_name = "SIZE", value_parser = parse_segment_size)]
    segment_size: Option<u64>,
    #[command(flatten)]
    force: ForceArgs,
}

impl GenerateArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let existing = self.force.existing_files();
        let form = form_of(self.segment_size, None, &self.log);
        CommandPaths::new(global).writes_log("LOG", &self.log, existing, form).check()?;
        let options = GeneratorOptions {
            seed: self.seed,
            length: self.size.map_or(LogLength::Events(self.events), LogLength::Bytes),
            aggregates: self.aggregates,
            start_time_ms: self.start_time,
            version: match form {
                NewLogForm::File => self.format.version(),
                NewLogForm::Folder(_) => Version::V2,
            },
        };
        let started = Instant::now();
        let progress = TerminalProgress::new("generating", out);
        let summary = create_replacing(&self.log, existing, form, || {
            let mut on_progress = |position| {
                progress.update(position);
                ControlFlow::Continue(())
            };
            Ok(match form {
                NewLogForm::Folder(policy) => {
                    sample::generate_segments(&OsDisk, &self.log, &options, policy.max_bytes, &mut on_progress)?
                }
                NewLogForm::File => sample::generate(&OsDisk, &self.log, &options, &mut on_progress)?,
            })
        })?;
        drop(progress);
        out.set_effect(format!("{} is created", safe_path_text(&self.log)));
        let elapsed = started.elapsed();
        if out.is_json() {
            out.print_json(&Json::Object(vec![
                ("path", safe_path_text(&self.log).into()),
                ("events", summary.events.into()),
                ("bytes", summary.bytes.into()),
                ("version", u64::from(options.version.number()).into()),
                ("seed", self.seed.into()),
                ("start_time_ms", self.start_time.into()),
            ]))?;
        } else {
            let text = format!(": {}, {}", format_count(summary.events, "event"), format_size(summary.bytes));
            out.print_path_line(&self.log, &text)?;
        }
        out.print_note(&format!("took {}, {}", format_duration(elapsed), format_rate(summary.bytes, elapsed)));
        Ok(ExitStatus::Done)
    }
}
