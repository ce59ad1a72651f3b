//! `retain`: plans to remove whole segments from the front of a log, shows the plan and applies it once it is confirmed.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::approval::{ApprovalArgs, ApprovalMode};
use super::archived_segments::{UnarchivedSegments, plan_archived};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::log_access::{open_options, open_read_only, print_side_file_notices};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::format::REMOVED_FOLDER;
use crate::log::now_ms;
use crate::query::{EventTimes, JumpTarget, TimeContext, parse_span_ms};
use crate::repair::{RetentionLimit, plan_retention};
use crate::report::json::Json;
use crate::report::units::parse_size;
use crate::report::{ExitStatus, retention_json, retention_lines, safe_path_text};
use crate::{EventLog, SegmentRemoval};

/// Remove old events: whole segments from the front of a log that is a folder.
///
/// A segment goes when one of the options lets it go; the last one always stays. It is as old as the next segment, whatever its
/// events say. All other offsets stay. The segments are moved to LOG/.removed, and `chronicle undo` restores them until
/// `chronicle purge` deletes them. The writer of the log must be stopped, or --wait waits for it.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("limit").required(true).multiple(true),
    after_help = "\
Examples:
  chronicle retain accounts/ --keep-for 90d --dry-run   print the plan, write nothing
  chronicle retain accounts/ --keep-size 100GiB --yes   keep the newest segments of at least 100 GiB
  chronicle retain accounts/ --before 268435512         remove the segments before an offset
  chronicle retain accounts/ --keep-for 90d --only-archived s3://backups/accounts
  chronicle undo accounts/                              restore the removed segments
  chronicle purge accounts/                             delete them for good"
)]
pub(super) struct RetainArgs {
    /// Log to change, a folder of segments
    log: PathBuf,
    /// Remove the segments before this offset, or those that were complete at this time (2026-11-20, -90d)
    #[arg(long, value_name = "OFFSET|TIME", allow_hyphen_values = true, group = "limit")]
    before: Option<String>,
    /// Keep the newest segments that have at least this size together, such as 100GiB
    #[arg(long, value_name = "SIZE", value_parser = parse_size, group = "limit")]
    keep_size: Option<u64>,
    /// Keep the segments that were complete for less than this time, such as 90d or 12h
    #[arg(long, value_name = "AGE", value_parser = parse_age_ms, group = "limit")]
    keep_for: Option<u64>,
    /// Remove only segments that the newest backup here holds: a folder, or a URL. Their parts are read and compared
    #[arg(long, value_name = "DEST")]
    only_archived: Option<PathBuf>,
    #[command(flatten)]
    approval: ApprovalArgs,
}

impl RetainArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let options = open_options(global);
        let paths = options.log_paths(&self.log)?;
        let approval = ApprovalMode::from_args(&self.approval, out);
        let command_paths = CommandPaths::new(global).reads_log("the log", &self.log);
        match approval {
            ApprovalMode::DryRun => command_paths.reads_side_files().check()?,
            _ => command_paths.saves_index_of(&self.log).check()?,
        }
        let lock_timeout = approval.recover_pending_repair(&paths, self.approval.lock_timeout(), out)?;
        let log = open_read_only(&self.log, global)?;
        print_side_file_notices(&log, out);
        let limits = self.limits(&log)?;
        let (plan, not_archived) = {
            let progress = TerminalProgress::new("planning", out);
            let mut plan = |limits: &[_]| plan_retention(log.view(), limits, &mut |read| progress.show(read));
            match &self.only_archived {
                None => (plan(&limits)?, None),
                Some(place) => plan_archived(&log, &limits, place, &mut plan)?,
            }
        };
        drop(log);
        if !out.is_json() {
            retention_lines(&plan).iter().try_for_each(|line| out.print_line(line))?;
            not_archived.iter().try_for_each(|segments| out.print_line(&segments.line()))?;
        }
        let applied = if plan.segments.is_empty() || approval == ApprovalMode::DryRun {
            Ok(None)
        } else {
            approval.request_approval(&plan.path, out).and_then(|()| {
                let mut log = options.lock_timeout(lock_timeout).open(&self.log)?;
                let applied = log.apply_retention(&plan)?;
                out.set_effect("the segments are removed".to_owned());
                log.close()?;
                Ok(applied)
            })
        };
        let removal = applied.as_ref().ok().and_then(Option::as_ref);
        if out.is_json() {
            let applied = removal.map(|removal| Json::Object(vec![("new_start", removal.new_start.into())]));
            let mut keys = vec![("plan", retention_json(&plan)), ("applied", applied.into())];
            keys.extend(
                self.only_archived
                    .is_some()
                    .then(|| ("not_archived", not_archived.as_ref().map(UnarchivedSegments::json).into())),
            );
            out.print_json(&Json::Object(keys))?;
        } else if let Some(SegmentRemoval { segments, .. }) = removal {
            let folder = safe_path_text(&plan.path.join(REMOVED_FOLDER));
            let noun = if segments.len() == 1 { "segment" } else { "segments" };
            out.print_line(&format!("{} {noun} moved to {folder}", segments.len()))?;
        }
        applied.map(|_| ExitStatus::Done)
    }

    /// Returns the limits that the options give.
    fn limits(&self, log: &EventLog) -> Result<Vec<RetentionLimit>, CommandFailure> {
        let now = now_ms();
        let before = self.before.as_deref().map(|text| parse_before(text, log, now)).transpose()?;
        let keep_size = self.keep_size.map(RetentionLimit::KeepBytes);
        let keep_for = self.keep_for.map(|age| RetentionLimit::BeforeTime(now.saturating_sub(age)));
        Ok(before.into_iter().chain(keep_size).chain(keep_for).collect())
    }
}

/// Parses the value of `--before`: an offset or a time.
fn parse_before(text: &str, log: &EventLog, now_ms: u64) -> Result<RetentionLimit, CommandFailure> {
    let last_event_ms = EventTimes::read(log.view())?.map(|times| times.last_ms);
    let target = JumpTarget::parse_with(text, TimeContext::at(now_ms).with_last_event(last_event_ms));
    match target {
        Ok(JumpTarget::Offset(offset)) => Ok(RetentionLimit::BeforeOffset(offset)),
        Ok(JumpTarget::Time(ms)) => Ok(RetentionLimit::BeforeTime(ms)),
        _ => Err(CommandFailure::Usage {
            message: format!("--before: expected an offset or a time, found `{text}`"),
            hint: "Use an offset such as 268435512 or a time such as 2026-11-20 or -90d".into(),
        }),
    }
}

/// Parses an age such as `90d`, in milliseconds.
fn parse_age_ms(text: &str) -> Result<u64, String> {
    parse_span_ms(text).ok_or_else(|| format!("expected an age such as 90d or 12h, found `{text}`"))
}
