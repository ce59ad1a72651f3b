//! Repair: plan what can be done about damage, apply it with a journal, and undo it; or copy a log without its damage.
//!
//! - [`plan_repair`] makes a [`Plan`]: plain data that shows every step, what it restores and what it gives up.
//! - [`apply`] does what the plan shows, and nothing else. Every byte that changes is saved in a journal first.
//! - [`plan_undo`] makes a plan that reverses a repair. [`read_repair_history`] reads the repair history of a log.
//! - [`plan_erase`] makes a plan that replaces events with gaps, and [`plan_purge`] one that destroys what an erasure has
//!   saved.
//! - [`recover`] completes or rolls back a repair that was killed. Opening a log for append does the same.
//! - [`compact`] copies the latest event of each aggregate, or what a condition selects, into a new log.
//! - [`salvage`] and [`migrate`] copy every event that can be read or restored into a new log.
//!
//! Use it on a log that `chronicle verify`, or [`survey`](crate::inspect::survey()), reports as damaged. Planning only
//! reads; [`apply`] needs the writer's lock.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("accounts.log");
//! use std::ops::ControlFlow;
//!
//! use chronicle::inspect::LogView;
//! use chronicle::repair::{ApplyOptions, RepairAction, RepairOptions, apply, plan_repair, plan_undo};
//! use chronicle::{Event, EventLog, OpenOptions};
//!
//! let mut log = EventLog::create(&path)?;
//! let event = Event::builder().event_type("Created").namespace("accounts").schema_id("Person").schema_version(1);
//! let first = log.append(&event.clone().payload_json("1").build()?)?;
//! log.append_sync(&event.payload_json("2").build()?)?;
//! log.close()?;
//!
//! // One flipped bit in the first event.
//! let intact = std::fs::read(&path)?;
//! let mut damaged = intact.clone();
//! damaged[first as usize + 20] ^= 1;
//! std::fs::write(&path, &damaged)?;
//!
//! // Plan: the checksum shows which bit it was.
//! let options = OpenOptions::new();
//! let paths = options.log_paths(&path)?;
//! let view = LogView::open(paths.disk.clone(), &paths.path, None)?;
//! let plan = plan_repair(&view, &RepairOptions::new(), &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(plan.steps[0].action, RepairAction::CorrectBits);
//! assert_eq!((plan.restored_events(), plan.total_loss().at_most), (1, 0));
//!
//! // Apply it, and undo it again.
//! let repair = apply(&paths, &plan, ApplyOptions::new())?;
//! assert_eq!(std::fs::read(&path)?, intact);
//! let undo = plan_undo(&paths, Some(repair.number))?;
//! apply(&paths, &undo, ApplyOptions::new())?;
//! assert_eq!(std::fs::read(&path)?, damaged);
//! # Ok(())
//! # }
//! ```

// Imports run one way: types <- correction <- planning <- journal <- applying, and types <- planning <- copy.
mod applying;
mod copy;
mod correction;
mod journal;
mod planning;
mod types;

pub use crate::error::RepairFailure;
pub use crate::failed_repair::{JournalStateAfterFailure, LogStateAfterFailure};
pub use applying::{
    AppliedRepair, ApplyOptions, KnownCopy, KnownCopyKind, PendingRepair, RecoveryOutcome, TailBackup, apply,
    apply_with_progress, check_plan, known_copies, plan_purge, plan_undo, plan_undo_with_progress, recover,
    recover_with_progress,
};
#[cfg(feature = "app")]
pub(crate) use applying::{BytesPreview, preview_range, preview_step, wait_for_writer};
pub(crate) use applying::{journal_notices, pending_repair, recover_under_lock, set_aside_tail};
pub use copy::{
    CompactRule, CopyOptions, CopySummary, CopyUpdate, EventCondition, OmittedRange, OnCopyUpdate, compact,
    count_compaction, migrate, salvage,
};
#[cfg(feature = "app")]
pub(crate) use copy::{ExpectedContent, verify_new_log};
pub use correction::{Correction, NeighbourTimes, find_correction};
pub(crate) use journal::JournalMark;
pub use journal::{ChangesInLog, RepairHistory, RepairRecord, RepairState, find_gap_journal, read_repair_history};
pub use planning::{FixFinder, plan_erase, plan_repair, plan_retention};
#[cfg(feature = "app")]
pub(crate) use types::StepSection;
pub use types::{
    ByteChange, Cancellation, Candidate, CandidateChoice, Certainty, EmptiedAggregates, EraseOptions, ExcessBytes,
    FindingSelector, Fix, GivenUpRange, LogIdentity, LogPaths, Loss, NewSegment, NextSegment, PLAN_VERSION, Plan,
    PlanError, PlannedErasure, PlannedPiece, PlannedPurge, PlannedSegment, PlannedSettings, ProposedFix, PurgedContent,
    PurgedJournal, RepairAction, RepairOptions, RepairStep, RetentionLimit, RetentionPlan, SettingsWrite, ShortSegment,
    StepPart, StepWrite, UnrepairedRange, journal_folder,
};
pub(crate) use types::{describe_limits, refused_error};
