//! Hits, a slice at a time: what was looked at is shown between two of them, and a newer filter never waits long.

use super::{OnProgress, Shared};
use crate::StorageError;
use crate::query::Hits;
use crate::tui::effect::Pace;
use crate::tui::message::Told;
use crate::tui::model::SLICE;

/// Bytes of the first slice, which somebody waits for, and of those that are read slowly.
const SMALL: u64 = 1 << 20;
/// Looks at a slice more of the log.
///
/// # Errors
/// `Stopped`; `Io`, `Changed`, `Memory`.
pub(super) fn look_on(shared: &Shared, mut hits: Hits, pace: Pace, on: &mut OnProgress) -> Result<Told, StorageError> {
    let (view, index) = (shared.view(), shared.index());
    let total = view.log().len()?;
    let budget = Some(shared.budget()).filter(|budget| pace == Pace::Behind && budget.is_bound());
    let (before, mut looked) = (hits.looked(), 0);
    let slice = if budget.is_some() || before == 0 { SMALL } else { SLICE };
    hits.look_on(&view, index.as_deref(), slice, &mut |_| {
        // It is told about every mebibyte.
        looked += SMALL;
        let mut go_on = || on((before + looked).min(total), total);
        match budget {
            Some(budget) => budget.spend(SMALL, &mut go_on),
            None => go_on(),
        }
    })?;
    Ok(Told::Hits(Box::new(hits)))
}
