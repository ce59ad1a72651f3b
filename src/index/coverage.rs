//! What an index knows of its log as a whole: the range that it covers, the tail that the log has lost, and how far the log
//! was verified.

use std::path::PathBuf;
use std::sync::Arc;

use crate::file::{Disk, OsDisk};

/// The part of the log that an index covers. All offsets are bytes from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// The index covers frames that start at this offset or later. 0 for an index of the whole log.
    pub start: u64,
    /// The end of the last valid frame that the index covers.
    pub covered_to: u64,
    /// The end of the scanned part of the log: `covered_to`, or the end of damage that follows it.
    pub scanned_to: u64,
    /// The highest end of the log that any index has recorded. It is greater than `covered_to` when the log has lost its
    /// end.
    pub log_end_offset: u64,
    /// The number of events covered.
    pub events: u64,
    /// The number of gaps covered.
    pub gaps: u64,
    /// The number of valid frames covered: events, gaps, and frames whose payload is no event.
    pub frames: u64,
}

/// Events that the log once held after the end of what an index can cover now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostTail {
    /// The end of the log when it was longest, in bytes.
    pub log_end_offset: u64,
    /// The number of lost events.
    pub lost_events: u64,
    /// The number of aggregates that the lost events belonged to.
    pub lost_aggregates: u64,
    /// Offset and checksum of the last lost frame. A donor is recognised by it.
    pub last_frame: Option<(u64, u32)>,
}

/// How far a log was verified, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerificationMark {
    /// The end of the last verified frame.
    pub verified_to: u64,
    /// When the part that was verified first was read, in milliseconds since the Unix epoch.
    pub verified_at_ms: u64,
}

/// One aggregate in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AggregateSummary {
    /// The aggregate's id.
    pub id: u64,
    /// The number of its events.
    pub events: u64,
    /// The offset of its first event.
    pub first: u64,
    /// The offset of its last event.
    pub last: u64,
}

/// How much memory an index may use for aggregates, and where it puts the rest.
#[derive(Debug, Clone)]
pub struct SpillOptions {
    /// The disk on which the index creates anonymous files, and on which it is saved.
    pub disk: Arc<dyn Disk>,
    /// The folder for anonymous files; the system's temporary folder when there is none or it cannot be used.
    pub spill_folder: Option<PathBuf>,
    /// The most memory that aggregates may use, in bytes.
    pub max_memory: u64,
}

impl Default for SpillOptions {
    fn default() -> Self {
        Self { disk: Arc::new(OsDisk), spill_folder: None, max_memory: 256 << 20 }
    }
}
