//! The options of a repair: which findings to repair, and which fixes to apply that are not proven.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::format::{DamageKind, Finding};

/// The options of a repair: which findings to repair, and which fixes to apply that are not proven.
///
/// ```
/// use chronicle::repair::{FindingSelector, RepairOptions};
///
/// let options = RepairOptions::new().accept_likely().except(FindingSelector::Start(326)).max_lost_events(0);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each one is an independent decision of the user")]
pub struct RepairOptions {
    /// Apply likely fixes as well as proven ones.
    pub accept_likely: bool,
    /// Replace a finding with a gap when its fixes are likely or choices and none of them is accepted.
    pub gap_undecided: bool,
    /// Fill a lost end with a gap even when the gap takes more than 64 MiB and more than the log itself.
    pub accept_large_gap: bool,
    /// The candidates that the user chose, at most one for each finding.
    pub choices: Vec<CandidateChoice>,
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
    /// Other copies of the log, from which lost ranges are taken. The first one that proves a frame provides it.
    pub donors: Vec<PathBuf>,
}

impl RepairOptions {
    /// Creates the default options: all findings are repaired, by proven fixes, and where nothing can be restored by gaps
    /// and set-aside tails. Findings that have only likely fixes or choices are left unrepaired.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies likely fixes as well as proven ones.
    #[must_use]
    pub fn accept_likely(mut self) -> Self {
        self.accept_likely = true;
        self
    }

    /// Replaces a finding with a gap when its fixes are likely or choices and none of them is accepted.
    #[must_use]
    pub fn gap_undecided(mut self) -> Self {
        self.gap_undecided = true;
        self
    }

    /// Fills a lost end with a gap even when the gap takes more than 64 MiB and more than the log itself.
    #[must_use]
    pub fn accept_large_gap(mut self) -> Self {
        self.accept_large_gap = true;
        self
    }

    /// Adds the choice of a candidate. A second choice for one finding is an error when the repair is planned.
    #[must_use]
    pub fn choose(mut self, choice: CandidateChoice) -> Self {
        self.choices.push(choice);
        self
    }

    /// Adds findings to those that are repaired. Without a call, all findings are repaired.
    #[must_use]
    pub fn only(mut self, selector: FindingSelector) -> Self {
        self.only.push(selector);
        self
    }

    /// Adds findings to those that are left unrepaired.
    #[must_use]
    pub fn except(mut self, selector: FindingSelector) -> Self {
        self.except.push(selector);
        self
    }

    /// Removes the index's record of events that the log lost at its end, instead of filling their range with a gap.
    #[must_use]
    pub fn forget_lost_end(mut self) -> Self {
        self.forget_lost_end = true;
        self
    }

    /// Refuses a plan that gives up more than `events` events.
    #[must_use]
    pub fn max_lost_events(mut self, events: u64) -> Self {
        self.max_lost_events = Some(events);
        self
    }

    /// Repairs only the damage at this file offset.
    #[must_use]
    pub fn damage_offset(mut self, offset: u64) -> Self {
        self.damage_offset = Some(offset);
        self
    }

    /// Adds another copy of the log, from which lost ranges are taken.
    #[must_use]
    pub fn donor(mut self, path: impl Into<PathBuf>) -> Self {
        self.donors.push(path.into());
        self
    }

    /// True when `only` and `except` select the finding.
    pub(crate) fn is_selected(&self, finding: &Finding) -> bool {
        let matches = |selector: &FindingSelector| selector.is_match(finding.kind, finding.start);
        (self.only.is_empty() || self.only.iter().any(matches)) && !self.except.iter().any(matches)
    }

    /// Returns the number of the candidate chosen for the finding that starts at `start`, counted from 1.
    pub(crate) fn choice_at(&self, start: u64) -> Option<usize> {
        self.choices.iter().find(|choice| choice.finding_start == start).map(|choice| choice.candidate_number)
    }
}

/// The choice of one candidate among those that are offered for a finding. In JSON, an array of its two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, usize)", into = "(u64, usize)")]
#[non_exhaustive]
pub struct CandidateChoice {
    /// File offset of the finding's first byte.
    pub finding_start: u64,
    /// The number of the candidate, counted from 1.
    pub candidate_number: usize,
}

impl CandidateChoice {
    /// Creates the choice of the candidate with a number, counted from 1, for the finding that starts at a file offset.
    pub const fn new(finding_start: u64, candidate_number: usize) -> Self {
        Self { finding_start, candidate_number }
    }
}

impl From<(u64, usize)> for CandidateChoice {
    fn from((finding_start, candidate_number): (u64, usize)) -> Self {
        Self { finding_start, candidate_number }
    }
}

impl From<CandidateChoice> for (u64, usize) {
    fn from(choice: CandidateChoice) -> Self {
        (choice.finding_start, choice.candidate_number)
    }
}

/// Selects findings by their start or by their kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
