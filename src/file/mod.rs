//! One log file on disk: opening it, detecting its version, scanning its frames, and appending durably.
//!
//! This module holds the storage traits, the scanner with its resynchronisation after damage, and the writer with its
//! lock. A scan yields valid frames and damaged ranges; the module `inspect` interprets them.

mod locate;
mod lock;
mod logfile;
mod os;
mod replace;
mod resync;
mod retry;
mod scan;
pub(crate) mod storage;
mod window;
mod writer;
mod writer_detection;

pub use locate::spans_before;
pub(crate) use locate::{OffsetLocation, locate_offset};
pub(crate) use lock::{ensure_same_file, lock_for_writing};
pub use logfile::LogFile;
pub(crate) use logfile::{FRAME_SEARCH_LIMIT, HeaderState};
pub use os::OsDisk;
pub(crate) use replace::{create_temporary_file, replace_file};
#[cfg(feature = "app")]
pub(crate) use retry::BlockingStream;
pub use scan::{ScanItem, ScanSpan, Scanner};
pub(crate) use storage::lead_to_same_file;
pub use storage::{DeviceInode, Disk, FileIdentity, OpenMode, Storage};
pub use writer::Durability;
pub(crate) use writer::{LogWriter, open_for_append};
pub use writer_detection::WriterPresence;
pub(crate) use writer_detection::detect_writer;
