//! Repairs: what a plan was wished for, the plan that is shown, and the medical record of the log.

use std::ops::Range;
use std::path::Path;

use super::{Cursor, SheetLine, Tone};
use crate::format::Kind;
use crate::repair::{Fix, Plan, Record, RecordState, Wishes, kept_in};
use crate::report::units::{Zone, count, exact, moment};
use crate::report::{candidate, path_text, plan_lines, record_line};
use crate::tui::actions::candidate_keys;

/// Lines of a plan that a dialog shows.
const LINES: usize = 1000;

/// What a plan is wished for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// To repair.
    Repair {
        /// What, and how far to go.
        wishes: Wishes,
        /// The one finding that it is about, where somebody has to decide.
        undecided: Option<Undecided>,
    },
    /// To take back the repair of this number, or the last one.
    Undo(Option<u32>),
}

/// A finding that somebody has to decide about.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Undecided {
    /// Where it starts.
    pub(crate) start: u64,
    /// What it may be.
    pub(crate) fix: Fix,
}

/// A plan, with what it was wished for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Offer {
    /// What was wished for.
    pub(crate) wanted: Wanted,
    /// What came of it.
    pub(crate) plan: Plan,
}

impl Wanted {
    /// What its job is called, and its dialog.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Repair { wishes: Wishes { at: Some(offset), .. }, .. } => format!("repair at {offset}"),
            Self::Repair { .. } => "repair everything".into(),
            Self::Undo(Some(number)) => format!("undo repair {number}"),
            Self::Undo(None) => "undo the last repair".into(),
        }
    }

    /// The command that does the same without a screen, for a log that a shell knows by this word.
    pub(crate) fn twin(&self, log: &str) -> String {
        match self {
            Self::Undo(None) => format!("chronicle undo {log} --yes"),
            Self::Undo(Some(number)) => format!("chronicle undo {log} {number} --yes"),
            Self::Repair { wishes, .. } => {
                let mut words = vec![format!("chronicle repair {log}")];
                words.extend(wishes.at.map(|offset| format!("--only {offset}")));
                words.extend(wishes.choices.iter().map(|(start, nth)| format!("--choose {start}={nth}")));
                words.extend(wishes.accept_likely.then(|| "--accept likely".to_owned()));
                words.extend(wishes.fence_undecided.then(|| "--fence-undecided".to_owned()));
                words.push("--yes".into());
                words.join(" ")
            }
        }
    }
}

impl Offer {
    /// With the finding that somebody has to decide about, where the plan is about one and leaves it.
    pub(crate) fn new(wanted: Wanted, plan: Plan) -> Self {
        let wanted = match wanted {
            Wanted::Repair { wishes, undecided: None } if wishes.at.is_some() => {
                let left = plan.left.iter().find_map(|left| {
                    let fix = left.also_possible.iter().find(|fix| fix.is_undecided())?;
                    Some(Undecided { start: left.piece.start, fix: fix.clone() })
                });
                Wanted::Repair { wishes, undecided: left }
            }
            other => other,
        };
        Self { wanted, plan }
    }

    /// What the dialog says: the plan, what was decided and can be, and the command that does the same.
    pub(crate) fn lines(&self, folder: &Path, log: &str) -> Vec<String> {
        let mut lines = plan_lines(&self.plan, folder);
        if lines.len() > LINES {
            // The last ones say where the old bytes go and how long the lock is held.
            let left_out = lines.len() - LINES;
            let rest = format!("... {} are not shown; the command prints them all", count(left_out as u64, "line"));
            lines.splice(LINES - 2..lines.len() - 2, [rest]);
        }
        // In sight however long the plan is.
        let decisions = self.decisions();
        lines.splice(1..1, decisions);
        lines.push(String::new());
        lines.push(format!("without a screen: {}", self.wanted.twin(log)));
        lines
    }

    /// How many candidates can be chosen from.
    pub(crate) fn candidates(&self) -> usize {
        match &self.wanted {
            Wanted::Repair { undecided: Some(undecided), .. } => undecided.fix.candidates.len(),
            _ => 0,
        }
    }

