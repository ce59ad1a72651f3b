//! The state of the screen that is kept for a log between runs, and the hints of the first start.

use std::path::Path;

use super::*;
use crate::query::RowContent;
use crate::report::units::DisplayZone;
use crate::tui::model::{
    DetailView, Follow, LoadedSession, MAX_SESSION_BYTES, Notice, OffsetBase, Pane, SessionPhase, Tab,
    TimelineVisibility, ZoneOnStart, Zoom,
};
use crate::tui::options::SessionOptions;
use crate::tui::request::FirstHints;

fn open(bytes: &[u8], state: &Path) -> TestScreen {
    open_with_zone(bytes, state, ZoneOnStart::Restored)
}

fn open_with_zone(bytes: &[u8], state: &Path, zone: ZoneOnStart) -> TestScreen {
    let folder = state.to_owned();
    TestScreen::with_options(bytes, (120, 40), |options| options.session = Some(SessionOptions { folder, zone }))
}

/// Returns the only document in the folder.
fn document(state: &Path) -> std::path::PathBuf {
    let mut documents = fs::read_dir(state.join("logs")).unwrap().map(|entry| entry.unwrap().path());
    let first = documents.next().unwrap();
    assert_eq!(documents.next(), None, "one document for one log");
    first
}

#[test]
fn the_place_marks_filter_search_texts_columns_and_layout_of_a_log_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("not/there/yet");
    let log = clean_log(60);
    let mut screen = open(&log, &state);
    screen.press(&[Key::Down; 5]);
    screen.press(&[Key::Char('m'), Key::Char('a'), Key::Char('f')]);
    screen.type_text("type:Created");
    screen.press(&[Key::Enter, Key::Down, Key::Down, Key::Char('m'), Key::Char('b')]);
    screen.press(&[Key::Char('c'), Key::Char(' '), Key::Esc, Key::Char('O'), Key::Char('T'), Key::Enter]);
    screen.press(&[Key::Char(']'), Key::Char('/')]);
    screen.type_text("juan");
    screen.press(&[Key::Enter, Key::Char('t'), Key::Tab, Key::Tab, Key::Char('z')]);
    let before = screen.model.saved_session();
    assert!(before.columns.is_some() && before.place.filter == "type:Created" && before.place.offset > 0);
    screen.press(&[Key::Char('q')]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::Quit)));

    // Another path, and a log that has grown.
    let mut grown = log.clone();
    grown.extend_from_slice(&clean_log(61)[log.len()..]);
    let mut screen = open(&grown, &state);
    let after = screen.model.saved_session();
    assert_eq!(after, before);
    assert_eq!((screen.model.zoom, screen.model.focus), (Zoom::In, Pane::Detail));
    assert_eq!((screen.model.detail.view, screen.model.offset_base), (DetailView::Hex, OffsetBase::Hexadecimal));
    assert_ne!(screen.model.zone, DisplayZone::Utc);
    let event = |screen: &TestScreen| match screen.model.selected_row().unwrap().content {
        RowContent::Event(event) => event.event_type,
        other => panic!("{other:?}"),
    };
    assert_eq!(event(&screen), "Created");
    screen.assert_shows("The saved filter is set: type:Created; f changes it");
    screen.assert_shows("The saved search is set: juan; n goes to a match");
    assert_eq!(screen.model.timeline.visibility, TimelineVisibility::Shown);
    // The texts that were submitted can be recalled, before those of this run.
    screen.press(&[Key::Char('/')]);
    screen.type_text("anna");
    screen.press(&[Key::Enter, Key::Char('/'), Key::Up, Key::Up]);
    screen.assert_shows("/juan");
    screen.press(&[Key::Esc, Key::Char('f'), Key::Up]);
    screen.assert_shows("filter: type:Created");
    screen.press(&[Key::Esc, Key::Esc, Key::Esc, Key::Char('\''), Key::Char('a')]);
    assert!(screen.model.list.filter.is_empty() && screen.model.list.selected_offset() > 0);
    // This log has the same header, and no first event.
    let other = open(&log[..16], &state);
    assert_eq!((other.model.list.filter.is_empty(), other.model.jump_list.marks.len()), (true, 0), "another log");

    let given = open_with_zone(&grown, &state, ZoneOnStart::Given);
    assert_eq!(given.model.zone, DisplayZone::Utc, "the command line names the zone");
    let unkept = TestScreen::new(&grown, (120, 40));
    assert!(unkept.model.list.filter.is_empty() && unkept.model.session.phase == SessionPhase::Off);
}

