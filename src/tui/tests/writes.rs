//! What writes: asked first, refused with a reason, told afterwards.

use std::fs::{self, OpenOptions};

use super::{TestScreen, clean_log, frame_starts};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{Message, SessionTime};
use crate::tui::model::{Access, Overlay, WriteConsent};

#[test]
fn a_question_takes_no_key_that_was_typed_before_it_was_seen() {
    let mut bench = TestScreen::new(&clean_log(5), (120, 40));
    bench.press(&[Key::Char('a')]);
    let before = bench.clock;
    // Typed ahead: they are in the queue before the question is on the screen.
    for key in [Key::Enter, Key::Tab, Key::Enter] {
        bench.send(Message::Key(key, SessionTime(before)));
    }
    assert!(matches!(bench.model.overlays.last(), Some(Overlay::Confirm(_))));
    bench.send(Message::Drawn(SessionTime(before)));
    bench.send(Message::Key(Key::Enter, SessionTime(before)));
    assert!(matches!(bench.model.overlays.last(), Some(Overlay::Confirm(_))));
    assert_eq!(bench.model.consent, WriteConsent::NotAsked);
    // It opens on Cancel.
    bench.press(&[Key::Enter]);
    assert!(matches!(bench.model.overlays.last(), Some(Overlay::Form)));
    assert_eq!((bench.model.consent, bench.model.form.is_sending), (WriteConsent::NotAsked, false));
}

#[test]
fn an_append_is_asked_once_and_tells_what_it_cost() {
    let mut bench = TestScreen::new(&clean_log(5), (120, 40));
    bench.press(&[Key::Char('r')]);
    let index = bench.path.with_extension("log.idx");
    let (before, indexed) = (fs::metadata(&bench.path).unwrap().len(), fs::read(&index).unwrap());
    bench.press(&[Key::Char('a'), Key::Enter]);
    assert!(bench.screen_text().contains("/logs/accounts.log") && bench.screen_text().contains("cannot be undone"));
    bench.press(&[Key::Tab, Key::Enter]);
    assert!(bench.screen_text().contains(&format!("at offset {before}")), "{}", bench.screen_text());
    bench.press(&[Key::Enter]);
    let screen = bench.screen_text();
    assert!(screen.contains("buffered, 2 in this run"), "{screen}");
    bench.poll_log();
    bench.press(&[Key::Esc, Key::Char('G')]);
    assert_eq!(bench.model.list.rows.len(), 8);
    assert_eq!(fs::read(&index).unwrap(), indexed, "no index is written by an append");
}

#[test]
fn an_end_that_an_append_sets_aside_is_not_shown_any_more() {
    let bytes = clean_log(5);
    let mut bench = TestScreen::new(&bytes[..bytes.len() - 5], (120, 40));
    bench.run_scan();
    assert!(bench.screen_text().contains("torn_tail"), "{}", bench.screen_text());
    bench.press(&[Key::Char('a'), Key::Enter, Key::Tab, Key::Enter]);
    assert!(bench.screen_text().contains("set aside"), "{}", bench.screen_text());
    assert!(bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::RestartScan)));
    bench.press(&[Key::Esc]);
    assert!(!bench.screen_text().contains("torn_tail"), "{}", bench.screen_text());
    assert_eq!(bench.model.list.rows.len(), 6);
}

#[test]
fn what_cannot_be_done_says_why() {
    let mut bench = TestScreen::new(&clean_log(5), (120, 40));
    bench.model.access = Access::ReadOnly;
    for key in ['a', 'r', 'R'] {
        bench.press(&[Key::Char(key)]);
        assert!(bench.screen_text().contains("--read-only"), "{key}");
    }
    bench.model.access = Access::ReadWrite;
    bench.model.log_info.writer = crate::file::WriterPresence::HoldsLock(812);
    bench.press(&[Key::Char('a')]);
    assert!(bench.screen_text().contains("another process holds the writer's lock, pid 812"));
    assert!(bench.model.overlays.is_empty());
}

#[test]
fn an_old_log_is_never_appended_to() {
    let payload = br#"{"write_timestamp_ms":1,"event_type":"A","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":1,"payload":{}}"#;
    let mut bytes = (payload.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(payload);
    let mut bench = TestScreen::new(&bytes, (120, 40));
    bench.press(&[Key::Char('a')]);
    assert!(bench.screen_text().contains("version 0 logs are read-only"), "{}", bench.screen_text());
}

#[test]
fn the_index_is_built_by_r_and_rebuilt_by_asking() {
    let mut bench = TestScreen::new(&clean_log(5), (120, 40));
    bench.press(&[Key::Char('r')]);
    assert!(bench.screen_text().contains("was missing, is fresh with 5 events"), "{}", bench.screen_text());
    bench.press(&[Key::Char('r')]);
    assert!(bench.screen_text().contains("the index is fresh"));
    bench.press(&[Key::Char('R')]);
    assert!(bench.screen_text().contains("Rebuild the index?"));
    bench.press(&[Key::Tab, Key::Enter]);
    assert!(bench.screen_text().contains("was fresh with 5 events, is fresh with 5 events"), "{}", bench.screen_text());
}

#[test]
fn an_index_that_is_ahead_says_what_a_rebuild_would_lose() {
    let mut bench = TestScreen::new(&clean_log(9), (120, 40));
    bench.press(&[Key::Char('r')]);
    let starts = frame_starts(&fs::read(&bench.path).unwrap());
    OpenOptions::new().write(true).open(&bench.path).unwrap().set_len(starts[6] as u64).unwrap();
    bench.poll_log();
    bench.run_scan();
    assert!(bench.screen_text().contains("AHEAD"), "{}", bench.screen_text());
    bench.press(&[Key::Char('a')]);
    assert!(bench.screen_text().contains("truncated"));
    bench.press(&[Key::Char('R')]);
    let screen = bench.screen_text();
    assert!(screen.contains("Lost with it") && screen.contains("3 events"), "{screen}");
}
