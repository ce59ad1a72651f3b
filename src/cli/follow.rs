//! `cat --follow`: prints the events of a log, and then those that are appended to it.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::failure::{CommandFailure, CommandResult};
use super::file_change::{change_json, change_line};
use super::output::CommandOutput;
use super::selected_events::{FindingReporter, print_removed};
use super::stop_signal::StopSignal;
use crate::export::{FollowedItem, LogFollower, OnDamage, SelectedEvents, SelectedItem, SelectedRange, event_line};
use crate::inspect::{FileChange, FileWatch};
use crate::log::ReplayedEvent;
use crate::query::Filter;
use crate::report::ExitStatus;
use crate::{EventLog, StorageError};

/// Time between two observations of an end that is being written.
const UNFINISHED_END_INTERVAL: Duration = Duration::from_secs(1);

/// Prints the events that the filter and the range select, then each further event when it is complete.
///
/// Damage is reported and skipped. Ends with status 0 when the user or the reader of stdout ends it, and at the limit of
/// events; with the status of damage when printed bytes of the log are gone: it was truncated, overwritten, replaced or
/// removed.
///
/// # Errors
/// The errors of reading the log and of printing.
pub(super) fn follow_events(
    log: &EventLog,
    filter: &Filter,
    range: SelectedRange,
    out: &mut CommandOutput,
) -> CommandResult {
    let stop = StopSignal::new(None);
    let view = log.view();
    let mut watch = FileWatch::new(view)?;
    let mut printer = EventPrinter { range, reporter: FindingReporter::new(log, ExitStatus::Done)?, line: vec![] };
    let start = log.replay(range.from.unwrap_or_default())?.position();
    // The events that an index covers are read through it, because it excludes ranges for the filter.
    let covered = view.index_coverage().map(|coverage| coverage.covered_to).filter(|_| filter.can_use_index());
    let end = view.log().len()?;
    let covered = covered.filter(|covered| (start..=end).contains(covered) && range.on_damage == OnDamage::Skip);
    let until = covered.unwrap_or(start);
    let history = SelectedEvents::new(log, filter, SelectedRange { until: Some(until), ..range });
    let mut on_progress = |_| if stop.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let shown = history.visit::<CommandFailure>(&mut on_progress, &mut |item| match item {
        SelectedItem::Events(event) => printer.print(&event, out).map(|_| ()),
        SelectedItem::Finding(finding) => {
            printer.reporter.report(&finding, out);
            Ok(())
        }
        SelectedItem::Removed(error) => {
            print_removed(&error, out);
            Ok(())
        }
    });
    match shown {
        Err(CommandFailure::Storage(StorageError::Cancelled, _)) => return Ok(ExitStatus::Done),
        shown => shown?,
    };
    if let Some(finding) = view.truncation_finding(end, end)? {
        printer.reporter.report(&finding, out);
    }
    let mut follower = LogFollower::new(view, until);
    loop {
        if printer.range.limit == 0 {
            return Ok(printer.reporter.status);
        }
        let mut found = ControlFlow::Continue(());
        let read = follower.read_new(&mut |item| {
            found = match item {
                FollowedItem::Event(event) if filter.matches_event(event.offset, &event.event) => {
                    printer.print(&event, out)?
                }
                FollowedItem::Finding(finding) if filter.matches_finding(&finding) => {
                    printer.reporter.report(&finding, out);
                    let ends = finding.kind.is_damage() && range.on_damage == OnDamage::Stop;
                    if ends { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }
                FollowedItem::Removed(error) => {
                    print_removed(&error, out);
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Continue(()),
            };
            Ok::<_, CommandFailure>(if stop.is_stopped() { ControlFlow::Break(()) } else { found })
        });
        match read {
            // The next observation of the file shows what has happened.
            Err(CommandFailure::Storage(StorageError::Changed { .. }, _)) => {}
            read => read?,
        }
        out.flush()?;
        if found.is_break() {
            return Ok(printer.reporter.status);
        }
        let read_at = Instant::now();
        loop {
            if stop.wait(out) {
                return Ok(ExitStatus::Done);
            }
            let change = watch.observe()?;
            match change {
                FileChange::Unchanged
                    if follower.has_unfinished_end() && read_at.elapsed() >= UNFINISHED_END_INTERVAL =>
                {
                    break;
                }
                FileChange::Unchanged => {}
                FileChange::Grown => break,
                // Only an unfinished end was removed; every printed event is still in the log.
                FileChange::Truncated { now, .. } if now >= follower.position() => break,
                FileChange::Written => {
                    out.print_notice(&change_line(view.path(), change), &change_json(view.path(), change));
                    break;
                }
                _ => {
                    out.print_notice(&change_line(view.path(), change), &change_json(view.path(), change));
                    return Ok(ExitStatus::Damage);
                }
            }
        }
    }
}

/// Prints the events of one run.
struct EventPrinter {
    /// The range, with the number of events that may still be printed.
    range: SelectedRange,
    reporter: FindingReporter,
    line: Vec<u8>,
}

impl EventPrinter {
    /// Prints an event, and breaks after the last one that may be printed.
    fn print(&mut self, event: &ReplayedEvent, out: &mut CommandOutput) -> Result<ControlFlow<()>, CommandFailure> {
        event_line(event, &mut self.line);
        out.print_stored_json(&self.line)?;
        self.range.limit -= 1;
        Ok(if self.range.limit == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
