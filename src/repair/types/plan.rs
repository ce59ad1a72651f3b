//! A plan: everything that a repair would do to a log, as plain data.
//!
//! The same value is shown to the user, saved with `--plan FILE`, written to the journal and applied.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::segment_write::PlannedSettings;
use super::{Fix, Loss, PlannedErasure, PlannedPiece, PlannedPurge, RepairStep, StepWrite};
use crate::file::DeviceInode;
use crate::format::{FrameFormat, hex};

/// Version of a plan's layout in JSON.
pub const PLAN_VERSION: u32 = 1;

/// Number of hexadecimal digits in a plan's id.
const ID_DIGITS: usize = 12;

/// The changes that a repair will make to a log.
///
/// [`plan_repair`](crate::repair::plan_repair) and [`plan_undo`](crate::repair::plan_undo) make plans;
/// [`apply`](crate::repair::apply()) applies them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this layout: [`PLAN_VERSION`].
    #[serde(rename = "plan")]
    pub layout_version: u32,
    /// Identifies the plan: the first 12 hexadecimal digits of a hash of its changes.
    pub id: String,
    /// SHA-256 of the plan's JSON without this field, in hexadecimal; empty in plans of older versions. A saved plan is
    /// applied only while it has this digest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// The number of the repair that this plan reverses; `None` unless the plan is an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u32>,
    /// The segments that were short before the repair that this plan undoes. Their files are cut where they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut_segments: Vec<ShortSegment>,
    /// The change of the settings of a log in a folder; `None` when they stay as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<PlannedSettings>,
    /// What the plan erases; `None` unless the plan is an erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erases: Option<PlannedErasure>,
    /// The erasures that the plan makes final, by destroying the bytes that their journals have saved; `None` in other plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purges: Option<PlannedPurge>,
    /// The log that the plan was made from.
    pub log: LogIdentity,
    /// The steps, by ascending offset. Their ranges do not overlap.
    pub steps: Vec<RepairStep>,
    /// The findings that the plan does not repair.
    #[serde(rename = "left")]
    pub unrepaired: Vec<UnrepairedRange>,
    /// Notes for the user: the reason why a donor was not used, and the bytes that it has after the end of this log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The end of the log as the index recorded it, when the plan removes the index's record of the lost events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "forgets")]
    pub forgotten_index_end: Option<u64>,
    /// The events that are given up with the index's record of them.
    #[serde(default)]
    #[serde(rename = "forgotten")]
    pub forgotten_loss: Loss,
    /// Events that the index has recorded, and in whose place the log has other valid frames. The repair gives up the index's
    /// record of them.
    #[serde(default, skip_serializing_if = "Loss::is_zero")]
    #[serde(rename = "replaced")]
    pub replaced_loss: Loss,
    /// Estimate of how long the writer's lock will be held, in milliseconds.
    #[serde(rename = "lock_ms")]
    pub estimated_lock_ms: u64,
}

/// Identifies the log that a plan or a journal belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogIdentity {
    /// Path of the log, with symbolic links resolved. It is displayed, and not part of the comparison.
    pub path: PathBuf,
    /// The format of the frames of the log. The JSON has it only when it is not version 1.
    #[serde(default, skip_serializing_if = "FrameFormat::is_version_1")]
    pub format: FrameFormat,
    /// The bytes of the log before its first frame, or as many as there are.
    #[serde(with = "hex")]
    pub header: Vec<u8>,
    /// Checksum of the frame after the header; `None` when that frame is not valid.
    pub first_checksum: Option<u32>,
    /// Device and inode of the file; `None` on platforms that have none.
    pub file: Option<DeviceInode>,
    /// Size of the log, in bytes.
    pub bytes: u64,
    /// The sealed segments whose files end before the next segment; none in a log of one file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short_segments: Vec<ShortSegment>,
}

