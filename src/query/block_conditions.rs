//! The conditions that a block of the index must satisfy, so that an event in it can match a filter.
//!
//! A filter is compared with the names of the index once, and not again for each block.

use std::ops::Range;

use super::filter_term::{FilterTerm, NumberField};
use super::name_pattern::NamePattern;
use super::number_set::NumberSet;
use crate::index::{Block, NameCounts, NameKind};

/// The conditions of a filter on blocks: of each group, one condition must be satisfied.
#[derive(Debug, Default)]
pub(super) struct BlockConditions {
    groups: Vec<Vec<BlockCondition>>,
}

/// The condition of one term on a block.
#[derive(Debug)]
enum BlockCondition {
    /// The index cannot exclude any block.
    Any,
    /// The block has a name in one of these slots.
    Names(Vec<usize>),
    /// An event of the block may have a time in the set.
    Times(NumberSet),
    /// An event of the block may start in the set.
    Offsets(NumberSet),
}

impl BlockConditions {
    /// Adds the condition that one of the terms may match.
    pub(super) fn add_group<'t>(&mut self, terms: impl Iterator<Item = &'t FilterTerm>, names: &NameCounts) {
        self.groups.push(terms.map(|term| BlockCondition::new(term, names)).collect());
    }

    /// False when no event of the block at `block_range` can match.
    pub(super) fn may_match(&self, block_range: &Range<u64>, block: &Block) -> bool {
        self.groups.iter().all(|group| group.iter().any(|condition| condition.may_match(block_range, block)))
    }
}

/// True when [`BlockConditions`] can exclude blocks for this term.
pub(super) const fn can_prune_blocks(term: &FilterTerm) -> bool {
    matches!(term, FilterTerm::Name(..) | FilterTerm::Number(NumberField::Time | NumberField::Offset, _))
}

impl BlockCondition {
    fn new(term: &FilterTerm, names: &NameCounts) -> Self {
        match term {
            FilterTerm::Name(kind, pattern) => Self::Names(matching_slots(*kind, pattern, names)),
            FilterTerm::Number(NumberField::Time, set) => Self::Times(*set),
            FilterTerm::Number(NumberField::Offset, set) => Self::Offsets(*set),
            _ => Self::Any,
        }
    }

    fn may_match(&self, block_range: &Range<u64>, block: &Block) -> bool {
        match self {
            Self::Any => true,
            Self::Names(slots) => slots.iter().any(|slot| block.has_name(*slot)),
            Self::Times(set) => set.overlaps(block.time_range.0, block.time_range.1),
            Self::Offsets(set) => {
                block_range.end > block_range.start && set.overlaps(block_range.start, block_range.end - 1)
            }
        }
    }
}

/// Returns the slots of the names that satisfy a pattern, and the shared slot of their kind, which may hold such a name.
fn matching_slots(kind: NameKind, pattern: &NamePattern, names: &NameCounts) -> Vec<usize> {
    if let NamePattern::Exact(text) = pattern {
        return names.find_slot(kind, text).into_iter().collect();
    }
    let may_match = |text: Option<&str>| text.is_none_or(|text| pattern.matches(text));
    let of_kind = names.iter().enumerate().filter(|(_, (name, _))| name.kind == kind);
    of_kind.filter(|(_, (name, _))| may_match(name.text.as_deref())).map(|(slot, _)| slot).collect()
}
