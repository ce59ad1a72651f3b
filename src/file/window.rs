//! A sliding window over a file: the bytes a scan is looking at, read in pieces of about one mebibyte.
//!
//! It grows only as far as one frame can, and only after the need was checked against the file's size.

use std::ops::Range;

use super::LogFile;
use super::storage::{is_device_error, read_full};
use crate::StorageError;

/// How much is read at once.
pub(super) const READ_CHUNK_LEN: usize = 1 << 20;
/// What a device refuses is looked for in pieces of this size.
const RETRY_PAGE_LEN: u64 = 4096;

/// Bytes `base..base + filled` of a file.
#[derive(Debug)]
pub(super) struct ReadWindow {
    buf: Vec<u8>,
    base: u64,
    filled: usize,
    /// Nothing behind this is read until something there is needed.
    pub(super) read_ahead_limit: u64,
    /// It does not grow for a need of more bytes than this.
    pub(super) max_need: usize,
    /// Ranges the device refused, ascending; their bytes in the window are zero.
    pub(super) unreadable: Vec<Range<u64>>,
}

impl ReadWindow {
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

    /// Forgets what it holds, and keeps the memory for what comes next.
    pub(super) fn restart(&mut self, base: u64) {
        (self.base, self.filled) = (base, 0);
        self.read_ahead_limit = u64::MAX;
        self.unreadable.clear();
        // A window that held a large frame is not kept that large.
        self.buf.truncate(2 * READ_CHUNK_LEN);
        self.buf.shrink_to(2 * READ_CHUNK_LEN);
    }

    /// What the window holds from `at` on; empty when `at` lies outside.
    #[inline]
    pub(super) fn bytes_from(&self, at: u64) -> &[u8] {
        let start = at.checked_sub(self.base).and_then(|start| usize::try_from(start).ok());
        start.and_then(|start| self.buf.get(start..self.filled)).unwrap_or_default()
    }

    /// Makes the window hold `need` bytes from `at` on, or all up to `end`.
    ///
    /// Bytes before `at` may be forgotten.
    #[cold]
    pub(super) fn fill(&mut self, log: &LogFile, at: u64, need: usize, end: u64) -> Result<(), StorageError> {
        let no_memory =
            |bytes: usize| StorageError::OutOfMemory { path: log.path().to_owned(), offset: at, bytes: bytes as u64 };
        if need > self.max_need {
            return Err(no_memory(need));
        }
        let filled_to = self.base + self.filled as u64;
        if at < self.base || at > filled_to {
            (self.base, self.filled) = (at, 0);
        }
        let ahead = (at - self.base) as usize;
        // A chunk more than needed, so that the next need, a little further on, finds it here.
        let ahead_to = if at < self.read_ahead_limit { self.read_ahead_limit } else { u64::MAX };
        let wanted = (need as u64 + READ_CHUNK_LEN as u64).min(ahead_to - at).max(need as u64);
        let wanted = wanted.min(end.saturating_sub(at)) as usize;
        // Moving the rest to the front costs what the rest is long, so it is done when that is little, or when the
        // window would otherwise outgrow a frame by more than a few chunks.
        if ahead >= self.filled / 2 || ahead + wanted > crate::format::frame::MAX_FRAME + 4 * READ_CHUNK_LEN {
            self.buf.copy_within(ahead..self.filled, 0);
            self.filled -= ahead;
            self.base = at;
        }
        let target = (at - self.base) as usize + wanted;
        if target > self.buf.len() {
            let more = target - self.buf.len();
            self.buf.try_reserve_exact(more).map_err(|_| no_memory(target))?;
            self.buf.resize(target, 0);
        }
        if let Some(missing) = self.buf.get_mut(self.filled..target) {
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

/// Reads page by page what could not be read at once, and writes down the pages that the device refuses.
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
            Err(error) => return Err(StorageError::io_at(log.path(), "read", at, error)),
        }
    }
    Ok(done)
}
