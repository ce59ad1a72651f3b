//! The state of the Compare tab: the differences between the log and a backup, and what they mean for the log.

use std::path::PathBuf;
use std::time::Duration;

use super::{BothSides, DetailView, ListCursor, Model, Tab, wrap_text};
use crate::inspect::{Comparison, CopyContent, LogDifference};
use crate::report::differences::unrelated_facts;
use crate::report::units::{format_count, format_duration, format_exact_size, format_number, format_size};
use crate::report::{safe_path_text, sanitize};
use crate::tui::actions::ActionId;

/// The state of the Compare tab.
#[derive(Debug, Clone, Default)]
pub(crate) struct ComparePane {
    /// The path of the backup, as it was typed; `None` until one was chosen.
    pub(crate) path: Option<PathBuf>,
    /// Whether the log was compared with the backup.
    pub(crate) state: CompareState,
    /// The result of the last comparison. It is shown until another arrives.
    pub(crate) result: Option<BackupComparison>,
    /// The cursor in the differences.
    pub(crate) cursor: ListCursor,
    /// The cursor in the lines about the selected difference.
    pub(crate) detail_cursor: ListCursor,
    /// The contents of both copies at a difference, as they were read last.
    pub(crate) sides: Option<BothSides>,
    /// The number of the difference whose sides were requested last.
    pub(crate) requested_sides: Option<usize>,
}

/// Whether the log was compared with the backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum CompareState {
    /// A comparison is needed: none was made, or the log has changed since.
    #[default]
    Needed,
    /// A comparison is running.
    Running,
    /// The user has stopped the comparison.
    Stopped,
    /// The comparison failed for this reason.
    Failed(String),
    /// The result is that of the log as it is.
    Done,
}

/// The result of comparing the log with a backup. The log is copy A of the comparison, and the backup copy B.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BackupComparison {
    /// The path of the backup, with symbolic links resolved.
    pub(crate) path: PathBuf,
    /// The differences.
    pub(crate) comparison: Comparison,
    /// The numbers of differences by their meaning.
    pub(crate) tally: DifferenceTally,
    /// The times of the last events of the log and of the backup.
    pub(crate) last_times_ms: (Option<u64>, Option<u64>),
    /// When the result arrived, in milliseconds since the Unix epoch.
    pub(crate) read_at_ms: u64,
}

/// What a difference means for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DifferenceMeaning {
    /// The backup has an event that the log has lost.
    Lost,
    /// The backup has events after the end of the log.
    BackupContinues,
    /// Both have an event here, and the events differ.
    Differs,
    /// Only the log has an event here.
    OnlyHere,
    /// Neither has an event here.
    InNeither,
}

impl DifferenceMeaning {
    /// Returns the meaning of a difference between the log (A) and its backup (B).
    pub(crate) const fn of(difference: &LogDifference) -> Self {
        match (&difference.a, &difference.b) {
            (_, CopyContent::Rest(_)) => Self::BackupContinues,
            (CopyContent::Header { created_at_ms: None }, CopyContent::Header { created_at_ms: Some(_) }) => Self::Lost,
            (CopyContent::Header { created_at_ms: Some(_) }, CopyContent::Header { created_at_ms: None })
            | (CopyContent::Rest(_), _) => Self::OnlyHere,
            (CopyContent::Header { .. }, CopyContent::Header { .. })
            | (CopyContent::Event(_) | CopyContent::UnreadFrame, CopyContent::Event(_) | CopyContent::UnreadFrame) => {
                Self::Differs
            }
            (_, CopyContent::Event(_) | CopyContent::UnreadFrame) => Self::Lost,
            (CopyContent::Event(_) | CopyContent::UnreadFrame, _) => Self::OnlyHere,
            _ => Self::InNeither,
        }
    }

