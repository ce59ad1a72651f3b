//! [`RescanCounter`]: the limit on scanning bytes again that change while they are read.

use std::path::Path;

use crate::StorageError;

/// Largest number of times in a row that the same bytes are scanned again because they have changed.
const MAX_RESCANS: u32 = 8;

/// The number of times in a row that the bytes at one offset were scanned again.
#[derive(Debug, Default)]
pub(super) struct RescanCounter {
    offset: u64,
    count: u32,
}

impl RescanCounter {
    /// Counts a further scan of the bytes at `offset` of the log at `path`.
    ///
    /// # Errors
    /// `Changed` when these bytes were scanned too often, so that a walk over bytes that change without end also ends.
    pub(super) fn count_rescan(&mut self, path: &Path, offset: u64) -> Result<(), StorageError> {
        if self.offset != offset {
            *self = Self { offset, count: 0 };
        }
        self.count += 1;
        if self.count <= MAX_RESCANS {
            return Ok(());
        }
        Err(StorageError::Changed {
            path: path.to_owned(),
            expected: format!("the bytes at offset {offset} to stay as they are while they are read"),
            found: format!("other bytes, {MAX_RESCANS} times in a row: another program is changing them"),
        })
    }
}
