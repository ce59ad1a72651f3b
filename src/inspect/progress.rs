//! The progress of a long operation, and the callback that receives it and can cancel the operation.

use std::ops::ControlFlow;

use crate::StorageError;

/// The progress of a long operation. Both numbers are file offsets, or numbers of bytes when several files are read.
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

/// Converts `Break`, the answer of a callback, to [`StorageError::Cancelled`].
pub(crate) fn cancelled_if_break(answer: ControlFlow<()>) -> Result<(), StorageError> {
    match answer {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(StorageError::Cancelled),
    }
}
