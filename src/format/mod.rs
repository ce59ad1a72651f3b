//! The bytes of a log and of the files beside it, as FORMAT.md (in this folder) sets them down.
//!
//! Here live codecs, limits and the words for damage. Here never live a file, a clock or a thread: every function
//! takes a slice and answers.

mod builder;
pub mod crc;
pub mod damage;
pub mod event;
pub mod field;
pub(crate) mod fields;
pub mod frame;
pub mod gap;
pub mod header;
pub mod index;
pub mod journal;
pub mod json;
mod marks;
mod scanner;

pub(crate) use builder::Accepted;
pub use builder::{Event, EventBuilder};
pub use damage::{Evidence, Finding, Kind};
pub use event::{EventView, StoredEvent};
pub use field::Field;
pub use frame::{Decoded, Fault, Frame};
pub use header::{HEADER_LEN, HeaderFault, LogHeader, Version};
pub use json::Invalid;
