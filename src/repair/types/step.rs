//! One step of a plan: the range it changes, what it writes there, and what it restores and gives up.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::segment_write::{ExcessBytes, GivenUpRange, NewSegment};
use super::step_parts::{StepPart, StepSection, are_parts_of, sections_from};
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
    pub(crate) fn touches_tail(&self) -> bool {
        self.log_ends().is_some()
    }

    /// True when the step writes, removes or cuts the file of a segment, or changes the settings, instead of bytes of the log.
    pub(crate) const fn changes_file(&self) -> bool {
        match &self.write {
            StepWrite::Segment(_)
            | StepWrite::RemoveSegment { .. }
            | StepWrite::GiveUp(_)
            | StepWrite::TakeBack(_)
            | StepWrite::CutExcess(_)
            | StepWrite::WriteExcess(_) => true,
            StepWrite::Edits(_)
            | StepWrite::Gap { .. }
            | StepWrite::CopyFrom { .. }
            | StepWrite::Parts { .. }
            | StepWrite::Truncate => false,
        }
    }

    /// Returns the bytes after the end of a segment that the step cuts off or writes.
    pub(crate) const fn excess(&self) -> Option<&ExcessBytes> {
        match &self.write {
            StepWrite::CutExcess(excess) | StepWrite::WriteExcess(excess) => Some(excess),
            _ => None,
        }
    }

    /// Returns the end of the log before and after the step; `None` when the step does not change it.
    pub(crate) fn log_ends(&self) -> Option<(u64, u64)> {
        match &self.write {
            StepWrite::Segment(segment) => segment.old_log_end.map(|old| (old, self.new_end)),
            StepWrite::RemoveSegment { old_log_end } => old_log_end.map(|old| (self.end, old)),
            StepWrite::GiveUp(lost) => lost.log_ends(),
            StepWrite::TakeBack(lost) => lost.log_ends().map(|(old, new)| (new, old)),
            StepWrite::CutExcess(_) | StepWrite::WriteExcess(_) => None,
            _ => (self.new_end != self.end).then_some((self.end, self.new_end)),
        }
    }

    /// Returns the range of the log that the step is about: the bytes before and after it, or the range that it gives up.
    pub(crate) fn affected_range(&self) -> Range<u64> {
        match &self.write {
            StepWrite::GiveUp(lost) | StepWrite::TakeBack(lost) => self.start..lost.end,
            _ => self.start..self.max_end(),
        }
    }

    /// True when both steps are about a common part of the log.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let (range, other) = (self.affected_range(), other.affected_range());
        other.start < range.end && range.start < other.end
    }

    /// True when the step writes only to its range: every single byte is inside of it, and a cut writes nothing.
    pub(crate) fn writes_only_its_range(&self) -> bool {
        let changes = match &self.write {
            StepWrite::Edits(changes) => changes,
            StepWrite::Truncate | StepWrite::RemoveSegment { .. } => return self.new_end == self.start,
            StepWrite::Gap { .. } | StepWrite::CopyFrom { .. } => return true,
            StepWrite::Parts { parts, header, .. } => {
                let after_header = self.start.saturating_add(text_bytes(header.as_ref()));
                // The header of a segment without a frame is all that the step writes.
                let is_header_only = header.is_some() && parts.is_empty() && after_header == self.new_end;
                return is_header_only || are_parts_of(parts, after_header..self.new_end);
            }
            StepWrite::Segment(segment) => return self.end == self.start && segment.fills(self.start..self.new_end),
            StepWrite::GiveUp(lost) | StepWrite::TakeBack(lost) => {
                return self.end == self.start && self.new_end == self.start && lost.is_after(self.start);
            }
            StepWrite::CutExcess(excess) | StepWrite::WriteExcess(excess) => {
                return self.end == self.start && self.new_end == self.start && excess.is_after(self.start);
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
            StepWrite::CopyFrom { from } => {
                vec![StepSection { range: self.start..self.new_end, from: Some(from.as_path()) }]
            }
            StepWrite::Gap { header, .. } => {
                vec![StepSection {
                    range: self.start.saturating_add(text_bytes(header.as_ref()))..self.new_end,
                    from: None,
                }]
            }
            StepWrite::Parts { parts, header, .. } => {
                sections_from(self.start.saturating_add(text_bytes(header.as_ref())), parts)
            }
            StepWrite::Segment(segment) => {
                sections_from(self.start.saturating_add(segment.header_len()), &segment.parts)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the header that the step writes at the start of its range, in hexadecimal; `None` when it writes none.
    pub(crate) fn written_header(&self) -> Option<&str> {
        match &self.write {
            StepWrite::Gap { header, .. } | StepWrite::Parts { header, .. } => header.as_deref(),
            StepWrite::Segment(segment) => Some(&segment.header),
            _ => None,
        }
    }

    /// Returns the number of bytes that the step saves in the journal.
    pub(crate) fn journaled_bytes(&self) -> u64 {
        self.excess().map_or(self.end - self.start, |excess| excess.bytes)
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

/// Returns the number of bytes of a hexadecimal text.
fn text_bytes(text: Option<&String>) -> u64 {
    text.map_or(0, |text| text.len() as u64 / 2)
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
        /// The header written before the parts, in hexadecimal, when the last segment of the log was cut within its header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
    },
    /// No bytes: the log is cut at the start of the range.
    #[serde(rename = "cut")]
    Truncate,
    /// The file of a segment that is missing.
    Segment(NewSegment),
    /// No bytes: the file of a segment that a repair has written is removed.
    #[serde(rename = "removed_segment")]
    RemoveSegment {
        /// The end of the log without the segment, when it is the last one.
        old_log_end: Option<u64>,
    },
    /// No bytes of the log: the settings record that a range is lost.
    #[serde(rename = "lost")]
    GiveUp(GivenUpRange),
    /// No bytes of the log: the settings no longer record that a range is lost.
    #[serde(rename = "not_lost")]
    TakeBack(GivenUpRange),
    /// No bytes of the log: the file of a sealed segment is cut at its end.
    CutExcess(ExcessBytes),
    /// The bytes that the file of a sealed segment had after its end, from the journal of the repair that cut them off.
    #[serde(rename = "excess")]
    WriteExcess(ExcessBytes),
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
