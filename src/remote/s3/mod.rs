//! Object storage with the S3 protocol: reading logs by ranges, and keeping backups.
//!
//! The client is blocking. A request runs on the thread that needs its answer, so as many requests are in flight as threads
//! read, and no runtime is needed.

mod answer;
mod block_cache;
mod client;
mod config;
mod disk;
mod list;
mod object;
mod profile_file;
mod store;

pub(crate) use disk::S3Disk;
pub(crate) use store::S3Store;
