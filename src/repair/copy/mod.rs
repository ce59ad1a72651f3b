//! Copies every event of a log that can be read or restored, in order, into a new log. The source is only read.
//!
//! A survey finds the damage of the log. Before each finding is handled, a scanner copies the events that precede it.

mod compact;
mod copier;
mod copy_log;
mod event_selector;
mod latest;
mod migrate;
mod moved_chain;
mod moved_frames;
mod offset_map;
mod output;
mod restorer;
mod salvage;
mod summary;
mod targets;
mod verify;

pub use compact::{compact, count_compaction};
pub use event_selector::{CompactRule, EventCondition};
pub use migrate::migrate;
pub use salvage::salvage;
pub use summary::{CopyOptions, CopySummary, CopyUpdate, OmittedRange, OnCopyUpdate};
#[cfg(feature = "app")]
pub(crate) use verify::{ExpectedContent, verify_new_log};
