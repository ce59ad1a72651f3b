//! The repair history of the log, with its cursors.

use std::ops::Range;
use std::path::Path;

use super::ListCursor;
use super::labelled_lines::wrap_lines;
use crate::SegmentRemoval;
use crate::format::DamageKind;
use crate::repair::{RepairRecord, RepairState, find_gap_journal};
use crate::report::units::{DisplayZone, format_count, format_number, format_timestamp};
use crate::report::{DetailLine, Tone, plan_lines, record_line, safe_path_text};

/// The repair history of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepairsPane {
    /// The repairs, oldest first.
    pub(crate) records: Vec<RepairRecord>,
    /// The removals of segments that can still be undone, oldest first.
    pub(crate) removals: Vec<SegmentRemoval>,
    /// One message for each file in the journal folder that is not a journal of this log, and for each record of removed
    /// segments that is not used.
    pub(crate) notices: Vec<String>,
    /// The cursor in the repairs, newest first.
    pub(crate) cursor: ListCursor,
    /// The scroll position in the details of the selected repair.
    pub(crate) detail_cursor: ListCursor,
}

/// The effect of undoing a repair. Undoing an undo is a redo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UndoEffect {
    /// The repair with this number is undone.
    Undo(u32),
    /// The repair with this number is redone.
    Redo(u32),
}

impl RepairsPane {
    /// Returns the effect of undoing a repair: undoing an undo redoes the original repair.
    pub(crate) fn undo_effect(&self, number: u32) -> UndoEffect {
        let undone_repair = |number: u32| self.records.iter().find(|record| record.number == number)?.plan.undoes;
        let mut effect = UndoEffect::Undo(number);
        loop {
            effect = match effect {
                UndoEffect::Undo(number) => match undone_repair(number).filter(|earlier| *earlier < number) {
                    Some(earlier) => UndoEffect::Redo(earlier),
                    None => return effect,
                },
                UndoEffect::Redo(number) => match undone_repair(number).filter(|earlier| *earlier < number) {
                    Some(earlier) => UndoEffect::Undo(earlier),
                    None => return effect,
                },
            };
        }
    }

    /// Returns the repair on a line. The newest repair is on line 0.
    pub(crate) fn record_at(&self, line: usize) -> Option<&RepairRecord> {
        self.records.iter().rev().nth(line)
    }

    /// Returns the selected repair.
    pub(crate) fn selected_record(&self) -> Option<&RepairRecord> {
        self.record_at(self.cursor.line)
    }

    /// Returns the repair that was killed before it was complete and has to be completed or rolled back.
    pub(crate) fn pending_repair(&self) -> Option<&RepairRecord> {
        self.records.iter().find(|record| record.state == RepairState::Pending)
    }

    /// Returns the path of the journal that holds the bytes that a gap has replaced; `None` for another kind of
    /// finding.
    pub(crate) fn backup_journal(&self, kind: DamageKind, range: Range<u64>) -> Option<&Path> {
        (kind == DamageKind::Gap).then(|| find_gap_journal(&self.records, range)).flatten()
    }

    /// Moves the cursor by a number of repairs.
    pub(crate) fn move_by(&mut self, lines: i64) {
        self.cursor.move_by(lines, self.records.len());
        self.detail_cursor = ListCursor { line: 0, top: 0, ..self.detail_cursor };
    }

    /// Moves the cursor in the details of the selected repair by a number of lines, which are `width` columns wide.
    pub(crate) fn move_in_details(&mut self, lines: i64, width: usize, zone: DisplayZone) {
        let total = self.detail_lines(width, zone).len();
        self.detail_cursor.move_by(lines, total);
    }

    /// Returns the details of the selected repair in lines of at most `width` columns.
    pub(crate) fn detail_lines(&self, width: usize, zone: DisplayZone) -> Vec<DetailLine> {
        let mut lines = Vec::new();
        let mut push = |label, text: String, tone| lines.push(DetailLine { label, text, tone });
        if let Some(record) = self.selected_record() {
            let tone = if record.state == RepairState::Pending { Tone::Bad } else { Tone::Plain };
            push("repair", record_line(record).trim_start().to_owned(), tone);
            push("started", format_timestamp(record.begun_ms, zone), Tone::Plain);
            push("journal", safe_path_text(&record.journal), Tone::Good);
            let journaled = format_count(record.plan.journaled_bytes(), "byte");
            push("backup", format!("{journaled} of {}", format_number(record.plan.log.bytes)), Tone::Plain);
            let journal_dir = record.journal.parent().unwrap_or(&record.journal);
            for (number, line) in plan_lines(&record.plan, journal_dir).into_iter().enumerate() {
                push(if number == 0 { "plan" } else { "" }, line, Tone::Plain);
            }
        }
        for notice in &self.notices {
            push("not a journal", notice.clone(), Tone::Bad);
        }
        wrap_lines(lines, width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::{ChangesInLog, LogIdentity, Loss, PLAN_VERSION, Plan};

    fn record(number: u32, undoes: Option<u32>) -> RepairRecord {
        let log = LogIdentity {
            path: "a.log".into(),
            format: crate::format::FrameFormat::V1,
            header: Vec::new(),
            first_checksum: None,
            file: None,
            bytes: 0,
            short_segments: Vec::new(),
        };
        let plan = Plan {
            layout_version: PLAN_VERSION,
            id: String::new(),
            digest: String::new(),
            undoes,
            cut_segments: Vec::new(),
            settings: None,
            erases: None,
            purges: None,
            log,
            steps: Vec::new(),
            unrepaired: Vec::new(),
            notes: Vec::new(),
            forgotten_index_end: None,
            replaced_loss: Loss::default(),
            forgotten_loss: Loss::default(),
            estimated_lock_ms: 0,
        };
        let state = RepairState::Applied;
        let in_log = ChangesInLog::All;
        RepairRecord { number, journal: "journal".into(), begun_ms: 0, state, undone_by: None, in_log, plan }
    }

    #[test]
    fn the_undo_of_an_undo_is_a_redo_and_the_undo_of_a_redo_is_an_undo() {
        let records = vec![record(1, None), record(2, Some(1)), record(3, Some(2)), record(4, Some(3))];
        let pane = RepairsPane { records, ..RepairsPane::default() };
        assert_eq!(pane.undo_effect(1), UndoEffect::Undo(1));
        assert_eq!(pane.undo_effect(2), UndoEffect::Redo(1));
        assert_eq!(pane.undo_effect(3), UndoEffect::Undo(1));
        assert_eq!(pane.undo_effect(4), UndoEffect::Redo(1));
        assert_eq!(pane.undo_effect(9), UndoEffect::Undo(9), "a repair that is not in the history");
    }
}
