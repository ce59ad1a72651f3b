//! What follows from keys, answers and news, without a terminal.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use ratatui::style::Color as Ink;

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::index::VerificationMark;
use crate::query::RowContent;
use crate::tui::actions;
use crate::tui::effect::{Effect, WorkerKind};
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange, Message, Response, SessionTime};
use crate::tui::model::{DetailView, Follow, LogUnavailable, ScanState, Tab};
use crate::tui::theme::Theme;
use crate::tui::update;

#[test]
fn nothing_panics_from_1x1_to_130x45_whatever_is_open() {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    bench.run_scan();
    let open: [&[Key]; 12] = [
        &[],
        &[Key::Char('e'), Key::Tab, Key::Char(']')],
        &[Key::Char(']')],
        &[Key::Char(']')],
        &[Key::Char('2')],
        &[Key::Char('3')],
        &[Key::Char('4')],
        &[Key::Char('5'), Key::Tab],
        &[Key::Char('X')],
        &[Key::Esc, Key::Char('u')],
        &[Key::Char('?')],
        &[Key::Esc, Key::Char('1'), Key::Char('a'), Key::Enter],
    ];
    let sizes = (1..=130u16).step_by(9).flat_map(|w| (1..=45u16).step_by(4).map(move |h| (w, h)));
    let small = (1..=12u16).flat_map(|w| (1..=12u16).map(move |h| (w, h)));
    let sizes: Vec<_> = sizes.chain(small).collect();
    for keys in open {
        bench.resize(120, 40);
        bench.press(keys);
        for (width, height) in &sizes {
            bench.resize(*width, *height);
            assert!(!bench.screen_text().is_empty());
        }
    }
}

#[test]
fn every_key_and_every_action_is_survived_at_every_kind_of_size() {
    for size in [(120, 40), (80, 24), (40, 10), (20, 5), (3, 1)] {
        let mut bench = TestScreen::new(&damaged_log(), size);
        bench.run_scan();
        for action in actions::action_table() {
            for key in action.keys {
                bench.press(&[*key]);
                bench.screen_text();
            }
            update::run_action(&mut bench.model, action.id);
            bench.handle_effects();
            bench.screen_text();
            bench.press(&[Key::Esc, Key::Esc, Key::Esc]);
        }
    }
}

#[test]
fn a_damaged_range_is_a_row_with_its_verdict() {
    let mut bench = TestScreen::new(&damaged_log(), (160, 40));
    bench.run_scan();
    let screen = bench.screen_text();
    assert!(screen.contains("[proven: correct bits]"), "{screen}");
    assert!(screen.lines().any(|line| line.contains('×') && line.contains("checksum differs")), "{screen}");
    assert!(screen.contains("× 4 damaged"), "{screen}");
}

#[test]
fn no_filter_hides_damage_unasked_and_the_place_is_kept() {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    bench.run_scan();
    bench.press(&[Key::Char('G'), Key::Char('k'), Key::Char('k')]);
    let place = bench.model.list.selected_offset();
    bench.press(&[Key::Char('@')]);
    assert_eq!(bench.model.list.selected_offset(), place);
    let damaged = |bench: &TestScreen| {
        bench.model.list.rows.iter().filter(|row| matches!(row.content, RowContent::Finding(_))).count()
    };
    assert_eq!(damaged(&bench), 4);
    bench.press(&[Key::Char('f')]);
    bench.type_text(" -is:damaged");
    bench.press(&[Key::Enter]);
    assert_eq!(damaged(&bench), 0, "{}", bench.model.list.filter.text());
    bench.press(&[Key::Backspace, Key::Backspace]);
    assert!(bench.model.list.filter.is_empty());
    assert_eq!(bench.model.list.selected_offset(), place);
}

#[test]
fn a_bad_filter_says_why_and_stays_to_be_corrected() {
    let mut bench = TestScreen::new(&clean_log(3), (80, 24));
    bench.press(&[Key::Char('f')]);
    bench.type_text("agg:x");
    bench.press(&[Key::Enter]);
    assert!(bench.screen_text().contains("! `agg:x`"), "{}", bench.screen_text());
    bench.press(&[Key::Backspace; 5]);
    bench.type_text("tpye:Updated after:2026-01-01 before:2026-01-02");
    bench.press(&[Key::Enter]);
    let screen = bench.screen_text();
    assert!(screen.contains("the nearest is `type`") && screen.contains("payload.PATH"), "{screen}");
    bench.press(&[Key::Esc]);
    assert!(bench.model.overlays.is_empty() && bench.model.list.filter.is_empty());
}

