//! `repair`: plans a repair, shows the plan, applies exactly that plan once it is confirmed, and derives
//! the exit status from the damage that remains.

use std::path::PathBuf;

use clap::Args;

use super::approval::{ApprovalArgs, ApprovalMode, catch_up_index, show_and_apply};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::findings::{IndexRequirement, index_status};
use super::log_access::{open_options, print_side_file_notices, view_with_checked_index};
use super::options::{AcceptArg, ForceArgs, GlobalArgs, ThreadArgs, parse_offset};
use super::output::CommandOutput;
use super::plan_file::{read_plan, save_plan};
use super::progress::TerminalProgress;
use crate::file::ExistingFile;
use crate::format::DamageKind;
use crate::inspect::LogView;
use crate::repair::{self, ApplyOptions, CandidateChoice, FindingSelector, Plan, RepairOptions};
use crate::report::{ExitStatus, safe_path_text};
use crate::{OpenOptions, StorageError};

/// Plan a repair, show the plan, and apply it once confirmed.
///
/// Applies proven fixes, replaces unrestorable ranges with gaps so that later offsets stay, and leaves ranges that need a
/// decision. Every replaced byte is first saved in a journal; `chronicle undo` restores it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle repair a.log --dry-run                print the plan, write nothing
  chronicle repair a.log                          print the plan, ask, apply
  chronicle repair a.log --dry-run --plan p.json  save the plan
  chronicle repair a.log --apply p.json           apply the saved plan
  chronicle undo a.log                            undo the last repair")]
#[expect(clippy::struct_excessive_bools, reason = "each one is a flag of the command line, independent of the others")]
pub(super) struct RepairArgs {
    /// Log to repair
    log: PathBuf,
    #[command(flatten)]
    approval: ApprovalArgs,
    /// Apply likely fixes too, not only proven ones
    #[arg(long, value_enum, value_name = "CERTAINTY")]
    accept: Option<AcceptArg>,
    /// Save the plan as JSON to this file
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Replace an existing file of --plan
    #[arg(long, requires = "plan")]
    force: bool,
    /// Apply the plan saved in this file
    #[arg(long, value_name = "FILE", conflicts_with_all =
        ["accept", "plan", "donors", "only", "except", "choices", "gap_undecided", "large_gap", "forget", "max_loss"])]
    apply: Option<PathBuf>,
    /// Take damaged ranges from this other copy of the log, frame by frame; repeatable
    #[arg(long = "donor", value_name = "COPY")]
    donors: Vec<PathBuf>,
    /// Repair only the finding at this offset, or findings of this kind; repeatable
    #[arg(long, value_name = "OFFSET|KIND", value_parser = parse_selector)]
    only: Vec<FindingSelector>,
    /// Leave the finding at this offset, or findings of this kind, as they are; repeatable
    #[arg(long, value_name = "OFFSET|KIND", value_parser = parse_selector)]
    except: Vec<FindingSelector>,
    /// For the finding at offset START, apply candidate N of the plan; repeatable
    #[arg(long = "choose", value_name = "START=N", value_parser = parse_choice)]
    choices: Vec<CandidateChoice>,
    /// Replace ranges with a gap where only likely fixes or choices exist, instead of leaving them
    #[arg(long, alias = "fence-undecided")]
    gap_undecided: bool,
    /// Fill a lost end with a gap even if that takes more than the log itself and more than 64 MiB
    #[arg(long)]
    large_gap: bool,
    /// For a truncated log, drop the lost end from the index: new events reuse the lost offsets
    #[arg(long)]
    forget: bool,
    /// Refuse a plan that gives up more than this many events
    #[arg(long, value_name = "N")]
    max_loss: Option<u64>,
    /// Verify the whole log before and after the repair, not only the changed ranges
    #[arg(long)]
    full_check: bool,
    #[command(flatten)]
    threads: ThreadArgs,
}

