//! The run of `restore` from a stream: writes a new log, or continues and follows a copy.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::log_access::open_options;
use super::nats_address::stream_address;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::stop_signal::StopSignal;
use crate::file::{Disk, ExistingFile, NewLogForm, OsDisk};
use crate::place::RemoteUrl;
use crate::remote::nats::{ReplicationError, RestoreStatus, Restorer};
use crate::report::json::Json;
use crate::report::units::{format_count, format_number};
use crate::report::{ExitStatus, safe_path_text};

/// Time between two lines about the state while following.
const STATE_INTERVAL: Duration = Duration::from_secs(10);

/// What the options of `restore` ask for.
pub(super) struct StreamRestore<'a> {
    /// The stream.
    pub(super) url: &'a RemoteUrl,
    /// The path of the log.
    pub(super) output: &'a Path,
    /// True when a log that is there is continued.
    pub(super) continues: bool,
    /// True when the run appends what the stream gets until it is stopped.
    pub(super) follow: bool,
    /// A file with credentials.
    pub(super) creds: Option<&'a Path>,
    /// The number of threads that read the new log again.
    pub(super) threads: usize,
}

/// Runs `restore` from a stream.
pub(super) fn restore_stream(args: &StreamRestore, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let address = stream_address(args.url, args.creds)?;
    let url = PathBuf::from(args.url.to_string());
    let failure = |error: ReplicationError| CommandFailure::from(error.into_storage_error(&url, "restore from"));
    let stop = StopSignal::new(None);
    let is_there = std::fs::symlink_metadata(args.output).is_ok();
    let extends = args.continues || (args.follow && is_there);
    if !extends {
        let form = NewLogForm::File;
        CommandPaths::new(global).writes_log("-o", args.output, ExistingFile::Keep, form).check()?;
    }
    let mut restorer = Restorer::open(&address).map_err(failure)?;
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let mut progress =
        RestoreProgress { stop: &stop, printed: Instant::now(), was_caught_up: false, follows: args.follow };
    if !extends {
        let threads = args.threads;
        restorer.restore_new(&disk, args.output, threads, &mut |_| progress.cancelled()).map_err(failure)?;
        if !args.follow {
            out.set_effect(format!("{} is complete", safe_path_text(args.output)));
        }
        print_state(args, "restored", restorer.status(), out)?;
        if !args.follow {
            return Ok(ExitStatus::Done);
        }
    }
    let mut replica = restorer.open_replica(&open_options(global), args.output).map_err(failure)?;
    if let Some(tail) = replica.log().set_aside_tail() {
        let text =
            format!("{}: set an unfinished end aside: {}", safe_path_text(args.output), safe_path_text(&tail.journal));
        out.print_notice(&text, &Json::Object(vec![("notice", text.as_str().into())]));
    }
    let mut printed = Ok(());
    let extended = restorer.extend(&mut replica, args.follow, &mut |status| {
        if args.follow && progress.is_due(status) {
            printed = print_state(args, "following", status, out);
        }
        let is_over = printed.is_err() || out.is_stdout_closed();
        if is_over { ControlFlow::Break(()) } else { progress.cancelled() }
    });
    extended.map_err(failure)?;
    printed?;
    print_state(args, if args.follow { "end" } else { "continued" }, restorer.status(), out)?;
    Ok(ExitStatus::Done)
}

/// When a line about the state is due.
struct RestoreProgress<'a> {
    stop: &'a StopSignal,
    printed: Instant,
    was_caught_up: bool,
    follows: bool,
}

impl RestoreProgress<'_> {
    fn cancelled(&self) -> ControlFlow<()> {
        if self.stop.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// True when the copy has caught up for the first time, and again after each interval.
    fn is_due(&mut self, status: &RestoreStatus) -> bool {
        let is_first = self.follows && !self.was_caught_up && status.lag_messages == 0;
        let is_due = is_first || self.printed.elapsed() >= STATE_INTERVAL;
        if is_due {
            (self.printed, self.was_caught_up) = (Instant::now(), self.was_caught_up || is_first);
        }
        is_due
    }
}

/// Prints what the new log has.
fn print_state(
    args: &StreamRestore,
    event: &'static str,
    status: &RestoreStatus,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    let RestoreStatus { events, gaps, position, sequence, lag_messages } = *status;
    if out.is_json() {
        out.print_json(&Json::Object(vec![
            ("event", event.into()),
            ("new", safe_path_text(args.output).into()),
            ("events", events.into()),
            ("gaps", gaps.into()),
            ("position", position.into()),
            ("sequence", sequence.into()),
            ("lag_messages", lag_messages.into()),
        ]))?;
    } else {
        let gaps = if gaps == 0 { String::new() } else { format!(" and {}", format_count(gaps, "gap")) };
        let verified = if event == "restored" { "; the new log was read again and is valid" } else { "" };
        let lag =
            if lag_messages == 0 { String::new() } else { format!("; {} left", format_count(lag_messages, "message")) };
        let text = format!(
            ": {}{gaps} written, up to offset {} (sequence number {sequence}){verified}{lag}",
            format_count(events, "event"),
            format_number(position)
        );
        out.print_path_line(args.output, &text)?;
    }
    out.flush()
}
