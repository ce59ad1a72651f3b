//! The detail pane: its views, values, folds and searches, the state of an aggregate.

use ratatui::style::Modifier;

use super::{TestScreen, clean_log, damaged_log};
use crate::format::{DamageKind, Event, Finding};
use crate::log::OpenOptions;
use crate::repair::ProposedFix;
use crate::tui::keys::Key;
use crate::tui::layout::compute_areas;
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::{DetailView, HistoryLine, Pane};

pub(super) const SIZE: (u16, u16) = (120, 40);

/// Returns a log with one event of aggregate 1 for each payload.
pub(super) fn log_of(payloads: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    let mut time = 1_795_165_200_000;
    let clock = move || {
        time += 61_000;
        time
    };
    let clock = std::sync::Mutex::new(clock);
    let mut log = OpenOptions::new().clock(move || clock.lock().unwrap()()).create(&path).unwrap();
    for payload in payloads {
        let event = Event::builder().event_type("Updated").namespace("n").schema_id("S").schema_version(1);
        log.append(&event.aggregate_id(1).payload_json(*payload).build().unwrap()).unwrap();
    }
    drop(log);
    std::fs::read(&path).unwrap()
}

pub(super) fn screen_of(payloads: &[&str]) -> TestScreen {
    let mut screen = TestScreen::new(&log_of(payloads), SIZE);
    screen.run_scan();
    screen
}

/// Returns the lines of the detail pane, without the empty column before them.
pub(super) fn detail_lines(screen: &TestScreen) -> Vec<String> {
    let area = compute_areas(&screen.model).detail;
    let text = screen.screen_text();
    let line = |line: &str| -> String { line.chars().skip(usize::from(area.x) + 1).collect() };
    text.lines().map(|text| line(text).trim_end().to_owned()).collect()
}

fn shown_views(screen: &TestScreen) -> Vec<DetailView> {
    screen.model.detail.contents.as_ref().unwrap().views().collect()
}

/// Moves the cursor of the detail pane to the first line that contains a text.
pub(super) fn move_to_line(screen: &mut TestScreen, text: &str) {
    if screen.model.focus != Pane::Detail {
        screen.press(&[Key::Enter]);
    }
    screen.press(&[Key::Char('g')]);
    let value = |screen: &TestScreen| screen.model.detail.value_under_cursor().map(|value| value.path());
    for _ in 0..60 {
        if value(screen).as_deref() == Some(text) {
            return;
        }
        screen.press(&[Key::Char('j')]);
    }
    panic!("no {text}: {}", screen.screen_text());
}