/// A sealed segment whose file ends before the next segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShortSegment {
    /// Offset of the segment in the log.
    pub base: u64,
    /// The offset in the log at which its file ends.
    pub end: u64,
}

/// A finding that a plan leaves unrepaired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnrepairedRange {
    /// The range and the kind of the finding.
    #[serde(flatten)]
    pub piece: PlannedPiece,
    /// The reason why the finding is left unrepaired.
    #[serde(rename = "why")]
    pub reason: String,
    /// The fixes that are offered for the finding.
    #[serde(rename = "also_possible")]
    pub alternatives: Vec<Fix>,
}

impl UnrepairedRange {
    /// The reason for a finding that the options do not select.
    pub(crate) const NOT_SELECTED: &str = "not selected";

    /// True when the options of the repair select the finding.
    #[cfg(feature = "app")]
    pub(crate) fn is_selected(&self) -> bool {
        self.reason != Self::NOT_SELECTED
    }
}

impl Plan {
    /// Creates a plan of `steps` for `log` that leaves nothing unrepaired. [`assign_id`](Self::assign_id) and
    /// [`seal`](Self::seal) complete it.
    pub(crate) fn new(log: LogIdentity, steps: Vec<RepairStep>) -> Self {
        Self {
            layout_version: PLAN_VERSION,
            id: String::new(),
            digest: String::new(),
            undoes: None,
            cut_segments: Vec::new(),
            settings: None,
            erases: None,
            purges: None,
            log,
            estimated_lock_ms: estimate_lock_ms(&steps),
            steps,
            unrepaired: Vec::new(),
            notes: Vec::new(),
            forgotten_index_end: None,
            forgotten_loss: Loss::default(),
            replaced_loss: Loss::default(),
        }
    }

    /// Sets `id` to a hash of the plan's JSON, without the id itself and without the path and the inode of the log.
    ///
    /// The id depends neither on the location of the log nor on names in this program.
    pub(crate) fn assign_id(&mut self) {
        let location = (std::mem::take(&mut self.log.path), self.log.file.take());
        self.id.clear();
        self.digest.clear();
        // Every key is a string and every number is finite, so serialization to JSON cannot fail.
        let digest = Sha256::digest(self.to_json().unwrap_or_default());
        (self.log.path, self.log.file) = location;
        self.id = hex::encode(&digest).chars().take(ID_DIGITS).collect();
    }

    /// Sets `digest`, which completes the plan. A later change of any field invalidates the digest, and
    /// [`apply`](crate::repair::apply()) refuses the plan until it is sealed again.
    pub fn seal(&mut self) {
        self.digest = self.compute_digest().unwrap_or_default();
    }

    /// Computes the digest over every field of the plan except the digest itself.
    fn compute_digest(&self) -> Result<String, serde_json::Error> {
        let unsealed = Self { digest: String::new(), ..self.clone() };
        Ok(hex::encode(&Sha256::digest(unsealed.to_json()?)))
    }

