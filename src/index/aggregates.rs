//! [`AggregateIndex`]: the index that lookups use. It combines the entries of an index file with entries in memory.

use std::ops::Range;
use std::sync::Arc;

use super::NameCounts;
use super::block::{Anchor, Block};
use super::checkpoint::{Checkpoint, Totals};
use super::coverage::{AggregateSummary, Coverage, LostTail, SpillOptions, VerificationMark};
use super::damage::IndexDamage;
use super::fault::IndexFault;
use super::layer::{IndexLayer, LayerMerge, LayerSource, merge_summaries};
use super::part::{INITIAL_BLOCK_BYTES, INITIAL_CHECKPOINT_SPACING, MAX_BLOCKS, MAX_CHECKPOINTS};
use super::persisted::PersistedIndex;
use super::source::{SourceLog, SourceLogs};
use super::sparse_grid::SparseGrid;
use super::stored_run::StoredRun;
use crate::file::{Disk, LogFile};
use crate::format::FrameIdentity;
use crate::format::HeaderBytes;

/// Maps aggregate ids to the offsets of their events, for the part of the log that the index covers.
///
/// [`EventLog::index`](crate::EventLog::index) returns the current index of a log,
/// [`EventLog::rebuild_index_from`](crate::EventLog::rebuild_index_from) builds the index of a part of a log, and
/// [`load_index`](crate::load_index) opens an index file. Offsets in an index file are read from it at each lookup; all
/// other offsets are in memory. An index does not change when its log grows: it describes the part of the log in its
/// [`coverage`](Self::coverage).
///
/// An offset from an index is no proof that the event is there. Callers must read the frame at the offset and check it,
/// as [`EventLog::load_aggregate`](crate::EventLog::load_aggregate) does.
#[derive(Debug, Clone)]
pub struct AggregateIndex {
    pub(super) index_file: Option<Arc<PersistedIndex>>,
    pub(super) layers: Vec<IndexLayer>,
    pub(super) totals: Totals,
    /// The index covers frames that start here or later; 0 for an index of the whole log.
    pub(super) start: u64,
    pub(super) scanned_to: u64,
    pub(super) blocks: SparseGrid<Block>,
    pub(super) checkpoints: SparseGrid<Checkpoint>,
    pub(super) counts: NameCounts,
    /// Valid frames that are not events precede the first event. A merge adds this flag to the block before them.
    pub(super) starts_with_non_events: bool,
    pub(super) damage: IndexDamage,
    pub(super) log_version: u16,
    pub(super) log_header: HeaderBytes,
    pub(super) lost_tail: LostTail,
    pub(super) verification_mark: Option<VerificationMark>,
    /// A frame after the covered part. It identifies the log when the index covers no frame.
    pub(super) known_frame: Option<FrameIdentity>,
    pub(super) spill_options: SpillOptions,
    pub(super) sources: SourceLogs,
}

impl AggregateIndex {
    /// Creates an index that covers no frame yet, for a log with this version and header.
    pub(crate) fn new(log_version: u16, log_header: HeaderBytes) -> Self {
        Self {
            index_file: None,
            layers: Vec::new(),
            totals: Totals::default(),
            start: 0,
            scanned_to: 0,
            blocks: SparseGrid::new(INITIAL_BLOCK_BYTES, MAX_BLOCKS),
            checkpoints: SparseGrid::new(INITIAL_CHECKPOINT_SPACING, MAX_CHECKPOINTS),
            counts: NameCounts::default(),
            starts_with_non_events: false,
            damage: IndexDamage::default(),
            log_version,
            log_header,
            lost_tail: LostTail::default(),
            verification_mark: None,
            known_frame: None,
            spill_options: SpillOptions::default(),
            sources: SourceLogs::default(),
        }
    }

    /// Creates an index from an index file. Reads the anchors and counts of the file; the offsets stay in the file.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`] when a section that is read is broken; [`IndexFault::Io`] when the file cannot be read.
    pub(crate) fn from_persisted(index: &Arc<PersistedIndex>) -> Result<Self, IndexFault> {
        let header = index.header();
        let (counts, checkpoints) = index.counts_and_checkpoints()?;
        let checkpoints =
            checkpoints.into_iter().map(|checkpoint| (checkpoint.totals.covered_to, checkpoint)).collect();
        Ok(Self {
            layers: stored_layers(index),
            totals: index.totals(),
            scanned_to: header.scanned_to,
            blocks: SparseGrid::from_entries(index.blocks()?, header.anchor_spacing, MAX_BLOCKS),
            checkpoints: SparseGrid::from_entries(checkpoints, header.checkpoint_spacing, MAX_CHECKPOINTS),
            counts,
            damage: index.damage()?,
            lost_tail: index.lost_tail(),
            verification_mark: index.verification_mark(),
            known_frame: index.known_frame(),
            index_file: Some(index.clone()),
            ..Self::new(header.log_version, header.log_header)
        })
    }

    /// Makes this index, which was created from an index file, one of very many, whose files are not all kept open.
    ///
    /// # Errors
    /// [`IndexFault::Io`] when the file cannot be examined.
    pub(crate) fn into_one_of_many(self, disk: &Arc<dyn Disk>) -> Result<Self, IndexFault> {
        let Some(file) = &self.index_file else { return Ok(self) };
        let file = Arc::new(file.as_one_of_many(disk)?);
        Ok(Self { layers: stored_layers(&file), index_file: Some(file), ..self })
    }

