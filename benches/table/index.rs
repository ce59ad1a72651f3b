//! What the index is for, and what keeping it costs: opening, one aggregate, catching up.

use std::fs::{self, File};
use std::path::Path;

use chronicle::inspect::index_path;
use chronicle::{Durability, EventLog};

use crate::logs::{Logs, size};
use crate::row::{Figure, Row, best, best_of, timed};
use crate::{writing, yardsticks};

/// Runs of what writes the big log's index.
const FEW: usize = 3;

pub(crate) fn measure(logs: &Logs) {
    opening(logs);
    looking_up(&logs.big);
    catching_up(logs);
}

fn opening(logs: &Logs) {
    let open = |path: &Path| {
        Figure::Time(best(|| {
            let mut log = EventLog::open_read_only(path).unwrap();
            assert_eq!(log.load_index().unwrap().word(), "fresh");
        }))
    };
    let small = ("the same at 1 MiB", open(&logs.small));
    for (what, path) in [("open, fresh index", &logs.big), ("the same at 100 GiB, sparse", &logs.vast)] {
        Row::new(what, open(path)).beside(small.0, small.1).target("1, under 1 ms").print();
    }
}

fn looking_up(path: &Path) {
    let mut log = EventLog::open_read_only(path).unwrap();
    let index = log.index().unwrap();
    let events = index.coverage().events;
    let busiest = index.iter().map(Result::unwrap).max_by_key(|found| found.events).unwrap();
    let one = index.iter().map(Result::unwrap).find(|found| found.events == 10).unwrap_or(busiest);
    for (what, id) in [("aggregate of 10 events", one.id), ("busiest aggregate", busiest.id)] {
        let offsets: Vec<u64> = log.index().unwrap().offsets(id).unwrap().map(Result::unwrap).collect();
        let frames = Figure::Time(best(|| yardsticks::read_at(path, &offsets)));
        let load = Figure::Time(best(|| log.load_aggregate(id).unwrap()));
        Row::new(what, load).beside("its frames alone", frames).target("1.5").print();
    }
    let file = Figure::Bytes(size(&index_path(path)));
    Row::new("index file", file).beside("10 bytes an event, a HashMap as JSON", Figure::Bytes(events * 10)).print();
}

/// A copy of the big log grows by a mebibyte and its index is caught up, some times over.
fn catching_up(logs: &Logs) {
    let path = logs.free("growing.log");
    fs::copy(&logs.big, &path).unwrap();
    fs::copy(index_path(&logs.big), index_path(&path)).unwrap();
    // Saving syncs the log first: of the copy, only what is appended is to be on its way to the disk then.
    File::open(&path).unwrap().sync_all().unwrap();
    let event = writing::event();
    let (mut caught_up, mut saved) = (Vec::new(), Vec::new());
    for _ in 0..FEW {
        let mut log = EventLog::open(&path).unwrap();
        let until = log.len().unwrap() + (1 << 20);
        while log.len().unwrap() < until {
            log.append_batch(&vec![event.clone(); 256], Durability::Buffered).unwrap();
        }
        drop(log);
        let mut log = EventLog::open_read_only(&path).unwrap();
        assert_eq!(log.view().state().word(), "behind");
        let time = timed(|| log.index().unwrap().coverage());
        caught_up.push(time);
        saved.push(time + timed(|| log.save_index().unwrap()));
    }
    let shortest = |times: Vec<_>| Figure::Time(times.into_iter().min().unwrap());
    let anew = |path: &Path, then: fn(&mut EventLog)| {
        let mut log = EventLog::open_read_only(path).unwrap();
        Figure::Time(best_of(FEW, || {
            log.rebuild_index_from(0).unwrap();
            then(&mut log);
        }))
    };
    let new_bytes = anew(&logs.small, |_| ());
    let row =
        Row::new("index, catching up with 1 MiB", shortest(caught_up)).beside("building that of 1 MiB", new_bytes);
    row.target("1, the new bytes only").print();
    let whole = anew(&path, |log| log.save_index().unwrap());
    Row::new("the same and saving it", shortest(saved)).beside("building it anew and saving", whole).print();
    fs::remove_file(index_path(&path)).unwrap();
    fs::remove_file(path).unwrap();
}
