//! The clock of this machine.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time of this machine's clock, in milliseconds since the Unix epoch; 0 when the clock is set before it.
pub(crate) fn now_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
