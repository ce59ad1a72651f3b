//! The stores.

mod chronicle;
#[cfg(feature = "commitlog")]
mod commitlog;
#[cfg(feature = "fjall")]
mod fjall;
#[cfg(feature = "okaywal")]
mod okaywal;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "sqlite")]
mod sqlite;

use crate::store::OpenStore;

/// The stores with their names, Chronicle first.
pub(crate) const STORES: &[(&str, OpenStore)] = &[
    ("Chronicle", chronicle::open),
    #[cfg(feature = "commitlog")]
    ("commitlog", commitlog::open),
    #[cfg(feature = "okaywal")]
    ("okaywal", okaywal::open),
    #[cfg(feature = "fjall")]
    ("fjall", fjall::open),
    #[cfg(feature = "redb")]
    ("redb", redb::open),
    #[cfg(feature = "sqlite")]
    ("SQLite", sqlite::open),
];
