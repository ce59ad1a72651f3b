//! `index`: how the index relates to the log, catching it up, building it anew.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::args::Side;
use super::fail::{Failure, Run};
use super::index_args::{Build, IndexAction, IndexArgs};
use super::open::{log_to_read, options, view_with_checked_index};
use super::out::Out;
use super::progress::Progress;
use crate::index::IndexState;
use crate::inspect::{LogView, Step};
use crate::report::json::{self, Json};
use crate::report::units::{count, duration};
use crate::report::{Status, Tally, index_line, index_meaning, index_reason, path_text};
use crate::{EventLog, StorageError};

pub(super) fn index(args: &IndexArgs, side: &Side, out: &mut Out) -> Run {
    match &args.action {
        IndexAction::Status(args) => {
            let view = view_with_checked_index(&log_to_read(&args.log, side)?);
            status(&view, out)
        }
        IndexAction::Update(args) => update(log_to_index(&args.log, &args.build, side)?, out),
        IndexAction::Rebuild(args) => {
            let mut log = log_to_index(&args.log, &args.build, side)?;
            let before = view_with_checked_index(&log);
            // A broken index has nothing to keep.
            let from = if before.witness().is_some() { args.from } else { 0 };
            build(&mut log, &before, Some(from), out)
        }
    }
}

/// Opens a log whose index is going to be saved: what has no room in memory waits where the index goes.
fn log_to_index(path: &Path, build: &Build, side: &Side) -> Result<EventLog, StorageError> {
    let log = log_to_read(path, side)?;
    let options = options(side).threads(build.threads.number()).memory(build.memory);
    let folder = log.view().index_path().parent().map(Path::to_owned).unwrap_or_default();
    options.scratch(folder).open_read_only(path)
}

fn status(view: &LogView, out: &mut Out) -> Run {
    if out.is_json() {
        out.value(&Json::Object(vec![
            ("path", path_text(view.path()).into()),
            ("index_path", path_text(view.index_path()).into()),
            ("index", json::index(view)),
        ]))?;
    } else {
        let said = format!(": {}: {}", index_line(view.state(), None), index_meaning(view.state()));
        out.path_line(view.index_path(), &said)?;
        if let Some(reason) = index_reason(view.state()) {
            out.line(&format!("  {reason}"))?;
        }
    }
    Ok(if *view.state() == IndexState::Fresh { Status::Done } else { Status::Index })
}

/// Does what the state needs; what only an explicit wish may do is left alone.
fn update(mut log: EventLog, out: &mut Out) -> Run {
    // Catching up costs what is new: what is not looked at then is checked before a byte of it is believed.
    let behind = matches!(log.view().state(), IndexState::Behind { .. });
    let before = if behind { log.view().clone() } else { view_with_checked_index(&log) };
    match before.state() {
        IndexState::Fresh => {
            tell(&before, &before, None, out)?;
            Ok(Status::Done)
        }
        IndexState::Ahead { .. } | IndexState::Unsupported { .. } => Err(Failure::Refused {
            error: format!(
                "{}: index {}: {}",
                before.index_path().display(),
                index_line(before.state(), None),
                index_meaning(before.state())
            ),
            next: match before.state() {
                IndexState::Ahead { .. } => {
                    "See with `chronicle repair LOG --dry-run` what can be done; until then it stays ahead".into()
                }
                _ => "Build it anew with `chronicle index rebuild` if that is what you want".into(),
            },
        }),
        IndexState::Missing | IndexState::Foreign { .. } | IndexState::Behind { .. } => {
            build(&mut log, &before, None, out)
        }
        IndexState::Corrupt { .. } => build(&mut log, &before, Some(0), out),
    }
}

/// Catches the index up, or builds it anew from an offset on, and saves it.
fn build(log: &mut EventLog, before: &LogView, from: Option<u64>, out: &mut Out) -> Run {
    let started = Instant::now();
    let progress = Progress::new("indexing", out);
    let mut tally = Tally::default();
    let mut on = |step: Step| {
        match step {
            Step::Progress(done, total) => progress.to(done, total),
            Step::Finding(found) => tally.add(found),
        }
        ControlFlow::Continue(())
    };
    match from {
        Some(from) => log.rebuild(from, &mut on).map(|_| ())?,
        None => log.catch_up(&mut on).map(|_| ())?,
    }
    drop(progress);
    log.save_index()?;
    tell(before, log.view(), Some(tally.line()), out)?;
    out.note(&format!("took {}", duration(started.elapsed())));
    Ok(Status::Done)
}

fn tell(before: &LogView, after: &LogView, met: Option<String>, out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        return out.value(&Json::Object(vec![
            ("path", path_text(after.path()).into()),
            ("index_path", path_text(after.index_path()).into()),
            ("before", json::index(before)),
            ("index", json::index(after)),
        ]));
    }
    let head = after.persisted().map(|index| index.head());
    let events = head.map(|head| count(head.events, "event")).unwrap_or_default();
    let met = met.map(|met| format!("; on the way: {met}")).unwrap_or_default();
    let was = index_line(before.state(), None);
    let said = format!(": {}, was {was}; {events}{met}", index_line(after.state(), None));
    out.path_line(after.index_path(), &said)
}
