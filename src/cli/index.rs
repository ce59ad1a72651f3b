//! `index`: shows how the index relates to the log, catches it up, or rebuilds it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};

use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::index_segments::SegmentIndexes;
use super::log_access::{open_options, open_read_only, open_with_notices, view_with_checked_index};
use super::options::{GlobalArgs, ThreadArgs, parse_offset};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::file::folder_of;
use crate::index::IndexState;
use crate::inspect::{LogView, SurveyUpdate};
use crate::report::json::{self, Json};
use crate::report::units::{self, format_count, format_duration};
use crate::report::{
    ExitStatus, FindingCounts, index_line, index_meaning, index_reason, safe_path_text, seen_end_line,
};
use crate::{EventLog, StorageError};

/// Show, update or rebuild the index.
#[derive(Debug, Args)]
pub(super) struct IndexArgs {
    #[command(subcommand)]
    action: IndexAction,
}

#[derive(Debug, Subcommand)]
enum IndexAction {
    Status(StatusArgs),
    Update(UpdateArgs),
    Rebuild(RebuildArgs),
}

/// Show how the index relates to the log, and each segment's index to its segment; exit 5 unless all are fresh.
#[derive(Debug, Args)]
struct StatusArgs {
    /// Log that the index belongs to
    log: PathBuf,
}

/// Build the index if it is missing or unusable, or catch it up if it is behind.
#[derive(Debug, Args)]
struct UpdateArgs {
    /// Log that the index belongs to
    log: PathBuf,
    #[command(flatten)]
    build: BuildArgs,
}

/// Rebuild the index from the log, whatever its state.
#[derive(Debug, Args)]
struct RebuildArgs {
    /// Log that the index belongs to
    log: PathBuf,
    #[command(flatten)]
    build: BuildArgs,
    /// Keep index entries below this offset and rebuild the rest
    #[arg(long, value_name = "OFFSET", value_parser = parse_offset, default_value = "0")]
    from: u64,
}

/// Resources that building an index may use.
#[derive(Debug, Clone, Copy, Args)]
struct BuildArgs {
    #[command(flatten)]
    threads: ThreadArgs,
    /// Memory for index entries; more are spilled to an unnamed temporary file in the index's folder
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, default_value = "256MiB")]
    memory: u64,
}

impl IndexArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        match &self.action {
            IndexAction::Status(args) => {
                let view = view_with_checked_index(&open_with_notices(&args.log, global, out)?);
                print_status(&view, out)
            }
            IndexAction::Update(args) => update(open_log_for_indexing(&args.log, args.build, global)?, out),
            IndexAction::Rebuild(args) => {
                let mut log = open_log_for_indexing(&args.log, args.build, global)?;
                let before = view_with_checked_index(&log);
                ensure_trusted_index(&before)?;
                // Entries of an index that is not trusted cannot be kept.
                let from = if before.trusted_index().is_some() { args.from } else { 0 };
                build_and_save(&mut log, &before, BuildMode::Rebuild { from }, out)
            }
        }
    }
}

/// Checks that an index is trusted before it is replaced.
fn ensure_trusted_index(view: &LogView) -> Result<(), StorageError> {
    match view.index_state() {
        IndexState::Untrusted { found } => Err(found.to_error(view.index_path())),
        _ => Ok(()),
    }
}

/// The method that brings the index up to date.
#[derive(Debug, Clone, Copy)]
enum BuildMode {
    /// Reads only what the saved index does not cover.
    CatchUp,
    /// Reads the log from this offset on, and keeps the entries below it.
    Rebuild { from: u64 },
}

/// Opens a log whose index will be saved. Entries beyond the memory limit are spilled to the folder of the index.
fn open_log_for_indexing(path: &Path, build: BuildArgs, global: &GlobalArgs) -> Result<EventLog, CommandFailure> {
    CommandPaths::new(global).reads_log("the log", path).saves_index_of(path).check()?;
    let log = open_read_only(path, global)?;
    let options = open_options(global).threads(build.threads.count()).max_index_memory(build.memory);
    let folder = folder_of(log.view().index_path()).to_owned();
    Ok(options.spill_folder(folder).open_read_only(path)?)
}

fn print_status(view: &LogView, out: &mut CommandOutput) -> CommandResult {
    let segments = SegmentIndexes::read(view);
    if out.is_json() {
        let keys = vec![
            ("path", safe_path_text(view.path()).into()),
            ("index_path", safe_path_text(view.index_path()).into()),
            ("index", json::index(view)),
            ("known_damage", json::known_damage(view)),
        ];
        let segments = segments.as_ref().map(|segments| ("segments", segments.to_json()));
        out.print_json(&Json::Object(keys.into_iter().chain(segments).collect()))?;
    } else if let Some(segments) = &segments {
        segments.print(view, out)?;
        print_known_facts(view, out)?;
    } else {
        let text = format!(": {}: {}", index_line(view.index_state(), None), index_meaning(view.index_state()));
        out.print_path_line(view.index_path(), &text)?;
        if let Some(reason) = index_reason(view.index_state()) {
            out.print_line(&format!("  {reason}"))?;
        }
        print_known_facts(view, out)?;
    }
    let is_fresh = *view.index_state() == IndexState::Fresh && segments.is_none_or(|segments| segments.are_fresh());
    Ok(if is_fresh { ExitStatus::Done } else { ExitStatus::IndexUnusable })
}

/// Prints what the index has recorded about the end of the log and about damage.
fn print_known_facts(view: &LogView, out: &mut CommandOutput) -> Result<(), CommandFailure> {
    if let Some(line) = seen_end_line(view)? {
        out.print_line(&line)?;
    }
    if let damaged @ 1.. = view.known_damage().len() as u64 {
        let ranges = format_count(damaged, "damaged range");
        out.print_line(&format!("  it records {ranges} of the log: `chronicle verify LOG` lists them"))?;
    }
    Ok(())
}

