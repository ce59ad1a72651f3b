//! Tests of the keys that move or scroll, in every pane, view and overlay that can be longer than the screen.

use super::compare::compare_with;
use super::segments::screen_with_many_segments;
use super::{TestScreen, clean_log, frame_starts};
use crate::tui::keys::Key;
use crate::tui::model::{DetailView, Model, Overlay, Pane, Tab};

/// The position in a pane: the selected line, and the first visible line. A text without a cursor has only the latter.
type Position = (usize, usize);

/// The keys that move in a pane.
struct MovementKeys {
    first: Key,
    last: Key,
    down: Key,
    up: Key,
}

const PANE_KEYS: MovementKeys =
    MovementKeys { first: Key::Char('g'), last: Key::Char('G'), down: Key::Char('j'), up: Key::Char('k') };
const DIALOG_KEYS: MovementKeys =
    MovementKeys { first: Key::Home, last: Key::End, down: Key::Char('j'), up: Key::Char('k') };

/// A pane, a view or an overlay that can be longer than the screen.
struct ScrollableCase {
    name: String,
    /// Creates the screen that has it.
    screen: fn() -> TestScreen,
    /// The keys that open it.
    open: Vec<Key>,
    keys: MovementKeys,
    position: fn(&Model) -> Position,
    /// Width and height of a screen on which it is longer than the screen.
    size: (u16, u16),
}

const SMALL: (u16, u16) = (40, 9);

fn pane(name: &str, open: &[Key], position: fn(&Model) -> Position) -> ScrollableCase {
    let screen = screen_with_long_panes;
    ScrollableCase { name: name.into(), screen, open: open.to_vec(), keys: PANE_KEYS, position, size: SMALL }
}

fn cases() -> Vec<ScrollableCase> {
    let tab = |number| Key::Char(char::from_digit(number, 10).unwrap());
    let mut cases = vec![
        pane("events", &[tab(1)], |model| (model.list.cursor, model.list.top)),
        pane("aggregates", &[tab(2)], |model| (model.aggregates.cursor.line, model.aggregates.cursor.top)),
        pane("findings", &[tab(3)], |model| (model.findings.line, model.findings.top)),
        pane("index", &[tab(4)], |model| (0, model.index.top())),
        pane("repairs", &[tab(5)], |model| (model.repairs.cursor.line, model.repairs.cursor.top)),
        pane("statistics", &[tab(6), Key::Char('s'), Key::Char('s'), Key::Char('s'), Key::Char('s')], |model| {
            (model.statistics.cursor.line, model.statistics.cursor.top)
        }),
        pane("compare", &[tab(7)], |model| (model.compare.cursor.line, model.compare.cursor.top)),
        ScrollableCase {
            screen: screen_with_many_segments,
            ..pane("segments", &[tab(8)], |model| (model.segments.cursor.line, model.segments.cursor.top))
        },
        pane("both copies", &[tab(7), Key::Tab], |model| {
            (model.compare.detail_cursor.line, model.compare.detail_cursor.top)
        }),
        pane("details of a repair", &[tab(5), Key::Tab], |model| {
            (model.repairs.detail_cursor.line, model.repairs.detail_cursor.top)
        }),
        ScrollableCase {
            size: (120, 30),
            ..pane("findings below the events", &[tab(1), Key::BackTab], |model| {
                (model.findings.line, model.findings.top)
            })
        },
        ScrollableCase {
            keys: DIALOG_KEYS,
            ..pane("plan dialog", &[tab(1), Key::Char('X')], |model| match model.overlays.last() {
                Some(Overlay::Plan(dialog)) => (dialog.cursor.line, dialog.cursor.top),
                other => panic!("{other:?}"),
            })
        },
    ];
    for (number, view) in DetailView::ALL.into_iter().enumerate() {
        // The third event is not damaged, and belongs to an aggregate with several events.
        let mut open = vec![tab(1), Key::Char('g'), Key::Char('j'), Key::Char('j'), Key::Tab];
        open.extend(vec![Key::Char(']'); number]);
        if view == DetailView::Backup {
            open = vec![tab(7), Key::Char('g'), Key::Enter, Key::Tab];
        }
        let position = |model: &Model| (model.detail.cursor.line, model.detail.cursor.top);
        cases.push(pane(&format!("{view:?} view"), &open, position));
    }
    cases
}

