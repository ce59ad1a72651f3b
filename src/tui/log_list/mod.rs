//! The list of several logs: a screen of its own, with size, events, damage and index of each log, from which a log is
//! opened.
//!
//! [`model`] has the state and what the keys do, [`view`] draws it, [`scan`] reads the logs on one thread, and [`run`] is
//! the loop.

mod model;
mod run;
mod scan;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use run::run_log_list;
