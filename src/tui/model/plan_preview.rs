//! A plan with the request it was made for, and the decisions that its dialog offers.

use std::path::Path;

use crate::format::DamageKind;
use crate::repair::{CandidateChoice, Fix, Plan, UnrepairedRange};
use crate::report::{PlanRowSource, candidate_line, plan_closing_lines, plan_headline};
use crate::tui::actions::candidate_keys;
use crate::tui::request::{PlanRequest, UndecidedFinding};

/// A plan with the request it was made for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlanPreview {
    /// The request that the plan was made for.
    pub(crate) request: PlanRequest,
    /// The plan of the repair or the undo.
    pub(crate) plan: Plan,
}

impl PlanPreview {
    /// Creates the preview of a plan.
    ///
    /// The findings that the plan leaves because the user has to choose a fix are added to the request, so that the
    /// dialog still offers their candidates after one of them was chosen.
    pub(crate) fn new(request: PlanRequest, plan: Plan) -> Self {
        let request = match request {
            PlanRequest::Repair { options, mut undecided } => {
                for range in &plan.unrepaired {
                    let start = range.piece.start;
                    let is_known = undecided.iter().any(|finding| finding.start == start);
                    let mut fixes = range.alternatives.iter();
                    if let Some(fix) = fixes.find(|fix| fix.is_undecided() && !is_known) {
                        undecided.push(UndecidedFinding { start, fix: fix.clone() });
                    }
                }
                PlanRequest::Repair { options, undecided }
            }
            other => other,
        };
        Self { request, plan }
    }

    /// Returns what the plan contains besides its ranges, one sentence per line.
    pub(crate) fn note_lines(&self, journal_dir: &Path) -> Vec<String> {
        let headline = matches!(self.request, PlanRequest::Erase { .. } | PlanRequest::Purge(_));
        let headline = headline.then(|| plan_headline(&self.plan));
        headline.into_iter().chain(plan_closing_lines(&self.plan, journal_dir)).collect()
    }

    /// Returns the other fixes that are offered for a part of the plan.
    pub(crate) fn alternatives_of(&self, source: PlanRowSource) -> &[Fix] {
        match source {
            PlanRowSource::Step(number) => self.plan.steps.get(number).map_or(&[], |step| &step.alternatives),
            PlanRowSource::Unrepaired(number) => {
                self.plan.unrepaired.get(number).map_or(&[], |range| &range.alternatives)
            }
        }
    }

    /// Returns whether the user can decide, or has decided, about fixes that are not proven.
    pub(crate) fn has_decisions(&self) -> bool {
        let PlanRequest::Repair { options, undecided } = &self.request else { return false };
        !undecided.is_empty() || options.accept_likely || options.gap_undecided
    }

    /// Returns whether the user can decide, or has decided, about a gap that takes more than the log.
    pub(crate) fn has_large_gap(&self) -> bool {
        let PlanRequest::Repair { options, .. } = &self.request else { return false };
        // Without a donor, a lost end is left only because of the size of its gap.
        let is_lost_end =
            |range: &UnrepairedRange| range.is_selected() && range.piece.kind == DamageKind::Truncated.name();
        options.accept_large_gap || self.plan.unrepaired.iter().any(is_lost_end)
    }
}

impl PlanRequest {
    /// Returns the candidates that are offered for the finding at `start`, one per line, each with its key and a
    /// checkbox.
    pub(crate) fn candidate_lines(&self, start: u64) -> Vec<String> {
        let Self::Repair { options, .. } = self else { return Vec::new() };
        let Some(UndecidedFinding { fix, .. }) = self.undecided_at(start) else { return Vec::new() };
        let candidates = (1..).zip(&fix.candidates).zip(candidate_keys());
        let line = |((number, candidate), key)| {
            let is_chosen = checkbox(options.choices.contains(&CandidateChoice::new(start, number)));
            format!("{key} {is_chosen} use candidate {number} at {start}: {}", candidate_line(candidate))
        };
        candidates.map(line).collect()
    }

    /// Returns the finding at `start` when the user has to choose its fix.
    pub(crate) fn undecided_at(&self, start: u64) -> Option<&UndecidedFinding> {
        match self {
            Self::Repair { undecided, .. } => undecided.iter().find(|finding| finding.start == start),
            Self::Undo(_) | Self::Erase { .. } | Self::Purge(_) => None,
        }
    }
}

/// Returns a checkbox, with or without its mark.
pub(super) const fn checkbox(is_marked: bool) -> &'static str {
    if is_marked { "[x]" } else { "[ ]" }
}
