//! The size up to which a gap fills the lost end of a log.
//!
//! The end comes from the index, so a wrong index could make a repair write any amount. A gap that does not fit on the
//! disk is never planned, and one that is large compared with the log only when the user has accepted it.

use crate::StorageError;
use crate::file::folder_of;
use crate::inspect::LogView;
use crate::repair::types::RepairOptions;

/// The number of bytes that a gap may always add to the log.
const ALWAYS_ALLOWED_BYTES: u64 = 64 << 20;

/// The size of the log and the free space, with which the size of a gap is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct GapLimits {
    log_bytes: u64,
    /// Bytes that can still be written to the disk of the log; `None` when the platform does not report it.
    free_bytes: Option<u64>,
    accepts_large_gap: bool,
}

impl GapLimits {
    /// Reads the size of the log and the free space of its disk.
    pub(super) fn read(view: &LogView, options: &RepairOptions) -> Result<Self, StorageError> {
        let free_bytes = view.disk().available_space(folder_of(view.path()));
        Ok(Self { log_bytes: view.log().len()?, free_bytes, accepts_large_gap: options.accept_large_gap })
    }

    /// Returns the reason why a gap must not add `growth` bytes to the log; `None` when it may.
    pub(super) fn reason_against(&self, growth: u64) -> Option<String> {
        if let Some(free) = self.free_bytes.filter(|free| growth > *free) {
            return Some(format!(
                "a gap over the lost end takes {growth} bytes on the disk, and {free} are free: free some space, or \
                 drop the lost end with --forget, which lets new events reuse its offsets"
            ));
        }
        let is_large = growth > ALWAYS_ALLOWED_BYTES && growth > self.log_bytes;
        (is_large && !self.accepts_large_gap).then(|| {
            format!(
                "a gap over the lost end takes {growth} bytes on the disk, more than the log of {} bytes: write it \
                 with --large-gap, or drop the lost end with --forget, which lets new events reuse its offsets",
                self.log_bytes
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_limited_by_the_free_space_and_by_the_size_of_the_log() {
        const MIB: u64 = 1 << 20;
        let reason = |log_bytes, free_bytes, accepts_large_gap, missing: u64| {
            let limits = GapLimits { log_bytes, free_bytes, accepts_large_gap };
            limits.reason_against(missing)
        };
        for (log_bytes, free_bytes, missing) in [
            (100, Some(1000), 1000),
            (100, None, 64 * MIB),
            (100 * MIB, Some(200 * MIB), 100 * MIB),
            (0, Some(u64::MAX), 10),
        ] {
            assert_eq!(reason(log_bytes, free_bytes, false, missing), None, "{log_bytes} {missing}");
        }
        for (log_bytes, missing) in [(100, 64 * MIB + 1), (100 * MIB, 100 * MIB + 1)] {
            let text = reason(log_bytes, Some(1 << 40), false, missing).unwrap();
            assert!(text.contains("--large-gap") && text.contains("--forget"), "{text}");
            assert_eq!(reason(log_bytes, Some(1 << 40), true, missing), None);
        }
        for accepts_large_gap in [false, true] {
            let text = reason(100, Some(999), accepts_large_gap, 1000).unwrap();
            assert!(
                text.contains("1000 bytes") && text.contains("999 are free") && text.contains("--forget"),
                "{text}"
            );
            assert!(reason(100, Some(1 << 40), accepts_large_gap, i64::MAX as u64 - 100).is_some());
        }
    }
}
