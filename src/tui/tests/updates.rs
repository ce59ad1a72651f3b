//! Effects of keys, responses and background updates on the screen.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use ratatui::style::{Color, Modifier};

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::query::{RowContent, RowPage};
use crate::tui::actions;
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange, Message, Response};
use crate::tui::model::{DetailView, EscBehavior, Follow, LogUnavailable, ScanState, Tab, UserJob};
use crate::tui::request::WorkerKind;
use crate::tui::session_time::SessionTime;
use crate::tui::theme::Theme;
use crate::tui::update;

#[test]
fn no_view_and_no_overlay_panics_at_any_size() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    let steps: [&[Key]; 12] = [
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
    for keys in steps {
        screen.resize(120, 40);
        screen.press(keys);
        for (width, height) in &sizes {
            screen.resize(*width, *height);
            assert!(!screen.screen_text().is_empty());
        }
    }
}

#[test]
fn no_key_and_no_action_panics_at_any_layout() {
    for size in [(120, 40), (80, 24), (40, 10), (20, 5), (3, 1)] {
        let mut screen = TestScreen::new(&damaged_log(), size);
        screen.run_scan();
        for action in actions::action_table() {
            for key in action.keys {
                screen.press(&[*key]);
                screen.screen_text();
            }
            update::run_action(&mut screen.model, action.id);
            screen.handle_effects();
            screen.screen_text();
            screen.press(&[Key::Esc, Key::Esc, Key::Esc]);
        }
    }
}

#[test]
fn a_damaged_range_has_a_row_with_its_verdict() {
    let mut screen = TestScreen::new(&damaged_log(), (160, 40));
    screen.run_scan();
    let text = screen.screen_text();
    assert!(text.contains("→ correct bits (proven)"), "{text}");
    assert!(text.lines().any(|line| line.contains('×') && line.contains("checksum mismatch")), "{text}");
    assert!(text.contains("× 4 damaged"), "{text}");
}

#[test]
fn a_filter_folds_damage_into_one_line_and_keeps_the_selected_row() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('G'), Key::Char('k'), Key::Char('k')]);
    let selected = screen.model.list.selected_offset();
    screen.press(&[Key::Char('@')]);
    assert_eq!(screen.model.list.selected_offset(), selected);
    let damaged = |screen: &TestScreen| {
        screen.model.list.rows.iter().filter(|row| matches!(row.content, RowContent::Finding(_))).count()
    };
    assert_eq!(damaged(&screen), 0);
    screen.assert_shows("× 4 damaged ranges may hide hits: d shows them");
    screen.press(&[Key::Char('d')]);
    assert_eq!((damaged(&screen), screen.model.list.selected_offset()), (4, selected));
    assert!(!screen.screen_text().contains("may hide hits"));
    screen.press(&[Key::Char('d'), Key::Char('f')]);
    screen.type_text(" -is:damaged");
    screen.press(&[Key::Enter]);
    assert_eq!(damaged(&screen), 0, "{}", screen.model.list.filter.text());
    assert!(!screen.screen_text().contains("may hide hits"), "the filter hides them");
    screen.press(&[Key::Backspace, Key::Backspace]);
    assert!(screen.model.list.filter.is_empty());
    assert_eq!(screen.model.list.selected_offset(), selected);
}

#[test]
fn an_invalid_filter_reports_its_error_and_stays_in_the_prompt() {
    let mut screen = TestScreen::new(&clean_log(3), (80, 24));
    screen.press(&[Key::Char('f')]);
    screen.type_text("agg:x");
    screen.press(&[Key::Enter]);
    screen.assert_shows("! `agg:x`");
    screen.press(&[Key::Backspace; 5]);
    screen.type_text("tpye:Updated after:2026-01-01 before:2026-01-02");
    screen.press(&[Key::Enter]);
    let text = screen.screen_text();
    assert!(text.contains("the nearest is `type`") && text.contains("payload.PATH"), "{text}");
    screen.press(&[Key::Esc]);
    assert!(screen.model.overlays.is_empty() && screen.model.list.filter.is_empty());
}

#[test]
fn every_form_of_jump_reaches_its_target() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    for (typed, expected) in [
        (starts[30].to_string(), starts[30]),
        (format!("0x{:x}", starts[7]), starts[7]),
        ("#12".to_owned(), starts[11]),
        ("0%".to_owned(), 0),
    ] {
        screen.press(&[Key::Char(':')]);
        screen.type_text(&typed);
        screen.press(&[Key::Enter]);
        assert_eq!(screen.model.list.selected_offset(), expected as u64, "{typed}");
    }
}

#[test]
fn a_jump_past_the_end_selects_the_last_row_and_reports_it() {
    let bytes = clean_log(60);
    let last = frame_starts(&bytes)[59] as u64;
    let mut screen = TestScreen::new(&bytes, (120, 40));
    for (typed, message) in [
        ("#9999999", "No event 9 999 999"),
        ("99999999999", "The log ends at"),
        ("2037-01-01", "No event at that time or later"),
    ] {
        screen.press(&[Key::Char('g'), Key::Char(':')]);
        screen.type_text(typed);
        screen.press(&[Key::Enter]);
        screen.assert_shows(message);
        assert_eq!(screen.model.list.selected_offset(), last, "{typed}");
    }
    screen.press(&[Key::Char('/')]);
    screen.type_text("no such text");
    screen.press(&[Key::Enter]);
    screen.assert_shows("No match in the log: no such text");
}

