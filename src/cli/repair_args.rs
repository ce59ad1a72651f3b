//! The command line of `repair` and `undo` as types, with every word of their help.

use std::path::PathBuf;

use clap::Args;

use super::args::{AcceptArg, parse_offset};
use super::index_args::ThreadArgs;
use crate::format::DamageKind;
use crate::repair::{FindingSelector, RepairOptions};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle repair a.log --dry-run                look at the plan, write nothing
  chronicle repair a.log                          look at the plan, and say yes or no
  chronicle repair a.log --dry-run --plan p.json  save the plan
  chronicle repair a.log --apply p.json           apply what was saved
  chronicle undo a.log                            take the last repair back")]
#[expect(clippy::struct_excessive_bools, reason = "each one is a flag of the command line, independent of the others")]
pub(super) struct RepairArgs {
    /// The log
    pub(super) log: PathBuf,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
    /// Take likely fixes too, not only proven ones
    #[arg(long, value_enum, value_name = "CERTAINTY")]
    pub(super) accept: Option<AcceptArg>,
    /// Save the plan as JSON in this file
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
    /// Replace the file of --plan where it is there already
    #[arg(long, requires = "plan")]
    pub(super) force: bool,
    /// Apply the plan that was saved in this file, exactly that
    #[arg(long, value_name = "FILE", conflicts_with_all =
        ["accept", "plan", "donor", "only", "except", "choices", "gap_undecided", "forget", "max_loss"])]
    pub(super) apply: Option<PathBuf>,
    /// Take whole ranges from this other copy of the log
    #[arg(long, value_name = "COPY")]
    pub(super) donor: Option<PathBuf>,
    /// Repair only the finding that starts at this offset, or those of this kind
    #[arg(long, value_name = "WHAT", value_parser = parse_selector)]
    pub(super) only: Vec<FindingSelector>,
    /// Leave the finding that starts at this offset, or those of this kind, as they are
    #[arg(long, value_name = "WHAT", value_parser = parse_selector)]
    pub(super) except: Vec<FindingSelector>,
    /// Of the candidates for the finding that starts at START take the one of this number
    #[arg(long = "choose", value_name = "START=N", value_parser = parse_choice)]
    pub(super) choices: Vec<(u64, usize)>,
    /// Fence off what only likely fixes or choices are offered for, instead of leaving it
    #[arg(long = "fence-undecided")]
    pub(super) gap_undecided: bool,
    /// Of a truncated log drop the index's word for the events that are gone: their offsets go to new events
    #[arg(long)]
    pub(super) forget: bool,
    /// Refuse a plan that gives up more events than this
    #[arg(long, value_name = "N")]
    pub(super) max_loss: Option<u64>,
    /// Read the whole log again afterwards, not only what was changed
    #[arg(long)]
    pub(super) full_check: bool,
    #[command(flatten)]
    pub(super) threads: ThreadArgs,
}

#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    /// The log
    pub(super) log: PathBuf,
    /// The number of the repair, see --list; the last one that stands when it is left out
    pub(super) id: Option<u32>,
    /// Print the log's medical record: every repair, when, what it did, how it stands
    #[arg(long, conflicts_with_all = ["id", "dry_run", "yes", "wait"])]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) approval: ApprovalArgs,
}

/// Who says yes, and how long it may take.
#[derive(Debug, Clone, Args)]
pub(super) struct ApprovalArgs {
    /// Print the plan and write nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Apply the plan that is printed without asking; without this and without a terminal nothing is written
    #[arg(long)]
    pub(super) yes: bool,
    /// Wait so long for the writer's lock
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(super) wait: u64,
}

impl RepairArgs {
    /// What was asked for.
    pub(super) fn repair_options(&self) -> RepairOptions {
        RepairOptions {
            accept_likely: self.accept == Some(AcceptArg::Likely),
            gap_undecided: self.gap_undecided,
            choices: self.choices.clone(),
            only: self.only.clone(),
            except: self.except.clone(),
            forget_lost_end: self.forget,
            max_lost_events: self.max_loss,
            damage_offset: None,
        }
    }
}

/// A kind by its name, or an offset.
fn parse_selector(text: &str) -> Result<FindingSelector, String> {
    match DamageKind::from_name(text) {
        Some(kind) => Ok(FindingSelector::Kind(kind)),
        None => parse_offset(text)
            .map(FindingSelector::Start)
            .map_err(|expected| format!("{expected}, or a kind such as checksum")),
    }
}

/// An offset, `=`, and a number from 1.
fn parse_choice(text: &str) -> Result<(u64, usize), String> {
    let expected = || "expected the start of a finding and the number of a candidate, such as 1223488=2".to_owned();
    let (start, number) = text.split_once('=').ok_or_else(expected)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(expected)?;
    Ok((parse_offset(start).map_err(|_| expected())?, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_named_by_its_start_or_its_kind() {
        assert_eq!(parse_selector("1223488"), Ok(FindingSelector::Start(1_223_488)));
        assert_eq!(parse_selector("0x10"), Ok(FindingSelector::Start(16)));
        assert_eq!(parse_selector("torn_tail"), Ok(FindingSelector::Kind(DamageKind::TornTail)));
        let said = parse_selector("torn-tail").unwrap_err();
        assert_eq!(said, "expected an offset such as 1223488 or 0x12ab40, or a kind such as checksum");
    }

    #[test]
    fn a_choice_counts_from_one() {
        assert_eq!(parse_choice("16=3"), Ok((16, 3)));
        assert_eq!(parse_choice("0x10=1"), Ok((16, 1)));
        for wrong in ["16", "16=0", "16=", "=1", "x=1", "16=-1"] {
            assert!(parse_choice(wrong).is_err(), "{wrong}");
        }
    }
}
