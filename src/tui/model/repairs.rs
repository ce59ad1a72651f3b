//! Repairs: what a plan was wished for, the plan that is shown, and the medical record of the log.

use std::ops::Range;
use std::path::Path;

use super::{DetailLine, ListCursor, Tone};
use crate::format::DamageKind;
use crate::repair::{Fix, Plan, RepairOptions, RepairRecord, RepairState, find_gap_journal};
use crate::report::units::{DisplayZone, format_count, format_number, format_timestamp};
use crate::report::{candidate_line, plan_lines, record_line, safe_path_text};
use crate::tui::actions::candidate_keys;

/// Lines of a plan that a dialog shows.
const MAX_PLAN_LINES: usize = 1000;

/// What a plan is wished for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlanRequest {
    /// To repair.
    Repair {
        /// What, and how far to go.
        options: RepairOptions,
        /// The one finding that it is about, where somebody has to decide.
        undecided: Option<UndecidedFinding>,
    },
    /// To take back the repair of this number, or the last one.
    Undo(Option<u32>),
}

/// A finding that somebody has to decide about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UndecidedFinding {
    /// Where it starts.
    pub(crate) start: u64,
    /// What it may be.
    pub(crate) fix: Fix,
}

/// A plan, with what it was wished for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlanPreview {
    /// What was wished for.
    pub(crate) request: PlanRequest,
    /// What came of it.
    pub(crate) plan: Plan,
}

impl PlanRequest {
    /// What its job is called, and its dialog.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Repair { options: RepairOptions { damage_offset: Some(offset), .. }, .. } => {
                format!("repair at {offset}")
            }
            Self::Repair { .. } => "repair everything".into(),
            Self::Undo(Some(number)) => format!("undo repair {number}"),
            Self::Undo(None) => "undo the last repair".into(),
        }
    }

    /// The command that does the same without a screen, for a log that a shell knows by this word.
    pub(crate) fn cli_command(&self, log: &str) -> String {
        match self {
            Self::Undo(None) => format!("chronicle undo {log} --yes"),
            Self::Undo(Some(number)) => format!("chronicle undo {log} {number} --yes"),
            Self::Repair { options: wishes, .. } => {
                let mut words = vec![format!("chronicle repair {log}")];
                words.extend(wishes.damage_offset.map(|offset| format!("--only {offset}")));
                words.extend(wishes.choices.iter().map(|(start, nth)| format!("--choose {start}={nth}")));
                words.extend(wishes.accept_likely.then(|| "--accept likely".to_owned()));
                words.extend(wishes.gap_undecided.then(|| "--gap-undecided".to_owned()));
                words.push("--yes".into());
                words.join(" ")
            }
        }
    }
}

impl PlanPreview {
    /// With the finding that somebody has to decide about, where the plan is about one and leaves it.
    pub(crate) fn new(wanted: PlanRequest, plan: Plan) -> Self {
        let wanted = match wanted {
            PlanRequest::Repair { options: wishes, undecided: None } if wishes.damage_offset.is_some() => {
                let left = plan.unrepaired.iter().find_map(|left| {
                    let fix = left.alternatives.iter().find(|fix| fix.is_undecided())?;
                    Some(UndecidedFinding { start: left.piece.start, fix: fix.clone() })
                });
                PlanRequest::Repair { options: wishes, undecided: left }
            }
            other => other,
        };
        Self { request: wanted, plan }
    }

    /// What the dialog says: the plan, what was decided and can be, and the command that does the same.
    pub(crate) fn dialog_lines(&self, folder: &Path, log: &str) -> Vec<String> {
        let mut lines = plan_lines(&self.plan, folder);
        if lines.len() > MAX_PLAN_LINES {
            // The last ones say where the old bytes go and how long the lock is held.
            let left_out = lines.len() - MAX_PLAN_LINES;
            let rest =
                format!("... {} are not shown; the command prints them all", format_count(left_out as u64, "line"));
            lines.splice(MAX_PLAN_LINES - 2..lines.len() - 2, [rest]);
        }
        // In sight however long the plan is.
        let decisions = self.decision_lines();
        lines.splice(1..1, decisions);
        lines.push(String::new());
        lines.push(format!("without a screen: {}", self.request.cli_command(log)));
        lines
    }