    /// True when the plan changes neither the log nor its index.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.forgotten_index_end.is_none() && self.undoes.is_none() && self.purges.is_none()
    }

    /// True when the plan depends on the end of the log. Such a plan cannot be applied after events were appended.
    pub(crate) fn touches_tail(&self) -> bool {
        // Any other plan without steps changes only the index's record of the lost end.
        self.purges.is_none()
            && (self.steps.last().is_none_or(RepairStep::touches_tail) || self.forgotten_index_end.is_some())
    }

    /// Returns the first step that no log can have: its range is out of order or outside the log, it changes bytes
    /// outside its range, or it changes the length of the log and is not at the log's end.
    fn contradictory_step(&self) -> Option<&RepairStep> {
        let mut previous_end = 0;
        self.steps.iter().enumerate().find_map(|(nth, step)| {
            let is_last = nth + 1 == self.steps.len();
            let is_ordered = previous_end <= step.start && step.start <= step.end && step.start <= step.new_end;
            let may_follow_log = matches!(step.write, StepWrite::Segment(_) | StepWrite::GiveUp(_));
            let is_inside = (step.end <= self.log.bytes || may_follow_log) && step.writes_only_its_range();
            let is_tail_last = step.log_ends().is_none_or(|(before, _)| is_last && before == self.log.bytes);
            previous_end = step.end;
            (!is_ordered || !is_inside || !is_tail_last).then_some(step)
        })
    }

    /// Returns what shows that the plan is for no log: settings that cannot be decoded, or a step that no log can have.
    pub(crate) fn contradiction(&self) -> Option<String> {
        if !self.settings.as_ref().is_none_or(PlannedSettings::is_valid) {
            return Some("has settings that cannot be decoded".into());
        }
        self.contradictory_step().map(|step| format!("contradicts itself at {}..{}", step.start, step.end))
    }

    /// Returns the name of the plan's journal: the plan's only action, or `repair`, `undo`, `erase`, `purge` or
    /// `forget`.
    pub(crate) fn journal_name(&self) -> &'static str {
        match self.steps.as_slice() {
            _ if self.undoes.is_some() => "undo",
            _ if self.erases.is_some() => "erase",
            _ if self.purges.is_some() => "purge",
            [] => "forget",
            [step] => step.action.name(),
            _ => "repair",
        }
    }

    /// Returns the number of events that become readable.
    pub fn restored_events(&self) -> u64 {
        self.steps.iter().fold(0, |sum, step| sum.saturating_add(step.restored_events))
    }

    /// Returns the events that all steps together give up, and those that other valid frames have replaced.
    pub fn total_loss(&self) -> Loss {
        let mut total = self.forgotten_loss.clone();
        total.merge(&self.replaced_loss);
        for step in &self.steps {
            total.merge(&step.loss);
        }
        total
    }

    /// Returns the number of bytes that are written or cut off.
    pub fn changed_bytes(&self) -> u64 {
        let step_bytes = |step: &RepairStep| match &step.write {
            StepWrite::Edits(changes) => changes.iter().map(|change| change.after.len() as u64).sum(),
            StepWrite::CutExcess(excess) | StepWrite::WriteExcess(excess) => excess.bytes,
            _ => step.max_end() - step.start,
        };
        self.steps.iter().map(step_bytes).fold(0, u64::saturating_add)
    }

    /// Returns the number of bytes of the log that are saved in the journal.
    pub fn journaled_bytes(&self) -> u64 {
        self.steps.iter().map(RepairStep::journaled_bytes).fold(0, u64::saturating_add)
    }

    /// Returns the plan as it is saved and journaled: JSON, on one line.
    ///
    /// # Errors
    /// Those of `serde_json`. None occurs for a plan: its keys are strings and its numbers are finite.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Parses a plan that [`to_json`](Self::to_json) wrote, and verifies its digest.
    ///
    /// # Errors
    /// `Malformed`, with line and column, when `text` is not a plan; `UnknownLayout` for a layout of another version;
    /// `Altered` when any value differs from the plan that was saved.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let plan = Self::parse(text.as_bytes())?;
        plan.verify()?;
        Ok(plan)
    }

    /// Parses the JSON of a plan, and does not verify its digest. The layout is read first, because a plan of another
    /// layout may have other fields.
    ///
    /// # Errors
    /// `Malformed` when `json` is not a plan; `UnknownLayout` for a layout of another version.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, PlanError> {
        let PlanLayout { version } = serde_json::from_slice(json)?;
        if version != PLAN_VERSION {
            return Err(PlanError::UnknownLayout(version));
        }
        Ok(serde_json::from_slice(json)?)
    }

    /// Verifies that the plan has the layout of this version, and that no value was changed since it was sealed.
    pub(crate) fn verify(&self) -> Result<(), PlanError> {
        if self.layout_version != PLAN_VERSION {
            return Err(PlanError::UnknownLayout(self.layout_version));
        }
        let computed = self.compute_digest()?;
        if self.digest == computed {
            return Ok(());
        }
        Err(PlanError::Altered { stored: self.digest.clone(), computed })
    }
}