#[cfg(unix)]
#[test]
fn only_the_user_can_read_what_is_kept_and_a_log_that_was_only_opened_leaves_no_document() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let mut screen = open(&clean_log(5), &state);
    screen.press(&[Key::Char('q')]);
    assert!(!state.join("logs").exists());
    let mut screen = open(&clean_log(5), &state);
    screen.press(&[Key::Down, Key::Char('q')]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("logs")), mode(&document(&state))), (0o700, 0o700, 0o600));
    assert_eq!(mode(&state.join("hints.json")), 0o600);
}

#[test]
fn a_place_that_is_no_longer_there_leads_to_the_nearest_row() {
    let folder = tempfile::tempdir().unwrap();
    let log = clean_log(20);
    let mut screen = open(&log, folder.path());
    screen.press(&[Key::Char('G'), Key::Char('q')]);
    let cut = &log[..log.len() - 400];
    let mut screen = open(cut, folder.path());
    let restored = screen.model.list.selected_offset();
    assert!(restored > log.len() as u64 - 1000 && restored < cut.len() as u64, "{restored}");
    screen.press(&[Key::Char('G')]);
    assert_eq!(screen.model.list.selected_offset(), restored, "the last row");
    // A place inside a row leads to that row.
    screen.press(&[Key::Char('g'), Key::Down, Key::Down, Key::Char('q')]);
    let row = screen.model.selected_row().unwrap();
    let path = document(folder.path());
    let inside = fs::read_to_string(&path).unwrap().replace(&format!("\"offset\": {}", row.start), "\"offset\": 300");
    fs::write(&path, inside).unwrap();
    assert!((row.start + 1..row.end).contains(&300), "{row:?}");
    let screen = open(cut, folder.path());
    assert_eq!((screen.model.list.selected_offset(), screen.model.list.target_offset()), (row.start, None));
    let beyond = fs::read_to_string(&path).unwrap().replace("\"offset\": 300", &format!("\"offset\": {}", u64::MAX));
    fs::write(&path, beyond).unwrap();
    assert_eq!(open(cut, folder.path()).model.list.selected_offset(), restored);
}

