//! The export of what the filter shows: the prompt, the forms, names that are refused, and Esc.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{TestScreen, clean_log, damaged_log};
use crate::StorageError;
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{Message, Response};
use crate::tui::model::ColumnLayout;
use crate::tui::request::{Request, WorkerKind};
use crate::tui::worker::{handle_request, to_failure};

fn screen(bytes: &[u8]) -> TestScreen {
    let mut screen = TestScreen::new(bytes, (120, 40));
    screen.run_scan();
    screen
}

/// Returns a path next to the log.
fn next_to_log(screen: &TestScreen, name: &str) -> PathBuf {
    screen.path.with_file_name(name)
}

/// Types the path of a file next to the log into the prompt of the export.
fn type_path(screen: &mut TestScreen, name: &str) -> PathBuf {
    let path = next_to_log(screen, name);
    screen.press(&[Key::Char('w'), Key::Ctrl('u')]);
    screen.type_text(path.to_str().unwrap());
    path
}

#[test]
fn the_events_of_the_filter_are_written_as_json_lines_or_csv() {
    let mut screen = screen(&clean_log(30));
    screen.press(&[Key::Char('w')]);
    screen.assert_shows("write to file: accounts.ndjson");
    screen.assert_shows("all events as JSON lines");
    screen.press(&[Key::Esc, Key::Char('f')]);
    screen.type_text("type:Created");
    screen.press(&[Key::Enter]);
    let path = type_path(&mut screen, "created.ndjson");
    screen.assert_shows("the events of the filter type:Created as JSON lines");
    screen.press(&[Key::Enter]);
    screen.assert_shows("Wrote 10 events (");
    let written = fs::read_to_string(path).unwrap();
    assert!(written.lines().count() == 10 && written.lines().all(|line| line.contains("\"Created\"")), "{written}");
    let path = type_path(&mut screen, "created.CSV");
    screen.assert_shows("the events of the filter type:Created as CSV");
    screen.press(&[Key::Enter]);
    let written = fs::read_to_string(path).unwrap();
    assert!(written.starts_with("offset,time,type,agg,ns,schema,v,payload\n"), "{written}");
    assert_eq!(written.lines().count(), 11, "{written}");
}

#[test]
fn csv_has_the_columns_of_the_list_in_its_order_and_parquet_all_fields() {
    let mut screen = screen(&clean_log(4));
    let columns = ["type", "payload.amount", "size", "ordinal", "offset"].map(str::to_owned);
    screen.model.list.columns = ColumnLayout::try_from(columns.to_vec()).unwrap();
    let path = type_path(&mut screen, "a.csv");
    let text = screen.screen_text().replace('\n', " ");
    assert!(text.contains("all events as CSV with the columns of the list: offset, type, payload.amount"), "{text}");
    assert!(text.contains("(without size and ordinal); any other name makes JSON lines"), "{text}");
    screen.press(&[Key::Enter]);
    let written = fs::read_to_string(path).unwrap();
    assert!(written.starts_with("offset,type,payload.amount\n16,Created,0.50\n"), "{written}");
    assert_eq!(written.lines().count(), 5, "{written}");
    let path = type_path(&mut screen, "a.parquet");
    screen.assert_shows("all events as Parquet with all fields");
    screen.press(&[Key::Enter]);
    let written = fs::read(path).unwrap();
    assert!(written.windows(18).any(|name| name == b"write_timestamp_ms"), "a field that the list does not show");
}

