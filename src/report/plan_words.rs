//! Explains the words of the table of a plan.

use crate::format::DamageKind;
use crate::repair::{Certainty, RepairAction};

use super::plan_table::{PLAN_COLUMNS, PlanRow};

/// Explains the columns of the table, the kinds of damage in these rows, the certainties and the actions, one per line.
pub(crate) fn plan_word_lines(rows: &[PlanRow]) -> Vec<String> {
    let mut lines = vec!["Columns".to_owned()];
    lines.extend(PLAN_COLUMNS.iter().map(|column| {
        let name = if column.heading == column.short_heading {
            column.heading.to_owned()
        } else {
            format!("{} ({})", column.heading, column.short_heading)
        };
        format!("  {name}: {}", column.meaning)
    }));
    let is_shown = |kind: &DamageKind| {
        let kinds =
            |row: &PlanRow| row.cells.get(1).is_some_and(|cell| cell.split(", ").any(|name| name == kind.name()));
        rows.iter().any(kinds)
    };
    let kinds: Vec<DamageKind> = DamageKind::ALL.into_iter().filter(is_shown).collect();
    if !kinds.is_empty() {
        lines.extend([String::new(), "Damage".to_owned()]);
        lines.extend(kinds.iter().map(|kind| format!("  {}: {}", kind.name(), kind.meaning())));
    }
    lines.extend([String::new(), "Certainty".to_owned()]);
    let certainties = [Certainty::Proven, Certainty::Likely, Certainty::Choice];
    lines.extend(certainties.iter().map(|certainty| format!("  {}: {}", certainty.name(), certainty.meaning())));
    lines.extend([String::new(), "Actions".to_owned()]);
    lines.extend(
        RepairAction::ALL.iter().map(|action| format!("  {}: {}", action.name().replace('_', " "), action.meaning())),
    );
    lines.extend([
        String::new(),
        "Every byte that a repair replaces is saved in a journal first, so that an undo restores the log exactly."
            .to_owned(),
    ]);
    lines
}
