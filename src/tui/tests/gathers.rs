//! Hits of filters and searches: counted, shown as they come, stopped, and dropped with the log they were of.

use std::fs::{self, OpenOptions};
use std::io::Write;

use super::{Bench, clean, damaged, starts};
use crate::tui::actions::Id;
use crate::tui::effect::{Ask, Effect, Lane};
use crate::tui::keys::Key;
use crate::tui::message::{Change, Message, Moment, News};
use crate::tui::model::{Follow, Gathering, ScanState};
use crate::tui::update;

/// Types a line behind a key, and submits it without answering what it asks.
fn submit(bench: &mut Bench, key: char, text: &str) {
    bench.press(&[Key::Char(key)]);
    bench.type_in(text);
    update::update(&mut bench.model, Message::Key(Key::Enter, Moment(bench.clock)));
}

fn filter(bench: &mut Bench, text: &str) {
    submit(bench, 'f', text);
    bench.answer();
}

/// Whether anything was asked that reads until it finds.
fn asks_for_rows(bench: &Bench) -> bool {
    bench.model.effects.iter().any(|effect| {
        let Effect::Ask(_, _, ask) = effect else { return false };
        matches!(**ask, Ask::Around { .. } | Ask::End { .. } | Ask::More { .. } | Ask::Find { .. })
    })
}

/// Answers until a list or a place was asked for.
fn until_rows_are_asked_for(bench: &mut Bench) {
    while !asks_for_rows(bench) {
        assert!(bench.step(), "nothing is asked any more");
    }
}

/// More than two slices, with a match near the start, one in the middle and one at the end.
fn long() -> Vec<u8> {
    clean(20_000)
}

const RARE: &str = "payload.n=7 payload.n=10000 payload.n=19999";

#[test]
fn a_filter_and_a_search_tell_how_many_match_and_which_one_it_is() {
    let mut bench = Bench::new(&clean(60), (120, 40));
    filter(&mut bench, "type:Created");
    assert!(bench.screen().contains(" filter (1 of 20 hits): type:Created "), "{}", bench.screen());
    bench.press(&[Key::Char('j'), Key::Char('j')]);
    assert!(bench.screen().contains("(3 of 20 hits)"), "{}", bench.screen());
    bench.press(&[Key::Char('G')]);
    assert!(bench.screen().contains("(20 of 20 hits)"), "{}", bench.screen());
    submit(&mut bench, '/', "\"n\":5");
    bench.answer();
    assert!(bench.screen().contains(" search (3 of 3 hits): \"n\":"), "5 is hidden: {}", bench.screen());
    bench.press(&[Key::Char('N')]);
    assert!(bench.screen().contains("search (2 of 3 hits)"), "{}", bench.screen());
    bench.press(&[Key::Esc, Key::Esc]);
    assert!(bench.model.gathers.all.is_empty());
}

#[test]
fn an_index_answers_for_aggregates_and_nothing_is_gathered() {
    let mut bench = Bench::new(&clean(60), (120, 40));
    bench.scan();
    filter(&mut bench, "agg:1 type:Created");
    assert!(bench.model.gathers.all.is_empty());
    assert!(bench.screen().contains(" filter: agg:1 type:Created "), "{}", bench.screen());
}

#[test]
fn what_is_found_is_shown_before_the_log_was_read_and_nothing_is_read_twice() {
    let mut bench = Bench::new(&long(), (120, 40));
    submit(&mut bench, 'f', RARE);
    assert!(!asks_for_rows(&bench), "the rows wait for the first slice");
    until_rows_are_asked_for(&mut bench);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.step());
    }
    assert!(bench.screen().contains("(1 of 1 hit so far)"), "{}", bench.screen());
    assert!(!asks_for_rows(&bench), "further rows wait for further hits");
    bench.press(&[Key::PageDown]);
    assert_eq!(bench.model.list.rows.len(), 3);
    assert!(bench.screen().contains("(3 of 3 hits)"), "the movement was owed: {}", bench.screen());
}

