//! What the index is for, and what keeping it costs: opening, one aggregate, catching up.

use std::fs::{self, File};
use std::path::Path;

use chronicle::inspect::index_path;
use chronicle::{Durability, EventLog};

use crate::logs::{BenchLogs, file_size};
use crate::row::{Measurement, TableRow, best_time, best_time_of, measure_time};
use crate::{baselines, writing};

/// Runs of what writes the big log's index.
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
    let small = ("the same at 1 MiB", open(&logs.small));
    for (what, path) in [("open, fresh index", &logs.big), ("the same at 100 GiB, sparse", &logs.vast)] {
        TableRow::new(what, open(path)).with_baseline(small.0, small.1).with_target("1, under 1 ms").print();
    }
}

fn measure_lookups(path: &Path) {
    let log = EventLog::open_read_only(path).unwrap();
    let index = log.index().unwrap();
    let events = index.coverage().events;
    let busiest = index.iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let one = index.iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    for (what, id) in [("aggregate of 10 events", one.id), ("busiest aggregate", busiest.id)] {
        let offsets: Vec<u64> = log.index().unwrap().offsets(id).unwrap().map(Result::unwrap).collect();
        let frames = Measurement::Time(best_time(|| baselines::read_offsets(path, &offsets)));
        let load = Measurement::Time(best_time(|| log.load_aggregate(id).unwrap()));
        TableRow::new(what, load).with_baseline("its frames alone", frames).with_target("1.5").print();
    }
    let file = Measurement::Bytes(file_size(&index_path(path)));
    TableRow::new("index file", file)
        .with_baseline("10 bytes an event, a HashMap as JSON", Measurement::Bytes(events * 10))
        .print();
}

/// A copy of the big log grows by a mebibyte and its index is caught up, some times over.
fn measure_catch_up(logs: &BenchLogs) {
    let path = logs.unused_path("growing.log");
    fs::copy(&logs.big, &path).unwrap();
    fs::copy(index_path(&logs.big), index_path(&path)).unwrap();
    // Saving syncs the log first: of the copy, only what is appended is to be on its way to the disk then.
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
    let anew = |path: &Path, then: fn(&mut EventLog)| {
        let mut log = EventLog::open_read_only(path).unwrap();
        Measurement::Time(best_time_of(FEW_RUNS, || {
            log.reindex_from(0).unwrap();
            then(&mut log);
        }))
    };
    let new_bytes = anew(&logs.small, |_| ());
    let row = TableRow::new("index, catching up with 1 MiB", shortest(caught_up))
        .with_baseline("building that of 1 MiB", new_bytes);
    row.with_target("1, the new bytes only").print();
    let whole = anew(&path, |log| log.save_index().unwrap());
    TableRow::new("the same and saving it", shortest(saved))
        .with_baseline("building it anew and saving", whole)
        .print();
    fs::remove_file(index_path(&path)).unwrap();
    fs::remove_file(path).unwrap();
}
