//! Hits of filters and searches: the screen counts them slice by slice, shows them as they are found, and drops them
//! when the log is replaced.

use std::fs::{self, OpenOptions};
use std::io::Write;

use ratatui::layout::Size;

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::tui::actions::ActionId;
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange, Message};
use crate::tui::model::{Follow, HitCounterState, ScanState};
use crate::tui::request::{Request, WorkerKind};
use crate::tui::update;

const SIZE: Size = Size::new(120, 40);

/// Opens a prompt with a key, types a text and submits it. The resulting requests are not handled.
fn submit(screen: &mut TestScreen, key: char, text: &str) {
    screen.press(&[Key::Char(key)]);
    screen.type_text(text);
    screen.press_unhandled(Key::Enter);
}

fn apply_filter(screen: &mut TestScreen, text: &str) {
    submit(screen, 'f', text);
    screen.handle_effects();
}

/// Returns whether a request is pending that reads the log until it finds a row.
fn has_row_request(screen: &TestScreen) -> bool {
    screen.model.effects.iter().any(|effect| {
        let Effect::Request { request, .. } = effect else { return false };
        matches!(
            **request,
            Request::RowsAround { .. }
                | Request::LastRows { .. }
                | Request::MoreRows { .. }
                | Request::FindMatch { .. }
        )
    })
}

/// Handles effects until rows or a match are requested.
fn handle_until_row_request(screen: &mut TestScreen) {
    while !has_row_request(screen) {
        assert!(screen.handle_next_effect(), "no effect is left");
    }
}

/// Returns a log of more than two slices.
fn long_log() -> Vec<u8> {
    clean_log(20_000)
}

/// A filter that matches an event near the start of the long log, one in the middle and the last one.
const RARE_FILTER: &str = "payload.n=7 payload.n=10000 payload.n=19999";

#[test]
fn a_filter_and_a_search_show_the_number_of_hits_and_the_position_among_them() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    apply_filter(&mut screen, "type:Created");
    screen.assert_shows(" filter (1 of 20 hits): type:Created ");
    screen.press(&[Key::Char('j'), Key::Char('j')]);
    screen.assert_shows("(3 of 20 hits)");
    screen.press(&[Key::Char('G')]);
    screen.assert_shows("(20 of 20 hits)");
    submit(&mut screen, '/', "\"n\":5");
    screen.handle_effects();
    screen.assert_shows(" search (1 of 3 hits): \"n\"");
    screen.assert_shows("Search continued at the start of the log");
    screen.press(&[Key::Char('N')]);
    screen.assert_shows("search (3 of 3 hits)");
    screen.assert_shows("Search continued at the end of the log");
    screen.press(&[Key::Esc, Key::Esc]);
    assert!(screen.model.hit_counters.counters.is_empty());
}

#[test]
fn a_long_filter_leaves_columns_for_the_search() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.run_scan();
    apply_filter(&mut screen, "type:Created,Updated size>50 offset>20 ns:accounts schema:Person");
    submit(&mut screen, '/', "Juan");
    screen.handle_effects();
    screen.assert_shows("search (2 of 59 hits): Juan");
    screen.assert_shows("filter (2 of 59 hits): type:Cre");
}

#[test]
fn hits_of_an_aggregate_filter_are_counted_and_its_rows_do_not_wait_for_them() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.run_scan();
    apply_filter(&mut screen, "agg:1 type:Created");
    screen.assert_shows(" filter (1 of 4 hits): agg:1 type:Created ");
    screen.press(&[Key::Esc]);
    submit(&mut screen, 'f', "agg:3");
    assert!(has_row_request(&screen), "the index lists the events");
    screen.handle_effects();
    screen.press(&[Key::Char('g'), Key::Char('j'), Key::Char('j')]);
    screen.assert_shows(" filter (3 of 12 hits): agg:3 ");
}

#[test]
fn hits_are_shown_before_the_whole_log_was_searched_and_nothing_is_read_twice() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    submit(&mut screen, 'f', RARE_FILTER);
    assert!(!has_row_request(&screen), "the rows have to wait for the first slice");
    handle_until_row_request(&mut screen);
    while screen.model.list.rows.len() != 1 {
        assert!(screen.handle_next_effect());
    }
    screen.assert_shows("(1 of 1 hit so far)");
    assert!(!has_row_request(&screen), "further rows have to wait for further hits");
    screen.press(&[Key::PageDown]);
    assert_eq!(screen.model.list.rows.len(), 3);
    screen.assert_shows("(3 of 3 hits)");
}

