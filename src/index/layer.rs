//! Layers: runs in memory and in files, each of a part of the log behind the one before, looked up and merged as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::memory_run::{MemoryRun, RunEntry};
use super::offsets::AggregateOffsets;
use super::stored_run::{DirectoryRow, StoredRun};
use super::{AggregateSummary, IndexFault};

/// A run, believed below an offset.
#[derive(Debug, Clone)]
pub(super) struct IndexLayer {
    pub(super) source: LayerSource,
    pub(super) end_offset: u64,
}

/// Where a run is.
#[derive(Debug, Clone)]
pub(super) enum LayerSource {
    Memory(Arc<MemoryRun>),
    Stored(Arc<StoredRun>),
}

/// An aggregate in a layer.
#[derive(Debug)]
pub(super) struct LayerEntry<'l> {
    pub(super) summary: AggregateSummary,
    pub(super) postings: PostingsLocation<'l>,
    /// The place holds these offsets and no others.
    pub(super) is_complete: bool,
}

/// Where an aggregate's offsets are.
#[derive(Debug, Clone, Copy)]
pub(super) enum PostingsLocation<'l> {
    /// The distances from each to the next.
    Memory(&'l [u8]),
    /// Bytes of the postings in a file: the first offset, then the distances.
    Stored(&'l StoredRun, DirectoryRow),
}

impl<'l> LayerEntry<'l> {
    fn from_run(entry: RunEntry<'l>) -> Self {
        Self { summary: entry.summary, postings: PostingsLocation::Memory(entry.deltas), is_complete: true }
    }

    pub(super) fn from_row(stored: &'l StoredRun, row: DirectoryRow) -> Self {
        Self { summary: row.summary, postings: PostingsLocation::Stored(stored, row), is_complete: true }
    }

    /// Its offsets, ascending.
    pub(super) fn offsets(&self) -> AggregateOffsets<'l> {
        AggregateOffsets::new(&self.summary, self.postings)
    }

    /// What is left of it below an offset; `None` when nothing is.
    fn truncated_below(self, until: u64) -> Result<Option<Self>, IndexFault> {
        if self.summary.last < until {
            return Ok(Some(self));
        }
        let mut truncated = AggregateSummary { events: 0, ..self.summary };
        for offset in self.offsets() {
            let offset = offset?;
            if offset >= until {
                break;
            }
            truncated.events += 1;
            truncated.last = offset;
        }
        Ok((truncated.events > 0).then_some(Self { summary: truncated, is_complete: false, ..self }))
    }
}

impl IndexLayer {
    /// How many events it has, those that are not believed any more included.
    pub(super) fn events(&self) -> u64 {
        match &self.source {
            LayerSource::Memory(run) => run.events,
            LayerSource::Stored(stored) => stored.events(),
        }
    }

    /// Bytes of memory it takes.
    pub(super) fn memory(&self) -> u64 {
        match &self.source {
            LayerSource::Memory(run) => run.memory_bytes(),
            LayerSource::Stored(_) => 0,
        }
    }

    /// What it has of an aggregate.
    pub(super) fn find(&self, id: u64) -> Result<Option<LayerEntry<'_>>, IndexFault> {
        let entry = match &self.source {
            LayerSource::Memory(run) => run.find(id).map(LayerEntry::from_run),
            LayerSource::Stored(stored) => stored.find(id)?.map(|row| LayerEntry::from_row(stored, row)),
        };
        entry.map_or(Ok(None), |entry| entry.truncated_below(self.end_offset))
    }

    /// Every aggregate of it, by ascending id.
    fn entries(&self) -> Box<dyn Iterator<Item = Result<LayerEntry<'_>, IndexFault>> + '_> {
        match &self.source {
            LayerSource::Memory(run) => Box::new(run.entries().map(|entry| Ok(LayerEntry::from_run(entry)))),
            LayerSource::Stored(stored) => {
                Box::new(stored.rows().map(|row| row.map(|row| LayerEntry::from_row(stored, row))))
            }
        }
    }
}

/// Every aggregate of some layers, by ascending id, with what each layer has of it.
pub(super) struct LayerMerge<'l> {
    layers: &'l [IndexLayer],
    sources: Vec<Box<dyn Iterator<Item = Result<LayerEntry<'l>, IndexFault>> + 'l>>,
    /// The next entry of each layer, and their ids with the layer's place, lowest first.
    next_entries: Vec<Option<LayerEntry<'l>>>,
    heap: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'l> LayerMerge<'l> {
    pub(super) fn new(layers: &'l [IndexLayer]) -> Result<Self, IndexFault> {
        let sources: Vec<_> = layers.iter().map(IndexLayer::entries).collect();
        let heads = layers.iter().map(|_| None).collect();
        let mut merge = Self { layers, sources, next_entries: heads, heap: BinaryHeap::with_capacity(layers.len()) };
        (0..layers.len()).try_for_each(|layer| merge.advance(layer))?;
        Ok(merge)
    }

    /// What the layers have of the next aggregate, the earlier ones first; empty at the end.
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

    fn advance(&mut self, layer: usize) -> Result<(), IndexFault> {
        let until = self.layers.get(layer).map_or(u64::MAX, |layer| layer.end_offset);
        let Some(source) = self.sources.get_mut(layer) else { return Ok(()) };
        for entry in source {
            if let Some(entry) = entry?.truncated_below(until)? {
                self.heap.push(Reverse((entry.summary.id, layer)));
                if let Some(head) = self.next_entries.get_mut(layer) {
                    *head = Some(entry);
                }
                break;
            }
        }
        Ok(())
    }
}

/// What several layers have of one aggregate, as one.
pub(super) fn merge_summaries(group: &[LayerEntry]) -> Option<AggregateSummary> {
    let (first, last) = (group.first()?, group.last()?);
    let events = group.iter().map(|entry| entry.summary.events).sum();
    Some(AggregateSummary { events, last: last.summary.last, ..first.summary })
}
