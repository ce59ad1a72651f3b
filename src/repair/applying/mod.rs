//! Applying a plan: check it, journal it, change the log, verify the result; and recover, undo and set aside a tail.

mod apply;
mod index_maintenance;
mod lock;
mod preconditions;
mod recover;
mod set_aside;
mod source_files;
mod undo;
mod verify;
mod write;

pub use apply::{AppliedRepair, ApplyOptions, apply};
pub use preconditions::check_plan;
pub(crate) use recover::pending_repair;
pub use recover::{PendingRepair, RecoveryOutcome, recover};
pub use set_aside::TailBackup;
pub(crate) use set_aside::set_aside_tail;
pub use undo::plan_undo;
