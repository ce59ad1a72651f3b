//! One log file on disk: opening it, detecting its version, scanning its frames, and appending durably.
//!
//! This module holds the storage traits, the creation of files, the scanner with its resynchronisation after damage, and the writer with its
//! lock. A scan yields valid frames and damaged ranges; the module `inspect` interprets them.

mod backup;
mod clock;
#[cfg(feature = "app")]
mod closed_stream;
mod commit_state;
#[cfg(test)]
mod failing_disk;
mod file_identity;
mod file_place;
mod format_recovery;
mod frame_reader;
mod group_commit;
mod hashed_file;
mod locate;
mod lock;
mod log_folder;
mod logfile;
mod new_file;
mod new_log;
mod new_log_folder;
mod os;
#[cfg(not(unix))]
mod os_without_unix;
mod path_entry;
#[cfg(feature = "app")]
mod read_only_storage;
mod removed_offsets;
mod reopened_file;
mod resync;
mod retry;
mod rolling;
mod scan;
mod segments;
mod settings_file;
#[cfg(feature = "app")]
mod spooled_disk;
mod start_position;
pub(crate) mod storage;
mod sync_rounds;
mod temporary_file;
mod trust;
mod unused_folder;
mod window;
mod writer;
mod writer_detection;

pub(crate) use backup::Backup;
pub(crate) use clock::now_ms;
#[cfg(feature = "app")]
pub(crate) use closed_stream::is_stdout_closed;
pub use commit_state::{Appended, CommitState};
pub use file_identity::{DeviceInode, FileIdentity, FileStamp};
pub(crate) use file_place::{FilePlace, folder_of};
pub(crate) use frame_reader::FrameReader;
pub(crate) use group_commit::{ClosedWriter, GroupCommit};
pub(crate) use hashed_file::VerifiedFile;
pub use locate::spans_before;
pub(crate) use locate::{OffsetLocation, locate_offset};
pub(crate) use lock::{WriterLock, ensure_same_file};
pub(crate) use log_folder::{has_segments, journal_folder_of, permissions_source};
pub use logfile::LogFile;
pub(crate) use logfile::{FRAME_SEARCH_LIMIT, HeaderState, RejectedHeader};
pub(crate) use new_file::{ExistingFile, NewFile, replace_file};
pub(crate) use new_log::{NewLog, NewLogForm, NewLogTarget};
pub(crate) use new_log_folder::{NewLogFolder, check_replaceable_folder};
pub use os::OsDisk;
pub use path_entry::{EntryKind, Ownership, PathEntry};
#[cfg(feature = "remote")]
pub(crate) use read_only_storage::{ReadOnlyContent, ReadOnlyStorage};
pub(crate) use reopened_file::ReopenedFile;
#[cfg(feature = "app")]
pub(crate) use retry::BlockingStream;
pub(crate) use rolling::{DEFAULT_SEGMENT_SIZE, RollPolicy};
pub use scan::{ScanItem, ScanSpan, Scanner};
pub(crate) use segments::LOCK_FILE;
pub(crate) use segments::{FoundRemovals, RemovedFolder, open_log};
pub use segments::{SegmentBounds, SegmentCondition, SegmentSet};
pub(crate) use settings_file::{FoundSettings, read_settings_bytes, replace_settings_bytes, write_settings};
#[cfg(feature = "app")]
pub(crate) use spooled_disk::{SpoolFile, SpooledDisk};
pub use storage::{Disk, OpenMode, Storage};
pub use sync_rounds::{SyncStep, SyncTicket};
pub(crate) use temporary_file::{is_file_at, target_name as temporary_target};
pub(crate) use trust::{SideFileFault, TrustRule};
pub use trust::{SideFileOrigin, UntrustedFile};
pub(crate) use unused_folder::is_unused_folder;
pub(crate) use writer::LogWriter;
pub use writer::{Durability, SyncJob};
pub use writer_detection::WriterPresence;
pub(crate) use writer_detection::detect_writer;
