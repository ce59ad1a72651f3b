//! Prints the table of the README: each operation beside a yardstick measured in the same run, and its target.
//!
//! Run by `benches/run`, which says how. No figure here is asserted: they are for reading.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that fails may stop, and its result is what it prints"
)]

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chronicle::file::OsDisk;
use chronicle::inspect::{LogView, Wish, survey};
use chronicle::sample::{Amount, Recipe, generate};
use chronicle::{Durability, Event, EventLog};
use serde_json::value::RawValue;

/// Runs of each measurement; the best counts, because everything else on a machine only makes it slower.
const RUNS: usize = 5;

fn main() {
    let mib: u64 = std::env::var("CHRONICLE_BENCH_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(1024);
    let folder = match std::env::var_os("CHRONICLE_BENCH_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => std::env::temp_dir().join("chronicle-bench"),
    };
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("bench-{mib}.log"));
    make_log(&path, mib << 20);
    let bytes = std::fs::metadata(&path).unwrap().len();
    let events = EventLog::open_read_only(&path).unwrap().index().unwrap().coverage().events;
    println!("log: {:.2} GiB, {events} events of {} bytes in the mean\n", gib(bytes), bytes / events.max(1));
    println!("| operation | figure | yardstick | ratio | target |");
    println!("| --- | --- | --- | --- | --- |");
    reading(&path, bytes);
    looking_up(&path);
    writing(&folder);
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// The log of the measurements: always the same bytes for the same size.
fn make_log(path: &Path, size: u64) {
    if std::fs::metadata(path).is_ok_and(|found| found.len() * 100 >= size * 99) {
        return;
    }
    let _ = std::fs::remove_file(path);
    let recipe = Recipe { amount: Amount::Bytes(size), aggregates: 100_000, ..Recipe::default() };
    let start = Instant::now();
    let made = generate(&OsDisk, path, &recipe, &mut |_, _| ControlFlow::Continue(())).unwrap();
    let each_second = made.events as f64 / start.elapsed().as_secs_f64();
    println!("generated {} events, {each_second:.0} a second, durable at the end", made.events);
}

fn best(mut run: impl FnMut()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap()
}

fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64()
}

/// A row whose figures are rates: higher is better.
fn fast(operation: &str, bytes: u64, time: Duration, yardstick: (&str, Duration), target: &str) {
    let (ours, theirs) = (rate(bytes, time), rate(bytes, yardstick.1));
    println!("| {operation} | {ours:.0} MB/s | {}: {theirs:.0} MB/s | {:.2} | {target} |", yardstick.0, ours / theirs);
}

/// A row whose figures are times: lower is better.
fn short(operation: &str, time: Duration, yardstick: (&str, Duration), target: &str) {
    let ratio = time.as_secs_f64() / yardstick.1.as_secs_f64();
    println!("| {operation} | {time:.2?} | {}: {:.2?} | {ratio:.2} | {target} |", yardstick.0, yardstick.1);
}

