//! Hits of filters and searches: counted, shown as they come, stopped, and dropped with the log they were of.

use std::fs::{self, OpenOptions};
use std::io::Write;

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::tui::actions::ActionId;
use crate::tui::effect::{Effect, Request, WorkerKind};
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange, Message, SessionTime};
use crate::tui::model::{Follow, HitCounterState, ScanState};
use crate::tui::update;

/// Types a line behind a key, and submits it without answering what it asks.
fn submit(bench: &mut TestScreen, key: char, text: &str) {
    bench.press(&[Key::Char(key)]);
    bench.type_text(text);
    update::update(&mut bench.model, Message::Key(Key::Enter, SessionTime(bench.clock)));
}

fn apply_filter(bench: &mut TestScreen, text: &str) {
    submit(bench, 'f', text);
    bench.handle_effects();
}

/// Whether anything was asked that reads until it finds.
fn has_row_request(bench: &TestScreen) -> bool {
    bench.model.effects.iter().any(|effect| {
        let Effect::Request(_, _, ask) = effect else { return false };
        matches!(
            **ask,
            Request::RowsAround { .. }
                | Request::LastRows { .. }
                | Request::MoreRows { .. }
                | Request::FindMatch { .. }
        )
    })
}

/// Answers until a list or a place was asked for.
fn handle_until_row_request(bench: &mut TestScreen) {
    while !has_row_request(bench) {
        assert!(bench.handle_next_effect(), "nothing is asked any more");
    }
}

/// More than two slices, with a match near the start, one in the middle and one at the end.
fn long_log() -> Vec<u8> {
    clean_log(20_000)
}

const RARE_FILTER: &str = "payload.n=7 payload.n=10000 payload.n=19999";

#[test]
fn a_filter_and_a_search_tell_how_many_match_and_which_one_it_is() {
    let mut bench = TestScreen::new(&clean_log(60), (120, 40));
    apply_filter(&mut bench, "type:Created");
    assert!(bench.screen_text().contains(" filter (1 of 20 hits): type:Created "), "{}", bench.screen_text());
    bench.press(&[Key::Char('j'), Key::Char('j')]);
    assert!(bench.screen_text().contains("(3 of 20 hits)"), "{}", bench.screen_text());
    bench.press(&[Key::Char('G')]);
    assert!(bench.screen_text().contains("(20 of 20 hits)"), "{}", bench.screen_text());
    submit(&mut bench, '/', "\"n\":5");
    bench.handle_effects();
    assert!(bench.screen_text().contains(" search (3 of 3 hits): \"n\":"), "5 is hidden: {}", bench.screen_text());
    bench.press(&[Key::Char('N')]);
    assert!(bench.screen_text().contains("search (2 of 3 hits)"), "{}", bench.screen_text());
    bench.press(&[Key::Esc, Key::Esc]);
    assert!(bench.model.hit_counters.counters.is_empty());
}

#[test]
fn an_index_answers_for_aggregates_and_nothing_is_gathered() {
    let mut bench = TestScreen::new(&clean_log(60), (120, 40));
    bench.run_scan();
    apply_filter(&mut bench, "agg:1 type:Created");
    assert!(bench.model.hit_counters.counters.is_empty());
    assert!(bench.screen_text().contains(" filter: agg:1 type:Created "), "{}", bench.screen_text());
}

#[test]
fn what_is_found_is_shown_before_the_log_was_read_and_nothing_is_read_twice() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    submit(&mut bench, 'f', RARE_FILTER);
    assert!(!has_row_request(&bench), "the rows wait for the first slice");
    handle_until_row_request(&mut bench);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.handle_next_effect());
    }
    assert!(bench.screen_text().contains("(1 of 1 hit so far)"), "{}", bench.screen_text());
    assert!(!has_row_request(&bench), "further rows wait for further hits");
    bench.press(&[Key::PageDown]);
    assert_eq!(bench.model.list.rows.len(), 3);
    assert!(bench.screen_text().contains("(3 of 3 hits)"), "the movement was owed: {}", bench.screen_text());
}

