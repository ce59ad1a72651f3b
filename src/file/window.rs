//! A sliding window over a file: the bytes that a scan is reading, loaded in chunks of about one mebibyte.
//!
//! The window grows to the size of one frame at most, and only after that size was checked against the size of the
//! file.

use std::ops::Range;

use super::LogFile;
use super::storage::{is_device_error, read_full};
use crate::StorageError;

/// The number of bytes that are read at once.
pub(super) const READ_CHUNK_LEN: usize = 1 << 20;
/// After a failed read, the range is read again in pieces of this size, to find the bytes that the device cannot read.
const RETRY_PAGE_LEN: u64 = 4096;

/// The bytes `base..base + filled` of a file.
#[derive(Debug)]
pub(super) struct ReadWindow {
    buf: Vec<u8>,
    base: u64,
    filled: usize,
    /// The window does not read ahead past this offset. It reads bytes after the limit only when they are needed.
    pub(super) read_ahead_limit: u64,
    /// The largest number of bytes that `fill` provides at once. It returns `OutOfMemory` for more.
    pub(super) max_need: usize,
    /// Ranges that the device cannot read, ascending. Their bytes in the window are zero.
    pub(super) unreadable: Vec<Range<u64>>,
}

impl ReadWindow {
    /// Creates an empty window at `base`.
    pub(super) const fn new(base: u64) -> Self {
        Self {
            buf: Vec::new(),
            base,
            filled: 0,
            read_ahead_limit: u64::MAX,
            max_need: usize::MAX,
            unreadable: Vec::new(),
        }
    }

    /// Empties the window, moves it to `base`, and keeps its buffer.
    pub(super) fn restart(&mut self, base: u64) {
        (self.base, self.filled) = (base, 0);
        self.read_ahead_limit = u64::MAX;
        self.unreadable.clear();
        // A buffer that held a large frame shrinks again.
        self.buf.truncate(2 * READ_CHUNK_LEN);
        self.buf.shrink_to(2 * READ_CHUNK_LEN);
    }

    /// Returns the loaded bytes from `at` on; empty when the window does not hold the byte at `at`.
    #[inline]
    pub(super) fn bytes_from(&self, at: u64) -> &[u8] {
        let start = at.checked_sub(self.base).and_then(|start| usize::try_from(start).ok());
        start.and_then(|start| self.buf.get(start..self.filled)).unwrap_or_default()
    }

    /// Loads `need` bytes from `at` on, or the bytes up to `end` when those are fewer. Bytes before `at` may be
    /// dropped.
    ///
    /// # Errors
    /// `OutOfMemory` when `need` exceeds `max_need` or the buffer cannot grow; `Io` when a read fails. Ranges that the
    /// device cannot read are not an error.
    #[cold]
    pub(super) fn fill(&mut self, log: &LogFile, at: u64, need: usize, end: u64) -> Result<(), StorageError> {
        let out_of_memory =
            |bytes: usize| StorageError::OutOfMemory { path: log.path().to_owned(), offset: at, bytes: bytes as u64 };
        if need > self.max_need {
            return Err(out_of_memory(need));
        }
        let filled_to = self.base + self.filled as u64;
        if at < self.base || at > filled_to {
            (self.base, self.filled) = (at, 0);
        }
        let consumed_len = (at - self.base) as usize;
        // One chunk more than needed is loaded, so that the next calls find their bytes in the window.
        let read_ahead_end = if at < self.read_ahead_limit { self.read_ahead_limit } else { u64::MAX };
        let wanted = (need as u64 + READ_CHUNK_LEN as u64).min(read_ahead_end - at).max(need as u64);
        let wanted = wanted.min(end.saturating_sub(at)) as usize;
        // Moving the remaining bytes to the front costs time proportional to their number. They are moved when they are
        // few, or when the window would otherwise exceed a frame by more than a few chunks.
        let max_window_len = crate::format::frame::MAX_FRAME + 4 * READ_CHUNK_LEN;
        if consumed_len >= self.filled / 2 || consumed_len + wanted > max_window_len {
            self.buf.copy_within(consumed_len..self.filled, 0);
            self.filled -= consumed_len;
            self.base = at;
        }
        let target_len = (at - self.base) as usize + wanted;
        if target_len > self.buf.len() {
            let added_len = target_len - self.buf.len();
            self.buf.try_reserve_exact(added_len).map_err(|_| out_of_memory(target_len))?;
            self.buf.resize(target_len, 0);
        }
        if let Some(missing) = self.buf.get_mut(self.filled..target_len) {
            let offset = self.base + self.filled as u64;
            let read = match read_full(log.storage(), missing, offset) {
                Ok(read) => read,
                Err(_) => read_skipping_unreadable(log, missing, offset, &mut self.unreadable)?,
            };
            self.filled += read;
        }
        Ok(())
    }
}

/// Reads a range page by page after a read of the whole range failed. Fills pages that the device cannot read with
/// zeros, and adds their ranges to `unreadable`.
fn read_skipping_unreadable(
    log: &LogFile,
    buf: &mut [u8],
    offset: u64,
    unreadable: &mut Vec<Range<u64>>,
) -> Result<usize, StorageError> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = offset + done as u64;
        let len = ((RETRY_PAGE_LEN - at % RETRY_PAGE_LEN) as usize).min(rest.len());
        let (page, _) = rest.split_at_mut(len);
        match read_full(log.storage(), page, at) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if is_device_error(&error) => {
                page.fill(0);
                let range = at..at + len as u64;
                match unreadable.last_mut().filter(|last| last.end == range.start) {
                    Some(last) => last.end = range.end,
                    None => unreadable.push(range),
                }
                done += len;
            }
            Err(error) => return Err(log.read_error(at, error)),
        }
    }
    Ok(done)
}
