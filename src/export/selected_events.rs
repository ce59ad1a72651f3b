//! [`SelectedEvents`]: the events of a log that a filter and a range select, with the damage and the gaps between them.

use std::ops::{ControlFlow, Range};

use crate::format::{DamageKind, Evidence, Finding};
use crate::index::AggregateIndex;
use crate::inspect::{OnProgress, Progress};
use crate::log::ReplayedEvent;
use crate::query::{Filter, ReadPlan};
use crate::{EventLog, StorageError};

/// The number of bytes of the log between two reports of progress.
const PROGRESS_INTERVAL: u64 = 1 << 20;

/// The range of the log that is read, and the number of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SelectedRange {
    /// The start of a frame or of a damaged range; `None` for the whole log with its header.
    pub(crate) from: Option<u64>,
    /// Reading ends before the first frame that starts here or later; `None` for the end of the log.
    pub(crate) until: Option<u64>,
    /// The largest number of events.
    pub(crate) limit: u64,
    /// The action at the first damaged range.
    pub(crate) on_damage: OnDamage,
}

impl Default for SelectedRange {
    fn default() -> Self {
        Self { from: None, until: None, limit: u64::MAX, on_damage: OnDamage::Skip }
    }
}

/// The action after a damaged range was reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDamage {
    /// The damaged range is reported, and reading goes on after it.
    Skip,
    /// The damaged range is reported, and reading ends. The index is not used, because it would skip ranges that can be
    /// damaged.
    Stop,
}

/// An item that [`SelectedEvents::visit`] yields.
pub(crate) enum SelectedItem<'a> {
    /// An event that the filter shows.
    Event(ReplayedEvent<'a>),
    /// Damage or a gap that the filter does not exclude.
    Finding(Box<Finding>),
    /// A retention has removed segments that were not read yet. The error names the first offset that is left.
    Removed(StorageError),
}

/// The reason why a visit has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SelectionEnd {
    /// Everything that was selected was visited.
    Complete,
    /// Reading has ended at damage, because of [`OnDamage::Stop`].
    AtDamage,
}

/// The number of items that a visit has yielded, and how it has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SelectionTotals {
    /// The start of the first frame that was selected, and the end of what was read.
    pub(crate) range: Range<u64>,
    pub(crate) events: u64,
    /// The number of damaged ranges, without gaps.
    pub(crate) damage: u64,
    pub(crate) gaps: u64,
    pub(crate) end: SelectionEnd,
}

/// The events of a log that a filter and a range select.
pub(crate) struct SelectedEvents<'a> {
    log: &'a EventLog,
    filter: &'a Filter,
    range: SelectedRange,
    index: Option<AggregateIndex>,
}

impl<'a> SelectedEvents<'a> {
    /// Creates the selection. The index of the log is read when it can exclude ranges for the filter.
    pub(crate) fn new(log: &'a EventLog, filter: &'a Filter, range: SelectedRange) -> Self {
        let can_use_index = filter.can_use_index() && range.on_damage == OnDamage::Skip;
        let index = can_use_index.then(|| log.view().clone().load_index());
        Self { log, filter, range, index }
    }

    /// Calls `visit` for each event, damaged range and gap, in the order of the log, and `on_progress` about once per
    /// mebibyte.
    ///
    /// # Errors
    /// `Cancelled` when `on_progress` breaks; the errors of reading the log and of `visit`.
    pub(crate) fn visit<E: From<StorageError>>(
        &self,
        on_progress: &mut OnProgress,
        visit: &mut dyn FnMut(SelectedItem) -> Result<(), E>,
    ) -> Result<SelectionTotals, E> {
        let Self { log, filter, range, .. } = *self;
        let until = range.until.unwrap_or(u64::MAX);
        let mut replay = log.replay_until(range.from.unwrap_or_default(), until)?;
        if range.on_damage == OnDamage::Stop {
            replay = replay.strict();
        }
        let mut findings = FindingVisitor { filter, damage: 0, gaps: 0, last_end: 0 };
        if range.from.is_none()
            && let Some(finding) = log.view().header_finding()
        {
            findings.visit(finding, visit)?;
        }
        let plan = ReadPlan::new(log.view().log(), self.index.as_ref(), filter);
        let (start, total) = (replay.position(), replay.end());
        let starts_before_end =
            |range: &Result<Range<u64>, _>| range.as_ref().map_or(true, |range| range.start < until);
        let mut ranges = plan.ranges_from(start).take_while(starts_before_end);
        replay.seek_to_range(start..start);
        let (mut events, mut end, mut reported) = (0, SelectionEnd::Complete, start);
        while events < range.limit {
            let position = replay.position();
            if position.saturating_sub(reported) >= PROGRESS_INTERVAL {
                reported = position;
                if on_progress(Progress { position, total }) == ControlFlow::Break(()) {
                    return Err(StorageError::Cancelled.into());
                }
            }
            let Some(item) = replay.next_event() else {
                let Some(range) = ranges.next() else { break };
                replay.seek_to_range(range?);
                continue;
            };
            match item {
                Ok(ReplayedEvent { offset, event, .. }) => {
                    if filter.matches_event(offset, &event) {
                        visit(SelectedItem::Event(ReplayedEvent { offset, event }))?;
                        events += 1;
                    }
                }
                Err(StorageError::Damaged { finding, .. }) => {
                    let is_last = range.on_damage == OnDamage::Stop && finding.kind.is_damage();
                    findings.visit(*finding, visit)?;
                    if is_last {
                        end = SelectionEnd::AtDamage;
                        break;
                    }
                }
                Err(StorageError::Gap { start, end, content, .. }) => {
                    let evidence = Evidence { content, ..Evidence::default() };
                    findings.visit(Finding::new(DamageKind::Gap, start..end).with_evidence(evidence), visit)?;
                }
                Err(StorageError::Lost { start, end, given_up_at_ms, .. }) => {
                    let evidence = Evidence { given_up_at_ms: Some(given_up_at_ms), ..Evidence::default() };
                    findings.visit(Finding::new(DamageKind::Lost, start..end).with_evidence(evidence), visit)?;
                }
                Err(removed @ StorageError::Removed { .. }) => visit(SelectedItem::Removed(removed))?,
                Err(error) => return Err(error.into()),
            }
        }
        let is_whole_rest = end == SelectionEnd::Complete && events < range.limit && range.until.is_none();
        // Only the index records events that are missing from the end of the log: after a cut at a frame boundary, a replay
        // finds no damage.
        if is_whole_rest
            && findings.last_end < total
            && let Some(finding) = log.view().truncation_finding(total, total)?
        {
            findings.visit(finding, visit)?;
        }
        let range = start..replay.position().clamp(start, total);
        Ok(SelectionTotals { range, events, damage: findings.damage, gaps: findings.gaps, end })
    }
}

/// Passes on and counts the findings that the filter does not exclude explicitly (`-is:damaged`).
struct FindingVisitor<'a> {
    filter: &'a Filter,
    damage: u64,
    gaps: u64,
    /// Offset after the last byte of the last finding, excluded or not.
    last_end: u64,
}

impl FindingVisitor<'_> {
    fn visit<E>(&mut self, finding: Finding, visit: &mut dyn FnMut(SelectedItem) -> Result<(), E>) -> Result<(), E> {
        self.last_end = finding.end;
        if !self.filter.matches_finding(&finding) {
            return Ok(());
        }
        match finding.kind {
            DamageKind::Gap => self.gaps += 1,
            kind if kind.is_damage() => self.damage += 1,
            _ => {}
        }
        visit(SelectedItem::Finding(Box::new(finding)))
    }
}