    /// Sets the memory limit of the index, and the folder for aggregates that exceed it.
    #[must_use]
    pub(crate) fn with_spill_options(self, spill_options: SpillOptions) -> Self {
        Self { spill_options, ..self }
    }

    /// Sets the log that the index is built from.
    #[must_use]
    pub(crate) fn with_source(mut self, source: Arc<dyn SourceLog>) -> Self {
        self.sources.add(source);
        self
    }

    /// Restricts an empty index to the frames that start at `start` or later.
    #[must_use]
    pub(crate) fn starting_at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// The part of the log that the index covers.
    pub fn coverage(&self) -> Coverage {
        let totals = &self.totals;
        let covered_to = totals.covered_to.max(self.start);
        Coverage {
            start: self.start,
            covered_to,
            scanned_to: self.scanned_to.max(covered_to),
            log_end_offset: self.lost_tail.log_end_offset.max(totals.covered_to),
            events: totals.events,
            gaps: totals.gaps,
            frames: totals.frames,
        }
    }

    /// True when the index covers the log from its first frame. Only such an index has correct ordinals and can be
    /// saved.
    pub(crate) const fn covers_log_start(&self) -> bool {
        self.start == 0
    }

    /// The totals of the covered part: numbers of events and frames, and its end.
    pub(crate) const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The copy of the log's header in the index.
    pub(crate) const fn log_header(&self) -> HeaderBytes {
        self.log_header
    }

    /// The events that the log has lost at its end, according to the index.
    pub(crate) const fn lost_tail(&self) -> LostTail {
        self.lost_tail
    }

    /// The end and time of the last verification; `None` when the log was never verified.
    pub const fn verification_mark(&self) -> Option<VerificationMark> {
        self.verification_mark
    }

    /// The memory that aggregates use, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.layers.iter().map(IndexLayer::memory).sum()
    }

    /// The log files that must be synced before the index is saved. There are none for an index that was loaded from a
    /// file and not extended, because its log was synced when that file was written.
    pub(super) fn source_logs(&self) -> impl Iterator<Item = &Arc<LogFile>> {
        self.sources.logs()
    }

    /// Iterates over the offsets of one aggregate's events, ascending. The iterator reads the index file while it
    /// advances, so each item can be a fault.
    ///
    /// # Errors
    /// [`IndexFault::Corrupt`] when the entry in the file is broken; [`IndexFault::Io`] when the file cannot be read.
    pub fn offsets(&self, id: u64) -> Result<impl Iterator<Item = Result<u64, IndexFault>> + '_, IndexFault> {
        let mut entries = Vec::new();
        for layer in &self.layers {
            entries.extend(layer.find(id)?);
        }
        Ok(entries.into_iter().flat_map(|entry| entry.offsets()))
    }

    /// Iterates over all aggregates, by ascending id. The iterator reads the index file while it advances, so each item
    /// can be a fault.
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

    /// The number of events of each type, namespace and schema.
    pub const fn counts(&self) -> &NameCounts {
        &self.counts
    }

    /// The ranges of the log that were damaged when the index was built, ascending. The index has no frames in them.
    pub(crate) fn build_damage(&self) -> &[Range<u64>] {
        self.damage.at_build()
    }

    /// All damaged ranges in the index, ascending: ranges that were damaged when it was built, and ranges that a later
    /// pass found damaged in the covered part. When there are very many of the second kind, adjacent ranges are joined.
    pub fn known_damage(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.damage.all()
    }

    /// The last anchor at or before `offset`.
    pub(crate) fn anchor_before(&self, offset: u64) -> Option<Anchor> {
        self.last_anchor_where(|anchor| anchor.offset <= offset)
    }

    /// The last anchor whose ordinal is at most `ordinal`. Ordinals count events from 0.
    pub(crate) fn anchor_by_ordinal(&self, ordinal: u64) -> Option<Anchor> {
        self.last_anchor_where(|anchor| anchor.ordinal <= ordinal)
    }

    /// The anchor of the first block with an event at `time_ms` or later. A scan from this anchor finds the first such
    /// event.
    pub(crate) fn anchor_by_time(&self, time_ms: u64) -> Option<Anchor> {
        self.blocks().find(|block| block.time_range.1 >= time_ms).map(|block| block.anchor)
    }

    /// Iterates over all anchors, ascending.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = Anchor> + '_ {
        self.blocks().map(|block| block.anchor)
    }

    /// Iterates over all blocks, ascending. The first block starts at the first event. A block ends where the next one
    /// starts, and the last one ends with the covered part.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.blocks.entries().iter().map(|(_, block)| block)
    }

    fn last_anchor_where(&self, matches: impl Fn(&Anchor) -> bool) -> Option<Anchor> {
        let entries = self.blocks.entries();
        let after = entries.partition_point(|(_, block)| matches(&block.anchor));
        entries.get(after.checked_sub(1)?).map(|(_, block)| block.anchor)
    }
}

/// Returns the layers of an index whose offsets are all in a file.
fn stored_layers(index: &PersistedIndex) -> Vec<IndexLayer> {
    let layer = |run: &Arc<StoredRun>| IndexLayer { source: LayerSource::Stored(run.clone()), end_offset: u64::MAX };
    index.runs().iter().map(layer).collect()
}
