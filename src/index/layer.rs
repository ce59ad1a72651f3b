//! Layers of an index: a list of runs in memory and in files, in the order of the log, which are searched and merged as
//! one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::coverage::AggregateSummary;
use super::fault::IndexFault;
use super::memory_run::{MemoryRun, RunEntry};
use super::offsets::{AggregateOffsets, PostingsLocation};
use super::stored_run::{DirectoryRow, StoredRun};

/// A run with a limit: only its offsets below `end_offset` are used. Cutting an index back lowers this limit.
#[derive(Debug, Clone)]
pub(super) struct IndexLayer {
    pub(super) source: LayerSource,
    pub(super) end_offset: u64,
}

/// The run of a layer, which is in memory or in a file.
#[derive(Debug, Clone)]
pub(super) enum LayerSource {
    Memory(Arc<MemoryRun>),
    Stored(Arc<StoredRun>),
}

/// The events of one aggregate in one layer.
#[derive(Debug)]
pub(super) struct LayerEntry<'l> {
    pub(super) summary: AggregateSummary,
    pub(super) postings: PostingsLocation<'l>,
    /// True when all offsets in `postings` are below the limit of the layer, so that its bytes can be copied without
    /// decoding. False when the layer is cut back, and only the first `summary.events` offsets count.
    pub(super) is_complete: bool,
}

impl<'l> LayerEntry<'l> {
    fn from_run(entry: RunEntry<'l>) -> Self {
        Self { summary: entry.summary, postings: PostingsLocation::Memory(entry.deltas), is_complete: true }
    }

    fn from_row(run: &'l StoredRun, row: DirectoryRow) -> Self {
        Self { summary: row.summary, postings: PostingsLocation::Stored(run, row), is_complete: true }
    }

    /// Iterates over the offsets of the aggregate in this layer, ascending.
    pub(super) fn offsets(&self) -> AggregateOffsets<'l> {
        AggregateOffsets::new(&self.summary, self.postings)
    }

    /// Reduces the entry to its offsets below `end`; `None` when it has no such offset.
    fn truncated_below(self, end: u64) -> Result<Option<Self>, IndexFault> {
        if self.summary.last < end {
            return Ok(Some(self));
        }
        let mut truncated = AggregateSummary { events: 0, ..self.summary };
        for offset in self.offsets() {
            let offset = offset?;
            if offset >= end {
                break;
            }
            truncated.events += 1;
            truncated.last = offset;
        }
        Ok((truncated.events > 0).then_some(Self { summary: truncated, is_complete: false, ..self }))
    }
}

impl IndexLayer {
    /// The number of events in the run, including those at `end_offset` or later.
    pub(super) fn events(&self) -> u64 {
        match &self.source {
            LayerSource::Memory(run) => run.events,
            LayerSource::Stored(run) => run.events(),
        }
    }

    /// The memory that the run uses, in bytes.
    pub(super) fn memory(&self) -> u64 {
        match &self.source {
            LayerSource::Memory(run) => run.memory_bytes(),
            LayerSource::Stored(_) => 0,
        }
    }

    /// Finds the entry of an aggregate; `None` when the layer has no event of it.
    pub(super) fn find(&self, id: u64) -> Result<Option<LayerEntry<'_>>, IndexFault> {
        let entry = match &self.source {
            LayerSource::Memory(run) => run.find(id).map(LayerEntry::from_run),
            LayerSource::Stored(run) => run.find(id)?.map(|row| LayerEntry::from_row(run, row)),
        };
        entry.map_or(Ok(None), |entry| entry.truncated_below(self.end_offset))
    }

    /// Iterates over all entries of the run by ascending id, including offsets at `end_offset` or later.
    fn entries(&self) -> Box<dyn Iterator<Item = Result<LayerEntry<'_>, IndexFault>> + '_> {
        match &self.source {
            LayerSource::Memory(run) => Box::new(run.entries().map(|entry| Ok(LayerEntry::from_run(entry)))),
            LayerSource::Stored(run) => Box::new(run.rows().map(|row| row.map(|row| LayerEntry::from_row(run, row)))),
        }
    }
}

/// A merge of layers by aggregate id. A heap holds the next id of each layer.
pub(super) struct LayerMerge<'l> {
    layers: &'l [IndexLayer],
    sources: Vec<Box<dyn Iterator<Item = Result<LayerEntry<'l>, IndexFault>> + 'l>>,
    /// The next entry of each layer.
    next_entries: Vec<Option<LayerEntry<'l>>>,
    /// The id of each next entry with the number of its layer; the lowest id is on top.
    heap: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'l> LayerMerge<'l> {
    /// Starts a merge. Reads the first entry of each layer.
    pub(super) fn new(layers: &'l [IndexLayer]) -> Result<Self, IndexFault> {
        let sources: Vec<_> = layers.iter().map(IndexLayer::entries).collect();
        let next_entries = layers.iter().map(|_| None).collect();
        let mut merge = Self { layers, sources, next_entries, heap: BinaryHeap::with_capacity(layers.len()) };
        (0..layers.len()).try_for_each(|layer| merge.advance(layer))?;
        Ok(merge)
    }

    /// Fills `group` with the entries of the next aggregate, those of earlier layers first. The group is empty after
    /// the last aggregate.
    pub(super) fn next_group(&mut self, group: &mut Vec<LayerEntry<'l>>) -> Result<(), IndexFault> {
        group.clear();
        while let Some(Reverse((id, layer))) = self.heap.peek().copied() {
            if group.first().is_some_and(|first| first.summary.id != id) {
                break;
            }
            self.heap.pop();
            let entry = self.next_entries.get_mut(layer).and_then(Option::take);
            group.extend(entry);
            self.advance(layer)?;
        }
        Ok(())
    }

    /// Reads the next entry of a layer and adds its id to the heap.
    fn advance(&mut self, layer: usize) -> Result<(), IndexFault> {
        let end = self.layers.get(layer).map_or(u64::MAX, |layer| layer.end_offset);
        let Some(source) = self.sources.get_mut(layer) else { return Ok(()) };
        for entry in source {
            if let Some(entry) = entry?.truncated_below(end)? {
                self.heap.push(Reverse((entry.summary.id, layer)));
                if let Some(next) = self.next_entries.get_mut(layer) {
                    *next = Some(entry);
                }
                break;
            }
        }
        Ok(())
    }
}

/// Joins the summaries of one aggregate in several layers; `None` when the group is empty.
pub(super) fn merge_summaries(group: &[LayerEntry]) -> Option<AggregateSummary> {
    let (first, last) = (group.first()?, group.last()?);
    let events = group.iter().map(|entry| entry.summary.events).sum();
    Some(AggregateSummary { events, last: last.summary.last, ..first.summary })
}