#[test]
fn a_search_is_answered_by_its_hits() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    submit(&mut bench, '/', "/\"n\":(7|10000|19999),/");
    assert!(!has_row_request(&bench) && bench.is_waiting_for(WorkerKind::Jump));
    bench.handle_effects();
    let at =
        |bench: &TestScreen| bench.model.search_counter().unwrap().hits.ordinal(bench.model.list.selected_offset());
    assert_eq!(at(&bench), Some(1));
    bench.press(&[Key::Char('n'), Key::Char('n')]);
    assert_eq!(at(&bench), Some(3));
    bench.press(&[Key::Char('n')]);
    assert!(bench.screen_text().contains("nothing more that way"));
    bench.press(&[Key::Char('N')]);
    assert!(bench.screen_text().contains("(2 of 3 hits)"), "{}", bench.screen_text());
}

#[test]
fn keys_faster_than_the_rows_they_lead_to_each_go_one_hit_further() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    submit(&mut bench, '/', "/\"n\":(7|10000|19999),/");
    bench.handle_effects();
    for (keys, nth) in [("nn", 3), ("NN", 1), ("nnN", 2)] {
        for key in keys.chars() {
            update::update(&mut bench.model, Message::Key(Key::Char(key), SessionTime(bench.clock)));
        }
        assert!(!bench.is_waiting_for(WorkerKind::Jump), "nothing is searched for that is known");
        bench.handle_effects();
        let hits = &bench.model.search_counter().unwrap().hits;
        assert_eq!(hits.ordinal(bench.model.list.selected_offset()), Some(nth), "{keys}");
    }
}

#[test]
fn esc_stops_gathering_and_what_was_found_stays() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    submit(&mut bench, 'f', RARE_FILTER);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.handle_next_effect());
    }
    // So much more that it is a job; the slice that is out is never answered.
    bench.model.log_info.bytes += 1 << 30;
    bench.model.hit_counters.counters[0].state = HitCounterState::Ready;
    update::update(&mut bench.model, Message::Resize(120, 40));
    assert!(bench.is_waiting_for(WorkerKind::Hits));
    bench.model.effects.clear();
    update::update(&mut bench.model, Message::Key(Key::Esc, SessionTime(bench.clock)));
    assert!(bench.screen_text().contains("so far, stopped)"), "{}", bench.screen_text());
    assert!(bench.model.effects.iter().any(|effect| matches!(effect, Effect::Cancel(WorkerKind::Hits))));
    assert!(!bench.model.list.filter.is_empty() && !bench.is_waiting_for(WorkerKind::Hits));
    bench.poll_log();
    assert_eq!(bench.model.hit_counters.counters[0].state, HitCounterState::Stopped, "it stays stopped");
    assert_eq!(bench.model.list.rows.len(), 3, "and the rows are read for as before");
    apply_filter(&mut bench, "");
    assert!(
        bench.screen_text().contains("(3 of 3 hits)") || bench.screen_text().contains("3 hits)"),
        "{}",
        bench.screen_text()
    );
}

#[test]
fn esc_before_the_first_row_brings_the_filter_before_back() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    let rows = bench.model.list.rows.clone();
    submit(&mut bench, 'f', RARE_FILTER);
    update::update(&mut bench.model, Message::Key(Key::Esc, SessionTime(bench.clock)));
    bench.handle_effects();
    assert!(bench.model.list.filter.is_empty() && bench.model.hit_counters.counters.is_empty());
    assert_eq!(bench.model.list.rows, rows);
    assert!(bench.model.jobs.is_empty() && bench.model.hit_counters.deferred.is_empty());
}

#[test]
fn without_a_scan_nothing_is_gathered_and_rows_are_found_all_the_same() {
    let mut bench = TestScreen::new(&clean_log(60), (120, 40));
    bench.model.scan.state = ScanState::Off;
    apply_filter(&mut bench, "type:Created");
    submit(&mut bench, '/', "\"n\":57");
    bench.handle_effects();
    assert!(bench.model.hit_counters.counters.is_empty());
    assert_eq!(bench.model.list.rows.len(), 20);
    assert_eq!(bench.model.list.cursor, 19);
    update::run_action(&mut bench.model, ActionId::ScanResume);
    bench.send(Message::Resize(120, 40));
    assert!(bench.screen_text().contains("(20 of 20 hits)"), "{}", bench.screen_text());
}

