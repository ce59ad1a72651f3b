//! The words for repair: what can be done about a finding, how certain that is, and what it would change.

use serde::{Deserialize, Serialize};

/// What can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Writes the length that the checksum proves.
    RestoreLength,
    /// Writes the bits that the checksum points at.
    CorrectBits,
    /// Writes the log's header anew.
    RebuildHeader,
    /// Takes the range from another copy of the log.
    TakeFromDonor,
    /// Keeps the unfinished end in the journal and cuts it off.
    SetAsideTail,
    /// Fences the range off, so that every later offset stays.
    Gap,
}

impl Action {
    /// Every action, with the name FORMAT.md gives it and whether it restores what was there.
    pub const ALL: [(Action, &'static str, bool); 6] = [
        (Action::RestoreLength, "restore_length", true),
        (Action::CorrectBits, "correct_bits", true),
        (Action::RebuildHeader, "rebuild_header", true),
        (Action::TakeFromDonor, "take_from_donor", true),
        (Action::SetAsideTail, "set_aside_tail", false),
        (Action::Gap, "gap", false),
    ];

    /// The name FORMAT.md gives it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// True for what brings bytes back; false for what keeps the rest usable without them.
    pub fn restores(self) -> bool {
        self.row().2
    }

    fn row(self) -> &'static (Action, &'static str, bool) {
        Self::ALL.iter().find(|row| row.0 == self).unwrap_or(&Self::ALL[0])
    }
}

/// How certain a fix is, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Somebody has to choose among candidates, of which none may be the truth.
    Choice,
    /// Accidents that look like it are rarer than 1 in 100.
    Likely,
    /// Proved by the checksum, or by an identical copy.
    Proven,
}

impl Certainty {
    /// The word FORMAT.md gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Likely => "likely",
            Self::Choice => "choice",
        }
    }
}

/// Bytes that a fix changes: as many before as after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// File offset of the first.
    pub offset: u64,
    /// As they stand.
    #[serde(with = "super::hex")]
    pub before: Vec<u8>,
    /// As they will.
    #[serde(with = "super::hex")]
    pub after: Vec<u8>,
}

/// One way in which a finding may have come about, and what would undo that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// How many accidental candidates at least as short one would expect here.
    pub expected: f64,
    /// What it changes, ascending.
    pub changes: Vec<Change>,
}

/// What can be done about a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// The action.
    pub action: Action,
    /// How certain it is; `None` for what restores nothing.
    pub certainty: Option<Certainty>,
    /// What it would change: one candidate, or several that somebody has to choose from, best first; none where the
    /// action is all there is to say.
    pub candidates: Vec<Candidate>,
    /// What was not searched, in words, where a search was stopped at its bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsearched: Option<String>,
    /// In a plan: the choice that takes its first candidate, or it, where it has none: a finding's start and a number,
    /// as in [`super::Wishes::choices`]. What is next counts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choose: Option<(u64, usize)>,
}

impl Fix {
    /// An action that restores nothing and has no candidates.
    pub(crate) const fn plain(action: Action) -> Self {
        Self { action, certainty: None, candidates: Vec::new(), unsearched: None, choose: None }
    }

    /// An action with the one candidate there is.
    pub(crate) fn single(action: Action, certainty: Certainty, expected: f64, changes: Vec<Change>) -> Self {
        let candidates = vec![Candidate { expected, changes }];
        Self { action, certainty: Some(certainty), candidates, unsearched: None, choose: None }
    }

    /// True when a person or a word of theirs has to decide, beyond what is proven.
    pub fn is_undecided(&self) -> bool {
        self.certainty.is_some_and(|certainty| certainty < Certainty::Proven)
    }
}

/// The runs of bytes in which `after` differs from `before`, which starts at `offset`.
pub(super) fn differing(offset: u64, before: &[u8], after: &[u8]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for ((at, old), new) in (offset..).zip(before).zip(after) {
        if old == new {
            continue;
        }
        match changes.last_mut() {
            Some(change) if change.offset + change.after.len() as u64 == at => {
                change.before.push(*old);
                change.after.push(*new);
            }
            _ => changes.push(Change { offset: at, before: vec![*old], after: vec![*new] }),
        }
    }
    changes
}
