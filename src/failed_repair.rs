//! What a log and the journal of a repair contain after the repair failed. Both are read after the failure.

use std::fmt;
use std::ops::Range;

/// Largest number of ranges that a message lists.
const MAX_RANGES_SHOWN: usize = 3;

/// The bytes that a log has after a repair, an undo or a recovery failed, read from the log after the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogStateAfterFailure {
    /// Every range that the plan changes has the bytes that it had before the plan was applied.
    Before,
    /// Every range that the plan changes has the planned bytes.
    After,
    /// The log is neither as it was before the plan was applied nor as planned.
    Partly {
        /// The ranges of the plan that differ from the log as it was before, in file offsets.
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
            Self::Before => {
                f.write_str("the log, read after that, has the bytes that it had before this plan was applied")
            }
            Self::After => f.write_str("the log, read after that, has all planned bytes"),
            Self::Partly { changed } => {
                f.write_str("the log, read after that, is neither as before nor as planned: ")?;
                for (nth, range) in changed.iter().take(MAX_RANGES_SHOWN).enumerate() {
                    write!(f, "{}{}..{}", if nth == 0 { "" } else { ", " }, range.start, range.end)?;
                }
                match changed.len().saturating_sub(MAX_RANGES_SHOWN) {
                    0 if changed.len() == 1 => f.write_str(" differs"),
                    0 => f.write_str(" differ"),
                    1 => f.write_str(" and 1 more range differ"),
                    more => write!(f, " and {more} more ranges differ"),
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
    /// It records that the plan was applied.
    Applied,
    /// It records that the plan was rolled back.
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
            Self::Applied => f.write_str("records the plan as applied"),
            Self::RolledBack => f.write_str("records the plan as rolled back"),
            Self::Incomplete => f.write_str("is incomplete"),
            Self::Unreadable { reason } => write!(f, "cannot be read: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_true_for_a_repair_and_for_an_undo() {
        let partly = |count: u64| {
            let changed = (0..count).map(|nth| 10 * nth..10 * nth + 5).collect();
            LogStateAfterFailure::Partly { changed }.to_string()
        };
        let start = "the log, read after that, is neither as before nor as planned: ";
        assert_eq!(partly(1), format!("{start}0..5 differs"));
        assert_eq!(partly(2), format!("{start}0..5, 10..15 differ"));
        assert_eq!(partly(4), format!("{start}0..5, 10..15, 20..25 and 1 more range differ"));
        assert_eq!(partly(5), format!("{start}0..5, 10..15, 20..25 and 2 more ranges differ"));
        let before = "the log, read after that, has the bytes that it had before this plan was applied";
        assert_eq!(LogStateAfterFailure::Before.to_string(), before);
        assert_eq!(JournalStateAfterFailure::Applied.to_string(), "records the plan as applied");
        assert_eq!(JournalStateAfterFailure::RolledBack.to_string(), "records the plan as rolled back");
    }
}
