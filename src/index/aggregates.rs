//! What the rest of Chronicle looks things up in: the file's entries, and those of what came after, as one.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::Counts;
use super::block::{Anchor, Block};
use super::checkpoint::{Checkpoint, Totals};
use super::damage::{Damage, Ranges};
use super::layer::{Layer, Merge, Source, summary};
use super::part::{BLOCK, CHECKPOINT, MAX_BLOCKS, MAX_CHECKPOINTS, Part};
use super::persisted::{AggregateSummary, IndexFault, PersistedIndex};
use super::sparse::Sparse;
use super::stored::Stored;
use super::write::{Scratch, gather};
use crate::StorageError;
use crate::file::{Disk, OsDisk};

/// A run of fewer events may become one with the next.
const SMALL_RUN: u64 = 1 << 15;

/// Aggregate id to offsets, with what it covers: an index file read lazily, and in memory what was read since.
#[derive(Debug, Clone)]
pub struct AggregateIndex {
    pub(super) base: Option<Arc<PersistedIndex>>,
    pub(super) layers: Vec<Layer>,
    pub(super) totals: Totals,
    scanned_to: u64,
    pub(super) blocks: Sparse<Block>,
    pub(super) checkpoints: Sparse<Checkpoint>,
    pub(super) counts: Counts,
    pub(super) damage: Damage,
    pub(super) log_version: u16,
    pub(super) log_header: [u8; 16],
    pub(super) witness: Witness,
    pub(super) verified: Option<Verified>,
    /// Offset and checksum of a frame behind what is covered, by which the log is known.
    pub(super) known: Option<(u64, u32)>,
    bounds: Bounds,
}

/// How much memory the aggregates may take, and where the rest of them goes.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Where files without a name can be made.
    pub disk: Arc<dyn Disk>,
    /// The folder for them; where temporary files are kept when there is none, or they cannot be there.
    pub folder: Option<PathBuf>,
    /// Bytes.
    pub memory: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { disk: Arc::new(OsDisk), folder: None, memory: 256 << 20 }
    }
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
    /// Offset and checksum of the last frame there.
    pub last: Option<(u64, u32)>,
}

