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
mod offsets;
mod pages;
mod part;
mod persisted;
mod run;
mod save;
mod sparse;
mod state;
mod stored;
mod write;

pub use aggregates::{AggregateIndex, Bounds, Coverage, Verified, Witness};
pub use block::{Anchor, Block};
pub use checkpoint::Totals;
pub use counts::{Counts, Name, NameKind};
pub(crate) use damage::{MAX_DAMAGE, Ranges};
pub use part::Part;
pub use persisted::{AggregateSummary, IndexFault, PersistedIndex};
pub use save::save;
pub use state::{Examined, IndexState, examine};
