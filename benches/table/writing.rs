//! Measures appends. The baseline is the bare system calls on the same bytes.

use std::fs::{self, OpenOptions};
use std::io::Write;

use chronicle::{Durability, Event, EventLog};

use crate::logs::{BenchLogs, HEADER_LEN};
use crate::row::{Measurement, TableRow, best_time};

/// Number of events that one run appends without syncing.
const BUFFERED_APPENDS: u32 = 200_000;
/// Number of events that one run appends and syncs one by one.
const SYNCED_APPENDS: u32 = 500;
/// Number of events in a batch.
const BATCH_EVENTS: u32 = 256;

pub(crate) fn measure(logs: &BenchLogs) {
    let event = sample_event();
    let path = logs.unused_path("one.log");
    EventLog::create(&path).unwrap().append(&event).unwrap();
    let frame = fs::read(path).unwrap().split_off(HEADER_LEN as usize);

    let append = measure_appends(logs, BUFFERED_APPENDS, |log| {
        log.append(&event).unwrap();
    });
    TableRow::new("append", append)
        .with_baseline("write(2)", measure_writes(logs, BUFFERED_APPENDS, &frame, Durability::Buffered))
        .with_target("1.3")
        .print();

    let batches = BUFFERED_APPENDS / BATCH_EVENTS;
    let events = vec![event.clone(); BATCH_EVENTS as usize];
    let append_batch =
        measure_appends(logs, batches, |log| drop(log.append_batch(&events, Durability::Buffered).unwrap()));
    let frames = frame.repeat(BATCH_EVENTS as usize);
    TableRow::new("append_batch, 256 events", append_batch)
        .with_baseline("write(2)", measure_writes(logs, batches, &frames, Durability::Buffered))
        .with_target("1.5")
        .print();

    let append_sync = measure_appends(logs, SYNCED_APPENDS, |log| {
        log.append_sync(&event).unwrap();
    });
    TableRow::new("append_sync", append_sync)
        .with_baseline("write(2) + fdatasync(2)", measure_writes(logs, SYNCED_APPENDS, &frame, Durability::Synced))
        .with_target("1.1")
        .print();
}

/// Measures the mean time of an append to a new log.
fn measure_appends(logs: &BenchLogs, count: u32, append: impl Fn(&mut EventLog)) -> Measurement {
    let total = best_time(|| {
        let mut log = EventLog::create(logs.unused_path("appends.log")).unwrap();
        (0..count).for_each(|_| append(&mut log));
    });
    Measurement::Time(total / count)
}

/// Measures the mean time of the bare system calls that write `bytes` to a new file.
fn measure_writes(logs: &BenchLogs, count: u32, bytes: &[u8], durability: Durability) -> Measurement {
    let total = best_time(|| {
        let path = logs.unused_path("writes.log");
        let mut file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
        for _ in 0..count {
            file.write_all(bytes).unwrap();
            if durability == Durability::Synced {
                file.sync_data().unwrap();
            }
        }
    });
    Measurement::Time(total / count)
}

/// Returns an event of a common size.
pub(crate) fn sample_event() -> Event {
    event_of(42)
}

/// Returns an event of an aggregate, always with the same payload.
pub(crate) fn event_of(aggregate: u64) -> Event {
    Event::builder()
        .event_type("Updated")
        .namespace("accounts")
        .schema_id("Person")
        .schema_version(1)
        .aggregate_id(aggregate)
        .payload_json(format!(r#"{{"name":"Juan","note":"{}"}}"#, "x".repeat(140)))
        .build()
        .unwrap()
}