#[test]
fn a_search_uses_the_counted_hits() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    submit(&mut screen, '/', "/\"n\":(7|10000|19999),/");
    assert!(!has_row_request(&screen) && screen.has_job(WorkerKind::Jump));
    screen.handle_effects();
    let position =
        |screen: &TestScreen| screen.model.search_counter().unwrap().hits.ordinal(screen.model.list.selected_offset());
    assert_eq!(position(&screen), Some(1));
    screen.press(&[Key::Char('n'), Key::Char('n')]);
    assert_eq!(position(&screen), Some(3));
    screen.press(&[Key::Char('n')]);
    screen.assert_shows("Search continued at the start of the log");
    assert_eq!(position(&screen), Some(1));
    screen.press(&[Key::Char('N')]);
    screen.assert_shows("Search continued at the end of the log");
    screen.assert_shows("(3 of 3 hits)");
}

#[test]
fn each_key_moves_to_the_next_hit_even_before_its_rows_arrive() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    submit(&mut screen, '/', "/\"n\":(7|10000|19999),/");
    screen.handle_effects();
    for (keys, nth) in [("nn", 3), ("NN", 1), ("nnN", 2)] {
        for key in keys.chars() {
            screen.press_unhandled(Key::Char(key));
        }
        assert!(!screen.has_job(WorkerKind::Jump), "a known hit needs no search");
        screen.handle_effects();
        let hits = &screen.model.search_counter().unwrap().hits;
        assert_eq!(hits.ordinal(screen.model.list.selected_offset()), Some(nth), "{keys}");
    }
}

#[test]
fn esc_stops_counting_and_keeps_the_hits() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    submit(&mut screen, 'f', RARE_FILTER);
    while screen.model.list.rows.len() != 1 {
        assert!(screen.handle_next_effect());
    }
    // The rest of the log is made large enough for a job. The pending request for a slice gets no response.
    screen.model.log_info.bytes += 1 << 30;
    screen.model.hit_counters.counters[0].state = HitCounterState::Ready;
    screen.send_unhandled(Message::Resize(SIZE));
    assert!(screen.has_job(WorkerKind::Hits));
    screen.model.effects.clear();
    screen.press_unhandled(Key::Esc);
    screen.assert_shows("so far, stopped)");
    assert!(screen.model.effects.iter().any(|effect| matches!(effect, Effect::Cancel(WorkerKind::Hits))));
    assert!(!screen.model.list.filter.is_empty() && !screen.has_job(WorkerKind::Hits));
    screen.poll_log();
    assert_eq!(screen.model.hit_counters.counters[0].state, HitCounterState::Stopped, "an update resumed it");
    assert_eq!(screen.model.list.rows.len(), 3, "rows are read without hits");
    apply_filter(&mut screen, "");
    screen.assert_shows("3 hits)");
}

#[test]
fn esc_before_the_first_row_restores_the_earlier_filter() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    let rows = screen.model.list.rows.clone();
    submit(&mut screen, 'f', RARE_FILTER);
    screen.press_unhandled(Key::Esc);
    screen.handle_effects();
    assert!(screen.model.list.filter.is_empty() && screen.model.hit_counters.counters.is_empty());
    assert_eq!(screen.model.list.rows, rows);
    assert!(screen.model.jobs.is_empty() && screen.model.hit_counters.deferred_requests.is_empty());
}

#[test]
fn without_a_scan_no_hits_are_counted_and_rows_are_still_found() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.model.scan.state = ScanState::Off;
    apply_filter(&mut screen, "type:Created");
    submit(&mut screen, '/', "\"n\":57");
    screen.handle_effects();
    assert!(screen.model.hit_counters.counters.is_empty());
    assert_eq!(screen.model.list.rows.len(), 20);
    assert_eq!(screen.model.list.cursor, 19);
    update::run_action(&mut screen.model, ActionId::ScanResume);
    screen.send(Message::Resize(SIZE));
    screen.assert_shows("(20 of 20 hits)");
}

