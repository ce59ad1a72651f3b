//! The request to plan a repair, an undo or an erasure, and the command that does the same.

use std::path::Path;

use crate::repair::{FindingSelector, Fix, RepairOptions};
use crate::report::{safe_path_text, shell_path};

/// The operation that a plan is requested for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlanRequest {
    /// A repair of one damaged range or of all damage.
    Repair {
        /// Selects the damage and the permitted fixes.
        options: RepairOptions,
        /// The findings whose fix the user has to choose.
        undecided: Vec<UndecidedFinding>,
    },
    /// The undo of the repair with this number, or of the last one.
    Undo(Option<u32>),
    /// An erasure.
    Erase {
        /// The events that are erased.
        target: EraseTarget,
        /// The reason, which the gaps give.
        reason: Option<String>,
    },
    /// Makes the erasure with this number final, or all that are in effect.
    Purge(Option<u32>),
}

/// The events that an erasure selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EraseTarget {
    /// The event that starts at this offset.
    Event(u64),
    /// All events of this aggregate.
    Aggregate(u64),
}

/// A finding whose fix is not proven, so that the user has to choose a candidate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UndecidedFinding {
    /// Offset of the damage.
    pub(crate) start: u64,
    /// The fix, with its candidates.
    pub(crate) fix: Fix,
}

impl PlanRequest {
    /// Returns the title of the job that makes the plan and of the dialog that shows it.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Repair { options, .. } => {
                let damage = match options.damage_offset {
                    Some(offset) => format!("Repair the damage at {offset}"),
                    None => "Repair all damage".into(),
                };
                let donors: Vec<String> = options.donors.iter().map(|donor| safe_path_text(donor)).collect();
                let source = if donors.is_empty() { String::new() } else { format!(" from {}", donors.join(", ")) };
                damage + &source
            }
            Self::Erase { target: EraseTarget::Event(offset), .. } => format!("Erase the event at {offset}"),
            Self::Erase { target: EraseTarget::Aggregate(id), .. } => format!("Erase all events of aggregate {id}"),
            Self::Purge(Some(number)) => format!("Make erasure {number} final"),
            Self::Purge(None) => "Make all erasures final".into(),
            Self::Undo(Some(number)) => format!("Undo repair {number}"),
            Self::Undo(None) => "Undo the last repair".into(),
        }
    }

    /// Returns the equivalent command line. `log` is the log's path, quoted for a shell.
    pub(crate) fn cli_command(&self, log: &str) -> String {
        match self {
            Self::Erase { target, reason } => {
                let target = match target {
                    EraseTarget::Event(offset) => format!("--offset {offset}"),
                    EraseTarget::Aggregate(id) => format!("--aggregate {id}"),
                };
                let reason = reason.as_deref().map(|text| format!(" --reason {}", shell_path(Path::new(text))));
                format!("chronicle erase {log} {target}{} --yes", reason.unwrap_or_default())
            }
            Self::Purge(None) => format!("chronicle purge {log} --yes"),
            Self::Purge(Some(number)) => format!("chronicle purge {log} {number} --yes"),
            Self::Undo(None) => format!("chronicle undo {log} --yes"),
            Self::Undo(Some(number)) => format!("chronicle undo {log} {number} --yes"),
            Self::Repair { options, .. } => {
                let mut words = vec![format!("chronicle repair {log}")];
                words.extend(options.donors.iter().map(|donor| format!("--donor {}", shell_path(donor))));
                words.extend(options.damage_offset.map(|offset| format!("--only {offset}")));
                words.extend(options.except.iter().map(|selector| match selector {
                    FindingSelector::Start(start) => format!("--except {start}"),
                    FindingSelector::Kind(kind) => format!("--except {}", kind.name()),
                }));
                words.extend(
                    options
                        .choices
                        .iter()
                        .map(|choice| format!("--choose {}={}", choice.finding_start, choice.candidate_number)),
                );
                words.extend(options.accept_likely.then(|| "--accept likely".to_owned()));
                words.extend(options.gap_undecided.then(|| "--gap-undecided".to_owned()));
                words.extend(options.accept_large_gap.then(|| "--large-gap".to_owned()));
                words.push("--yes".into());
                words.join(" ")
            }
        }
    }
}
