//! Appending, beside the bare system calls on the same bytes.

use std::fs::{self, OpenOptions};
use std::io::Write;

use chronicle::{Durability, Event, EventLog};

use crate::logs::{BenchLogs, HEADER_LEN};
use crate::row::{Measurement, TableRow, best_time};

pub(crate) fn measure(logs: &BenchLogs) {
    let event = sample_event();
    let path = logs.unused_path("one.log");
    EventLog::create(&path).unwrap().append(&event).unwrap();
    let frame = fs::read(path).unwrap().split_off(HEADER_LEN as usize);
    let bare = |times: u32, bytes: &[u8], sync: bool| {
        let all = best_time(|| {
            let path = logs.unused_path("bare.log");
            let mut file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
            for _ in 0..times {
                file.write_all(bytes).unwrap();
                if sync {
                    file.sync_data().unwrap();
                }
            }
        });
        Measurement::Time(all / times)
    };
    let ours = |times: u32, append: &dyn Fn(&mut EventLog)| {
        let all = best_time(|| {
            let mut log = EventLog::create(logs.unused_path("ours.log")).unwrap();
            (0..times).for_each(|_| append(&mut log));
        });
        Measurement::Time(all / times)
    };

    let (many, few) = (200_000, 500);
    let one = |log: &mut EventLog| {
        log.append(&event).unwrap();
    };
    TableRow::new("append", ours(many, &one))
        .with_baseline("write(2)", bare(many, &frame, false))
        .with_target("1.3")
        .print();
    let events = vec![event.clone(); 256];
    let batch = |log: &mut EventLog| drop(log.append_batch(&events, Durability::Buffered).unwrap());
    let written = bare(many / 256, &frame.repeat(256), false);
    TableRow::new("append_batch of 256", ours(many / 256, &batch))
        .with_baseline("write(2)", written)
        .with_target("1.5")
        .print();
    let synced = |log: &mut EventLog| {
        log.append_sync(&event).unwrap();
    };
    let written = bare(few, &frame, true);
    TableRow::new("append_sync", ours(few, &synced))
        .with_baseline("write + fdatasync", written)
        .with_target("1.1")
        .print();
}

/// An event of a common size.
pub(crate) fn sample_event() -> Event {
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
