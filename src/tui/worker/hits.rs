//! Searches the log for the hits of a filter or a search pattern, one slice per request, so that the screen shows hits
//! as they are found and a new filter never waits long.

use super::SharedState;
use crate::StorageError;
use crate::inspect::{OnProgress, Progress};
use crate::query::Hits;
use crate::tui::message::Response;
use crate::tui::request::ReadPriority;

/// Size in bytes of the first slice, which the user waits for, and of slices that are read at a limited rate. It equals
/// the distance between two progress reports of [`Hits::scan_more`].
const SMALL_SLICE_BYTES: u64 = 1 << 20;

/// Searches the next slice of the log, and returns the hits so far.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` from reading the log.
pub(super) fn search_next_slice(
    shared: &SharedState,
    mut hits: Hits,
    max_slice_bytes: u64,
    priority: ReadPriority,
    on_progress: &mut OnProgress,
) -> Result<Response, StorageError> {
    let view = shared.view();
    // The index lists the events of an aggregate in the first slice, also while the scan has published none.
    let is_first = hits.scanned_bytes() == 0;
    let index = shared.index().or_else(|| shared.known_index(&view).filter(|_| is_first));
    let total = view.log().len()?;
    let limiter =
        Some(shared.rate_limiter()).filter(|limiter| priority == ReadPriority::Background && limiter.is_limited());
    let (scanned_before, mut scanned_now) = (hits.scanned_bytes(), 0);
    let slice_bytes = if limiter.is_some() || scanned_before == 0 { SMALL_SLICE_BYTES } else { max_slice_bytes };
    hits.scan_more(&view, index.as_deref(), slice_bytes, &mut |_| {
        scanned_now += SMALL_SLICE_BYTES;
        let mut report = || on_progress(Progress { position: (scanned_before + scanned_now).min(total), total });
        match limiter {
            Some(limiter) => limiter.throttle(SMALL_SLICE_BYTES, &mut report),
            None => report(),
        }
    })?;
    Ok(Response::Hits(Box::new(hits)))
}
