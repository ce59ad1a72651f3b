//! The lines of an aggregate's history: its events, their differences, and marks where damage may have held more events.

use std::ops::Range;

use crate::format::{DamageKind, Finding};
use crate::query::{AggregateHistory, HistoryEntry, MAX_TOKEN_CHARS, PayloadDifference, RowContent, StoredValue};

/// The history of an aggregate with its lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShownHistory {
    /// The history as it was read.
    pub(crate) history: AggregateHistory,
    /// The lines that show it.
    lines: Vec<HistoryLine>,
    /// Number of findings that the lines take into account.
    known_findings: usize,
}

/// A line of a history. Entries and their changes are given by their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HistoryLine {
    /// The aggregate has earlier events, which are not listed.
    MoreBefore,
    /// Ranges between two events that may have held events of the aggregate.
    PossibleLoss {
        /// Number of damaged ranges.
        damaged_ranges: u64,
        /// Number of gaps that replaced damaged ranges.
        gaps: u64,
    },
    /// An event.
    Event(usize),
    /// A difference between an event and the one before it.
    Change(usize, usize),
    /// Further differences of an event, which are not listed.
    OmittedChanges(usize),
    /// The aggregate has later events, which are not listed.
    MoreAfter,
}

impl ShownHistory {
    /// Creates the lines of a history. Gaps are taken from the findings of the scan, because an index does not list them.
    pub(crate) fn new(history: AggregateHistory, findings: &[Finding]) -> Self {
        let mut shown = Self { history, lines: Vec::new(), known_findings: 0 };
        shown.update_lines(findings);
        shown
    }

    /// Creates the lines again when the scan has found more since.
    pub(crate) fn sync_findings(&mut self, findings: &[Finding]) {
        if self.known_findings != findings.len() {
            self.update_lines(findings);
        }
    }

    fn update_lines(&mut self, findings: &[Finding]) {
        self.known_findings = findings.len();
        let history = &self.history;
        let mut lines = Vec::new();
        lines.extend(history.more_before.then_some(HistoryLine::MoreBefore));
        let loss = |damaged_ranges, range: Range<u64>| {
            let gaps = count_gaps(findings, range);
            (damaged_ranges + gaps > 0).then_some(HistoryLine::PossibleLoss { damaged_ranges, gaps })
        };
        // Damage before the first listed event belongs to the part that is not listed.
        let mut previous_end = if history.more_before { None } else { Some(0) };
        for (number, entry) in history.entries.iter().enumerate() {
            lines.extend(previous_end.and_then(|end| loss(entry.damaged_before, end..entry.row.start)));
            lines.push(HistoryLine::Event(number));
            lines.extend((0..entry.changes.len()).map(|change| HistoryLine::Change(number, change)));
            lines.extend((entry.omitted_changes > 0).then_some(HistoryLine::OmittedChanges(number)));
            previous_end = Some(entry.row.end);
        }
        if history.more_after {
            lines.push(HistoryLine::MoreAfter);
        } else {
            lines.extend(loss(history.damaged_after, previous_end.unwrap_or_default()..u64::MAX));
        }
        self.lines = lines;
    }

    /// Returns the lines.
    pub(crate) fn lines(&self) -> &[HistoryLine] {
        &self.lines
    }

    /// Returns the line of the event at an offset, or of the nearest one before it.
    pub(crate) fn line_of_offset(&self, offset: u64) -> usize {
        let is_before = |entry: usize| self.history.entries.get(entry).is_some_and(|entry| entry.row.start <= offset);
        let is_event_before = |line: &HistoryLine| matches!(line, HistoryLine::Event(entry) if is_before(*entry));
        self.lines.iter().rposition(is_event_before).unwrap_or_default()
    }

    /// Returns the event that a line is about.
    pub(crate) fn entry_at(&self, line: usize) -> Option<&HistoryEntry> {
        match self.lines.get(line)? {
            HistoryLine::Event(entry) | HistoryLine::Change(entry, _) | HistoryLine::OmittedChanges(entry) => {
                self.history.entries.get(*entry)
            }
            HistoryLine::MoreBefore | HistoryLine::PossibleLoss { .. } | HistoryLine::MoreAfter => None,
        }
    }

    /// Returns the difference on a line.
    pub(crate) fn change_at(&self, line: usize) -> Option<&PayloadDifference> {
        match self.lines.get(line)? {
            HistoryLine::Change(entry, change) => self.history.entries.get(*entry)?.changes.get(*change),
            _ => None,
        }
    }

    /// Returns the value on a line: the new value of a difference, or the type of an event. A value that is cut gives
    /// `None`.
    pub(crate) fn value_at(&self, line: usize) -> Option<StoredValue> {
        let value = if let Some(change) = self.change_at(line) {
            let token = change.after.as_ref().or(change.before.as_ref())?.clone();
            let steps = std::iter::once("payload".to_owned()).chain(change.steps.iter().cloned()).collect();
            StoredValue { steps, token }
        } else {
            let RowContent::Event(event) = &self.entry_at(line)?.row.content else { return None };
            let token = serde_json::to_string(&event.event_type).ok()?;
            StoredValue { steps: vec!["event_type".to_owned()], token }
        };
        (value.token.chars().count() < MAX_TOKEN_CHARS).then_some(value)
    }
}

/// Returns the number of gaps that start in a range.
fn count_gaps(findings: &[Finding], range: Range<u64>) -> u64 {
    let first = findings.partition_point(|finding| finding.start < range.start);
    let in_range = findings.iter().skip(first).take_while(|finding| finding.start < range.end);
    in_range.filter(|finding| finding.kind == DamageKind::Gap).count() as u64
}
