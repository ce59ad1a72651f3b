//! Counts and finds zero bytes in a damaged range, which is read in chunks of a mebibyte.

use std::ops::Range;

use crate::StorageError;
use crate::file::LogFile;

/// Returns the offset of the last byte of `range` that is not zero; `None` when all are zero.
pub(super) fn find_last_nonzero(log: &LogFile, range: &Range<u64>) -> Result<Option<u64>, StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(1 << 20) as usize];
    let mut end = range.end;
    while end > range.start {
        let len = (end - range.start).min(buf.len() as u64);
        let from = end - len;
        let chunk = buf.get_mut(..len as usize).unwrap_or_default();
        let read = log.read_at(chunk, from)?;
        log.ensure_bytes_available(from + read as u64, end)?;
        if let Some(last) = chunk.iter().rposition(|byte| *byte != 0) {
            return Ok(Some(from + last as u64));
        }
        end = from;
    }
    Ok(None)
}

/// Returns the share of zero bytes in `range`, from 0 to 1.
pub(super) fn measure_zero_share(log: &LogFile, range: &Range<u64>) -> Result<f64, StorageError> {
    let mut buf = vec![0; (range.end - range.start).min(1 << 20) as usize];
    let (mut at, mut zeros) = (range.start, 0usize);
    while at < range.end && !buf.is_empty() {
        let len = (range.end - at).min(buf.len() as u64);
        let chunk = buf.get_mut(..len as usize).unwrap_or_default();
        let read = log.read_at(chunk, at)?;
        log.ensure_bytes_available(at + read as u64, at + len)?;
        zeros += chunk.iter().filter(|byte| **byte == 0).count();
        at += len;
    }
    Ok(zeros as f64 / (range.end - range.start).max(1) as f64)
}
