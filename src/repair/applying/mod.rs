//! Applying a plan: check it, journal it, change the log, verify the result; and recover, undo and set aside a tail.

mod apply;
mod change;
mod erased_copies;
mod failure;
mod free_space;
mod index_maintenance;
mod known_copies;
mod lock;
mod preconditions;
#[cfg(feature = "app")]
mod preview;
mod purge;
mod recover;
mod segment_files;
mod set_aside;
mod settings;
mod source_files;
mod undo;
mod verify;
mod write;

pub use apply::{ApplyOptions, apply, apply_with_progress};
pub use change::AppliedRepair;
pub use known_copies::{KnownCopy, KnownCopyKind, known_copies};
#[cfg(feature = "app")]
pub(crate) use lock::wait_for_writer;
pub use preconditions::check_plan;
#[cfg(feature = "app")]
pub(crate) use preview::{BytesPreview, preview_range, preview_step};
pub use purge::plan_purge;
pub use recover::{PendingRepair, RecoveryOutcome, recover, recover_with_progress};
pub(crate) use recover::{journal_notices, pending_repair, recover_under_lock};
pub use set_aside::TailBackup;
pub(crate) use set_aside::set_aside_tail;
pub use undo::{plan_undo, plan_undo_with_progress};
