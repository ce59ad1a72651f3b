//! The clock of a session: time since the screen was opened.

use std::time::Duration;

/// Time since the screen was opened.
///
/// Every key carries the time at which it was typed, so that a dialog can ignore keys typed before it was drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionTime(pub(crate) Duration);
