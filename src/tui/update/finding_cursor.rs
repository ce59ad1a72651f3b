//! Keeps the cursor of the findings on its finding while the list changes: other findings are found before it, or the log is
//! read again.

use crate::tui::model::{FindingAnchor, Model, ScanState};

/// Moves the cursor to the finding that it was on before the last message, unless the user has moved it. While the log is
/// read again, the cursor waits for that finding on the nearest one. A cursor on the first line stays there.
pub(super) fn keep_on_finding(model: &mut Model) {
    let findings = &model.scan.findings;
    let cursor = &mut model.findings;
    let start = model.finding_anchor.filter(|anchor| anchor.line == cursor.line).and_then(|anchor| anchor.start);
    if let Some(start) = start {
        cursor.line = findings.partition_point(|finding| finding.start < start);
    }
    cursor.move_by(0, findings.len());
    let line = cursor.line;
    let waits = model.scan.state == ScanState::Running;
    let selected = findings.get(line).map(|finding| finding.start).filter(|_| line > 0);
    let is_listed = !findings.is_empty() || waits && model.finding_anchor.is_some();
    let start = start.filter(|_| waits).or(selected);
    model.finding_anchor = is_listed.then_some(FindingAnchor { start, line });
}
