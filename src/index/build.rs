//! Building: what one pass over the frames adds to an index, event by event.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use super::Counts;
use crate::format::index::{put_varint, take_varint};
use crate::format::{EventView, Frame};

/// Anchors kept at most; past that, every other one goes and the spacing doubles.
const MAX_ANCHORS: usize = 8192;
/// Spacing of the first anchors, in bytes.
const ANCHOR_SPACING: u64 = 16 << 10;
/// Checkpoints kept at most, likewise.
const MAX_CHECKPOINTS: usize = 32;
/// Spacing of the first checkpoints, in bytes.
const CHECKPOINT_SPACING: u64 = 1 << 20;
/// Damaged ranges kept at most; the count goes on.
pub(crate) const MAX_DAMAGE: usize = 65_536;

/// An event from which a reader can walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Its offset.
    pub offset: u64,
    /// How many events lie before it.
    pub ordinal: u64,
    /// Its time, milliseconds since the epoch.
    pub timestamp_ms: u64,
    /// Its frame's checksum.
    pub checksum: u32,
}

/// Numbers about the covered part of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// The end of the last valid frame.
    pub covered_to: u64,
    /// Events.
    pub events: u64,
    /// Valid frames: events, gaps and frames that are no events.
    pub frames: u64,
    /// Gaps.
    pub gaps: u64,
    /// Offset and checksum of the first frame.
    pub first: Option<(u64, u32)>,
    /// Offset and checksum of the last frame.
    pub last: Option<(u64, u32)>,
    /// Time of the last readable event.
    pub last_time: Option<u64>,
}

/// The numbers as they were at a frame boundary, so that an index can be cut back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) totals: Totals,
    pub(super) counts: Vec<u64>,
}

/// One aggregate's offsets: the first, and the distances from one to the next as variable-length integers.
#[derive(Debug, Clone, Default)]
pub(super) struct Postings {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) count: u64,
    pub(super) deltas: Vec<u8>,
}

impl Postings {
    pub(super) fn push(&mut self, offset: u64) {
        if self.count == 0 {
            self.first = offset;
        } else {
            put_varint(offset - self.last, &mut self.deltas);
        }
        self.last = offset;
        self.count += 1;
    }

    /// The offsets, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let mut rest = self.deltas.as_slice();
        let mut next = (self.count > 0).then_some(self.first);
        std::iter::from_fn(move || {
            let now = next?;
            next = take_varint(&mut rest).map(|delta| now + delta);
            Some(now)
        })
    }
}

/// An index under construction, or the part of one that is in memory.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    pub(super) postings: HashMap<u64, Postings, RandomState>,
    pub(super) totals: Totals,
    pub(super) scanned_to: u64,
    pub(super) anchors: Sparse<Anchor>,
    pub(super) checkpoints: Sparse<Checkpoint>,
    pub(super) counts: Counts,
    pub(super) damage: Vec<Range<u64>>,
}

impl Builder {
    /// Adds an event.
    #[inline]
    pub fn event(&mut self, at: u64, frame: &Frame, event: &EventView) {
        if self.anchors.wants(at, ANCHOR_SPACING) {
            let (ordinal, checksum) = (self.totals.events, frame.checksum());
            let anchor = Anchor { offset: at, ordinal, timestamp_ms: event.write_timestamp_ms(), checksum };
            self.anchors.push(at, anchor, MAX_ANCHORS);
        }
        if self.checkpoints.wants(at, CHECKPOINT_SPACING) {
            let checkpoint = Checkpoint { totals: self.totals, counts: self.counts.snapshot() };
            self.checkpoints.push(at, checkpoint, MAX_CHECKPOINTS);
        }
        if let Some(id) = event.aggregate_id() {
            self.postings.entry(id).or_default().push(at);
        }
        self.counts.add(event);
        self.totals.events += 1;
        self.totals.last_time = Some(event.write_timestamp_ms());
        self.frame(at, frame);
    }

    /// Adds a gap.
    pub fn gap(&mut self, at: u64, frame: &Frame) {
        self.totals.gaps += 1;
        self.frame(at, frame);
    }

    /// Adds a valid frame that is no event.
    pub fn no_event(&mut self, at: u64, frame: &Frame) {
        self.frame(at, frame);
    }

    /// Adds a damaged range.
    pub fn damaged(&mut self, range: Range<u64>) {
        if self.damage.len() < MAX_DAMAGE {
            self.damage.push(range);
        }
    }

    /// Forgets damage behind the last valid frame, which is about to be looked at again.
    pub fn forget_damaged_end(&mut self) {
        let covered_to = self.totals.covered_to;
        self.damage.retain(|range| range.end <= covered_to);
    }

    /// Says how far the log was looked at.
    pub fn scanned(&mut self, to: u64) {
        self.scanned_to = to;
    }

    /// The numbers so far.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    #[inline]
    fn frame(&mut self, at: u64, frame: &Frame) {
        let mark = (at, frame.checksum());
        self.totals.first.get_or_insert(mark);
        self.totals.last = Some(mark);
        self.totals.frames += 1;
        self.totals.covered_to = at + frame.len();
    }
}

/// Things kept every so many bytes, with a bound on how many.
#[derive(Debug, Clone)]
pub(super) struct Sparse<T> {
    pub(super) kept: Vec<(u64, T)>,
    spacing: u64,
    next: u64,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), spacing: 0, next: 0 }
    }
}

impl<T> Sparse<T> {
    /// Takes up where a file left off.
    pub(super) fn resume(kept: Vec<(u64, T)>) -> Self {
        // The distance kept so far is the spacing to go on with.
        let spacing = kept.windows(2).map(|pair| pair.last().map_or(0, |b| b.0) - pair.first().map_or(0, |a| a.0));
        let spacing = spacing.min().unwrap_or_default();
        let next = kept.last().map_or(0, |last| last.0.saturating_add(spacing.max(1)));
        Self { kept, spacing, next }
    }

    #[inline]
    fn wants(&mut self, at: u64, first_spacing: u64) -> bool {
        if at < self.next {
            return false;
        }
        self.spacing = self.spacing.max(first_spacing);
        true
    }

    fn push(&mut self, at: u64, thing: T, most: usize) {
        if self.kept.len() >= most {
            let mut i = 0;
            self.kept.retain(|_| {
                i += 1;
                i % 2 == 1
            });
            self.spacing *= 2;
        }
        self.kept.push((at, thing));
        self.next = at.saturating_add(self.spacing);
    }

    /// Forgets what lies at `from` or behind it.
    pub(super) fn cut(&mut self, from: u64) {
        self.kept.retain(|(at, _)| *at < from);
        self.next = self.kept.last().map_or(0, |last| last.0.saturating_add(self.spacing));
    }
}