    /// Returns the words for the meaning.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost here",
            Self::BackupContinues => "after end",
            Self::Differs => "differs",
            Self::OnlyHere => "only here",
            Self::InNeither => "in neither",
        }
    }

    /// Returns the glyph of the meaning.
    pub(crate) const fn glyph(self) -> &'static str {
        match self {
            Self::Lost => "×",
            Self::BackupContinues => "+",
            Self::Differs => "~",
            Self::OnlyHere => "-",
            Self::InNeither => "?",
        }
    }
}

/// The numbers of differences by their meaning. Events after the end of one copy are counted one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DifferenceTally {
    /// Events, and a header, that the backup has and the log has lost.
    pub(crate) lost: u64,
    /// Events of the backup after the end of the log.
    pub(crate) backup_continues: u64,
    /// Places where both have an event, and the events differ.
    pub(crate) differing: u64,
    /// Events that only the log has, before the end of the backup.
    pub(crate) only_here: u64,
    /// Those of `only_here` in whose place the backup is damaged.
    pub(crate) damaged_in_backup: u64,
    /// Events of the log after the end of the backup.
    pub(crate) log_continues: u64,
    /// Ranges in which neither has an event.
    pub(crate) in_neither: u64,
}

impl DifferenceTally {
    /// Counts a difference.
    pub(crate) fn add(&mut self, difference: &LogDifference) {
        match (DifferenceMeaning::of(difference), &difference.a, &difference.b) {
            (DifferenceMeaning::BackupContinues, _, CopyContent::Rest(rest)) => self.backup_continues += rest.events,
            (DifferenceMeaning::OnlyHere, CopyContent::Rest(rest), _) => self.log_continues += rest.events,
            (DifferenceMeaning::OnlyHere, _, content) => {
                self.only_here += 1;
                self.damaged_in_backup += u64::from(!matches!(content, CopyContent::Gap));
            }
            (DifferenceMeaning::Lost, ..) => self.lost += 1,
            (DifferenceMeaning::Differs, ..) => self.differing += 1,
            (DifferenceMeaning::BackupContinues | DifferenceMeaning::InNeither, ..) => self.in_neither += 1,
        }
    }
}

impl ComparePane {
    /// Compares the log with another backup.
    pub(crate) fn choose(&mut self, path: PathBuf) {
        *self = Self { path: Some(path), ..Self::default() };
    }

    /// Records that the log has changed, so that the result is that of other bytes.
    pub(crate) fn invalidate(&mut self) {
        self.state = CompareState::Needed;
        self.discard_sides();
    }

    /// Discards the contents of both copies, so that they are read again at the selected difference.
    pub(crate) fn discard_sides(&mut self) {
        (self.sides, self.requested_sides) = (None, None);
    }

    /// Returns the differences that are listed.
    pub(crate) fn differences(&self) -> &[LogDifference] {
        self.result.as_ref().map_or(&[], |result| &result.comparison.differences)
    }

    /// Returns the selected difference.
    pub(crate) fn selected(&self) -> Option<&LogDifference> {
        self.differences().get(self.cursor.line)
    }

    /// Returns the number of the difference in a range of the log as it is now: the selected one, else the first one.
    pub(crate) fn difference_in(&self, start: u64, end: u64) -> Option<usize> {
        let is_inside = |difference: &LogDifference| difference.start < end && start < difference.end;
        let is_selected = self.selected().is_some_and(is_inside);
        let first = || self.differences().iter().position(is_inside);
        let found = if is_selected { Some(self.cursor.line) } else { first() };
        found.filter(|_| self.state == CompareState::Done)
    }

    /// Moves the cursor by a number of differences.
    pub(crate) fn move_by(&mut self, lines: i64) {
        let before = self.cursor.line;
        let total = self.differences().len();
        self.cursor.move_by(lines, total);
        if self.cursor.line != before {
            self.detail_cursor = ListCursor { line: 0, top: 0, ..self.detail_cursor };
        }
    }

