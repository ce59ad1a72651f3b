//! The interface between the engine and the disk.
//!
//! Implement it to store a log elsewhere than in a local file, or to test a program against a disk that fails. A
//! program implements [`Disk`], which opens files and changes folders, and [`Storage`], which reads and writes one open
//! file. It passes the disk to [`OpenOptions::disk`](crate::OpenOptions::disk). [`OsDisk`], the default, uses the local
//! file systems.
//!
//! The durability of [`EventLog`](crate::EventLog) depends on two guarantees of an implementation. When
//! [`Storage::sync`] returns `Ok`, every byte written to the file before the call is on stable storage. When
//! [`Disk::sync_folder`] returns `Ok`, the names of the files in that folder are on stable storage.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("accounts.log");
//! use std::sync::Arc;
//!
//! use chronicle::OpenOptions;
//! use chronicle::storage::{Disk, OsDisk};
//!
//! let disk: Arc<dyn Disk> = Arc::new(OsDisk);
//! let log = OpenOptions::new().disk(disk.clone()).create(&path)?;
//! log.close()?;
//! assert!(disk.list(folder.path())?.contains(&path));
//! # Ok(())
//! # }
//! ```

pub use crate::file::{
    DeviceInode, Disk, EntryKind, FileIdentity, FileStamp, OpenMode, OsDisk, Ownership, PathEntry, SegmentBounds,
    SegmentCondition, SegmentSet, SideFileOrigin, Storage, UntrustedFile, WriterPresence,
};
