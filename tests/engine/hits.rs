//! Compares hits over whole logs, at every stage of collection, with pages and searches that read the log itself.

use std::fs;
use std::ops::ControlFlow;

use chronicle::StorageError;
use chronicle::inspect::LogView;
use chronicle::query::{
    Direction, Filter, Hits, LogRow, PageRequest, ReadStart, RowContent, SearchPattern, find_match, read_page,
    read_row_at,
};
use proptest::prelude::*;

use super::query::{SampleLogPart, TempLog, build_log, log_part, never_stop, parse_filter, search_request};

const DIRECTIONS: [Direction; 2] = [Direction::Forward, Direction::Backward];

/// Returns the rows that a scan of the log finds.
fn read_rows(view: &LogView, from: u64, direction: Direction, filter: &Filter) -> Vec<LogRow> {
    read_page(view, None, &PageRequest::new(filter, ReadStart::new(from, direction), 10_000), &mut never_stop)
        .unwrap()
        .rows
}

/// Reads all rows in a direction from an offset, page by page.
fn collect_pages(hits: &Hits, view: &LogView, from: u64, direction: Direction, limit: usize) -> Vec<LogRow> {
    let (mut rows, mut from): (Vec<LogRow>, u64) = (Vec::new(), from);
    loop {
        let page = hits.read_page(view, None, ReadStart::new(from, direction), limit, &mut never_stop).unwrap();
        assert!(page.rows.len() <= limit, "{page:?}");
        let (done, at) = match direction {
            Direction::Forward => (page.at_end, rows.len()),
            Direction::Backward => (page.at_start, 0),
        };
        let end = if direction == Direction::Forward { page.rows.last() } else { page.rows.first() };
        assert!(done || end.is_some(), "a page without rows at {from}, and no end");
        from = end.map_or(from, |row| if direction == Direction::Forward { row.end } else { row.start });
        rows.splice(at..at, page.rows);
        if done {
            return rows;
        }
    }
}