/// Builds, catches up or rebuilds the index, depending on its state. Refuses `ahead` and `unsupported`, which only an
/// explicit rebuild may replace.
fn update(mut log: EventLog, out: &mut CommandOutput) -> CommandResult {
    // Catching up must cost only the new bytes, so the pages it does not read are not checked here.
    let behind = matches!(log.view().index_state(), IndexState::Behind { .. });
    let before = if behind { log.view().clone() } else { view_with_checked_index(&log) };
    before.seen_end().ensure_known(before.index_path())?;
    match before.index_state() {
        IndexState::Fresh => {
            let segments = SegmentIndexes::read(&before);
            if segments.as_ref().is_some_and(|segments| !segments.are_fresh()) {
                return build_and_save(&mut log, &before, BuildMode::CatchUp, out);
            }
            print_outcome(&Outcome { before: &before, after: &before, segments, build: None }, out)?;
            Ok(ExitStatus::Done)
        }
        IndexState::Ahead { .. } | IndexState::Unsupported { .. } => Err(CommandFailure::Refused {
            message: format!(
                "{}: index {}: {}",
                safe_path_text(before.index_path()),
                index_line(before.index_state(), None),
                index_meaning(before.index_state())
            ),
            hint: match before.index_state() {
                IndexState::Ahead { .. } => {
                    "Run `chronicle repair LOG --dry-run` to see what can be done, or give the lost events up with \
                     `chronicle repair LOG --forget`; the index stays ahead until then"
                        .into()
                }
                _ => "Run `chronicle index rebuild LOG` to replace it".into(),
            },
        }),
        IndexState::Untrusted { found } => Err(found.to_error(before.index_path()).into()),
        IndexState::Missing | IndexState::Foreign { .. } | IndexState::Behind { .. } => {
            build_and_save(&mut log, &before, BuildMode::CatchUp, out)
        }
        IndexState::Corrupt { .. } | IndexState::Unreadable { .. } => {
            build_and_save(&mut log, &before, BuildMode::Rebuild { from: 0 }, out)
        }
    }
}

fn build_and_save(log: &mut EventLog, before: &LogView, mode: BuildMode, out: &mut CommandOutput) -> CommandResult {
    let started = Instant::now();
    let progress = TerminalProgress::new("indexing", out);
    let mut counts = FindingCounts::default();
    let mut on_update = |update: SurveyUpdate| {
        match update {
            SurveyUpdate::Progress(position) => progress.update(position),
            SurveyUpdate::Finding(finding) => counts.add(finding),
        }
        ControlFlow::Continue(())
    };
    match mode {
        BuildMode::Rebuild { from } => log.reindex_with_progress(from, &mut on_update).map(|_| ())?,
        BuildMode::CatchUp => log.catch_up_index(&mut on_update).map(|_| ())?,
    }
    drop(progress);
    log.save_index()?;
    out.set_effect(format!("{} is saved", safe_path_text(log.view().index_path())));
    let action = match (mode, before.index_state()) {
        (_, IndexState::Missing) => "built",
        (BuildMode::CatchUp, IndexState::Behind { .. }) => "caught up",
        _ => "rebuilt",
    };
    let build = Some(BuildSummary { action, counts: &counts });
    // Only text lists the indexes of the segments.
    let segments = if out.is_json() { None } else { SegmentIndexes::read(log.view()) };
    print_outcome(&Outcome { before, after: log.view(), segments, build }, out)?;
    if before.seen_end().is_unknown() {
        out.print_note("the old index could not be read: what it recorded about the end of the log is given up");
    }
    out.print_note(&format!("took {}", format_duration(started.elapsed())));
    Ok(ExitStatus::Done)
}

/// The result of `index update` and `index rebuild`.
struct Outcome<'a> {
    before: &'a LogView,
    after: &'a LogView,
    /// The indexes of the segments afterwards; `None` for a log in one file, and where they are not printed.
    segments: Option<SegmentIndexes>,
    /// `None` when the index was fresh and nothing was read.
    build: Option<BuildSummary<'a>>,
}

/// The summary of one index build.
struct BuildSummary<'a> {
    /// The action in the past tense, such as `built` or `caught up`.
    action: &'static str,
    /// Findings in the bytes that were read.
    counts: &'a FindingCounts,
}

fn print_outcome(outcome: &Outcome, out: &mut CommandOutput) -> Result<(), CommandFailure> {
    let Outcome { before, after, segments, build } = outcome;
    if out.is_json() {
        return out.print_json(&Json::Object(vec![
            ("path", safe_path_text(after.path()).into()),
            ("index_path", safe_path_text(after.index_path()).into()),
            ("before", json::index(before)),
            ("index", json::index(after)),
        ]));
    }
    let events = match after.segments() {
        Some(_) => after.index_coverage().map(|coverage| coverage.events),
        None => after.persisted_index().map(|index| index.header().events),
    };
    let events = events.map(|events| format_count(events, "event")).unwrap_or_default();
    let (was, now) = (index_line(before.index_state(), None), index_line(after.index_state(), None));
    let now = segments.as_ref().map_or(now, |segments| format!("indexes of {}", segments.summary()));
    let path = if after.segments().is_some() { after.path() } else { after.index_path() };
    let text = match build {
        None => format!(": {now}, unchanged: {events}"),
        Some(BuildSummary { action, counts }) => {
            format!(": {action} (was {was}), now {now}: {events}; {} in the bytes read", counts.counts_line())
        }
    };
    out.print_path_line(path, &text)
}
