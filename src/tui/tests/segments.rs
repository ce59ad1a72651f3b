//! The Segments tab: its rows and their links to the list, and removing, restoring and deleting segments.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::golden::{SIZES, assert_golden};
use super::{TestScreen, clean_log};
use crate::EventLog;
use crate::format::Event;
use crate::index::IndexState;
use crate::log::OpenOptions;
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange, Message};
use crate::tui::model::{Overlay, ScanState, SegmentEvents, SegmentHealth, SegmentLoadState, Tab};
use crate::tui::request::{SegmentFacts, SegmentRow};
use crate::tui::theme::Theme;

/// The size of a segment, in bytes.
const SEGMENT_SIZE: u64 = 2048;

fn options() -> OpenOptions {
    let clock = Arc::new(AtomicU64::new(1_795_165_200_000));
    OpenOptions::new().clock(move || clock.fetch_add(1_371, Ordering::Relaxed))
}

fn append(log: &mut EventLog, events: std::ops::Range<u64>) {
    for n in events {
        let event = Event::builder()
            .event_type(if n % 3 == 0 { "Created" } else { "Updated" })
            .namespace("accounts")
            .schema_id("Person")
            .schema_version(1)
            .aggregate_id(n % 5)
            .payload_json(format!("{{\"name\":\"Juan\",\"n\":{n}}}"))
            .build()
            .unwrap();
        log.append(&event).unwrap();
    }
}

/// Returns a screen over a log with more segments than a small screen has lines.
pub(super) fn screen_with_many_segments() -> TestScreen {
    TestScreen::of_log((120, 40), |path| create_with_size(path, SEGMENT_SIZE / 2), |_| {})
}

/// Creates a log of 60 events in segments, without an index.
fn create(path: &Path) {
    create_with_size(path, SEGMENT_SIZE);
}

fn create_with_size(path: &Path, segment_size: u64) {
    let mut log = options().segment_size(segment_size).create(path).unwrap();
    append(&mut log, 0..60);
    drop(log);
}

/// Returns the files of the segments of a log, in order.
pub(super) fn files(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    files.sort();
    files
}

pub(super) fn base(file: &Path) -> u64 {
    file.file_stem().unwrap().to_str().unwrap().parse().unwrap()
}

/// Returns a screen that shows the tab of a log after `change` has changed its folder.
fn screen_after(size: (u16, u16), change: impl FnOnce(&Path)) -> TestScreen {
    let make = |path: &Path| {
        create(path);
        change(path);
    };
    let mut screen = TestScreen::of_log(size, make, |_| {});
    screen.model.now_ms = 1_795_165_371_113;
    screen
}

pub(super) fn scanned_screen(size: (u16, u16), change: impl FnOnce(&Path)) -> TestScreen {
    let mut screen = screen_after(size, change);
    screen.run_scan();
    screen.press(&[Key::Char('8')]);
    screen
}

fn rows(screen: &TestScreen) -> &[SegmentRow] {
    &screen.model.segments.page.rows
}

fn segments(screen: &TestScreen) -> Vec<&SegmentFacts> {
    let mut facts = Vec::new();
    for row in rows(screen) {
        if let SegmentRow::Segment(segment) = row {
            facts.push(segment.as_ref());
        }
    }
    facts
}

pub(super) fn run(screen: &mut TestScreen, line: &str) {
    screen.press(&[Key::Char(':')]);
    screen.type_text(line);
    screen.press(&[Key::Enter]);
}

/// Reports the properties of the log as the watcher does, after another process has changed the folder.
fn folder_changed(screen: &mut TestScreen) {
    screen.poll_log();
    screen.model.segments.invalidate(crate::tui::request::EarlierRows::FolderChanged);
    screen.poll_log();
}

#[test]
fn segments_of_a_log() {
    let mut screen = scanned_screen((120, 40), |_| {});
    screen.press(&[Key::Char('j')]);
    assert_golden("segments", &mut screen, &SIZES);
    screen.resize(30, 8);
    assert_golden("segments", &mut screen, &[(30, 8)]);
    screen.model.theme = Theme::Mono;
    assert_golden("segments_mono", &mut screen, &[(80, 24)]);
}

