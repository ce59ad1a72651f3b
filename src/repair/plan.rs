//! A plan: what a repair would do to a log, word for word, as plain data; and the wishes it is made by.
//!
//! What is shown, what is saved, what is applied and what stands in the journal is this one value.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::fix::{ByteChange, Certainty, Fix, RepairAction};
use crate::format::DamageKind;
use crate::format::hex;

/// The layout of a plan in JSON.
pub const PLAN_VERSION: u32 = 1;

/// What to repair, and how far to go beyond what is proven.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RepairOptions {
    /// Take likely fixes too.
    pub accept_likely: bool,
    /// Fence off what only likely fixes or choices are offered for.
    pub gap_undecided: bool,
    /// Candidates chosen: a finding's start, and which of its candidates, from 1.
    pub choices: Vec<(u64, usize)>,
    /// Only these findings; all where there is none.
    pub only: Vec<FindingSelector>,
    /// Not these findings.
    pub except: Vec<FindingSelector>,
    /// Drop the index's word for events that are gone, instead of keeping their offsets.
    pub forget_lost_end: bool,
    /// Give up no more than this many events.
    pub max_lost_events: Option<u64>,
    /// Only the damage at this offset.
    pub damage_offset: Option<u64>,
}

/// Which findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingSelector {
    /// The one that starts here.
    Start(u64),
    /// Those of a kind.
    Kind(DamageKind),
}

impl FindingSelector {
    /// True for a finding of `kind` that starts at `start`.
    pub fn is_match(self, kind: DamageKind, start: u64) -> bool {
        match self {
            Self::Start(at) => at == start,
            Self::Kind(of) => of == kind,
        }
    }
}

/// What a repair would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The layout of this value: [`PLAN_VERSION`].
    #[serde(rename = "plan")]
    pub layout_version: u32,
    /// What names it: the first digits of a fingerprint of all it does.
    pub id: String,
    /// The number of the repair that it takes back, for an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
    /// The log it was made from.
    pub log: LogIdentity,
    /// What it does, by ascending offset; the ranges do not overlap.
    pub steps: Vec<RepairStep>,
    /// What it leaves as it is.
    #[serde(rename = "left")]
    pub unrepaired: Vec<UnrepairedRange>,
    /// What else is to be known, in words: why a donor does not help, and how far it goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How far an index has seen the log, when the plan drops its word for the events that are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "forgets")]
    pub forgotten_index_end: Option<u64>,
    /// Events given up with `forgets`.
    #[serde(default)]
    #[serde(rename = "forgotten")]
    pub forgotten_loss: Loss,
    /// How long the writer's lock will be held, roughly, in milliseconds.
    #[serde(rename = "lock_ms")]
    pub estimated_lock_ms: u64,
}

/// Which log a plan, or a journal, is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIdentity {
    /// Its path, links resolved. Told, and not relied on.
    pub path: PathBuf,
    /// Its first 16 bytes, or as many as there are.
    #[serde(with = "hex")]
    pub header: Vec<u8>,
    /// The checksum of the frame behind the header, where a valid one stands.
    pub first_checksum: Option<u32>,
    /// The file, whatever its name: device and inode. `None` where the platform has none.
    pub file: Option<(u64, u64)>,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// One change to a range of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepairStep {
    /// What is done.
    pub action: RepairAction,
    /// How certain it is; `None` for what restores nothing.
    pub certainty: Option<Certainty>,
    /// File offset of the range's first byte.
    pub start: u64,
    /// Behind its last byte as the log stands.
    pub end: u64,
    /// Behind its last byte afterwards. Other than `end` only at the end of the log.
    pub new_end: u64,
    /// The findings it is about.
    pub pieces: Vec<PlannedPiece>,
    /// What is written.
    pub write: StepWrite,
    /// Events that can be read afterwards and cannot now.
    #[serde(rename = "restored")]
    pub restored_events: u64,
    /// Events that are given up.
    #[serde(rename = "given_up")]
    pub loss: Loss,
    /// What else could have been done.
    #[serde(rename = "also_possible")]
    pub alternatives: Vec<Fix>,
    /// SHA-256 of the range as it stands.
    #[serde(with = "hex")]
    #[serde(rename = "before")]
    pub before_sha256: Vec<u8>,
    /// SHA-256 of the range afterwards.
    #[serde(with = "hex")]
    #[serde(rename = "after")]
    pub after_sha256: Vec<u8>,
    /// The valid frames next to it, on which it rests.
    pub neighbours: Vec<Neighbour>,
}

