//! The options of a repair: which findings to repair, and which fixes to apply that are not proven.

use crate::format::{DamageKind, Finding};

/// The options of a repair: which findings to repair, and which fixes to apply that are not proven.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RepairOptions {
    /// Apply likely fixes as well as proven ones.
    pub accept_likely: bool,
    /// Replace a finding with a gap when its fixes are likely or choices and none of them is accepted.
    pub gap_undecided: bool,
    /// The choices of the user: the start of a finding, and the number of a candidate for it, counted from 1.
    pub choices: Vec<(u64, usize)>,
    /// Repair only these findings; an empty list selects all.
    pub only: Vec<FindingSelector>,
    /// Leave these findings unrepaired.
    pub except: Vec<FindingSelector>,
    /// Remove the index's record of events that the log lost at its end, instead of filling their range with a gap.
    pub forget_lost_end: bool,
    /// Refuse a plan that gives up more than this many events.
    pub max_lost_events: Option<u64>,
    /// Repair only the damage at this file offset.
    pub damage_offset: Option<u64>,
}

impl RepairOptions {
    /// True when `only` and `except` select the finding.
    pub(crate) fn is_selected(&self, finding: &Finding) -> bool {
        let matches = |selector: &FindingSelector| selector.is_match(finding.kind, finding.start);
        (self.only.is_empty() || self.only.iter().any(matches)) && !self.except.iter().any(matches)
    }

    /// Returns the number of the candidate chosen for the finding that starts at `start`, counted from 1.
    pub(crate) fn choice_at(&self, start: u64) -> Option<usize> {
        self.choices.iter().find(|choice| choice.0 == start).map(|choice| choice.1)
    }
}

/// Selects findings by their start or by their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingSelector {
    /// The finding that starts at this file offset.
    Start(u64),
    /// Every finding of this kind.
    Kind(DamageKind),
}

impl FindingSelector {
    /// True when a finding of `kind` that starts at `start` is selected.
    pub fn is_match(self, kind: DamageKind, start: u64) -> bool {
        match self {
            Self::Start(selected) => selected == start,
            Self::Kind(selected) => selected == kind,
        }
    }
}
