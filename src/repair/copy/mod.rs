//! Copying a log: every event that can be read or restored, in order, into a new log. The source is only read.
//!
//! A survey judges the log. A second reader follows it closely and copies the events before each finding.

mod backup;
mod copier;
mod copy_log;
mod migrate;
mod offset_map;
mod output;
mod salvage;
mod summary;

pub use migrate::migrate;
pub use salvage::salvage;
pub use summary::{CopyOptions, CopySummary, CopyUpdate, OmittedRange, OnCopyUpdate};
