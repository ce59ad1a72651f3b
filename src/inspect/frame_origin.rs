//! The origin of a whole frame of version 2 whose checksum does not match its offset: another offset in the same log, or a
//! program that wrote a checksum of version 1.

use crate::StorageError;
use crate::file::LogFile;
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN, MIN_FRAME};
use crate::format::{Evidence, FrameFormat, Version, byte_layout};

/// The largest number of 4 GiB ranges of a log in which the original of a frame is searched. Each costs one read.
const MAX_SEARCHED_RANGES: usize = 64;

/// What the bytes of a damaged frame show about the offset for which it was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FrameOrigin {
    /// The offset of a valid frame of the log with the same bytes.
    copy_of: Option<u64>,
    /// True when the checksum is that of version 1.
    is_version_1: bool,
}

impl FrameOrigin {
    /// Finds the origin of the frame with these bytes at `at`. Before version 2, and for most damage, there is none.
    ///
    /// The checksum gives one possible offset in each 4 GiB of the log. The frame is a copy when a valid frame with the same
    /// bytes is there.
    ///
    /// # Errors
    /// `Io` when the log cannot be read.
    pub(super) fn find(log: &LogFile, at: u64, frame: &[u8]) -> Result<Self, StorageError> {
        let covered_len = frame.len().saturating_sub(CHECKSUM_LEN);
        let (Some(covered), Some(stored)) = (frame.get(..covered_len), byte_layout::u32_at(frame, covered_len)) else {
            return Ok(Self::default());
        };
        if log.version() != Version::V2 || frame.len() < MIN_FRAME {
            return Ok(Self::default());
        }
        let is_version_1 = FrameFormat::V1.checksum(at, covered) == stored;
        let end = log.len()?;
        for range in (0..=end >> u32::BITS).take(MAX_SEARCHED_RANGES) {
            let Some(offset) = log.format().offset_of_frame(covered, stored, range as u32) else { break };
            if offset != at && offset < end && is_frame_at(log, offset, frame)? {
                return Ok(Self { copy_of: Some(offset), is_version_1 });
            }
        }
        Ok(Self { copy_of: None, is_version_1 })
    }

    /// Adds the origin to the evidence of a finding.
    pub(super) const fn add_to(self, evidence: &mut Evidence) {
        evidence.copy_of = self.copy_of;
        evidence.is_version_1 = self.is_version_1;
    }
}

/// True when a valid frame with the bytes of `frame` starts at `offset`. A frame of another length is not read, because many
/// damaged frames can name one large frame.
fn is_frame_at(log: &LogFile, offset: u64, frame: &[u8]) -> Result<bool, StorageError> {
    let mut length = [0; LENGTH_LEN];
    let has_same_length =
        log.read_at(&mut length, offset).is_ok_and(|read| read == LENGTH_LEN && frame.starts_with(&length));
    let mut buf = Vec::new();
    Ok(has_same_length && log.read_frame_at(offset, &mut buf)?.is_some_and(|original| original.bytes() == frame))
}
