//! The timeline: its columns, the list that moves with it, the span that filters, and logs that grow or change.

use super::golden::assert_golden;
use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::model::{ColumnStep, Follow, Pane, Tab, TimelineProgress, TimelineVisibility};
use crate::tui::request::{Request, WorkerKind};
use crate::tui::theme::Theme;

/// Times of the events of a log: one every 1.371 s.
const STEP_MS: u64 = 1371;

fn screen_with_timeline(bytes: &[u8], size: (u16, u16)) -> TestScreen {
    let mut screen = TestScreen::new(bytes, size);
    screen.run_scan();
    screen.press(&[Key::Char('t')]);
    screen
}

/// Returns the number of events in all columns.
fn total(screen: &TestScreen) -> u64 {
    screen.model.timeline.columns().unwrap().columns.iter().map(|column| column.events).sum()
}

/// Returns the position of the column under the cursor.
fn cursor(screen: &TestScreen) -> Option<usize> {
    screen.model.timeline.columns()?.position_of(screen.model.timeline.cursor_ms?)
}

/// Returns the column of the selected row of the list.
fn column_of_list(screen: &TestScreen) -> Option<usize> {
    screen.model.timeline.columns()?.position_of(screen.model.selected_time()?)
}

/// Returns the pending requests for timelines: whether each extends an earlier one.
fn pending_requests(screen: &TestScreen) -> Vec<bool> {
    let requests = screen.model.effects.iter().filter_map(|effect| match effect {
        Effect::Request { request, .. } => match request.as_ref() {
            Request::Timeline(request) => Some(request.base.is_some()),
            _ => None,
        },
        _ => None,
    });
    requests.collect()
}

#[test]
fn the_timeline_in_its_sizes() {
    let sizes = [(120, 40), (80, 24), (60, 15), (40, 9), (20, 5), (12, 2), (1, 1)];
    let mut screen = screen_with_timeline(&damaged_log(), (120, 40));
    screen.press(&[Key::Right, Key::Right]);
    assert_golden("timeline", &mut screen, &sizes[..5]);
    for (width, height) in sizes {
        screen.resize(width, height);
        assert_eq!(screen.screen_text().lines().count(), usize::from(height));
    }
    screen.press(&[Key::Char('v'), Key::Right, Key::Right, Key::Right]);
    assert_golden("timeline_span", &mut screen, &sizes[..3]);
    screen.press(&[Key::Char('z')]);
    assert_golden("timeline_alone", &mut screen, &sizes[1..3]);
}

#[test]
fn damage_and_the_cursor_differ_without_colours() {
    let mut screen = screen_with_timeline(&damaged_log(), (120, 40));
    screen.model.theme = Theme::Mono;
    screen.press(&[Key::Right]);
    let text = screen.screen_text();
    let axis = text.lines().nth(7).unwrap();
    assert_eq!((axis.matches('×').count(), axis.matches('▲').count()), (4, 1), "{axis}");
    screen.press(&[Key::Right]);
    let buffer = screen.render();
    let at_damage = buffer.content.iter().skip(7 * 120).take(120).find(|cell| cell.symbol() == "×").unwrap();
    assert!(at_damage.modifier.contains(ratatui::style::Modifier::REVERSED), "the cursor is at the damage");
    screen.resize(40, 9);
    let text = screen.screen_text();
    assert_eq!(text.lines().nth(2).unwrap().matches('×').count(), 4, "the bars mark the damage: {text}");
}

#[test]
fn list_and_timeline_move_together() {
    let mut screen = screen_with_timeline(&clean_log(300), (120, 40));
    assert_eq!((screen.model.focus, screen.model.timeline.visibility), (Pane::Timeline, TimelineVisibility::Shown));
    assert_eq!((total(&screen), cursor(&screen)), (300, Some(0)));
    let starts = frame_starts(&clean_log(300));
    for step in 1..60 {
        screen.press(&[Key::Right]);
        assert_eq!((cursor(&screen), column_of_list(&screen)), (Some(step), Some(step)), "step {step}");
        let first = screen.model.timeline.columns().unwrap().columns[step].first_offset.unwrap();
        assert_eq!(screen.model.list.selected_offset(), first);
        assert!(starts.contains(&(first as usize)));
    }
    assert_eq!(screen.model.focus, Pane::Timeline);
    screen.press(&[Key::Char('h')]);
    assert_eq!(cursor(&screen), Some(58));
    // Movements in the list move the mark.
    screen.press(&[Key::Char('j'); 7]);
    assert_eq!(cursor(&screen), column_of_list(&screen));
    assert!(cursor(&screen) > Some(58));
    screen.press(&[Key::Char('G')]);
    assert_eq!(cursor(&screen), screen.model.timeline.columns().unwrap().next_with_events(None, ColumnStep::Earlier));
    screen.press(&[Key::Char('g')]);
    assert_eq!((cursor(&screen), screen.model.list.selected_offset()), (Some(0), 16));
    screen.press(&[Key::Tab, Key::Char('G')]);
    assert_eq!(cursor(&screen), column_of_list(&screen));
    assert!(cursor(&screen) > Some(60));
}

#[test]
fn keys_in_a_burst_move_by_as_many_columns() {
    let mut screen = screen_with_timeline(&clean_log(3000), (120, 40));
    for _ in 0..60 {
        screen.press_unhandled(Key::Right);
    }
    assert_eq!(cursor(&screen), Some(60));
    screen.handle_effects();
    assert_eq!((cursor(&screen), column_of_list(&screen)), (Some(60), Some(60)));
}

