//! Follow mode: the rate at which the log grows, and the pause while the user looks further up.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use super::{Key, Message, SessionTime, TestScreen, clean_log, frame_starts};
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::Follow;

/// A screen that follows a log, and the events that are appended to it.
pub(super) struct FollowedLog {
    pub(super) screen: TestScreen,
    bytes: Vec<u8>,
    starts: Vec<usize>,
    events: usize,
}

impl FollowedLog {
    /// Opens the first `events` events of a log in follow mode, with all events counted.
    pub(super) fn open(events: usize) -> Self {
        let bytes = clean_log(80);
        let starts = frame_starts(&bytes);
        let mut screen = TestScreen::new(&bytes[..starts[events]], (120, 24));
        screen.run_scan();
        screen.press(&[Key::Char('F')]);
        Self { screen, bytes, starts, events }
    }

    /// Appends events at a time, and counts them as the scan does.
    pub(super) fn append(&mut self, count: usize, now: Duration) {
        let end = self.events + count;
        let mut file = OpenOptions::new().append(true).open(&self.screen.path).unwrap();
        file.write_all(&self.bytes[self.starts[self.events]..self.starts[end]]).unwrap();
        self.events = end;
        self.screen.model.now = SessionTime(now);
        self.screen.poll_log();
        self.screen.send_update(BackgroundUpdate::EventCount(end as u64));
    }
}

#[test]
fn follow_shows_events_and_bytes_per_second_until_the_log_stops_growing() {
    let mut log = FollowedLog::open(20);
    log.screen.assert_shows("FOLLOW 0 events/s, 0 B/s");
    assert!(!log.screen.model.changes_with_time(), "nothing is drawn while nothing changes");
    log.append(10, Duration::from_secs(10));
    log.append(10, Duration::from_secs(11));
    log.screen.assert_shows("FOLLOW 10 events/s, 2.1 KiB/s");
    assert!(log.screen.model.changes_with_time());
    log.screen.model.now = SessionTime(Duration::from_secs(20));
    log.screen.send(Message::Tick);
    log.screen.assert_shows("FOLLOW 0 events/s, 0 B/s");
    assert!(!log.screen.model.changes_with_time());
}

#[test]
fn moving_up_pauses_and_counts_what_is_new_below() {
    let mut log = FollowedLog::open(20);
    log.screen.press(&[Key::Char('k')]);
    let selected = log.screen.model.list.selected_offset();
    log.screen.assert_shows("PAUSED");
    assert!(!log.screen.shows("new below"), "{}", log.screen.screen_text());
    log.append(13, Duration::from_secs(10));
    log.screen.assert_shows("PAUSED 13 new below");
    assert_eq!(log.screen.model.list.selected_offset(), selected);
    log.screen.press(&[Key::Char('G')]);
    assert_eq!(log.screen.model.follow, Follow::Yes);
    assert_eq!(log.screen.model.list.selected_offset(), log.starts[32] as u64);
    // Going down to the last row follows again too.
    log.screen.press(&[Key::Char('k'), Key::Char('j')]);
    assert_eq!(log.screen.model.follow, Follow::Yes);
    log.screen.press(&[Key::Char('k'), Key::Esc]);
    assert_eq!(log.screen.model.follow, Follow::No);
    log.screen.assert_shows("Follow off");
}

#[test]
fn without_a_count_of_events_the_new_bytes_are_shown() {
    let mut log = FollowedLog::open(20);
    log.screen.model.scan.event_count = None;
    log.screen.press(&[Key::Char('k')]);
    log.append(10, Duration::from_secs(10));
    log.screen.assert_shows("PAUSED 2.1 KiB new below");
}
