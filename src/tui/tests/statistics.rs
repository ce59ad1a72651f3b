//! The Statistics tab: groups, properties, periods, and the filter that a group leads to.

use super::{TestScreen, clean_log, damaged_log};
use crate::query::{GroupBy, StatisticsDetail};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::model::{ScanState, Tab};
use crate::tui::request::{Request, StatisticsPeriod, WorkerKind};
use crate::tui::theme::Role;

/// An event is written every 1.371 s, so an hour has 2 626 events, and this log lasts more than an hour.
const EVENTS: u64 = 3000;

fn screen_with_statistics(bytes: &[u8]) -> TestScreen {
    let mut screen = TestScreen::new(bytes, (120, 30));
    screen.run_scan();
    screen.press(&[Key::Char('6')]);
    screen
}

fn total(screen: &TestScreen) -> u64 {
    screen.model.statistics.result.as_ref().unwrap().statistics.total.events
}

#[test]
fn enter_on_a_group_shows_its_events() {
    let mut screen = screen_with_statistics(&clean_log(30));
    screen.assert_shows("20    66.7 %   4.1 KiB");
    screen.press(&[Key::Char('j'), Key::Enter]);
    assert_eq!((screen.model.tab, screen.model.list.filter.text()), (Tab::Events, "type:Created"));
    screen.press(&[Key::Char('6')]);
    assert_eq!(total(&screen), 10);
    screen.press(&[Key::Char('s'); 4]);
    assert_eq!(screen.model.statistics.by, GroupBy::Aggregate);
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.list.filter.text(), "type:Created agg:0");
}

#[test]
fn one_key_counts_the_events_of_the_last_hour() {
    let mut screen = TestScreen::new(&clean_log(EVENTS), (120, 30));
    screen.run_scan();
    screen.press(&[Key::Char('p')]);
    assert_eq!((screen.model.tab, screen.model.statistics.period), (Tab::Statistics, StatisticsPeriod::LastHour));
    let in_an_hour = 3_600_000 / 1371 + 1;
    assert_eq!(total(&screen), in_an_hour);
    screen.assert_shows("last hour of the log: 2 626 events");
    screen.press(&[Key::Enter]);
    let filter = screen.model.list.filter.text().to_owned();
    assert!(filter.starts_with("type:Updated time>=2026-11-20T09:0"), "{filter}");
    screen.press(&[Key::Char('6'), Key::Char('p'), Key::Char('p'), Key::Backspace, Key::Backspace]);
    assert_eq!((screen.model.statistics.period, total(&screen)), (StatisticsPeriod::All, EVENTS));
}

#[test]
fn esc_stops_the_count_and_v_starts_it_again() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 30));
    screen.run_scan();
    screen.press_unhandled(Key::Char('6'));
    assert!(screen.has_job(WorkerKind::Statistics));
    screen.assert_shows("Counting events");
    screen.press_unhandled(Key::Esc);
    assert!(!screen.has_job(WorkerKind::Statistics));
    screen.assert_shows("Stopped; v counts again");
    screen.press(&[Key::Char('v')]);
    assert_eq!(total(&screen), 30);
}

#[test]
fn the_log_is_read_after_the_numbers_of_the_index() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 30));
    screen.run_scan();
    screen.press(&[Key::Char('r')]);
    screen.press(&[Key::Tab, Key::Enter]);
    screen.poll_log();
    screen.press_unhandled(Key::Char('6'));
    let details: Vec<StatisticsDetail> = screen
        .model
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Request { request, .. } => match request.as_ref() {
                Request::Statistics(request) => Some(request.detail),
                _ => None,
            },
            _ => None,
        })
        .collect();
    assert_eq!(details, [StatisticsDetail::Counts]);
    screen.handle_effects();
    let statistics = &screen.model.statistics.result.as_ref().unwrap().statistics;
    assert_eq!((statistics.counted_to, statistics.total.events), (0, 30));
    assert!(statistics.total.bytes > 0);
}

#[test]
fn statistics_of_a_damaged_log_report_what_they_leave_out() {
    let screen = screen_with_statistics(&damaged_log());
    screen.assert_shows("without 4 damaged ranges");
}

#[test]
fn the_damage_is_named_only_while_no_scan_may_find_more() {
    let mut screen = screen_with_statistics(&damaged_log());
    screen.press(&[Key::Char('V')]);
    assert_eq!(screen.model.scan.state, ScanState::Running);
    assert!(!screen.shows("damaged range"), "{}", screen.screen_text());
    screen.run_scan();
    screen.assert_shows("without 4 damaged ranges");
}

#[test]
fn a_wide_table_has_the_first_and_the_last_time_near_the_names_in_the_colours_of_the_types() {
    let mut screen = screen_with_statistics(&clean_log(30));
    screen.resize(200, 60);
    let text = screen.screen_text();
    let row = text.lines().find(|line| line.starts_with("> Updated")).unwrap().to_owned();
    // The events of this log are 1.371 s apart, and the second one is the first `Updated`.
    for expected in ["2026-11-20 09:00:02.742Z", "2026-11-20 09:00:41.130Z"] {
        assert!(row.contains(expected), "{expected}: {text}");
    }
    let heading = text.lines().find(|line| line.contains("first")).unwrap();
    for (name, time) in [("first", "2026-11-20 09:00:02"), ("last", "2026-11-20 09:00:41")] {
        let column = |line: &str, text: &str| line[..line.find(text).unwrap()].chars().count();
        assert_eq!(column(heading, name), column(&row, time), "{name}: {text}");
    }
    assert!(row.find("20 ").unwrap() < 40, "the numbers are near the names: {row}");
    let buffer = screen.render();
    let y = text.lines().position(|line| line.starts_with("  Created")).unwrap() as u16;
    assert_eq!(Some(buffer[(2, y)].fg), screen.model.theme.style(Role::of_event_type("Created")).fg);
}