#[test]
fn every_way_to_jump_leads_there() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut bench = TestScreen::new(&bytes, (120, 40));
    for (typed, expected) in [
        (starts[30].to_string(), starts[30]),
        (format!("0x{:x}", starts[7]), starts[7]),
        ("#12".to_owned(), starts[11]),
        ("0%".to_owned(), 0),
    ] {
        bench.press(&[Key::Char(':')]);
        bench.type_text(&typed);
        bench.press(&[Key::Enter]);
        assert_eq!(bench.model.list.selected_offset(), expected as u64, "{typed}");
    }
}

#[test]
fn a_jump_behind_the_end_says_so() {
    let bytes = clean_log(60);
    let last = frame_starts(&bytes)[59] as u64;
    let mut bench = TestScreen::new(&bytes, (120, 40));
    for (typed, told) in [
        ("#9999999", "No event 9 999 999"),
        ("99999999999", "The log ends at"),
        ("2037-01-01", "No event at that time or later"),
    ] {
        bench.press(&[Key::Char('g'), Key::Char(':')]);
        bench.type_text(typed);
        bench.press(&[Key::Enter]);
        assert!(bench.screen_text().contains(told), "{typed}: {}", bench.screen_text());
        assert_eq!(bench.model.list.selected_offset(), last, "{typed}");
    }
    bench.press(&[Key::Char('/')]);
    bench.type_text("no such text");
    bench.press(&[Key::Enter]);
    assert!(bench.screen_text().contains("no such text: nowhere in the log"), "{}", bench.screen_text());
}

#[test]
fn a_search_goes_on_and_back_and_marks_what_it_found() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut bench = TestScreen::new(&bytes, (120, 40));
    bench.press(&[Key::Char('/')]);
    bench.type_text("\"n\":4");
    bench.press(&[Key::Enter]);
    assert_eq!(bench.model.list.selected_offset(), starts[4] as u64);
    bench.press(&[Key::Char('n')]);
    assert_eq!(bench.model.list.selected_offset(), starts[40] as u64);
    bench.press(&[Key::Char('N')]);
    assert_eq!(bench.model.list.selected_offset(), starts[4] as u64);
    bench.press(&[Key::Char('N')]);
    assert!(bench.screen_text().contains("nothing more that way"));
}

#[test]
fn a_late_answer_is_dropped() {
    let mut bench = TestScreen::new(&clean_log(5), (120, 40));
    let rows = bench.model.list.rows.clone();
    let late = || Message::Response(WorkerKind::List, 0, Response::RowWindow(crate::query::RowPage::default(), 0));
    bench.send(Message::Drawn(SessionTime(bench.clock)));
    bench.send(late());
    assert_eq!(bench.model.list.rows, rows);
    assert!(!bench.model.needs_redraw, "and nothing is drawn for it");
    bench.press(&[Key::Esc]);
    bench.send(late());
    assert!(bench.model.needs_redraw, "what a key has changed is still to be drawn");
}

#[test]
fn the_end_is_followed_until_one_moves_up() {
    let bytes = clean_log(40);
    let starts = frame_starts(&bytes);
    let mut bench = TestScreen::new(&bytes[..starts[30]], (120, 40));
    bench.press(&[Key::Char('F')]);
    for n in 31..40 {
        let mut file = OpenOptions::new().append(true).open(&bench.path).unwrap();
        file.write_all(&bytes[starts[n - 1]..starts[n]]).unwrap();
        bench.poll_log();
        assert_eq!(bench.model.list.selected_offset(), starts[n - 1] as u64);
    }
    bench.press(&[Key::Char('k')]);
    assert_eq!(bench.model.follow, Follow::No);
    assert!(bench.screen_text().contains("following no more"));
}

#[test]
fn a_log_that_was_cut_or_replaced_is_told_and_survived() {
    let mut bench = TestScreen::new(&clean_log(40), (120, 40));
    bench.press(&[Key::Char('G')]);
    fs::write(&bench.path, &clean_log(40)[..3000]).unwrap();
    let facts = Box::new(bench.shared.log_info().unwrap());
    bench.send(Message::Background(BackgroundUpdate::LogChanged(facts, LogChange::Shrunk(9000))));
    assert!(bench.screen_text().contains("the log was cut: 9000 bytes before, 3000 now"), "{}", bench.screen_text());
    assert!(bench.model.list.selected_offset() < 3000);
    bench.send(Message::Background(BackgroundUpdate::LogUnavailable(LogUnavailable::Gone)));
    assert!(bench.screen_text().contains("removed or renamed"));
    bench.press(&[Key::Char('j')]);
    assert!(bench.screen_text().lines().next().unwrap().contains("GONE"), "{}", bench.screen_text());
}

