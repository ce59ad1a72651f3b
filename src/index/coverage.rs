//! The facts that an index records about its log: the covered range, the tail that the log has lost, and the verified
//! part.

use std::path::PathBuf;
use std::sync::Arc;

use crate::file::{Disk, OsDisk};
use crate::format::FrameIdentity;

/// The part of the log that an index covers. All offsets are bytes from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// The index covers frames that start at this offset or later. The offset is 0 for an index of the whole log.
    pub start: u64,
    /// The end of the last valid frame that the index covers.
    pub covered_to: u64,
    /// The end of the scanned part of the log: `covered_to`, or the end of damage that follows it.
    pub scanned_to: u64,
    /// The greatest end of the log that any index has recorded. A log that has lost its end has a value after
    /// `covered_to`.
    pub log_end_offset: u64,
    /// The number of events covered.
    pub events: u64,
    /// The number of gaps covered.
    pub gaps: u64,
    /// The number of valid frames covered: events, gaps, and frames whose payload is neither.
    pub frames: u64,
}

/// Events at the end of the log that an index has recorded and that the log has lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostTail {
    /// The end of the log when it was longest, in bytes.
    pub log_end_offset: u64,
    /// The number of lost events.
    pub lost_events: u64,
    /// The number of aggregates to which the lost events belonged.
    pub lost_aggregates: u64,
    /// The last lost frame. A copy of the log that has this frame can restore the tail.
    pub last_frame: Option<FrameIdentity>,
}

/// The end of the verified part of a log, and the time of the verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerificationMark {
    /// The end of the last verified frame.
    pub verified_to: u64,
    /// The time of the verification, in milliseconds since the Unix epoch. When the log was verified in several passes,
    /// this is the time of the first pass.
    pub verified_at_ms: u64,
}

/// The entry of one aggregate in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AggregateSummary {
    /// The id of the aggregate.
    pub id: u64,
    /// The number of its events.
    pub events: u64,
    /// The offset of its first event.
    pub first: u64,
    /// The offset of its last event.
    pub last: u64,
}

/// The memory limit for the aggregates of an index, and the folder for aggregates that exceed it.
#[derive(Debug, Clone)]
pub struct SpillOptions {
    /// The disk on which the index creates anonymous files, and on which it is saved.
    pub disk: Arc<dyn Disk>,
    /// The folder for anonymous files; the system's temporary folder when this is `None` or cannot be used.
    pub spill_folder: Option<PathBuf>,
    /// The largest amount of memory that aggregates may use, in bytes.
    pub max_memory: u64,
}

impl Default for SpillOptions {
    fn default() -> Self {
        Self { disk: Arc::new(OsDisk), spill_folder: None, max_memory: 256 << 20 }
    }
}
