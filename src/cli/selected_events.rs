//! The events that `cat` and `export` select by a filter and a range. Damage and gaps are reported on stderr and skipped.

use std::ops::ControlFlow;

use clap::Args;

use super::failure::CommandFailure;
use super::filter_arg::{FilterResult, print_filter_advice};
use super::findings::finding_line;
use super::log_access::GapJournals;
use super::options::parse_offset;
use super::output::CommandOutput;
use crate::export::{
    ExportFile, OnDamage, SelectedEvents, SelectedItem, SelectedNotice, SelectedRange, SelectionEnd, SelectionTotals,
    TextFormat,
};
use crate::format::Finding;
use crate::inspect::OnProgress;
use crate::query::Filter;
use crate::report::json::Json;
use crate::report::{self, ExitStatus};
use crate::{EventLog, StorageError};

/// The range of the log that is read, and the number of events.
#[derive(Debug, Clone, Args)]
pub(super) struct EventRangeArgs {
    /// Start at this offset, which must be the start of a frame or of a damaged range
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    from: Option<u64>,
    /// Stop before the first frame that starts at or after this offset
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset)]
    until: Option<u64>,
    /// Print at most this many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Stop at the first damage
    #[arg(long)]
    strict: bool,
}

impl EventRangeArgs {
    /// True when reading starts at the first event of the log.
    pub(super) fn is_from_start(&self) -> bool {
        self.from.unwrap_or_default() == 0
    }

    /// True when reading stops at the first damage.
    pub(super) const fn is_strict(&self) -> bool {
        self.strict
    }

    /// Returns the range and the limits as data.
    pub(super) fn to_range(&self) -> SelectedRange {
        SelectedRange {
            from: self.from,
            until: self.until,
            limit: self.limit.unwrap_or(u64::MAX),
            on_damage: if self.strict { OnDamage::Stop } else { OnDamage::Skip },
        }
    }
}

/// What a command has read of its selection, and its exit status.
pub(super) struct VisitResult {
    pub(super) status: ExitStatus,
    pub(super) totals: SelectionTotals,
}

/// The log, the filter and the range of a command.
#[derive(Clone, Copy)]
pub(super) struct LogSelection<'a> {
    pub(super) log: &'a EventLog,
    pub(super) filter: &'a Filter,
    pub(super) range: &'a EventRangeArgs,
}

impl LogSelection<'_> {
    /// Prints the selected events as lines of JSON, and reports damage and gaps on stderr. `status` is the exit status so far,
    /// which the result includes.
    ///
    /// # Errors
    /// The errors of reading the log and of writing to stdout.
    pub(super) fn print(self, status: ExitStatus, out: &mut CommandOutput) -> Result<VisitResult, CommandFailure> {
        let mut reporter = FindingReporter::new(self.log, status)?;
        let format = if out.is_terminal() { TextFormat::SafeJsonLines } else { TextFormat::JsonLines };
        let totals = self.events().visit_lines(&format, &mut |_| ControlFlow::Continue(()), &mut |item| {
            match item {
                SelectedItem::Events(lines) => out.print_lines(lines)?,
                SelectedItem::Finding(finding) => reporter.report(&finding, out),
                SelectedItem::Removed(error) => print_removed(&error, out),
            }
            Ok::<_, CommandFailure>(())
        })?;
        self.result(reporter.status, totals, out)
    }

    /// Writes the selected events to a file, and reports damage and gaps on stderr.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; the errors of reading the log and of writing the file.
    pub(super) fn export(
        self,
        file: &mut ExportFile,
        on_progress: &mut OnProgress,
        out: &mut CommandOutput,
    ) -> Result<VisitResult, CommandFailure> {
        let mut reporter = FindingReporter::new(self.log, ExitStatus::Done)?;
        let totals = file.append_selected(&self.events(), on_progress, &mut |notice| {
            match notice {
                SelectedNotice::Finding(finding) => reporter.report(finding, out),
                SelectedNotice::Removed(error) => print_removed(error, out),
            }
            Ok::<_, CommandFailure>(())
        })?;
        self.result(reporter.status, totals, out)
    }

    fn events(&self) -> SelectedEvents<'_> {
        SelectedEvents::new(self.log, self.filter, self.range.to_range())
    }

    /// Returns the exit status, and prints what helps after a filter that has shown no event.
    fn result(
        self,
        status: ExitStatus,
        totals: SelectionTotals,
        out: &mut CommandOutput,
    ) -> Result<VisitResult, CommandFailure> {
        if totals.end == SelectionEnd::AtDamage {
            return Ok(VisitResult { status: ExitStatus::Damage, totals });
        }
        if self.range.limit != Some(0) {
            print_filter_advice(self.filter, self.log, FilterResult::of(totals.events), out)?;
        }
        Ok(VisitResult { status, totals })
    }
}

/// Reports on stderr that a retention has removed segments before they were read.
pub(super) fn print_removed(error: &StorageError, out: &mut CommandOutput) {
    let notice = report::describe_error(error);
    out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
}

/// Prints findings to stderr and derives the exit status from them.
pub(super) struct FindingReporter {
    gap_journals: GapJournals,
    pub(super) status: ExitStatus,
}

impl FindingReporter {
    /// Creates a reporter for a log. `status` is the exit status so far.
    ///
    /// # Errors
    /// `Io` when the path of the log cannot be resolved.
    pub(super) fn new(log: &EventLog, status: ExitStatus) -> Result<Self, CommandFailure> {
        Ok(Self { gap_journals: GapJournals::for_log(log)?, status })
    }

    /// Prints a finding.
    pub(super) fn report(&mut self, finding: &Finding, out: &mut CommandOutput) {
        let journal = self.gap_journals.journal_of(finding);
        out.print_notice(&finding_line(finding, journal), &report::json::finding(finding, None, journal));
        if finding.kind.is_damage() {
            self.status = self.status.combine(ExitStatus::Damage);
        }
    }
}