#[test]
fn esc_leaves_search_then_filter_then_zoom_and_never_quits() {
    let mut bench = TestScreen::new(&clean_log(9), (120, 40));
    bench.press(&[Key::Char('/')]);
    bench.type_text("Juan");
    bench.press(&[Key::Enter, Key::Char('@'), Key::Char('z'), Key::Tab]);
    bench.press(&[Key::Esc]);
    assert!(bench.model.search.is_none() && !bench.model.list.filter.is_empty());
    bench.press(&[Key::Esc]);
    assert!(bench.model.list.filter.is_empty());
    bench.press(&[Key::Esc; 10]);
    assert!(!bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::Quit)));
    bench.press(&[Key::Char('q')]);
    assert!(bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::Quit)));
}

#[test]
fn esc_stops_the_job_one_started_and_not_the_scan() {
    let mut bench = TestScreen::new(&clean_log(9), (120, 40));
    // Asked, and not yet answered.
    bench.model.jobs.push(crate::tui::model::UserJob {
        worker: WorkerKind::Jump,
        name: "going".into(),
        progress: (0, 0),
        started: SessionTime::default(),
        on_esc: crate::tui::model::EscBehavior::CancelsJob,
    });
    assert!(bench.is_waiting_for(WorkerKind::Jump));
    bench.press(&[Key::Esc]);
    assert!(!bench.is_waiting_for(WorkerKind::Jump));
    assert!(bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::Cancel(WorkerKind::Jump))));
    assert_eq!(bench.model.scan.state, ScanState::Running);
    assert!(!bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::StopScan)));
}

#[test]
fn a_filter_that_was_stopped_is_none() {
    let mut bench = TestScreen::new(&clean_log(9), (120, 40));
    let rows = bench.model.list.rows.clone();
    bench.press(&[Key::Char('f')]);
    bench.type_text("agg:1");
    // Asked, and not yet answered: the wish is taken out before it is granted.
    update::update(&mut bench.model, Message::Key(Key::Enter, SessionTime(bench.clock)));
    bench.model.effects.clear();
    assert!(bench.is_waiting_for(WorkerKind::List) && !bench.model.list.filter.is_empty());
    bench.press(&[Key::Esc]);
    assert!(bench.model.list.filter.is_empty());
    assert_eq!(bench.model.list.rows, rows);
}

