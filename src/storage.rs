//! The interface between the engine and the disk.
//!
//! Use it to keep a log somewhere else than in a file of this machine, or to test a program against a disk that fails. A
//! program implements [`Disk`], which opens files and changes folders, and [`Storage`], which reads and writes one open
//! file, and passes the disk to [`OpenOptions::disk`](crate::OpenOptions::disk). [`OsDisk`] is this machine's disk, and the
//! default.
//!
//! An implementation has to keep two promises on which the durability of [`EventLog`](crate::EventLog) rests: when
//! [`Storage::sync`] returns `Ok`, everything that was written to the file before is on stable storage, and when
//! [`Disk::sync_folder`] returns `Ok`, so are the names in that folder.
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

pub use crate::file::{Disk, FileIdentity, OpenMode, OsDisk, Storage, WriterPresence};
