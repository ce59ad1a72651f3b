//! Reads the bytes that the file of a sealed segment has after its end.

use std::io;

use sha2::{Digest, Sha256};

use super::log_bytes::{CHUNK, ChunkVisitor};
use super::segment_write::ExcessBytes;
use crate::StorageError;
use crate::file::LogFile;
use crate::file::storage::read_full;

impl ExcessBytes {
    /// Reads the bytes after the segment that ends at the offset `end`.
    ///
    /// # Errors
    /// `Io` when they cannot be read, also when there is no such segment.
    pub(crate) fn read(log: &LogFile, end: u64) -> Result<Self, StorageError> {
        let segment = log.storage().segments().zip(end.checked_sub(1)).map(|(set, last)| (set, set.segment_at(last)));
        let (base, bytes) = segment.map_or((end, 0), |(set, segment)| (segment.base, set.excess_bytes(segment.base)));
        let mut excess = Self { base, bytes, sha256: Vec::new() };
        let mut hash = Sha256::new();
        excess.for_each_chunk(log, end, &mut |_, bytes| {
            hash.update(bytes);
            Ok(())
        })?;
        excess.sha256 = hash.finalize().to_vec();
        Ok(excess)
    }

    /// Calls `visit` with the bytes in chunks, each with its offset as if the segment that ends at `end` went on.
    ///
    /// # Errors
    /// `Io` when they cannot be read; the errors of `visit`.
    pub(crate) fn for_each_chunk(&self, log: &LogFile, end: u64, visit: &mut ChunkVisitor) -> Result<(), StorageError> {
        let to_error = |error| StorageError::io_at(log.path(), "read", end, error);
        let Some(segments) = log.storage().segments() else { return Ok(()) };
        let file = segments.segment_storage(self.base).map_err(to_error)?;
        let mut buf = vec![0; self.bytes.min(CHUNK) as usize];
        let mut done = 0;
        while done < self.bytes {
            let len = (self.bytes - done).min(CHUNK) as usize;
            let chunk = buf.get_mut(..len).unwrap_or_default();
            let read = read_full(file.as_ref(), chunk, end - self.base + done).map_err(to_error)?;
            if read < len {
                return Err(to_error(io::ErrorKind::UnexpectedEof.into()));
            }
            visit(end + done, chunk)?;
            done += len as u64;
        }
        Ok(())
    }
}
