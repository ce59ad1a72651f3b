//! What changes a log elsewhere than by appending: planned and shown first, with every byte that goes in a journal.
//!
//! Here live what can be done about damage and how certain that is, plans and how they are made, applied, completed or
//! taken back after a kill, and undone. Nothing here is done that no plan has shown; an unfinished end that is set aside
//! when a log is opened for append is told afterwards.

mod apply;
mod copy;
mod correction;
mod decide;
mod donor;
mod donor_ranges;
mod fix;
mod fix_finder;
mod identity;
mod index_maintenance;
mod journal_reader;
mod journal_writer;
mod log_paths;
mod loss;
mod migrate;
mod neighbours;
mod options;
mod plan;
mod planner;
mod preconditions;
mod recover;
mod salvage;
mod set_aside;
mod step_output;
mod undo;

pub use apply::{AppliedRepair, ApplyOptions, apply};
pub use copy::{CopyOptions, CopySummary, CopyUpdate, OmittedRange};
pub use correction::{Correction, NeighbourTimes, find_correction};
pub use fix::{ByteChange, Candidate, Certainty, Fix, RepairAction};
pub use fix_finder::{FixFinder, ProposedFix};
pub use journal_reader::{RepairRecord, RepairState, find_gap_journal, read_repair_records};
pub use journal_writer::journal_folder;
pub use log_paths::LogPaths;
pub use migrate::migrate;
pub use plan::{
    FindingSelector, LogIdentity, Loss, Neighbour, PLAN_VERSION, Plan, PlannedPiece, RepairOptions, RepairStep,
    StepWrite, UnrepairedRange,
};
pub use planner::plan_repair;
pub use preconditions::check_plan;
pub use recover::{PendingRepair, RecoveryOutcome, pending_repair, recover};
pub use salvage::salvage;
pub use set_aside::{TailBackup, set_aside_tail};
pub use undo::plan_undo;