/// How far a log was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// The end of the last frame that was.
    pub to: u64,
    /// When the part verified first was, milliseconds since the Unix epoch.
    pub at_ms: u64,
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
        Self {
            base: None,
            layers: Vec::new(),
            totals: Totals::default(),
            scanned_to: 0,
            blocks: Sparse::new(BLOCK, MAX_BLOCKS),
            checkpoints: Sparse::new(CHECKPOINT, MAX_CHECKPOINTS),
            counts: Counts::default(),
            damage: Damage::default(),
            log_version,
            log_header,
            witness: Witness::default(),
            verified: None,
            known: None,
            bounds: Bounds::default(),
        }
    }

    /// An index that covers what the file does. Reads its anchors and counts; offsets stay in the file.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn resume(index: &Arc<PersistedIndex>) -> Result<Self, IndexFault> {
        let head = index.head();
        let (counts, checkpoints) = index.counts_and_checkpoints()?;
        let blocks = index.blocks()?.into_iter().map(|block| (block.anchor.offset, block)).collect();
        let checkpoints = checkpoints.into_iter().map(|kept| (kept.totals.covered_to, kept)).collect();
        let layer = |run: &Arc<Stored>| Layer { source: Source::Stored(run.clone()), until: u64::MAX };
        Ok(Self {
            layers: index.runs().iter().map(layer).collect(),
            totals: index.totals(),
            scanned_to: head.scanned_to,
            blocks: Sparse::resume(blocks, head.anchor_spacing, MAX_BLOCKS),
            checkpoints: Sparse::resume(checkpoints, head.checkpoint_spacing, MAX_CHECKPOINTS),
            counts,
            damage: index.damage()?,
            witness: index.witness(),
            verified: index.verified(),
            known: index.known(),
            base: Some(index.clone()),
            ..Self::new(head.log_version, head.log_header)
        })
    }

    /// The same, within other bounds.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// What it covers.
    pub fn coverage(&self) -> Coverage {
        let totals = &self.totals;
        Coverage {
            covered_to: totals.covered_to,
            scanned_to: self.scanned_to.max(totals.covered_to),
            log_end_offset: self.witness.log_end_offset.max(totals.covered_to),
            events: totals.events,
            gaps: totals.gaps,
            frames: totals.frames,
        }
    }

    /// The numbers in full.
    pub(crate) const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The copy of the log's header.
    pub const fn log_header(&self) -> [u8; 16] {
        self.log_header
    }

    /// What is known to have existed beyond what is covered.
    pub const fn witness(&self) -> Witness {
        self.witness
    }

    /// How far the log was verified.
    pub const fn verified(&self) -> Option<Verified> {
        self.verified
    }

    /// Bytes of memory that the aggregates take.
    pub fn memory(&self) -> u64 {
        self.layers.iter().map(Layer::memory).sum()
    }

    /// Carries on what an earlier index knew of a log that has lost its end.
    pub(crate) fn bear_witness(&mut self, witness: Witness) {
        self.witness = witness;
    }

    /// Keeps a frame by which the log is known, though what is covered may end before it.
    pub(crate) fn keep_known(&mut self, known: Option<(u64, u32)>) {
        self.known = known;
    }

    /// Keeps the header that an earlier index knew, where the log's own is damaged.
    pub(crate) fn keep_header(&mut self, log_header: [u8; 16]) {
        self.log_header = log_header;
    }

    /// Notes that the log was verified from one place to another, at a time: the mark moves where the two meet, and keeps
    /// the earlier time unless all before it was verified anew.
    pub(crate) fn was_verified(&mut self, range: Range<u64>, at_ms: u64) {
        let to = range.end.min(self.totals.covered_to);
        self.verified = match self.verified {
            Some(known) if range.start > known.to => Some(known),
            Some(known) if to < known.to || range.start > 0 => Some(Verified { to: to.max(known.to), ..known }),
            None if range.start > 0 => None,
            _ => Some(Verified { to, at_ms }),
        };
    }

    /// Adds the part of the log behind what is covered.
    ///
    /// # Errors
    /// `Io` when what has no room in memory cannot be put anywhere else.
    pub(crate) fn join(&mut self, mut part: Part) -> Result<(), StorageError> {
        let last_time = self.totals.last_time;
        if let Some(first) = part.blocks.first_mut() {
            first.late |= last_time.is_some_and(|last| first.anchor.timestamp_ms < last);
        }
        if part.mixed_start
            && let Some(last) = self.blocks.last_mut()
        {
            last.mixed = true;
        }
        let counts = self.counts.snapshot();
        let slots = self.counts.join(&part.counts);
        let (totals, events) = (self.totals, self.totals.events);
        self.blocks.join(part.blocks.map(|block| block.moved(events, &slots)));
        self.checkpoints.join(part.checkpoints.map(|checkpoint| checkpoint.behind(&totals, &counts, &slots)));
        self.totals = totals.and(&part.totals);
        let Some(run) = part.run else { return Ok(()) };
        self.layers.push(Layer { source: Source::Memory(Arc::new(run)), until: u64::MAX });
        self.settle().map_err(|fault| fault.into_error(std::path::Path::new("the index in memory")))
    }

    /// Makes one run of small ones, and puts those that have no room in memory into a file.
    fn settle(&mut self) -> Result<(), IndexFault> {
        while let [.., before, last] = self.layers.as_slice()
            && matches!((&before.source, &last.source), (Source::Memory(_), Source::Memory(_)))
            && before.events() < SMALL_RUN.min(2 * last.events())
        {
            let from = self.layers.len() - 2;
            let run = gather(self.layers.get(from..).unwrap_or_default())?;
            self.layers.truncate(from);
            self.layers.push(Layer { source: Source::Memory(Arc::new(run)), until: u64::MAX });
        }
        if self.memory() <= self.bounds.memory {
            return Ok(());
        }
        let stored = self.layers.iter().take_while(|layer| matches!(layer.source, Source::Stored(_))).count();
        let run = self.scratch().run(self.layers.get(stored..).unwrap_or_default())?;
        self.layers.truncate(stored);
        self.layers.push(Layer { source: Source::Stored(Arc::new(run)), until: u64::MAX });
        Ok(())
    }

    pub(super) fn scratch(&self) -> Scratch<'_> {
        Scratch { disk: self.bounds.disk.as_ref(), folder: self.bounds.folder.as_deref() }
    }

    /// Adds a damaged range that it is built over.
    pub(crate) fn damaged(&mut self, range: Range<u64>) {
        self.damage.build_over(range);
    }

    /// Forgets damage behind the last valid frame, which is about to be looked at again.
    pub(crate) fn forget_damaged_end(&mut self) {
        self.damage.cut(self.totals.covered_to);
    }

    /// Notes what was met where somebody looked at the log again: damage that came since, or is gone by now.
    pub(crate) fn looked_at(&mut self, ranges: &[Range<u64>], met: Ranges) {
        self.damage.look(ranges, met, self.totals.covered_to);
    }

    /// Says how far the log was looked at.
    pub(crate) fn scanned(&mut self, to: u64) {
        self.scanned_to = to;
    }

    /// Forgets what it knows from `offset` on, and perhaps some bytes before it: it is cut at a checkpoint, because
    /// counts cannot be taken back event by event. Reading on from the end of what it then covers makes it whole.
    pub fn cut(&mut self, offset: u64) {
        if offset >= self.totals.covered_to {
            self.scanned_to = self.totals.covered_to;
            self.forget_damaged_end();
            return;
        }
        self.checkpoints.cut(offset + 1);
        let Some(checkpoint) = self.checkpoints.pop() else {
            *self = Self::new(self.log_version, self.log_header).within(self.bounds.clone());
            return;
        };
        let until = checkpoint.totals.covered_to;
        self.totals = checkpoint.totals;
        self.counts.restore(&checkpoint.counts);
        self.scanned_to = until;
        self.blocks.cut(until);
        self.checkpoints.cut(until);
        self.damage.cut(until);
        self.layers.iter_mut().for_each(|layer| layer.until = layer.until.min(until));
        self.verified = self.verified.map(|known| Verified { to: known.to.min(until), ..known });
    }

    /// One aggregate's offsets, ascending. The items carry faults of the index file.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn offsets(&self, id: u64) -> Result<impl Iterator<Item = Result<u64, IndexFault>> + '_, IndexFault> {
        let mut found = Vec::new();
        for layer in &self.layers {
            found.extend(layer.find(id)?);
        }
        Ok(found.into_iter().flat_map(|entry| entry.offsets()))
    }

    /// Every aggregate, by ascending id. The items carry faults of the index file.
    pub fn iter(&self) -> impl Iterator<Item = Result<AggregateSummary, IndexFault>> + '_ {
        let mut merge = Some(Merge::of(&self.layers));
        let mut group = Vec::new();
        std::iter::from_fn(move || {
            let next = match merge.as_mut()? {
                Ok(merge) => merge.next(&mut group).map(|()| summary(&group)),
                Err(_) => Ok(None),
            };
            if let Some(Err(fault)) = merge.take_if(|merge| merge.is_err()) {
                return Some(Err(fault));
            }
            if next.is_err() {
                merge = None;
            }
            next.transpose()
        })
    }

    /// The counts by type, namespace and schema.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Damaged ranges met while it was built, ascending.
    pub fn damage(&self) -> &[Range<u64>] {
        self.damage.built_over()
    }

    /// The same with those met since, where it knows what stood there; neighbours among these are one where there are many.
    pub fn known_damage(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.damage.all()
    }

    /// The last anchor at or before `offset`.
    pub fn anchor_before(&self, offset: u64) -> Option<Anchor> {
        self.last_anchor(|anchor| anchor.offset <= offset)
    }

    /// The last anchor whose event is at most the `ordinal`th, counted from 0.
    pub fn anchor_by_ordinal(&self, ordinal: u64) -> Option<Anchor> {
        self.last_anchor(|anchor| anchor.ordinal <= ordinal)
    }

    /// The anchor of the first block that holds an event as late as `time_ms`: from it a walk finds the first such one.
    pub fn anchor_by_time(&self, time_ms: u64) -> Option<Anchor> {
        self.blocks().find(|block| block.times.1 >= time_ms).map(|block| block.anchor)
    }

    /// Every anchor, ascending.
    pub fn anchors(&self) -> impl Iterator<Item = Anchor> + '_ {
        self.blocks().map(|block| block.anchor)
    }

    /// Every block, ascending. The first event is the first one's; each reaches to the next, the last to the end of what
    /// is covered.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.kept().iter().map(|(_, block)| block)
    }

    fn last_anchor(&self, before: impl Fn(&Anchor) -> bool) -> Option<Anchor> {
        let kept = self.blocks.kept();
        let after = kept.partition_point(|(_, block)| before(&block.anchor));
        kept.get(after.checked_sub(1)?).map(|(_, block)| block.anchor)
    }
}
