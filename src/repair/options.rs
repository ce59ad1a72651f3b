//! Whether wishes can be meant for what was found, and what they say of one finding.

use std::path::Path;

use super::fix_finder::ProposedFix;
use super::preconditions::refused_error;
use super::{FindingSelector, RepairOptions};
use crate::StorageError;
use crate::format::Finding;

impl RepairOptions {
    /// True when a finding is among those that are to be repaired.
    pub(super) fn is_selected(&self, finding: &Finding) -> bool {
        let fits = |selector: &FindingSelector| selector.is_match(finding.kind, finding.start);
        (self.only.is_empty() || self.only.iter().any(fits)) && !self.except.iter().any(fits)
    }

    /// Which of the candidates for the finding at `start` was chosen, from 1.
    pub(super) fn choice_at(&self, start: u64) -> Option<usize> {
        self.choices.iter().find(|choice| choice.0 == start).map(|choice| choice.1)
    }

    /// Refuses what names no finding, and what contradicts itself: a wish is heard or refused, never passed over.
    pub(super) fn validate(&self, path: &Path, found: &[ProposedFix]) -> Result<(), StorageError> {
        for (nth, (start, number)) in self.choices.iter().enumerate() {
            let Some(proposed) = found.iter().find(|proposed| proposed.finding.start == *start) else {
                let why = format!("no damage starts at offset {start}, so there is nothing to choose there");
                return Err(refused_error(path, why, "See `chronicle verify` for what does"));
            };
            if let Some((_, first)) = self.choices.iter().take(nth).find(|earlier| earlier.0 == *start) {
                let why = format!("{start}={first} and {start}={number} were chosen, and only one of them can be done");
                return Err(refused_error(path, why, "Choose once for each damage"));
            }
            if !self.is_selected(&proposed.finding) {
                let why = format!("{start}={number} was chosen, and that damage is not among those to be repaired");
                return Err(refused_error(
                    path,
                    why,
                    "Leave out the choice, or the --only or --except that excludes it",
                ));
            }
        }
        for selector in self.only.iter().filter(|_| self.damage_offset.is_none()) {
            if !found.iter().any(|proposed| selector.is_match(proposed.finding.kind, proposed.finding.start)) {
                let why = match selector {
                    FindingSelector::Start(start) => format!("no damage starts at offset {start}"),
                    FindingSelector::Kind(kind) => format!("no damage is `{}`", kind.name()),
                };
                return Err(refused_error(
                    path,
                    why,
                    "See `chronicle verify` for what is damaged, and where it starts",
                ));
            }
        }
        Ok(())
    }
}
