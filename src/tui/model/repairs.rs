//! The history of the log with its cursors: the repairs, and the removals of segments.

use std::ops::Range;
use std::path::Path;

use super::ListCursor;
use super::labelled_lines::wrap_lines;
use crate::SegmentRemoval;
use crate::format::{DamageKind, segment_file_name};
use crate::repair::{RepairRecord, RepairState, find_gap_journal};
use crate::report::units::{DisplayZone, format_count, format_number, format_size, format_timestamp};
use crate::report::{DetailLine, Tone, plan_lines, record_line, removal_line, safe_path_text, sanitize};

/// Largest number of removed segments that the details list.
const MAX_SEGMENTS_SHOWN: usize = 100;

/// The repairs of the log, and the removals of its segments.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepairsPane {
    /// The repairs, oldest first.
    pub(crate) records: Vec<RepairRecord>,
    /// The removals of segments, oldest first, also those whose segments were deleted for good.
    pub(crate) removals: Vec<SegmentRemoval>,
    /// One message for each file in the journal folder that is not a journal of this log, and for each record of removed
    /// segments that is not used.
    pub(crate) notices: Vec<String>,
    /// The cursor in the entries, newest first.
    pub(crate) cursor: ListCursor,
    /// The scroll position in the details of the selected entry.
    pub(crate) detail_cursor: ListCursor,
}

/// An entry of the history.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LoggedChange<'a> {
    Repair(&'a RepairRecord),
    Removal(&'a SegmentRemoval),
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

    /// Returns the repairs and removals, newest first. Repairs stay in the order of their numbers.
    pub(crate) fn entries(&self) -> Vec<LoggedChange<'_>> {
        let mut entries = Vec::with_capacity(self.entry_count());
        let mut removals = self.removals.iter().peekable();
        for record in &self.records {
            while let Some(removal) = removals.next_if(|removal| removal.removed_at_ms < record.begun_ms) {
                entries.push(LoggedChange::Removal(removal));
            }
            entries.push(LoggedChange::Repair(record));
        }
        entries.extend(removals.map(LoggedChange::Removal));
        entries.reverse();
        entries
    }

    /// The number of repairs and removals.
    pub(crate) fn entry_count(&self) -> usize {
        self.records.len() + self.removals.len()
    }

    /// Returns the selected repair or removal.
    pub(crate) fn selected_entry(&self) -> Option<LoggedChange<'_>> {
        self.entries().get(self.cursor.line).copied()
    }

    /// Returns the selected repair; `None` when a removal is selected.
    pub(crate) fn selected_record(&self) -> Option<&RepairRecord> {
        match self.selected_entry()? {
            LoggedChange::Repair(record) => Some(record),
            LoggedChange::Removal(_) => None,
        }
    }

    /// Returns the selected removal; `None` when a repair is selected.
    pub(crate) fn selected_removal(&self) -> Option<&SegmentRemoval> {
        match self.selected_entry()? {
            LoggedChange::Removal(removal) => Some(removal),
            LoggedChange::Repair(_) => None,
        }
    }

    /// True when removed segments can still be restored.
    pub(crate) fn has_restorable_segments(&self) -> bool {
        self.removals.iter().any(|removal| removal.purged_at_ms.is_none())
    }

    /// Returns the offset that an entry is about: of its first change, or of the start of the log after it.
    pub(crate) fn selected_offset(&self) -> Option<u64> {
        match self.selected_entry()? {
            LoggedChange::Repair(record) => record.plan.steps.first().map(|step| step.start),
            LoggedChange::Removal(removal) => Some(removal.new_start),
        }
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

    /// Moves the cursor by a number of entries.
    pub(crate) fn move_by(&mut self, lines: i64) {
        self.cursor.move_by(lines, self.entry_count());
        self.detail_cursor = ListCursor { line: 0, top: 0, ..self.detail_cursor };
    }

    /// Moves the cursor in the details of the selected entry by a number of lines, which are `width` columns wide.
    pub(crate) fn move_in_details(&mut self, lines: i64, width: usize, zone: DisplayZone) {
        let total = self.detail_lines(width, zone).len();
        self.detail_cursor.move_by(lines, total);
    }

    /// Returns the details of the selected entry in lines of at most `width` columns.
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
        if let Some(removal) = self.selected_removal() {
            push("removal", removal_line(removal).trim_start_matches([' ', '-']).to_owned(), Tone::Plain);
            push("removed", format_timestamp(removal.removed_at_ms, zone), Tone::Plain);
            push("limits", sanitize(&removal.reason).into_owned(), Tone::Plain);
            for (number, segment) in removal.segments.iter().take(MAX_SEGMENTS_SHOWN).enumerate() {
                let (size, events) = (format_size(segment.bytes), format_count(segment.events, "event"));
                let text = format!("{}, {size}, {events}", segment_file_name(segment.base));
                push(if number == 0 { "segments" } else { "" }, text, Tone::Plain);
            }
            if let more @ 1.. = removal.segments.len().saturating_sub(MAX_SEGMENTS_SHOWN) {
                push("", format!("and {}", format_count(more as u64, "more segment")), Tone::Plain);
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
    fn removals_are_between_the_repairs_by_their_times() {
        let removal = |removed_at_ms| SegmentRemoval {
            log_id: crate::format::LogId::from_bytes([7; 16]),
            removed_at_ms,
            reason: String::new(),
            old_start: 0,
            new_start: removed_at_ms,
            segments: Vec::new(),
            purged_at_ms: None,
        };
        let begun = |number, begun_ms| RepairRecord { begun_ms, ..record(number, None) };
        let records = vec![begun(1, 100), begun(2, 200)];
        let mut pane = RepairsPane { records, removals: vec![removal(150), removal(300)], ..RepairsPane::default() };
        let order: Vec<u64> = pane
            .entries()
            .into_iter()
            .map(|entry| match entry {
                LoggedChange::Repair(record) => record.begun_ms,
                LoggedChange::Removal(removal) => removal.removed_at_ms,
            })
            .collect();
        assert_eq!(order, [300, 200, 150, 100]);
        assert_eq!((pane.selected_record().map(|record| record.number), pane.selected_offset()), (None, Some(300)));
        pane.move_by(1);
        assert_eq!((pane.selected_record().map(|record| record.number), pane.selected_offset()), (Some(2), None));
        assert!(pane.selected_removal().is_none());
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