#[test]
fn a_document_that_cannot_be_used_is_ignored_with_one_notice() {
    let folder = tempfile::tempdir().unwrap();
    let log = clean_log(20);
    let mut screen = open(&log, folder.path());
    screen.press(&[Key::Down, Key::Down, Key::Char('q')]);
    let path = document(folder.path());
    let valid = fs::read_to_string(&path).unwrap();
    let large = vec![b' '; MAX_SESSION_BYTES as usize + 1];
    for (content, reason) in [
        (&b"\x1b[2J{"[..], "expected value"),
        (valid.replace("\"version\": 1", "\"version\": 9").as_bytes(), "expected version 1, found 9"),
        (&large, "expected at most"),
        (valid.replace("\"filter\": \"\"", "\"filter\": \"size>>\"").as_bytes(), "the saved filter is ignored"),
    ] {
        fs::write(&path, content).unwrap();
        let screen = open(&log, folder.path());
        let notices: Vec<_> = screen.model.past_notices.iter().map(|notice| notice.text.as_str()).collect();
        assert!(notices.len() == 1 && notices[0].contains(reason), "{notices:?}");
        assert!(!screen.model.list.rows.is_empty() && screen.model.list.filter.is_empty());
    }
    // The next document replaces it.
    fs::write(&path, "{").unwrap();
    let mut screen = open(&log, folder.path());
    screen.press(&[Key::Down, Key::Down, Key::Char('q')]);
    assert_eq!(fs::read_to_string(&path).unwrap(), valid);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_is_neither_read_nor_followed() {
    let folder = tempfile::tempdir().unwrap();
    let log = clean_log(20);
    let mut screen = open(&log, folder.path());
    screen.press(&[Key::Down, Key::Char('q')]);
    let path = document(folder.path());
    let other = folder.path().join("other");
    fs::rename(&path, &other).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    let before = fs::read(&other).unwrap();
    let mut screen = open(&log, folder.path());
    assert_eq!(screen.model.list.selected_offset(), 0);
    screen.press(&[Key::Down, Key::Down, Key::Char('q')]);
    assert_eq!(fs::read(&other).unwrap(), before);
}

#[test]
fn a_user_who_has_begun_keeps_the_place_and_gets_the_marks() {
    let folder = tempfile::tempdir().unwrap();
    let log = clean_log(60);
    let mut screen = open(&log, folder.path());
    screen.press(&[Key::Char('m'), Key::Char('a')]);
    screen.press(&[Key::Down; 9]);
    let saved = screen.model.saved_session();
    let mut screen = TestScreen::new(&log, (120, 40));
    screen.model.session.phase = SessionPhase::Loading;
    screen.press(&[Key::Down]);
    let place = screen.model.list.selected_offset();
    let loaded = LoadedSession { session: Some(saved), ..LoadedSession::default() };
    screen.respond(WorkerKind::Session, Response::SessionLoaded(Box::new(loaded)));
    assert_eq!(screen.model.list.selected_offset(), place);
    assert!(screen.model.jump_list.marks.contains_key(&'a'));
}

#[test]
fn a_screen_that_follows_the_log_stays_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let log = clean_log(60);
    let mut screen = open(&log, folder.path());
    screen.press(&[Key::Down, Key::Down, Key::Char('q')]);
    let session = fs::read(document(folder.path())).unwrap();
    let mut screen = TestScreen::new(&log, (120, 40));
    screen.model.follow = Follow::Yes;
    screen.model.session.phase = SessionPhase::Loading;
    let session = crate::tui::model::SavedSession::decode(&session).ok();
    let loaded = LoadedSession { session, ..LoadedSession::default() };
    screen.respond(WorkerKind::Session, Response::SessionLoaded(Box::new(loaded)));
    assert!(screen.model.list.is_at_end());
}

#[test]
fn the_first_start_shows_three_hints_until_the_next_key_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut screen = open(&damaged_log(), folder.path());
    screen.assert_shows("Shown once, until the next key");
    for hint in ["?    lists all keys", ":    goes to a place", "Esc  leaves a dialog"] {
        screen.assert_shows(hint);
    }
    super::golden::assert_golden("first_hints", &mut screen, &super::golden::SIZES);
    screen.resize(120, 40);
    let offset = screen.model.list.selected_offset();
    screen.press(&[Key::Down]);
    assert!(!screen.shows("Shown once") && screen.model.list.selected_offset() > offset, "the key acts as well");
    assert!(!open(&damaged_log(), folder.path()).shows("Shown once"));
    // A screen that has no room for the hints leaves them to the next run.
    let other = tempfile::tempdir().unwrap();
    let session = SessionOptions { folder: other.path().to_owned(), zone: ZoneOnStart::Restored };
    let small = TestScreen::with_options(&damaged_log(), (20, 5), |options| options.session = Some(session));
    assert_eq!(small.model.session.hints, FirstHints::Hidden);
    assert!(open(&damaged_log(), other.path()).shows("Shown once"));
}

#[test]
fn a_folder_that_cannot_be_written_is_recorded_in_the_messages_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let mut screen = open(&damaged_log(), &file.join("chronicle"));
    assert_eq!((screen.model.session.hints, screen.model.notice.clone()), (FirstHints::Hidden, None::<Notice>));
    assert_eq!(screen.model.past_notices.len(), 1);
    assert!(screen.model.past_notices[0].text.starts_with("Place, marks and filter of this log are not kept: cannot"));
    screen.press(&[Key::Down, Key::Char('q')]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::Quit)));
    assert_eq!(screen.model.tab, Tab::Events);
    assert_eq!(fs::read(&file).unwrap(), b"");
}
