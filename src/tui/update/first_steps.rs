//! Names the next keys when the first scan of the session has ended before a key was pressed.

use crate::report::Tone;
use crate::report::units::format_number;
use crate::tui::actions::ActionId;
use crate::tui::model::{Model, Notice};

/// Shows a line with the next keys, unless a key was pressed, another message is shown, or the line was shown before.
pub(super) fn suggest(model: &mut Model) {
    let is_first = !std::mem::replace(&mut model.has_suggested_keys, true);
    if is_first && model.notice.is_none() && model.overlays.is_empty() && model.jobs.is_empty() {
        // The line is a hint, and not a message to look up later.
        model.notice = next_keys(model).map(|text| Notice { text, tone: Tone::Plain });
    }
}

/// Returns the three keys that are most useful for a damaged log; `None` for a log without damage, whose keys the footer
/// lists.
fn next_keys(model: &Model) -> Option<String> {
    let damaged = model.scan.damage_count() as u64;
    if damaged == 0 {
        return None;
    }
    let key = |id| model.keys.hint(id);
    let found = format!("{} damaged{}", format_number(damaged), model.so_far());
    // An event that was written as it is has no fix.
    let has_fix = model.scan.findings.iter().any(|finding| model.scan.fix_for(finding).is_some());
    Some(match model.disabled_reason(ActionId::RepairAll) {
        None if has_fix => format!(
            "{found}: {} to look, {} to repair, all undoable with {}",
            key(ActionId::NextDamage),
            key(ActionId::RepairAll),
            key(ActionId::Undo)
        ),
        _ => format!(
            "{found}: {} to look, {} lists the findings, {} lists all keys",
            key(ActionId::NextDamage),
            key(ActionId::TabFindings),
            key(ActionId::Help)
        ),
    })
}
