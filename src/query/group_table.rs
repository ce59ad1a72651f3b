//! The groups of statistics while they are collected, in bounded memory.
//!
//! When the groups of the whole log do not fit, the keys are divided by their hash: the pass that runs keeps one half, and
//! another pass over the log collects the other half.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::ops::Range;

use foldhash::fast::{FixedState, RandomState};

use super::event_fold::EventTotals;
use super::event_tally::EventTally;
use super::group_by::{EventValue, GroupBy, GroupKey};
use super::time_histogram::TimeHistogram;
use crate::format::{DamageKind, EventView, Finding};

/// The largest number of intervals in the distribution of events over time.
const MAX_INTERVALS: usize = 32;
/// The largest number of groups whose distribution over time is recorded.
const MAX_HISTOGRAMS: usize = 4096;
/// The memory that a group takes in addition to its key's text, in bytes, rounded up.
const GROUP_BYTES: usize = 144;

/// The keys that one pass collects: those whose hash starts with certain bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeySpace {
    /// The first bits of the hash.
    prefix: u64,
    /// The number of bits.
    bits: u32,
}

impl KeySpace {
    /// All keys.
    pub(super) const ALL: Self = Self { prefix: 0, bits: 0 };

    fn contains(self, key: &GroupKey) -> bool {
        self.bits == 0 || FixedState::default().hash_one(key) >> (64 - self.bits) == self.prefix
    }

    /// Divides the keys into two halves; `None` when a single hash value is left.
    fn halves(self) -> Option<(Self, Self)> {
        let half = |bit| Self { prefix: self.prefix << 1 | bit, bits: self.bits + 1 };
        (self.bits < 64).then(|| (half(0), half(1)))
    }
}

/// The events of one group so far.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupTotals {
    pub(super) tally: EventTally,
    pub(super) histogram: Option<Box<TimeHistogram>>,
}

/// The groups of a part of a log, or of the whole log.
#[derive(Debug)]
pub(super) struct GroupTable {
    by: GroupBy,
    space: KeySpace,
    /// The memory that the groups may take, in bytes.
    max_memory: usize,
    /// The memory that the groups take, in bytes.
    memory: usize,
    /// Whether the distribution over time of each group is recorded.
    histograms: GroupHistograms,
    /// The key spaces that other passes have to collect.
    postponed: Vec<KeySpace>,
    pub(super) groups: HashMap<GroupKey, GroupTotals, RandomState>,
    /// Groups of a part by their token as stored, until the part is merged.
    tokens: HashMap<Box<str>, GroupTotals, RandomState>,
    pub(super) total: EventTally,
    pub(super) histogram: TimeHistogram,
    pub(super) damage: u64,
    pub(super) gaps: u64,
}

/// Whether the distribution over time of each group is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupHistograms {
    Recorded,
    /// The groups are intervals of time themselves, or too many.
    Dropped,
}

impl GroupTable {
    /// Creates the table of a pass over the log that collects the keys in `space`.
    pub(super) fn new(by: &GroupBy, space: KeySpace, max_memory: usize) -> Self {
        let histograms = if by.is_time() { GroupHistograms::Dropped } else { GroupHistograms::Recorded };
        Self {
            by: by.clone(),
            space,
            max_memory,
            memory: 0,
            histograms,
            postponed: Vec::new(),
            groups: HashMap::default(),
            tokens: HashMap::default(),
            total: EventTally::default(),
            histogram: Self::new_histogram(),
            damage: 0,
            gaps: 0,
        }
    }

    /// Creates the table of a part of the log.
    pub(super) fn for_part(by: &GroupBy) -> Self {
        // A part has few groups. The limits apply when it is merged.
        Self::new(by, KeySpace::ALL, usize::MAX)
    }

    /// Creates an empty distribution over time.
    pub(super) fn new_histogram() -> TimeHistogram {
        TimeHistogram::new(MAX_INTERVALS)
    }

    /// Adds events that an index has counted.
    pub(super) fn add_counted(&mut self, key: GroupKey, tally: EventTally) {
        self.drop_histograms();
        self.total.merge(&tally);
        self.merge_group(key, GroupTotals { tally, histogram: None });
    }

