//! `watch`: prints a line when a log gets damage, is cut, replaced or overwritten, and when its index becomes stale.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::file_change::{change_name, change_sentence};
use super::findings::{IndexRequirement, finding_line, index_status};
use super::log_access::{open_options, open_with_notices};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::stop_signal::StopSignal;
use super::watch_program::{require_program, run_program};
use crate::export::{FollowedItem, LogFollower};
use crate::format::Finding;
use crate::index::IndexState;
use crate::inspect::{FileChange, FileWatch, LogView};
use crate::log::now_ms;
use crate::repair::FixFinder;
use crate::report::json::{self, Json};
use crate::report::units::format_exact_time;
use crate::report::{ExitStatus, describe_error, index_line, index_meaning, safe_path_text};
use crate::{EventLog, StorageError};

/// Time between two observations of the index, and of an end that is being written.
const SLOW_INTERVAL: Duration = Duration::from_secs(1);
/// The number of findings that are collected before they are reported.
const MAX_COLLECTED: usize = 1000;

/// Watch a log, and print a line at each new damage, change of the file and change of the index's state.
///
/// Reads the whole log first, and then what is appended. Reports damage and gaps, a file that was cut, overwritten, replaced
/// or removed, and an index that is behind or unusable. Ctrl-c or --for ends it; the exit status is the worst of all
/// reports: 3 for damage and lost files, 4 for damage that can be restored, 5 for an unusable index.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle watch a.log
  chronicle watch a.log --json --for 3600
  chronicle watch a.log --exec /usr/local/bin/page-someone

Variables in the environment of the --exec program:
  CHRONICLE_EVENT    damage, gap, index, truncated, written, overwritten, replaced or missing
  CHRONICLE_LOG      path of the log
  CHRONICLE_MESSAGE  the sentence of the line
  CHRONICLE_TIME_MS  time of the line, in milliseconds since the Unix epoch
  CHRONICLE_KIND, CHRONICLE_START, CHRONICLE_END  kind and range of damage and gaps")]
pub(super) struct WatchArgs {
    /// Log to watch
    log: PathBuf,
    /// End after this many seconds, but not before the log was read once
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Run this program for each line, one after the other, with the facts in environment variables; no shell is started
    #[arg(long, value_name = "PROGRAM")]
    exec: Option<PathBuf>,
}

impl WatchArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let stop = StopSignal::new(self.seconds.map(Duration::from_secs));
        if let Some(program) = &self.exec {
            require_program(program)?;
        }
        let log = open_with_notices(&self.log, global, out)?;
        let mut watcher = LogWatch::new(log, self.exec.as_deref())?;
        if out.shows_progress() {
            out.print_note(&format!("watching {}; Ctrl-c ends it", safe_path_text(&self.log)));
        }
        watcher.report_header(out)?;
        watcher.report_lost_end(out)?;
        loop {
            watcher.read_new(&stop, out)?;
            watcher.check_index(out)?;
            if stop.is_stopped() || watcher.wait_for_change(&stop, global, out)?.is_break() {
                return Ok(watcher.status);
            }
        }
    }
}

/// The state of one run.
struct LogWatch<'a> {
    log: EventLog,
    /// The log with the state of its index as of the last observation.
    view: LogView,
    watch: FileWatch,
    follower: LogFollower,
    /// The ranges that were reported, so that reading the log again reports what is new only.
    reported: BTreeSet<(u64, u64)>,
    /// The name of the index's state that was reported last.
    index_state: &'static str,
    index_checked: Instant,
    /// Why the path does not lead to a log, as reported last.
    unavailable: Option<String>,
    exec: Option<&'a Path>,
    status: ExitStatus,
}

/// A report about the log.
struct WatchReport<'a> {
    /// The name of the event, for programs.
    event: &'static str,
    /// The sentence for users.
    message: String,
    /// The exit status that the report implies.
    status: ExitStatus,
    /// The finding that is reported, with its fix as JSON; `None` for other events.
    finding: Option<(&'a Finding, Json)>,
}