#[test]
fn a_span_filters_and_the_jump_list_returns() {
    let mut screen = screen_with_timeline(&clean_log(300), (120, 40));
    screen.press(&[Key::Right; 5]);
    screen.press(&[Key::Char(' ')]);
    screen.press(&[Key::Right; 9]);
    let columns = screen.model.timeline.columns().unwrap();
    let expected: u64 = columns.columns[5..=14].iter().map(|column| column.events).sum();
    screen.assert_shows(&format!(": {expected} events"));
    let left_offset = screen.model.list.selected_offset();
    screen.press(&[Key::Enter]);
    let first = columns.columns[5].first_offset.unwrap();
    assert_eq!((total(&screen), screen.model.list.selected_offset()), (expected, first));
    let text = screen.model.list.filter.text().to_owned();
    assert!(text.starts_with("after:2026-11-20T09:0") && text.contains(" before:2026-11-20T09:0"), "{text}");
    assert_eq!((screen.model.focus, screen.model.timeline.anchor_ms), (Pane::Timeline, None));
    // Another span replaces the times; other words stay.
    screen.press(&[Key::Tab, Key::Char('f')]);
    screen.type_text(" type:Updated");
    screen.press(&[Key::Enter, Key::Char('t'), Key::Right, Key::Enter]);
    let narrower = screen.model.list.filter.text().to_owned();
    assert!(narrower.starts_with("type:Updated after:") && narrower.matches("before:").count() == 1, "{narrower}");
    assert_eq!(total(&screen), 1);
    screen.press(&[Key::Ctrl('o'), Key::Ctrl('o'), Key::Ctrl('o')]);
    assert_eq!((screen.model.list.filter.text(), screen.model.list.selected_offset()), ("", left_offset));
    assert_eq!(total(&screen), 300);
}

#[test]
fn esc_drops_the_span_then_closes_the_timeline_before_the_filter() {
    let mut screen = screen_with_timeline(&clean_log(60), (120, 40));
    screen.press(&[Key::Enter, Key::Char('v'), Key::Right]);
    assert!(!screen.model.list.filter.is_empty());
    screen.press(&[Key::Esc]);
    assert_eq!((screen.model.timeline.anchor_ms, screen.model.focus), (None, Pane::Timeline));
    screen.press(&[Key::Esc]);
    assert_eq!((screen.model.timeline.visibility, screen.model.focus), (TimelineVisibility::Hidden, Pane::Main));
    assert!(!screen.model.list.filter.is_empty());
    screen.press(&[Key::Char('t'), Key::Char('t')]);
    assert_eq!((screen.model.timeline.visibility, screen.model.focus), (TimelineVisibility::Hidden, Pane::Main));
    // From another tab, the key leads to the timeline of the events.
    screen.press(&[Key::Char('6'), Key::Char('t')]);
    assert_eq!((screen.model.tab, screen.model.focus), (Tab::Events, Pane::Timeline));
}

#[test]
fn the_count_stops_and_starts_again() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 30));
    screen.run_scan();
    screen.press_unhandled(Key::Char('t'));
    assert!(screen.has_job(WorkerKind::Timeline));
    screen.assert_shows("Counting events");
    screen.press_unhandled(Key::Esc);
    assert!(!screen.has_job(WorkerKind::Timeline));
    screen.assert_shows("Stopped; t counts again");
    screen.handle_effects();
    assert!(screen.model.timeline.timeline.is_none(), "the response of a stopped count is dropped");
    screen.press(&[Key::Char('t')]);
    assert_eq!((total(&screen), screen.model.timeline.progress), (30, TimelineProgress::Idle));
}

#[test]
fn a_growing_log_extends_the_timeline_and_moving_pauses_follow() {
    let mut screen = screen_with_timeline(&clean_log(30), (120, 40));
    screen.press(&[Key::Char('F')]);
    std::fs::write(&screen.path, clean_log(45)).unwrap();
    screen.shared.refresh_view().unwrap();
    let log_info = Box::new(screen.shared.log_info().unwrap());
    screen.send_unhandled(crate::tui::message::Message::Background(crate::tui::message::BackgroundUpdate::LogInfo(
        log_info,
    )));
    assert_eq!(pending_requests(&screen), [true]);
    assert!(!screen.has_job(WorkerKind::Timeline), "what is appended is added without a message");
    screen.handle_effects();
    assert_eq!((total(&screen), cursor(&screen)), (45, column_of_list(&screen)));
    let last_ms = 1_795_165_200_000 + 45 * STEP_MS;
    assert_eq!(screen.model.selected_time(), Some(last_ms));
    screen.press(&[Key::Char('t'), Key::Left]);
    assert!(matches!(screen.model.follow, Follow::Paused(_)));
}

#[test]
fn a_log_that_was_cut_is_counted_again() {
    let mut screen = screen_with_timeline(&clean_log(30), (120, 40));
    let bytes = clean_log(10);
    std::fs::write(&screen.path, &bytes).unwrap();
    screen.shared.reopen_log().unwrap();
    let log_info = Box::new(screen.shared.log_info().unwrap());
    let before = screen.model.log_info.bytes;
    screen.send_update(crate::tui::message::BackgroundUpdate::LogChanged(
        log_info,
        crate::tui::message::LogChange::Shrunk(before),
    ));
    assert_eq!(total(&screen), 10);
}

#[test]
fn a_click_goes_to_the_column() {
    let mut screen = screen_with_timeline(&clean_log(300), (120, 40));
    screen.press(&[Key::Tab]);
    screen.send(crate::tui::message::Message::Click(ratatui::layout::Position::new(42, 4)));
    assert_eq!((screen.model.focus, cursor(&screen), column_of_list(&screen)), (Pane::Timeline, Some(42), Some(42)));
}

#[test]
fn a_log_without_events_has_an_empty_timeline() {
    let screen = screen_with_timeline(&clean_log(0), (80, 24));
    screen.assert_shows("No events");
}
