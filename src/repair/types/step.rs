//! One step of a plan: the range it changes, what it writes there, and what it restores and gives up.

use std::ops::Range;
use std::path::{Path, PathBuf};

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
            StepWrite::Parts { parts, .. } => {
                return parts.is_sorted_by(|a, b| a.end < b.end)
                    && parts.first().is_some_and(|part| self.start < part.end)
                    && parts.last().is_some_and(|part| part.end == self.new_end);
            }
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

    /// Returns the ranges that the step fills with gap frames or with bytes of other files, by ascending offset.
    pub(crate) fn sections(&self) -> Vec<StepSection<'_>> {
        match &self.write {
            StepWrite::Edits(_) | StepWrite::Truncate => Vec::new(),
            StepWrite::CopyFrom { from } => {
                vec![StepSection { range: self.start..self.new_end, from: Some(from.as_path()) }]
            }
            StepWrite::Gap { header, .. } => {
                let header_len = header.as_ref().map_or(0, |header| header.len() as u64 / 2);
                vec![StepSection { range: self.start.saturating_add(header_len)..self.new_end, from: None }]
            }
            StepWrite::Parts { parts, .. } => {
                let starts = std::iter::once(self.start).chain(parts.iter().map(|part| part.end));
                let parts = starts.zip(parts);
                parts.map(|(start, part)| StepSection { range: start..part.end, from: part.from.as_deref() }).collect()
            }
        }
    }

    /// Returns the sections that the step copies from other files.
    pub(crate) fn copied_sections(&self) -> impl Iterator<Item = StepSection<'_>> {
        self.sections().into_iter().filter(|section| section.from.is_some())
    }

    /// Returns the ranges that the step fills with gap frames.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = Range<u64>> {
        self.sections().into_iter().filter(|section| section.from.is_none()).map(|section| section.range)
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
    /// Consecutive parts that fill the range: bytes of other copies of the log, and gap frames where no copy has any.
    #[serde(rename = "filled")]
    Parts {
        /// The description in the payloads of the gaps: a JSON object.
        #[serde(rename = "says")]
        description: String,
        /// The parts, by ascending offset.
        parts: Vec<StepPart>,
    },
    /// No bytes: the log is cut at the start of the range.
    #[serde(rename = "cut")]
    Truncate,
}

/// A part of a range that is filled from several sources. It starts where the part before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepPart {
    /// File offset after the last byte of the part.
    pub end: u64,
    /// The copy of the log from which the bytes are copied; `None` for a gap.
    pub from: Option<PathBuf>,
}

/// A range that a step fills from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepSection<'a> {
    /// The range after the repair, in file offsets.
    pub(crate) range: Range<u64>,
    /// The file from which the bytes are copied; `None` for a gap.
    pub(crate) from: Option<&'a Path>,
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
    /// Length of the shortest event that Chronicle writes, with its frame, in bytes.
    pub(crate) const MIN_EVENT_BYTES: u64 = 107;
    /// The largest number of aggregates that are listed.
    pub const MAX_AGGREGATES: usize = 1000;

    /// True when nothing is given up.
    pub const fn is_zero(&self) -> bool {
        self.at_most == 0
    }

    /// Returns the estimate for a lost range of this many bytes: up to as many events as fit in it.
    pub(crate) fn up_to_bytes(bytes: u64) -> Self {
        let at_most = if bytes == 0 { 0 } else { 1.max(bytes / Self::MIN_EVENT_BYTES) };
        Self { at_most, ..Self::default() }
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