/// Returns a screen over a log with many findings and eight repairs.
fn screen_with_long_panes() -> TestScreen {
    let mut bytes = clean_log(80);
    for start in frame_starts(&bytes).into_iter().skip(5).step_by(4) {
        bytes[start + 40..start + 60].fill(b'#');
    }
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('X'), Key::Char('g')]);
    screen.press(&[Key::Right, Key::Enter]);
    for _ in 0..7 {
        screen.press(&[Key::Char('5'), Key::Char('g'), Key::Char('u')]);
        screen.press(&[Key::Right, Key::Enter]);
    }
    screen.poll_log();
    screen.run_scan();
    std::fs::write(screen.path.with_file_name("backup.log"), clean_log(80)).unwrap();
    compare_with(&mut screen, "backup.log");
    screen
}

#[test]
fn movement_keys_agree_in_every_pane_and_view() {
    for case in cases() {
        let mut screen = (case.screen)();
        let (name, ScrollableCase { keys, position, .. }) = (&case.name, &case);
        screen.resize(case.size.0, case.size.1);
        screen.press(&case.open);
        let at = |screen: &mut TestScreen, key: Key| {
            screen.press(&[key]);
            position(&screen.model)
        };
        let first = at(&mut screen, keys.first);
        assert_eq!(first, (0, 0), "{name}: {}", screen.screen_text());
        for key in [keys.first, keys.up, Key::PageUp] {
            assert_eq!(at(&mut screen, key), first, "{name}: {key} at the start");
        }
        let next = at(&mut screen, keys.down);
        assert!(next > first, "{name}: {next:?} after one line down: {}", screen.screen_text());
        assert_eq!(at(&mut screen, keys.up), first, "{name}");
        assert!(at(&mut screen, Key::PageDown) >= next, "{name}");
        assert_eq!(at(&mut screen, Key::PageUp), first, "{name}: one page down and up");

        let last = at(&mut screen, keys.last);
        assert!(last.1 > 0, "{name} is not longer than the screen: {}", screen.screen_text());
        let drawn = screen.render();
        for key in [keys.last, keys.down, Key::PageDown] {
            assert_eq!(at(&mut screen, key), last, "{name}: {key} at the end");
            assert!(screen.render() == drawn, "{name}: {key} at the end");
        }
        let before = at(&mut screen, keys.up);
        assert!(before < last, "{name}: one line up from the end must be seen at once");
        assert!(screen.render() != drawn, "{name}: one line up from the end must be seen at once");
        assert_eq!(at(&mut screen, keys.down), last, "{name}");
        assert!(at(&mut screen, Key::PageUp) < before, "{name}");
        assert_eq!(at(&mut screen, Key::PageDown), last, "{name}: one page up and down");

        // A taller screen shows more lines above the end, and no empty ones below it.
        screen.resize(case.size.0, case.size.1 + 2);
        let taller = position(&screen.model);
        let is_taller = case.size == SMALL; // The findings below the events have a fixed height.
        assert!(taller.1 < last.1 || !is_taller && taller == last, "{name}: {}", screen.screen_text());
        let drawn = screen.render();
        assert!(at(&mut screen, keys.up) < taller, "{name}");
        assert!(screen.render() != drawn, "{name}: one line up on a taller screen");
        assert_eq!(at(&mut screen, keys.first), first, "{name}");
    }
}

#[test]
fn a_case_exists_for_every_tab_pane_and_view() {
    let mut long_panes = screen_with_long_panes();
    let mut segments = screen_with_many_segments();
    let mut seen = Vec::new();
    for case in cases() {
        let screen = if case.name == "segments" { &mut segments } else { &mut long_panes };
        screen.model.overlays.clear();
        screen.model.detail.view = DetailView::Json;
        screen.model.focus = Pane::Main;
        screen.resize(case.size.0, case.size.1);
        screen.press(&case.open);
        seen.push((screen.model.tab, screen.model.focus, screen.model.detail.view));
    }
    for tab in Tab::ALL {
        assert!(seen.iter().any(|case| (case.0, case.1) == (tab, Pane::Main)), "{tab:?}");
    }
    for view in DetailView::ALL {
        assert!(seen.contains(&(Tab::Events, Pane::Detail, view)), "{view:?}");
    }
    for case in [(Tab::Repairs, Pane::Detail), (Tab::Compare, Pane::Detail), (Tab::Events, Pane::Findings)] {
        assert!(seen.iter().any(|seen| (seen.0, seen.1) == case), "{case:?}");
    }
}

