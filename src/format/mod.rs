//! The bytes of a log and of the files beside it, as FORMAT.md (in this folder) sets them down.
//!
//! Here live codecs, limits and the words for damage. Here never live a file, a clock or a thread: every function
//! takes a slice and answers.

mod builder;
pub mod byte_layout;
pub mod crc;
pub mod damage;
pub mod event;
pub(crate) mod event_fields;
pub mod frame;
pub mod gap;
pub mod header;
pub(crate) mod hex;
pub mod index;
pub mod journal;
pub mod json;
mod json_scanner;
mod special_bytes;

pub(crate) use builder::TimestampPrefix;
pub use builder::{Event, EventBuilder};
pub use byte_layout::FieldSpec;
pub use damage::{DamageKind, Evidence, Finding, FindingLayout};
pub use event::{EventView, StoredEvent};
pub use frame::{Frame, FrameFault};
pub use header::{HEADER_LEN, HeaderFault, LogHeader, Version};
pub use json::PayloadError;