#[test]
fn copies_are_shown_and_wished_for() {
    let bytes = clean_log(9);
    let mut bench = TestScreen::new(&bytes, (120, 40));
    bench.press(&[Key::Char('j'), Key::Char('y'), Key::Char('p')]);
    let copied = |bench: &TestScreen| {
        bench.unhandled_effects.iter().rev().find_map(|wish| match wish {
            Effect::CopyToClipboard(text) => Some(text.clone()),
            _ => None,
        })
    };
    assert_eq!(copied(&bench).unwrap(), r#"{"name":"Juan","n":0,"amount":0.50,"tags":["a","b"]}"#);
    bench.press(&[Key::Char('y'), Key::Char('c')]);
    assert!(copied(&bench).unwrap().ends_with("--from 16 --limit 1"));
    bench.press(&[Key::Char('y'), Key::Char('h')]);
    assert!(copied(&bench).unwrap().starts_with("000000"));
    assert!(bench.screen_text().contains("copied hex"));
}

#[test]
fn the_next_damage_is_found_before_any_scan() {
    let bytes = damaged_log();
    let mut bench = TestScreen::new(&bytes, (120, 40));
    bench.press(&[Key::Char('e')]);
    assert!(matches!(bench.model.list.selected_row().unwrap().content, RowContent::Finding(_)));
    let first = bench.model.list.selected_offset();
    bench.press(&[Key::Char('e')]);
    assert!(bench.model.list.selected_offset() > first);
    bench.press(&[Key::Char('E')]);
    assert_eq!(bench.model.list.selected_offset(), first);
}

#[test]
fn an_aggregate_leads_to_its_events_and_tells_their_story() {
    let mut bench = TestScreen::new(&clean_log(30), (120, 40));
    bench.run_scan();
    bench.press(&[Key::Char('2'), Key::Char('j'), Key::Enter]);
    assert_eq!((bench.model.tab, bench.model.list.filter.text()), (Tab::Events, "agg:1"));
    bench.press(&[Key::Char('j'), Key::Char('[')]);
    assert_eq!(bench.model.detail.view, DetailView::Aggregate);
    assert!(bench.screen_text().contains("~ n: 1 → 6"), "{}", bench.screen_text());
}

#[test]
fn hostile_text_never_reaches_the_screen_raw() {
    let mut bytes = clean_log(1);
    let payload = "{\"write_timestamp_ms\":1,\"event_type\":\"\u{202e}evil\u{200b}\",\"namespace\":\"n\\u001b[31m\",\
                   \"schema_id\":\"S\",\"schema_version\":1,\"aggregate_id\":1,\"payload\":{\"\u{7f}k\":\"\u{9b}x\"}}";
    let mut frame = (payload.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(payload.as_bytes());
    let sum = crc32fast::hash(&frame);
    bytes.extend_from_slice(&frame);
    bytes.extend_from_slice(&sum.to_be_bytes());
    let mut bench = TestScreen::new(&bytes, (120, 40));
    bench.run_scan();
    bench.press(&[Key::Char('G')]);
    let screen = bench.screen_text();
    for (whole, token) in [("key", "\u{7f}k"), ("value", "\u{9b}x"), ("type", "\u{202e}evil\u{200b}")] {
        assert!(screen.contains(&*crate::report::sanitize(token)), "{whole}: {screen}");
    }
    for _ in DetailView::ALL {
        let screen = bench.screen_text();
        assert!(!screen.contains(['\u{202e}', '\u{200b}', '\u{1b}', '\u{7f}', '\u{9b}']), "{screen}");
        assert!(screen.contains("U+202E") || screen.contains("‹"), "{screen}");
        bench.press(&[Key::Char(']')]);
    }
}

#[test]
fn mono_draws_no_colour_and_damage_is_red_otherwise() {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    bench.run_scan();
    let inks = |bench: &TestScreen| -> Vec<Ink> { bench.render().content.iter().map(|cell| cell.fg).collect() };
    assert!(inks(&bench).contains(&Ink::Red));
    bench.model.theme = Theme::Mono;
    assert!(inks(&bench).iter().all(|ink| *ink == Ink::Reset));
}

#[test]
fn rows_of_another_filter_step_back_until_those_of_the_new_one_have_come() {
    let mut bench = TestScreen::new(&clean_log(60), (120, 40));
    let steps_back = |bench: &TestScreen| (3..60).all(|x| bench.render()[(x, 6)].fg == Ink::DarkGray);
    assert!(!steps_back(&bench));
    bench.press(&[Key::Char('f')]);
    bench.type_text("type:Updated");
    // Typed, and not answered yet.
    bench.send(Message::Drawn(SessionTime(Duration::from_secs(9))));
    update::update(&mut bench.model, Message::Key(Key::Enter, SessionTime(Duration::from_secs(10))));
    assert!(bench.screen_text().contains("type:Updated, looking"), "{}", bench.screen_text());
    assert!(steps_back(&bench));
    bench.handle_effects();
    assert!(!steps_back(&bench), "{}", bench.screen_text());
}

#[test]
fn a_click_on_the_strip_goes_there() {
    let mut bench = TestScreen::new(&clean_log(60), (120, 40));
    bench.send(Message::Click(60, 1));
    let share = bench.model.list.selected_offset() * 100 / bench.model.log_info.bytes;
    assert!((50..70).contains(&share), "{share}");
}

#[test]
fn a_scan_that_takes_a_while_says_how_fast_it_is_and_how_long_it_will_take() {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    let bytes = bench.model.log_info.bytes;
    let mut at_second = |tenths: u64, from: u64, at: u64| {
        bench.model.now = SessionTime(Duration::from_millis(100 * tenths));
        bench.send(Message::Background(BackgroundUpdate::ScanProgress { from, at, end: bytes }));
        bench.screen_text().lines().nth(1).unwrap().to_owned()
    };
    assert!(at_second(10, 0, 0).contains("| verified 0 %"));
    assert!(at_second(13, 0, bytes / 4 + 1).contains("| verified 25 %"));
    let said = at_second(20, bytes / 4 + 1, bytes / 2 + 1);
    assert!(said.contains("| 50 %, ") && said.contains("/s, ") && said.contains(" left"), "{said}");
    bench.send(Message::Background(BackgroundUpdate::ScanStopped));
    let said = |bench: &TestScreen| bench.screen_text().lines().nth(1).unwrap().to_owned();
    assert!(said(&bench).contains("| stopped 50 %"), "{}", said(&bench));
    // What was verified earlier is read again: that is what is left then.
    bench.model.log_info.index.verified = Some(VerificationMark { verified_to: bytes, verified_at_ms: 0 });
    for (tenths, at) in [(30, bytes / 2 + 2), (50, bytes / 4 * 3)] {
        bench.model.now = SessionTime(Duration::from_millis(100 * tenths));
        bench.send(Message::Background(BackgroundUpdate::ScanProgress { from: bytes / 2 + 1, at, end: bytes }));
    }
    assert!(said(&bench).contains("| 74 %, ") && said(&bench).contains(" left"), "{}", said(&bench));
}