#[test]
fn missing_removed_and_strange_files() {
    let mut screen = scanned_screen((120, 40), |path| {
        let mut log = options().open(path).unwrap();
        log.remove_before(base(&files(path)[1])).unwrap();
        drop(log);
        fs::remove_file(&files(path)[1]).unwrap();
        let damaged = &files(path)[2];
        let mut bytes = fs::read(damaged).unwrap();
        bytes[300] ^= 1;
        fs::write(damaged, bytes).unwrap();
        fs::write(path.join("notes.txt"), "x").unwrap();
        let other = path.with_file_name("other");
        create(&other);
        fs::copy(&files(&other)[1], path.join("00000000000000000007.log")).unwrap();
    });
    screen.assert_shows("00000000000000000007.log");
    screen.assert_shows("notes.txt");
    assert_golden("segments_gone", &mut screen, &SIZES);
}

#[test]
fn the_plan_of_a_retention() {
    let mut screen = scanned_screen((120, 40), |_| {});
    screen.press(&[Key::Char('G'), Key::Char('k'), Key::Char('K')]);
    let folder = screen.path.display().to_string();
    let Some(Overlay::Confirm(dialog)) = screen.model.overlays.last_mut() else { panic!("no dialog") };
    // The folder has another name in every run.
    dialog.edit_lines(|line| *line = line.replace(&folder, "/logs/accounts.log"));
    assert_golden("retain", &mut screen, &SIZES);
}

#[test]
fn the_values_are_filled_in_by_the_scan() {
    let mut screen = screen_after((120, 40), |_| {});
    screen.press(&[Key::Char('8')]);
    let health = |screen: &TestScreen| {
        segments(screen).into_iter().map(|facts| screen.model.segment_health(facts)).collect::<Vec<_>>()
    };
    let events = |screen: &TestScreen| {
        segments(screen).into_iter().map(|facts| screen.model.segment_events(facts)).collect::<Vec<_>>()
    };
    let count = segments(&screen).len();
    assert!(count > 4, "{count}");
    assert_eq!(
        (health(&screen), events(&screen)),
        (vec![SegmentHealth::NotRead; count], vec![SegmentEvents::Unknown; count])
    );
    screen.assert_shows("not read");
    screen.assert_shows("…");
    // The scan has read the first two segments.
    let ends: Vec<u64> = segments(&screen).iter().filter_map(|facts| facts.sealed_at).collect();
    screen.send_update(BackgroundUpdate::ScanProgress { from: 0, to: ends[1], end: screen.model.log_info.bytes });
    for (offset, events) in [(ends[0], 9), (ends[1], 20)] {
        screen.send_update(BackgroundUpdate::EventsBefore { offset, events });
    }
    assert_eq!(health(&screen)[..3], [SegmentHealth::Good, SegmentHealth::Good, SegmentHealth::NotRead]);
    let (nine, eleven) = (SegmentEvents::Counted(9), SegmentEvents::Counted(11));
    assert_eq!(events(&screen)[..3], [nine, eleven, SegmentEvents::Unknown]);
    screen.send_update(BackgroundUpdate::RescanFrom(0));
    screen.run_scan();
    let total: u64 = events(&screen)
        .iter()
        .map(|events| if let SegmentEvents::Counted(events) = events { *events } else { panic!("{events:?}") })
        .sum();
    assert_eq!((total, health(&screen)), (60, vec![SegmentHealth::Good; count]));
}