    /// Takes the key spaces that other passes have to collect, because the groups did not fit in memory.
    pub(super) fn take_postponed(&mut self) -> Vec<KeySpace> {
        std::mem::take(&mut self.postponed)
    }

    /// Moves the groups that were found by their tokens to the groups by keys.
    fn collect_tokens(&mut self) {
        for (token, group) in std::mem::take(&mut self.tokens) {
            let key = self.by.key_of(EventValue::Token(&token));
            self.merge_group(key, group);
        }
    }

    fn merge_group(&mut self, key: GroupKey, group: GroupTotals) {
        if !self.space.contains(&key) {
            return;
        }
        let key_bytes = key.heap_bytes();
        let mut is_new = false;
        let known = self.groups.entry(key).or_insert_with(|| {
            is_new = true;
            GroupTotals::default()
        });
        known.tally.merge(&group.tally);
        match (&mut known.histogram, group.histogram) {
            (Some(known), Some(histogram)) => known.merge(*histogram),
            (known, histogram) => *known = known.take().or(histogram),
        }
        if is_new {
            self.memory += GROUP_BYTES + key_bytes;
            self.apply_limits();
        }
    }

    fn drop_histograms(&mut self) {
        if self.histograms == GroupHistograms::Recorded {
            self.histograms = GroupHistograms::Dropped;
            self.groups.values_mut().chain(self.tokens.values_mut()).for_each(|group| group.histogram = None);
        }
    }

    fn apply_limits(&mut self) {
        if self.groups.len() + self.tokens.len() > MAX_HISTOGRAMS {
            self.drop_histograms();
        }
        while self.memory > self.max_memory
            && let Some((kept, postponed)) = self.space.halves()
        {
            self.space = kept;
            self.postponed.push(postponed);
            self.groups.retain(|key, _| kept.contains(key));
            self.groups.shrink_to_fit();
            self.memory = self.groups.keys().map(|key| GROUP_BYTES + key.heap_bytes()).sum();
        }
    }
}

impl EventTotals for GroupTable {
    fn add_event(&mut self, range: Range<u64>, event: &EventView) {
        let (bytes, time_ms) = (range.end - range.start, event.write_timestamp_ms());
        self.total.add(bytes, time_ms);
        self.histogram.add(time_ms);
        let keeps_histograms = self.histograms == GroupHistograms::Recorded;
        let add = |group: &mut GroupTotals| {
            group.tally.add(bytes, time_ms);
            if keeps_histograms {
                group.histogram.get_or_insert_with(|| Box::new(Self::new_histogram())).add(time_ms);
            }
        };
        let is_new = match self.by.value_of(event) {
            // Tokens as stored need no allocation to be found.
            EventValue::Token(token) => {
                let known = self.tokens.get_mut(token);
                let is_new = known.is_none();
                match known {
                    Some(group) => add(group),
                    None => add(self.tokens.entry(token.into()).or_default()),
                }
                is_new
            }
            value => {
                let groups = self.groups.len();
                add(self.groups.entry(self.by.key_of(value)).or_default());
                self.groups.len() > groups
            }
        };
        if is_new {
            self.apply_limits();
        }
    }

    fn add_finding(&mut self, finding: &Finding) {
        if finding.kind == DamageKind::Gap {
            self.gaps += 1;
        } else if finding.kind.is_damage() {
            self.damage += 1;
        }
    }

    fn merge(&mut self, mut next: Self) {
        self.total.merge(&next.total);
        self.histogram.merge(std::mem::replace(&mut next.histogram, Self::new_histogram()));
        self.damage += next.damage;
        self.gaps += next.gaps;
        if next.histograms == GroupHistograms::Dropped {
            self.drop_histograms();
        }
        next.collect_tokens();
        for (key, mut group) in next.groups {
            group.histogram = group.histogram.filter(|_| self.histograms == GroupHistograms::Recorded);
            self.merge_group(key, group);
        }
    }
}
