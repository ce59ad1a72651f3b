//! A plan with the request it was made for, and the text of its dialog.

use std::path::Path;

use crate::format::DamageKind;
use crate::repair::{CandidateChoice, Fix, Plan, UnrepairedRange};
use crate::report::units::format_count;
use crate::report::{candidate_line, plan_lines};
use crate::tui::actions::candidate_keys;
use crate::tui::request::{PlanRequest, UndecidedFinding};

/// Largest number of lines of a plan that a dialog shows.
const MAX_PLAN_LINES: usize = 1000;
/// Number of lines at the end of a plan that are always shown: the folder of the journal, and the time that the lock is
/// held.
const CLOSING_LINES: usize = 2;

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
    /// When the request is about one finding and the plan does not repair it because the user has to choose a fix, the
    /// finding is added to the request, so that the dialog offers its candidates.
    pub(crate) fn new(request: PlanRequest, plan: Plan) -> Self {
        let request = match request {
            PlanRequest::Repair { options, undecided: None } if options.damage_offset.is_some() => {
                let undecided = plan.unrepaired.iter().find_map(|range| {
                    let fix = range.alternatives.iter().find(|fix| fix.is_undecided())?;
                    Some(UndecidedFinding { start: range.piece.start, fix: fix.clone() })
                });
                PlanRequest::Repair { options, undecided }
            }
            other => other,
        };
        Self { request, plan }
    }

    /// Returns the text of the dialog: the plan, the user's decisions, and the equivalent command line.
    ///
    /// `log` is the log's path, quoted for a shell.
    pub(crate) fn dialog_lines(&self, journal_dir: &Path, log: &str) -> Vec<String> {
        let mut lines = plan_lines(&self.plan, journal_dir);
        if lines.len() > MAX_PLAN_LINES {
            let omitted = format_count((lines.len() - MAX_PLAN_LINES) as u64, "line");
            let summary = format!("... {omitted} not shown; the command below prints them all");
            lines.splice(MAX_PLAN_LINES - CLOSING_LINES..lines.len() - CLOSING_LINES, [summary]);
        }
        // The decisions are near the top, so that they are visible however long the plan is.
        lines.splice(1..1, self.decision_lines());
        lines.push(String::new());
        lines.push(format!("Same from a shell: {}", self.request.cli_command(log)));
        lines
    }

    /// Returns the number of candidates that the user can choose from.
    pub(crate) fn candidate_count(&self) -> usize {
        match &self.request {
            PlanRequest::Repair { undecided: Some(undecided), .. } => undecided.fix.candidates.len(),
            _ => 0,
        }
    }

    /// Returns whether the user can decide, or has decided, about fixes that are not proven.
    pub(crate) fn has_decisions(&self) -> bool {
        let PlanRequest::Repair { options, undecided } = &self.request else { return false };
        let is_undecided = self.plan.unrepaired.iter().any(|range| range.alternatives.iter().any(Fix::is_undecided));
        is_undecided || undecided.is_some() || options.accept_likely || options.gap_undecided
    }

    /// Returns whether the user can decide, or has decided, about a gap that takes more than the log.
    pub(crate) fn has_large_gap(&self) -> bool {
        let PlanRequest::Repair { options, .. } = &self.request else { return false };
        // Without a donor, a lost end is left only because of the size of its gap.
        let is_lost_end = |range: &UnrepairedRange| range.piece.kind == DamageKind::Truncated.name();
        options.accept_large_gap || self.plan.unrepaired.iter().any(is_lost_end)
    }

    /// Returns the decisions, one per line, each with its key and a checkbox.
    fn decision_lines(&self) -> Vec<String> {
        let PlanRequest::Repair { options, undecided } = &self.request else { return Vec::new() };
        let checkbox = |is_taken| if is_taken { "[x]" } else { "[ ]" };
        let mut lines = Vec::new();
        if let Some(UndecidedFinding { start, fix }) = undecided {
            for ((number, candidate), key) in (1..).zip(&fix.candidates).zip(candidate_keys()) {
                let is_chosen = checkbox(options.choices.contains(&CandidateChoice::new(*start, number)));
                lines.push(format!(
                    "{key} {is_chosen} use candidate {number} at {start}: {}",
                    candidate_line(candidate)
                ));
            }
        }
        if self.has_decisions() {
            lines.push(format!("l {} accept likely fixes", checkbox(options.accept_likely)));
            lines.push(format!("g {} replace undecided damage with gaps", checkbox(options.gap_undecided)));
        }
        if self.has_large_gap() {
            lines.push(format!("w {} write a gap over the lost end", checkbox(options.accept_large_gap)));
        }
        lines
    }
}
