//! The run of `replicate`: sends what a log has, follows it, and reports the state.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::failure::{CommandFailure, CommandResult};
use super::file_change::{change_json, change_line};
use super::findings::finding_line;
use super::log_access::{open_options, open_with_notices};
use super::nats_address::stream_address;
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::replication_lines::{print, print_status};
use super::stop_signal::StopSignal;
use crate::EventLog;
use crate::format::Finding;
use crate::inspect::{FileChange, FileWatch};
use crate::place::RemoteUrl;
use crate::remote::nats::{
    ChangedFrame, NatsConnection, NatsError, NewStream, ReplicationError, ShipEnd, ShipStatus, Shipper, StreamAddress,
    StreamState, is_valid_prefix,
};
use crate::repair::FixFinder;
use crate::report::json::{self, Json};
use crate::report::units::format_count;
use crate::report::{ExitStatus, fix_line, safe_path_text};

/// The time for which a run with --once tries to reach the server.
const PATIENCE: Duration = Duration::from_secs(60);
/// Time between two observations of an end that is damaged or being written.
const SLOW_INTERVAL: Duration = Duration::from_secs(1);

/// What the options of `replicate` ask for.
pub(super) struct ReplicationSettings<'a> {
    /// The log.
    pub(super) log: &'a Path,
    /// The stream.
    pub(super) url: &'a RemoteUrl,
    /// True when the run ends as soon as everything is sent.
    pub(super) once: bool,
    /// The time after which the run ends.
    pub(super) time: Option<Duration>,
    /// True when the stream is created unless it exists.
    pub(super) create: bool,
    /// The number of replicas of a new stream.
    pub(super) replicas: usize,
    /// The start of the subjects.
    pub(super) prefix: Option<&'a str>,
    /// A file with credentials.
    pub(super) creds: Option<&'a Path>,
    /// The time between two lines about the state.
    pub(super) interval: Duration,
}

/// Runs `replicate`.
pub(super) fn replicate(args: &ReplicationSettings, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let url = args.url;
    if let Some(prefix) = args.prefix.filter(|prefix| !is_valid_prefix(prefix)) {
        return Err(CommandFailure::Usage {
            message: format!(
                "--prefix {prefix}: expected words of printable ASCII characters joined by dots, without * and >"
            ),
            hint: "Write for example --prefix logs.accounts".into(),
        });
    }
    let address = stream_address(url, args.creds)?;
    let stop = StopSignal::new(args.time);
    let log = open_with_notices(args.log, global, out)?;
    let mut run = Replication {
        args,
        global,
        url: PathBuf::from(url.to_string()),
        address,
        stop,
        started: Instant::now(),
        printed: None,
        trouble: None,
        reported: None,
        status: ExitStatus::Done,
    };
    run.create_stream(out)?;
    run.run(log, out)
}

/// The state of one run.
struct Replication<'a> {
    args: &'a ReplicationSettings<'a>,
    global: &'a GlobalArgs,
    url: PathBuf,
    address: StreamAddress,
    stop: StopSignal,
    started: Instant,
    /// When the state was printed last, and the number of frames then.
    printed: Option<(Instant, u64)>,
    /// The trouble with the server that was printed last.
    trouble: Option<String>,
    /// The damage in front of which the run stopped last.
    reported: Option<Range<u64>>,
    status: ExitStatus,
}

/// What follows after the wait for a change of the log.
enum Change {
    /// The log can have more frames.
    Grown,
    /// The path leads to another log, or its bytes are others.
    Reopen,
    /// The run is to end.
    Stop,
}