#[test]
fn a_segment_leads_to_its_first_event_and_the_cursor_starts_at_the_event_of_the_list() {
    let mut screen = scanned_screen((120, 40), |_| {});
    assert_eq!(screen.model.segments.cursor.line, 0);
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Enter]);
    let first = screen.model.list.selected_offset();
    assert_eq!(screen.model.tab, Tab::Events);
    screen.press(&[Key::Char('8')]);
    assert_eq!((screen.model.segments.cursor.line, segments(&screen)[2].first_frame), (2, first));
    screen.press(&[Key::Char('1'), Key::Ctrl('o')]);
    assert_eq!(screen.model.tab, Tab::Segments, "the jump list has the tab");
    screen.press(&[Key::Char('1'), Key::Char('G'), Key::Char('8')]);
    assert_eq!(screen.model.segments.cursor.line, segments(&screen).len() - 1);
    // A click selects a row, and its number opens the tab.
    screen.press(&[Key::Char('g')]);
    let main = crate::tui::layout::compute_areas(&screen.model)
        .table_body(crate::tui::layout::compute_areas(&screen.model).main);
    screen.send(Message::Click((main.x + 3, main.y + 3).into()));
    assert_eq!(screen.model.segments.cursor.line, 3);
}

#[test]
fn segments_are_removed_restored_and_deleted() {
    let mut screen = scanned_screen((120, 40), |_| {});
    let all = files(&screen.path);
    screen.press(&[Key::Char('K')]);
    screen.assert_shows("retain: no segment is before the selected one");
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Char('K')]);
    let command = format!("chronicle retain /logs/accounts.log --before {} --yes", base(&all[2]));
    for text in
        ["Remove 2 segments?", "first event", "last event", "the log then starts at", "aggregates that lose", &command]
    {
        screen.assert_shows(text);
    }
    assert_eq!(files(&screen.path), all, "nothing is written before it is confirmed");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("2 segments removed: the log starts at");
    screen.assert_shows("u undoes it until `:purge`");
    assert_eq!(files(&screen.path)[0], all[2]);
    screen.assert_shows("removed");
    assert!(matches!(&rows(&screen)[0], SegmentRow::Gone { range, events: Some(_), .. } if range.end == base(&all[2])));
    screen.press(&[Key::Char('g'), Key::Enter]);
    screen.assert_shows("Removed: the log starts at");
    screen.press(&[Key::Char('K')]);
    screen.assert_shows("retain: these segments are removed already");
    run(&mut screen, "100");
    screen.assert_shows("Removed: the log starts at");
    assert_eq!(screen.model.list.selected_offset(), base(&all[2]));
    // The undo from another tab undoes the last change, whatever it was.
    screen.press(&[Key::Char('u')]);
    screen.assert_shows("Restore 2 segments?");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("2 segments restored: the log starts at 0");
    assert_eq!(files(&screen.path)[..all.len()], all);
    run(&mut screen, &format!("retain --before {}", base(&all[1])));
    screen.press(&[Key::Right, Key::Enter]);
    assert_eq!(files(&screen.path)[0], all[1]);
    run(&mut screen, "purge");
    screen.assert_shows("Make the removal of segments final?");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("deleted for good");
    screen.press(&[Key::Char('8'), Key::Char('u')]);
    screen.assert_shows("were deleted for good");
    run(&mut screen, "purge");
    screen.assert_shows("no removed segments to delete");
}

#[test]
fn a_retention_takes_the_limits_of_the_command() {
    let mut screen = scanned_screen((120, 40), |_| {});
    for (line, text) in [
        ("retain --keep-size 1KiB", "--keep-size 1024 --yes"),
        ("retain keep-for=30s", "--keep-for 30s --yes"),
        ("retain --before 2026-11-21 --keep-size 100", "--before 2026-11-21T00:00:00.000Z --keep-size 100 --yes"),
    ] {
        run(&mut screen, line);
        assert!(matches!(screen.model.overlays[..], [Overlay::Confirm(_)]), "{line}: {}", screen.screen_text());
        screen.assert_shows(text);
        screen.press(&[Key::Esc]);
    }
    for (line, text) in [
        ("retain --befroe 1", "the nearest is `--before`"),
        ("retain --keep-for soon", "expected an age such as 90d or 12h, found `soon`"),
        ("retain --keep-size", "expected a value after `--keep-size`"),
        ("retain --before 50%", "expected an offset such as"),
    ] {
        run(&mut screen, line);
        screen.assert_shows(text);
        screen.press(&[Key::Esc]);
    }
    run(&mut screen, "retain --before 1");
    screen.assert_shows("nothing to remove");
    screen.press(&[Key::Esc, Key::Char('1'), Key::Char('K')]);
    screen.assert_shows("retain: select a segment in tab 8, or name a limit");
}

