//! The index: derived from the log, disposable, and never believed without the frame it points at.
//!
//! Here live building, merging, saving, opening and looking up, and the test of how an index on disk relates to its log.
//! A missing, old or broken index is a state here, never an error.

mod aggregates;
mod build;
mod checkpoint;
mod counts;
mod pages;
mod persisted;
mod postings;
mod save;
mod state;

pub use aggregates::{AggregateIndex, Coverage, Witness};
pub(crate) use build::MAX_DAMAGE;
pub use build::{Anchor, Builder, Totals};
pub use counts::{Counts, Name, NameKind};
pub use persisted::{AggregateSummary, IndexFault, PersistedIndex};
pub use postings::PersistedOffsets;
pub use save::save;
pub use state::{Examined, IndexState, examine};