    /// Returns the name of the backup: the last part of its path.
    pub(crate) fn backup_name(&self) -> String {
        let path = self.path.as_deref().unwrap_or_else(|| std::path::Path::new(""));
        path.file_name().map_or_else(|| safe_path_text(path), |name| sanitize(&name.to_string_lossy()).into_owned())
    }
}

impl Model {
    /// Returns whether the Compare tab lists differences, so that the detail pane has something to show.
    pub(crate) fn lists_differences(&self) -> bool {
        self.tab == Tab::Compare && !self.compare.differences().is_empty()
    }

    /// Returns the backup from which a repair takes events: the one whose differences are on the screen.
    pub(crate) fn shown_backup(&self) -> Option<&PathBuf> {
        let is_shown = self.tab == Tab::Compare || self.shows_backup_view();
        self.compare.path.as_ref().filter(|_| is_shown && self.compare.result.is_some())
    }

    /// Returns why the events of the backup at the selected difference cannot be taken, or `None` when they can.
    pub(crate) fn take_refusal(&self) -> Option<String> {
        let pane = &self.compare;
        if pane.path.is_none() {
            return Some("no backup was compared yet; `:compare FILE` does".into());
        }
        let again = self.keys.hint(ActionId::ReadAgain);
        let difference = match (&pane.state, pane.selected()) {
            (CompareState::Done, Some(difference)) => difference,
            (CompareState::Done, None) => return Some("no difference is selected".into()),
            _ => return Some(format!("the log was not compared in its present state; {again} compares it")),
        };
        let reason = match (DifferenceMeaning::of(difference), &difference.a) {
            (DifferenceMeaning::Lost, CopyContent::Gap) => {
                let (tab, undo) = (self.keys.hint(ActionId::TabRepairs), self.keys.hint(ActionId::Undo));
                return Some(format!("an earlier repair wrote a gap here; undo it first ({tab}, {undo})"));
            }
            (DifferenceMeaning::Lost | DifferenceMeaning::BackupContinues, _) => return None,
            (DifferenceMeaning::Differs, _) => "both copies have an event here; a repair changes no valid event",
            (DifferenceMeaning::OnlyHere, _) => "the backup has no event here",
            (DifferenceMeaning::InNeither, _) => "neither copy has an event here",
        };
        Some(reason.into())
    }

    /// Returns whether the detail pane shows the contents of the backup at the selected row of the log.
    pub(crate) fn shows_backup_view(&self) -> bool {
        matches!(self.tab, Tab::Events | Tab::Findings) && self.detail.shown_view() == DetailView::Backup
    }

    /// Returns the line about the differences for the title of the Compare tab.
    pub(crate) fn comparison_summary(&self) -> String {
        let pane = &self.compare;
        let Some(result) = &pane.result else { return String::new() };
        let name = pane.backup_name();
        let tally = result.tally;
        let comparison = &result.comparison;
        if comparison.unrelated.is_some() {
            return format!("{name}: no copy of this log");
        }
        if comparison.is_identical() {
            return format!("{name}: identical");
        }
        let parts = [
            (tally.lost, "lost here"),
            (tally.backup_continues, "after the end of this log"),
            (tally.differing, "differing"),
            (tally.only_here, "only here"),
            (tally.log_continues, "after its end"),
            (tally.in_neither, "in neither"),
        ];
        let parts = parts.iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts.map(|(number, words)| format!("{} {words}", format_number(*number))).collect();
        format!("{name}: {}", parts.join(", "))
    }