#[test]
fn a_log_in_one_file_has_no_such_tab() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    assert_eq!(screen.model.offered_tabs().count(), 7);
    screen.press(&[Key::Char('8')]);
    screen.assert_shows("segments: the log is one file");
    assert_eq!(screen.model.tab, Tab::Events);
    run(&mut screen, "retain --keep-for 90d");
    screen.assert_shows("retain: the log is one file");
    // A place that was kept between runs can be in the tab.
    screen.model.tab = Tab::Segments;
    screen.assert_shows("this log is one file");
}

#[test]
fn the_table_follows_a_log_that_rolls_and_whose_files_change() {
    let mut screen = scanned_screen((120, 40), |_| {});
    let before = segments(&screen).len();
    let mut log = options().open(&screen.path).unwrap();
    append(&mut log, 60..90);
    drop(log);
    screen.poll_log();
    assert!(segments(&screen).len() > before);
    assert!(segments(&screen)[before - 1].sealed_at.is_some());
    // The cursor stays on its segment when those before it are removed.
    screen.press(&[Key::Char('j'), Key::Char('j'), Key::Char('j')]);
    let selected = segments(&screen)[3].base;
    let mut log = options().open(&screen.path).unwrap();
    log.remove_before(segments(&screen)[2].base).unwrap();
    drop(log);
    screen.shared.reopen_log().unwrap();
    let info = Box::new(screen.shared.log_info().unwrap());
    let start = info.log_start;
    screen.send_update(BackgroundUpdate::LogChanged(info, LogChange::SegmentsRemoved(start)));
    screen.assert_shows("Segments removed by another process: the log starts at");
    let cursor = screen.model.segments.cursor.line;
    assert_eq!((cursor, screen.model.segments.selected().map(SegmentRow::start)), (2, Some(selected)));
    // A file is moved away, and back.
    let file = files(&screen.path)[2].clone();
    let aside = screen.path.parent().unwrap().join("aside");
    fs::rename(&file, &aside).unwrap();
    folder_changed(&mut screen);
    assert_eq!(screen.model.segments.page.counts.missing, 1, "{}", screen.screen_text());
    screen.assert_shows("× missing");
    fs::rename(&aside, &file).unwrap();
    folder_changed(&mut screen);
    assert_eq!(screen.model.segments.page.counts.missing, 0);
}

#[test]
fn an_index_that_another_process_saves_is_shown() {
    let mut screen = scanned_screen((120, 40), |_| {});
    assert!(segments(&screen).iter().all(|facts| facts.index_state == IndexState::Missing));
    let mut log = options().open(&screen.path).unwrap();
    log.save_index().unwrap();
    drop(log);
    folder_changed(&mut screen);
    assert!(segments(&screen).iter().all(|facts| facts.index_state == IndexState::Fresh), "{}", screen.screen_text());
}

#[cfg(unix)]
#[test]
fn a_segment_that_cannot_be_opened_is_a_row() {
    use std::os::unix::fs::symlink;
    // A link to itself cannot be opened, also by a user who may open everything.
    let mut screen = screen_after((120, 40), |path| {
        let file = &files(path)[1];
        fs::remove_file(file).unwrap();
        symlink(file, file).unwrap();
    });
    screen.press(&[Key::Char('8')]);
    screen.assert_shows("× unreadable");
    screen.assert_shows("1 unreadable");
    screen.press(&[Key::Char('j'), Key::Enter]);
    screen.assert_shows("The file of this segment cannot be opened");
}

#[test]
fn many_segments_are_loaded_in_windows() {
    let mut screen = scanned_screen((80, 24), |_| {});
    let page = screen.model.segments.page.clone();
    screen.model.segments.page = crate::tui::request::SegmentPage { total: 10_000, ..page };
    screen.model.segments.cursor.move_by(5000, 10_000);
    screen.send_unhandled(Message::Tick);
    assert_eq!(screen.model.segments.load_state, SegmentLoadState::Requested);
    screen.assert_shows("…");
    assert_eq!(screen.model.scan.state, ScanState::Done);
}
