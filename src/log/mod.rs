//! The event log that a program uses: it is opened, read, appended to and closed.
//!
//! This module adds no rule of its own. It calls the modules below it in the right order.

mod aggregate;
mod event_log;
mod indexing;
mod options;
mod replay;

pub use aggregate::AggregateEvents;
pub use event_log::EventLog;
pub use options::OpenOptions;
#[cfg(feature = "app")]
pub(crate) use options::now_ms;
pub use replay::Replay;