impl RepairStep {
    /// The range as it stands, in bytes of the file.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// True when the log's length changes, or bytes at its very end.
    pub const fn touches_tail(&self) -> bool {
        self.new_end != self.end
    }
}

/// What a step writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepWrite {
    /// Some bytes in place.
    Edits(Vec<ByteChange>),
    /// Gap frames over the whole range, behind a header where that was cut too.
    Gap {
        /// What the gap says about itself: a JSON object.
        #[serde(rename = "says")]
        description: String,
        /// The header in front of the gap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
    },
    /// The bytes of another copy of the log, or of an earlier journal; kept in this repair's journal.
    #[serde(rename = "taken")]
    CopyFrom {
        /// Where they come from.
        from: PathBuf,
    },
    /// Nothing: the log ends where the range starts.
    #[serde(rename = "cut")]
    Truncate,
}

/// A finding that a step is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPiece {
    /// The kind, by its name.
    pub kind: String,
    /// File offset of its first byte.
    pub start: u64,
    /// Behind its last byte.
    pub end: u64,
}

/// A finding that a plan does not touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnrepairedRange {
    /// Which.
    #[serde(flatten)]
    pub piece: PlannedPiece,
    /// Why, in words.
    #[serde(rename = "why")]
    pub reason: String,
    /// What could be done.
    #[serde(rename = "also_possible")]
    pub alternatives: Vec<Fix>,
}

/// Events given up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// At least so many.
    pub at_least: u64,
    /// At most so many; the same where the index knows.
    pub at_most: u64,
    /// The aggregates they belonged to, as far as the index knows: the first [`Loss::MAX_AGGREGATES`] by id.
    pub aggregates: Vec<u64>,
}

impl Loss {
    /// How many aggregates are named.
    pub const MAX_AGGREGATES: usize = 1000;

    /// True when nothing is given up.
    pub const fn is_zero(&self) -> bool {
        self.at_most == 0
    }

    /// Both together.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.at_least += other.at_least;
        self.at_most += other.at_most;
        self.aggregates.extend_from_slice(&other.aggregates);
        self.aggregates.sort_unstable();
        self.aggregates.dedup();
        self.aggregates.truncate(Self::MAX_AGGREGATES);
    }
}

/// A valid frame that a step rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// File offset of its first byte.
    pub offset: u64,
    /// Its stored checksum.
    pub checksum: u32,
}

impl Plan {
    /// True when there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.forgotten_index_end.is_none() && self.undoes.is_none()
    }

    /// True when it relies on where the log ends: then nothing may have been appended since.
    pub fn touches_tail(&self) -> bool {
        // Without steps it is about how far the index has seen the log, and nothing else.
        self.steps.last().is_none_or(RepairStep::touches_tail) || self.forgotten_index_end.is_some()
    }

    /// What a journal of it is called: the one thing that it does, or `repair`, or `undo`.
    pub fn journal_name(&self) -> &'static str {
        match self.steps.as_slice() {
            _ if self.undoes.is_some() => "undo",
            [] => "forget",
            [step] => step.action.name(),
            _ => "repair",
        }
    }

    /// Events that can be read afterwards and cannot now.
    pub fn restored_events(&self) -> u64 {
        self.steps.iter().map(|step| step.restored_events).sum()
    }

    /// Events that are given up.
    pub fn total_loss(&self) -> Loss {
        let mut all = self.forgotten_loss.clone();
        for step in &self.steps {
            all.merge(&step.loss);
        }
        all
    }

    /// Bytes that are written or cut off.
    pub fn changed_bytes(&self) -> u64 {
        let of = |step: &RepairStep| match &step.write {
            StepWrite::Edits(changes) => changes.iter().map(|change| change.after.len() as u64).sum(),
            _ => step.end.max(step.new_end) - step.start,
        };
        self.steps.iter().map(of).sum()
    }

    /// Bytes of the log that the journal keeps.
    pub fn journaled_bytes(&self) -> u64 {
        self.steps.iter().map(|step| step.end - step.start).sum()
    }

    /// The plan as it is saved and journaled: JSON, one line.
    ///
    /// # Errors
    /// Of `serde_json`: none for a plan, whose keys are strings and whose numbers are finite.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// A plan that was saved.
    ///
    /// # Errors
    /// Of `serde_json`, naming line and column, for what is no plan.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
