//! Plain data of a repair: actions, fixes, options, plans, and the paths and bytes of the log that a plan depends on.
//!
//! Planning, journal, applying and copy use these types, and these types use none of them.

mod erasure;
mod errors;
mod excess_bytes;
mod fix;
mod log_bytes;
mod log_paths;
mod options;
mod plan;
mod purge;
mod retention;
mod segment_write;
mod step;
mod step_parts;
mod work_meter;

pub use erasure::{EmptiedAggregates, EraseOptions, PlannedErasure};
pub(crate) use errors::{LIST_REPAIRS, changed_error, refused_error};
pub(crate) use fix::diff_bytes;
pub use fix::{ByteChange, Candidate, Certainty, Fix, ProposedFix, RepairAction};
pub(crate) use log_bytes::{
    CHUNK, ChunkVisitor, ensure_no_hard_links, for_each_chunk, is_all_zero, read_first_checksum, read_identity,
    read_neighbour, sha256_of_end, sha256_of_range, starts_with,
};
pub use log_paths::{LogPaths, journal_folder};
pub use options::{CandidateChoice, FindingSelector, RepairOptions};
pub use plan::{LogIdentity, PLAN_VERSION, Plan, PlanError, ShortSegment, UnrepairedRange};
pub use purge::{PlannedPurge, PurgedContent, PurgedJournal};
pub(crate) use retention::describe_limits;
pub use retention::{PlannedSegment, RetentionLimit, RetentionPlan};
pub use segment_write::{ExcessBytes, GivenUpRange, NewSegment, NextSegment, PlannedSettings, SettingsWrite};
pub use step::{Loss, PlannedPiece, RepairStep, StepWrite};
pub use step_parts::StepPart;
#[cfg(feature = "app")]
pub(crate) use step_parts::StepSection;
pub use work_meter::Cancellation;
pub(crate) use work_meter::WorkMeter;
