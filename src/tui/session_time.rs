//! The clock of a session: time since the screen was opened.

use std::time::Duration;

/// Time since the screen was opened.
///
/// Every key carries it, so that a dialog can ignore keys that were typed before the dialog was drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SessionTime(pub(crate) Duration);