    /// Returns the message that the Compare tab shows in place of differences, in lines of at most `width` columns.
    pub(crate) fn comparison_message(&self, width: usize) -> Vec<String> {
        let pane = &self.compare;
        let name = pane.backup_name();
        let text = match (&pane.state, &pane.result, &pane.path) {
            (_, _, None) => format!(
                "No backup is open. `:compare FILE` ({}) compares this log with another copy of it, and lists the events \
                 that the copy has and this log has lost.",
                self.keys.hint(ActionId::Compare)
            ),
            (CompareState::Needed | CompareState::Running, None, _) => {
                format!("Comparing with {name}… {} stops", self.keys.hint(ActionId::Back))
            }
            (CompareState::Stopped, ..) => format!("Stopped; {} compares again", self.keys.hint(ActionId::ReadAgain)),
            (CompareState::Failed(reason), ..) => {
                format!(
                    "{reason}. `:compare FILE` names another copy; {} tries again",
                    self.keys.hint(ActionId::ReadAgain)
                )
            }
            (_, Some(result), _) => match &result.comparison.unrelated {
                Some(unrelated) => {
                    let facts = unrelated_facts(unrelated, ("this log", &name), self.zone);
                    format!("These are not copies of one log: {facts}.")
                }
                None if result.comparison.is_identical() => {
                    let size = format_exact_size(result.comparison.b_bytes);
                    format!("{name} is identical to this log, byte for byte: {size}.")
                }
                None => String::new(),
            },
            (CompareState::Done, None, _) => String::new(),
        };
        wrap_text(&text, width.max(1))
    }

    /// Returns the notes about the limits of the backup: it ends earlier, is older, is damaged itself, or has diverged from
    /// the log. Lines have at most `width` columns.
    pub(crate) fn backup_notes(&self, width: usize) -> Vec<String> {
        let Some(result) = &self.compare.result else { return Vec::new() };
        let comparison = &result.comparison;
        if comparison.unrelated.is_some() {
            return Vec::new();
        }
        let tally = &result.tally;
        let mut notes = Vec::new();
        if self.compare.state != CompareState::Done {
            notes.push("The log has changed since it was compared".to_owned());
        }
        if let Some(at) = comparison.diverged_at {
            let at = self.format_offset(at);
            notes.push(format!("From {at} on, no event is the same in both: the copies have diverged"));
        }
        let missing = comparison.a_bytes.saturating_sub(comparison.b_bytes);
        let older_ms = match result.last_times_ms {
            (Some(here), Some(there)) => here.saturating_sub(there),
            _ => 0,
        };
        let ends = (missing > 0).then(|| format!("it ends {} before this log", format_size(missing)));
        let older = (older_ms > 0)
            .then(|| format!("its last event is {} older", format_duration(Duration::from_millis(older_ms))));
        let facts: Vec<String> = ends.into_iter().chain(older).collect();
        if !facts.is_empty() {
            notes.push(format!("The backup is older: {}", facts.join(", ")));
        }
        if tally.damaged_in_backup > 0 {
            let events = format_count(tally.damaged_in_backup, "event");
            notes.push(format!("The backup is damaged itself: it lacks {events} that this log has"));
        }
        let same = self.damage_without_difference();
        if same > 0 {
            notes.push(format!("{} of this log: the backup has the same bytes", format_count(same, "damaged range")));
        }
        let unlisted = comparison.total().saturating_sub(comparison.differences.len() as u64);
        if unlisted > 0 {
            notes.push(format!("{} more not listed; `chronicle diff --ndjson` lists all", format_number(unlisted)));
        }
        notes.iter().flat_map(|note| wrap_text(note, width.max(1))).collect()
    }

    /// Returns the number of damaged ranges that the scan has found and in which the backup has the same bytes.
    fn damage_without_difference(&self) -> u64 {
        let Some(result) = &self.compare.result else { return 0 };
        let comparison = &result.comparison;
        if comparison.total() > comparison.differences.len() as u64 {
            return 0;
        }
        let compared_to = comparison.a_bytes.min(comparison.b_bytes);
        let mut differences = comparison.differences.iter().peekable();
        let mut same = 0;
        for finding in self.scan.findings.iter().filter(|found| found.kind.is_damage() && found.end <= compared_to) {
            while differences.next_if(|difference| difference.end <= finding.start).is_some() {}
            same += u64::from(differences.peek().is_none_or(|difference| difference.start >= finding.end));
        }
        same
    }
}
