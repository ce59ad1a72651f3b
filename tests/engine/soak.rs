//! Runs a writer at full speed, page reads, hit searches, verification, index updates and index saves on one log at the
//! same time.
//!
//! The number of events limits the test, not time. `CHRONICLE_SOAK_EVENTS` sets it; `tests/soak` runs a long test.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::query::{
    Direction, Filter, Hits, JumpTarget, LogRow, PageRequest, ReadStart, RowContent, RowPage, read_page, read_row_at,
    resolve_jump_or_last_row,
};
use chronicle::storage::OsDisk;
use chronicle::{Durability, EventLog, OpenOptions};

use super::query::never_stop;
use super::support::event;

const EVENTS: usize = 50_000;
const AGGREGATES: u64 = 7;

fn event_count() -> usize {
    std::env::var("CHRONICLE_SOAK_EVENTS").map_or(EVENTS, |text| text.parse().unwrap())
}

fn open_view(path: &Path) -> LogView {
    LogView::open(Arc::new(OsDisk), path, None).unwrap()
}

/// Appends single events and batches in turn, and saves the index at intervals.
fn append_events(path: &Path, events: usize) {
    let mut log = OpenOptions::new().open(path).unwrap();
    let mut n = 0;
    while n < events {
        let nth_event = |n: usize| event(n as u64 % AGGREGATES, n);
        log.append(&nth_event(n)).unwrap();
        let batch: Vec<_> = (n + 1..events.min(n + 1 + n % 40)).map(nth_event).collect();
        log.append_batch(&batch, Durability::Buffered).unwrap();
        n += 1 + batch.len();
        if n % 50 == 0 {
            log.save_index().unwrap();
        }
    }
}

/// Returns true if the rows ascend without overlap and are only the header, events and a last frame in flight.
fn is_consistent(page: &RowPage) -> bool {
    let is_undamaged = |row: &LogRow| !matches!(row.content, RowContent::Finding(_));
    page.rows.iter().all(is_undamaged) && page.rows.windows(2).all(|pair| pair[0].end <= pair[1].start)
}

fn check_reads(path: &Path, round: u64, hits: &mut Hits) {
    let view = open_view(path);
    let end = view.log().len().unwrap();
    let filters = [Filter::default(), Filter::parse("type:Created", 0).unwrap(), Filter::parse("agg:3", 0).unwrap()];
    let index = view.clone().load_index();
    for filter in &filters {
        for from in [0, end / 2, end - end % 977, u64::MAX] {
            for direction in [Direction::Forward, Direction::Backward] {
                let request = PageRequest::new(filter, ReadStart::new(from, direction), 50);
                let page = read_page(&view, Some(&index), &request, &mut never_stop).unwrap();
                assert!(is_consistent(&page), "{direction:?} from {from}: {page:?}");
            }
        }
    }
    hits.scan_more(&view, None, 1 << 16, &mut never_stop).unwrap();
    let mut from = 0;
    for _ in 0..round % 9 {
        let page = hits.read_page(&view, None, ReadStart::new(from, Direction::Forward), 50, &mut never_stop).unwrap();
        assert!(is_consistent(&page), "hits from {from}: {page:?}");
        from = page.rows.last().map_or(from, |row| row.end);
    }
    for jump in [JumpTarget::Last, JumpTarget::Percent(50.0), JumpTarget::Ordinal(1 + round)] {
        let offset = resolve_jump_or_last_row(&view, None, &jump, &mut never_stop).unwrap();
        assert!(read_row_at(&view, offset).unwrap().is_some_and(|row| row.start == offset), "{jump:?} to {offset}");
    }
}

#[test]
fn concurrent_writing_reading_verifying_and_indexing_finds_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("soak.log");
    let total = event_count();
    drop(OpenOptions::new().create(&path).unwrap());
    let done = AtomicBool::new(false);
    // Each task repeats until the writer has ended, and then runs once more.
    let repeat = |task: &mut dyn FnMut(u64)| {
        let mut round = 0;
        loop {
            let last = done.load(Ordering::Acquire);
            task(round);
            round += 1;
            if last {
                return round;
            }
        }
    };
    thread::scope(|scope| {
        let pages = scope.spawn(|| {
            let mut hits = Hits::new(Filter::parse("type:Created", 0).unwrap(), None, 0);
            repeat(&mut |round| check_reads(&path, round, &mut hits))
        });
        let verifier = scope.spawn(|| {
            repeat(&mut |_| {
                let survey =
                    survey(&open_view(&path), &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
                assert_eq!((survey.damage_total, survey.gaps), (0, 0), "{:?}", survey.findings);
            })
        });
        let catching_up = scope.spawn(|| {
            let log = EventLog::open_read_only(&path).unwrap();
            let mut last_events = 0;
            repeat(&mut |_| {
                let index = log.index().unwrap();
                let coverage = index.coverage();
                assert!(coverage.events >= last_events && index.known_damage().next().is_none(), "{coverage:?}");
                last_events = coverage.events;
            })
        });
        let ended = std::panic::catch_unwind(|| append_events(&path, total));
        done.store(true, Ordering::Release);
        ended.unwrap();
        let rounds = [pages, verifier, catching_up].map(|task| task.join().unwrap());
        assert!(rounds.iter().all(|rounds| *rounds > 1), "every task ran while the writer ran: {rounds:?}");
        let [pages, passes, caught_up] = rounds;
        eprintln!("{pages} rounds of pages, hits and jumps, {passes} passes, {caught_up} times caught up");
    });
    let mut log = OpenOptions::new().open(&path).unwrap();
    log.save_index().unwrap();
    drop(log);
    let view = open_view(&path);
    let index = view.persisted_index().unwrap();
    assert_eq!((index.coverage().events, index.coverage().log_end_offset), (total as u64, view.log().len().unwrap()));
    let log = EventLog::open_read_only(&path).unwrap();
    let index = log.index().unwrap().clone();
    let mut offsets: Vec<u64> = (0..AGGREGATES).flat_map(|id| index.offsets(id).unwrap().map(Result::unwrap)).collect();
    offsets.sort_unstable();
    let stored: Vec<u64> = log.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
    assert_eq!(offsets.len(), total);
    assert!(offsets == stored, "the index covers exactly the events of the log");
}
