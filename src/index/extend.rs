//! Changes to an index: adding a part of the log, cutting the index back, merging two indexes, and recording the
//! results of a pass over the log.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::aggregates::AggregateIndex;
use super::block::Block;
use super::checkpoint::{Checkpoint, Totals};
use super::counts::NameCounts;
use super::coverage::{LostTail, VerificationMark};
use super::damage::RangeSet;
use super::fault::{IndexFault, MergeError};
use super::layer::{IndexLayer, LayerSource};
use super::part::IndexPart;
use super::run_writer::{SpillLocation, merge_to_memory};
use super::sparse_grid::SparseGrid;
use crate::StorageError;
use crate::format::FrameIdentity;
use crate::format::HeaderBytes;

/// Two neighbouring runs in memory are merged when the first has fewer events than this.
const SMALL_RUN: u64 = 1 << 15;

/// The data that extends an index by the part of the log after its covered part, without the aggregates.
struct Extension<'a> {
    totals: &'a Totals,
    counts: &'a NameCounts,
    blocks: SparseGrid<Block>,
    checkpoints: SparseGrid<Checkpoint>,
    starts_with_non_events: bool,
}

impl AggregateIndex {
    /// Adds the part of the log that follows the covered part.
    ///
    /// # Errors
    /// `Io` when aggregates exceed the memory limit and cannot be put into a file.
    pub(crate) fn append_part(&mut self, part: IndexPart) -> Result<(), StorageError> {
        let IndexPart { run, totals, blocks, checkpoints, counts, starts_with_non_events, .. } = part;
        self.append(Extension { totals: &totals, counts: &counts, blocks, checkpoints, starts_with_non_events });
        let Some(run) = run else { return Ok(()) };
        self.layers.push(IndexLayer { source: LayerSource::Memory(Arc::new(run)), end_offset: u64::MAX });
        self.compact_layers().map_err(in_memory_error)
    }

    /// Adds all data of the following part except its aggregates. The ordinals, counts and name slots of the part start
    /// at 0 in the part, so they are converted.
    fn append(&mut self, mut next: Extension) {
        let last_time = self.totals.last_time;
        if let Some(first) = next.blocks.first_mut() {
            first.has_out_of_order_times |= last_time.is_some_and(|last| first.anchor.timestamp_ms < last);
        }
        if next.starts_with_non_events {
            match self.blocks.last_mut() {
                Some(last) => last.has_non_events = true,
                None => self.starts_with_non_events = true,
            }
        }
        let counts = self.counts.snapshot();
        let slots = self.counts.merge(next.counts);
        let (totals, events) = (self.totals, self.totals.events);
        self.blocks.append(next.blocks.map_values(|block| block.rebased(events, &slots)));
        self.checkpoints.append(next.checkpoints.map_values(|checkpoint| checkpoint.rebased(&totals, &counts, &slots)));
        self.totals = totals.combined_with(next.totals);
    }

    /// Merges small runs, and moves runs to a file when they exceed the memory limit.
    fn compact_layers(&mut self) -> Result<(), IndexFault> {
        // A run in a file that was added takes no memory.
        if self.layers.last().is_none_or(|last| matches!(last.source, LayerSource::Stored(_))) {
            return Ok(());
        }
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
        let run = self.spill_location().merge_to_file(self.layers.get(stored..).unwrap_or_default())?;
        self.layers.truncate(stored);
        self.layers.push(IndexLayer { source: LayerSource::Stored(Arc::new(run)), end_offset: u64::MAX });
        Ok(())
    }