    /// True when more can be decided than what is proven, or was.
    pub(crate) fn is_open(&self) -> bool {
        let Wanted::Repair { wishes, undecided } = &self.wanted else { return false };
        let left = self.plan.left.iter().any(|left| left.also_possible.iter().any(Fix::is_undecided));
        left || undecided.is_some() || wishes.accept_likely || wishes.fence_undecided
    }

    /// What somebody has decided, and can decide, each with its key.
    fn decisions(&self) -> Vec<String> {
        let Wanted::Repair { wishes, undecided } = &self.wanted else { return Vec::new() };
        let mark = |on| if on { "[x]" } else { "[ ]" };
        let mut lines = Vec::new();
        if let Some(Undecided { start, fix }) = undecided {
            for ((nth, of), key) in (1..).zip(&fix.candidates).zip(candidate_keys()) {
                let chosen = mark(wishes.choices.contains(&(*start, nth)));
                lines.push(format!("{key} {chosen} take candidate {nth} at {start}: {}", candidate(of)));
            }
        }
        if self.is_open() {
            lines.push(format!("l {} take what is likely", mark(wishes.accept_likely)));
            lines.push(format!("g {} fence off what nobody has decided", mark(wishes.fence_undecided)));
        }
        lines
    }
}

/// The medical record of the log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repairs {
    /// Its entries, oldest first.
    pub(crate) records: Vec<Record>,
    /// What stands among the journals and is none of this log.
    pub(crate) notices: Vec<String>,
    /// The cursor in the entries, newest first.
    pub(crate) cursor: Cursor,
    /// The cursor in what is said about one.
    pub(crate) about: Cursor,
}

impl Repairs {
    /// The entry of a line: the newest is the first.
    pub(crate) fn at(&self, line: usize) -> Option<&Record> {
        self.records.iter().rev().nth(line)
    }

    /// The entry under the cursor.
    pub(crate) fn chosen(&self) -> Option<&Record> {
        self.at(self.cursor.at)
    }

    /// One that was killed and waits to be completed or taken back.
    pub(crate) fn pending(&self) -> Option<&Record> {
        self.records.iter().find(|record| record.state == RecordState::Pending)
    }

    /// The journal that keeps what stood in a gap.
    pub(crate) fn keeper(&self, kind: Kind, range: Range<u64>) -> Option<&Path> {
        (kind == Kind::Gap).then(|| kept_in(&self.records, range)).flatten()
    }

    /// Moves the cursor by so many entries.
    pub(crate) fn move_by(&mut self, by: i64) {
        self.cursor.move_by(by, self.records.len());
        self.about = Cursor { at: 0, top: 0, ..self.about };
    }

    /// What is said about the entry under the cursor.
    pub(crate) fn sheet(&self, width: usize) -> Vec<SheetLine> {
        let mut lines = Vec::new();
        let mut say = |label, text: String, tone| lines.push(SheetLine { label, text, tone });
        if let Some(record) = self.chosen() {
            let tone = if record.state == RecordState::Pending { Tone::Bad } else { Tone::Plain };
            say("repair", record_line(record).trim_start().to_owned(), tone);
            say("begun", moment(record.begun_ms, Zone::Utc), Tone::Plain);
            say("journal", path_text(&record.journal), Tone::Good);
            let kept = count(record.plan.bytes_kept(), "byte");
            say("kept", format!("{kept} of {}", exact(record.plan.log.bytes)), Tone::Plain);
            let folder = record.journal.parent().unwrap_or(&record.journal);
            for (nth, line) in plan_lines(&record.plan, folder).into_iter().enumerate() {
                say(if nth == 0 { "plan" } else { "" }, line, Tone::Plain);
            }
        }
        for notice in &self.notices {
            say("no journal", notice.clone(), Tone::Bad);
        }
        super::sheet::wrap(lines, width)
    }
}