impl<'a> LogWatch<'a> {
    fn new(log: EventLog, exec: Option<&'a Path>) -> Result<Self, StorageError> {
        let view = log.view().clone();
        Ok(Self {
            watch: FileWatch::new(&view)?,
            follower: LogFollower::new(&view, view.log().first_frame_offset()),
            // A fresh index needs no line, and a log without an index has none that could be stale.
            index_state: if *view.index_state() == IndexState::Missing { "missing" } else { "fresh" },
            index_checked: Instant::now(),
            log,
            view,
            reported: BTreeSet::new(),
            unavailable: None,
            exec,
            status: ExitStatus::Done,
        })
    }

    fn report_header(&mut self, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        self.view.header_finding().map_or(Ok(()), |finding| self.report_finding(&finding, out))
    }

    /// Reports that the log has lost its end, when its index shows it.
    fn report_lost_end(&mut self, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let end = self.view.log().len()?;
        self.view.truncation_finding(end, end)?.map_or(Ok(()), |finding| self.report_finding(&finding, out))
    }

    /// Reads the part of the log that was not read yet, and reports the damage in it.
    fn read_new(&mut self, stop: &StopSignal, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        loop {
            let mut findings = Vec::new();
            let read = self.follower.read_new::<StorageError>(&mut |item| {
                if let FollowedItem::Finding(finding) = item {
                    findings.push(finding);
                }
                // The findings so far are reported before further ones are collected.
                let is_enough = stop.is_interrupted() || findings.len() >= MAX_COLLECTED;
                Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            });
            for finding in &findings {
                self.report_finding(finding, out)?;
            }
            match read {
                // The next observation of the file shows what has happened.
                Err(StorageError::Changed { .. }) => return Ok(()),
                read => read?,
            }
            if stop.is_interrupted() || findings.len() < MAX_COLLECTED {
                return Ok(());
            }
        }
    }

    /// Reports the state of the index when it is another than before.
    fn check_index(&mut self, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        self.index_checked = Instant::now();
        self.view.refresh_index_state()?;
        let state = self.view.index_state().clone();
        if std::mem::replace(&mut self.index_state, state.name()) == state.name() {
            return Ok(());
        }
        let message = format!("index {}: {}", index_line(&state, None), index_meaning(&state));
        let status = index_status(&self.view, IndexRequirement::NotBroken);
        self.report(WatchReport { event: "index", message, status, finding: None }, out)
    }

