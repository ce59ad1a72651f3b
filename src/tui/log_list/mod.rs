//! The list of several logs: a screen of its own, with size, events, damage and index of each log, from which a log is
//! opened.
//!
//! [`keys`] has the table of keys, [`model`] the state and what the keys do, [`view`] draws it, [`scan`] reads the logs on one thread, and [`run`] is
//! the loop.

mod keys;
mod model;
mod run;
mod scan;
#[cfg(test)]
mod tests;
mod view;

pub use keys::LOG_LIST_KEYS;
pub(crate) use run::run_log_list;