fn reading(path: &Path, bytes: u64) {
    let read = best(|| read_only(path));
    println!("| read(2) in 1 MiB pieces | {:.0} MB/s | | | |", rate(bytes, read));
    let walk = best(|| least_walk(path));
    println!("| frames and CRCs, least code | {:.0} MB/s | | | |", rate(bytes, walk));
    let value = best(|| {
        for_each_payload(path, |payload| {
            black_box(serde_json::from_slice::<TypedEvent>(payload).unwrap());
        });
    });
    let borrowed = best(|| {
        for_each_payload(path, |payload| {
            black_box(serde_json::from_slice::<BorrowedEvent>(payload).unwrap());
        });
    });
    let log = || EventLog::open_read_only(path).unwrap();
    let pass = |frames_only: bool| {
        let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
        let wish = Wish { frames_only, ..Wish::default() };
        let seen = survey(&view, &wish, None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(seen.damage_total, 0);
    };
    fast("verify --frames", bytes, best(|| pass(true)), ("least code", walk), "0.85");
    fast("verify", bytes, best(|| pass(false)), ("replay into Value", value), "3");
    let rebuild = || {
        log().rebuild_index_from(0).unwrap();
    };
    fast("index rebuild, in memory", bytes, best(rebuild), ("replay into Value", value), "3");
    let views = || {
        let mut replay = log().replay(0).unwrap();
        while let Some(event) = replay.next_event() {
            black_box(event.unwrap().1.payload());
        }
    };
    fast("replay, borrowed", bytes, best(views), ("serde_json, borrowed", borrowed), "0.85");
    let owned = || log().replay(0).unwrap().for_each(|event| drop(black_box(event.unwrap())));
    fast("replay, owned", bytes, best(owned), ("serde_json into Value", value), "0.9");
}

fn looking_up(path: &Path) {
    let mut log = EventLog::open_read_only(path).unwrap();
    log.save_index().unwrap();
    let small = path.with_extension("small.log");
    make_log(&small, 1 << 20);
    EventLog::open_read_only(&small).unwrap().save_index().unwrap();
    let open = |path: &Path| {
        best(|| {
            let mut log = EventLog::open_read_only(path).unwrap();
            assert_eq!(log.load_index().unwrap().word(), "fresh");
        })
    };
    short("open, fresh index", open(path), ("the same at 1 MiB", open(&small)), "1, under 1 ms");
    let busiest = log.index().unwrap().iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let one = log.index().unwrap().iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    for (what, id) in [("aggregate of 10 events", one.id), ("busiest aggregate", busiest.id)] {
        let offsets: Vec<u64> = log.index().unwrap().offsets(id).unwrap().map(Result::unwrap).collect();
        let frames = best(|| read_frames(path, &offsets));
        let load = best(|| {
            black_box(log.load_aggregate(id).unwrap());
        });
        short(what, load, ("its frames alone", frames), "1.5");
    }
    println!(
        "| index file | {:.1} bytes an event | | | |",
        index_bytes(path) / log.index().unwrap().coverage().events as f64
    );
}

fn index_bytes(path: &Path) -> f64 {
    std::fs::metadata(chronicle::inspect::index_path(path)).unwrap().len() as f64
}

fn writing(folder: &Path) {
    let event = event();
    let frame = frame_of(folder, &event);
    let count = 200_000u32;
    let new = |name: &str| {
        let path = folder.join(name);
        // There from an earlier run, or not.
        let _ = std::fs::remove_file(&path);
        path
    };
    let bare = |times: u32, bytes: &[u8], sync: bool| {
        best(|| {
            let mut file = OpenOptions::new().append(true).create_new(true).open(new("bare.log")).unwrap();
            for _ in 0..times {
                file.write_all(bytes).unwrap();
                if sync {
                    file.sync_data().unwrap();
                }
            }
        }) / times
    };
    let ours = |times: u32, append: &dyn Fn(&mut EventLog)| {
        best(|| {
            let mut log = EventLog::create(new("ours.log")).unwrap();
            for _ in 0..times {
                append(&mut log);
            }
        }) / times
    };
    let append = |log: &mut EventLog| {
        log.append(&event).unwrap();
    };
    short("append", ours(count, &append), ("write(2)", bare(count, &frame, false)), "1.3");
    let events = vec![event.clone(); 256];
    let batch = |log: &mut EventLog| drop(log.append_batch(&events, Durability::Buffered).unwrap());
    let yardstick = bare(count / 256, &frame.repeat(256), false);
    short("append_batch of 256", ours(count / 256, &batch), ("write(2)", yardstick), "1.5");
    let synced = |log: &mut EventLog| {
        log.append_sync(&event).unwrap();
    };
    short("append_sync", ours(2000, &synced), ("write + fdatasync", bare(2000, &frame, true)), "1.1");
}

fn event() -> Event {
    Event::builder()
        .event_type("Updated")
        .namespace("accounts")
        .schema_id("Person")
        .schema_version(1)
        .aggregate_id(42)
        .payload_json(format!(r#"{{"name":"Juan","note":"{}"}}"#, "x".repeat(140)))
        .build()
        .unwrap()
}

fn frame_of(folder: &Path, event: &Event) -> Vec<u8> {
    let path = folder.join("one.log");
    let _ = std::fs::remove_file(&path);
    EventLog::create(&path).unwrap().append(event).unwrap();
    std::fs::read(path).unwrap().split_off(16)
}

/// What `serde_json` makes of an event, into a tree.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "read by the deserialiser")]
struct TypedEvent {
    write_timestamp_ms: u64,
    event_type: String,
    namespace: String,
    schema_id: String,
    schema_version: u32,
    aggregate_id: Option<u64>,
    payload: serde_json::Value,
}

/// What `serde_json` makes of an event, borrowed.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "read by the deserialiser")]
struct BorrowedEvent<'a> {
    write_timestamp_ms: u64,
    #[serde(borrow)]
    event_type: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    namespace: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    schema_id: std::borrow::Cow<'a, str>,
    schema_version: u32,
    aggregate_id: Option<u64>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

fn read_only(path: &Path) {
    let mut file = File::open(path).unwrap();
    let mut buf = vec![0; 1 << 20];
    while file.read(&mut buf).unwrap() > 0 {}
}

/// The yardstick of verify: frames and CRCs with the least code that does it.
fn least_walk(path: &Path) {
    for_each_frame(path, |frame| {
        let (covered, stored) = frame.split_at(frame.len() - 4);
        assert_eq!(crc32fast::hash(covered).to_be_bytes(), stored);
    });
}

fn for_each_payload(path: &Path, mut each: impl FnMut(&[u8])) {
    for_each_frame(path, |frame| each(&frame[4..frame.len() - 4]));
}

fn for_each_frame(path: &Path, mut each: impl FnMut(&[u8])) {
    let mut file = File::open(path).unwrap();
    let mut buf = vec![0; 4 << 20];
    file.read_exact(&mut buf[..16]).unwrap();
    let mut held = 0;
    loop {
        let read = file.read(&mut buf[held..]).unwrap();
        held += read;
        let mut at = 0;
        while let Some(length) = buf[at..held].first_chunk::<4>() {
            let end = at + 8 + u32::from_be_bytes(*length) as usize;
            if end > held {
                break;
            }
            each(&buf[at..end]);
            at = end;
        }
        if read == 0 {
            assert_eq!(at, held);
            return;
        }
        buf.copy_within(at..held, 0);
        held -= at;
    }
}

fn read_frames(path: &Path, offsets: &[u64]) {
    use std::os::unix::fs::FileExt;
    let file = File::open(path).unwrap();
    let mut buf = vec![0; 4096];
    for offset in offsets {
        black_box(file.read_at(&mut buf, *offset).unwrap());
    }
}
