//! Prints a table of Chronicle beside other stores: the median of seven runs of each, which take turns.
//!
//! An empty cell is an operation that a store does not have. No figure is asserted. `run` builds and runs this program.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark may panic when it fails, and prints its result"
)]

mod record;
mod store;
mod stores;

use std::path::Path;
use std::time::{Duration, Instant};

use record::{AGGREGATES, Record, TypedEvent, records};
use store::{OpenStore, Store, Support, Sync};
use stores::STORES;

const RUNS: usize = 1;
/// The number of events that are appended without a sync and read, and of those that are synced one by one.
const EVENTS: u64 = 2_000;
const SYNCED_EVENTS: u64 = 80;
const THREADS: usize = 8;
const BATCH: usize = 256;

/// An operation: its name, the events that a store has before it is measured, and the number of events by which the time is
/// divided, or of calls.
struct Operation {
    name: &'static str,
    stored: u64,
    divisor: u64,
    run: fn(&mut Subject) -> Support,
}

/// The store that is measured, and the events for it.
struct Subject<'r> {
    open: OpenStore,
    folder: &'r Path,
    store: Option<Box<dyn Store>>,
    records: &'r [Record],
}

impl Subject<'_> {
    fn store(&mut self) -> &mut dyn Store {
        self.store.get_or_insert_with(|| (self.open)(self.folder)).as_mut()
    }
}

const OPERATIONS: &[Operation] = &[
    Operation {
        name: "append",
        stored: 0,
        divisor: EVENTS,
        run: |on| {
            let records = on.records;
            on.store().append(records, 1, Sync::No)
        },
    },
    Operation {
        name: "append, batches of 256",
        stored: 0,
        divisor: EVENTS,
        run: |on| {
            let records = on.records;
            on.store().append(records, BATCH, Sync::No)
        },
    },
    Operation {
        name: "append, batches of 256, each synced",
        stored: 0,
        divisor: EVENTS,
        run: |on| {
            let records = on.records;
            on.store().append(records, BATCH, Sync::Yes)
        },
    },
    Operation {
        name: "append_sync",
        stored: 0,
        divisor: SYNCED_EVENTS,
        run: |on| {
            let records = &on.records[..SYNCED_EVENTS as usize];
            on.store().append(records, 1, Sync::Yes)
        },
    },
    Operation {
        name: "append_sync, 8 threads",
        stored: 0,
        divisor: SYNCED_EVENTS,
        run: |on| {
            let parts: Vec<&[Record]> =
                on.records[..SYNCED_EVENTS as usize].chunks(SYNCED_EVENTS as usize / THREADS).collect();
            on.store().append_sync_from_threads(&parts)
        },
    },
    Operation {
        name: "replay, bytes",
        stored: EVENTS,
        divisor: EVENTS,
        run: |on| {
            let (mut events, mut bytes) = (0, 0);
            let support = on.store().replay(&mut |event| (events, bytes) = (events + 1, bytes + event.len()));
            assert!(support == Support::No || (events == EVENTS && bytes > 0), "{events}");
            support
        },
    },
    Operation {
        name: "replay, typed",
        stored: EVENTS,
        divisor: EVENTS,
        run: |on| {
            let mut sum = 0;
            on.store().replay(&mut |event| {
                sum += serde_json::from_slice::<TypedEvent>(event).unwrap().aggregate_id;
            })
        },
    },
    Operation {
        name: "one aggregate of 100 events",
        stored: EVENTS,
        divisor: 1,
        run: |on| {
            let mut events = 0;
            let support = on.store().aggregate(7, &mut |_| events += 1);
            assert!(support == Support::No || events == EVENTS / AGGREGATES, "{events}");
            support
        },
    },
    Operation {
        name: "open",
        stored: EVENTS,
        divisor: 1,
        run: |on| {
            on.store = None;
            let start = Instant::now();
            on.store();
            // Closing is not part of opening.
            OPEN_TIME.set(Some(start.elapsed()));
            Support::Yes
        },
    },
    Operation { name: "verify", stored: EVENTS, divisor: EVENTS, run: |on| on.store().verify() },
];

thread_local! {
    /// The time that an operation has measured itself.
    static OPEN_TIME: std::cell::Cell<Option<Duration>> = const { std::cell::Cell::new(None) };
}

fn main() {
    let records = records(EVENTS);
    let names: Vec<&str> = STORES.iter().map(|(name, _)| *name).collect();
    println!("| time for each event or call, median (fastest to slowest) | {} |", names.join(" | "));
    println!("|{}", " --- |".repeat(names.len() + 1));
    for operation in OPERATIONS {
        let mut times = vec![Vec::new(); STORES.len()];
        for _ in 0..RUNS {
            for ((_, open), times) in STORES.iter().zip(&mut times) {
                times.extend(measure(operation, *open, &records));
            }
        }
        let cells: Vec<String> = times.into_iter().map(|times| cell(times, operation.divisor)).collect();
        println!("| {} | {} |", operation.name, cells.join(" | "));
    }
}

/// Returns the time of an operation in an empty folder; `None` when the store does not have it.
fn measure(operation: &Operation, open: OpenStore, records: &[Record]) -> Option<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let mut subject = Subject { open, folder: folder.path(), store: None, records };
    // Each store takes at least one of these.
    let mut ways = [(BATCH, Sync::No), (BATCH, Sync::Yes), (1, Sync::No)].into_iter();
    while operation.stored > 0
        && let Some((batch, sync)) = ways.next()
        && subject.store().append(records, batch, sync) == Support::No
    {}
    subject.store();
    let start = Instant::now();
    let support = (operation.run)(&mut subject);
    let elapsed = OPEN_TIME.take().unwrap_or_else(|| start.elapsed());
    (support == Support::Yes).then_some(elapsed)
}

fn cell(mut times: Vec<Duration>, divisor: u64) -> String {
    times.sort();
    let each = |time: &Duration| time.as_secs_f64() * 1e6 / divisor as f64;
    match (times.first(), times.get(times.len() / 2), times.last()) {
        (Some(first), Some(median), Some(last)) => {
            format!("{:.2} µs ({:.2} to {:.2})", each(median), each(first), each(last))
        }
        _ => String::new(),
    }
}
