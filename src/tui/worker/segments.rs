//! Reads the table of the segments of a log. Only the requested rows are read in detail.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::SharedState;
use crate::StorageError;
use crate::file::{LogFile, SegmentCondition};
use crate::index::{AggregateIndex, IndexState};
use crate::inspect::{GoneCause, KnownBounds, LogPart, LogView, OnProgress};
use crate::log::removals_of;
use crate::query::{EventTimes, events_before};
use crate::tui::message::Response;
use crate::tui::request::{EarlierRows, SegmentCounts, SegmentFacts, SegmentPage, SegmentRequest, SegmentRow};

/// What was read about the sealed segments of one open log.
#[derive(Debug, Default)]
pub(super) struct KnownSegments {
    log: Option<Arc<LogFile>>,
    bounds: KnownBounds,
    /// The facts about segments whose index covers them, by base.
    facts: BTreeMap<u64, SegmentFacts>,
}

impl KnownSegments {
    /// Returns rows of the table.
    ///
    /// # Errors
    /// `Io` when the folder cannot be listed; `Cancelled` when `on_progress` breaks.
    pub(super) fn read_rows(
        &mut self,
        shared: &SharedState,
        request: SegmentRequest,
        on_progress: &mut OnProgress,
    ) -> Result<Response, StorageError> {
        let view = shared.view();
        let is_same_log = self.log.as_ref().is_some_and(|log| Arc::ptr_eq(log, view.log()));
        if !is_same_log || request.earlier == EarlierRows::Discarded {
            *self = Self { log: Some(view.log().clone()), ..Self::default() };
        }
        if request.earlier == EarlierRows::FolderChanged {
            self.facts.clear();
        }
        let found = view.log_parts(&mut self.bounds, on_progress)?;
        self.facts.retain(|base, _| self.bounds.contains_key(base));
        let counts = count_parts(&found.parts);
        let located = request
            .locate
            .map(|offset| found.parts.partition_point(|part| part.range().start <= offset).saturating_sub(1));
        let parts: Vec<LogPart> = found.parts.iter().skip(request.from).take(request.rows).cloned().collect();
        let index = shared.index();
        let rows = parts.into_iter().map(|part| self.read_row(&view, index.as_deref(), part)).collect();
        Ok(Response::Segments(Box::new(SegmentPage {
            from: request.from,
            rows,
            total: found.parts.len(),
            located,
            counts,
            strange_files: found.strange_files,
        })))
    }

    fn read_row(&mut self, view: &LogView, index: Option<&AggregateIndex>, part: LogPart) -> SegmentRow {
        let bounds = match part {
            LogPart::Segment(bounds) => bounds,
            LogPart::Gone(range, cause) => {
                let events = if cause == GoneCause::Removed { removed_events(view) } else { None };
                return SegmentRow::Gone { range, cause, events };
            }
        };
        if let Some(known) = self.facts.get(&bounds.base) {
            return SegmentRow::Segment(Box::new(known.clone()));
        }
        let mut facts = SegmentFacts {
            number: None,
            base: bounds.base,
            first_frame: bounds.first_frame(),
            data_end: bounds.data_end,
            sealed_at: (bounds.end != u64::MAX).then_some(bounds.end),
            events: None,
            events_before: None,
            times_ms: None,
            known_damage: None,
            index_state: IndexState::Missing,
            condition: bounds.condition.clone(),
        };
        if bounds.condition == SegmentCondition::Present {
            read_facts(view, index, &mut facts);
        }
        // A sealed segment whose index covers it does not change; a later repair opens the log again.
        if facts.sealed_at.is_some() && facts.index_state == IndexState::Fresh && facts.times_ms.is_some() {
            self.facts.insert(facts.base, facts.clone());
        }
        SegmentRow::Segment(Box::new(facts))
    }
}

/// Reads the facts about a segment from its index, from the index in memory, and from its first and last events.
fn read_facts(view: &LogView, index: Option<&AggregateIndex>, facts: &mut SegmentFacts) {
    let Some(summary) = view.segment_summary(facts.base) else { return };
    facts.number = summary.number;
    facts.data_end = summary.data_end;
    facts.known_damage = summary.known_damage;
    let is_covered = summary.indexed_to.is_some_and(|end| end >= summary.data_end);
    facts.events = summary.events.filter(|_| is_covered);
    facts.times_ms = summary.first_time_ms.zip(summary.last_time_ms).filter(|_| is_covered);
    facts.index_state = summary.index_state;
    let end = facts.sealed_at.unwrap_or(facts.data_end);
    let scanned_to = index.map_or(0, |index| index.coverage().scanned_to);
    if let Some(index) = index.filter(|_| scanned_to >= facts.base)
        && (facts.events.is_none() || facts.sealed_at.is_none())
    {
        let counted = events_before(view, index, &[facts.base, end]).unwrap_or_default();
        facts.events_before = counted.first().copied().flatten();
        let after = counted.get(1).copied().flatten().filter(|_| scanned_to >= end);
        facts.events = facts.events.or_else(|| after?.checked_sub(facts.events_before?));
    }
    if facts.times_ms.is_none() {
        let times = view.segment_view(facts.base).and_then(|segment| EventTimes::read(&segment));
        facts.times_ms = times.ok().flatten().map(|times| (times.first_ms, times.last_ms));
    }
}

fn count_parts(parts: &[LogPart]) -> SegmentCounts {
    let mut counts = SegmentCounts::default();
    for part in parts {
        match part {
            LogPart::Segment(bounds) => {
                counts.segments += 1;
                counts.unreadable += u64::from(bounds.condition != SegmentCondition::Present);
            }
            LogPart::Gone(_, GoneCause::Removed) => {}
            LogPart::Gone(_, GoneCause::Missing) => counts.missing += 1,
            LogPart::Gone(_, GoneCause::Lost) => counts.lost += 1,
        }
    }
    counts
}

/// Returns the number of events in all removed segments, when the records of the removals cover them all.
fn removed_events(view: &LogView) -> Option<u64> {
    let (records, _) = removals_of(view).ok()?;
    let is_whole = records.first().is_some_and(|first| first.old_start == 0)
        && records.windows(2).all(|pair| matches!(pair, [before, after] if before.new_start == after.old_start))
        && records.last().is_some_and(|last| view.segments().is_some_and(|set| last.new_start == set.log_start()));
    is_whole.then(|| records.iter().map(crate::SegmentRemoval::events).fold(0, u64::saturating_add))
}
