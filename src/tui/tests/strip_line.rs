//! The line of the integrity strip: clicks, and the progress of the scan.

use std::time::Duration;

use ratatui::layout::Position;
use ratatui::style::Modifier;

use super::{TestScreen, clean_log, damaged_log};
use crate::index::VerificationMark;
use crate::tui::message::{BackgroundUpdate, Message};
use crate::tui::session_time::SessionTime;

#[test]
fn a_click_on_the_strip_jumps_to_its_offset() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.send(Message::Click(Position::new(60, 1)));
    let share = screen.model.list.selected_offset() * 100 / screen.model.log_info.bytes;
    assert!((50..70).contains(&share), "{share}");
}

#[test]
fn a_long_scan_shows_its_speed_and_the_remaining_time() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    let bytes = screen.model.log_info.bytes;
    let strip_line = |screen: &TestScreen| screen.screen_text().lines().nth(1).unwrap().to_owned();
    let scan_to = |screen: &mut TestScreen, tenths: u64, from: u64, to: u64| {
        screen.model.now = SessionTime(Duration::from_millis(100 * tenths));
        screen.send_update(BackgroundUpdate::ScanProgress { from, to, end: bytes });
        strip_line(screen)
    };
    assert!(scan_to(&mut screen, 10, 0, 0).contains("| verified 0 %"));
    assert!(scan_to(&mut screen, 13, 0, bytes / 4 + 1).contains("| verified 25 %"));
    let line = scan_to(&mut screen, 20, bytes / 4 + 1, bytes / 2 + 1);
    assert!(line.contains("| 50 %, ") && line.contains("/s, ") && line.contains(" left"), "{line}");
    screen.send_update(BackgroundUpdate::ScanStopped);
    assert!(strip_line(&screen).contains("| stopped 50 %"), "{}", strip_line(&screen));
    // When only ranges verified earlier remain, the scan reads them, and the remaining time is the time to read them.
    screen.model.log_info.index.verification = Some(VerificationMark { verified_to: bytes, verified_at_ms: 0 });
    scan_to(&mut screen, 30, bytes / 2 + 1, bytes / 2 + 2);
    let line = scan_to(&mut screen, 50, bytes / 2 + 1, bytes / 4 * 3);
    assert!(line.contains("| 74 %, ") && line.contains(" left"), "{line}");
}

#[test]
fn the_remaining_time_of_a_slow_scan_is_not_cut() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.model.log_info.bytes = 2 << 30;
    screen.send_update(BackgroundUpdate::ScanProgress { from: 0, to: 0, end: 2 << 30 });
    screen.model.now = SessionTime(Duration::from_secs(700));
    screen.send_update(BackgroundUpdate::ScanProgress { from: 0, to: 1 << 30, end: 2 << 30 });
    screen.assert_shows("| 50 %, 1.5 MiB/s, 11 min 40 s\n");
}

#[test]
fn the_starts_of_segments_are_underlined_and_counted() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    let underlined = |screen: &TestScreen| {
        let buffer = screen.render();
        (0..120).filter(|x| buffer[(*x, 1)].modifier.contains(Modifier::UNDERLINED)).count()
    };
    assert_eq!(underlined(&screen), 0);
    assert!(!screen.screen_text().contains("segment"));
    screen.model.log_info.segment_starts = vec![0, screen.model.log_info.bytes / 2];
    assert_eq!(underlined(&screen), 2);
    assert!(screen.screen_text().contains("2 segments"), "{}", screen.screen_text());
}
