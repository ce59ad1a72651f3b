//! An append-only event log in a file or a folder of segments, with a derived index, and the means to verify, query and
//! repair it.
//!
//! # The model
//!
//! - A **log** is one file, or a folder of files, its segments. Events are only appended, by one process at a time.
//! - An **event** is a JSON object in a **frame**: a length, the payload, and a checksum over both.
//! - The **offset** of an event is the position of its frame in the log. It never changes, and it orders the events.
//! - An event can belong to an **aggregate**, a number: all events of one account, one order, one sensor.
//! - An **index** maps aggregates to offsets. It is derived from the log, may be deleted at any time, and is never
//!   trusted without reading the frame that it points at.
//! - Bytes that are not a valid frame are **damage**. Reading reports damage as a **finding** and continues after it.
//! - A **repair** is planned, shown, written to a **journal**, and only then applied. It can be undone.
//! - A damaged range that cannot be restored is replaced with a **gap**, a frame of the same size, so that no offset
//!   changes.
//!
//! ```text
//!            header   frame at 16           frame at 171        damage at 326     frame at 481
//!           +--------+---------------------+-------------------+-----------------+---------------- - -
//!  log      | "CHRN" | len | event   | crc | len | event | crc | ?????????????   | len | event ...
//!           +--------+---------------------+-------------------+-----------------+---------------- - -
//!                     ^                     ^                   ^                 ^
//!  index     aggregate 42: 16, 481          aggregate 7: 171    finding: 326..481
//! ```
//!
//! # Writing and reading
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("accounts.log");
//! use chronicle::{Event, EventLog};
//!
//! let mut log = EventLog::open_or_create(&path)?;
//! let event = Event::builder()
//!     .event_type("Updated")
//!     .namespace("accounts")
//!     .schema_id("Person")
//!     .schema_version(1)
//!     .aggregate_id(42)
//!     .payload_json(r#"{"name":"Juan"}"#)
//!     .build()?;
//! let offset = log.append_sync(&event)?; // on stable storage when it returns
//! log.close()?; // saves the index next to the log
//!
//! let log = EventLog::open_read_only(&path)?; // takes no lock
//! let events = log.load_aggregate(42)?;
//! assert_eq!((events[0].offset(), events[0].payload()), (offset, r#"{"name":"Juan"}"#));
//! for event in log.replay(0)? {
//!     println!("{}", event?.json());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Several threads append through a [`SharedWriter`], and share syncs.
//!
//! Each method that writes documents what a power cut can cost. An event written by [`EventLog::append`] survives the
//! death of the process; an event written by [`EventLog::append_sync`] also survives a power cut.
//!
//! # Where to look
//!
//! | task | items |
//! | --- | --- |
//! | append, replay, look up | [`EventLog`], [`OpenOptions`], [`Event`], [`StoredEvent`] |
//! | append from several threads | [`SharedWriter`] |
//! | save, load and merge indexes | [`save_index`], [`load_index`], [`AggregateIndex::merge`] |
//! | verify | [`EventLog::verify`], or [`survey`] with options and progress |
//! | inspect a log and its index, compare two copies | [`inspect`] |
//! | filter, search and page through events | [`query`] |
//! | plan, apply and undo repairs; copy the readable events of a damaged log | [`repair`] |
//! | store a log on another kind of disk | [`storage`] |
//!
//! The folder `examples` has a small program for each common task. `docs/format.md` specifies the bytes of all files.
//!
//! # Errors and stability
//!
//! Every operation on a log that can fail returns [`StorageError`], which names the file, the offset, the expected
//! bytes and the bytes that were found. Options, requests, results and enums that can grow are `#[non_exhaustive]`:
//! options are built by methods, such as `SurveyOptions::new().frames_only()`. Items of the hidden module `internal`
//! are not part of the interface.

mod changed_file;
mod error;
mod error_text;
mod failed_repair;
#[doc(hidden)]
pub mod internal;
pub mod storage;

// The modules of the engine, from the lowest to the highest layer: format, file, index, inspect, repair, log, query.
// Each layer imports only lower ones, which a test checks.
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
#[deny(clippy::indexing_slicing, reason = "the generator of damaged logs reads hostile bytes and must not panic")]
mod sample;

#[cfg(feature = "app")]
#[deny(clippy::indexing_slicing, reason = "backups read what a store returns and must not panic")]
mod backup;
#[cfg(feature = "app")]
mod cli;
#[cfg(feature = "app")]
mod export;
#[cfg(all(any(test, fuzzing), feature = "app"))]
mod fuzz;
#[cfg(feature = "app")]
mod log_disk;
#[cfg(feature = "app")]
mod log_report;
#[cfg(feature = "app")]
mod place;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "app")]
mod report;
#[cfg(feature = "app")]
mod tui;

pub use error::StorageError;
pub use file::Durability;
pub use format::{
    DamageKind, Event, EventBuilder, EventView, Evidence, Finding, ForeignFile, FrameFormat, FrameIdentity,
    HeaderBytes, LogHeader, LogId, LostRange, NewLogFormat, PayloadError, RemovedSegment, SegmentHeader,
    SegmentRemoval, StoredEvent,
};
pub use index::{
    AggregateIndex, AggregateSummary, CountedName, Coverage, IndexFault, IndexState, LostTail, MergeError, NameCounts,
    NameKind, PersistedIndex, SeenEnd, VerificationMark, load_index, save_index,
};
pub use inspect::{OnProgress, OnSurveyUpdate, Progress, Survey, SurveyOptions, SurveyUpdate, survey};
pub use log::{AggregateEvents, EventLog, OpenOptions, PurgedSegments, Replay, ReplayedEvent, SharedWriter};

/// Compiles and runs the examples of `docs/library.md` as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct LibraryGuide;
