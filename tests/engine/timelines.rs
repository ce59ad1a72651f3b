//! Compares timelines with a simple count over a replay, for filters, damage, numbers of threads and intervals, sizes of
//! parts, with and without an index, and after the log has grown.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::LogView;
use chronicle::query::{Filter, Timeline, TimelineOptions, extend_timeline, read_timeline};
use proptest::prelude::*;

use super::sim_disk::SimDisk;
use super::statistics::disk_with_varied_log;
use super::support::{LOG, open_options, open_read_only};

/// The filters that are compared. The times are those of the first two days of the log.
const FILTERS: [&str; 7] = [
    "",
    "type:Created",
    "agg:3 agg:7",
    "after:2026-11-20T12:00 before:2026-11-22 ns:orders",
    "after:2026-11-20T12:00 before:2026-11-22",
    "-after:2026-11-21",
    "offset:5000..30000",
];

fn view_of(disk: &SimDisk, threads: usize) -> LogView {
    LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap().with_threads(threads)
}

fn filter(text: &str) -> Filter {
    Filter::parse(text, 0).unwrap()
}

/// Reads a timeline with this many intervals at most; with the index file when there is one.
fn read(disk: &SimDisk, text: &str, intervals: usize, threads: usize, part: u64) -> Timeline {
    let view = view_of(disk, threads);
    let index = view.trusted_index().is_some().then(|| view.load_index());
    let options = TimelineOptions::new(intervals).part_bytes(part);
    read_timeline(&view, index.as_ref(), &filter(text), options, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Returns the events of each interval and the offset of the first, according to a replay.
fn expected_intervals(disk: &SimDisk, text: &str, timeline: &Timeline) -> Vec<(u64, Option<u64>)> {
    let mut intervals = vec![(0, None); timeline.len()];
    for event in open_read_only(disk).replay(0).unwrap().filter_map(Result::ok) {
        if filter(text).matches_event(event.offset(), &event.view()) {
            let position = timeline.position_of(event.write_timestamp_ms()).unwrap();
            intervals[position].0 += 1;
            intervals[position].1.get_or_insert(event.offset());
        }
    }
    intervals
}

fn found_intervals(timeline: &Timeline) -> Vec<(u64, Option<u64>)> {
    timeline.intervals().map(|interval| (interval.events, interval.first_offset)).collect()
}

/// Returns the positions of the intervals with damage, once for each damaged range.
fn damaged_positions(timeline: &Timeline) -> Vec<usize> {
    let damage = |(position, interval): (usize, &chronicle::query::TimelineInterval)| {
        std::iter::repeat_n(position, interval.damage as usize)
    };
    timeline.intervals().enumerate().flat_map(damage).collect()
}

/// Returns the disk after bytes of the log were changed. The index is kept.
fn with_log(disk: &SimDisk, bytes: &[u8]) -> SimDisk {
    match disk.get("/data/a.log.idx") {
        Some(index) => SimDisk::with_files(&[(LOG, bytes), ("/data/a.log.idx", &index)]),
        None => SimDisk::with_files(&[(LOG, bytes)]),
    }
}

/// Changes a byte of each of these events.
fn damage_events(disk: &SimDisk, numbers: &[usize]) -> SimDisk {
    let offsets: Vec<u64> = open_read_only(disk).replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
    let mut bytes = disk.get(LOG).unwrap();
    for number in numbers {
        bytes[offsets[*number] as usize + 40] ^= 0x10;
    }
    with_log(disk, &bytes)
}

#[test]
fn a_timeline_equals_a_count_over_a_replay() {
    for indexed in [0, 300] {
        let disk = disk_with_varied_log(400, indexed);
        for text in FILTERS {
            for (intervals, threads, part) in [(1, 1, 1 << 20), (4, 2, 700), (60, 3, 5000), (1000, 1, 700)] {
                let found = read(&disk, text, intervals, threads, part);
                let context = format!("{indexed} indexed, filter {text}, {intervals} intervals, parts of {part}");
                assert_eq!(found_intervals(&found), expected_intervals(&disk, text, &found), "{context}");
                assert!(found.len() <= intervals && found.len() * 3 > intervals.min(400), "{context}: {}", found.len());
                assert_eq!(found.events(), found.intervals().map(|interval| interval.events).sum::<u64>(), "{context}");
                assert_eq!((damaged_positions(&found), found.damage_outside()), (vec![], 0), "{context}");
                assert_eq!(found.covered_to(), disk.get(LOG).unwrap().len() as u64, "{context}");
                assert!(found.is_extensible(), "{context}");
            }
        }
    }
}

#[test]
fn blocks_of_the_index_are_counted_where_they_lie_in_one_interval() {
    let disk = disk_with_varied_log(400, 300);
    let counted = |text, intervals| read(&disk, text, intervals, 1, 1 << 20).counted_from_index();
    assert!(counted("", 1) > 150, "{}", counted("", 1));
    assert!((1..counted("", 1)).contains(&counted("", 4)));
    assert!((1..counted("", 1)).contains(&counted("after:2026-11-21", 1)));
    for not_certain in ["type:Created", "-after:2030-01-01", "is:damaged", "agg:3"] {
        assert_eq!(counted(not_certain, 1), 0, "{not_certain}");
    }
    assert_eq!(counted("", 1000), 0);
    // The index no longer describes the log when the event at the start of a block has changed.
    let first_block = damage_events(&disk, &[0]);
    let found = read(&first_block, "", 1, 1, 1 << 20);
    assert_eq!(found_intervals(&found), expected_intervals(&first_block, "", &found));
}

#[test]
fn damage_is_counted_at_the_time_of_its_neighbours() {
    let whole = disk_with_varied_log(400, 0);
    let times: Vec<u64> =
        open_read_only(&whole).replay(0).unwrap().map(|event| event.unwrap().write_timestamp_ms()).collect();
    for indexed in [0, 399] {
        let disk = damage_events(&whole, &[0, 7, 8, 200, 399]);
        if indexed > 0 {
            open_options(&disk).open(LOG).map(|mut log| log.save_index().unwrap()).unwrap();
        }
        // One event has one interval of 20 minutes.
        for (text, part) in [("", 700), ("type:Deleted", 1 << 20), ("agg:3", 5000)] {
            let found = read(&disk, text, 1000, 2, part);
            let positions = |numbers: [usize; 5]| numbers.map(|number| found.position_of(times[number]).unwrap());
            let (before, after) = (positions([1, 6, 6, 199, 398]), positions([1, 6, 9, 201, 398]));
            // The events between those of the aggregate are not read with an index, so the event after damage is.
            let expected = if indexed > 0 && text == "agg:3" { after } else { before };
            assert_eq!(damaged_positions(&found), expected, "{indexed} indexed, {text}");
            assert!(!found.is_extensible());
        }
        let zoomed = read(&disk, "before:2026-11-21", 100, 1, 1 << 20);
        assert_eq!((damaged_positions(&zoomed).len(), zoomed.damage_outside()), (3, 2), "{indexed} indexed");
    }
}

#[test]
fn a_timeline_is_extended_by_what_was_appended() {
    let disk = disk_with_varied_log(400, 200);
    let bytes = disk.get(LOG).unwrap();
    let offsets: Vec<u64> = open_read_only(&disk).replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
    for text in FILTERS {
        for cut in [16, offsets[150] as usize, offsets[399] as usize, bytes.len()] {
            let start = read(&SimDisk::with_files(&[(LOG, &bytes[..cut])]), text, 60, 1, 1 << 20);
            assert!(start.is_extensible(), "{text} {cut}");
            let view = view_of(&disk, 2);
            let extended = extend_timeline(&start, &view, &filter(text), &mut |_| ControlFlow::Continue(())).unwrap();
            let context = format!("filter {text}, cut at {cut}");
            assert_eq!(found_intervals(&extended), expected_intervals(&disk, text, &extended), "{context}");
            assert!(extended.len() <= 60, "{context}");
            assert_eq!(extended.covered_to(), bytes.len() as u64, "{context}");
        }
    }
}

#[test]
fn times_that_go_back_and_empty_logs_have_a_timeline() {
    let empty = disk_with_varied_log(0, 0);
    let timeline = read(&empty, "", 60, 1, 1 << 20);
    assert!(timeline.is_empty() && timeline.is_extensible());
    assert_eq!(read(&empty, "after:2026-11-21", 60, 1, 1 << 20).len(), 0);
    let times = [5_000u64, 4_000, u64::MAX / 2, 0, 6_000];
    let next = std::sync::atomic::AtomicUsize::new(0);
    let clock = move || times[next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % times.len()];
    let disk = SimDisk::default();
    let mut log = open_options(&disk).clock(clock).create(LOG).unwrap();
    for n in 0..4 {
        log.append(&super::support::event(1, n)).unwrap();
    }
    drop(log);
    let timeline = read(&disk, "", 60, 1, 1 << 20);
    assert!(timeline.len() <= 60);
    assert_eq!(found_intervals(&timeline), expected_intervals(&disk, "", &timeline));
}

#[test]
fn a_timeline_stops_when_progress_breaks() {
    let disk = disk_with_varied_log(10, 0);
    let bytes = disk.get(LOG).unwrap();
    let frames = bytes[16..].repeat((2 << 20) / bytes.len());
    let view = view_of(&SimDisk::with_files(&[(LOG, &[&bytes[..16], &frames[..]].concat())]), 2);
    let stopped = read_timeline(&view, None, &filter(""), TimelineOptions::new(60), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StorageError::Cancelled)), "{stopped:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_and_threads_do_not_change_a_timeline(
        edits in prop::collection::vec((16usize..30_000, any::<u8>(), 1usize..400), 0..6),
        part in 1u64..4000,
        threads in 2usize..5,
        text in prop::sample::select(FILTERS.to_vec()),
    ) {
        let disk = disk_with_varied_log(120, 0);
        let mut bytes = disk.get(LOG).unwrap();
        for (at, value, len) in edits {
            let end = (at + len).min(bytes.len());
            bytes.get_mut(at..end).into_iter().for_each(|range| range.fill(value));
        }
        let disk = with_log(&disk, &bytes);
        let whole = read(&disk, text, 80, 1, 1 << 20);
        prop_assert_eq!(&found_intervals(&whole), &expected_intervals(&disk, text, &whole));
        prop_assert_eq!(read(&disk, text, 80, threads, part), whole);
    }
}
