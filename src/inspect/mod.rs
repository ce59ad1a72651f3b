//! Inspection: finds damage in a log, classifies it, and compares copies of a log. Nothing is written.
//!
//! Use [`survey()`] to read a whole log once: it returns a [`Survey`] with findings, counts and a [`HealthMap`]. Use
//! [`LogView`] to open a log together with its index file, and [`diff()`] to compare two copies of a log.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("accounts.log");
//! # chronicle::EventLog::create(&path)?.close()?;
//! use std::ops::ControlFlow;
//!
//! use chronicle::EventLog;
//! use chronicle::inspect::{SurveyOptions, survey};
//!
//! let log = EventLog::open_read_only(&path)?;
//! let survey = survey(log.view(), &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(()))?;
//! for finding in &survey.findings {
//!     println!("{} at {}..{}", finding.kind.name(), finding.start, finding.end);
//! }
//! assert_eq!(survey.damage_total, 0);
//! # Ok(())
//! # }
//! ```
//!
//! Every reader of a log (survey, pages, hits, replay, the opening of a writer) uses one walk, which reads the frames,
//! classifies damage and observes an end that is still being written.

mod damage_origin;
mod damage_pieces;
mod damage_policy;
mod diff;
mod diff_recorder;
mod difference;
#[cfg(feature = "app")]
mod file_watch;
mod frame_content;
mod frame_cursor;
mod frame_origin;
#[cfg(feature = "app")]
mod log_fingerprint;
mod log_header;
#[cfg(feature = "app")]
mod log_parts;
mod log_view;
mod lost_segments;
mod lost_tail;
mod map;
mod missing_segments;
mod parallel_scan;
mod part_scan;
mod payload_end;
mod progress;
mod recognition;
mod removed_start;
mod rescan_counter;
mod run_survey;
mod segment_summary;
mod segments;
mod source_log;
mod survey;
mod survey_pass;
mod tail;
mod unrecorded_frames;
mod unverified;
mod walk;
mod zeros;

pub use crate::index::index_path;
pub(crate) use damage_origin::DamageOrigins;
pub(crate) use damage_policy::DamagePolicy;
pub use diff::diff;
pub(crate) use diff::diff_files;
pub use difference::{
    Comparison, CopyContent, DiffListing, DiffUpdate, DifferenceKind, EventLabel, LogDifference, LogStart,
    MAX_DIFFERENCES, OnDiffUpdate, RestOfLog, UnrelatedLogs,
};
#[cfg(feature = "app")]
pub(crate) use file_watch::{FileChange, FileWatch};
pub(crate) use frame_content::{FrameContent, classify_frame, gap_finding, invalid_event_finding};
#[cfg(feature = "app")]
pub(crate) use log_fingerprint::LogFingerprint;
pub(crate) use log_header::{DamagedHeader, HeaderSource};
#[cfg(feature = "app")]
pub(crate) use log_parts::{GoneCause, KnownBounds, LogPart};
pub use log_view::LogView;
pub(crate) use lost_segments::{LostLastSegment, LostSegments};
pub use map::{HealthCell, HealthMap};
pub(crate) use progress::cancelled_if_break;
pub use progress::{OnProgress, Progress};
pub(crate) use recognition::can_be_start_of_header;
pub use removed_start::RemovedStart;
pub use run_survey::survey;
pub use segment_summary::SegmentSummary;
pub use survey::{MAX_FINDINGS, OnSurveyUpdate, Survey, SurveyOptions, SurveyUpdate};
pub(crate) use tail::WriterCheck;
#[cfg(feature = "app")]
pub(crate) use unrecorded_frames::UnrecordedFrames;
pub(crate) use unrecorded_frames::find_unrecorded_frames;
#[cfg(feature = "app")]
pub(crate) use unverified::enclosing_start;
pub use unverified::{survey_ranges, unverified_ranges};
pub(crate) use walk::{LogWalk, WalkItem};
