//! The storage interface: how the engine reaches the disk, and how a program replaces it.
//!
//! [`OsDisk`] is the disk of this machine and the default. A program implements [`Disk`] and [`Storage`] to keep a log
//! elsewhere, or to simulate failing disks in tests, and passes it to [`OpenOptions::disk`](crate::OpenOptions::disk).

pub use crate::file::{Disk, FileIdentity, OpenMode, OsDisk, Storage, WriterPresence};
