//! `cat`: prints events as JSON lines, exactly as stored. Damage and gaps are reported on stderr and skipped.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;

use super::failure::CommandResult;
use super::filter_arg::FilterArg;
use super::log_access::{open_options, print_side_file_notices};
use super::log_input::LogInput;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::selected_events::{EventRangeArgs, EventSource, visit_selected_events};
use crate::export::event_line;

/// Print events as JSON, one per line.
///
/// Each line is {"offset":N,"event":{...}} with the event as stored, digit for digit. Damaged ranges and gaps are
/// reported on stderr and skipped; skipped damage makes the exit status 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle cat a.log --filter 'agg:42 type:Updated payload.amount>=100'
  chronicle cat a.log --from 1223488 --limit 10")]
pub(super) struct CatArgs {
    /// Log to read; - is stdin. A pipe and a log that gzip or zstd compressed are read too
    log: PathBuf,
    #[command(flatten)]
    filter: FilterArg,
    #[command(flatten)]
    range: EventRangeArgs,
}

impl CatArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let LogInput { log, status, .. } = LogInput::open(&self.log, open_options(global), out)?;
        print_side_file_notices(&log, out);
        let filter = self.filter.parse(&log)?;
        let mut line = Vec::new();
        let source = EventSource { log: &log, filter: &filter, range: &self.range };
        visit_selected_events(source, status, out, &mut |_| ControlFlow::Continue(()), &mut |event, out| {
            event_line(&event, &mut line);
            out.print_stored_json(&line)
        })
    }
}
