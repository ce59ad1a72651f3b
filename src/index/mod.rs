//! The index of a log. It is derived from the log and can be deleted at any time. Readers check every offset from an
//! index against the frame in the log.
//!
//! This module builds, merges, saves, opens and searches indexes, and compares an index file with its log. A missing,
//! old or broken index file is a state, not an error.

mod aggregates;
mod block;
mod checkpoint;
mod counts;
mod coverage;
mod damage;
mod extend;
mod fault;
mod layer;
mod memory_run;
mod offsets;
mod pages;
mod part;
mod persisted;
mod run_check;
mod run_writer;
mod save;
mod seen_end;
mod source;
mod sparse_grid;
mod state;
mod stored_run;
mod target;

pub use crate::format::index_path;
pub use aggregates::AggregateIndex;
pub(crate) use block::{Anchor, Block};
pub use counts::{CountedName, NameCounts, NameKind};
pub use coverage::{AggregateSummary, Coverage, LostTail, SpillOptions, VerificationMark};
pub(crate) use damage::{MAX_DAMAGED_RANGES, RangeSet};
pub use fault::{IndexFault, MergeError};
pub(crate) use part::IndexPart;
pub use persisted::PersistedIndex;
pub(crate) use save::{IndexTarget, save_checked};
pub use save::{load_index, save, save_index};
pub use seen_end::SeenEnd;
pub(crate) use source::SourceLog;
pub use state::IndexState;
pub(crate) use state::{IndexExamination, examine_index};
#[cfg(feature = "app")]
pub(crate) use target::ensure_index_target;
pub(crate) use target::ensure_replaceable_index;
