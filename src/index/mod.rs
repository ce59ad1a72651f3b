//! The index: derived from the log, disposable, and never believed without the frame it points at.
//!
//! Here live building, merging, saving, opening and looking up, and the test of how an index on disk relates to its log.
//! A missing, old or broken index is a state here, never an error.

mod aggregates;
mod block;
mod checkpoint;
mod counts;
mod damage;
mod layer;
mod memory_run;
mod offsets;
mod pages;
mod part;
mod persisted;
mod run_writer;
mod save;
mod sparse_grid;
mod state;
mod stored_run;

pub use aggregates::{AggregateIndex, Coverage, LostTail, SpillOptions, VerificationMark};
pub use block::{Anchor, Block};
pub use counts::{CountedName, NameCounts, NameKind};
pub(crate) use damage::{MAX_DAMAGED_RANGES, RangeSet};
pub use part::IndexPart;
pub use persisted::{AggregateSummary, IndexFault, PersistedIndex};
pub use save::save;
pub use state::{IndexExamination, IndexState, examine_index};