#[test]
fn a_name_that_is_taken_comes_back_with_the_reason_and_the_file_stays() {
    let mut screen = screen(&clean_log(30));
    fs::write(next_to_log(&screen, "taken.csv"), "kept").unwrap();
    for (name, reason) in [
        ("taken.csv", "exists and is not replaced"),
        ("accounts.log", "exists and is not replaced"),
        ("accounts.log.idx", "the place of the index of the log"),
        ("accounts.log.repairs", "the place of the journals of the log"),
        ("missing/a.csv", "name another file"),
    ] {
        let before = fs::read_dir(screen.path.parent().unwrap()).unwrap().count();
        type_path(&mut screen, name);
        screen.press(&[Key::Enter]);
        let text = screen.screen_text().replace('\n', " ");
        assert!(text.contains(reason) && text.contains("write to file: "), "{name}: {text}");
        assert_eq!(fs::read_dir(screen.path.parent().unwrap()).unwrap().count(), before, "{name}");
        screen.press(&[Key::Esc]);
    }
    assert_eq!(fs::read(next_to_log(&screen, "taken.csv")).unwrap(), b"kept");
    screen.press(&[Key::Char('w'), Key::Ctrl('u'), Key::Enter]);
    screen.assert_shows("expected the path of a new file");
}

#[test]
fn damage_is_left_out_and_counted() {
    let mut screen = screen(&damaged_log());
    type_path(&mut screen, "a.ndjson");
    screen.press(&[Key::Enter]);
    screen.assert_shows("without 4 damaged ranges");
}

#[test]
fn esc_stops_an_export_and_leaves_no_file() {
    let mut screen = screen(&clean_log(9000));
    let path = type_path(&mut screen, "a.ndjson");
    screen.press_unhandled(Key::Enter);
    assert!(screen.has_job(WorkerKind::Export));
    screen.press_unhandled(Key::Char('w'));
    screen.assert_shows("another file is being written; Esc stops it");
    screen.press_unhandled(Key::Esc);
    let effects = std::mem::take(&mut screen.model.effects);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::AskToStop(WorkerKind::Export))), "{effects:?}");
    let mut request = None;
    for effect in effects {
        if let Effect::Request { worker: WorkerKind::Export, generation, request: sent } = effect {
            request = Some((generation, sent));
        }
    }
    let (generation, request) = request.unwrap();
    assert!(matches!(*request, Request::Export(_)));
    let stopped = handle_request(&screen.shared, *request, &mut screen.cache, &mut |_| ControlFlow::Break(()));
    let Err(error @ StorageError::Cancelled) = stopped else { panic!("{stopped:?}") };
    let response = Response::Failed(to_failure(&error));
    screen.send(Message::Response { worker: WorkerKind::Export, generation, response });
    screen.assert_shows("Stopped; no file was written");
    assert!(!path.exists());
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["accounts.log"], "no temporary file is left");
}

#[test]
fn the_palette_writes_a_report_and_replaces_a_file_only_with_its_sign() {
    let mut screen = screen(&damaged_log());
    let path = next_to_log(&screen, "report.html");
    let run = |screen: &mut TestScreen, word: &str, path: &PathBuf| {
        screen.press(&[Key::Char(':')]);
        screen.type_text(&format!("{word} {}", path.display()));
        screen.press(&[Key::Enter]);
    };
    run(&mut screen, "report", &path);
    screen.assert_shows("Wrote the report (");
    let page = fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("chronicle report "), "{}", &page[..200]);
    fs::write(&path, "kept").unwrap();
    run(&mut screen, "report", &path);
    screen.assert_shows("exists and is not replaced");
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
    // The prompt has the path again, and one more character replaces the file.
    screen.press(&[Key::Ctrl('a')]);
    screen.press(&[Key::Right; 6]);
    screen.type_text("!");
    screen.press(&[Key::Enter]);
    screen.assert_shows("Wrote the report (");
    assert!(fs::read_to_string(&path).unwrap().contains("--force"));
    // Not even then a file of the log.
    let log = fs::read(&screen.path).unwrap();
    for name in ["accounts.log", "accounts.log.idx", "accounts.log.repairs"] {
        let path = next_to_log(&screen, name);
        run(&mut screen, "report!", &path);
        screen.assert_shows("name another file");
        screen.press(&[Key::Esc]);
    }
    assert_eq!(fs::read(&screen.path).unwrap(), log);
    screen.press(&[Key::Char(':')]);
    screen.type_text("rep");
    screen.assert_shows("Write a report about the log");
    screen.press(&[Key::Ctrl('u')]);
    screen.type_text("report");
    screen.press(&[Key::Enter]);
    screen.assert_shows(":report accounts-report.html");
}
