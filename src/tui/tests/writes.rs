//! Actions that write: the user confirms them first, a disabled action reports its reason, and the result is reported.

use std::fs::{self, OpenOptions};

use super::{TestScreen, clean_log, frame_starts};
use crate::file::WriterPresence;
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::Message;
use crate::tui::model::{Access, FormField, Overlay, WriteConsent};
use crate::tui::session_time::SessionTime;

#[test]
fn a_dialog_ignores_keys_that_were_typed_before_it_was_drawn() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.press(&[Key::Char('a')]);
    let before = screen.clock;
    // These keys are typed ahead: they are in the queue before the dialog is drawn.
    for key in [Key::Enter, Key::Tab, Key::Enter] {
        screen.send(Message::Key(key, SessionTime(before)));
    }
    assert!(matches!(screen.model.overlays.last(), Some(Overlay::Confirm(_))));
    screen.send(Message::Drawn(SessionTime(before)));
    screen.send(Message::Key(Key::Enter, SessionTime(before)));
    assert!(matches!(screen.model.overlays.last(), Some(Overlay::Confirm(_))));
    assert_eq!(screen.model.consent, WriteConsent::NotAsked);
    // The dialog opens on Cancel.
    screen.press(&[Key::Enter]);
    assert!(matches!(screen.model.overlays.last(), Some(Overlay::Form)));
    assert_eq!((screen.model.consent, screen.model.form.is_sending), (WriteConsent::NotAsked, false));
}

#[test]
fn an_append_is_confirmed_once_and_reports_its_latency() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.press(&[Key::Char('r')]);
    let index = screen.path.with_extension("log.idx");
    let (before, indexed) = (fs::metadata(&screen.path).unwrap().len(), fs::read(&index).unwrap());
    screen.press(&[Key::Char('a'), Key::Enter]);
    screen.assert_shows("/logs/accounts.log");
    screen.assert_shows("cannot be undone");
    screen.press(&[Key::Tab, Key::Enter]);
    screen.assert_shows(&format!("at offset {before}"));
    screen.press(&[Key::Enter]);
    screen.assert_shows("buffered: 2 appends in this session");
    screen.poll_log();
    screen.press(&[Key::Esc, Key::Char('G')]);
    assert_eq!(screen.model.list.rows.len(), 8);
    assert_eq!(fs::read(&index).unwrap(), indexed, "an append does not write the index");
}

#[test]
fn the_form_takes_over_the_selected_event_and_appends_it_with_a_new_time() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('A')]);
    assert!(screen.model.overlays.is_empty(), "the header is no event: {}", screen.screen_text());
    screen.assert_shows("no event is selected");
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Char('A')]);
    screen.assert_shows("\"amount\": 1.50,");
    screen.press(&[Key::Enter, Key::Tab, Key::Enter]);
    screen.poll_log();
    screen.press(&[Key::Esc, Key::Char('G')]);
    let rows = &screen.model.list.rows;
    let event = |position: usize| match &rows[position].content {
        crate::query::RowContent::Event(event) => event.clone(),
        other => panic!("{other:?}"),
    };
    let (copied, appended) = (event(2), event(rows.len() - 1));
    assert_eq!((appended.aggregate_id, &appended.event_type), (copied.aggregate_id, &copied.event_type));
    assert_eq!(appended.excerpt, copied.excerpt, "the payload is the same");
    assert_ne!(appended.time_ms, copied.time_ms);
}

#[test]
fn the_footer_of_the_form_has_the_keys_of_the_focused_field() {
    let mut screen = TestScreen::new(&clean_log(5), (80, 24));
    screen.press(&[Key::Char('a')]);
    for field in FormField::ALL {
        while screen.model.form.field != field {
            screen.press(&[Key::Tab]);
        }
        let text = screen.screen_text();
        let footer = text.lines().last().unwrap();
        let shown = ["next field", "Left change", "line break"].map(|keys| footer.contains(keys));
        assert_eq!(shown, [true, field == FormField::Durability, field == FormField::Payload], "{field:?}: {footer}");
    }
}

