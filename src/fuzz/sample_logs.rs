//! The logs that fuzz targets start from, and the options with which they open them.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use crate::StorageError;
use crate::file::Durability;
use crate::format::{Event, FrameFormat, LogId, NewLogFormat, frame};
use crate::inspect::LogView;
use crate::log::{EventLog, OpenOptions};
use crate::repair::LogPaths;

/// The path of the log.
pub(super) const LOG: &str = "/data/a.log";
/// The path of its index.
pub(super) const INDEX: &str = "/data/a.log.idx";
/// Number of events of a sample log.
pub(super) const EVENTS: usize = 24;
/// Number of aggregates of a sample log, whose ids start at 1.
pub(super) const AGGREGATES: u64 = 4;

/// The id of the sample log of version 2.
pub(super) const LOG_ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

/// The version of a log that an input chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleVersion {
    V1,
    V2,
}

impl SampleVersion {
    /// Returns the version that a bit of the input chooses.
    pub(super) const fn of_bit(bit: u8) -> Self {
        if bit == 0 { Self::V1 } else { Self::V2 }
    }

    pub(super) const fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }
}

/// The files of a log without damage.
#[derive(Debug)]
pub(super) struct SampleLog {
    pub(super) format: FrameFormat,
    pub(super) log: Vec<u8>,
    pub(super) index: Vec<u8>,
    /// The bytes of the same log of version 0.
    pub(super) version_0: Vec<u8>,
}

/// Returns the sample log of a version, which is the same in every run.
pub(super) fn sample_log(version: SampleVersion) -> &'static SampleLog {
    static V1: OnceLock<SampleLog> = OnceLock::new();
    static V2: OnceLock<SampleLog> = OnceLock::new();
    match version {
        SampleVersion::V1 => V1.get_or_init(|| build_sample_log(NewLogFormat::V1, FrameFormat::V1)),
        SampleVersion::V2 => V2.get_or_init(|| build_sample_log(NewLogFormat::V2(LOG_ID), FrameFormat::of_log(LOG_ID))),
    }
}

fn build_sample_log(new_format: NewLogFormat, format: FrameFormat) -> SampleLog {
    let disk = MemoryDisk::default();
    let mut log = options(&disk).format(new_format).create(LOG).unwrap();
    let events: Vec<Event> = (0..EVENTS).map(sample_event).collect();
    log.append_batch(&events, Durability::Synced).unwrap();
    log.save_index().unwrap();
    let mut version_0 = Vec::new();
    for event in log.replay(0).unwrap() {
        let json = event.unwrap().json().replacen("{\"write_timestamp_ms\"", "{\"timestamp_ms\"", 1);
        version_0.extend_from_slice(&(json.len() as u32).to_be_bytes());
        version_0.extend_from_slice(json.as_bytes());
    }
    SampleLog { format, log: disk.get(LOG).unwrap(), index: disk.get(INDEX).unwrap(), version_0 }
}

/// Returns an event of a few kinds and sizes.
pub(super) fn sample_event(n: usize) -> Event {
    let event = Event::builder()
        .event_type(["Created", "Updated", "Deleted"][n % 3])
        .namespace(["accounts", "orders"][n % 2])
        .schema_id("Person")
        .schema_version(1 + n as u32 % 2)
        .payload_json(format!(r#"{{"n":{n},"amount":{}.50,"name":"Žofie","tags":["a\n",null]}}"#, n % 7));
    let event = if n % 8 == 7 { event.no_aggregate() } else { event.aggregate_id(1 + n as u64 % AGGREGATES) };
    event.build().unwrap()
}

/// Builds a log of the version of `sample` from frames that the input describes: events and other payloads, with right
/// and wrong checksums and lengths, and bytes between them.
pub(super) fn framed_log(sample: &SampleLog, input: &mut FuzzInput) -> Vec<u8> {
    let header_len = sample.format.version().first_frame_offset() as usize;
    let mut log = sample.log[..header_len].to_vec();
    while !input.is_empty() {
        let kind = input.byte();
        let start = log.len();
        let payload = match kind % 4 {
            0 => input.chunk().to_vec(),
            1 => sample_event(usize::from(input.byte())).payload().as_bytes().to_vec(),
            2 => [&br#"{"$gap":{}}"#[..], &vec![b' '; usize::from(input.byte())]].concat(),
            _ => event_json(input.byte(), input.chunk()),
        };
        if payload.is_empty() {
            log.extend_from_slice(input.bytes(usize::from(kind)));
            continue;
        }
        frame::encode_at(sample.format, start as u64, &payload, &mut log);
        let end = log.len();
        match kind / 4 % 8 {
            0 => log[start + 3] ^= input.byte(),
            1 => log[end - 1] ^= input.byte(),
            2 => log[start..end].fill(0),
            3 => log.truncate(start + input.below(end - start)),
            _ => {}
        }
    }
    log
}

/// Returns the JSON of an event with these bytes as its payload. The time of write is one of a few.
fn event_json(time: u8, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        r#"{{"write_timestamp_ms":{},"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"aggregate_id":{},"payload":"#,
        1_766_718_274_106 + u64::from(time) * 1000,
        time % 5,
    );
    [head.as_bytes(), payload, b"}"].concat()
}

/// Returns options with a clock that does not advance, so that every run gives the same bytes.
pub(super) fn options(disk: &MemoryDisk) -> OpenOptions {
    OpenOptions::new().disk(Arc::new(disk.clone())).clock(|| 1_766_718_274_106)
}

pub(super) fn log_paths(disk: &MemoryDisk) -> LogPaths {
    options(disk).log_paths(Path::new(LOG)).unwrap()
}

pub(super) fn open_read_only(disk: &MemoryDisk) -> Result<EventLog, StorageError> {
    options(disk).open_read_only(LOG)
}

pub(super) fn open_view(disk: &MemoryDisk, path: &str) -> Result<LogView, StorageError> {
    LogView::open(Arc::new(disk.clone()), Path::new(path), None)
}