#[test]
fn stopping_and_resuming_the_scan_stops_and_resumes_counting() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    submit(&mut screen, 'f', RARE_FILTER);
    while screen.model.list.rows.len() != 1 {
        assert!(screen.handle_next_effect());
    }
    let scanned_bytes = screen.model.hit_counters.counters[0].hits.scanned_bytes();
    screen.model.effects.clear();
    screen.send_update(BackgroundUpdate::ScanStopped);
    let counter = &screen.model.hit_counters.counters[0];
    assert_eq!((counter.hits.scanned_bytes(), counter.state), (scanned_bytes, HitCounterState::Ready));
    assert_eq!(screen.model.list.rows.len(), 3, "rows are read without hits");
    update::run_action(&mut screen.model, ActionId::ScanResume);
    screen.send(Message::Resize(SIZE));
    screen.assert_shows("of 3 hits)");
}

#[test]
fn hits_are_counted_again_when_the_log_grows_or_is_cut() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes[..starts[30]], (120, 40));
    apply_filter(&mut screen, "type:Created");
    screen.press(&[Key::Char('F')]);
    screen.assert_shows("(10 of 10 hits)");
    for n in 31..=59 {
        let mut file = OpenOptions::new().append(true).open(&screen.path).unwrap();
        file.write_all(&bytes[starts[n - 1]..starts[n]]).unwrap();
        screen.poll_log();
        let hits = n.div_ceil(3);
        screen.assert_shows(&format!("({hits} of {hits} hits)"));
    }
    assert_eq!(screen.model.follow, Follow::Yes);
    fs::write(&screen.path, &bytes[..starts[15]]).unwrap();
    let log_info = Box::new(screen.shared.log_info().unwrap());
    screen.send_update(BackgroundUpdate::LogChanged(log_info, LogChange::Shrunk(9000)));
    screen.assert_shows("of 5 hits)");
}

#[test]
fn the_first_match_of_a_growing_log_is_shown() {
    for follow in [Follow::No, Follow::Yes] {
        let bytes = clean_log(60);
        let starts = frame_starts(&bytes);
        let mut screen = TestScreen::new(&bytes[..starts[30]], (120, 40));
        apply_filter(&mut screen, "payload.n=40");
        if follow == Follow::Yes {
            screen.press(&[Key::Char('F')]);
        }
        screen.assert_shows("No row matches the filter");
        fs::write(&screen.path, &bytes).unwrap();
        screen.poll_log();
        screen.assert_shows("filter (1 of 1 hit):");
        assert_eq!(screen.model.list.selected_offset(), starts[40] as u64);
    }
}

#[test]
fn a_slice_of_a_replaced_log_is_dropped() {
    let mut screen = TestScreen::new(&long_log(), SIZE);
    submit(&mut screen, 'f', RARE_FILTER);
    while screen.model.list.rows.len() != 1 {
        assert!(screen.handle_next_effect());
    }
    let effects = std::mem::take(&mut screen.model.effects);
    let late_generation = effects.iter().find_map(|effect| match effect {
        Effect::Request { worker: WorkerKind::Hits, generation, .. } => Some(*generation),
        _ => None,
    });
    fs::write(&screen.path, clean_log(5)).unwrap();
    screen.shared.reopen_log().unwrap();
    let log_info = Box::new(screen.shared.log_info().unwrap());
    screen.send_update(BackgroundUpdate::LogChanged(log_info, LogChange::Replaced));
    assert!(!screen.model.generations.is_newest(WorkerKind::Hits, late_generation.unwrap()));
    screen.assert_shows("(0 hits)");
}

#[test]
fn damage_rows_are_hits_of_a_filter_that_shows_them() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    apply_filter(&mut screen, "type:None");
    assert!(screen.model.list.rows.is_empty());
    screen.assert_shows("(0 hits)");
    screen.press(&[Key::Char('d')]);
    assert_eq!(screen.model.list.rows.len(), 4);
    screen.assert_shows("of 4 hits)");
    screen.press(&[Key::Char('d')]);
    assert!(screen.model.list.rows.is_empty());
}
