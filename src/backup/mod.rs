//! Backups of a log: its bytes in parts that are stored under their hashes, and one manifest for each backup.
//!
//! A part is written once, whatever number of backups has it, so that a backup costs what has changed since the last one. The
//! manifest is written last, so that a backup that was interrupted is none. Nothing that is read from a store is believed
//! without its hash.

mod check;
mod create;
mod folder_store;
mod manifest;
mod parts;
mod restore;
mod source;
mod store;

pub(crate) use check::{PartFault, check_backup, find_archived_end, is_fault};
pub(crate) use create::{BackupSummary, create_backup};
pub(crate) use folder_store::FolderStore;
pub(crate) use manifest::{BackupManifest, ManifestEntry, latest_manifest, list_manifests, read_manifest};
pub(crate) use restore::restore_backup;
pub(crate) use store::ObjectStore;
#[cfg(feature = "remote")]
pub(crate) use store::StoredObject;
