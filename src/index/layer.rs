//! Layers: runs in memory and in files, each of a part of the log behind the one before, looked up and merged as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::offsets::Offsets;
use super::run::{Run, RunEntry};
use super::stored::{Row, Stored};
use super::{AggregateSummary, IndexFault};

/// A run, believed below an offset.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) until: u64,
}

/// Where a run is.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Memory(Arc<Run>),
    Stored(Arc<Stored>),
}

/// An aggregate in a layer.
#[derive(Debug)]
pub(super) struct Entry<'l> {
    pub(super) summary: AggregateSummary,
    pub(super) place: Place<'l>,
    /// The place holds these offsets and no others.
    pub(super) whole: bool,
}

/// Where an aggregate's offsets are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'l> {
    /// The distances from each to the next.
    Memory(&'l [u8]),
    /// Bytes of the postings in a file: the first offset, then the distances.
    Stored(&'l Stored, Row),
}

impl<'l> Entry<'l> {
    fn memory(entry: RunEntry<'l>) -> Self {
        Self { summary: entry.summary, place: Place::Memory(entry.deltas), whole: true }
    }

    pub(super) fn stored(stored: &'l Stored, row: Row) -> Self {
        Self { summary: row.summary, place: Place::Stored(stored, row), whole: true }
    }

    /// Its offsets, ascending.
    pub(super) fn offsets(&self) -> Offsets<'l> {
        Offsets::of(&self.summary, self.place)
    }

    /// What is left of it below an offset; `None` when nothing is.
    fn below(self, until: u64) -> Result<Option<Self>, IndexFault> {
        if self.summary.last < until {
            return Ok(Some(self));
        }
        let mut left = AggregateSummary { events: 0, ..self.summary };
        for offset in self.offsets() {
            let offset = offset?;
            if offset >= until {
                break;
            }
            left.events += 1;
            left.last = offset;
        }
        Ok((left.events > 0).then_some(Self { summary: left, whole: false, ..self }))
    }
}

impl Layer {
    /// How many events it has, those that are not believed any more included.
    pub(super) fn events(&self) -> u64 {
        match &self.source {
            Source::Memory(run) => run.events,
            Source::Stored(stored) => stored.events(),
        }
    }

    /// Bytes of memory it takes.
    pub(super) fn memory(&self) -> u64 {
        match &self.source {
            Source::Memory(run) => run.memory(),
            Source::Stored(_) => 0,
        }
    }

    /// What it has of an aggregate.
    pub(super) fn find(&self, id: u64) -> Result<Option<Entry<'_>>, IndexFault> {
        let entry = match &self.source {
            Source::Memory(run) => run.find(id).map(Entry::memory),
            Source::Stored(stored) => stored.find(id)?.map(|row| Entry::stored(stored, row)),
        };
        entry.map_or(Ok(None), |entry| entry.below(self.until))
    }

    /// Every aggregate of it, by ascending id.
    fn entries(&self) -> Box<dyn Iterator<Item = Result<Entry<'_>, IndexFault>> + '_> {
        match &self.source {
            Source::Memory(run) => Box::new(run.entries().map(|entry| Ok(Entry::memory(entry)))),
            Source::Stored(stored) => Box::new(stored.rows().map(|row| row.map(|row| Entry::stored(stored, row)))),
        }
    }
}

/// Every aggregate of some layers, by ascending id, with what each layer has of it.
pub(super) struct Merge<'l> {
    layers: &'l [Layer],
    sources: Vec<Box<dyn Iterator<Item = Result<Entry<'l>, IndexFault>> + 'l>>,
    /// The next entry of each layer, and their ids with the layer's place, lowest first.
    heads: Vec<Option<Entry<'l>>>,
    order: BinaryHeap<Reverse<(u64, usize)>>,
}

impl<'l> Merge<'l> {
    pub(super) fn of(layers: &'l [Layer]) -> Result<Self, IndexFault> {
        let sources: Vec<_> = layers.iter().map(Layer::entries).collect();
        let heads = layers.iter().map(|_| None).collect();
        let mut merge = Self { layers, sources, heads, order: BinaryHeap::with_capacity(layers.len()) };
        (0..layers.len()).try_for_each(|layer| merge.advance(layer))?;
        Ok(merge)
    }

    /// What the layers have of the next aggregate, the earlier ones first; empty at the end.
    pub(super) fn next(&mut self, group: &mut Vec<Entry<'l>>) -> Result<(), IndexFault> {
        group.clear();
        while let Some(Reverse((id, layer))) = self.order.peek().copied() {
            if group.first().is_some_and(|first| first.summary.id != id) {
                break;
            }
            self.order.pop();
            let entry = self.heads.get_mut(layer).and_then(Option::take);
            group.extend(entry);
            self.advance(layer)?;
        }
        Ok(())
    }

    fn advance(&mut self, layer: usize) -> Result<(), IndexFault> {
        let until = self.layers.get(layer).map_or(u64::MAX, |layer| layer.until);
        let Some(source) = self.sources.get_mut(layer) else { return Ok(()) };
        for entry in source {
            if let Some(entry) = entry?.below(until)? {
                self.order.push(Reverse((entry.summary.id, layer)));
                if let Some(head) = self.heads.get_mut(layer) {
                    *head = Some(entry);
                }
                break;
            }
        }
        Ok(())
    }
}

/// What several layers have of one aggregate, as one.
pub(super) fn summary(group: &[Entry]) -> Option<AggregateSummary> {
    let (first, last) = (group.first()?, group.last()?);
    let events = group.iter().map(|entry| entry.summary.events).sum();
    Some(AggregateSummary { events, last: last.summary.last, ..first.summary })
}
