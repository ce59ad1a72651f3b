//! What a log and the journal of a repair contain after the repair failed. Both are read after the failure.

use std::fmt;
use std::ops::Range;

/// Largest number of ranges that a message lists.
const MAX_RANGES_SHOWN: usize = 3;

/// The bytes that a log has after a repair, an undo or a recovery failed, read from the log after the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStateAfterFailure {
    /// Every range that the plan changes has its bytes from before the repair.
    Before,
    /// Every range that the plan changes has the planned bytes.
    After,
    /// The log is neither as before the repair nor as planned.
    Partly {
        /// The ranges of the plan that differ from before the repair, in file offsets.
        changed: Vec<Range<u64>>,
    },
    /// The bytes of the log are not known.
    Unknown {
        /// Why they are not known.
        reason: String,
    },
}

impl fmt::Display for LogStateAfterFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before => f.write_str("the log, read after that, has its bytes from before the repair"),
            Self::After => f.write_str("the log, read after that, has all planned bytes"),
            Self::Partly { changed } => {
                f.write_str("the log, read after that, is repaired in part: ")?;
                for (nth, range) in changed.iter().take(MAX_RANGES_SHOWN).enumerate() {
                    write!(f, "{}{}..{}", if nth == 0 { "" } else { ", " }, range.start, range.end)?;
                }
                match changed.len().saturating_sub(MAX_RANGES_SHOWN) {
                    0 => f.write_str(" differs from before the repair"),
                    more => write!(f, " and {more} more ranges differ from before the repair"),
                }
            }
            Self::Unknown { reason } => write!(f, "the present bytes of the log are not known: {reason}"),
        }
    }
}

/// What the journal of a failed repair records, read from the journal after the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalStateAfterFailure {
    /// It has no record of how the repair ended, so the next recovery completes the repair or rolls it back.
    Pending,
    /// It records that the repair was applied.
    Applied,
    /// It records that the repair was rolled back.
    RolledBack,
    /// It was not completed.
    Incomplete,
    /// It cannot be read.
    Unreadable {
        /// Why it cannot be read.
        reason: String,
    },
}

impl fmt::Display for JournalStateAfterFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending => f.write_str("is pending"),
            Self::Applied => f.write_str("records the repair as applied"),
            Self::RolledBack => f.write_str("records the repair as rolled back"),
            Self::Incomplete => f.write_str("is incomplete"),
            Self::Unreadable { reason } => write!(f, "cannot be read: {reason}"),
        }
    }
}
