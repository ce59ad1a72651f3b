//! Hits over whole logs, at every stage of being collected: held against pages and searches that read the log itself.

use std::fs;
use std::ops::ControlFlow;

use chronicle::StorageError;
use chronicle::inspect::LogView;
use chronicle::query::{Ask, Direction, Filter, Hits, Pattern, Row, What, find, page, row_at};
use proptest::prelude::*;

use super::query::{Bed, Part, build, filter, go_on, part};

const WAYS: [Direction; 2] = [Direction::Forward, Direction::Backward];

/// What reading the log itself has to say.
fn read(view: &LogView, from: u64, direction: Direction, filter: &Filter) -> Vec<Row> {
    page(view, None, &Ask { from, direction, limit: 10_000, filter }, &mut go_on).unwrap().rows
}

/// All rows behind a place, or before it, page by page.
fn pages(hits: &Hits, view: &LogView, from: u64, direction: Direction, limit: usize) -> Vec<Row> {
    let (mut rows, mut from): (Vec<Row>, u64) = (Vec::new(), from);
    loop {
        let page = hits.page(view, None, (from, direction), limit, &mut go_on).unwrap();
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

/// Everything that hits can be asked, around some places.
fn agree(hits: &Hits, view: &LogView, filter: &Filter, limit: usize, places: &[u64]) {
    let bytes = view.log().len().unwrap();
    for from in places.iter().copied().chain([0, 16, u64::MAX]) {
        for way in WAYS {
            let rows = read(view, from, way, filter);
            assert_eq!(pages(hits, view, from, way, limit), rows, "{way:?} from {from}");
            if hits.can_answer(from, way, bytes) && !hits.is_full() {
                let known = hits.page(view, None, (from, way), 1, &mut go_on).unwrap();
                assert_eq!(known.rows.is_empty(), rows.is_empty(), "{way:?} from {from}");
            }
        }
    }
    if hits.is_through(bytes) {
        let rows: Vec<Row> = read(view, view.log().first_frame(), Direction::Forward, filter);
        let rows: Vec<&Row> = rows.iter().filter(|row| row.start >= view.log().first_frame()).collect();
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
    fn hits_lead_to_the_rows_that_reading_finds_however_far_they_have_come(
        version in 0u16..2,
        parts in prop::collection::vec(part(), 0..30),
        cut in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        slice in 1u64..3000,
        limit in 1usize..6,
        words in prop::sample::select(vec!["type:Created", "payload.amount>50 -is:gap", "is:damaged", "-is:damaged", "ana"]),
    ) {
        let bytes = build(version, &parts);
        // It ends with a frame: an unfinished end is looked at twice, with a wait between.
        let bed = Bed::new(&bytes);
        let rows = read(&bed.view(), 0, Direction::Forward, &Filter::default());
        let ends: Vec<u64> =
            rows.iter().filter(|row| matches!(row.what, What::Event(_))).map(|row| row.end).collect();
        let len = ends[cut.index(ends.len())];
        fs::write(&bed.path, &bytes[..len as usize]).unwrap();
        let filter = filter(words);
        let places = [from.index(bytes.len()) as u64, place.index(bytes.len()) as u64];
        let mut hits = Hits::new(filter.clone(), None, places[0]);
        let view = bed.view();
        agree(&hits, &view, &filter, limit, &places);
        for _ in 0..10_000 {
            if hits.is_through(len) {
                break;
            }
            hits.look_on(&view, None, slice, &mut go_on).unwrap();
            agree(&hits, &view, &filter, limit, &places);
        }
        prop_assert!(hits.is_through(len));
        // The log grows.
        fs::write(&bed.path, &bytes).unwrap();
        let view = bed.view();
        agree(&hits, &view, &filter, limit, &places);
        prop_assert!(hits.is_through(bytes.len() as u64) == (len == bytes.len() as u64));
        hits.look_on(&view, None, u64::MAX, &mut go_on).unwrap();
        prop_assert!(hits.is_through(bytes.len() as u64));
        agree(&hits, &view, &filter, limit, &places);
    }
}

fn numbered(events: u64) -> Bed {
    let event = |n| Part::Event(format!("{{\"n\":{n},\"text\":\"{}\"}}", "z".repeat(300)));
    Bed::new(&build(1, &(0..events).map(event).collect::<Vec<_>>()))
}

/// Looks on until all of the log was looked at; how often that was.
fn look_through(hits: &mut Hits, view: &LogView, slice: u64) -> usize {
    let bytes = view.log().len().unwrap();
    (1..10_000)
        .find(|_| {
            hits.look_on(view, None, slice, &mut go_on).unwrap();
            hits.is_through(bytes) || hits.is_full()
        })
        .unwrap()
}

#[test]
fn what_is_known_is_answered_without_reading_what_lies_between() {
    let bed = numbered(9000);
    let (view, rare) = (bed.view(), filter("payload.n=4000 payload.n=8999 -is:damaged"));
    let bytes = view.log().len().unwrap();
    let mut hits = Hits::new(rare.clone(), None, bytes / 2);
    assert!(look_through(&mut hits, &view, 1 << 20) >= 4, "in slices");
    assert_eq!((hits.len(), hits.looked()), (2, bytes - 16));
    let mut on = |_| panic!("no more than a mebibyte was read");
    let found = [
        hits.page(&view, None, (0, Direction::Forward), 9, &mut on).unwrap(),
        hits.page(&view, None, (u64::MAX, Direction::Backward), 9, &mut on).unwrap(),
    ];
    assert!(found[0].rows.len() == 2 && found[0].rows == found[1].rows && found[0].at_end && found[1].at_start);
    assert_eq!(hits.page(&view, None, (found[0].rows[1].end, Direction::Forward), 9, &mut on).unwrap().rows, []);
    // The walk reads it all, which is what the hits are for.
    let ask = Ask { from: 0, direction: Direction::Forward, limit: 9, filter: &rare };
    assert!(matches!(page(&view, None, &ask, &mut |_| ControlFlow::Break(())), Err(StorageError::Stopped)));
}

#[test]
fn matches_of_a_search_are_counted_and_found_either_way() {
    let bed = numbered(9000);
    let (view, all) = (bed.view(), filter("-type:Deleted"));
    let pattern = Pattern::parse("\"n\":77").unwrap();
    let mut hits = Hits::new(all.clone(), Some(pattern.clone()), 700_000);
    for _ in 0..3 {
        for from in [0, 16, 300_000, 700_000, 2_000_000, u64::MAX] {
            for way in WAYS {
                let found = hits.find(&view, None, (from, way), &mut go_on).unwrap();
                assert_eq!(
                    found,
                    find(&view, None, &pattern, &all, from, way, &mut go_on).unwrap(),
                    "{way:?} from {from}"
                );
            }
        }
        hits.look_on(&view, None, 1 << 20, &mut go_on).unwrap();
    }
    look_through(&mut hits, &view, 1 << 20);
    let behind = |at: u64| row_at(&view, at).unwrap().map_or(at, |row| row.end);
    let next = |from| find(&view, None, &pattern, &all, from, Direction::Forward, &mut go_on).unwrap();
    let found: Vec<u64> = std::iter::successors(next(0), |at| next(behind(*at))).collect();
    assert_eq!(found.len() as u64, hits.len());
    assert_eq!((found.len(), hits.ordinal(found[7])), (83, Some(8)));
    let mut on = |_| panic!("no more than a mebibyte was read");
    assert_eq!(hits.find(&view, None, (found[9], Direction::Backward), &mut on).unwrap(), Some(found[8]));
}

#[test]
fn a_stop_keeps_what_was_looked_at() {
    let bed = numbered(9000);
    let view = bed.view();
    let mut hits = Hits::new(filter("type:Created"), None, 0);
    let stopped =
        hits.look_on(&view, None, u64::MAX, &mut |at| if at > 2 << 20 { ControlFlow::Break(()) } else { go_on(at) });
    assert!(matches!(stopped, Err(StorageError::Stopped)));
    assert!(hits.looked() > 2 << 20 && hits.len() > 1000, "{} in {}", hits.len(), hits.looked());
    let mut read = 0;
    hits.look_on(&view, None, u64::MAX, &mut |at| {
        read += 1;
        go_on(at)
    })
    .unwrap();
    assert_eq!(hits.len(), 2250);
    assert!(hits.is_through(view.log().len().unwrap()) && read <= 2, "{read} MiB were read again");
}

#[test]
fn so_many_are_kept_and_those_behind_are_read() {
    let bed = numbered(900);
    let (view, some) = (bed.view(), filter("type:Created"));
    for (from, slice) in [(0, 10_000), (0, u64::MAX), (200_000, 10_000), (u64::MAX, 10_000)] {
        let mut hits = Hits::new(some.clone(), None, from).at_most(100);
        look_through(&mut hits, &view, slice);
        assert!(hits.is_full() && (90..=100).contains(&hits.len()), "{} from {from}", hits.len());
        agree(&hits, &view, &some, 7, &[from, 100_000, 250_000]);
        let known = hits.looked();
        hits.look_on(&view, None, slice, &mut go_on).unwrap();
        assert_eq!(hits.looked(), known, "it is not looked on");
    }
}

#[test]
fn a_place_says_where_to_look_and_never_what_stands_there() {
    let bed = numbered(50);
    let (view, created) = (bed.view(), filter("type:Created -is:damaged"));
    let mut hits = Hits::new(created.clone(), None, 0);
    look_through(&mut hits, &view, u64::MAX);
    let rows = read(&view, 0, Direction::Forward, &created);
    let mut bytes = fs::read(&bed.path).unwrap();
    bytes[rows[3].start as usize + 60] ^= 1;
    fs::write(&bed.path, &bytes).unwrap();
    let shown = hits.page(&view, None, (0, Direction::Forward), 100, &mut go_on).unwrap().rows;
    assert_eq!(shown, [&rows[..3], &rows[4..]].concat());
}

#[test]
fn damage_longer_than_a_slice_is_passed() {
    let noise = Part::Noise((0..3_000_000u32).map(|i| (i.wrapping_mul(i) / 7) as u8).collect());
    let flipped = |i: usize| Part::Flipped(format!("\"{}\"", "z".repeat(300)), 200 + i % 50);
    let event = Part::Event("1".into());
    let parts: Vec<Part> =
        [event.clone(), noise, event.clone()].into_iter().chain((0..4000).map(flipped)).chain([event]).collect();
    let bed = Bed::new(&build(1, &parts));
    let (view, damaged) = (bed.view(), filter("is:damaged"));
    for from in [0, 1_000_000, u64::MAX] {
        let mut hits = Hits::new(damaged.clone(), None, from);
        assert!(look_through(&mut hits, &view, 100_000) < 100);
        agree(&hits, &view, &damaged, 1000, &[1_000_000]);
    }
}

#[test]
fn an_unfinished_end_is_a_hit_until_it_is_whole() {
    let bed = numbered(20);
    let bytes = fs::read(&bed.path).unwrap();
    fs::write(&bed.path, &bytes[..bytes.len() - 30]).unwrap();
    let mut hits = Hits::new(filter("type:None"), None, 0);
    look_through(&mut hits, &bed.view(), u64::MAX);
    assert_eq!((hits.len(), pages(&hits, &bed.view(), 0, Direction::Forward, 5).len()), (1, 1), "its damage is shown");
    fs::write(&bed.path, &bytes).unwrap();
    assert_eq!(pages(&hits, &bed.view(), 0, Direction::Forward, 5), []);
    look_through(&mut hits, &bed.view(), u64::MAX);
    assert!(hits.is_empty());
}

#[test]
fn a_log_that_lost_its_end_is_looked_at_anew() {
    let bed = numbered(50);
    let created = filter("type:Created");
    let mut hits = Hits::new(created.clone(), None, 0);
    look_through(&mut hits, &bed.view(), u64::MAX);
    let bytes = fs::read(&bed.path).unwrap();
    fs::write(&bed.path, &bytes[..bytes.len() / 2]).unwrap();
    let view = bed.view();
    assert_eq!(pages(&hits, &view, 0, Direction::Forward, 5), read(&view, 0, Direction::Forward, &created));
    look_through(&mut hits, &view, u64::MAX);
    agree(&hits, &view, &created, 5, &[4000]);
}
