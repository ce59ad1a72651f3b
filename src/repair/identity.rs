//! What a plan rests on: which log it is, the bytes of a range, the frames next to one.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::{LogIdentity, Neighbour};
use crate::StorageError;
use crate::file::{FileIdentity, LogFile};
use crate::format::{HEADER_LEN, Version};

/// Bytes read at once.
pub(super) const CHUNK: u64 = 1 << 20;

/// Which log this is, as it stands.
pub(super) fn read_identity(log: &LogFile) -> Result<LogIdentity, StorageError> {
    let file = log.storage().identity().map_err(|error| StorageError::io(log.path(), "find", error))?;
    Ok(LogIdentity {
        path: log.path().to_owned(),
        header: read_header_bytes(log)?,
        first_checksum: read_first_checksum(log)?,
        file: (file != FileIdentity::UNKNOWN).then_some((file.device, file.inode)),
        bytes: log.len()?,
    })
}

/// The first 16 bytes, or as many as there are.
pub(super) fn read_header_bytes(log: &LogFile) -> Result<Vec<u8>, StorageError> {
    let mut bytes = vec![0; HEADER_LEN as usize];
    let read = log.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// The checksum of the frame behind the header, where a valid one stands.
pub(super) fn read_first_checksum(log: &LogFile) -> Result<Option<u32>, StorageError> {
    Ok(read_neighbour(log, Version::V1.first_frame_offset())?.map(|frame| frame.checksum))
}

/// The valid frame at `offset`.
pub(super) fn read_neighbour(log: &LogFile, offset: u64) -> Result<Option<Neighbour>, StorageError> {
    let mut buf = Vec::new();
    Ok(log.read_frame_at(offset, &mut buf)?.map(|frame| Neighbour { offset, checksum: frame.checksum() }))
}

/// Is told an offset and the bytes that stand there.
pub(super) type ChunkVisitor<'a> = dyn FnMut(u64, &[u8]) -> Result<(), StorageError> + 'a;

/// Tells `each` the bytes of a range, a chunk at a time.
pub(super) fn for_each_chunk(log: &LogFile, range: Range<u64>, visit: &mut ChunkVisitor) -> Result<(), StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(CHUNK) as usize];
    let mut at = range.start;
    while at < range.end {
        let len = (range.end - at).min(CHUNK) as usize;
        let chunk = buf.get_mut(..len).unwrap_or_default();
        let read = log.read_at(chunk, at)?;
        log.ensure_bytes_available(at + read as u64, at + len as u64)?;
        visit(at, chunk)?;
        at += len as u64;
    }
    Ok(())
}

/// SHA-256 of a range.
pub(super) fn sha256_of_range(log: &LogFile, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
    let mut hash = Sha256::new();
    for_each_chunk(log, range, &mut |_, bytes| {
        hash.update(bytes);
        Ok(())
    })?;
    Ok(hash.finalize().to_vec())
}

/// SHA-256 of some bytes.
pub(super) fn sha256_of_bytes(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}