#[test]
fn only_the_views_that_a_row_has_are_offered() {
    let mut screen = TestScreen::new(&damaged_log(), SIZE);
    screen.run_scan();
    assert_eq!(shown_views(&screen), [DetailView::Frame, DetailView::Hex], "the header");
    screen.press(&[Key::Char('j')]);
    assert_eq!(shown_views(&screen), DetailView::ALL[..4], "an event that was compared with no backup");
    screen.press(&[Key::Char('e')]);
    assert_eq!(shown_views(&screen), [DetailView::Frame, DetailView::Hex, DetailView::Json], "a damaged frame");
    assert_eq!(screen.model.detail.shown_view(), DetailView::Frame);
    screen.press(&[Key::Char('e'), Key::Char('e')]);
    assert_eq!(shown_views(&screen), [DetailView::Frame, DetailView::Hex], "zeros");
    screen.assert_shows("[Finding]");
    // The view of events and the view of findings are chosen separately.
    screen.press(&[Key::Char(']'), Key::Char('k')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Json);
    screen.press(&[Key::Char('e')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Hex);
}

#[test]
fn every_pane_and_view_shows_the_row_that_its_cursor_selects() {
    let mut screen = TestScreen::new(&damaged_log(), SIZE);
    screen.run_scan();
    let mut has_shown_history = false;
    for source in [Pane::Main, Pane::Findings] {
        for view in DetailView::ALL {
            screen.press(&[Key::Char('1'), Key::Esc]);
            screen.model.focus = source;
            screen.press(&[Key::Char('g')]);
            screen.press(&[Key::Char('j'); 20]);
            screen.model.detail.view = view;
            screen.model.detail.finding_view = Some(view);
            screen.press(&[Key::Down, Key::Up]);
            let selected = screen.model.selected_row().unwrap();
            let contents = screen.model.detail.contents.as_ref().unwrap();
            assert_eq!(contents.details.row.start, selected.start, "{source:?}, {view:?}");
            let shown = screen.model.detail.shown_view();
            assert!(contents.has_view(shown), "{source:?}, {view:?}");
            assert_eq!(shown == view, contents.has_view(view), "{source:?}, {view:?}");
            assert!(!screen.shows("belongs to no aggregate"), "{}", screen.screen_text());
            if shown == DetailView::Aggregate {
                let history = contents.history.as_ref().unwrap();
                let line = screen.model.detail.cursor.line;
                assert!(line > 0, "an event before the selected one is listed");
                assert_eq!(history.entry_at(line).unwrap().row.start, selected.start);
                has_shown_history = true;
            }
        }
    }
    assert!(has_shown_history);
}

#[test]
fn the_state_of_an_aggregate_is_one_key_away() {
    let mut screen = screen_of(&[
        r#"{"name":"Ana","amount":1.50,"address":{"city":"Lima","zip":"1"}}"#,
        r#"{"amount":2.00}"#,
        r#"{"address":{"zip":null}}"#,
    ]);
    screen.press(&[Key::Char('G'), Key::Char('S')]);
    let lines = detail_lines(&screen).join("\n");
    for text in [
        "[Aggregate: state]",
        "aggregate 1 after 3",
        "\"name\": \"Ana\"",
        "\"amount\": 2.00",
        "\"city\": \"Lima\"",
        "}",
    ] {
        assert!(lines.contains(text), "{text}: {lines}");
    }
    assert!(!lines.contains("zip"), "{lines}");
    screen.press(&[Key::Char('k')]);
    screen.assert_shows("aggregate 1 after 2");
    screen.assert_shows("\"zip\": \"1\"");
    move_to_line(&mut screen, "payload.address.city");
    screen.press(&[Key::Char('S')]);
    screen.assert_shows("~ amount: 1.50 → 2.00");
    screen.assert_shows("- name: \"Ana\"  not sent");
    screen.press(&[Key::Char('1'), Key::Esc, Key::Char('g'), Key::Char('S')]);
    screen.assert_shows("no event of an aggregate is selected");
}

#[test]
fn the_history_marks_gaps_and_the_time_between_events() {
    let mut screen = TestScreen::new(&clean_log(30), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char('[')]);
    screen.assert_shows("+6.9 s");
    assert!(!screen.shows("may hold"));
    let history =
        |screen: &TestScreen| screen.model.detail.contents.as_ref().unwrap().history.as_ref().unwrap().lines().to_vec();
    let second = screen.model.detail.contents.as_ref().unwrap().history.as_ref().unwrap().history.entries[1].row.start;
    // An index lists no gaps, so the scan reports the gap.
    let gap = Finding::new(DamageKind::Gap, second - 100..second - 50);
    screen.send_update(BackgroundUpdate::Finding(Box::new(ProposedFix { finding: gap, fix: None })));
    screen.assert_shows("× 1 gap may hold an event");
    assert_eq!(history(&screen)[1], HistoryLine::PossibleLoss { damaged_ranges: 0, gaps: 1 });
}

#[test]
fn every_view_scrolls_to_the_match() {
    let long = "x".repeat(300);
    let object: Vec<String> = (0..60).map(|n| format!("\"k{n}\":{n}")).collect();
    let payload = format!("{{{},\"long\":\"{long}NEEDLE{long}\"}}", object.join(","));
    let mut screen = screen_of(&["{}", &payload, r#"{"other":"needle"}"#]);
    screen.press(&[Key::Char('/')]);
    screen.type_text("needle");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Json);
    screen.assert_shows("NEEDLE");
    // Only the match is highlighted, and not all of its value.
    let buffer = screen.render();
    let (x, y) = (0..40)
        .flat_map(|y| (60..115).map(move |x| (x, y)))
        .find(|(x, y)| (0..6).map(|n| buffer[(x + n, *y)].symbol()).collect::<String>() == "NEEDLE")
        .unwrap();
    assert!(buffer[(x, y)].modifier.contains(Modifier::REVERSED));
    assert!(!buffer[(x - 1, y)].modifier.contains(Modifier::REVERSED));

    screen.press(&[Key::Char('g'), Key::Char(']'), Key::Char('n')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Hex);
    let pane = detail_lines(&screen).concat();
    assert!(pane.contains("NEEDL") || pane.contains("EEDLE"), "{}", screen.screen_text());

    // The difference of the event that the search has selected.
    screen.press(&[Key::Char(']'), Key::Char(']'), Key::Char('n')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Aggregate);
    let line = screen.model.detail.cursor.line;
    let history = screen.model.detail.contents.as_ref().unwrap().history.as_ref().unwrap();
    assert_eq!(history.change_at(line).unwrap().after.as_deref(), Some("\"needle\""));
}

#[test]
fn a_search_in_a_history_goes_to_the_change_of_the_event_that_it_selects() {
    let mut screen = screen_of(&["{}", r#"{"a":"needle 1"}"#, r#"{"a":"needle 1","b":"needle 2"}"#]);
    screen.press(&[Key::Char('G'), Key::Char('k'), Key::Char('['), Key::Char('/')]);
    screen.type_text("needle");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Aggregate);
    let line = screen.model.detail.cursor.line;
    let history = screen.model.detail.contents.as_ref().unwrap().history.as_ref().unwrap();
    assert_eq!(history.change_at(line).unwrap().after.as_deref(), Some("\"needle 2\""));
}

#[test]
fn the_search_goes_through_the_matches_of_a_row_before_the_next_row() {
    let mut screen = screen_of(&[r#"{"a":"needle 1","b":{"c":["x","needle 2"]}}"#, r#"{"d":"needle 3"}"#]);
    screen.press(&[Key::Char('j'), Key::Enter, Key::Char('*'), Key::Char('/')]);
    screen.type_text("needle");
    screen.press(&[Key::Enter]);
    let value = |screen: &TestScreen| screen.model.detail.value_under_cursor().unwrap().token;
    assert_eq!(value(&screen), "\"needle 1\"");
    screen.press(&[Key::Char('n')]);
    assert_eq!(value(&screen), "\"needle 2\"", "in a folded part");
    screen.press(&[Key::Char('n')]);
    assert_eq!((value(&screen).as_str(), screen.model.focus), ("\"needle 3\"", Pane::Detail));
    screen.press(&[Key::Char('N')]);
    assert_eq!(value(&screen), "\"needle 2\"");
}

#[test]
fn what_is_left_of_a_damaged_payload_is_shown_with_its_bad_bytes_marked() {
    let mut bytes = log_of(&[r#"{"name":"Ana Silva","amount":120.5}"#, r#"{"name":"x"}"#]);
    let at = bytes.windows(5).position(|window| window == b"Silva").unwrap();
    bytes[at..at + 3].copy_from_slice(&[0xff, 0x00, 0x01]);
    let mut screen = TestScreen::new(&bytes, SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('e'), Key::Char('[')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Json);
    screen.assert_shows("\"amount\": 120.5");
    let lines = detail_lines(&screen).join("\n");
    assert!(lines.contains("\"name\": \"Ana \u{fffd}‹NUL›‹SOH›va\""), "{lines}");
    let buffer = screen.render();
    let marked: String = buffer
        .content
        .iter()
        .filter(|cell| cell.fg == ratatui::style::Color::Red && cell.modifier.contains(Modifier::REVERSED))
        // The glyph of damage in the strip and in the lists is red and reversed, too.
        .filter(|cell| cell.symbol() != "×")
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert_eq!(marked, "\u{fffd}‹NUL›‹SOH›");
}

#[test]
fn a_torn_event_is_shown_as_far_as_it_was_written() {
    let mut bytes = log_of(&["{}", r#"{"name":"Ana","amount":120.5}"#]);
    bytes.truncate(bytes.len() - 12);
    let mut screen = TestScreen::new(&bytes, SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('e'), Key::Char('[')]);
    screen.assert_shows("\"name\": \"Ana\",");
    screen.assert_shows("\"event_type\": \"Updated\",");
}

#[test]
fn offsets_have_one_base_everywhere_and_a_key_changes_it() {
    let mut screen = TestScreen::new(&damaged_log(), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('e'), Key::Char(']')]);
    let finding = screen.model.scan.findings[0].clone();
    let start = finding.start;
    for (shown, hidden) in [(start.to_string(), format!("{start:#x}")), (format!("{start:#x}"), start.to_string())] {
        let text = screen.screen_text();
        // The list, the findings, the title and the bytes.
        assert!(text.matches(&format!(" {shown}")).count() >= 4, "{shown}: {text}");
        assert!(!text.contains(&format!(" {hidden} ")), "{hidden}: {text}");
        screen.press(&[Key::Char('O'), Key::Down, Key::Up]);
    }
    screen.press(&[Key::Char('2'), Key::Char('O')]);
    screen.assert_shows("0x10 ");
}

#[test]
fn long_values_are_cut_with_their_size_or_wrapped() {
    let long: String = (0..300).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let mut screen = screen_of(&[&format!("{{\"text\":\"{long}\",\"n\":1}}")]);
    screen.press(&[Key::Char('j')]);
    screen.assert_shows("… 302 B");
    move_to_line(&mut screen, "payload.text");
    screen.press(&[Key::Char('$')]);
    let line = detail_lines(&screen).into_iter().find(|line| line.contains("mn\",")).unwrap();
    assert!(line.starts_with('…'), "{line}");
    assert!(!screen.shows("… 302 B"));
    screen.press(&[Key::Char('0')]);
    screen.assert_shows("\"text\": \"abc");
    screen.press(&[Key::Char('W')]);
    assert_eq!(screen.model.detail.value_under_cursor().unwrap().path(), "payload.text");
    let wrapped: String = detail_lines(&screen).iter().map(|line| line.trim_start_matches(['│', ' '])).collect();
    assert!(wrapped.contains(&format!("\"{long}\",")), "{wrapped}");
    screen.press(&[Key::Char('j')]);
    assert_eq!(screen.model.detail.value_under_cursor().unwrap().path(), "payload.text", "its second row");
    screen.press(&[Key::Char('W')]);
    assert_eq!(screen.model.detail.value_under_cursor().unwrap().path(), "payload.text");
    screen.assert_shows("… 302 B");
}

#[test]
fn the_bytes_of_a_value_are_one_key_away_and_so_is_the_way_back() {
    let mut screen = TestScreen::new(&clean_log(5), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('j')]);
    move_to_line(&mut screen, "payload.amount");
    screen.press(&[Key::Char('b')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Hex);
    let detail = &screen.model.detail;
    let contents = detail.contents.as_ref().unwrap();
    let line = detail.cursor.line * detail.hex_width;
    let key = contents.details.payload_text.as_ref().unwrap().find("\"amount\"").unwrap() + 4;
    assert!((line..line + detail.hex_width).contains(&key), "{line} {key}");
    screen.press(&[Key::Char('b')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Json);
    let path = screen.model.detail.value_under_cursor().unwrap().path();
    assert!(["payload.n", "payload.amount"].contains(&path.as_str()), "the line of bytes starts in {path}");
}

#[test]
fn the_time_of_an_event_follows_its_number() {
    let mut screen = TestScreen::new(&clean_log(3), (180, 40));
    screen.press(&[Key::Char('j')]);
    screen.assert_shows("\"write_timestamp_ms\": 1795165201371,  2026-11-20 09:00:01.371Z");
    screen.resize(140, 40);
    screen.assert_shows("\"write_timestamp_ms\": 1795165201371, 09:00:01.371\n");
    screen.resize(120, 40);
    screen.assert_shows("\"write_timestamp_ms\": 1795165201371, 09:00…\n");
}

#[test]
fn aggregates_show_the_times_of_their_first_and_last_event() {
    let mut screen = screen_of(&["{}", "{}", "{}"]);
    screen.press(&[Key::Char('2')]);
    let line = |screen: &TestScreen, start: &str| {
        let text = screen.screen_text();
        text.lines().find(|line| line.starts_with(start)).unwrap().to_owned()
    };
    let row = line(&screen, ">");
    let (first, last) = (row.find("2026-11-20 09:02:02").unwrap(), row.find("2026-11-20 09:04:04").unwrap());
    assert!(first < last, "{row}");
    let heading = |screen: &TestScreen| line(screen, "  ");
    for title in ["▲id ", "▼events ", "▲first ", "▼last "] {
        assert!(heading(&screen).contains(title), "{title}: {}", heading(&screen));
        assert_eq!(heading(&screen).matches(['▲', '▼']).count(), 1);
        screen.press(&[Key::Char('s')]);
    }
    screen.resize(80, 24);
    assert!(line(&screen, ">").contains("09:04:04"));
    screen.resize(60, 15);
    assert!(line(&screen, ">").contains("09:04:04"));
    // Below the sort by the first event, the first time is the one that stays.
    screen.press(&[Key::Char('s'), Key::Char('s')]);
    assert!(line(&screen, ">").contains("09:02:02"));
}

#[test]
fn the_findings_tab_explains_damage_of_the_whole_file() {
    let mut bytes = log_of(&["{}"]);
    let second_at = bytes.len();
    bytes.extend(log_of(&["{}"]));
    let mut screen = TestScreen::new(&bytes, SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('3')]);
    screen.assert_shows("concatenated logs: the file contains 2 logs");
    let advice = screen.model.damage_advice(usize::MAX).concat();
    assert!(advice.contains(&format!("the second from offset {second_at} on")), "{advice}");
    screen.resize(60, 15);
    screen.assert_shows("concatenated logs");
    for size in [(60, 15), (40, 12), (40, 10)] {
        screen.resize(size.0, size.1);
        assert!(screen.shows("\n>"), "the findings stay: {}", screen.screen_text());
    }
    let mut screen = TestScreen::new(&damaged_log(), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('3')]);
    assert!(!screen.shows("concatenated"));
}
