//! The byte layouts of the log, the index file and the repair journal, as described in `docs/format.md`.
//!
//! This module holds encoders, decoders, limits and the table of damage kinds. It opens no file, reads no clock and
//! starts no thread: every function works on a slice.

mod builder;
pub(crate) mod byte_layout;
mod checked_document;
pub mod crc;
pub mod damage;
pub(crate) mod event;
pub(crate) mod event_fields;
mod foreign_file;
pub mod frame;
pub(crate) mod frame_format;
pub mod gap;
pub mod header;
pub(crate) mod hex;
pub mod index;
mod index_rows;
pub mod journal;
pub mod json;
mod json_scanner;
mod leading_digits;
mod line_ends;
mod log_id;
mod log_settings;
mod new_log_format;
mod seen_names;
mod segment_name;
mod segment_removal;
mod special_bytes;
mod token_span;

pub(crate) use builder::TimestampPrefix;
pub use builder::{Event, EventBuilder};
pub use byte_layout::FieldSpec;
pub(crate) use damage::FindingLayout;
pub use damage::{DamageKind, Evidence, Finding};
pub use event::{EventView, StoredEvent};
#[cfg(feature = "app")]
pub(crate) use event::{upgrade_v0_timestamp_key, with_write_timestamp};
pub use foreign_file::ForeignFile;
pub(crate) use foreign_file::RECOGNISED_PREFIX;
pub(crate) use frame::Frame;
pub use frame::FrameIdentity;
pub use frame_format::FrameFormat;
pub(crate) use header::{HEADER_LEN, HeaderFault};
pub use header::{HeaderBytes, LogHeader, SegmentHeader, Version};
pub use json_scanner::PayloadError;
pub(crate) use line_ends::LineEnds;
pub use log_id::LogId;
pub use log_settings::LostRange;
pub(crate) use log_settings::{LogSettings, MAX_LOST_RANGES, MAX_SETTINGS_BYTES, MIN_SEGMENT_SIZE, SETTINGS_FILE};
pub use new_log_format::NewLogFormat;
pub(crate) use seen_names::{NamesId, SeenNames};
pub use segment_name::index_path;
pub(crate) use segment_name::{base_of_index_file, base_of_segment_file, segment_file_name};
pub(crate) use segment_removal::{MAX_REMOVAL_BYTES, REMOVED_FOLDER, is_removal_record};
pub use segment_removal::{RemovedSegment, SegmentRemoval};
