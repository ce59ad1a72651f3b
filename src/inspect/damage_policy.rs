//! [`DamagePolicy`]: what a walk over a log does with damaged ranges.

/// The treatment of damaged ranges by a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DamagePolicy {
    /// The walk yields each piece as a finding, and then the range.
    Classify,
    /// The walk yields only the ranges, and does not classify them.
    Skip,
    /// The walk yields pieces, and ends before a frame or a damaged range of more than `max_bytes` bytes and before the
    /// damaged end of the log. Another walk must continue at [`LogWalk::position`].
    Defer {
        /// Largest frame or damaged range that this walk reads, in bytes.
        max_bytes: u64,
    },
}