#[test]
fn a_search_selects_the_next_and_the_previous_match() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.press(&[Key::Char('/')]);
    screen.type_text("\"n\":4");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.list.selected_offset(), starts[4] as u64);
    screen.press(&[Key::Char('n')]);
    assert_eq!(screen.model.list.selected_offset(), starts[40] as u64);
    screen.press(&[Key::Char('N')]);
    assert_eq!(screen.model.list.selected_offset(), starts[4] as u64);
    screen.press(&[Key::Char('N')]);
    screen.assert_shows("Search continued at the end of the log");
    assert_eq!(screen.model.list.selected_offset(), starts[49] as u64);
}

#[test]
fn a_search_without_counted_hits_continues_at_the_other_end() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.model.scan.state = ScanState::Off;
    screen.press(&[Key::Char('G'), Key::Char('/')]);
    screen.type_text("\"n\":7,");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.list.selected_offset(), starts[7] as u64);
    screen.assert_shows("Search continued at the start of the log");
    screen.press(&[Key::Char('n')]);
    screen.assert_shows("This is the only match");
}

#[test]
fn the_response_to_an_older_request_is_dropped() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    let rows = screen.model.list.rows.clone();
    let late_response = || Message::Response {
        worker: WorkerKind::List,
        generation: 0,
        response: Response::RowWindow { page: RowPage::default(), cursor_offset: 0 },
    };
    screen.send(Message::Drawn(SessionTime(screen.clock)));
    screen.send(late_response());
    assert_eq!(screen.model.list.rows, rows);
    assert!(!screen.model.needs_redraw, "a dropped response draws nothing");
    screen.press(&[Key::Esc]);
    screen.send(late_response());
    assert!(screen.model.needs_redraw, "a dropped response keeps the pending redraw");
}

#[test]
fn the_end_is_followed_until_the_cursor_moves_up() {
    let bytes = clean_log(40);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes[..starts[30]], (120, 40));
    screen.press(&[Key::Char('F')]);
    for n in 31..40 {
        let mut file = OpenOptions::new().append(true).open(&screen.path).unwrap();
        file.write_all(&bytes[starts[n - 1]..starts[n]]).unwrap();
        screen.poll_log();
        assert_eq!(screen.model.list.selected_offset(), starts[n - 1] as u64);
    }
    screen.press(&[Key::Char('k')]);
    assert!(matches!(screen.model.follow, Follow::Paused(_)));
    screen.assert_shows("Follow paused");
}

#[test]
fn a_log_that_was_cut_or_removed_is_reported() {
    let mut screen = TestScreen::new(&clean_log(40), (120, 40));
    screen.press(&[Key::Char('G')]);
    fs::write(&screen.path, &clean_log(40)[..3000]).unwrap();
    let log_info = Box::new(screen.shared.log_info().unwrap());
    screen.send_update(BackgroundUpdate::LogChanged(log_info, LogChange::Shrunk(9000)));
    screen.assert_shows("Log cut: 9 000 bytes before, 3 000 now");
    assert!(screen.model.list.selected_offset() < 3000);
    screen.send_update(BackgroundUpdate::LogUnavailable(LogUnavailable::Missing));
    screen.assert_shows("removed or renamed");
    screen.press(&[Key::Char('j')]);
    assert!(screen.screen_text().lines().next().unwrap().contains("GONE"), "{}", screen.screen_text());
}

#[test]
fn esc_clears_search_then_filter_then_zoom_and_never_quits() {
    let mut screen = TestScreen::new(&clean_log(9), (120, 40));
    screen.press(&[Key::Char('/')]);
    screen.type_text("Juan");
    screen.press(&[Key::Enter, Key::Char('@'), Key::Char('z'), Key::Tab]);
    screen.press(&[Key::Esc]);
    assert!(screen.model.search.is_none() && !screen.model.list.filter.is_empty());
    screen.press(&[Key::Esc]);
    assert!(screen.model.list.filter.is_empty());
    screen.press(&[Key::Esc; 10]);
    assert!(!screen.has_effect(|effect| matches!(effect, Effect::Quit)));
    screen.press(&[Key::Char('q')]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::Quit)));
}

#[test]
fn esc_stops_the_users_job_and_not_the_scan() {
    let mut screen = TestScreen::new(&clean_log(9), (120, 40));
    // The job belongs to a request that gets no response.
    screen.model.jobs.push(UserJob {
        worker: WorkerKind::Jump,
        name: "jumping".into(),
        done: 0,
        total: 0,
        started: SessionTime::default(),
        on_esc: EscBehavior::CancelsJob,
    });
    assert!(screen.has_job(WorkerKind::Jump));
    screen.press(&[Key::Esc]);
    assert!(!screen.has_job(WorkerKind::Jump));
    assert!(screen.has_effect(|effect| matches!(effect, Effect::Cancel(WorkerKind::Jump))));
    assert_eq!(screen.model.scan.state, ScanState::Running);
    assert!(!screen.has_effect(|effect| matches!(effect, Effect::StopScan)));
}

