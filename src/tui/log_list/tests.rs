//! Tests of the list: its rows at several sizes, its keys, hostile names, and the thread that reads the logs.

use std::path::PathBuf;

use crossbeam_channel::unbounded;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::Size;

use super::model::{ListAction, LogHealth, LogListModel, LogListUpdate};
use super::scan::{ListScan, ListScanDepth};
use super::view;
use crate::tui::keys::Key;
use crate::tui::theme::Theme;
use crate::{Event, EventLog};

fn model(paths: &[&str]) -> LogListModel {
    let mut model = LogListModel::new(paths.iter().map(PathBuf::from).collect(), Theme::Ansi);
    model.resize(Size::new(100, 10));
    model
}

fn drawn(model: &mut LogListModel, width: u16, height: u16) -> String {
    model.resize(Size::new(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, model)).unwrap();
    let lines = terminal.backend().buffer().content().chunks(usize::from(width));
    lines
        .map(|line| line.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned() + "\n")
        .collect()
}

/// Reads the logs of a model as the thread does, and waits for its end.
fn read_all(model: &mut LogListModel, depth: ListScanDepth) {
    let (out, updates) = unbounded::<LogListUpdate>();
    let scan = ListScan::start(model.unread(), depth, &out);
    drop(out);
    // The channel closes when the thread ends.
    updates.iter().for_each(|update| model.update(update));
    drop(scan);
}

/// Creates a folder with a log without damage, a damaged one, and a file that is none; returns a model of the three.
fn model_of_folder(folder: &std::path::Path) -> LogListModel {
    let event = Event::builder().event_type("A").namespace("n").schema_id("s").schema_version(1);
    let event = event.payload_json("{}").build().unwrap();
    for name in ["a.log", "b.log"] {
        let mut log = EventLog::create(folder.join(name)).unwrap();
        for _ in 0..20 {
            log.append(&event).unwrap();
        }
        log.close().unwrap();
    }
    let mut bytes = std::fs::read(folder.join("b.log")).unwrap();
    bytes[200] ^= 1;
    std::fs::write(folder.join("b.log"), bytes).unwrap();
    std::fs::write(folder.join("c.log"), "no log at all, only text\n").unwrap();
    let paths = ["a.log", "b.log", "c.log"].map(|name| folder.join(name));
    LogListModel::new(paths.into(), Theme::Ansi)
}

#[test]
fn logs_are_read_and_their_damage_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = model_of_folder(folder.path());
    read_all(&mut model, ListScanDepth::FactsOnly);
    assert_eq!((&model.logs[0].health, model.logs[0].events()), (&LogHealth::Unread, Some(20)));
    read_all(&mut model, ListScanDepth::WholeLogs);
    assert!(model.unread().is_empty());
    let screen = drawn(&mut model, 140, 10);
    for expected in
        ["3 logs   1 damaged   1 unreadable   all read", "no damage", "× 1 damaged", "× cannot be read", "fresh"]
    {
        assert!(screen.contains(expected), "{expected}:\n{screen}");
    }
    model.press(Key::Char('G'));
    assert!(drawn(&mut model, 140, 10).contains("not a Chronicle log"), "{}", drawn(&mut model, 140, 10));
    model.mark_unread(1);
    assert_eq!(model.unread().len(), 1, "only the log that was open is read again");
    assert_eq!((model.press(Key::Char('r')), model.unread().len()), (ListAction::Rescan, 3));
}

#[test]
fn the_cursor_stays_on_the_screen_and_opens_its_log() {
    let paths: Vec<String> = (0..50).map(|number| format!("{number}.log")).collect();
    let mut model = model(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    for (key, cursor, top) in [
        (Key::Char('k'), 0, 0),
        (Key::Char('j'), 1, 0),
        (Key::PageDown, 7, 2),
        (Key::Char('G'), 49, 44),
        (Key::Down, 49, 44),
        (Key::PageUp, 43, 43),
        (Key::Home, 0, 0),
    ] {
        assert_eq!(model.press(key), ListAction::None);
        assert_eq!((model.cursor, model.top), (cursor, top), "{key}");
    }
    model.press(Key::Char('G'));
    model.resize(Size::new(100, 6));
    assert_eq!((model.cursor, model.top), (49, 48));
    assert_eq!(model.press(Key::Enter), ListAction::Open);
    assert_eq!((model.click(1), model.click(2)), (ListAction::None, ListAction::None));
    assert_eq!((model.cursor, model.click(2), model.click(5)), (48, ListAction::Open, ListAction::None));
    model.press(Key::Home);
    assert_eq!((model.click(5), model.cursor), (ListAction::None, 0), "the last line is no row");
    for key in [Key::Char('q'), Key::Ctrl('c')] {
        assert_eq!(model.press(key), ListAction::Quit);
    }
    assert_eq!((model.press(Key::Esc), model.message.as_deref()), (ListAction::None, None));
    for (key, message) in [(Key::Char('?'), "Enter open"), (Key::Char('x'), "x has no effect here; Enter open")] {
        assert_eq!(model.press(key), ListAction::None);
        assert!(model.message.as_ref().is_some_and(|shown| shown.starts_with(message)), "{:?}", model.message);
    }
}

#[test]
fn a_narrow_screen_keeps_name_and_health() {
    let mut model = model(&["/a/folder/with/a/long/name/of/many/characters/payments.log"]);
    let titles = |screen: &str| screen.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    for (width, expected) in [(110, "Log Size Events Health Index"), (80, "Log Size Events Health"), (60, "Log Health")]
    {
        let screen = drawn(&mut model, width, 8);
        assert_eq!(titles(&screen), expected, "{screen}");
        assert!(screen.contains("payments.log") && screen.contains("not read yet"), "{screen}");
    }
    for (width, height) in [(1, 1), (3, 2), (10, 3), (20, 4), (200, 1)] {
        drawn(&mut model, width, height);
    }
}

#[test]
fn hostile_names_and_an_empty_list_are_drawn() {
    let mut model = model(&["a\u{1b}[2J\u{202e}.log", "b.log"]);
    let screen = drawn(&mut model, 120, 8);
    let safe_name = r"$'a\033[2J\342\200\256.log'";
    assert_eq!(screen.matches(safe_name).count(), 2, "in its row and in the line about the selected log: {screen}");
    let mut empty = LogListModel::new(Vec::new(), Theme::Mono);
    assert!(drawn(&mut empty, 60, 8).contains("0 logs"));
    assert_eq!(empty.press(Key::Enter), ListAction::None);
}

#[test]
fn cells_are_whole_and_below_their_headings() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = model_of_folder(folder.path());
    read_all(&mut model, ListScanDepth::WholeLogs);
    let column = |line: &str, text: &str| {
        let byte = line.find(text).unwrap_or_else(|| panic!("{text:?} is missing: {line}"));
        line.get(..byte).unwrap().chars().count()
    };
    for width in [90, 110, 140, 200] {
        let screen = drawn(&mut model, width, 10);
        let lines: Vec<&str> = screen.lines().collect();
        let (headings, row) = (lines[1], lines[2]);
        assert_eq!(column(headings, "Health"), column(row, "no damage"), "{screen}");
        // Numbers end below the last letter of their heading.
        if headings.contains("Events") {
            assert_eq!(column(headings, "Events") + "Events".len(), column(row, " 20 ") + " 20".len(), "{screen}");
        }
        if headings.contains("Index") {
            assert_eq!(column(headings, "Index"), column(row, "fresh"), "{screen}");
        }
        assert!(!row.contains('…'), "{screen}");
    }
}
