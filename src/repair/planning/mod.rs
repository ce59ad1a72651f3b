//! Planning a repair: find a fix for each finding, decide, and compute the bytes and the losses of every step.
//!
//! Planning reads the log once, and writes nothing.

mod composed_headers;
mod decide;
mod donor;
mod donor_notes;
mod donor_ranges;
mod donor_runs;
mod donor_walk;
mod erase;
mod fix_finder;
mod gap_limits;
mod group;
mod loss;
mod lost_segments;
mod neighbours;
mod option_checks;
mod planner;
mod retention;
mod settings_change;
mod step_builder;
mod step_output;

pub(crate) use donor::Donor;
pub(crate) use donor_ranges::{DonorRange, DonorRanges, is_fillable};
pub(crate) use donor_runs::{DonorRun, RefusalReason};
pub use erase::plan_erase;
pub use fix_finder::FixFinder;
pub(crate) use neighbours::Neighbours;
pub use planner::plan_repair;
pub use retention::plan_retention;
pub(crate) use step_output::{ByteSource, DonorSections, MIN_GAP, StepOutput};
