//! Hits, a slice at a time: what was looked at is shown between two of them, and a newer filter never waits long.

use super::{ProgressCallback, SharedState};
use crate::StorageError;
use crate::query::Hits;
use crate::tui::effect::ReadPriority;
use crate::tui::message::Response;
use crate::tui::model::HIT_SLICE_BYTES;

/// Bytes of the first slice, which somebody waits for, and of those that are read slowly.
const SMALL_SLICE_BYTES: u64 = 1 << 20;
/// Looks at a slice more of the log.
///
/// # Errors
/// `Stopped`; `Io`, `Changed`, `Memory`.
pub(super) fn search_next_slice(
    shared: &SharedState,
    mut hits: Hits,
    pace: ReadPriority,
    on: &mut ProgressCallback,
) -> Result<Response, StorageError> {
    let (view, index) = (shared.view(), shared.index());
    let total = view.log().len()?;
    let budget = Some(shared.rate_limiter()).filter(|budget| pace == ReadPriority::Background && budget.is_limited());
    let (before, mut slice_bytes) = (hits.scanned_bytes(), 0);
    let slice = if budget.is_some() || before == 0 { SMALL_SLICE_BYTES } else { HIT_SLICE_BYTES };
    hits.scan_more(&view, index.as_deref(), slice, &mut |_| {
        // It is told about every mebibyte.
        slice_bytes += SMALL_SLICE_BYTES;
        let mut go_on = || on((before + slice_bytes).min(total), total);
        match budget {
            Some(budget) => budget.throttle(SMALL_SLICE_BYTES, &mut go_on),
            None => go_on(),
        }
    })?;
    Ok(Response::Hits(Box::new(hits)))
}
