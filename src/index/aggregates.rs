//! What the rest of Chronicle looks things up in: the file's entries, and those of what came after, as one.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::NameCounts;
use super::block::{Anchor, Block};
use super::checkpoint::{Checkpoint, Totals};
use super::damage::{IndexDamage, RangeSet};
use super::layer::{IndexLayer, LayerMerge, LayerSource, merge_summaries};
use super::part::{INITIAL_BLOCK_BYTES, INITIAL_CHECKPOINT_SPACING, IndexPart, MAX_BLOCKS, MAX_CHECKPOINTS};
use super::persisted::{AggregateSummary, IndexFault, PersistedIndex};
use super::run_writer::{Scratch, merge_to_memory};
use super::sparse_grid::SparseGrid;
use super::stored_run::StoredRun;
use crate::StorageError;
use crate::file::{Disk, OsDisk};

/// A run of fewer events may become one with the next.
const SMALL_RUN: u64 = 1 << 15;

/// Aggregate id to offsets, with what it covers: an index file read lazily, and in memory what was read since.
#[derive(Debug, Clone)]
pub struct AggregateIndex {
    pub(super) index_file: Option<Arc<PersistedIndex>>,
    pub(super) layers: Vec<IndexLayer>,
    pub(super) totals: Totals,
    scanned_to: u64,
    pub(super) blocks: SparseGrid<Block>,
    pub(super) checkpoints: SparseGrid<Checkpoint>,
    pub(super) counts: NameCounts,
    pub(super) damage: IndexDamage,
    pub(super) log_version: u16,
    pub(super) log_header: [u8; 16],
    pub(super) lost_tail: LostTail,
    pub(super) verification_mark: Option<VerificationMark>,
    /// Offset and checksum of a frame behind what is covered, by which the log is known.
    pub(super) known_frame: Option<(u64, u32)>,
    spill_options: SpillOptions,
}

/// How much memory the aggregates may take, and where the rest of them goes.
#[derive(Debug, Clone)]
pub struct SpillOptions {
    /// Where files without a name can be made.
    pub disk: Arc<dyn Disk>,
    /// The folder for them; where temporary files are kept when there is none, or they cannot be there.
    pub spill_folder: Option<PathBuf>,
    /// Bytes.
    pub max_memory: u64,
}

impl Default for SpillOptions {
    fn default() -> Self {
        Self { disk: Arc::new(OsDisk), spill_folder: None, max_memory: 256 << 20 }
    }
}

/// Events that are known to have existed beyond what can be covered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LostTail {
    /// How far the log once went.
    pub log_end_offset: u64,
    /// Events that lay there.
    pub lost_events: u64,
    /// Aggregates they belonged to.
    pub lost_aggregates: u64,
    /// Offset and checksum of the last frame there.
    pub last_frame: Option<(u64, u32)>,
}

