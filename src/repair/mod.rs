//! What changes a log elsewhere than by appending: always with every byte that goes in a journal first.
//!
//! Here lives setting an unfinished end aside. Nothing here is done that its caller does not tell.

mod journal;
mod pending;
mod set_aside;

pub use journal::journal_folder;
pub use pending::{PendingRepair, pending_repair};
pub use set_aside::{SetAside, set_aside_tail};
