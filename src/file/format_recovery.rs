//! Recovers the format of a log of version 2 whose header is lost, from its frames.
//!
//! The checksum of a frame covers the log id, and depends on it only through the CRC of the id. That CRC therefore follows
//! from any frame with its stored checksum. Every sequence of bytes gives some CRC, so the next frame has to confirm it.

use std::path::Path;

use super::storage::{Storage, read_until_device_error};
use crate::StorageError;
use crate::format::byte_layout::u32_at;
use crate::format::crc;
use crate::format::frame::{CHECKSUM_LEN, DecodeResult, LENGTH_LEN, MAX_FRAME, decode, payload_length_at};
use crate::format::{FrameFormat, Version};

/// The largest number of bytes of possible frames whose checksum is computed. A hostile file can have a possible frame of
/// 16 MiB at every byte.
const MAX_COMPUTED_BYTES: u64 = 256 << 20;
/// The size of the ranges that a device cannot read, in bytes.
const SECTOR: u64 = 512;

/// Returns the format of the first two adjacent frames of version 2 in the first `limit` bytes of a file; `None` when there
/// are none.
///
/// # Errors
/// `Io` when the file cannot be read; `OutOfMemory` when there is not enough memory for three frames.
pub(super) fn recover_format(
    storage: &dyn Storage,
    path: &Path,
    limit: u64,
) -> Result<Option<FrameFormat>, StorageError> {
    let len = storage.len().map_err(|error| StorageError::io(path, "measure", error))?.min(limit);
    let mut search =
        FormatSearch { storage, path, len, start: 0, bytes: Vec::new(), is_cut_short: false, computed_bytes: 0 };
    let mut at = Version::V2.first_frame_offset();
    while at < len && search.computed_bytes < MAX_COMPUTED_BYTES {
        search.fill(at)?;
        at = match search.bytes_from(at) {
            // The device cannot read here.
            [] => (at / SECTOR + 1) * SECTOR,
            [0, ..] => match search.format_at(at) {
                Some(format) => return Ok(Some(format)),
                None => at + 1,
            },
            bytes => at + memchr::memchr(0, bytes).unwrap_or(bytes.len()) as u64,
        };
    }
    Ok(None)
}

/// A search over the start of a file.
struct FormatSearch<'a> {
    storage: &'a dyn Storage,
    path: &'a Path,
    /// End of the searched part.
    len: u64,
    /// File offset of `bytes`.
    start: u64,
    bytes: Vec<u8>,
    /// True when the device could not read the bytes after `bytes`.
    is_cut_short: bool,
    computed_bytes: u64,
}

impl FormatSearch<'_> {
    /// Reads until two frames that start at `at` are in the buffer, or the end of the searched part.
    fn fill(&mut self, at: u64) -> Result<(), StorageError> {
        let wanted = (self.len - at).min(2 * MAX_FRAME as u64);
        let loaded_end = self.start + self.bytes.len() as u64;
        // Where the device cannot read more, reading again would not help.
        let is_loaded = at + wanted <= loaded_end || (self.is_cut_short && at < loaded_end);
        if at >= self.start && is_loaded {
            return Ok(());
        }
        let read_len = (self.len - at).min(3 * MAX_FRAME as u64) as usize;
        self.bytes.clear();
        self.bytes.try_reserve_exact(read_len).map_err(|_| StorageError::OutOfMemory {
            path: self.path.to_owned(),
            offset: at,
            bytes: read_len as u64,
        })?;
        self.bytes.resize(read_len, 0);
        self.start = at;
        let read = read_until_device_error(self.storage, &mut self.bytes, at)
            .map_err(|error| StorageError::io_at(self.path, "read", at, error))?;
        self.bytes.truncate(read);
        self.is_cut_short = read < read_len;
        Ok(())
    }

    fn bytes_from(&self, at: u64) -> &[u8] {
        at.checked_sub(self.start).and_then(|skip| self.bytes.get(skip as usize..)).unwrap_or_default()
    }

    /// Returns the format in which a frame at `at` and the frame after it are valid.
    fn format_at(&mut self, at: u64) -> Option<FrameFormat> {
        let bytes = self.bytes_from(at);
        let covered_len = LENGTH_LEN + payload_length_at(bytes, 0)? as usize;
        let next_start = covered_len + CHECKSUM_LEN;
        let next = bytes.get(next_start..)?;
        let starts_payload = |bytes: &[u8]| bytes.get(LENGTH_LEN) == Some(&b'{');
        if !starts_payload(bytes) || !starts_payload(next) || payload_length_at(next, 0).is_none() {
            return None;
        }
        let (covered, stored) = (bytes.get(..covered_len)?, u32_at(bytes, covered_len)?);
        let own = crc::extend(crc::checksum(&at.to_be_bytes()), covered);
        let id_checksum = crc::prefix_checksum(own, stored, (size_of::<u64>() + covered_len) as u64);
        let format = FrameFormat::with_id_checksum(id_checksum);
        let is_confirmed = matches!(decode(next, format, at + next_start as u64), DecodeResult::Complete(_));
        self.computed_bytes += next_start as u64;
        is_confirmed.then_some(format)
    }
}
