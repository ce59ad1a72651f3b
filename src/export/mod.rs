//! Reads the events that a filter selects in the order of the log, and writes them to a file. `cat`, `export` and the screen
//! use this module.
//!
//! [`SelectedEvents`] yields the events, or their lines, with the damage and the gaps between them, and [`ExportFile`] writes
//! events as JSON lines, CSV or Parquet. The file appears complete or not at all. [`LogFollower`] yields what is appended to a log.

mod cell_text;
mod chunk_queue;
mod chunk_scan;
mod column;
mod event_text;
mod export_file;
mod file_output;
mod log_follower;
mod output_file;
mod parquet_file;
mod selected_events;
mod value_type;

pub(crate) use column::{ExportColumn, TypedColumn};
pub(crate) use event_text::{TextFormat, event_line};
pub(crate) use export_file::{ExportFile, ExportFileFormat, ExportTarget, ExportedPart, SelectedNotice};
pub(crate) use file_output::WrittenFile;
pub(crate) use log_follower::{FollowedItem, LogFollower};
pub(crate) use output_file::create_output_file;
pub(crate) use selected_events::{
    OnDamage, SelectedEvents, SelectedItem, SelectedRange, SelectionEnd, SelectionTotals,
};
