//! What makes erasures final, as plain data: the journals that are overwritten, and what takes the place of their bytes.

use serde::{Deserialize, Serialize};

use super::{Plan, PlannedErasure, StepWrite};

/// The erasures that a plan makes final, and the journals that it overwrites.
///
/// The plan has no old bytes, so that it can stay in its own journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedPurge {
    /// The numbers of the erasures, ascending.
    pub erasures: Vec<u32>,
    /// The journals that are overwritten, by ascending number.
    pub journals: Vec<PurgedJournal>,
}

/// A journal that is overwritten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurgedJournal {
    /// The number of the journal.
    pub number: u32,
    /// Size of the file before, in bytes.
    pub bytes: u64,
    /// What is overwritten, and what takes its place.
    pub content: PurgedContent,
}

/// The part of a journal that is overwritten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PurgedContent {
    /// The whole file, because it has bytes of the erased ranges. A record without old bytes takes its place.
    Record {
        /// When the repair began, in milliseconds since the Unix epoch.
        begun_ms: u64,
        /// True when the repair was applied; false when it was rolled back, or never changed the log.
        applied: bool,
        /// The plan of the repair without bytes, hashes and ids of the log.
        plan: Box<Plan>,
    },
    /// The index that the journal has saved, which lists the erased events. The repair stays undoable.
    Index {
        /// Offset in the journal of the first byte.
        start: u64,
        /// Offset in the journal after the last byte.
        end: u64,
    },
}

impl Plan {
    /// Returns the plan without everything that was derived from bytes of the log: hashes, checksums, candidates, changed
    /// bytes, times and ids.
    pub(crate) fn without_old_bytes(&self) -> Self {
        let mut plan = self.clone();
        plan.log.first_checksum = None;
        plan.forgotten_loss.aggregates.clear();
        plan.replaced_loss.aggregates.clear();
        if let Some(erasure) = &mut plan.erases {
            let PlannedErasure { at_ms, reason, events, is_final, .. } = std::mem::take(erasure);
            *erasure = PlannedErasure { at_ms, reason, events, is_final, ..PlannedErasure::default() };
        }
        for step in &mut plan.steps {
            match &mut step.write {
                StepWrite::Edits(changes) => changes.clear(),
                StepWrite::CutExcess(excess) | StepWrite::WriteExcess(excess) => excess.sha256.clear(),
                _ => {}
            }
            step.loss.aggregates.clear();
            step.alternatives.clear();
            step.before_sha256.clear();
            step.after_sha256.clear();
            step.neighbours.clear();
        }
        plan.unrepaired.clear();
        plan.notes.clear();
        plan.assign_id();
        plan.seal();
        plan
    }
}