    /// The disk and folder for the anonymous files of this index.
    pub(super) fn spill_location(&self) -> SpillLocation<'_> {
        SpillLocation { disk: self.spill_options.disk.as_ref(), folder: self.spill_options.spill_folder.as_deref() }
    }

    /// Adds `later`, the index of a later part of the same log.
    ///
    /// From the offset at which `later` starts, the entries of `later` replace the entries of this index. When this
    /// index covers bytes after that offset, it is first cut back to a checkpoint, and the log is read from the
    /// checkpoint to that offset, which is at most about one thirtieth of the log. Otherwise the merge reads nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("accounts.log");
    /// # let event = chronicle::Event::builder()
    /// #     .event_type("Updated").namespace("accounts").schema_id("Person").schema_version(1)
    /// #     .aggregate_id(42).payload_json("{}").build()?;
    /// # let mut log = chronicle::EventLog::create(&path)?;
    /// # log.append(&event)?;
    /// let mut index = log.rebuild_index_from(0)?;
    /// let offset = log.append(&event)?;
    /// index.merge(log.rebuild_index_from(offset)?)?;
    /// assert_eq!(index.coverage().events, 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`MergeError::NotContiguous`] when this index ends before `later` starts; [`MergeError::DifferentLog`] when the
    /// two describe logs with different headers. After these errors this index is unchanged. [`MergeError::Storage`]
    /// when the log cannot be read, or has changed. After this error the index may be cut back to the end in its
    /// coverage.
    pub fn merge(&mut self, later: AggregateIndex) -> Result<(), MergeError> {
        if (later.log_version, later.log_header) != (self.log_version, self.log_header) {
            return Err(MergeError::DifferentLog);
        }
        let (before, added) = (self.coverage(), later.coverage());
        if added.start > before.scanned_to {
            return Err(MergeError::NotContiguous { covered_to: before.covered_to, start: added.start });
        }
        let mut lost_tail = self.merged_lost_tail(&later).map_err(in_memory_error)?;
        if added.start <= before.start {
            let spill_options = self.spill_options.clone();
            *self = later.with_spill_options(spill_options);
        } else {
            let mark = merged_mark(self.verification_mark, &later, before.covered_to);
            if added.start < before.covered_to {
                self.cut_back_to(added.start, &later)?;
            }
            self.append_index(later)?;
            self.verification_mark = mark;
        }
        if added.covered_to < before.covered_to {
            let dropped = before.events.saturating_sub(self.totals.events);
            lost_tail.lost_events = lost_tail.lost_events.saturating_add(dropped);
        }
        self.lost_tail = lost_tail;
        Ok(())
    }

    /// Cuts the index back so that it ends exactly at `offset`. Reads the log of `later` from the last checkpoint on.
    fn cut_back_to(&mut self, offset: u64, later: &AggregateIndex) -> Result<(), MergeError> {
        self.truncate(offset);
        if let Some(source) = later.sources.first().filter(|_| self.coverage().covered_to < offset) {
            source.extend(self, offset)?;
        }
        let end = self.coverage().scanned_to;
        if end == offset {
            return Ok(());
        }
        let path = later.source_logs().next().map(|log| log.path().to_owned()).unwrap_or_default();
        let (expected, found) =
            (format!("a frame at offset {offset}"), format!("none: the frame before ends at {end}"));
        Err(StorageError::Changed { path, expected, found }.into())
    }

    /// Adds an index that starts at the end of this one.
    fn append_index(&mut self, later: AggregateIndex) -> Result<(), MergeError> {
        let AggregateIndex { layers, totals, counts, blocks, checkpoints, starts_with_non_events, .. } = later;
        self.append(Extension { totals: &totals, counts: &counts, blocks, checkpoints, starts_with_non_events });
        self.damage.truncate(later.start);
        self.damage.append(later.damage);
        self.scanned_to = later.scanned_to.max(later.start);
        self.known_frame = later.known_frame.or(self.known_frame);
        self.sources.add_all(&later.sources);
        self.layers.extend(layers);
        Ok(self.compact_layers().map_err(in_memory_error)?)
    }

    /// Returns the lost tail of the merged index. When this index recorded a longer log than `later` covers, it is the
    /// only evidence of the events at that end, so the merge keeps its record. The caller adds the events that this
    /// index covers and `later` does not, because their number is known only after the merge.
    fn merged_lost_tail(&self, later: &AggregateIndex) -> Result<LostTail, IndexFault> {
        let end = later.coverage().covered_to;
        if self.coverage().log_end_offset <= later.coverage().log_end_offset {
            return Ok(later.lost_tail);
        }
        let mut lost = LostTail { log_end_offset: self.coverage().log_end_offset, ..self.lost_tail };
        lost.last_frame = lost.last_frame.or(self.totals.last_frame);
        if self.totals.covered_to > end {
            let mut aggregates = 0;
            for summary in self.iter() {
                aggregates += u64::from(summary?.last >= end);
            }
            lost.lost_aggregates = lost.lost_aggregates.max(aggregates);
        }
        Ok(lost)
    }

    /// Cuts the index back to a checkpoint at or before `offset`, because single events cannot be subtracted from the
    /// counts. An index without such a checkpoint becomes empty. Reading the log from the end of the new coverage
    /// completes the index again.
    pub(crate) fn truncate(&mut self, offset: u64) {
        if offset >= self.totals.covered_to {
            self.scanned_to = self.totals.covered_to;
            self.clear_tail_damage();
            return;
        }
        self.checkpoints.truncate(offset + 1);
        let Some(checkpoint) = self.checkpoints.pop() else {
            *self = Self {
                start: self.start,
                spill_options: self.spill_options.clone(),
                sources: self.sources.clone(),
                ..Self::new(self.log_version, self.log_header)
            };
            return;
        };
        let end = checkpoint.totals.covered_to;
        self.totals = checkpoint.totals;
        self.counts.restore(&checkpoint.counts);
        self.scanned_to = end;
        self.blocks.truncate(end);
        self.checkpoints.truncate(end);
        self.damage.truncate(end);
        self.layers.iter_mut().for_each(|layer| layer.end_offset = layer.end_offset.min(end));
        self.verification_mark =
            self.verification_mark.map(|mark| VerificationMark { verified_to: mark.verified_to.min(end), ..mark });
    }

    /// Records the lost tail that an earlier index of the log has reported.
    pub(crate) fn set_lost_tail(&mut self, lost_tail: LostTail) {
        self.lost_tail = lost_tail;
    }

    /// Records the offset and checksum of a frame that identifies the log, even when the covered part ends before it.
    pub(crate) fn set_known_frame(&mut self, known_frame: Option<FrameIdentity>) {
        self.known_frame = known_frame;
    }

    /// Replaces the copy of the log's header, for a log whose own header is damaged.
    pub(crate) fn set_log_header(&mut self, log_header: HeaderBytes) {
        self.log_header = log_header;
    }

    /// Records the end of the scanned part of the log.
    pub(crate) fn set_scanned_to(&mut self, offset: u64) {
        self.scanned_to = offset;
    }

    /// Records that `range` of the log was verified at `at_ms`, in milliseconds since the Unix epoch. The verification
    /// mark moves forward to the end of the range, unless the range starts after the mark. The mark keeps its time
    /// unless the whole part up to the mark was verified again.
    pub(crate) fn record_verification(&mut self, range: Range<u64>, at_ms: u64) {
        let starts_later = range.start > self.start;
        let end = range.end.min(self.totals.covered_to);
        self.verification_mark = match self.verification_mark {
            Some(mark) if range.start > mark.verified_to => Some(mark),
            Some(mark) if end < mark.verified_to || starts_later => {
                Some(VerificationMark { verified_to: end.max(mark.verified_to), ..mark })
            }
            None if starts_later => None,
            _ => Some(VerificationMark { verified_to: end, verified_at_ms: at_ms }),
        };
    }

    /// Adds a range that the pass which builds the index has found damaged.
    pub(crate) fn add_build_damage(&mut self, range: Range<u64>) {
        self.damage.add_at_build(range);
    }

    /// Removes damage after the last valid frame, because the next pass reads that part again.
    pub(crate) fn clear_tail_damage(&mut self) {
        self.damage.truncate(self.totals.covered_to);
    }

    /// Records the damage that a later pass found in the ranges `scanned`, and removes damage that the pass no longer
    /// found.
    pub(crate) fn update_damage(&mut self, scanned: &[Range<u64>], damaged: RangeSet) {
        self.damage.update(scanned, damaged, self.totals.covered_to);
    }
}

/// Returns the verification mark of the merged index: the mark of `later` when the verified part reaches the start of
/// `later`, and otherwise the earlier mark.
fn merged_mark(mark: Option<VerificationMark>, later: &AggregateIndex, covered_to: u64) -> Option<VerificationMark> {
    let start = later.coverage().start;
    let mark = mark.map(|mark| VerificationMark { verified_to: mark.verified_to.min(start), ..mark })?;
    let next = later.verification_mark.filter(|_| mark.verified_to >= start.min(covered_to));
    Some(next.map_or(mark, |next| VerificationMark { verified_to: next.verified_to, ..mark }))
}

/// Converts a fault of an index in memory, which has no path.
fn in_memory_error(fault: IndexFault) -> StorageError {
    fault.into_error(Path::new("the index in memory"))
}
