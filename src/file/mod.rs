//! One log file on disk: opening it, telling what it is, reading its frames in order, writing and its durability.
//!
//! Here live the storage trait, the scan and its resynchronisation, the writer and its lock. Here never lives a
//! judgement: a scan yields valid frames and damaged ranges, and what those mean is said elsewhere.

mod locate;
mod logfile;
mod os;
mod replace;
mod resync;
mod scan;
pub mod storage;
mod window;
mod writer;
mod writer_detection;

pub(crate) use locate::locate_offset;
pub use locate::{OffsetLocation, spans_before};
pub use logfile::{FRAME_SEARCH_LIMIT, HeaderState, LogFile};
pub use os::OsDisk;
pub(crate) use replace::{create_temporary_file, replace_file};
pub use scan::{ScanItem, ScanSpan, Scanner};
pub use storage::{Disk, FileIdentity, OpenMode, Storage};
pub(crate) use writer::open_for_append;
pub use writer::{Durability, LogWriter};
pub use writer_detection::{WriterPresence, detect_writer};
