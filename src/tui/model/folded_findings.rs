//! The line below filtered rows in place of the rows of damage and gaps.

use super::Model;
use crate::query::FindingRows;
use crate::report::units::format_count;
use crate::tui::actions::ActionId;

impl Model {
    /// Returns the line that counts the damaged ranges and gaps that the filter hides; `None` when it hides none.
    ///
    /// A lost event might have matched the filter, so their number is always on the screen.
    pub(crate) fn folded_findings_line(&self) -> Option<String> {
        let filter = &self.list.filter;
        if filter.is_empty() || self.list.finding_rows == FindingRows::Shown {
            return None;
        }
        let shown = filter.clone().with_finding_rows(FindingRows::Shown);
        let hidden = self.scan.findings.iter().filter(|finding| {
            let is_row = finding.kind != crate::format::DamageKind::Clock;
            is_row && shown.matches_finding(finding) && !filter.matches_finding(finding)
        });
        let (mut damaged, mut gaps) = (0, 0);
        for finding in hidden {
            if finding.kind.is_damage() { damaged += 1 } else { gaps += 1 }
        }
        let mut parts = Vec::new();
        if damaged > 0 {
            parts.push(format_count(damaged, "damaged range"));
        }
        if gaps > 0 {
            parts.push(format_count(gaps, "gap"));
        }
        (!parts.is_empty()).then(|| {
            let key = self.keys.hint(ActionId::ToggleFindings);
            format!("{}{} may hide hits: {key} shows them", parts.join(" and "), self.so_far())
        })
    }
}
