//! How far a long operation has come, and the callback that is told and can cancel it.

use std::ops::ControlFlow;

use crate::StorageError;

/// How far a long operation has come. Both numbers are file offsets, or bytes where no one file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The operation has read up to this offset.
    pub position: u64,
    /// The offset at which the operation ends.
    pub total: u64,
}

/// A callback that is called about once per mebibyte. `Break` cancels the operation, which then fails with
/// [`StorageError::Cancelled`].
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// Turns the answer of a callback into [`StorageError::Cancelled`] where it is `Break`.
pub(crate) fn cancelled_if_break(answer: ControlFlow<()>) -> Result<(), StorageError> {
    match answer {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(StorageError::Cancelled),
    }
}
