//! [`FrameReader`]: the frames at listed offsets, of which neighbouring ones are read together.

use super::LogFile;
use super::storage::read_until_device_error;
use crate::StorageError;
use crate::format::Frame;
use crate::format::frame::{DecodeResult, decode};

/// The number of bytes that are read for a frame, whose length is not known before. Most frames are shorter.
const FRAME_READ_LEN: u64 = 4096;

/// The largest number of bytes that are read at once for several frames.
const MAX_READ_LEN: u64 = 64 << 10;

/// Reads frames at ascending offsets. Frames that are less than 4 KiB apart are read by one call, up to 64 KiB, and no byte is
/// read that reading each of them alone would not read.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    buf: Vec<u8>,
    /// The offset of the first byte in the buffer.
    start: u64,
    /// The number of bytes in the buffer that were read.
    filled: usize,
}

impl FrameReader {
    /// Reads the valid frame at `offset`; `None` when there is no valid frame at this offset. The frames at the offsets
    /// `following`, which are larger and ascending, are probably read next.
    ///
    /// # Errors
    /// Those of [`LogFile::read_frame_at`].
    pub(crate) fn read(
        &mut self,
        log: &LogFile,
        offset: u64,
        following: &[u64],
    ) -> Result<Option<Frame<'_>>, StorageError> {
        if self.bytes_from(offset).is_empty() {
            self.fill(log, offset, following);
        }
        let found = match decode(self.bytes_from(offset), log.format(), offset) {
            DecodeResult::Complete(frame) => Some(frame.len() as usize),
            DecodeResult::Incomplete { .. } | DecodeResult::Corrupt(_) => None,
        };
        if let Some(len) = found {
            let bytes = self.bytes_from(offset).get(..len).unwrap_or_default();
            return Ok(Some(Frame::from_validated(bytes, log.version())));
        }
        // The frame is larger than the bytes that were read, damaged, or the read has failed.
        self.filled = 0;
        log.read_frame_at(offset, &mut self.buf)
    }

    /// Reads the bytes from `offset` on, up to those that a read of each following frame alone would read. A failed read leaves
    /// no bytes.
    fn fill(&mut self, log: &LogFile, offset: u64, following: &[u64]) {
        let mut end = offset.saturating_add(FRAME_READ_LEN);
        for next in following {
            let next_end = next.saturating_add(FRAME_READ_LEN);
            if *next > end || next_end - offset > MAX_READ_LEN {
                break;
            }
            end = next_end;
        }
        let wanted = (end - offset) as usize;
        if self.buf.len() < wanted {
            self.buf.resize(wanted, 0);
        }
        let into = self.buf.get_mut(..wanted).unwrap_or_default();
        self.filled = read_until_device_error(log.storage(), into, offset).unwrap_or_default();
        self.start = offset;
    }

    /// Returns the bytes from `offset` on that were read; empty when there are none.
    fn bytes_from(&self, offset: u64) -> &[u8] {
        let start = offset.checked_sub(self.start).and_then(|start| usize::try_from(start).ok());
        start.and_then(|start| self.buf.get(start..self.filled)).unwrap_or_default()
    }
}
