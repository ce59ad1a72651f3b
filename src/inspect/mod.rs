//! Judgement: what a log's bytes say about its health. Writes nothing.
//!
//! Here live the one pass that feeds index, findings and map together, the naming of damage piece by piece, the test
//! whether an unfinished end is being written, and the comparison of two copies. A repair is not thought of here.

mod damage_pieces;
mod diff;
mod frame_content;
mod log_view;
mod lost_tail;
mod map;
mod parallel_scan;
mod part_scan;
mod progress;
mod run_survey;
mod source_log;
mod survey;
mod survey_pass;
mod tail;
mod unverified;
mod walk;

pub use diff::{Comparison, DiffUpdate, DifferenceKind, LogDifference, MAX_DIFFERENCES, OnDiffUpdate, diff};
pub(crate) use frame_content::{FrameContent, gap_finding, invalid_event_finding, judge_frame};
pub use log_view::{LogView, index_path};
pub use map::{HealthCell, HealthMap};
pub(crate) use progress::cancelled_if_break;
pub use progress::{OnProgress, Progress};
pub use run_survey::survey;
pub use survey::{MAX_FINDINGS, OnSurveyUpdate, Survey, SurveyOptions, SurveyUpdate};
pub(crate) use tail::WriterCheck;
#[cfg(feature = "app")]
pub(crate) use unverified::enclosing_start;
pub use unverified::{survey_ranges, unverified_ranges};
pub(crate) use walk::{DamagePolicy, LogWalk, WalkItem};