#[test]
fn the_place_of_a_fault_is_marked_in_the_payload() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char('A')]);
    let marked = |screen: &TestScreen| {
        let buffer = screen.render();
        let both = ratatui::style::Modifier::UNDERLINED | ratatui::style::Modifier::REVERSED;
        let is_marked = |cell: &&ratatui::buffer::Cell| cell.modifier.contains(both);
        buffer.content.iter().filter(is_marked).map(|cell| cell.symbol().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(marked(&screen), [] as [String; 0]);
    // The first line is the opening bracket; a letter after it is no JSON.
    screen.press(&[Key::End, Key::Char('x')]);
    screen.assert_shows("! line 1, column 2");
    assert_eq!(marked(&screen), ["x"]);
    screen.press(&[Key::Backspace]);
    assert_eq!(marked(&screen), [] as [String; 0]);
}

#[test]
fn a_tail_that_an_append_has_set_aside_is_no_longer_shown() {
    let bytes = clean_log(5);
    let mut screen = TestScreen::new(&bytes[..bytes.len() - 5], (120, 40));
    screen.run_scan();
    screen.assert_shows("torn_tail");
    screen.press(&[Key::Char('a'), Key::Enter, Key::Tab, Key::Enter]);
    screen.assert_shows("set aside");
    assert!(screen.has_effect(|effect| matches!(effect, Effect::RestartScan)));
    screen.press(&[Key::Esc]);
    assert!(!screen.shows("torn_tail"), "{}", screen.screen_text());
    assert_eq!(screen.model.list.rows.len(), 6);
}

#[test]
fn an_index_from_before_a_repair_by_another_process_is_not_saved() {
    let bytes = clean_log(7);
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.press(&[Key::Char('r')]);
    fs::write(&screen.path, &bytes[..bytes.len() - 5]).unwrap();
    screen.poll_log();
    screen.run_scan();
    // Opening for append sets the torn tail aside, which the screen has not noticed yet.
    drop(crate::EventLog::open(&screen.path).unwrap());
    let index = screen.path.with_extension("log.idx");
    let before = fs::read(&index).unwrap();
    screen.press(&[Key::Char('r')]);
    screen.assert_shows("begun or ended since");
    assert_eq!(fs::read(&index).unwrap(), before, "the index of the scan has the torn tail");
    screen.shared.reopen_log().unwrap();
    screen.press(&[Key::Char('r')]);
    assert_ne!(fs::read(&index).unwrap(), before, "{}", screen.screen_text());
}

#[test]
fn a_disabled_action_reports_its_reason() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.model.access = Access::ReadOnly;
    for key in ['a', 'r', 'R'] {
        screen.press(&[Key::Char(key)]);
        screen.assert_shows("--read-only");
    }
    screen.model.access = Access::ReadWrite;
    screen.model.log_info.writer = WriterPresence::HoldsLock(812);
    screen.press(&[Key::Char('a')]);
    screen.assert_shows("another process holds the writer's lock, pid 812");
    assert!(screen.model.overlays.is_empty());
}

#[test]
fn a_log_of_version_0_is_never_appended_to() {
    let payload = br#"{"write_timestamp_ms":1,"event_type":"A","namespace":"n","schema_id":"S","schema_version":1,"aggregate_id":1,"payload":{}}"#;
    let mut bytes = (payload.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(payload);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.press(&[Key::Char('a')]);
    screen.assert_shows("version 0 logs are read-only");
}

#[test]
fn r_builds_the_index_and_a_rebuild_is_confirmed() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.press(&[Key::Char('r')]);
    screen.assert_shows("missing → fresh, 5 events covered");
    screen.press(&[Key::Char('r')]);
    screen.assert_shows("the index is fresh");
    screen.press(&[Key::Char('R')]);
    screen.assert_shows("Rebuild the index?");
    screen.press(&[Key::Tab, Key::Enter]);
    screen.assert_shows("fresh → fresh, 5 events covered");
}

#[test]
fn the_dialog_of_a_rebuild_names_what_an_index_that_is_ahead_would_lose() {
    let mut screen = TestScreen::new(&clean_log(9), (120, 40));
    screen.press(&[Key::Char('r')]);
    let starts = frame_starts(&fs::read(&screen.path).unwrap());
    OpenOptions::new().write(true).open(&screen.path).unwrap().set_len(starts[6] as u64).unwrap();
    screen.poll_log();
    screen.run_scan();
    screen.assert_shows("AHEAD");
    screen.press(&[Key::Char('a')]);
    screen.assert_shows("truncated");
    screen.press(&[Key::Char('R')]);
    screen.assert_shows("Lost with it");
    screen.assert_shows("3 events");
}