#[test]
fn a_search_is_answered_by_its_hits() {
    let mut bench = Bench::new(&long(), (120, 40));
    submit(&mut bench, '/', "/\"n\":(7|10000|19999),/");
    assert!(!asks_for_rows(&bench) && bench.waits_for(Lane::Jump));
    bench.answer();
    let at = |bench: &Bench| bench.model.search_hits().unwrap().hits.ordinal(bench.model.list.offset());
    assert_eq!(at(&bench), Some(1));
    bench.press(&[Key::Char('n'), Key::Char('n')]);
    assert_eq!(at(&bench), Some(3));
    bench.press(&[Key::Char('n')]);
    assert!(bench.screen().contains("nothing more that way"));
    bench.press(&[Key::Char('N')]);
    assert!(bench.screen().contains("(2 of 3 hits)"), "{}", bench.screen());
}

#[test]
fn keys_faster_than_the_rows_they_lead_to_each_go_one_hit_further() {
    let mut bench = Bench::new(&long(), (120, 40));
    submit(&mut bench, '/', "/\"n\":(7|10000|19999),/");
    bench.answer();
    for (keys, nth) in [("nn", 3), ("NN", 1), ("nnN", 2)] {
        for key in keys.chars() {
            update::update(&mut bench.model, Message::Key(Key::Char(key), Moment(bench.clock)));
        }
        assert!(!bench.waits_for(Lane::Jump), "nothing is searched for that is known");
        bench.answer();
        let hits = &bench.model.search_hits().unwrap().hits;
        assert_eq!(hits.ordinal(bench.model.list.offset()), Some(nth), "{keys}");
    }
}

#[test]
fn esc_stops_gathering_and_what_was_found_stays() {
    let mut bench = Bench::new(&long(), (120, 40));
    submit(&mut bench, 'f', RARE);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.step());
    }
    // So much more that it is a job; the slice that is out is never answered.
    bench.model.facts.bytes += 1 << 30;
    bench.model.gathers.all[0].state = Gathering::Due;
    update::update(&mut bench.model, Message::Resize(120, 40));
    assert!(bench.waits_for(Lane::Hits));
    bench.model.effects.clear();
    update::update(&mut bench.model, Message::Key(Key::Esc, Moment(bench.clock)));
    assert!(bench.screen().contains("so far, stopped)"), "{}", bench.screen());
    assert!(bench.model.effects.iter().any(|effect| matches!(effect, Effect::Cancel(Lane::Hits))));
    assert!(!bench.model.list.filter.is_empty() && !bench.waits_for(Lane::Hits));
    bench.look();
    assert_eq!(bench.model.gathers.all[0].state, Gathering::Stopped, "it stays stopped");
    assert_eq!(bench.model.list.rows.len(), 3, "and the rows are read for as before");
    filter(&mut bench, "");
    assert!(bench.screen().contains("(3 of 3 hits)") || bench.screen().contains("3 hits)"), "{}", bench.screen());
}

#[test]
fn esc_before_the_first_row_brings_the_filter_before_back() {
    let mut bench = Bench::new(&long(), (120, 40));
    let rows = bench.model.list.rows.clone();
    submit(&mut bench, 'f', RARE);
    update::update(&mut bench.model, Message::Key(Key::Esc, Moment(bench.clock)));
    bench.answer();
    assert!(bench.model.list.filter.is_empty() && bench.model.gathers.all.is_empty());
    assert_eq!(bench.model.list.rows, rows);
    assert!(bench.model.jobs.is_empty() && bench.model.gathers.held.is_empty());
}

#[test]
fn without_a_scan_nothing_is_gathered_and_rows_are_found_all_the_same() {
    let mut bench = Bench::new(&clean(60), (120, 40));
    bench.model.scan.state = ScanState::Off;
    filter(&mut bench, "type:Created");
    submit(&mut bench, '/', "\"n\":57");
    bench.answer();
    assert!(bench.model.gathers.all.is_empty());
    assert_eq!(bench.model.list.rows.len(), 20);
    assert_eq!(bench.model.list.cursor, 19);
    update::act(&mut bench.model, Id::ScanGo);
    bench.send(Message::Resize(120, 40));
    assert!(bench.screen().contains("(20 of 20 hits)"), "{}", bench.screen());
}

