//! The words for the fix that the scan proposes for a finding.

use super::Model;
use crate::format::Finding;
use crate::repair::{Fix, RepairAction};

impl Model {
    /// Returns the proposed fix as `→ correct bits (proven)`; empty when the scan knows none.
    pub(crate) fn fix_text(&self, finding: &Finding) -> String {
        self.scan.fix_for(finding).map(|fix| format!("→ {}", describe_fix(fix))).unwrap_or_default()
    }
}

fn describe_fix(fix: &Fix) -> String {
    let action = match fix.action {
        RepairAction::RestoreLength => "restore length",
        RepairAction::CorrectBits => "correct bits",
        RepairAction::RebuildHeader => "rebuild header",
        RepairAction::TakeFromDonor => "take from donor",
        RepairAction::SetAsideTail => "set aside",
        RepairAction::Gap => "replace with a gap",
        RepairAction::RestoreSegment => "restore segment",
        RepairAction::GiveUp => "record as lost",
        RepairAction::CutExcess => "cut from the file",
        RepairAction::Erase => "erase",
    };
    match (fix.certainty, fix.candidates.len()) {
        (Some(certainty), several @ 2..) => format!("{action} ({} of {several})", certainty.name()),
        (Some(certainty), _) => format!("{action} ({})", certainty.name()),
        (None, _) => action.into(),
    }
}