impl RepairArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let options = open_options(global).threads(self.threads.count());
        let paths = options.log_paths(&self.log)?;
        let existing = ForceArgs { force: self.force }.existing_files();
        let approval = ApprovalMode::from_args(&self.approval, out);
        self.check_paths(existing, approval, global)?;
        let lock_timeout = approval.recover_pending_repair(&paths, self.approval.lock_timeout(), out)?;
        let options = self.donors.iter().fold(options, OpenOptions::copy_of);
        let log = options.clone().open_read_only(&self.log)?;
        print_side_file_notices(&log, out);
        let view = view_with_checked_index(&log);
        let plan = match &self.apply {
            Some(file) => {
                let plan = read_plan(file, &paths)?;
                // Applying checks again under the lock; this check fails before anything is printed or asked.
                repair::check_plan(view.log(), &plan)?;
                plan
            }
            None => self.make_plan(&view, out)?,
        };
        if let Some(file) = &self.plan {
            save_plan(file, &plan, existing, &paths.path)?;
            out.set_effect(format!("the plan is saved in {}", safe_path_text(file)));
        }
        let apply_options = ApplyOptions { lock_timeout, full_check: self.full_check, ..ApplyOptions::new() };
        let Some(applied) = show_and_apply(&plan, &paths, approval, apply_options, out)? else {
            let status = if approval == ApprovalMode::DryRun {
                ExitStatus::before_repair(&plan)
            } else {
                ExitStatus::after_repair(&plan)
            };
            return Ok(status.combine(index_status(&view, IndexRequirement::NotBroken)));
        };
        catch_up_index(&applied, &self.log, global, out);
        let view = view_with_checked_index(&options.open_read_only(&self.log)?);
        Ok(ExitStatus::after_repair(&plan).combine(index_status(&view, IndexRequirement::NotBroken)))
    }

    /// Checks that no file that this run writes is a file that it reads.
    fn check_paths(
        &self,
        existing: ExistingFile,
        approval: ApprovalMode,
        global: &GlobalArgs,
    ) -> Result<(), CommandFailure> {
        let command_paths = CommandPaths::new(global)
            .reads_log("the log", &self.log)
            .reads_logs("the donor", &self.donors)
            .reads_optional_file("the plan of --apply", self.apply.as_deref())
            .writes_optional_file("--plan", self.plan.as_deref(), existing);
        match approval {
            ApprovalMode::DryRun => command_paths.reads_side_files().check(),
            _ => command_paths.saves_index_of(&self.log).check(),
        }
    }

    fn make_plan(&self, view: &LogView, out: &CommandOutput) -> Result<Plan, StorageError> {
        let progress = TerminalProgress::new("planning", out);
        repair::plan_repair(view, &self.repair_options(), &mut |read| progress.show(read))
    }

    fn repair_options(&self) -> RepairOptions {
        RepairOptions {
            accept_likely: self.accept == Some(AcceptArg::Likely),
            gap_undecided: self.gap_undecided,
            accept_large_gap: self.large_gap,
            choices: self.choices.clone(),
            only: self.only.clone(),
            except: self.except.clone(),
            forget_lost_end: self.forget,
            max_lost_events: self.max_loss,
            damage_offset: None,
            donors: self.donors.clone(),
        }
    }
}

/// Parses the name of a kind, or an offset.
fn parse_selector(text: &str) -> Result<FindingSelector, String> {
    match DamageKind::from_name(text) {
        Some(kind) => Ok(FindingSelector::Kind(kind)),
        None => parse_offset(text)
            .map(FindingSelector::Start)
            .map_err(|expected| format!("{expected}, or a kind such as checksum")),
    }
}

/// Parses `START=N`: an offset, and the number of a candidate, counted from 1.
fn parse_choice(text: &str) -> Result<CandidateChoice, String> {
    let expected = || "expected the start of a finding and the number of a candidate, such as 1223488=2".to_owned();
    let (start, number) = text.split_once('=').ok_or_else(expected)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(expected)?;
    Ok(CandidateChoice::new(parse_offset(start).map_err(|_| expected())?, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_an_offset_or_the_name_of_a_kind() {
        assert_eq!(parse_selector("1223488"), Ok(FindingSelector::Start(1_223_488)));
        assert_eq!(parse_selector("0x10"), Ok(FindingSelector::Start(16)));
        assert_eq!(parse_selector("torn_tail"), Ok(FindingSelector::Kind(DamageKind::TornTail)));
        let error = parse_selector("torn-tail").unwrap_err();
        assert_eq!(error, "expected an offset such as 1223488 or 0x12ab40, or a kind such as checksum");
    }

    #[test]
    fn candidates_are_numbered_from_one() {
        assert_eq!(parse_choice("16=3"), Ok(CandidateChoice::new(16, 3)));
        assert_eq!(parse_choice("0x10=1"), Ok(CandidateChoice::new(16, 1)));
        for invalid in ["16", "16=0", "16=", "=1", "x=1", "16=-1"] {
            assert!(parse_choice(invalid).is_err(), "{invalid}");
        }
    }
}