#[test]
fn a_filter_that_is_stopped_before_its_rows_arrive_is_dropped() {
    let mut screen = TestScreen::new(&clean_log(9), (120, 40));
    let rows = screen.model.list.rows.clone();
    screen.press(&[Key::Char('f')]);
    screen.type_text("agg:1");
    // The request is removed before a worker can respond.
    screen.press_unhandled(Key::Enter);
    screen.model.effects.clear();
    assert!(screen.has_job(WorkerKind::List) && !screen.model.list.filter.is_empty());
    screen.press(&[Key::Esc]);
    assert!(screen.model.list.filter.is_empty());
    assert_eq!(screen.model.list.rows, rows);
}

#[test]
fn a_copy_is_shown_and_put_on_the_clipboard() {
    let bytes = clean_log(9);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.press(&[Key::Char('j'), Key::Char('y'), Key::Char('p')]);
    assert_eq!(screen.copied_texts(), [r#"{"name":"Juan","n":0,"amount":0.50,"tags":["a","b"]}"#]);
    screen.press(&[Key::Char('y'), Key::Char('c')]);
    assert!(screen.copied_texts().last().unwrap().ends_with("chronicle show /logs/accounts.log 16"));
    screen.press(&[Key::Char('y'), Key::Char('h')]);
    assert!(screen.copied_texts().last().unwrap().starts_with("000000"));
    screen.assert_shows("Sent hex (");
}

#[test]
fn the_next_damage_is_found_without_a_scan() {
    let bytes = damaged_log();
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.press(&[Key::Char('e')]);
    assert!(matches!(screen.model.list.selected_row().unwrap().content, RowContent::Finding(_)));
    let first = screen.model.list.selected_offset();
    screen.press(&[Key::Char('e')]);
    assert!(screen.model.list.selected_offset() > first);
    screen.press(&[Key::Char('E')]);
    assert_eq!(screen.model.list.selected_offset(), first);
}

#[test]
fn an_aggregate_leads_to_its_events_and_their_history() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('2'), Key::Char('j'), Key::Enter]);
    assert_eq!((screen.model.tab, screen.model.list.filter.text()), (Tab::Events, "agg:1"));
    screen.press(&[Key::Char('j'), Key::Char('[')]);
    assert_eq!(screen.model.detail.view, DetailView::Aggregate);
    screen.assert_shows("~ n: 1 → 6");
}

#[test]
fn hostile_text_is_never_drawn_unchanged() {
    let mut bytes = clean_log(1);
    let payload = "{\"write_timestamp_ms\":1,\"event_type\":\"\u{202e}evil\u{200b}\",\"namespace\":\"n\\u001b[31m\",\
                   \"schema_id\":\"S\",\"schema_version\":1,\"aggregate_id\":1,\"payload\":{\"\u{7f}k\":\"\u{9b}x\"}}";
    let mut frame = (payload.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(payload.as_bytes());
    let sum = crc32fast::hash(&frame);
    bytes.extend_from_slice(&frame);
    bytes.extend_from_slice(&sum.to_be_bytes());
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('G')]);
    let text = screen.screen_text();
    for (name, token) in [("key", "\u{7f}k"), ("value", "\u{9b}x"), ("type", "\u{202e}evil\u{200b}")] {
        assert!(text.contains(&*crate::report::sanitize(token)), "{name}: {text}");
    }
    for _ in DetailView::ALL {
        let text = screen.screen_text();
        assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{1b}', '\u{7f}', '\u{9b}']), "{text}");
        assert!(text.contains("U+202E") || text.contains("‹"), "{text}");
        screen.press(&[Key::Char(']')]);
    }
}

#[test]
fn damage_is_red_except_in_the_mono_theme() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    let colors = |screen: &TestScreen| -> Vec<Color> { screen.render().content.iter().map(|cell| cell.fg).collect() };
    assert!(colors(&screen).contains(&Color::Red));
    screen.model.theme = Theme::Mono;
    assert!(colors(&screen).iter().all(|color| *color == Color::Reset));
}

#[test]
fn rows_of_an_earlier_filter_are_dimmed_until_new_ones_arrive() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    let is_dimmed = |screen: &TestScreen| (3..60).all(|x| screen.render()[(x, 6)].modifier.contains(Modifier::DIM));
    assert!(!is_dimmed(&screen));
    screen.press(&[Key::Char('f')]);
    screen.type_text("type:Updated");
    // The filter is submitted, and no worker has responded yet.
    screen.send(Message::Drawn(SessionTime(Duration::from_secs(9))));
    screen.send_unhandled(Message::Key(Key::Enter, SessionTime(Duration::from_secs(10))));
    screen.assert_shows("type:Updated, searching");
    assert!(is_dimmed(&screen));
    screen.handle_effects();
    assert!(!is_dimmed(&screen), "{}", screen.screen_text());
}
