//! [`EventLog`], the main type of the library: a log that a program opens, reads, appends to and closes.
//!
//! This module combines the lower modules: it defines no format and makes no decision about damage.

mod aggregate;
mod create_folder;
mod event_log;
mod indexing;
mod opening;
mod options;
mod replay;
#[cfg(feature = "remote")]
mod replica_log;
mod retention;
mod segments;
mod shared_writer;
mod tail_recovery;

#[cfg(feature = "app")]
pub(crate) use crate::file::now_ms;
pub use aggregate::AggregateEvents;
pub use event_log::EventLog;
pub use options::OpenOptions;
pub use replay::{Replay, ReplayedEvent};
#[cfg(feature = "remote")]
pub(crate) use replica_log::ReplicaLog;
pub use retention::PurgedSegments;
#[cfg(feature = "app")]
pub(crate) use retention::{last_removal_of, removal_after_repairs, removals_of, removed_segments_of};
pub use shared_writer::SharedWriter;
