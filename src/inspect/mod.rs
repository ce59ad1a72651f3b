//! Judgement: what a log's bytes say about its health. Writes nothing.
//!
//! Here live the one pass that feeds index, findings and map together, the naming of damage piece by piece, the test
//! whether an unfinished end is being written, and the comparison of two copies. A repair is not thought of here.

mod damage_pieces;
mod diff;
mod log_view;
mod map;
mod parallel_scan;
mod part_scan;
mod progress;
mod survey;
mod tail;
mod unverified;

pub use damage_pieces::{DamagePiece, DamagePieces};
pub use diff::{Comparison, DiffUpdate, DifferenceKind, LogDifference, MAX_DIFFERENCES, OnDiffUpdate, diff};
pub use log_view::{LogView, index_path};
pub use map::{HealthCell, HealthMap};
pub(crate) use progress::cancelled_if_break;
pub use progress::{OnProgress, Progress};
pub use survey::{MAX_FINDINGS, OnSurveyUpdate, Survey, SurveyOptions, SurveyUpdate, survey};
pub use tail::{TailActivity, TailPiece, TailPieces, classify_tail, observe_tail};
#[cfg(feature = "app")]
pub(crate) use unverified::enclosing_start;
pub use unverified::{survey_ranges, unverified_ranges};
