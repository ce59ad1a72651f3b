//! Chronicle: an append-only event log in one file, with a derived index, and a tool that inspects and repairs it.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("accounts.log");
//! use chronicle::{Event, EventLog};
//!
//! let mut log = EventLog::create(&path)?;
//! let event = Event::builder()
//!     .event_type("Updated")
//!     .namespace("accounts")
//!     .schema_id("Person")
//!     .schema_version(1)
//!     .aggregate_id(42)
//!     .payload_json(r#"{"name":"Juan"}"#)
//!     .build()?;
//! let offset = log.append_sync(&event)?; // on stable storage when it returns
//! log.close()?; // leaves a fresh index beside the log
//!
//! let mut log = EventLog::open_read_only(&path)?;
//! let events = log.load_aggregate(42)?;
//! assert_eq!((events[0].offset(), events[0].payload()), (offset, r#"{"name":"Juan"}"#));
//! for event in log.replay(0)? {
//!     println!("{}", event?.json());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The rooms, in reading order; each knows only those before it:
//!
//! - [`mod@format`]: bytes, limits and the words for damage
//! - [`mod@file`]: one log file on disk; scan, resynchronisation, the writer
//! - [`index`]: derived and disposable: build, save, look up
//! - [`inspect`]: judgement: one pass that feeds index and findings
//! - [`repair`]: what can be done about damage: planned, journaled, applied, undone; or copied into a new log
//! - [`log`]: [`EventLog`], what a program uses
//! - [`query`]: filters, search and paging
//! - [`sample`]: logs generated and damage planted
//! - `report`, `cli`, `tui`: the two faces, with the feature `app`

mod error;
#[doc(hidden)]
pub mod internal;
pub mod storage;

#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
mod file;
#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
mod format;
#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
mod index;
#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
pub mod inspect;
#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
mod log;
#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
pub mod query;
#[deny(clippy::indexing_slicing, reason = "the engine reads hostile bytes and must not panic")]
pub mod repair;
#[cfg(any(test, feature = "app"))]
#[deny(clippy::indexing_slicing, reason = "planting damage reads hostile bytes too")]
mod sample;

#[cfg(feature = "app")]
mod cli;
#[cfg(feature = "app")]
mod report;
#[cfg(feature = "app")]
mod tui;

pub use error::StorageError;
pub use file::Durability;
pub use format::{DamageKind, Event, EventBuilder, EventView, Evidence, Finding, LogHeader, PayloadError, StoredEvent};
pub use index::{
    AggregateIndex, AggregateSummary, CountedName, Coverage, IndexFault, IndexState, LostTail, NameCounts, NameKind,
    PersistedIndex, VerificationMark,
};
pub use inspect::{OnProgress, OnSurveyUpdate, Progress, Survey, SurveyOptions, SurveyUpdate, survey};
pub use log::{AggregateEvents, EventLog, OpenOptions, Replay};
