//! The label of a finding in lists: its glyph, and the fix that the scan proposes for it.

use crate::format::{DamageKind, Finding};
use crate::tui::theme::Role;

/// Returns the glyph of a finding, and the role in whose style it is drawn.
pub(super) fn finding_glyph(finding: &Finding) -> (char, Role) {
    match finding.kind {
        DamageKind::Gap | DamageKind::Lost => ('▒', Role::Gap),
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
