//! One step of a plan: the range it changes, what it writes there, and what it restores and gives up.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ByteChange, Certainty, Fix, RepairAction};
use crate::format::{FrameIdentity, hex};

/// One change to a range of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepairStep {
    /// The action of the step.
    pub action: RepairAction,
    /// The certainty of the restored bytes; `None` for an action that restores nothing.
    pub certainty: Option<Certainty>,
    /// File offset of the first byte of the range.
    pub start: u64,
    /// File offset after the last byte of the range, before the repair.
    pub end: u64,
    /// File offset after the last byte of the range, after the repair. It differs from `end` only at the end of the log.
    pub new_end: u64,
    /// The findings that the step repairs.
    pub pieces: Vec<PlannedPiece>,
    /// The bytes that are written.
    pub write: StepWrite,
    /// Number of events that become readable.
    #[serde(rename = "restored")]
    pub restored_events: u64,
    /// The events that the step gives up.
    #[serde(rename = "given_up")]
    pub loss: Loss,
    /// Other fixes that were offered for the range.
    #[serde(rename = "also_possible")]
    pub alternatives: Vec<Fix>,
    /// SHA-256 of the range before the repair.
    #[serde(with = "hex")]
    #[serde(rename = "before")]
    pub before_sha256: Vec<u8>,
    /// SHA-256 of the range after the repair.
    #[serde(with = "hex")]
    #[serde(rename = "after")]
    pub after_sha256: Vec<u8>,
    /// The valid frames next to the range. The step is applied only while they are unchanged.
    pub neighbours: Vec<FrameIdentity>,
}

impl RepairStep {
    /// Returns the range before the repair, in file offsets.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// True when the step changes the length of the log.
    pub(crate) const fn touches_tail(&self) -> bool {
        self.new_end != self.end
    }

    /// True when the step writes only to its range: every single byte is inside of it, and a cut writes nothing.
    pub(crate) fn writes_only_its_range(&self) -> bool {
        let changes = match &self.write {
            StepWrite::Edits(changes) => changes,
            StepWrite::Truncate => return self.new_end == self.start,
            StepWrite::Gap { .. } | StepWrite::CopyFrom { .. } => return true,
        };
        self.new_end == self.end
            && changes.iter().all(|change| {
                let end = change.offset.checked_add(change.after.len() as u64);
                change.offset >= self.start
                    && change.before.len() == change.after.len()
                    && end.is_some_and(|end| end <= self.end)
            })
    }

    /// Returns the file offset after the last byte that the step reads or writes.
    pub(crate) const fn max_end(&self) -> u64 {
        if self.end > self.new_end { self.end } else { self.new_end }
    }
}

/// The bytes that a step writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepWrite {
    /// Single bytes, in place.
    Edits(Vec<ByteChange>),
    /// Gap frames over the whole range. When the log has lost its header too, a new header precedes them.
    Gap {
        /// The description in the gap's payload: a JSON object.
        #[serde(rename = "says")]
        description: String,
        /// The header written before the gap, in hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
    },
    /// Bytes of another copy of the log, or of an earlier journal. They are copied to this repair's journal first.
    #[serde(rename = "taken")]
    CopyFrom {
        /// The file from which the bytes are copied.
        from: PathBuf,
    },
    /// No bytes: the log is cut at the start of the range.
    #[serde(rename = "cut")]
    Truncate,
}

/// A finding that a plan repairs or leaves unrepaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPiece {
    /// Name of the damage kind.
    pub kind: String,
    /// File offset of the first byte.
    pub start: u64,
    /// File offset after the last byte.
    pub end: u64,
}

/// The number of events that a repair gives up, and their aggregates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The smallest possible number of events.
    pub at_least: u64,
    /// The largest possible number of events; equal to `at_least` when the index covers the range.
    pub at_most: u64,
    /// The ids of those aggregates that the index lists: the first [`Loss::MAX_AGGREGATES`], ascending.
    pub aggregates: Vec<u64>,
}

impl Loss {
    /// The largest number of aggregates that are listed.
    pub const MAX_AGGREGATES: usize = 1000;

    /// True when nothing is given up.
    pub const fn is_zero(&self) -> bool {
        self.at_most == 0
    }

    /// Adds the events of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.at_least = self.at_least.saturating_add(other.at_least);
        self.at_most = self.at_most.saturating_add(other.at_most);
        self.aggregates.extend_from_slice(&other.aggregates);
        self.aggregates.sort_unstable();
        self.aggregates.dedup();
        self.aggregates.truncate(Self::MAX_AGGREGATES);
    }
}
