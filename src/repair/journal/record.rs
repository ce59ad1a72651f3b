//! One repair in a log's repair history: its plan, its state, and whether it is still in effect.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::state::JournalState;
use crate::repair::types::{Plan, RepairStep};

/// The extension of a journal's file name, with its dot.
const EXTENSION: &str = ".journal";

/// The state of a repair, according to its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepairState {
    /// The journal was not completed, so the log was not changed.
    Unfinished,
    /// The journal is complete, and has no record of how the repair ended.
    Pending,
    /// The repair was applied.
    Applied,
    /// The repair failed or was killed, and was rolled back.
    RolledBack,
    /// The repair was applied, and the bytes from before it were destroyed, so that it cannot be undone.
    Purged,
}

/// How much of what an applied repair wrote the log still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChangesInLog {
    /// Every change that was compared, or a later repair has replaced it.
    All,
    /// A part of the changes.
    Some,
    /// None of the changes: another file was put in place of the log, or all of them were overwritten.
    None,
}

impl From<JournalState> for RepairState {
    fn from(state: JournalState) -> Self {
        match state {
            JournalState::Prepared => Self::Pending,
            JournalState::Applied => Self::Applied,
            JournalState::RolledBack => Self::RolledBack,
            JournalState::Purged => Self::Purged,
        }
    }
}

/// One repair in a log's repair history.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RepairRecord {
    /// The repair's number, counted from 1.
    pub number: u32,
    /// Path of the repair's journal.
    pub journal: PathBuf,
    /// When the repair began, in milliseconds since the Unix epoch.
    pub begun_ms: u64,
    /// State of the repair.
    pub state: RepairState,
    /// The number of the undo that reversed the repair; `None` while it is not undone.
    pub undone_by: Option<u32>,
    /// How much of what the repair wrote the log still has; `All` for a repair that is not in effect.
    pub in_log: ChangesInLog,
    /// The plan of the repair.
    pub plan: Plan,
}

impl RepairRecord {
    /// True when the repair was applied and not undone.
    pub(crate) fn is_in_effect(&self) -> bool {
        matches!(self.state, RepairState::Applied | RepairState::Purged) && self.undone_by.is_none()
    }

    /// True for a repair in effect whose old bytes are saved, that is not itself an undo, and whose changes the log has.
    pub(crate) fn is_undoable(&self) -> bool {
        self.is_in_effect()
            && self.state != RepairState::Purged
            && self.plan.undoes.is_none()
            && self.plan.purges.is_none()
            && self.in_log != ChangesInLog::None
    }

    /// True for an erasure in effect whose erased events its journal still has.
    pub(crate) fn can_be_purged(&self) -> bool {
        self.plan.erases.is_some() && self.is_undoable()
    }
}

/// Returns the journal that holds the original bytes of a gap: that of the last repair in effect that wrote the gap.
pub fn find_gap_journal(records: &[RepairRecord], gap: Range<u64>) -> Option<&Path> {
    let wrote_gap = |step: &RepairStep| {
        // After the old end of the log there are no original bytes.
        let has_original = gap.start < step.end;
        has_original && step.gaps().any(|filled| filled.start <= gap.start && gap.end <= filled.end)
    };
    let mut undoable = records.iter().rev().filter(|record| record.is_undoable());
    undoable.find(|record| record.plan.steps.iter().any(wrote_gap)).map(|record| record.journal.as_path())
}

/// Returns the file name of journal `number` for a repair with this name.
pub(super) fn journal_file_name(number: u32, repair: &str) -> String {
    format!("{number:04}-{repair}{EXTENSION}")
}

/// Returns the number of a journal from its file name; `None` when no journal can have this name.
pub(super) fn journal_number(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    let (digits, rest) = name.split_once('-')?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    // A number with other leading zeros would be a second name of the same repair.
    let is_own_form = number > 0 && name == journal_file_name(number, rest.strip_suffix(EXTENSION)?);
    is_own_form.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_journal_can_have_have_a_number() {
        let number = |name: &str| journal_number(Path::new(name));
        assert_eq!(number("a/0001-gap.journal"), Some(1));
        assert_eq!(number("12345-set_aside_tail.journal"), Some(12345));
        assert_eq!(number("4294967295-repair.journal"), Some(u32::MAX));
        for (name, reason) in [
            ("4294967296-repair.journal", "above the highest number"),
            ("18446744073709551615-repair.journal", "above 64 bits"),
            ("99999999999999999999999-repair.journal", "above every integer"),
            ("0000-repair.journal", "zero"),
            ("1-repair.journal", "too few digits"),
            ("00001-repair.journal", "too many digits"),
            ("+001-repair.journal", "a sign"),
            ("-001-repair.journal", "a negative number"),
            ("٠٠٠١-repair.journal", "digits of another script"),
            ("0x01-repair.journal", "hexadecimal"),
            ("0001.journal", "no name"),
            ("0001-repair.journal.tmp", "a temporary file"),
            ("0001-repair", "no extension"),
            ("", "nothing"),
        ] {
            assert_eq!(number(name), None, "{name}: {reason}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf8_has_no_number() {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"0001-\xff.journal");
        assert_eq!(journal_number(Path::new(name)), None);
    }
}
