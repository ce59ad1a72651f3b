//! Judgement: what a log's bytes say about its health. Writes nothing.
//!
//! Here live the one pass that feeds index, findings and map together, the naming of damage piece by piece, the test
//! whether an unfinished end is being written, and the comparison of two copies. A repair is not thought of here.

mod diff;
mod map;
mod part;
mod pieces;
mod survey;
mod tail;
mod threads;
mod unverified;
mod view;

pub use diff::{Compared, Comparison, Difference, Differs, MAX_DIFFERENCES, diff};
pub use map::{Cell, HealthMap};
pub use pieces::{NamedPiece, Pieces};
pub use survey::{MAX_FINDINGS, Step, Survey, Wish, survey};
pub use tail::{EndPiece, EndPieces, Ending, ending, judge_end};
#[cfg(feature = "app")]
pub(crate) use unverified::frame_before;
pub use unverified::{survey_ranges, unverified};
pub use view::{LogView, index_path};
