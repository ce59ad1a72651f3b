//! `cat`: prints events as JSON lines, exactly as stored. Damage and gaps are reported on stderr and skipped.

use std::path::PathBuf;

use clap::Args;

use super::byte_stream::ByteStream;
use super::failure::{CommandFailure, CommandResult};
use super::filter_arg::FilterArg;
use super::follow::follow_events;
use super::log_access::{open_options, print_removed_start, print_side_file_notices};
use super::log_input::LogInput;
use super::options::{GlobalArgs, ThreadArgs};
use super::output::CommandOutput;
use super::selected_events::{EventRangeArgs, LogSelection};

/// Print events as JSON, one per line.
///
/// Each line is {"offset":N,"event":{...}} with the event as stored, digit for digit. Damaged ranges and gaps are
/// reported on stderr and skipped; skipped damage makes the exit status 3. With --follow, events are printed when they are
/// complete, until Ctrl-c or a closed pipe ends it with status 0; status 3 means that printed events are gone, because the
/// log was cut, overwritten, replaced or removed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle cat a.log --filter 'agg:42 type:Updated payload.amount>=100'
  chronicle cat a.log --from 1223488 --limit 10
  chronicle cat a.log --follow --filter 'after:now type:Updated'

A line of the output:
  {\"offset\":1223488,\"event\":{\"write_timestamp_ms\":1767225600007,\"event_type\":\"Updated\",\"namespace\":\"accounts\",\"schema_id\":\"Person\",\"schema_version\":2,\"aggregate_id\":42,\"payload\":{\"amount\":1.50}}}")]
pub(super) struct CatArgs {
    /// Log to read; - is stdin. A pipe and a log that gzip or zstd compressed are read too
    log: PathBuf,
    #[command(flatten)]
    filter: FilterArg,
    #[command(flatten)]
    range: EventRangeArgs,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Continue with events as they are appended; the filter after:now leaves out the events that exist
    #[arg(long, conflicts_with = "until")]
    follow: bool,
}

impl CatArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        // A stream is copied to its end before it is read, and an endless one would never be refused.
        if self.follow && ByteStream::is_needed_for(&self.log) {
            return Err(CommandFailure::Usage {
                message: "--follow needs a log in a file that is not compressed: nothing is appended to a stream"
                    .into(),
                hint: "Leave out --follow".into(),
            });
        }
        let LogInput { log, status, .. } =
            LogInput::open(&self.log, open_options(global).threads(self.threads.count()), out)?;
        print_side_file_notices(&log, out);
        if self.range.is_from_start() {
            print_removed_start(&log, out);
        }
        let filter = self.filter.parse(&log)?;
        if self.follow {
            return follow_events(&log, &filter, self.range.to_range(), out);
        }
        let source = LogSelection { log: &log, filter: &filter, range: &self.range };
        Ok(source.print(status, out)?.status)
    }
}
