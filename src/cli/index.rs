//! `index`: how the index relates to the log, catching it up, building it anew.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::args::GlobalArgs;
use super::failure::{CommandFailure, CommandResult};
use super::index_args::{BuildArgs, IndexAction, IndexArgs};
use super::open::{open_options, open_read_only, view_with_checked_index};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::index::IndexState;
use crate::inspect::{LogView, SurveyUpdate};
use crate::report::json::{self, Json};
use crate::report::units::{format_count, format_duration};
use crate::report::{ExitStatus, FindingCounts, index_line, index_meaning, index_reason, safe_path_text};
use crate::{EventLog, StorageError};

pub(super) fn index(args: &IndexArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    match &args.action {
        IndexAction::Status(args) => {
            let view = view_with_checked_index(&open_read_only(&args.log, global)?);
            print_status(&view, out)
        }
        IndexAction::Update(args) => update(open_log_for_indexing(&args.log, &args.build, global)?, out),
        IndexAction::Rebuild(args) => {
            let mut log = open_log_for_indexing(&args.log, &args.build, global)?;
            let before = view_with_checked_index(&log);
            // A broken index has nothing to keep.
            let from = if before.trusted_index().is_some() { args.from } else { 0 };
            build_and_save(&mut log, &before, Some(from), out)
        }
    }
}

/// Opens a log whose index is going to be saved: what has no room in memory waits where the index goes.
fn open_log_for_indexing(path: &Path, build: &BuildArgs, global: &GlobalArgs) -> Result<EventLog, StorageError> {
    let log = open_read_only(path, global)?;
    let options = open_options(global).threads(build.threads.count()).max_index_memory(build.memory);
    let folder = log.view().index_path().parent().map(Path::to_owned).unwrap_or_default();
    options.scratch_folder(folder).open_read_only(path)
}

fn print_status(view: &LogView, out: &mut CommandOutput) -> CommandResult {
    if out.is_json() {
        out.print_json(&Json::Object(vec![
            ("path", safe_path_text(view.path()).into()),
            ("index_path", safe_path_text(view.index_path()).into()),
            ("index", json::index(view)),
        ]))?;
    } else {
        let said = format!(": {}: {}", index_line(view.index_state(), None), index_meaning(view.index_state()));
        out.print_path_line(view.index_path(), &said)?;
        if let Some(reason) = index_reason(view.index_state()) {
            out.print_line(&format!("  {reason}"))?;
        }
    }
    Ok(if *view.index_state() == IndexState::Fresh { ExitStatus::Done } else { ExitStatus::IndexUnusable })
}

/// Does what the state needs; what only an explicit wish may do is left alone.
fn update(mut log: EventLog, out: &mut CommandOutput) -> CommandResult {
    // Catching up costs what is new: what is not looked at then is checked before a byte of it is believed.
    let behind = matches!(log.view().index_state(), IndexState::Behind { .. });
    let before = if behind { log.view().clone() } else { view_with_checked_index(&log) };
    match before.index_state() {
        IndexState::Fresh => {
            print_outcome(&before, &before, None, out)?;
            Ok(ExitStatus::Done)
        }
        IndexState::Ahead { .. } | IndexState::Unsupported { .. } => Err(CommandFailure::Refused {
            message: format!(
                "{}: index {}: {}",
                before.index_path().display(),
                index_line(before.index_state(), None),
                index_meaning(before.index_state())
            ),
            hint: match before.index_state() {
                IndexState::Ahead { .. } => {
                    "See with `chronicle repair LOG --dry-run` what can be done; until then it stays ahead".into()
                }
                _ => "Build it anew with `chronicle index rebuild` if that is what you want".into(),
            },
        }),
        IndexState::Missing | IndexState::Foreign { .. } | IndexState::Behind { .. } => {
            build_and_save(&mut log, &before, None, out)
        }
        IndexState::Corrupt { .. } => build_and_save(&mut log, &before, Some(0), out),
    }
}

/// Catches the index up, or builds it anew from an offset on, and saves it.
fn build_and_save(log: &mut EventLog, before: &LogView, from: Option<u64>, out: &mut CommandOutput) -> CommandResult {
    let started = Instant::now();
    let progress = TerminalProgress::new("indexing", out);
    let mut tally = FindingCounts::default();
    let mut on = |step: SurveyUpdate| {
        match step {
            SurveyUpdate::Progress(read) => progress.set_position(read.position, read.total),
            SurveyUpdate::Finding(found) => tally.add(found),
        }
        ControlFlow::Continue(())
    };
    match from {
        Some(from) => log.rebuild_index_with_progress(from, &mut on).map(|_| ())?,
        None => log.catch_up_index(&mut on).map(|_| ())?,
    }
    drop(progress);
    log.save_index()?;
    print_outcome(before, log.view(), Some(tally.counts_line()), out)?;
    out.print_note(&format!("took {}", format_duration(started.elapsed())));
    Ok(ExitStatus::Done)
}

fn print_outcome(
    before: &LogView,
    after: &LogView,
    findings_summary: Option<String>,
    out: &mut CommandOutput,
) -> Result<(), CommandFailure> {
    if out.is_json() {
        return out.print_json(&Json::Object(vec![
            ("path", safe_path_text(after.path()).into()),
            ("index_path", safe_path_text(after.index_path()).into()),
            ("before", json::index(before)),
            ("index", json::index(after)),
        ]));
    }
    let head = after.persisted_index().map(|index| index.head());
    let events = head.map(|head| format_count(head.events, "event")).unwrap_or_default();
    let met = findings_summary.map(|met| format!("; on the way: {met}")).unwrap_or_default();
    let was = index_line(before.index_state(), None);
    let said = format!(": {}, was {was}; {events}{met}", index_line(after.index_state(), None));
    out.print_path_line(after.index_path(), &said)
}