impl Replication<'_> {
    fn failure(&self, error: ReplicationError) -> CommandFailure {
        error.into_storage_error(&self.url, "use").into()
    }

    /// Creates the stream when that was asked for and it does not exist.
    fn create_stream(&self, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        if !self.args.create {
            return Ok(());
        }
        let connection = NatsConnection::open(&self.address).map_err(|error| self.failure(error.into()))?;
        let (created, state) = match connection.stream_state() {
            Err(NatsError::NoStream) => {
                let prefix = self.args.prefix.map_or_else(|| self.address.stream.clone(), str::to_owned);
                let new = NewStream { prefix, replicas: self.args.replicas };
                connection.create_stream(new).map_err(|error| self.failure(error.into()))?;
                (true, connection.stream_state())
            }
            found => (false, found),
        };
        let state = state.map_err(|error| self.failure(error.into()))?;
        let text = if created {
            let subjects = state.subjects.join(", ");
            let replicas = format_count(state.replicas as u64, "replica");
            format!("created the stream with the subjects {subjects}, in files, {replicas}, without limits")
        } else {
            "the stream exists; nothing was created".to_owned()
        };
        let keys = vec![
            ("event", if created { "created" } else { "exists" }.into()),
            ("stream", safe_path_text(&self.url).into()),
            ("subjects", Json::List(state.subjects.iter().map(|subject| subject.as_str().into()).collect())),
            ("replicas", (state.replicas as u64).into()),
        ];
        print(out, &text, keys)
    }

    fn run(&mut self, mut log: EventLog, out: &mut CommandOutput) -> CommandResult {
        let patience = self.args.once.then_some(PATIENCE);
        let mut is_first = true;
        loop {
            let view = log.view().clone();
            let opened = Shipper::open(&view, &self.address, self.args.prefix, patience);
            let mut shipper = opened.map_err(|error| self.failure(error))?;
            if is_first {
                self.print_start(&shipper, out)?;
                is_first = false;
            }
            self.report_changed_frames(&shipper, out)?;
            let mut watch = FileWatch::new(&view)?;
            loop {
                let end = self.ship(&mut shipper, out)?;
                self.report_end(&shipper, &end, out)?;
                let has_ended = self.args.once || matches!(end, ShipEnd::Stopped) || self.stop.is_stopped();
                if has_ended {
                    self.print_state("end", shipper.status(), out)?;
                    return Ok(self.status);
                }
                match self.wait_for_change(&mut watch, shipper.status().position, out)? {
                    Change::Grown => {}
                    Change::Stop => {
                        self.print_state("end", shipper.status(), out)?;
                        return Ok(self.status);
                    }
                    Change::Reopen => break,
                }
            }
            match self.reopen(out)? {
                Some(reopened) => log = reopened,
                None => return Ok(self.status),
            }
        }
    }

    /// Opens the log at the path again, when there is one; `None` when the run is to end.
    fn reopen(&self, out: &mut CommandOutput) -> Result<Option<EventLog>, CommandFailure> {
        loop {
            match open_options(self.global).open_read_only(self.args.log) {
                Ok(log) => return Ok(Some(log)),
                Err(error) if self.args.log.exists() => return Err(error.into()),
                Err(_) if self.stop.wait(out) => return Ok(None),
                Err(_) => {}
            }
        }
    }

    fn ship(&mut self, shipper: &mut Shipper, out: &mut CommandOutput) -> Result<ShipEnd, CommandFailure> {
        let mut printed = Ok(());
        let end = shipper.ship(&mut |status| {
            printed = self.report_progress(status, out);
            // The time of --for ends the wait for events, and not the sending of those that are there.
            let is_over = self.stop.is_interrupted() || (status.trouble.is_some() && self.stop.is_stopped());
            if printed.is_err() || is_over || out.is_stdout_closed() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        printed?;
        end.map_err(|error| self.failure(error))
    }

    fn report_progress(&mut self, status: &ShipStatus, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        if status.trouble != self.trouble {
            self.trouble.clone_from(&status.trouble);
            let text = status
                .trouble
                .clone()
                .map_or("the server answers again".to_owned(), |trouble| format!("{trouble}; trying again"));
            let text = format!("{}: {text}", safe_path_text(&self.url));
            out.print_notice(&text, &Json::Object(vec![("event", "server".into()), ("notice", text.as_str().into())]));
        }
        let since = self.printed.map_or(self.started, |(at, _)| at);
        let has_update = status.lag_frames > 0 || self.printed.map_or(0, |(_, frames)| frames) < status.frames;
        let is_due = since.elapsed() >= self.args.interval && has_update;
        if is_due { self.print_state("progress", status, out) } else { Ok(()) }
    }

    /// Reports that the run has caught up for the first time, or that it stopped in front of damage.
    fn report_end(&mut self, shipper: &Shipper, end: &ShipEnd, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        match end {
            ShipEnd::Stopped => Ok(()),
            ShipEnd::CaughtUp => {
                let was_stopped = self.reported.take().is_some();
                if was_stopped || (self.printed.is_none() && !self.args.once) {
                    self.print_state("caught_up", shipper.status(), out)?;
                }
                if was_stopped {
                    self.status = ExitStatus::Done;
                }
                Ok(())
            }
            ShipEnd::Damage(finding) if self.reported == Some(finding.range()) => Ok(()),
            ShipEnd::Damage(finding) => {
                self.reported = Some(finding.range());
                self.status = self.status.combine(ExitStatus::Damage);
                print_damage(shipper, finding, out)
            }
        }
    }

    /// Reports the frames in the stream that a repair or an undo has changed in the log.
    fn report_changed_frames(&mut self, shipper: &Shipper, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let paths = open_options(self.global).log_paths(self.args.log)?;
        let changed = shipper.find_changed_frames(&paths).map_err(|error| self.failure(error))?;
        for ChangedFrame { offset, sequence, in_log } in changed {
            self.status = self.status.combine(ExitStatus::Damage);
            let text = format!(
                "offset {offset}: the stream has an event that the log does not have (sequence number {sequence}): the log was \
                 repaired since, and has {in_log}"
            );
            let keys = vec![
                ("event", "differs".into()),
                ("offset", offset.into()),
                ("sequence", sequence.into()),
                ("in_log", in_log.into()),
            ];
            print(out, &text, keys)?;
        }
        Ok(())
    }

    fn print_start(&self, shipper: &Shipper, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let StreamState { messages, .. } = shipper.stream();
        for warning in shipper.stream().warnings() {
            let text = format!("{}: {warning}", safe_path_text(&self.url));
            out.print_notice(
                &text,
                &Json::Object(vec![("event", "warning".into()), ("warning", warning.as_str().into())]),
            );
        }
        let position = shipper.status().position;
        let text = if *messages == 0 {
            "the stream is empty: sending from the start of the log".to_owned()
        } else {
            format!("the stream has {}: going on at offset {position}", format_count(*messages, "message"))
        };
        let keys = vec![
            ("event", "start".into()),
            ("stream", safe_path_text(&self.url).into()),
            ("messages", (*messages).into()),
            ("position", position.into()),
        ];
        print(out, &text, keys)
    }

    /// Prints how many events were sent, how fast, and what is left.
    fn print_state(
        &mut self,
        event: &'static str,
        status: &ShipStatus,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        let (since, before) = match self.printed {
            Some((at, frames)) if event == "progress" => (at, frames),
            _ => (self.started, 0),
        };
        let ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = (status.frames - before).saturating_mul(1000) / ms;
        self.printed = Some((Instant::now(), status.frames));
        print_status(out, event, status, rate)
    }

    /// Waits until the log can have changed, or the run is to end.
    fn wait_for_change(
        &self,
        watch: &mut FileWatch,
        position: u64,
        out: &mut CommandOutput,
    ) -> Result<Change, CommandFailure> {
        let waiting_since = Instant::now();
        loop {
            if self.stop.wait(out) {
                return Ok(Change::Stop);
            }
            let change = watch.observe()?;
            match change {
                FileChange::Unchanged if waiting_since.elapsed() < SLOW_INTERVAL => {}
                FileChange::Unchanged | FileChange::Grown => return Ok(Change::Grown),
                FileChange::Truncated { now, .. } if now >= position => return Ok(Change::Grown),
                FileChange::Missing | FileChange::Replaced | FileChange::Overwritten | FileChange::Truncated { .. } => {
                    let path = self.args.log;
                    out.print_notice(&change_line(path, change), &change_json(path, change));
                    return Ok(Change::Reopen);
                }
                // A repair writes in place. What it has changed is compared with the stream.
                FileChange::Written => return Ok(Change::Reopen),
            }
        }
    }
}

/// Reports the damage in front of which the sending stopped, with its fix.
fn print_damage(shipper: &Shipper, finding: &Finding, out: &mut CommandOutput) -> Result<(), CommandFailure> {
    let mut finder = FixFinder::new(shipper.view())?;
    let mut proposed = finder.push(finding)?;
    proposed.extend(finder.finish());
    let fix = proposed.into_iter().find_map(|proposed| proposed.fix);
    let advice = fix.as_ref().map_or(String::new(), |fix| format!("; fix: {}", fix_line(fix)));
    let text = format!(
        "stopped at offset {} in front of damage: {}{advice}; `chronicle repair` restores it, and sending goes on after it",
        shipper.status().position,
        finding_line(finding, None)
    );
    let keys = vec![
        ("event", "damage".into()),
        ("position", shipper.status().position.into()),
        ("finding", json::finding(finding, fix.as_ref(), None)),
    ];
    print(out, &text, keys)
}
