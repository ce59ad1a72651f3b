//! What the rest of Chronicle looks things up in: the file's entries, and those of what came after, as one.

use std::sync::Arc;

use super::build::{Anchor, Builder, Postings, Sparse, Totals};
use super::persisted::{AggregateSummary, IndexFault, PersistedIndex};
use super::{Counts, PersistedOffsets};

/// Aggregate id to offsets, with what it covers: an index file read lazily, and in memory what was read since.
#[derive(Debug, Clone)]
pub struct AggregateIndex {
    pub(super) base: Option<Base>,
    pub(super) recent: Builder,
    pub(super) log_version: u16,
    pub(super) log_header: [u8; 16],
    pub(super) witness: Witness,
}

/// An index file, believed below an offset.
#[derive(Debug, Clone)]
pub(super) struct Base {
    pub(super) index: Arc<PersistedIndex>,
    pub(super) until: u64,
}

/// Events that are known to have existed beyond what can be covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Witness {
    /// How far the log once went.
    pub log_end_offset: u64,
    /// Events that lay there.
    pub lost_events: u64,
    /// Aggregates they belonged to.
    pub lost_aggregates: u64,
}

/// What an index covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// The end of the last valid frame covered.
    pub covered_to: u64,
    /// How far the log was looked at.
    pub scanned_to: u64,
    /// How far events are known to have existed.
    pub log_end_offset: u64,
    /// Events covered.
    pub events: u64,
    /// Gaps covered.
    pub gaps: u64,
    /// Valid frames covered.
    pub frames: u64,
}

impl AggregateIndex {
    /// An index that covers nothing yet of a log with this header.
    pub fn new(log_version: u16, log_header: [u8; 16]) -> Self {
        Self { base: None, recent: Builder::default(), log_version, log_header, witness: Witness::default() }
    }