/// How far a log was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationMark {
    /// The end of the last frame that was.
    pub verified_to: u64,
    /// When the part verified first was, milliseconds since the Unix epoch.
    pub verified_at_ms: u64,
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
            index_file: None,
            layers: Vec::new(),
            totals: Totals::default(),
            scanned_to: 0,
            blocks: SparseGrid::new(INITIAL_BLOCK_BYTES, MAX_BLOCKS),
            checkpoints: SparseGrid::new(INITIAL_CHECKPOINT_SPACING, MAX_CHECKPOINTS),
            counts: NameCounts::default(),
            damage: IndexDamage::default(),
            log_version,
            log_header,
            lost_tail: LostTail::default(),
            verification_mark: None,
            known_frame: None,
            spill_options: SpillOptions::default(),
        }
    }

    /// An index that covers what the file does. Reads its anchors and counts; offsets stay in the file.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`], [`IndexFault::Io`].
    pub fn from_persisted(index: &Arc<PersistedIndex>) -> Result<Self, IndexFault> {
        let head = index.head();
        let (counts, checkpoints) = index.counts_and_checkpoints()?;
        let blocks = index.blocks()?.into_iter().map(|block| (block.anchor.offset, block)).collect();
        let checkpoints = checkpoints.into_iter().map(|kept| (kept.totals.covered_to, kept)).collect();
        let layer =
            |run: &Arc<StoredRun>| IndexLayer { source: LayerSource::Stored(run.clone()), end_offset: u64::MAX };
        Ok(Self {
            layers: index.runs().iter().map(layer).collect(),
            totals: index.totals(),
            scanned_to: head.scanned_to,
            blocks: SparseGrid::from_entries(blocks, head.anchor_spacing, MAX_BLOCKS),
            checkpoints: SparseGrid::from_entries(checkpoints, head.checkpoint_spacing, MAX_CHECKPOINTS),
            counts,
            damage: index.damage()?,
            lost_tail: index.lost_tail(),
            verification_mark: index.verification_mark(),
            known_frame: index.known_frame(),
            index_file: Some(index.clone()),
            ..Self::new(head.log_version, head.log_header)
        })
    }

    /// The same, within other bounds.
    #[must_use]
    pub fn with_spill_options(self, bounds: SpillOptions) -> Self {
        Self { spill_options: bounds, ..self }
    }

    /// What it covers.
    pub fn coverage(&self) -> Coverage {
        let totals = &self.totals;
        Coverage {
            covered_to: totals.covered_to,
            scanned_to: self.scanned_to.max(totals.covered_to),
            log_end_offset: self.lost_tail.log_end_offset.max(totals.covered_to),
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
    pub const fn lost_tail(&self) -> LostTail {
        self.lost_tail
    }

    /// How far the log was verified.
    pub const fn verification_mark(&self) -> Option<VerificationMark> {
        self.verification_mark
    }

    /// Bytes of memory that the aggregates take.
    pub fn memory_bytes(&self) -> u64 {
        self.layers.iter().map(IndexLayer::memory).sum()
    }

    /// Carries on what an earlier index knew of a log that has lost its end.
    pub(crate) fn set_lost_tail(&mut self, lost_tail: LostTail) {
        self.lost_tail = lost_tail;
    }

    /// Keeps a frame by which the log is known, though what is covered may end before it.
    pub(crate) fn set_known_frame(&mut self, known: Option<(u64, u32)>) {
        self.known_frame = known;
    }

    /// Keeps the header that an earlier index knew, where the log's own is damaged.
    pub(crate) fn set_log_header(&mut self, log_header: [u8; 16]) {
        self.log_header = log_header;
    }

    /// Notes that the log was verified from one place to another, at a time: the mark moves where the two meet, and keeps
    /// the earlier time unless all before it was verified anew.
    pub(crate) fn record_verification(&mut self, range: Range<u64>, at_ms: u64) {
        let to = range.end.min(self.totals.covered_to);
        self.verification_mark = match self.verification_mark {
            Some(known) if range.start > known.verified_to => Some(known),
            Some(known) if to < known.verified_to || range.start > 0 => {
                Some(VerificationMark { verified_to: to.max(known.verified_to), ..known })
            }
            None if range.start > 0 => None,
            _ => Some(VerificationMark { verified_to: to, verified_at_ms: at_ms }),
        };
    }

    /// Adds the part of the log behind what is covered.
    ///
    /// # Errors
    /// `Io` when what has no room in memory cannot be put anywhere else.
    pub(crate) fn append_part(&mut self, mut part: IndexPart) -> Result<(), StorageError> {
        let last_time = self.totals.last_time;
        if let Some(first) = part.blocks.first_mut() {
            first.has_out_of_order_times |= last_time.is_some_and(|last| first.anchor.timestamp_ms < last);
        }
        if part.starts_with_non_events
            && let Some(last) = self.blocks.last_mut()
        {
            last.has_non_events = true;
        }
        let counts = self.counts.snapshot();
        let slots = self.counts.merge(&part.counts);
        let (totals, events) = (self.totals, self.totals.events);
        self.blocks.append(part.blocks.map_values(|block| block.rebased(events, &slots)));
        self.checkpoints.append(part.checkpoints.map_values(|checkpoint| checkpoint.rebased(&totals, &counts, &slots)));
        self.totals = totals.combined_with(&part.totals);
        let Some(run) = part.run else { return Ok(()) };
        self.layers.push(IndexLayer { source: LayerSource::Memory(Arc::new(run)), end_offset: u64::MAX });
        self.compact_layers().map_err(|fault| fault.into_error(std::path::Path::new("the index in memory")))
    }

    /// Makes one run of small ones, and puts those that have no room in memory into a file.
    fn compact_layers(&mut self) -> Result<(), IndexFault> {
        while let [.., before, last] = self.layers.as_slice()
            && matches!((&before.source, &last.source), (LayerSource::Memory(_), LayerSource::Memory(_)))
            && before.events() < SMALL_RUN.min(2 * last.events())
        {
            let from = self.layers.len() - 2;
            let run = merge_to_memory(self.layers.get(from..).unwrap_or_default())?;
            self.layers.truncate(from);
            self.layers.push(IndexLayer { source: LayerSource::Memory(Arc::new(run)), end_offset: u64::MAX });
        }
        if self.memory_bytes() <= self.spill_options.max_memory {
            return Ok(());
        }
        let stored = self.layers.iter().take_while(|layer| matches!(layer.source, LayerSource::Stored(_))).count();
        let run = self.scratch().merge_to_file(self.layers.get(stored..).unwrap_or_default())?;
        self.layers.truncate(stored);
        self.layers.push(IndexLayer { source: LayerSource::Stored(Arc::new(run)), end_offset: u64::MAX });
        Ok(())
    }

    pub(super) fn scratch(&self) -> Scratch<'_> {
        Scratch { disk: self.spill_options.disk.as_ref(), folder: self.spill_options.spill_folder.as_deref() }
    }

    /// Adds a damaged range that it is built over.
    pub(crate) fn add_build_damage(&mut self, range: Range<u64>) {
        self.damage.add_at_build(range);
    }

    /// Forgets damage behind the last valid frame, which is about to be looked at again.
    pub(crate) fn clear_tail_damage(&mut self) {
        self.damage.truncate(self.totals.covered_to);
    }

    /// Notes what was met where somebody looked at the log again: damage that came since, or is gone by now.
    pub(crate) fn update_damage(&mut self, scanned: &[Range<u64>], damaged: RangeSet) {
        self.damage.update(scanned, damaged, self.totals.covered_to);
    }

    /// Says how far the log was looked at.
    pub(crate) fn set_scanned_to(&mut self, to: u64) {
        self.scanned_to = to;
    }

    /// Forgets what it knows from `offset` on, and perhaps some bytes before it: it is cut at a checkpoint, because
    /// counts cannot be taken back event by event. Reading on from the end of what it then covers makes it whole.
    pub fn truncate(&mut self, offset: u64) {
        if offset >= self.totals.covered_to {
            self.scanned_to = self.totals.covered_to;
            self.clear_tail_damage();
            return;
        }
        self.checkpoints.truncate(offset + 1);
        let Some(checkpoint) = self.checkpoints.pop() else {
            *self = Self::new(self.log_version, self.log_header).with_spill_options(self.spill_options.clone());
            return;
        };
        let until = checkpoint.totals.covered_to;
        self.totals = checkpoint.totals;
        self.counts.restore(&checkpoint.counts);
        self.scanned_to = until;
        self.blocks.truncate(until);
        self.checkpoints.truncate(until);
        self.damage.truncate(until);
        self.layers.iter_mut().for_each(|layer| layer.end_offset = layer.end_offset.min(until));
        self.verification_mark =
            self.verification_mark.map(|known| VerificationMark { verified_to: known.verified_to.min(until), ..known });
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
        let mut merge = Some(LayerMerge::new(&self.layers));
        let mut group = Vec::new();
        std::iter::from_fn(move || {
            let next = match merge.as_mut()? {
                Ok(merge) => merge.next_group(&mut group).map(|()| merge_summaries(&group)),
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
    pub const fn counts(&self) -> &NameCounts {
        &self.counts
    }

    /// Damaged ranges met while it was built, ascending.
    pub fn build_damage(&self) -> &[Range<u64>] {
        self.damage.at_build()
    }

    /// The same with those met since, where it knows what stood there; neighbours among these are one where there are many.
    pub fn known_damage(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.damage.all()
    }

    /// The last anchor at or before `offset`.
    pub fn anchor_before(&self, offset: u64) -> Option<Anchor> {
        self.last_anchor_where(|anchor| anchor.offset <= offset)
    }

    /// The last anchor whose event is at most the `ordinal`th, counted from 0.
    pub fn anchor_by_ordinal(&self, ordinal: u64) -> Option<Anchor> {
        self.last_anchor_where(|anchor| anchor.ordinal <= ordinal)
    }

    /// The anchor of the first block that holds an event as late as `time_ms`: from it a walk finds the first such one.
    pub fn anchor_by_time(&self, time_ms: u64) -> Option<Anchor> {
        self.blocks().find(|block| block.time_range.1 >= time_ms).map(|block| block.anchor)
    }

    /// Every anchor, ascending.
    pub fn anchors(&self) -> impl Iterator<Item = Anchor> + '_ {
        self.blocks().map(|block| block.anchor)
    }

    /// Every block, ascending. The first event is the first one's; each reaches to the next, the last to the end of what
    /// is covered.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.entries().iter().map(|(_, block)| block)
    }

    fn last_anchor_where(&self, before: impl Fn(&Anchor) -> bool) -> Option<Anchor> {
        let kept = self.blocks.entries();
        let after = kept.partition_point(|(_, block)| before(&block.anchor));
        kept.get(after.checked_sub(1)?).map(|(_, block)| block.anchor)
    }
}
