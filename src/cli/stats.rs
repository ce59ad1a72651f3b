//! `stats`: counts events in groups, with their bytes, times and distribution over time.

use std::path::PathBuf;

use clap::Args;

use super::failure::CommandResult;
use super::filter_arg::{FilterArg, FilterResult, print_filter_advice};
use super::log_access::{open_options, print_removed_start, print_side_file_notices};
use super::options::{GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::query::{GroupBy, StatisticsOptions, collect_statistics};
use crate::report::statistics::{damage_note, index_note, statistics_json, statistics_lines};
use crate::report::{ExitStatus, safe_path_text};

/// Count events by type, aggregate, hour, payload value or another property.
///
/// Prints a line for each group: events, share, bytes, first and last time, and the distribution over time. Damaged ranges
/// are not counted; they make the exit status 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle stats a.log
  chronicle stats a.log --by hour --filter type:Updated
  chronicle stats a.log --by payload.country --filter after:-1h --top 5
  chronicle stats a.log --by agg --counts")]
pub(super) struct StatsArgs {
    /// Log to read
    log: PathBuf,
    #[command(flatten)]
    filter: FilterArg,
    /// Group by this property: type, ns, schema, v, agg, hour, day or payload.PATH
    #[arg(long, value_name = "PROPERTY", value_parser = GroupBy::parse, default_value = "type")]
    by: GroupBy,
    /// List at most this many groups; the others are counted together [default: 50, all hours and days]
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Count events only, from the index where it knows their number, without reading the log there
    #[arg(long)]
    counts: bool,
    #[command(flatten)]
    threads: ThreadArgs,
}

/// The number of groups that are listed, unless an option or the property says otherwise.
const DEFAULT_TOP: usize = 50;

impl StatsArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let log = open_options(global).threads(self.threads.count()).open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        print_removed_start(&log, out);
        let filter = self.filter.parse(&log)?;
        let mut options = StatisticsOptions::new(self.by.clone());
        match self.top {
            Some(top) => options = options.max_groups(top),
            None if !self.by.is_time() => options = options.max_groups(DEFAULT_TOP),
            None => {}
        }
        if self.counts {
            options = options.counts_only();
        }
        let view = log.view();
        let index = view.index_coverage().map(|_| view.load_index());
        let progress = TerminalProgress::new("counting", out);
        let statistics = collect_statistics(view, index.as_ref(), &filter, &options, &mut |at| progress.show(at));
        drop(progress);
        let statistics = statistics?;
        if out.is_json() {
            out.print_json(&statistics_json(&safe_path_text(&self.log), filter.text(), &statistics))?;
        } else {
            statistics_lines(&statistics).iter().try_for_each(|line| out.print_line(line))?;
        }
        for note in [index_note(&statistics), damage_note(&statistics)].into_iter().flatten() {
            out.print_note(&note);
        }
        print_filter_advice(&filter, &log, FilterResult::of(statistics.total.events), out)?;
        Ok(if statistics.damage > 0 { ExitStatus::Damage } else { ExitStatus::Done })
    }
}
