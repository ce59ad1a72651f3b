//! Hits, a slice at a time: what was looked at is shown between two of them, and a newer filter never waits long.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use super::{OnProgress, Shared};
use crate::StorageError;
use crate::query::Hits;
use crate::tui::effect::Pace;
use crate::tui::message::Told;
use crate::tui::model::SLICE;

/// Bytes of the first slice, which somebody waits for, and of those that are read slowly.
const SMALL: u64 = 1 << 20;
/// Longest sleep before a stop is heard.
const NAP: Duration = Duration::from_millis(50);

/// Looks at a slice more of the log.
///
/// # Errors
/// `Stopped`; `Io`, `Changed`, `Memory`.
pub(super) fn look_on(shared: &Shared, mut hits: Hits, pace: Pace, on: &mut OnProgress) -> Result<Told, StorageError> {
    let (view, index) = (shared.view(), shared.index());
    let total = view.log().len()?;
    let rate = shared.settings().rate.filter(|_| pace == Pace::Behind);
    let (before, mut looked) = (hits.looked(), 0);
    let slice = if rate.is_some() || before == 0 { SMALL } else { SLICE };
    hits.look_on(&view, index.as_deref(), slice, &mut |_| {
        // It is told about every mebibyte.
        looked += SMALL;
        let until = rate.map(|rate| Instant::now() + Duration::from_secs_f64(SMALL as f64 / rate.max(1) as f64));
        loop {
            let left = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            if on((before + looked).min(total), total).is_break() {
                return ControlFlow::Break(());
            }
            if left.is_zero() {
                return ControlFlow::Continue(());
            }
            thread::sleep(left.min(NAP));
        }
    })?;
    Ok(Told::Hits(Box::new(hits)))
}
