//! Filters by the value under the cursor, and the ways back from jumps and filters.

use super::detail::{SIZE, detail_lines, move_to_line, screen_of};
use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::tui::keys::Key;
use crate::tui::model::{Pane, Tab};

/// Selects the row at an offset.
fn go_to(screen: &mut TestScreen, place: &str) {
    screen.press(&[Key::Char(':')]);
    screen.type_text(place);
    screen.press(&[Key::Enter]);
}

#[test]
fn the_value_under_the_cursor_is_named_copied_and_filtered_by() {
    let mut screen = screen_of(&[
        r#"{"order_id":"A-1","state":"new"}"#,
        r#"{"order_id":"B 2","state":"new"}"#,
        r#"{"order_id":"A-1","state":"paid"}"#,
    ]);
    screen.press(&[Key::Char('j'), Key::Char('+')]);
    screen.assert_shows("the detail pane shows the values");
    move_to_line(&mut screen, "payload.order_id");
    assert!(detail_lines(&screen)[2].contains(" payload.order_id "), "{}", screen.screen_text());
    screen.press(&[Key::Char('y'), Key::Char('v'), Key::Char('y'), Key::Char('a')]);
    assert_eq!(screen.copied_texts(), ["\"A-1\"", "payload.order_id"]);

    let events =
        |screen: &TestScreen| screen.model.list.rows.iter().filter(|row| row.content.kind_name() == "event").count();
    screen.press(&[Key::Char('+')]);
    assert_eq!((screen.model.list.filter.text(), events(&screen)), ("payload.order_id=\"A-1\"", 2));
    move_to_line(&mut screen, "payload.state");
    screen.press(&[Key::Char('-')]);
    assert_eq!(
        (screen.model.list.filter.text(), events(&screen)),
        ("payload.order_id=\"A-1\" -payload.state=\"new\"", 1)
    );
    move_to_line(&mut screen, "event_type");
    screen.press(&[Key::Char('=')]);
    assert_eq!((screen.model.list.filter.text(), events(&screen)), ("type:\"Updated\"", 3));
    // Each change of the filter was a jump.
    for text in ["payload.order_id=\"A-1\" -payload.state=\"new\"", "payload.order_id=\"A-1\"", ""] {
        screen.press(&[Key::Ctrl('o')]);
        assert_eq!(screen.model.list.filter.text(), text);
    }
    screen.press(&[Key::Char('>')]);
    assert_eq!(screen.model.list.filter.text(), "payload.order_id=\"A-1\"");
    screen.press(&[Key::Char('g'), Key::Char('+')]);
    screen.assert_shows("a filter compares a value inside it");
}

#[test]
fn every_jump_can_be_undone_and_marks_return() {
    let mut screen = TestScreen::new(&damaged_log(), SIZE);
    screen.run_scan();
    let bytes = screen.model.log_info.bytes;
    screen.press(&[Key::Char('j'), Key::Char('m'), Key::Char('a')]);
    let marked = screen.model.list.selected_offset();
    let mut left = Vec::new();
    let mut jump = |screen: &mut TestScreen, keys: &[Key]| {
        left.push((screen.model.tab, screen.model.list.selected_offset(), screen.model.list.filter.text().to_owned()));
        screen.press(keys);
    };
    jump(&mut screen, &[Key::Char('e')]);
    let place = (bytes / 2).to_string();
    let goto: Vec<Key> =
        std::iter::once(Key::Char(':')).chain(place.chars().map(Key::Char)).chain([Key::Enter]).collect();
    jump(&mut screen, &goto);
    jump(&mut screen, &[Key::Char('G')]);
    screen.press(&[Key::Char('k'), Key::Char('k')]);
    jump(&mut screen, &[Key::Char('@')]);
    screen.press(&[Key::Char('3'), Key::Char('j')]);
    jump(&mut screen, &[Key::Enter]);
    for expected in left.iter().rev() {
        screen.press(&[Key::Ctrl('o')]);
        let model = &screen.model;
        assert_eq!(&(model.tab, model.list.selected_offset(), model.list.filter.text().to_owned()), expected);
    }
    screen.press(&[Key::Ctrl('o')]);
    screen.assert_shows("No earlier place");
    for expected in left.iter().skip(1) {
        screen.press(&[Key::Ctrl('i')]);
        assert_eq!((screen.model.tab, screen.model.list.selected_offset()), (expected.0, expected.1));
    }
    // A place that no jump has recorded yet.
    let recorded = screen.model.list.selected_offset();
    screen.press(&[Key::Char('1'), Key::Esc, Key::Char('k')]);
    let before = screen.model.list.selected_offset();
    assert_ne!(before, recorded);
    screen.press(&[Key::Char('\'')]);
    screen.assert_shows("a  at ");
    screen.press(&[Key::Char('a')]);
    assert_eq!((screen.model.tab, screen.model.list.selected_offset()), (Tab::Events, marked));
    screen.press(&[Key::Char('\''), Key::Char('\'')]);
    assert_eq!(screen.model.list.selected_offset(), before);
    screen.press(&[Key::Char('\''), Key::Char('b')]);
    screen.assert_shows("No mark b");
}

