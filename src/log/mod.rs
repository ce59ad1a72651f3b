//! What a program uses: a log that is opened, read, appended to and closed.
//!
//! Adds no rule of its own: it calls the rooms below in the right order.

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
