//! [`SelectedEvents`]: the events of a log that a filter and a range select, with the damage and the gaps between them.

use std::ops::{ControlFlow, Range};

use super::chunk_queue::{ChunkQueue, with_chunks};
use super::chunk_scan::ChunkContent;
use super::event_text::{EventText, TextFormat};
use crate::format::{DamageKind, Evidence, Finding};
use crate::index::AggregateIndex;
use crate::inspect::{FrameContent, OnProgress, Progress, classify_frame};
use crate::log::ReplayedEvent;
use crate::query::{Filter, PlannedRange, ReadPlan};
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

/// An item that [`SelectedEvents::visit`] and [`SelectedEvents::visit_lines`] yield, with events as `E`.
pub(crate) enum SelectedItem<E> {
    /// An event that the filter shows, or the lines of several.
    Events(E),
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

/// Content that a pass yields: one event, or lines of many.
enum PassContent<'c> {
    Event(ReplayedEvent<'c>),
    Lines(&'c [u8]),
}

/// The callback of [`SelectedEvents::visit_lines`]. Its error ends the visit.
type LinesVisitor<'v, E> = dyn FnMut(SelectedItem<&[u8]>) -> Result<(), E> + 'v;

/// The callback of a pass. Its error ends the pass.
type PassVisitor<'v, E> = dyn FnMut(SelectedItem<PassContent>) -> Result<(), E> + 'v;

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
        visit: &mut dyn FnMut(SelectedItem<ReplayedEvent>) -> Result<(), E>,
    ) -> Result<SelectionTotals, E> {
        self.pass(None, on_progress, &mut |item| match item {
            SelectedItem::Events(PassContent::Event(event)) => visit(SelectedItem::Events(event)),
            SelectedItem::Events(PassContent::Lines(_)) => Ok(()),
            SelectedItem::Finding(finding) => visit(SelectedItem::Finding(finding)),
            SelectedItem::Removed(error) => visit(SelectedItem::Removed(error)),
        })
    }

    /// Calls `visit` for the lines of events, about a mebibyte at a time, and for each damaged range and gap, in the order of
    /// the log. As many threads as the log was opened with scan and format the lines. The lines are the same for any number of
    /// threads, which hold about four mebibytes each.
    ///
    /// # Errors
    /// Those of [`SelectedEvents::visit`].
    pub(crate) fn visit_lines<E: From<StorageError>>(
        &self,
        format: &TextFormat,
        on_progress: &mut OnProgress,
        visit: &mut LinesVisitor<E>,
    ) -> Result<SelectionTotals, E> {
        let view = self.log.view();
        let content = ChunkContent { log: view.log(), log_end: view.log().len()?, filter: self.filter, format };
        let mut text = EventText::new(format);
        let mut visit = |item: SelectedItem<PassContent>| match item {
            SelectedItem::Events(PassContent::Event(event)) => {
                text.append(&event);
                visit(SelectedItem::Events(&text.take().0))
            }
            SelectedItem::Events(PassContent::Lines(lines)) => visit(SelectedItem::Events(lines)),
            SelectedItem::Finding(finding) => visit(SelectedItem::Finding(finding)),
            SelectedItem::Removed(error) => visit(SelectedItem::Removed(error)),
        };
        // A chunk has as many events as fit into it, so a limited number of events is read one by one.
        if self.range.limit < u64::MAX {
            return self.pass(None, on_progress, &mut visit);
        }
        with_chunks(&content, view.threads(), |mut chunks| self.pass(Some(&mut chunks), on_progress, &mut visit))
    }

    /// Reads the log in order. Where `chunks` has a chunk, its lines are yielded instead of its events.
    fn pass<E: From<StorageError>>(
        &self,
        mut chunks: Option<&mut ChunkQueue>,
        on_progress: &mut OnProgress,
        visit: &mut PassVisitor<E>,
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
        let (start, total, version) = (replay.position(), replay.end(), log.view().log().version());
        let starts_before_end = |planned: &Result<PlannedRange, _>| {
            planned.as_ref().map_or(true, |planned: &PlannedRange| planned.range.start < until)
        };
        let mut ranges = plan.planned_ranges_from(start).take_while(starts_before_end);
        replay.seek_to_range(start..start);
        let (mut events, mut end, mut reported, mut range_end) = (0, SelectionEnd::Complete, start, start);
        let mut frame_end = start;
        while events < range.limit {
            let position = replay.position().max(frame_end);
            if position.saturating_sub(reported) >= PROGRESS_INTERVAL {
                reported = position;
                if on_progress(Progress { position, total }) == ControlFlow::Break(()) {
                    return Err(StorageError::Cancelled.into());
                }
            }
            if let Some(chunk) = chunks.as_mut().and_then(|chunks| chunks.take_at(replay.position())) {
                events += chunk.events;
                replay.seek_to_range(chunk.range.end..range_end.max(chunk.range.end));
                if chunk.events > 0 {
                    visit(SelectedItem::Events(PassContent::Lines(&chunk.lines)))?;
                }
                continue;
            }
            let Some(item) = replay.next_event() else {
                let Some(range) = ranges.next() else { break };
                let planned = range?;
                if let Some(frame) = planned.frame(version)
                    && let FrameContent::Event(event) = classify_frame(&frame, version)
                {
                    let offset = planned.range.start;
                    frame_end = offset + frame.len();
                    if filter.matches_event(offset, &event) {
                        visit(SelectedItem::Events(PassContent::Event(ReplayedEvent { offset, event })))?;
                        events += 1;
                    }
                    continue;
                }
                range_end = planned.range.end;
                replay.seek_to_range(planned.range);
                if let Some(chunks) = &mut chunks {
                    chunks.start_range(replay.position()..range_end.min(until).min(total));
                }
                continue;
            };
            match item {
                Ok(ReplayedEvent { offset, event, .. }) => {
                    if filter.matches_event(offset, &event) {
                        visit(SelectedItem::Events(PassContent::Event(ReplayedEvent { offset, event })))?;
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
                Err(error) => findings.visit_error(error, visit)?,
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
        let range = start..replay.position().max(frame_end).clamp(start, total);
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
    /// Passes on an error item of a replay that is a gap, a lost range or removed segments.
    ///
    /// # Errors
    /// Any other error, and those of `visit`.
    fn visit_error<E: From<StorageError>>(&mut self, error: StorageError, visit: &mut PassVisitor<E>) -> Result<(), E> {
        let (kind, range, evidence) = match error {
            StorageError::Gap { start, end, content, .. } => {
                (DamageKind::Gap, start..end, Evidence { content, ..Evidence::default() })
            }
            StorageError::Lost { start, end, given_up_at_ms, .. } => {
                let evidence = Evidence { given_up_at_ms: Some(given_up_at_ms), ..Evidence::default() };
                (DamageKind::Lost, start..end, evidence)
            }
            removed @ StorageError::Removed { .. } => return visit(SelectedItem::Removed(removed)),
            error => return Err(error.into()),
        };
        self.visit(Finding::new(kind, range).with_evidence(evidence), visit)
    }

    fn visit<E>(&mut self, finding: Finding, visit: &mut PassVisitor<E>) -> Result<(), E> {
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