#[test]
fn keys_about_values_wait_for_the_row_that_a_jump_leads_to() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes, SIZE);
    screen.run_scan();
    go_to(&mut screen, &starts[40].to_string());
    assert_eq!(screen.model.list.selected_offset(), starts[40] as u64);
    screen.press(&[Key::Enter]);
    move_to_line(&mut screen, "payload.n");
    screen.type_unhandled("nS");
    screen.handle_effects();
    assert!(screen.model.awaited.is_empty());
    // The keys of the copy arrive before the row to which the jump leads, and are about that row all the same.
    screen.press_unhandled(Key::Char(':'));
    screen.type_unhandled(&starts[10].to_string());
    screen.press_unhandled(Key::Enter);
    screen.type_unhandled("yo");
    screen.handle_effects();
    assert_eq!(screen.copied_texts().last().copied(), Some(starts[10].to_string().as_str()));
}

#[test]
fn enter_goes_to_an_event_of_the_history_and_back() {
    let mut screen = TestScreen::new(&clean_log(40), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char('['), Key::Enter]);
    let start = screen.model.list.selected_offset();
    screen.press(&[Key::Char('j'); 4]);
    let history = screen.model.detail.contents.as_ref().unwrap().history.as_ref().unwrap();
    let target = history.entry_at(screen.model.detail.cursor.line).unwrap().row.start;
    assert!(target > start);
    screen.press(&[Key::Enter]);
    assert_eq!((screen.model.list.selected_offset(), screen.model.focus), (target, Pane::Detail));
    let history = screen.model.detail.contents.as_ref().unwrap().history.as_ref().unwrap();
    assert_eq!(history.line_of_offset(target), screen.model.detail.cursor.line, "the cursor is on the chosen event");
    screen.press(&[Key::Enter]);
    assert_eq!((screen.model.list.selected_offset(), screen.model.focus), (start, Pane::Detail));
}

#[test]
fn enter_on_the_selected_event_of_a_history_leaves_the_place() {
    let mut screen = TestScreen::new(&clean_log(40), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('G'), Key::Char('[')]);
    let start = screen.model.list.selected_offset();
    screen.press(&[Key::Enter, Key::Enter]);
    assert_eq!((screen.model.list.selected_offset(), screen.model.focus), (start, Pane::Detail));
    screen.assert_shows("This event is the selected one");
}

#[test]
fn the_values_of_the_selected_event_are_one_key_away_and_a_refusal_says_what_to_press() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Char('=')]);
    screen.assert_shows("the detail pane shows the values; Enter or Tab goes there");
    screen.press(&[Key::Tab]);
    for _ in 0..3 {
        screen.press(&[Key::Down]);
    }
    screen.press(&[Key::Char('=')]);
    assert_eq!(screen.model.list.filter.text(), "ns:\"accounts\"");
    screen.press(&[Key::Ctrl('o'), Key::Char(']'), Key::Char('=')]);
    screen.assert_shows("this view shows no values; [ and ] change to the JSON view");
    screen.press(&[Key::Char('['), Key::Char('1'), Key::Char('e'), Key::Tab, Key::Char('='), Key::Char('=')]);
    assert_eq!(screen.model.focus, Pane::Detail);
    screen.assert_shows("only events have values; 1 goes back to the list, Enter");
}

#[test]
fn a_write_time_is_excluded_by_its_millisecond() {
    let mut screen = TestScreen::new(&clean_log(5), SIZE);
    screen.run_scan();
    screen.press(&[Key::Char('j')]);
    move_to_line(&mut screen, "write_timestamp_ms");
    screen.press(&[Key::Char('-')]);
    assert_eq!(screen.model.list.filter.text(), "-time:2026-11-20T09:00:01.371Z");
    let events = screen.model.list.rows.iter().filter(|row| row.content.kind_name() == "event").count();
    assert_eq!(events, 4);
}

#[test]
fn the_key_of_the_shown_tab_leads_back_to_its_rows() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    for keys in [vec![Key::Enter], vec![Key::Tab], vec![Key::Tab, Key::Tab]] {
        screen.press(&keys);
        assert_ne!(screen.model.focus, Pane::Main, "{keys:?}");
        screen.press(&[Key::Char('1')]);
        assert_eq!((screen.model.tab, screen.model.focus), (Tab::Events, Pane::Main), "{keys:?}");
    }
}