    /// How many candidates can be chosen from.
    pub(crate) fn candidate_count(&self) -> usize {
        match &self.request {
            PlanRequest::Repair { undecided: Some(undecided), .. } => undecided.fix.candidates.len(),
            _ => 0,
        }
    }

    /// True when more can be decided than what is proven, or was.
    pub(crate) fn has_decisions(&self) -> bool {
        let PlanRequest::Repair { options: wishes, undecided } = &self.request else { return false };
        let left = self.plan.unrepaired.iter().any(|left| left.alternatives.iter().any(Fix::is_undecided));
        left || undecided.is_some() || wishes.accept_likely || wishes.gap_undecided
    }

    /// What somebody has decided, and can decide, each with its key.
    fn decision_lines(&self) -> Vec<String> {
        let PlanRequest::Repair { options: wishes, undecided } = &self.request else { return Vec::new() };
        let mark = |on| if on { "[x]" } else { "[ ]" };
        let mut lines = Vec::new();
        if let Some(UndecidedFinding { start, fix }) = undecided {
            for ((nth, of), key) in (1..).zip(&fix.candidates).zip(candidate_keys()) {
                let chosen = mark(wishes.choices.contains(&(*start, nth)));
                lines.push(format!("{key} {chosen} take candidate {nth} at {start}: {}", candidate_line(of)));
            }
        }
        if self.has_decisions() {
            lines.push(format!("l {} take what is likely", mark(wishes.accept_likely)));
            lines.push(format!("g {} fence off what nobody has decided", mark(wishes.gap_undecided)));
        }
        lines
    }
}

/// The medical record of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepairsPane {
    /// Its entries, oldest first.
    pub(crate) records: Vec<RepairRecord>,
    /// What stands among the journals and is none of this log.
    pub(crate) notices: Vec<String>,
    /// The cursor in the entries, newest first.
    pub(crate) cursor: ListCursor,
    /// The cursor in what is said about one.
    pub(crate) detail_cursor: ListCursor,
}

impl RepairsPane {
    /// The entry of a line: the newest is the first.
    pub(crate) fn record_at(&self, line: usize) -> Option<&RepairRecord> {
        self.records.iter().rev().nth(line)
    }

    /// The entry under the cursor.
    pub(crate) fn selected_record(&self) -> Option<&RepairRecord> {
        self.record_at(self.cursor.line)
    }

    /// One that was killed and waits to be completed or taken back.
    pub(crate) fn pending_repair(&self) -> Option<&RepairRecord> {
        self.records.iter().find(|record| record.state == RepairState::Pending)
    }

    /// The journal that keeps what stood in a gap.
    pub(crate) fn backup_journal(&self, kind: DamageKind, range: Range<u64>) -> Option<&Path> {
        (kind == DamageKind::Gap).then(|| find_gap_journal(&self.records, range)).flatten()
    }

    /// Moves the cursor by so many entries.
    pub(crate) fn move_by(&mut self, by: i64) {
        self.cursor.move_by(by, self.records.len());
        self.detail_cursor = ListCursor { line: 0, top: 0, ..self.detail_cursor };
    }

    /// What is said about the entry under the cursor.
    pub(crate) fn detail_lines(&self, width: usize) -> Vec<DetailLine> {
        let mut lines = Vec::new();
        let mut say = |label, text: String, tone| lines.push(DetailLine { label, text, tone });
        if let Some(record) = self.selected_record() {
            let tone = if record.state == RepairState::Pending { Tone::Bad } else { Tone::Plain };
            say("repair", record_line(record).trim_start().to_owned(), tone);
            say("begun", format_timestamp(record.begun_ms, DisplayZone::Utc), Tone::Plain);
            say("journal", safe_path_text(&record.journal), Tone::Good);
            let kept = format_count(record.plan.journaled_bytes(), "byte");
            say("kept", format!("{kept} of {}", format_number(record.plan.log.bytes)), Tone::Plain);
            let folder = record.journal.parent().unwrap_or(&record.journal);
            for (nth, line) in plan_lines(&record.plan, folder).into_iter().enumerate() {
                say(if nth == 0 { "plan" } else { "" }, line, Tone::Plain);
            }
        }
        for notice in &self.notices {
            say("no journal", notice.clone(), Tone::Bad);
        }
        super::detail_lines::wrap_lines(lines, width)
    }
}