#[test]
fn the_help_moves_by_lines_and_pages() {
    let mut screen = screen_with_long_panes();
    screen.resize(SMALL.0, SMALL.1);
    screen.press(&[Key::F(1)]);
    let position = |screen: &TestScreen| match screen.model.overlays.last() {
        Some(Overlay::Help(help)) => (help.cursor.line, help.cursor.top),
        other => panic!("{other:?}"),
    };
    let first = position(&screen);
    screen.press(&[Key::PageDown, Key::PageUp]);
    assert_eq!(position(&screen), first);
    screen.press(&[Key::PageDown; 60]);
    let last = position(&screen);
    screen.press(&[Key::Down]);
    assert_eq!(position(&screen), last);
    screen.press(&[Key::Up]);
    assert!(position(&screen) < last && last.1 > 0, "{last:?}");
    screen.press(&[Key::PageUp; 60]);
    assert_eq!(position(&screen), first);
}

#[test]
fn the_end_of_a_row_is_one_key_away() {
    let long = format!(r#"{{"text":"{}END"}}"#, "x".repeat(300));
    let mut screen = super::detail::screen_of(&["{}", &long]);
    screen.press(&[Key::Char('j'), Key::Char('$')]);
    assert_eq!(screen.model.list.scroll_columns, 0, "the row fits");
    screen.press(&[Key::Char('j'), Key::Char('$')]);
    let row = |screen: &TestScreen| screen.screen_text().lines().find(|line| line.starts_with('>')).unwrap().to_owned();
    // The last character of the payload is the last one of the pane.
    assert!(row(&screen).contains("END\"}│"), "{}", row(&screen));
    let columns = screen.model.list.scroll_columns;
    screen.press(&[Key::Char('l')]);
    assert_eq!(screen.model.list.scroll_columns, columns, "nothing is on the right of it");
    screen.press(&[Key::Char('0')]);
    assert_eq!(screen.model.list.scroll_columns, 0);
}

#[test]
fn the_end_of_a_row_of_damage_is_one_key_away() {
    let mut screen = TestScreen::new(&super::damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('e'), Key::Char('$')]);
    let sentence = crate::report::finding_sentence(&screen.model.scan.findings[0]);
    let end: String = sentence.chars().skip(sentence.chars().count() - 8).collect();
    assert!(screen.model.list.scroll_columns > 0);
    let text = screen.screen_text();
    let row = text.lines().find(|line| line.starts_with('>')).unwrap();
    assert!(row.contains(&format!("{end}│")), "{end}: {row}");
}

#[test]
fn a_match_inside_a_long_value_is_scrolled_to_in_the_history_of_an_aggregate() {
    let long = |word: &str| format!(r#"{{"text":"{}{word}{}"}}"#, "x".repeat(400), "y".repeat(90));
    let (one, two, three) = (long("one"), long("Medellín"), long("three"));
    let mut screen = super::detail::screen_of(&["{}", &one, &two, &three]);
    screen.press(&[Key::Char('/')]);
    screen.type_text("medellín");
    screen.press(&[Key::Enter]);
    screen.model.detail.choose_view(DetailView::Aggregate);
    screen.press(&[Key::Char('g'), Key::Char('n')]);
    assert_eq!(screen.model.detail.shown_view(), DetailView::Aggregate);
    let pane = crate::tui::layout::compute_areas(&screen.model).detail;
    let text = screen.screen_text();
    let in_pane = |line: &str| line.chars().skip(pane.x.into()).collect::<String>();
    let shown: Vec<String> = text.lines().map(in_pane).filter(|line| line.contains("Medellín")).collect();
    assert_eq!(shown.len(), 1, "{text}");
    assert!(shown[0].contains("xxMedellínyy"), "{}", shown[0]);
    // The end and the start of the line are one key away.
    screen.press(&[Key::Tab, Key::Char('$')]);
    assert!(screen.model.detail.scroll_columns > 0);
    screen.press(&[Key::Char('0')]);
    assert_eq!(screen.model.detail.scroll_columns, 0);
}
