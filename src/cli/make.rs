//! Commands that make a log: `create`, `generate`, `drill`, `demo`.

use std::fs;
use std::ops::ControlFlow;
use std::time::Instant;

use super::args::{CreateArgs, DemoArgs, DrillArgs, GenerateArgs, Side};
use super::fail::{Failure, Run};
use super::force::make_room;
use super::open::{has_terminal, open_screen, options};
use super::out::Out;
use super::progress::Progress;
use crate::file::{Disk, OsDisk};
use crate::inspect::index_path;
use crate::report::json::Json;
use crate::report::units::{count, duration, rate, size};
use crate::report::{Status, path_text};
use crate::sample::{self, Amount, Drill, Planted, Recipe};

/// Bytes of a change that the truth about a drill shows in full.
const SHOWN: usize = 4096;

pub(super) fn create(args: &CreateArgs, side: &Side, out: &mut Out) -> Run {
    make_room(&args.log, args.force)?;
    let log = options(side).create(&args.log)?;
    let (path, header) = (log.path(), log.header());
    log.close()?;
    let created_at_ms = header.map(|header| header.created_at_ms);
    if out.is_json() {
        out.value(&Json::Object(vec![
            ("path", path_text(&path).into()),
            ("bytes", crate::format::HEADER_LEN.into()),
            ("created_at_ms", created_at_ms.into()),
        ]))?;
    } else {
        out.path_line(&path, ": created, no events yet")?;
    }
    Ok(Status::Done)
}

pub(super) fn generate(args: &GenerateArgs, out: &mut Out) -> Run {
    make_room(&args.log, args.force)?;
    let recipe = Recipe {
        seed: args.seed,
        amount: args.size.map_or(Amount::Events(args.events), Amount::Bytes),
        aggregates: args.aggregates,
        start_time_ms: args.start_time,
    };
    let started = Instant::now();
    let progress = Progress::new("generating", out);
    let done = sample::generate(&OsDisk, &args.log, &recipe, &mut |done, total| {
        progress.to(done, total);
        ControlFlow::Continue(())
    })?;
    drop(progress);
    let took = started.elapsed();
    if out.is_json() {
        out.value(&Json::Object(vec![
            ("path", path_text(&args.log).into()),
            ("events", done.events.into()),
            ("bytes", done.bytes.into()),
            ("seed", args.seed.into()),
            ("start_time_ms", args.start_time.into()),
        ]))?;
    } else {
        let said = format!(": {}, {}", count(done.events, "event"), size(done.bytes));
        out.path_line(&args.log, &said)?;
    }
    out.note(&format!("took {}, {}", duration(took), rate(done.bytes, took)));
    Ok(Status::Done)
}

pub(super) fn drill(args: &DrillArgs, out: &mut Out) -> Run {
    let kind = Drill::from_name(&args.kind).unwrap_or(Drill::Checksum);
    // Also under another name: the log is only ever read.
    if let (Ok(log), Ok(copy)) = (OsDisk.identity(&args.log), OsDisk.identity(&args.copy))
        && (log.device, log.inode) == (copy.device, copy.inode)
    {
        return Err(Failure::Refused {
            error: format!("{}: the copy is the log itself", args.copy.display()),
            next: "Name another file behind -o".into(),
        });
    }
    fs::metadata(&args.log).map_err(|source| crate::StorageError::Io {
        path: args.log.clone(),
        action: "open",
        offset: None,
        source,
    })?;
    make_room(&args.copy, args.force)?;
    let planted = sample::drill(&args.log, &args.copy, kind, args.seed)?;
    out.value(&truth(args, &planted))?;
    Ok(Status::Done)
}

fn truth(args: &DrillArgs, planted: &Planted) -> Json {
    let Planted { drill, seed, kind, start, end, edit } = planted;
    let index = drill.needs_index().then(|| path_text(&index_path(&args.copy)));
    Json::Object(vec![
        ("drill", drill.name().into()),
        ("seed", (*seed).into()),
        ("log", path_text(&args.log).into()),
        ("copy", path_text(&args.copy).into()),
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
                ("before", hex(&edit.before).into()),
                ("after", hex(&edit.after).into()),
            ]),
        ),
    ])
}

/// The bytes in hex; of very many only the first.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn demo(args: &DemoArgs, side: &Side, out: &mut Out) -> Run {
    let path = args.folder.join("demo.log");
    if fs::symlink_metadata(&path).is_ok() && !args.force {
        out.note("the demonstration is there already and stays as it is; --force makes a new one");
    } else {
        make_room(&path, args.force)?;
        let made = sample::demo(&args.folder)?;
        if out.is_json() {
            let rows = made.findings.iter().map(|(kind, range)| {
                Json::Object(vec![
                    ("kind", kind.name().into()),
                    ("start", range.start.into()),
                    ("end", range.end.into()),
                ])
            });
            let findings = Json::List(rows.collect());
            out.value(&Json::Object(vec![("path", path_text(&made.log).into()), ("findings", findings)]))?;
        } else {
            let planted = count(made.findings.len() as u64, "finding");
            out.path_line(&made.log, &format!(": {planted} to discover, and an index that is behind"))?;
        }
    }
    if has_terminal() && !out.is_json() {
        return open_screen(&path, &args.screen, side, out);
    }
    out.note(&format!("no terminal to open it on: see `chronicle verify {}`", path.display()));
    Ok(Status::Done)
}