#[test]
fn a_stopped_scan_stops_gathering_and_its_going_on_goes_on() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    submit(&mut bench, 'f', RARE_FILTER);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.handle_next_effect());
    }
    let known = bench.model.hit_counters.counters[0].hits.scanned_bytes();
    bench.model.effects.clear();
    bench.send(Message::Background(BackgroundUpdate::ScanStopped));
    let gather = &bench.model.hit_counters.counters[0];
    assert_eq!((gather.hits.scanned_bytes(), gather.state), (known, HitCounterState::Ready));
    assert_eq!(bench.model.list.rows.len(), 3, "rows are read for as without hits");
    update::run_action(&mut bench.model, ActionId::ScanResume);
    bench.send(Message::Resize(120, 40));
    assert!(bench.screen_text().contains("of 3 hits)"), "{}", bench.screen_text());
}

#[test]
fn a_log_that_grows_has_more_hits_and_one_that_was_cut_has_others() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut bench = TestScreen::new(&bytes[..starts[30]], (120, 40));
    apply_filter(&mut bench, "type:Created");
    bench.press(&[Key::Char('F')]);
    assert!(bench.screen_text().contains("(10 of 10 hits)"), "{}", bench.screen_text());
    for n in 31..=59 {
        let mut file = OpenOptions::new().append(true).open(&bench.path).unwrap();
        file.write_all(&bytes[starts[n - 1]..starts[n]]).unwrap();
        bench.poll_log();
        let hits = n.div_ceil(3);
        assert!(bench.screen_text().contains(&format!("({hits} of {hits} hits)")), "{n}: {}", bench.screen_text());
    }
    assert_eq!(bench.model.follow, Follow::Yes);
    fs::write(&bench.path, &bytes[..starts[15]]).unwrap();
    let facts = Box::new(bench.shared.log_info().unwrap());
    bench.send(Message::Background(BackgroundUpdate::LogChanged(facts, LogChange::Shrunk(9000))));
    assert!(bench.screen_text().contains("of 5 hits)"), "{}", bench.screen_text());
}

#[test]
fn the_first_match_appears_where_there_was_none() {
    for follow in [false, true] {
        let bytes = clean_log(60);
        let starts = frame_starts(&bytes);
        let mut bench = TestScreen::new(&bytes[..starts[30]], (120, 40));
        apply_filter(&mut bench, "payload.n=40");
        if follow {
            bench.press(&[Key::Char('F')]);
        }
        assert!(bench.screen_text().contains("nothing matches the filter"), "{}", bench.screen_text());
        fs::write(&bench.path, &bytes).unwrap();
        bench.poll_log();
        assert!(bench.screen_text().contains("filter (1 of 1 hit):"), "{}", bench.screen_text());
        assert_eq!(bench.model.list.selected_offset(), starts[40] as u64);
    }
}

#[test]
fn a_slice_of_a_log_that_is_gone_is_dropped() {
    let mut bench = TestScreen::new(&long_log(), (120, 40));
    submit(&mut bench, 'f', RARE_FILTER);
    while bench.model.list.rows.len() != 1 {
        assert!(bench.handle_next_effect());
    }
    let asked = std::mem::take(&mut bench.model.effects);
    let late = asked.iter().find_map(|effect| match effect {
        Effect::Request(WorkerKind::Hits, generation, _) => Some(*generation),
        _ => None,
    });
    fs::write(&bench.path, clean_log(5)).unwrap();
    bench.shared.reopen_log().unwrap();
    let facts = Box::new(bench.shared.log_info().unwrap());
    bench.send(Message::Background(BackgroundUpdate::LogChanged(facts, LogChange::Replaced)));
    assert!(!bench.model.generations.is_newest(WorkerKind::Hits, late.unwrap()));
    assert!(bench.screen_text().contains("(0 hits)"), "{}", bench.screen_text());
}

#[test]
fn damage_rows_are_hits_of_a_filter_that_shows_them() {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    apply_filter(&mut bench, "type:None");
    let rows = bench.model.list.rows.len();
    assert!(rows == 4 && bench.screen_text().contains("of 4 hits)"), "{rows} {}", bench.screen_text());
}