    /// An index that covers what the file does. Reads its anchors and counts; offsets stay in the file.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn resume(index: Arc<PersistedIndex>) -> Result<Self, IndexFault> {
        let head = index.head();
        let (counts, checkpoints) = index.counts_and_checkpoints()?;
        let anchors = index.anchors()?.into_iter().map(|anchor| (anchor.offset, anchor)).collect();
        let checkpoints = checkpoints.into_iter().map(|kept| (kept.totals.covered_to, kept)).collect();
        let recent = Builder {
            totals: index.totals(),
            scanned_to: head.scanned_to,
            anchors: Sparse::resume(anchors),
            checkpoints: Sparse::resume(checkpoints),
            counts,
            damage: index.damage()?,
            ..Builder::default()
        };
        let witness = Witness {
            log_end_offset: head.log_end_offset,
            lost_events: head.lost_events,
            lost_aggregates: head.lost_aggregates,
        };
        let (log_version, log_header) = (head.log_version, head.log_header);
        let until = head.covered_to;
        Ok(Self { base: Some(Base { index, until }), recent, log_version, log_header, witness })
    }

    /// What it covers.
    pub fn coverage(&self) -> Coverage {
        let totals = &self.recent.totals;
        Coverage {
            covered_to: totals.covered_to,
            scanned_to: self.recent.scanned_to.max(totals.covered_to),
            log_end_offset: self.witness.log_end_offset.max(totals.covered_to),
            events: totals.events,
            gaps: totals.gaps,
            frames: totals.frames,
        }
    }

    /// The numbers in full.
    pub(crate) const fn totals(&self) -> &Totals {
        &self.recent.totals
    }

    /// The copy of the log's header.
    pub const fn log_header(&self) -> [u8; 16] {
        self.log_header
    }

    /// What is known to have existed beyond what is covered.
    pub const fn witness(&self) -> Witness {
        self.witness
    }

    /// Carries on what an earlier index knew of a log that has lost its end.
    pub(crate) fn bear_witness(&mut self, witness: Witness) {
        self.witness = witness;
    }

    /// Keeps the header that an earlier index knew, where the log's own is damaged.
    pub(crate) fn keep_header(&mut self, log_header: [u8; 16]) {
        self.log_header = log_header;
    }

    /// Where new frames are added.
    pub(crate) fn builder(&mut self) -> &mut Builder {
        &mut self.recent
    }

    /// Forgets what it knows from `offset` on, and perhaps some bytes before it: it is cut at a checkpoint, because
    /// counts cannot be taken back event by event. Reading on from the end of what it then covers makes it whole.
    pub fn cut(&mut self, offset: u64) {
        let recent = &mut self.recent;
        if offset >= recent.totals.covered_to {
            recent.scanned_to = recent.totals.covered_to;
            return;
        }
        recent.checkpoints.cut(offset + 1);
        let Some((_, checkpoint)) = recent.checkpoints.kept.pop() else {
            *self = Self::new(self.log_version, self.log_header);
            return;
        };
        let until = checkpoint.totals.covered_to;
        recent.totals = checkpoint.totals;
        recent.counts.restore(&checkpoint.counts);
        recent.scanned_to = until;
        recent.anchors.cut(until);
        recent.checkpoints.cut(until);
        recent.damage.retain(|range| range.end <= until);
        recent.postings.retain(|_, postings| {
            *postings = cut_postings(postings, until);
            postings.count > 0
        });
        if let Some(base) = &mut self.base {
            base.until = base.until.min(until);
        }
    }

    /// One aggregate's offsets, ascending. The items carry faults of the index file.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn offsets(&self, id: u64) -> Result<impl Iterator<Item = Result<u64, IndexFault>> + '_, IndexFault> {
        let stored: Option<(PersistedOffsets, u64)> = match &self.base {
            Some(base) => base.index.offsets(id)?.map(|offsets| (offsets, base.until)),
            None => None,
        };
        let stored = stored.into_iter().flat_map(|(offsets, until)| {
            offsets.take_while(move |offset| offset.as_ref().map_or(true, |offset| *offset < until))
        });
        let recent = self.recent.postings.get(&id).into_iter().flat_map(Postings::iter).map(Ok);
        Ok(stored.chain(recent))
    }

    /// Every aggregate, by ascending id. The items carry faults of the index file.
    pub fn iter(&self) -> impl Iterator<Item = Result<AggregateSummary, IndexFault>> + '_ {
        let mut recent: Vec<(&u64, &Postings)> = self.recent.postings.iter().collect();
        recent.sort_unstable_by_key(|(id, _)| **id);
        let mut recent = recent.into_iter().peekable();
        let mut stored = self.stored().peekable();
        std::iter::from_fn(move || {
            let next_stored = match stored.peek() {
                Some(Ok(row)) => Some(row.id),
                Some(Err(_)) => return stored.next(),
                None => None,
            };
            let next_recent = recent.peek().map(|(id, _)| **id);
            let of = |(id, postings): (&u64, &Postings)| AggregateSummary {
                id: *id,
                events: postings.count,
                first: postings.first,
                last: postings.last,
            };
            match (next_stored, next_recent) {
                (None, None) => None,
                (Some(a), Some(b)) if a == b => {
                    let newer = recent.next().map(of)?;
                    let older = stored.next()?;
                    Some(older.map(|older| AggregateSummary {
                        events: older.events + newer.events,
                        last: newer.last,
                        ..older
                    }))
                }
                (Some(a), b) if b.is_none_or(|b| a < b) => stored.next(),
                _ => recent.next().map(of).map(Ok),
            }
        })
    }

    /// The file's aggregates, as far as the file is believed.
    fn stored(&self) -> impl Iterator<Item = Result<AggregateSummary, IndexFault>> + '_ {
        self.base.iter().flat_map(|base| {
            base.index.rows().filter_map(move |row| match row {
                Ok(row) if row.summary.last < base.until => Some(Ok(row.summary)),
                Ok(row) if row.summary.first >= base.until => None,
                Ok(row) => Some(below(base, row)),
                Err(fault) => Some(Err(fault)),
            })
        })
    }

    /// The counts by type, namespace and schema.
    pub const fn counts(&self) -> &Counts {
        &self.recent.counts
    }

    /// Damaged ranges met while it was built, ascending.
    pub fn damage(&self) -> &[std::ops::Range<u64>] {
        &self.recent.damage
    }

    /// The last anchor at or before `offset`.
    pub fn anchor_before(&self, offset: u64) -> Option<Anchor> {
        self.last_anchor(|anchor| anchor.offset <= offset)
    }

    /// The last anchor whose event is at most the `ordinal`th, counted from 0.
    pub fn anchor_by_ordinal(&self, ordinal: u64) -> Option<Anchor> {
        self.last_anchor(|anchor| anchor.ordinal <= ordinal)
    }

    /// The last anchor before which no anchored event is as late as `time_ms`: from it a walk finds the first such one.
    pub fn anchor_by_time(&self, time_ms: u64) -> Option<Anchor> {
        let kept = &self.recent.anchors.kept;
        let first_late = kept.iter().position(|(_, anchor)| anchor.timestamp_ms >= time_ms).unwrap_or(kept.len());
        kept.get(first_late.checked_sub(1)?).map(|(_, anchor)| *anchor)
    }

    /// Every anchor, ascending.
    pub fn anchors(&self) -> impl Iterator<Item = Anchor> + '_ {
        self.recent.anchors.kept.iter().map(|(_, anchor)| *anchor)
    }

    fn last_anchor(&self, before: impl Fn(&Anchor) -> bool) -> Option<Anchor> {
        let kept = &self.recent.anchors.kept;
        let after = kept.partition_point(|(_, anchor)| before(anchor));
        kept.get(after.checked_sub(1)?).map(|(_, anchor)| *anchor)
    }
}

/// What is left of a row of the file below the offset up to which the file is believed.
fn below(base: &Base, row: super::persisted::Row) -> Result<AggregateSummary, IndexFault> {
    let mut left = AggregateSummary { events: 0, ..row.summary };
    for offset in base.index.postings(row) {
        let offset = offset?;
        if offset >= base.until {
            break;
        }
        left.events += 1;
        left.last = offset;
    }
    Ok(left)
}

fn cut_postings(postings: &Postings, until: u64) -> Postings {
    let mut kept = Postings::default();
    for offset in postings.iter().take_while(|offset| *offset < until) {
        kept.push(offset);
    }
    kept
}
