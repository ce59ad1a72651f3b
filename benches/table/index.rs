//! Measures the index: opening a log with an index, loading one aggregate through it, and catching it up.

use std::fs::{self, File};
use std::path::Path;

use chronicle::inspect::index_path;
use chronicle::{Durability, EventLog};

use crate::logs::{BenchLogs, file_size};
use crate::row::{Measurement, TableRow, best_time, best_time_of, measure_time};
use crate::{baselines, writing};

/// Number of runs of operations that write an index of the big log.
const FEW_RUNS: usize = 3;

pub(crate) fn measure(logs: &BenchLogs) {
    measure_opening(logs);
    measure_lookups(&logs.big);
    measure_catch_up(logs);
}

fn measure_opening(logs: &BenchLogs) {
    let open = |path: &Path| {
        Measurement::Time(best_time(|| {
            let mut log = EventLog::open_read_only(path).unwrap();
            assert_eq!(log.reload_index().unwrap().name(), "fresh");
        }))
    };
    let small = open(&logs.small);
    for (operation, path) in [("open, fresh index", &logs.big), ("open, fresh index, 100 GiB, sparse", &logs.vast)] {
        TableRow::new(operation, open(path)).with_baseline("1 MiB log", small).with_target("1, under 1 ms").print();
    }
}

fn measure_lookups(path: &Path) {
    let log = EventLog::open_read_only(path).unwrap();
    let index = log.index().unwrap();
    let events = index.coverage().events;
    let busiest = index.iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let small = index.iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    for (operation, id) in [("load aggregate, 10 events", small.id), ("load aggregate, busiest", busiest.id)] {
        let offsets: Vec<u64> = log.index().unwrap().offsets(id).unwrap().map(Result::unwrap).collect();
        let frames = Measurement::Time(best_time(|| baselines::read_offsets(path, &offsets)));
        let load = Measurement::Time(best_time(|| log.load_aggregate(id).unwrap()));
        TableRow::new(operation, load).with_baseline("reading its frames", frames).with_target("1.5").print();
    }
    let file = Measurement::Bytes(file_size(&index_path(path)));
    TableRow::new("index file size", file)
        .with_baseline("HashMap as JSON, 10 bytes per event", Measurement::Bytes(events * 10))
        .print();
}

/// Appends one MiB to a copy of the big log and catches its index up, [`FEW_RUNS`] times.
fn measure_catch_up(logs: &BenchLogs) {
    let path = logs.unused_path("growing.log");
    fs::copy(&logs.big, &path).unwrap();
    fs::copy(index_path(&logs.big), index_path(&path)).unwrap();
    // Saving an index syncs the log first. The copy is synced here, so that only appended bytes are left to sync.
    File::open(&path).unwrap().sync_all().unwrap();
    let event = writing::sample_event();
    let (mut caught_up, mut saved) = (Vec::new(), Vec::new());
    for _ in 0..FEW_RUNS {
        let mut log = EventLog::open(&path).unwrap();
        let until = log.len().unwrap() + (1 << 20);
        while log.len().unwrap() < until {
            log.append_batch(&vec![event.clone(); 256], Durability::Buffered).unwrap();
        }
        drop(log);
        let mut log = EventLog::open_read_only(&path).unwrap();
        assert_eq!(log.view().index_state().name(), "behind");
        let time = measure_time(|| log.index().unwrap().coverage());
        caught_up.push(time);
        saved.push(time + measure_time(|| log.save_index().unwrap()));
    }
    let shortest = |times: Vec<_>| Measurement::Time(times.into_iter().min().unwrap());
    let rebuild = |path: &Path, then: fn(&mut EventLog)| {
        let mut log = EventLog::open_read_only(path).unwrap();
        Measurement::Time(best_time_of(FEW_RUNS, || {
            log.reindex_from(0).unwrap();
            then(&mut log);
        }))
    };
    let small_index = rebuild(&logs.small, |_| ());
    let row = TableRow::new("index update, 1 MiB appended", shortest(caught_up))
        .with_baseline("index rebuild, 1 MiB log", small_index);
    row.with_target("1").print();
    let big_index = rebuild(&path, |log| log.save_index().unwrap());
    TableRow::new("index update and save, 1 MiB appended", shortest(saved))
        .with_baseline("index rebuild and save", big_index)
        .print();
    fs::remove_file(index_path(&path)).unwrap();
    fs::remove_file(path).unwrap();
}
