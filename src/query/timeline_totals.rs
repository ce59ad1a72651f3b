//! The intervals of a timeline while the log is read.

use std::ops::Range;

use super::event_fold::EventTotals;
use super::time_series::TimeSeries;
use super::timeline_interval::TimelineInterval;
use crate::format::{DamageKind, EventView, Finding};

/// The largest number of damaged ranges of a part that are kept until their time is known.
const MAX_UNPLACED: usize = 4096;

/// The events and the damage of a part of the log, or of the whole log, by time.
#[derive(Debug, Clone)]
pub(super) struct TimelineTotals {
    pub(super) series: TimeSeries<TimelineInterval>,
    /// The earliest and the latest time that the filter permits; `None` when it permits none.
    permitted: Option<(u64, u64)>,
    /// Damage that directly follows a range whose time is not known.
    pub(super) unplaced: Vec<UnplacedDamage>,
    /// Number of damaged ranges at other times than the permitted ones, and of those whose time stays unknown.
    pub(super) damage_outside: u64,
    /// The end of the last frame or damaged range that was read, and the time of the event before that end.
    last: Option<LastItem>,
    /// The end of the last frame.
    pub(super) covered_to: u64,
    /// Whether the last item was damage that ends with the part. More bytes can make another item of it.
    pub(super) ends_with_damage: bool,
}

/// A damaged range whose time is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnplacedDamage {
    pub(super) start: u64,
    pub(super) end: u64,
}

#[derive(Debug, Clone, Copy)]
struct LastItem {
    end: u64,
    time_ms: u64,
}

impl TimelineTotals {
    /// Creates the totals of a part, with the intervals of `series`, whose counts are kept. Damage has a place at the times
    /// from `permitted.0` to `permitted.1`.
    pub(super) const fn new(series: TimeSeries<TimelineInterval>, permitted: Option<(u64, u64)>) -> Self {
        Self {
            series,
            permitted,
            unplaced: Vec::new(),
            damage_outside: 0,
            last: None,
            covered_to: 0,
            ends_with_damage: false,
        }
    }

    /// Adds a damaged range at the time of the event before it, where that is known.
    fn add_damage(&mut self, range: UnplacedDamage) {
        let before = self.last.filter(|last| last.end == range.start);
        if let Some(LastItem { time_ms, .. }) = before {
            self.add_damage_at(Some(time_ms));
        } else if self.unplaced.len() < MAX_UNPLACED {
            self.unplaced.push(range);
        } else {
            self.damage_outside += 1;
        }
        self.last = before.map(|last| LastItem { end: range.end, ..last });
    }

    /// Adds a damaged range at a time; `None` when its time is not known.
    pub(super) fn add_damage_at(&mut self, time_ms: Option<u64>) {
        let is_permitted = |time: &u64| self.permitted.is_some_and(|(first, last)| (first..=last).contains(time));
        match time_ms.filter(is_permitted) {
            Some(time) => self.series.add(time, TimelineInterval { damage: 1, ..TimelineInterval::default() }),
            None => self.damage_outside += 1,
        }
    }
}

impl EventTotals for TimelineTotals {
    fn observe_event(&mut self, range: &Range<u64>, time_ms: u64) {
        self.last = Some(LastItem { end: range.end, time_ms });
        self.covered_to = self.covered_to.max(range.end);
        self.ends_with_damage = false;
    }

    fn add_event(&mut self, range: Range<u64>, event: &EventView) {
        let first_offset = Some(range.start);
        self.series.add(event.write_timestamp_ms(), TimelineInterval { events: 1, damage: 0, first_offset });
    }

    fn add_finding(&mut self, finding: &Finding) {
        let is_frame = matches!(finding.kind, DamageKind::Gap | DamageKind::InvalidEvent);
        self.ends_with_damage = !is_frame;
        if is_frame {
            self.covered_to = self.covered_to.max(finding.end);
        }
        if finding.kind.is_damage() {
            self.add_damage(UnplacedDamage { start: finding.start, end: finding.end });
        } else if let Some(last) = self.last.as_mut().filter(|last| last.end == finding.start) {
            last.end = finding.end;
        }
    }

    fn merge(&mut self, next: Self) {
        self.series.merge(next.series);
        let last = self.last;
        for damage in next.unplaced {
            self.add_damage(damage);
        }
        self.damage_outside += next.damage_outside;
        // A part without events goes on with the time of the event before it.
        self.last = next.last.or(self.last).or(last);
        if next.covered_to > 0 || next.ends_with_damage {
            self.covered_to = self.covered_to.max(next.covered_to);
            self.ends_with_damage = next.ends_with_damage;
        }
    }
}
