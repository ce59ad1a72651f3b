//! Commands that make a log: `create`, `generate`, `drill`, `demo`.

use std::fs;
use std::ops::ControlFlow;
use std::time::Instant;

use super::args::{CreateArgs, DemoArgs, DrillArgs, GenerateArgs, GlobalArgs};
use super::failure::{CommandFailure, CommandResult};
use super::open::{has_terminal, open_options, open_screen};
use super::output::CommandOutput;
use super::overwrite::remove_existing;
use super::progress::TerminalProgress;
use crate::file::{Disk, OsDisk};
use crate::format::hex;
use crate::inspect::index_path;
use crate::report::json::Json;
use crate::report::units::{format_count, format_duration, format_rate, format_size};
use crate::report::{ExitStatus, safe_path_text};
use crate::sample::{self, Drill, GeneratorOptions, LogLength, PlantedDamage};

/// Bytes of a change that the truth about a drill shows in full.
const MAX_BYTES_SHOWN: usize = 4096;

pub(super) fn create(args: &CreateArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    remove_existing(&args.log, args.force)?;
    let log = open_options(global).create(&args.log)?;
    let (path, header) = (log.path(), log.header());
    log.close()?;
    let created_at_ms = header.map(|header| header.created_at_ms);
    if out.is_json() {
        out.print_json(&Json::Object(vec![
            ("path", safe_path_text(&path).into()),
            ("bytes", crate::format::HEADER_LEN.into()),
            ("created_at_ms", created_at_ms.into()),
        ]))?;
    } else {
        out.print_path_line(&path, ": created, no events yet")?;
    }
    Ok(ExitStatus::Done)
}

pub(super) fn generate(args: &GenerateArgs, out: &mut CommandOutput) -> CommandResult {
    remove_existing(&args.log, args.force)?;
    let recipe = GeneratorOptions {
        seed: args.seed,
        length: args.size.map_or(LogLength::Events(args.events), LogLength::Bytes),
        aggregates: args.aggregates,
        start_time_ms: args.start_time,
    };
    let started = Instant::now();
    let progress = TerminalProgress::new("generating", out);
    let done = sample::generate(&OsDisk, &args.log, &recipe, &mut |written| {
        progress.set_position(written.position, written.total);
        ControlFlow::Continue(())
    })?;
    drop(progress);
    let took = started.elapsed();
    if out.is_json() {
        out.print_json(&Json::Object(vec![
            ("path", safe_path_text(&args.log).into()),
            ("events", done.events.into()),
            ("bytes", done.bytes.into()),
            ("seed", args.seed.into()),
            ("start_time_ms", args.start_time.into()),
        ]))?;
    } else {
        let said = format!(": {}, {}", format_count(done.events, "event"), format_size(done.bytes));
        out.print_path_line(&args.log, &said)?;
    }
    out.print_note(&format!("took {}, {}", format_duration(took), format_rate(done.bytes, took)));
    Ok(ExitStatus::Done)
}

pub(super) fn drill(args: &DrillArgs, out: &mut CommandOutput) -> CommandResult {
    let kind = Drill::from_name(&args.kind).unwrap_or(Drill::Checksum);
    // Also under another name: the log is only ever read.
    if let (Ok(log), Ok(copy)) = (OsDisk.identity(&args.log), OsDisk.identity(&args.copy))
        && log.is_same_file(copy)
    {
        return Err(CommandFailure::Refused {
            message: format!("{}: the copy is the log itself", args.copy.display()),
            hint: "Name another file behind -o".into(),
        });
    }
    fs::metadata(&args.log).map_err(|source| crate::StorageError::Io {
        path: args.log.clone(),
        action: "open",
        offset: None,
        source,
    })?;
    remove_existing(&args.copy, args.force)?;
    let planted = sample::plant_damage(&args.log, &args.copy, kind, args.seed)?;
    out.print_json(&ground_truth_json(args, &planted))?;
    Ok(ExitStatus::Done)
}

fn ground_truth_json(args: &DrillArgs, planted: &PlantedDamage) -> Json {
    let PlantedDamage { drill, seed, kind, start, end, edit } = planted;
    let index = drill.needs_index().then(|| safe_path_text(&index_path(&args.copy)));
    Json::Object(vec![
        ("drill", drill.name().into()),
        ("seed", (*seed).into()),
        ("log", safe_path_text(&args.log).into()),
        ("copy", safe_path_text(&args.copy).into()),
        ("index", index.into()),
        ("kind", kind.name().into()),
        ("damage", Json::Bool(kind.is_damage())),
        ("start", (*start).into()),
        ("end", (*end).into()),
        (
            "edit",
            Json::Object(vec![
                ("offset", edit.at.into()),
                ("bytes_before", (edit.before.len() as u64).into()),
                ("bytes_after", (edit.after.len() as u64).into()),
                ("before", hex_prefix(&edit.before).into()),
                ("after", hex_prefix(&edit.after).into()),
            ]),
        ),
    ])
}

/// The bytes in hex; of very many only the first.
fn hex_prefix(bytes: &[u8]) -> String {
    hex::encode(bytes.get(..MAX_BYTES_SHOWN).unwrap_or(bytes))
}

pub(super) fn demo(args: &DemoArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let path = args.folder.join("demo.log");
    if fs::symlink_metadata(&path).is_ok() && !args.force {
        out.print_note("the demonstration is there already and stays as it is; --force makes a new one");
    } else {
        remove_existing(&path, args.force)?;
        let made = sample::create_demo(&args.folder)?;
        if out.is_json() {
            let rows = made.findings.iter().map(|(kind, range)| {
                Json::Object(vec![
                    ("kind", kind.name().into()),
                    ("start", range.start.into()),
                    ("end", range.end.into()),
                ])
            });
            let findings = Json::List(rows.collect());
            out.print_json(&Json::Object(vec![("path", safe_path_text(&made.log).into()), ("findings", findings)]))?;
        } else {
            let planted = format_count(made.findings.len() as u64, "finding");
            out.print_path_line(&made.log, &format!(": {planted} to discover, and an index that is behind"))?;
        }
    }
    if has_terminal() && !out.is_json() {
        return open_screen(&path, &args.screen, global, out);
    }
    out.print_note(&format!("no terminal to open it on: see `chronicle verify {}`", path.display()));
    Ok(ExitStatus::Done)
}
