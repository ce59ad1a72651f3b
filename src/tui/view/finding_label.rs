//! The label of a finding in lists: its glyph, and the fix that the scan proposes for it.

use crate::format::{DamageKind, Finding};
use crate::repair::{Fix, RepairAction};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Returns the glyph of a finding, and the role in whose style it is drawn.
pub(super) fn finding_glyph(finding: &Finding) -> (char, Role) {
    match finding.kind {
        DamageKind::Gap => ('▒', Role::Gap),
        DamageKind::Clock => ('<', Role::Warning),
        DamageKind::InvalidEvent => ('!', Role::Damage),
        DamageKind::Zeros
        | DamageKind::Checksum
        | DamageKind::Length
        | DamageKind::TornTail
        | DamageKind::Garbage
        | DamageKind::Truncated
        | DamageKind::Header
        | DamageKind::Unreadable => ('×', Role::Damage),
    }
}

/// Returns the proposed fix as `→ correct bits (proven)`; empty when the scan knows none.
pub(super) fn fix_text(model: &Model, finding: &Finding) -> String {
    model.scan.fix_for(finding).map(|fix| format!("→ {}", describe_fix(fix))).unwrap_or_default()
}

fn describe_fix(fix: &Fix) -> String {
    let action = match fix.action {
        RepairAction::RestoreLength => "restore length",
        RepairAction::CorrectBits => "correct bits",
        RepairAction::RebuildHeader => "rebuild header",
        RepairAction::TakeFromDonor => "take from donor",
        RepairAction::SetAsideTail => "set aside",
        RepairAction::Gap => "replace with a gap",
    };
    match (fix.certainty, fix.candidates.len()) {
        (Some(certainty), several @ 2..) => format!("{action} ({} of {several})", certainty.name()),
        (Some(certainty), _) => format!("{action} ({})", certainty.name()),
        (None, _) => action.into(),
    }
}
