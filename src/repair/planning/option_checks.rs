//! Refuses repair options that do not fit the findings, so that no option is silently ignored.

use std::path::Path;

use crate::StorageError;
use crate::repair::types::{CandidateChoice, FindingSelector, ProposedFix, RepairOptions, refused_error};

/// Refuses options that match no finding, and options that contradict each other.
///
/// # Errors
/// `Refused`, with the option in the reason.
pub(super) fn check_options(path: &Path, options: &RepairOptions, found: &[ProposedFix]) -> Result<(), StorageError> {
    for (nth, choice) in options.choices.iter().enumerate() {
        let CandidateChoice { finding_start: start, candidate_number: number } = *choice;
        let Some(proposed) = found.iter().find(|proposed| proposed.finding.start == start) else {
            let reason = format!("no damage starts at offset {start}, so there is nothing to choose there");
            return Err(refused_error(path, reason, "List the damage with `chronicle verify`"));
        };
        if let Some(earlier) = options.choices.iter().take(nth).find(|earlier| earlier.finding_start == start) {
            let first = earlier.candidate_number;
            let reason =
                format!("both {start}={first} and {start}={number} are chosen; only one of them can be applied");
            return Err(refused_error(path, reason, "Choose once for each damaged range"));
        }
        if !options.is_selected(&proposed.finding) {
            let reason = format!("{start}={number} is chosen, but this damage is not among those to be repaired");
            let alternative = "Leave out the choice, or the --only or --except that excludes it";
            return Err(refused_error(path, reason, alternative));
        }
    }
    for selector in options.only.iter().filter(|_| options.damage_offset.is_none()) {
        if !found.iter().any(|proposed| selector.is_match(proposed.finding.kind, proposed.finding.start)) {
            let reason = match selector {
                FindingSelector::Start(start) => format!("no damage starts at offset {start}"),
                FindingSelector::Kind(kind) => format!("there is no damage of kind `{}`", kind.name()),
            };
            return Err(refused_error(path, reason, "List the damage and its offsets with `chronicle verify`"));
        }
    }
    Ok(())
}
