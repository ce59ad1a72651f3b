//! A log in a folder of segments. [`SegmentedStorage`] presents its files as one storage whose positions are the
//! offsets of the log, headers of segments included, so that the modules above read and repair it like one file.

mod bounds;
mod folder_changes;
mod last_segment;
mod listing;
mod open_log;
mod relist;
mod removed_folder;
mod segment_file;
mod segment_set;
mod storage;
mod table;

pub use bounds::{SegmentBounds, SegmentCondition, SegmentSet};
pub(crate) use open_log::open_log;
pub(crate) use removed_folder::{FoundRemovals, RemovedFolder};
pub(crate) use storage::LOCK_FILE;
