//! Reads the bytes that a plan is compared with: the identity of a log, hashes of its ranges, and single valid frames.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::plan::ShortSegment;
use super::{LogIdentity, WorkMeter, refused_error};
use crate::StorageError;
use crate::file::{LogFile, SegmentBounds, SegmentCondition};
use crate::format::FrameIdentity;

/// Largest number of bytes that are read at once.
pub(crate) const CHUNK: u64 = 1 << 20;

/// Reads what identifies the log: path, header, first frame, file and size.
pub(crate) fn read_identity(log: &LogFile) -> Result<LogIdentity, StorageError> {
    let file = log.storage().identity().map_err(|error| StorageError::io(log.path(), "find", error))?;
    Ok(LogIdentity {
        path: log.path().to_owned(),
        format: log.format(),
        header: log.read_header()?,
        first_checksum: read_first_checksum(log)?,
        file: file.device_inode,
        bytes: log.len()?,
        short_segments: short_segments(log),
    })
}

/// Returns the sealed segments whose files end before the next segment.
fn short_segments(log: &LogFile) -> Vec<ShortSegment> {
    let Some(segments) = log.storage().segments() else { return Vec::new() };
    let bounds = segments.bases().into_iter().map(|base| segments.segment_at(base));
    let is_short =
        |segment: &SegmentBounds| segment.condition == SegmentCondition::Present && !segment.missing().is_empty();
    bounds.filter(is_short).map(|segment| ShortSegment { base: segment.base, end: segment.data_end }).collect()
}

/// True when the log starts with the bytes. Bytes that cannot be read are other ones.
pub(crate) fn starts_with(log: &LogFile, expected: &[u8]) -> bool {
    let mut bytes = vec![0; expected.len()];
    log.read_at(&mut bytes, log.header_range().start).is_ok_and(|read| read == expected.len()) && bytes == expected
}

/// Reads the checksum of the frame that follows the header; `None` when no valid frame starts there.
pub(crate) fn read_first_checksum(log: &LogFile) -> Result<Option<u32>, StorageError> {
    Ok(read_neighbour(log, log.first_frame_offset())?.map(|frame| frame.checksum))
}

/// Reads the valid frame that starts at `offset`; `None` when there is none.
pub(crate) fn read_neighbour(log: &LogFile, offset: u64) -> Result<Option<FrameIdentity>, StorageError> {
    let mut buf = Vec::new();
    Ok(log.read_frame_at(offset, &mut buf)?.map(|frame| FrameIdentity { offset, checksum: frame.checksum() }))
}

/// A callback that receives a file offset and the bytes that start there.
pub(crate) type ChunkVisitor<'a> = dyn FnMut(u64, &[u8]) -> Result<(), StorageError> + 'a;

/// Calls `visit` with the bytes of a range, in chunks of at most [`CHUNK`] bytes, and `meter` after each.
pub(crate) fn for_each_chunk(
    log: &LogFile,
    range: Range<u64>,
    meter: &WorkMeter,
    visit: &mut ChunkVisitor,
) -> Result<(), StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(CHUNK) as usize];
    let mut at = range.start;
    while at < range.end {
        let len = (range.end - at).min(CHUNK) as usize;
        let chunk = buf.get_mut(..len).unwrap_or_default();
        let read = log.read_at(chunk, at)?;
        log.ensure_bytes_available(at + read as u64, at + len as u64)?;
        visit(at, chunk)?;
        at += len as u64;
        meter.advance(len as u64)?;
    }
    Ok(())
}

/// True when every byte is zero.
pub(crate) fn is_all_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|byte| *byte == 0)
}

/// Computes the SHA-256 of a range of the log.
pub(crate) fn sha256_of_range(log: &LogFile, range: Range<u64>, meter: &WorkMeter) -> Result<Vec<u8>, StorageError> {
    let mut hash = Sha256::new();
    for_each_chunk(log, range, meter, &mut |_, bytes| {
        hash.update(bytes);
        Ok(())
    })?;
    Ok(hash.finalize().to_vec())
}

/// Computes the SHA-256 of `range`, the last bytes of the log; `None` when the log does not end where the range ends.
///
/// Each read asks for one byte more than the log should have, so that growth between two reads is noticed.
pub(crate) fn sha256_of_end(
    log: &LogFile,
    range: Range<u64>,
    meter: &WorkMeter,
) -> Result<Option<Vec<u8>>, StorageError> {
    let Range { start, end } = range;
    let mut hash = Sha256::new();
    let mut buf = vec![0; (end + 1 - start).min(CHUNK) as usize];
    let mut at = start;
    while at <= end {
        let wanted = (end + 1 - at).min(CHUNK);
        let read = log.read_at(buf.get_mut(..wanted as usize).unwrap_or_default(), at)?;
        if read as u64 != wanted.min(end - at) {
            return Ok(None);
        }
        hash.update(buf.get(..read).unwrap_or_default());
        at += wanted;
        meter.advance(wanted)?;
    }
    Ok(Some(hash.finalize().to_vec()))
}

/// Refuses a file that has several hard links, because a repair in place would change the file under all of its names.
pub(crate) fn ensure_no_hard_links(log: &LogFile) -> Result<(), StorageError> {
    let path = log.path();
    let links = log.storage().identity().map_err(|error| StorageError::io(path, "find", error))?.links;
    if links <= 1 {
        return Ok(());
    }
    let reason = format!("the file has {links} names (hard links), and a repair in place would change all of them");
    Err(refused_error(path, reason, "Write a new log with `chronicle salvage`"))
}