#[test]
fn a_stopped_scan_stops_gathering_and_its_going_on_goes_on() {
    let mut bench = Bench::new(&long(), (120, 40));
    submit(&mut bench, 'f', RARE);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.step());
    }
    let known = bench.model.gathers.all[0].hits.looked();
    bench.model.effects.clear();
    bench.send(Message::News(News::ScanStopped));
    let gather = &bench.model.gathers.all[0];
    assert_eq!((gather.hits.looked(), gather.state), (known, Gathering::Due));
    assert_eq!(bench.model.list.rows.len(), 3, "rows are read for as without hits");
    update::act(&mut bench.model, Id::ScanGo);
    bench.send(Message::Resize(120, 40));
    assert!(bench.screen().contains("of 3 hits)"), "{}", bench.screen());
}

#[test]
fn a_log_that_grows_has_more_hits_and_one_that_was_cut_has_others() {
    let bytes = clean(60);
    let starts = starts(&bytes);
    let mut bench = Bench::new(&bytes[..starts[30]], (120, 40));
    filter(&mut bench, "type:Created");
    bench.press(&[Key::Char('F')]);
    assert!(bench.screen().contains("(10 of 10 hits)"), "{}", bench.screen());
    for n in 31..=59 {
        let mut file = OpenOptions::new().append(true).open(&bench.path).unwrap();
        file.write_all(&bytes[starts[n - 1]..starts[n]]).unwrap();
        bench.look();
        let hits = n.div_ceil(3);
        assert!(bench.screen().contains(&format!("({hits} of {hits} hits)")), "{n}: {}", bench.screen());
    }
    assert_eq!(bench.model.follow, Follow::Yes);
    fs::write(&bench.path, &bytes[..starts[15]]).unwrap();
    let facts = Box::new(bench.shared.facts().unwrap());
    bench.send(Message::News(News::Changed(facts, Change::Shrunk(9000))));
    assert!(bench.screen().contains("of 5 hits)"), "{}", bench.screen());
}

#[test]
fn the_first_match_appears_where_there_was_none() {
    for follow in [false, true] {
        let bytes = clean(60);
        let starts = starts(&bytes);
        let mut bench = Bench::new(&bytes[..starts[30]], (120, 40));
        filter(&mut bench, "payload.n=40");
        if follow {
            bench.press(&[Key::Char('F')]);
        }
        assert!(bench.screen().contains("nothing matches the filter"), "{}", bench.screen());
        fs::write(&bench.path, &bytes).unwrap();
        bench.look();
        assert!(bench.screen().contains("filter (1 of 1 hit):"), "{}", bench.screen());
        assert_eq!(bench.model.list.offset(), starts[40] as u64);
    }
}

#[test]
fn a_slice_of_a_log_that_is_gone_is_dropped() {
    let mut bench = Bench::new(&long(), (120, 40));
    submit(&mut bench, 'f', RARE);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.step());
    }
    let asked = std::mem::take(&mut bench.model.effects);
    let late = asked.iter().find_map(|effect| match effect {
        Effect::Ask(Lane::Hits, generation, _) => Some(*generation),
        _ => None,
    });
    fs::write(&bench.path, clean(5)).unwrap();
    bench.shared.reopen().unwrap();
    let facts = Box::new(bench.shared.facts().unwrap());
    bench.send(Message::News(News::Changed(facts, Change::Replaced)));
    assert!(!bench.model.generations.is_newest(Lane::Hits, late.unwrap()));
    assert!(bench.screen().contains("(0 hits)"), "{}", bench.screen());
}

#[test]
fn damage_rows_are_hits_of_a_filter_that_shows_them() {
    let mut bench = Bench::new(&damaged(), (120, 40));
    filter(&mut bench, "type:None");
    let rows = bench.model.list.rows.len();
    assert!(rows == 4 && bench.screen().contains("of 4 hits)"), "{rows} {}", bench.screen());
}
