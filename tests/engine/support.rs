//! Builds small logs, and reads them, for the tests of the engine.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chronicle::inspect::{LogView, Survey, SurveyOptions, survey};
use chronicle::{Event, EventLog, OpenOptions};

use super::sim_disk::SimDisk;

pub(super) const LOG: &str = "/data/a.log";
pub(super) const INDEX: &str = "/data/a.log.idx";
pub(super) const START_MS: u64 = 1_766_718_274_106;

pub(super) fn event(aggregate: u64, n: usize) -> Event {
    Event::builder()
        .event_type(["Created", "Updated", "Deleted"][n % 3])
        .namespace("accounts")
        .schema_id("Person")
        .schema_version(1)
        .aggregate_id(aggregate)
        .payload_json(format!(r#"{{"n":{n},"name":"Žofie {n}"}}"#))
        .build()
        .unwrap()
}

/// Builds an event whose frame takes a little more than `bytes` bytes.
pub(super) fn large_event(aggregate: u64, bytes: usize) -> Event {
    Event::builder()
        .event_type(["Created", "Updated"][bytes % 2])
        .namespace("accounts")
        .schema_id("Person")
        .schema_version(1)
        .aggregate_id(aggregate)
        .payload_json(format!("\"{}\"", "x".repeat(bytes)))
        .build()
        .unwrap()
}

/// Returns options for a simulated disk, with a clock that advances by a second at each call. All logs share the clock.
pub(super) fn open_options(disk: &SimDisk) -> OpenOptions {
    static TICKS: AtomicU64 = AtomicU64::new(0);
    let clock = || START_MS + 1000 * TICKS.fetch_add(1, Ordering::Relaxed);
    OpenOptions::new().disk(Arc::new(disk.clone())).clock(clock)
}

/// Creates a log of `events` events of three aggregates on a new disk, and saves its index. Returns the disk and the
/// offsets of the events.
pub(super) fn disk_with_indexed_log(events: usize) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let (mut log, offsets) = create_log(&disk, events);
    log.save_index().unwrap();
    drop(log);
    (disk, offsets)
}

/// Creates a log of `events` events of three aggregates on a new disk. Returns the disk and the offsets of the events.
pub(super) fn disk_with_log(events: usize) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let (_, offsets) = create_log(&disk, events);
    (disk, offsets)
}

fn create_log(disk: &SimDisk, events: usize) -> (EventLog, Vec<u64>) {
    let mut log = open_options(disk).create(LOG).unwrap();
    let offsets = (0..events).map(|n| log.append_sync(&event(1 + n as u64 % 3, n)).unwrap()).collect();
    (log, offsets)
}

/// Returns the bytes of the log of [`disk_with_log`], and the offsets of its events.
pub(super) fn log_bytes(events: usize) -> (Vec<u8>, Vec<u64>) {
    let (disk, offsets) = disk_with_log(events);
    (disk.get(LOG).unwrap(), offsets)
}

pub(super) fn open_read_only(disk: &SimDisk) -> EventLog {
    open_options(disk).open_read_only(LOG).unwrap()
}

pub(super) fn survey_log(disk: &SimDisk) -> Survey {
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
    survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Returns kind and range of every finding.
pub(super) fn finding_ranges(survey: &Survey) -> Vec<(&'static str, u64, u64)> {
    survey.findings.iter().map(|finding| (finding.kind.name(), finding.start, finding.end)).collect()
}

/// Returns the offsets of the events that can be read.
pub(super) fn readable_offsets(disk: &SimDisk) -> Vec<u64> {
    open_read_only(disk).replay(0).unwrap().filter_map(|event| event.ok().map(|event| event.offset())).collect()
}

/// Returns a function that chooses pseudorandomly, from a seed, whether an unsynced sector or name survives a power
/// cut.
pub(super) fn random_choices(seed: u64) -> impl FnMut() -> bool {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state & 1 == 1
    }
}
