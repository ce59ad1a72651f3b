//! Builds small logs, and reads them, for the tests of the engine.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chronicle::inspect::{LogView, Survey, SurveyOptions, survey};
use chronicle::internal::format::FrameFormat;
use chronicle::internal::format::frame::{DecodeResult, decode, encode};
use chronicle::{Event, EventLog, OpenOptions, StorageError};

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

/// Opens the log without its other files than the index.
pub(super) fn open_view(disk: &SimDisk) -> Result<LogView, StorageError> {
    LogView::open(Arc::new(disk.clone()), Path::new(LOG), None)
}

/// True for the name of a file that is being created.
pub(super) fn is_temporary(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "tmp")
}

/// Splits the frames after a header of 16 bytes into their payloads. No other bytes may follow.
pub(super) fn frame_payloads(file: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut payloads) = (&file[16..], Vec::new());
    while let DecodeResult::Complete(frame) = decode(rest, FrameFormat::V1, 0) {
        payloads.push(frame.payload().to_vec());
        rest = &rest[frame.len() as usize..];
    }
    assert!(rest.is_empty(), "the last {} bytes are not frames", rest.len());
    payloads
}

/// Appends the frame of a payload to a log of version 0 or 1, and returns its start.
pub(super) fn append_frame(log: &mut Vec<u8>, version: u16, payload: &str) -> usize {
    let start = log.len();
    encode(payload.as_bytes(), log);
    if version == 0 {
        log.truncate(log.len() - 4);
    }
    start
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