/// Compares the pages, ordinals and counts of the hits with the log, at each of `offsets` and at both ends.
fn assert_hits_agree(hits: &Hits, view: &LogView, filter: &Filter, limit: usize, offsets: &[u64]) {
    let bytes = view.log().len().unwrap();
    for from in offsets.iter().copied().chain([0, 16, u64::MAX]) {
        for direction in DIRECTIONS {
            let rows = read_rows(view, from, direction, filter);
            assert_eq!(collect_pages(hits, view, from, direction, limit), rows, "{direction:?} from {from}");
            if hits.can_answer(from, direction, bytes) && !hits.is_full() {
                let page = hits.read_page(view, None, ReadStart::new(from, direction), 1, &mut never_stop).unwrap();
                assert_eq!(page.rows.is_empty(), rows.is_empty(), "{direction:?} from {from}");
            }
        }
    }
    if hits.is_complete(bytes) {
        let rows: Vec<LogRow> = read_rows(view, view.log().first_frame_offset(), Direction::Forward, filter);
        let rows: Vec<&LogRow> = rows.iter().filter(|row| row.start >= view.log().first_frame_offset()).collect();
        assert_eq!(hits.len(), rows.len() as u64);
        for (number, row) in rows.iter().enumerate() {
            assert_eq!(hits.ordinal(row.start), Some(number as u64 + 1));
        }
        assert_eq!(hits.ordinal(bytes + 1), None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn hits_give_the_rows_that_a_scan_finds_at_every_stage(
        version in 0u16..2,
        parts in prop::collection::vec(log_part(), 0..30),
        cut in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        slice in 1u64..3000,
        limit in 1usize..6,
        words in prop::sample::select(vec!["type:Created", "payload.amount>50 -is:gap", "is:damaged", "-is:damaged", "ana"]),
    ) {
        let bytes = build_log(version, &parts);
        // The cut is at the end of a frame, because an unfinished end is read twice with a wait between the reads.
        let temp_log = TempLog::new(&bytes);
        let rows = read_rows(&temp_log.view(), 0, Direction::Forward, &Filter::default());
        let ends: Vec<u64> =
            rows.iter().filter(|row| matches!(row.content, RowContent::Event(_))).map(|row| row.end).collect();
        let len = ends[cut.index(ends.len())];
        fs::write(&temp_log.path, &bytes[..len as usize]).unwrap();
        let filter = parse_filter(words);
        let offsets = [from.index(bytes.len()) as u64, other.index(bytes.len()) as u64];
        let mut hits = Hits::new(filter.clone(), None, offsets[0]);
        let view = temp_log.view();
        assert_hits_agree(&hits, &view, &filter, limit, &offsets);
        for _ in 0..10_000 {
            if hits.is_complete(len) {
                break;
            }
            hits.scan_more(&view, None, slice, &mut never_stop).unwrap();
            assert_hits_agree(&hits, &view, &filter, limit, &offsets);
        }
        prop_assert!(hits.is_complete(len));
        // The log grows.
        fs::write(&temp_log.path, &bytes).unwrap();
        let view = temp_log.view();
        assert_hits_agree(&hits, &view, &filter, limit, &offsets);
        prop_assert!(hits.is_complete(bytes.len() as u64) == (len == bytes.len() as u64));
        hits.scan_more(&view, None, u64::MAX, &mut never_stop).unwrap();
        prop_assert!(hits.is_complete(bytes.len() as u64));
        assert_hits_agree(&hits, &view, &filter, limit, &offsets);
    }
}

fn numbered_log(events: u64) -> TempLog {
    let event = |n| SampleLogPart::Event(format!("{{\"n\":{n},\"text\":\"{}\"}}", "z".repeat(300)));
    TempLog::new(&build_log(1, &(0..events).map(event).collect::<Vec<_>>()))
}

/// Scans slices until the log is complete, and returns their number.
fn scan_to_end(hits: &mut Hits, view: &LogView, slice: u64) -> usize {
    let bytes = view.log().len().unwrap();
    (1..10_000)
        .find(|_| {
            hits.scan_more(view, None, slice, &mut never_stop).unwrap();
            hits.is_complete(bytes) || hits.is_full()
        })
        .unwrap()
}

#[test]
fn known_hits_are_paged_without_reading_the_log_between_them() {
    let temp_log = numbered_log(9000);
    let (view, rare) = (temp_log.view(), parse_filter("payload.n=4000 payload.n=8999 -is:damaged"));
    let bytes = view.log().len().unwrap();
    let mut hits = Hits::new(rare.clone(), None, bytes / 2);
    assert!(scan_to_end(&mut hits, &view, 1 << 20) >= 4, "in slices");
    assert_eq!((hits.len(), hits.scanned_bytes()), (2, bytes - 16));
    let mut on = |_| panic!("no more than a mebibyte was read");
    let found = [
        hits.read_page(&view, None, ReadStart::new(0, Direction::Forward), 9, &mut on).unwrap(),
        hits.read_page(&view, None, ReadStart::new(u64::MAX, Direction::Backward), 9, &mut on).unwrap(),
    ];
    assert!(found[0].rows.len() == 2 && found[0].rows == found[1].rows && found[0].at_end && found[1].at_start);
    assert_eq!(
        hits.read_page(&view, None, ReadStart::new(found[0].rows[1].end, Direction::Forward), 9, &mut on).unwrap().rows,
        []
    );
    // A page without hits scans the whole log.
    let request = PageRequest::new(&rare, ReadStart::forward(0), 9);
    assert!(matches!(read_page(&view, None, &request, &mut |_| ControlFlow::Break(())), Err(StorageError::Cancelled)));
}

#[test]
fn matches_of_a_search_are_counted_and_found_in_both_directions() {
    let temp_log = numbered_log(9000);
    let (view, all) = (temp_log.view(), parse_filter("-type:Deleted"));
    let pattern = SearchPattern::parse("\"n\":77").unwrap();
    let mut hits = Hits::new(all.clone(), Some(pattern.clone()), 700_000);
    for _ in 0..3 {
        for from in [0, 16, 300_000, 700_000, 2_000_000, u64::MAX] {
            for direction in DIRECTIONS {
                let found = hits.find_match(&view, None, ReadStart::new(from, direction), &mut never_stop).unwrap();
                assert_eq!(
                    found,
                    find_match(&view, None, &search_request(&pattern, &all, from, direction), &mut never_stop).unwrap(),
                    "{direction:?} from {from}"
                );
            }
        }
        hits.scan_more(&view, None, 1 << 20, &mut never_stop).unwrap();
    }
    scan_to_end(&mut hits, &view, 1 << 20);
    let row_end = |at: u64| read_row_at(&view, at).unwrap().map_or(at, |row| row.end);
    let next = |from| {
        find_match(&view, None, &search_request(&pattern, &all, from, Direction::Forward), &mut never_stop).unwrap()
    };
    let found: Vec<u64> = std::iter::successors(next(0), |at| next(row_end(*at))).collect();
    assert_eq!(found.len() as u64, hits.len());
    assert_eq!((found.len(), hits.ordinal(found[7])), (83, Some(8)));
    let mut on = |_| panic!("no more than a mebibyte was read");
    assert_eq!(
        hits.find_match(&view, None, ReadStart::new(found[9], Direction::Backward), &mut on).unwrap(),
        Some(found[8])
    );
}

#[test]
fn a_cancelled_slice_keeps_its_hits() {
    let temp_log = numbered_log(9000);
    let view = temp_log.view();
    let mut hits = Hits::new(parse_filter("type:Created"), None, 0);
    let stopped = hits.scan_more(&view, None, u64::MAX, &mut |at| {
        if at.position > 2 << 20 { ControlFlow::Break(()) } else { never_stop(at) }
    });
    assert!(matches!(stopped, Err(StorageError::Cancelled)));
    assert!(hits.scanned_bytes() > 2 << 20 && hits.len() > 1000, "{} in {}", hits.len(), hits.scanned_bytes());
    let mut read = 0;
    hits.scan_more(&view, None, u64::MAX, &mut |at| {
        read += 1;
        never_stop(at)
    })
    .unwrap();
    assert_eq!(hits.len(), 2250);
    assert!(hits.is_complete(view.log().len().unwrap()) && read <= 2, "{read} MiB were read again");
}

#[test]
fn a_full_list_ends_the_scan_and_later_rows_are_read_from_the_log() {
    let temp_log = numbered_log(900);
    let (view, some) = (temp_log.view(), parse_filter("type:Created"));
    for (from, slice) in [(0, 10_000), (0, u64::MAX), (200_000, 10_000), (u64::MAX, 10_000)] {
        let mut hits = Hits::new(some.clone(), None, from).with_max_hits(100);
        scan_to_end(&mut hits, &view, slice);
        assert!(hits.is_full() && (90..=100).contains(&hits.len()), "{} from {from}", hits.len());
        assert_hits_agree(&hits, &view, &some, 7, &[from, 100_000, 250_000]);
        let scanned = hits.scanned_bytes();
        hits.scan_more(&view, None, slice, &mut never_stop).unwrap();
        assert_eq!(hits.scanned_bytes(), scanned, "a full list ends the scan");
    }
}

#[test]
fn a_hit_is_read_from_the_log_again_when_it_is_shown() {
    let temp_log = numbered_log(50);
    let (view, created) = (temp_log.view(), parse_filter("type:Created -is:damaged"));
    let mut hits = Hits::new(created.clone(), None, 0);
    scan_to_end(&mut hits, &view, u64::MAX);
    let rows = read_rows(&view, 0, Direction::Forward, &created);
    let mut bytes = fs::read(&temp_log.path).unwrap();
    bytes[rows[3].start as usize + 60] ^= 1;
    fs::write(&temp_log.path, &bytes).unwrap();
    let shown = hits.read_page(&view, None, ReadStart::new(0, Direction::Forward), 100, &mut never_stop).unwrap().rows;
    assert_eq!(shown, [&rows[..3], &rows[4..]].concat());
}

#[test]
fn damage_longer_than_a_slice_is_scanned_to_its_end() {
    let noise = SampleLogPart::Noise((0..3_000_000u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect());
    let flipped = |i: usize| SampleLogPart::Flipped(format!("\"{}\"", "z".repeat(300)), 200 + i % 50);
    let event = SampleLogPart::Event("1".into());
    let parts: Vec<SampleLogPart> =
        [event.clone(), noise, event.clone()].into_iter().chain((0..4000).map(flipped)).chain([event]).collect();
    let temp_log = TempLog::new(&build_log(1, &parts));
    let (view, damaged) = (temp_log.view(), parse_filter("is:damaged"));
    for from in [0, 1_000_000, u64::MAX] {
        let mut hits = Hits::new(damaged.clone(), None, from);
        assert!(scan_to_end(&mut hits, &view, 100_000) < 100);
        assert_hits_agree(&hits, &view, &damaged, 1000, &[1_000_000]);
    }
}

#[test]
fn an_unfinished_end_is_a_hit_until_it_is_complete() {
    let temp_log = numbered_log(20);
    let bytes = fs::read(&temp_log.path).unwrap();
    fs::write(&temp_log.path, &bytes[..bytes.len() - 30]).unwrap();
    let mut hits = Hits::new(parse_filter("type:None"), None, 0);
    scan_to_end(&mut hits, &temp_log.view(), u64::MAX);
    assert_eq!(
        (hits.len(), collect_pages(&hits, &temp_log.view(), 0, Direction::Forward, 5).len()),
        (1, 1),
        "its damage is shown"
    );
    fs::write(&temp_log.path, &bytes).unwrap();
    assert_eq!(collect_pages(&hits, &temp_log.view(), 0, Direction::Forward, 5), []);
    scan_to_end(&mut hits, &temp_log.view(), u64::MAX);
    assert!(hits.is_empty());
}

#[test]
fn a_log_that_lost_its_end_is_scanned_again() {
    let temp_log = numbered_log(50);
    let created = parse_filter("type:Created");
    let mut hits = Hits::new(created.clone(), None, 0);
    scan_to_end(&mut hits, &temp_log.view(), u64::MAX);
    let bytes = fs::read(&temp_log.path).unwrap();
    fs::write(&temp_log.path, &bytes[..bytes.len() / 2]).unwrap();
    let view = temp_log.view();
    assert_eq!(
        collect_pages(&hits, &view, 0, Direction::Forward, 5),
        read_rows(&view, 0, Direction::Forward, &created)
    );
    scan_to_end(&mut hits, &view, u64::MAX);
    assert_hits_agree(&hits, &view, &created, 5, &[4000]);
}