/// The only field that the plans of all layouts have.
#[derive(Deserialize)]
struct PlanLayout {
    #[serde(rename = "plan")]
    version: u32,
}

/// Why a saved plan cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The text is not a plan.
    #[error("expected a repair plan of layout {PLAN_VERSION}, found other content: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The plan has a layout of another version.
    #[error("expected a repair plan of layout {PLAN_VERSION}, found layout {0}")]
    UnknownLayout(u32),
    /// The plan was changed after it was saved.
    #[error(
        "expected the plan as it was saved, with digest {}, found a changed plan, with digest {computed}",
        if stored.is_empty() { "(none)" } else { stored.as_str() }
    )]
    Altered {
        /// The digest that the plan contains; empty when it contains none.
        stored: String,
        /// The digest of the plan as it is now.
        computed: String,
    },
}

/// Estimates for how many milliseconds the lock is held: a few syncs, and the ranges read and written at 100 MB/s.
fn estimate_lock_ms(steps: &[RepairStep]) -> u64 {
    let bytes = steps.iter().fold(0u64, |sum, step| sum.saturating_add(step.max_end() - step.start));
    50 + bytes / 50_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_identity() -> LogIdentity {
        LogIdentity {
            path: "/a.log".into(),
            format: FrameFormat::V1,
            header: vec![1],
            first_checksum: None,
            file: None,
            bytes: 9,
            short_segments: Vec::new(),
        }
    }

    #[test]
    fn the_id_depends_on_what_a_plan_does_and_not_on_where_the_log_is() {
        let log = log_identity();
        let mut plan = Plan::new(log.clone(), Vec::new());
        plan.assign_id();
        // The id is part of journals and gap frames: it must not change when a type or a field is renamed.
        assert_eq!(plan.id, "8ec34bb1cb43");
        let id = plan.id.clone();
        plan.assign_id();
        assert_eq!(plan.id, id, "the id is not part of its own hash");
        let mut moved = Plan::new(LogIdentity { path: "/b.log".into(), file: Some((1, 2).into()), ..log }, Vec::new());
        moved.assign_id();
        assert_eq!(moved.id, id);
        assert_eq!(moved.log.file, Some((1, 2).into()), "the identity is kept");
        moved.undoes = Some(1);
        moved.assign_id();
        assert_ne!(moved.id, id);
        let unsealed = moved.id.clone();
        moved.seal();
        moved.assign_id();
        assert_eq!(moved.id, unsealed, "the digest is not part of the id");
    }

    #[test]
    fn a_plan_of_another_layout_is_recognised_whatever_its_other_fields_are() {
        let newer = Plan::from_json(r#"{"plan":2,"changes":[]}"#).unwrap_err();
        assert!(matches!(newer, PlanError::UnknownLayout(2)), "{newer}");
        let other = Plan::from_json(r#"{"plan":1,"changes":[]}"#).unwrap_err();
        assert!(matches!(other, PlanError::Malformed(_)), "{other}");
    }

    #[test]
    fn a_plan_without_its_digest_or_with_another_one_is_refused() {
        let log = log_identity();
        let mut plan = Plan::new(log, Vec::new());
        plan.assign_id();
        let unsealed = Plan::from_json(&plan.to_json().unwrap()).unwrap_err();
        assert!(matches!(&unsealed, PlanError::Altered { stored, .. } if stored.is_empty()), "{unsealed}");
        plan.seal();
        assert_eq!(Plan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
        plan.log.bytes += 1;
        let altered = Plan::from_json(&plan.to_json().unwrap()).unwrap_err();
        assert!(matches!(&altered, PlanError::Altered { stored, .. } if *stored == plan.digest), "{altered}");
    }
}
