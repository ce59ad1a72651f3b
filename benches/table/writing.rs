//! Appending, beside the bare system calls on the same bytes.

use std::fs::{self, OpenOptions};
use std::io::Write;

use chronicle::{Durability, Event, EventLog};

use crate::logs::{HEADER, Logs};
use crate::row::{Figure, Row, best};

pub(crate) fn measure(logs: &Logs) {
    let event = event();
    let path = logs.free("one.log");
    EventLog::create(&path).unwrap().append(&event).unwrap();
    let frame = fs::read(path).unwrap().split_off(HEADER as usize);
    let bare = |times: u32, bytes: &[u8], sync: bool| {
        let all = best(|| {
            let path = logs.free("bare.log");
            let mut file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
            for _ in 0..times {
                file.write_all(bytes).unwrap();
                if sync {
                    file.sync_data().unwrap();
                }
            }
        });
        Figure::Time(all / times)
    };
    let ours = |times: u32, append: &dyn Fn(&mut EventLog)| {
        let all = best(|| {
            let mut log = EventLog::create(logs.free("ours.log")).unwrap();
            (0..times).for_each(|_| append(&mut log));
        });
        Figure::Time(all / times)
    };

    let (many, few) = (200_000, 500);
    let one = |log: &mut EventLog| {
        log.append(&event).unwrap();
    };
    Row::new("append", ours(many, &one)).beside("write(2)", bare(many, &frame, false)).target("1.3").print();
    let events = vec![event.clone(); 256];
    let batch = |log: &mut EventLog| drop(log.append_batch(&events, Durability::Buffered).unwrap());
    let written = bare(many / 256, &frame.repeat(256), false);
    Row::new("append_batch of 256", ours(many / 256, &batch)).beside("write(2)", written).target("1.5").print();
    let synced = |log: &mut EventLog| {
        log.append_sync(&event).unwrap();
    };
    let written = bare(few, &frame, true);
    Row::new("append_sync", ours(few, &synced)).beside("write + fdatasync", written).target("1.1").print();
}

/// An event of a common size.
pub(crate) fn event() -> Event {
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