    /// Waits until the log or its index can have changed, and reports changes of the file. Breaks when the command is to end.
    fn wait_for_change(
        &mut self,
        stop: &StopSignal,
        global: &GlobalArgs,
        out: &mut CommandOutput,
    ) -> Result<ControlFlow<()>, CommandFailure> {
        loop {
            if stop.wait(out) {
                return Ok(ControlFlow::Break(()));
            }
            let is_due = self.index_checked.elapsed() >= SLOW_INTERVAL;
            match self.watch.observe()? {
                FileChange::Grown => {}
                FileChange::Unchanged if self.unavailable.is_some() => self.reopen(global, None, out)?,
                FileChange::Unchanged if is_due && self.follower.has_unfinished_end() => {}
                FileChange::Unchanged => {
                    if is_due {
                        self.check_index(out)?;
                    }
                    continue;
                }
                change @ (FileChange::Missing | FileChange::Replaced) => {
                    self.reopen(global, Some(change), out)?;
                    if self.unavailable.is_some() {
                        continue;
                    }
                }
                change @ FileChange::Truncated { now, .. } if now >= self.follower.position() => {
                    // Only damage at the end was removed, as a writer does that opens the log.
                    self.report_change(change, ExitStatus::Done, out)?;
                }
                change => {
                    let status = if change == FileChange::Written { ExitStatus::Done } else { ExitStatus::Damage };
                    self.report_change(change, status, out)?;
                    if change == FileChange::Overwritten {
                        self.reported.clear();
                    }
                    self.follower = LogFollower::new(&self.view, self.view.log().first_frame_offset());
                    self.check_index(out)?;
                    self.report_lost_end(out)?;
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
    }

    /// Opens the log that the path leads to now, and reports the change; or reports once why there is no log. `change` is
    /// the observed change, and `None` when the path is tried again.
    fn reopen(
        &mut self,
        global: &GlobalArgs,
        change: Option<FileChange>,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        let path = self.log.view().path().to_owned();
        let opened = if change == Some(FileChange::Missing) {
            Err(change_sentence(FileChange::Missing))
        } else {
            open_options(global).open_read_only(&path).map_err(|error| describe_error(&error))
        };
        match opened {
            Ok(log) => {
                let (status, exec) = (self.status, self.exec);
                *self = Self { status, ..Self::new(log, exec)? };
                self.report_change(FileChange::Replaced, ExitStatus::Damage, out)?;
                self.report_header(out)?;
                self.report_lost_end(out)
            }
            Err(reason) if self.unavailable.as_ref() == Some(&reason) => Ok(()),
            Err(reason) => {
                self.unavailable = Some(reason.clone());
                let event = change_name(change.unwrap_or(FileChange::Replaced));
                self.report(WatchReport { event, message: reason, status: ExitStatus::Damage, finding: None }, out)
            }
        }
    }

    fn report_change(
        &mut self,
        change: FileChange,
        status: ExitStatus,
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        let (event, message) = (change_name(change), change_sentence(change));
        self.report(WatchReport { event, message, status, finding: None }, out)
    }

    /// Reports a finding that was not reported before, with its fix.
    fn report_finding(&mut self, finding: &Finding, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let Range { start, end } = finding.range();
        if !self.reported.insert((start, end)) {
            return Ok(());
        }
        let mut finder = FixFinder::new(&self.view)?;
        let mut proposed = finder.push(finding)?;
        proposed.extend(finder.finish());
        let fix = proposed.into_iter().find_map(|proposed| proposed.fix);
        let status = ExitStatus::for_finding(finding, fix.as_ref(), self.view.log().version());
        let event = if finding.kind.is_damage() { "damage" } else { "gap" };
        let message = finding_line(finding, None);
        let value = json::finding(finding, fix.as_ref(), None);
        self.report(WatchReport { event, message, status, finding: Some((finding, value)) }, out)
    }

    /// Prints a report, and runs the program of `--exec` for it.
    fn report(&mut self, report: WatchReport, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let WatchReport { event, message, status, finding } = report;
        self.status = self.status.combine(status);
        let (time_ms, path) = (now_ms(), self.log.view().path().to_owned());
        let mut facts: Vec<(&str, OsString)> = vec![
            ("CHRONICLE_EVENT", event.into()),
            ("CHRONICLE_LOG", path.clone().into()),
            ("CHRONICLE_MESSAGE", message.clone().into()),
            ("CHRONICLE_TIME_MS", time_ms.to_string().into()),
        ];
        let mut keys = vec![
            ("event", Json::from(event)),
            ("time_ms", time_ms.into()),
            ("path", Json::Text(safe_path_text(&path))),
            ("bytes", self.view.log().len().unwrap_or_default().into()),
            ("message", message.as_str().into()),
        ];
        if let Some((finding, value)) = finding {
            facts.push(("CHRONICLE_KIND", finding.kind.name().into()));
            facts.push(("CHRONICLE_START", finding.start.to_string().into()));
            facts.push(("CHRONICLE_END", finding.end.to_string().into()));
            keys.push(("finding", value));
        }
        if out.is_json() {
            out.print_json(&Json::Object(keys))?;
        } else {
            out.print_line(&format!("{} {event:<11} {message}", format_exact_time(time_ms)))?;
        }
        out.flush()?;
        if let Some(program) = self.exec {
            run_program(program, facts, out);
        }
        Ok(())
    }
}
