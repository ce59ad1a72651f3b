//! The columns of the list of events: what a row shows of an event, and the dialog that chooses the columns.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ratatui::style::Modifier;

use super::{TestScreen, clean_log};
use crate::format::Event;
use crate::log::OpenOptions;
use crate::query::RowContent;
use crate::report::units::DisplayZone;
use crate::tui::keys::Key;
use crate::tui::layout::compute_areas;
use crate::tui::model::{ColumnLayout, EventColumn};
use crate::tui::theme::{Role, Theme};

/// Returns a log with one event for each pair of an aggregate id and a payload, one a minute.
fn log_of(events: &[(u64, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.log");
    let clock = Arc::new(AtomicU64::new(1_795_165_200_000));
    let next_time = move || clock.fetch_add(60_000, Ordering::Relaxed);
    let mut log = OpenOptions::new().clock(next_time).create(&path).unwrap();
    for (id, payload) in events {
        let event = Event::builder().event_type("Created").namespace("accounts").schema_id("Person");
        log.append(&event.schema_version(1).aggregate_id(*id).payload_json(*payload).build().unwrap()).unwrap();
    }
    drop(log);
    fs::read(&path).unwrap()
}

fn keys(text: &str) -> Vec<Key> {
    text.chars().map(Key::Char).collect()
}

/// Returns the line of the screen that contains a text.
#[track_caller]
fn line_with(screen: &TestScreen, text: &str) -> String {
    let shown = screen.screen_text();
    shown.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text:?} is missing: {shown}")).to_owned()
}

/// Returns the text on the screen that is drawn in the style of a match.
fn highlighted(screen: &TestScreen) -> String {
    let style = Theme::Ansi.style(Role::Match);
    let buffer = screen.render();
    let cells =
        buffer.content.iter().filter(|cell| cell.fg == style.fg.unwrap() && cell.modifier == style.add_modifier);
    cells.map(ratatui::buffer::Cell::symbol).collect()
}

#[test]
fn an_aggregate_id_is_never_cut() {
    let events: Vec<(u64, &str)> = (1..7).map(|n| (1_766_718_274_106_000_000 + n, "{\"n\":1}")).collect();
    let mut screen = TestScreen::new(&log_of(&events), (120, 40));
    for size in [(200, 60), (120, 40), (80, 24), (60, 15)] {
        screen.resize(size.0, size.1);
        for (id, _) in &events {
            screen.assert_shows(&format!(" {id}"));
        }
    }
}

#[test]
fn what_a_filter_or_a_search_matches_is_highlighted() {
    let mut screen =
        TestScreen::new(&log_of(&[(1, "{\"a\":\"Silva\"}"), (2, "{\"n\":17}"), (3, "{\"n\":18}")]), (80, 15));
    screen.press(&keys("f"));
    screen.type_text("payload.n>=10");
    screen.press(&[Key::Enter, Key::Char('g')]);
    assert_eq!(highlighted(&screen), "18", "the selected line has the colours of the cursor");
    screen.press(&[Key::Backspace, Key::Char('/')]);
    screen.type_text("created");
    screen.press(&[Key::Enter]);
    assert!(highlighted(&screen).contains("Created"), "a match in a column of its own");
    // The selected line is reversed as a whole, so a match in it is bold.
    let buffer = screen.render();
    let is_selected = |y: u16| buffer[(0, y)].symbol() == ">";
    let selected = (0..15).find(|y| is_selected(*y)).unwrap();
    let bold: String = (0..80)
        .map(|x| &buffer[(x, selected)])
        .filter(|cell| cell.modifier.contains(Modifier::BOLD | Modifier::REVERSED))
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    assert_eq!(bold, "Created");
}

#[test]
fn a_match_beyond_the_edge_is_shown() {
    let payload = format!("{{\"long\":\"{}\",\"city\":\"Medellín\"}}", "x".repeat(300));
    let mut screen = TestScreen::new(&log_of(&[(1, payload.as_str())]), (80, 15));
    assert!(!screen.shows("Medell"));
    screen.press(&keys("/"));
    screen.type_text("medellín");
    screen.press(&[Key::Enter]);
    screen.assert_shows("…");
    assert_eq!(highlighted(&screen).matches("Medellín").count() + usize::from(screen.shows("Medellín")), 1);
}

#[test]
fn hostile_and_wide_text_keeps_the_columns_aligned() {
    let payloads = [
        r#"{"a":"日本語日本語日本語日本語日本語日本語日本語日本語日本語"}"#,
        "{\"a\":\"שלום \u{202e}evil\u{200b}\"}",
        r#"{"a":"\u001b[2J\u202e‹"}"#,
        "{\"a\":\"e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\"}",
    ];
    let events: Vec<(u64, &str)> = (0..).zip(payloads).collect();
    let mut screen = TestScreen::new(&log_of(&events), (80, 24));
    for (column, names) in [(EventColumn::Payload, "hostile"), (EventColumn::Type, "cut")] {
        screen.model.list.columns.move_column(&column, -9);
        for width in [100, 101, 119, 120, 139] {
            screen.resize(width, 24);
            let buffer = screen.render();
            let divider = compute_areas(&screen.model).divider;
            for y in divider.y + 1..divider.y + 6 {
                assert_eq!(buffer[(divider.x, y)].symbol(), "│", "{names} at {width}: {}", screen.screen_text());
            }
            let text = screen.screen_text();
            assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{text:?}");
        }
    }
    screen.resize(200, 24);
    screen.assert_shows("‹U+202E›evil‹U+200B›");
    screen.assert_shows("\\u001b[2J‹U+202E›‹U+2039›");
    screen.assert_shows("‹U+0301›‹U+0301›\"}");
}

#[test]
fn a_row_carries_a_bounded_part_of_its_payload() {
    let payload = format!("{{\"blob\":\"{}\"}}", "é".repeat(1 << 20));
    let screen = TestScreen::new(&log_of(&[(1, payload.as_str())]), (80, 24));
    let rows = &screen.model.list.rows;
    let excerpts = rows.iter().filter_map(|row| match &row.content {
        RowContent::Event(event) => event.excerpt.as_ref(),
        _ => None,
    });
    let excerpts: Vec<_> = excerpts.collect();
    assert!(matches!(excerpts[..], [excerpt] if excerpt.is_cut && (2000..=2048).contains(&excerpt.summary.len())));
    assert!(line_with(&screen, "blob").contains("é…"));
}

#[test]
fn columns_are_chosen_ordered_and_widened() {
    let mut screen = TestScreen::new(&clean_log(30), (110, 24));
    screen.press(&keys("c"));
    screen.assert_shows("[x] offset");
    screen.assert_shows("[ ] ordinal");
    // Offset is hidden, and the time gets two places to the right.
    screen.press(&keys("j jJJ++c"));
    let heading = line_with(&screen, "payload");
    assert!(heading.find("agg").unwrap() < heading.find("2026-11-20 Z").unwrap(), "{heading}");
    assert!(!heading.contains("offset"));
    let names: Vec<String> = screen.model.list.columns.clone().into();
    assert_eq!(names[..3], ["type", "aggregate", "time=+4"]);
    screen.press(&keys("cd"));
    assert_eq!(screen.model.list.columns, ColumnLayout::default());
}

#[test]
fn a_value_of_the_payload_is_a_column() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 24));
    screen.press(&keys("ca"));
    screen.type_text("tags..0");
    screen.press(&[Key::Enter]);
    screen.assert_shows("a key is missing in the path");
    screen.press(&[Key::Backspace, Key::Backspace]);
    screen.type_text("1");
    screen.press(&[Key::Ctrl('u')]);
    screen.type_text("amount");
    screen.press(&[Key::Enter, Key::Esc]);
    let heading = line_with(&screen, "payload");
    assert!(heading.contains("amount"), "{heading}");
    assert!(line_with(&screen, "09:00:05").contains("  3.50  {"), "numbers are aligned: {}", screen.screen_text());
    // Rows that are read later have the value too.
    screen.press(&[Key::Char('G')]);
    assert!(line_with(&screen, "09:00:41").contains("  1.50  {"));
}

#[test]
fn ordinals_count_the_events_of_the_whole_log() {
    let mut screen = TestScreen::new(&clean_log(600), (120, 24));
    screen.run_scan();
    screen.model.list.columns.toggle(&EventColumn::Ordinal);
    screen.press(&keys(":"));
    screen.type_text("#450");
    screen.press(&[Key::Enter, Key::Char('v')]);
    assert!(line_with(&screen, ">").contains("      450  "), "{}", screen.screen_text());
    screen.press(&keys("f"));
    screen.type_text("payload.n=500");
    screen.press(&[Key::Enter]);
    assert!(line_with(&screen, ">").contains("      501  "), "{}", screen.screen_text());
}

#[test]
fn times_are_shown_in_utc_or_in_the_local_zone() {
    let mut screen = TestScreen::new(&clean_log(5), (120, 24));
    screen.model.local_zone = DisplayZone::parse("+05:30").unwrap();
    screen.assert_shows("2026-11-20 Z");
    screen.press(&keys("T"));
    screen.assert_shows("11-20 +05:30");
    screen.assert_shows("Times are shown and read in +05:30");
    assert!(line_with(&screen, "\"n\":0").contains("14:30:01.371"));
    // A filter and a jump read times in the zone that is shown.
    screen.press(&keys("f"));
    screen.type_text("after:2026-11-20T14:30:03");
    screen.press(&[Key::Enter]);
    screen.assert_shows("of 3 hits");
    screen.press(&keys(":"));
    screen.type_text("2026-11-20T14:30:04");
    screen.press(&[Key::Enter]);
    assert!(line_with(&screen, ">").contains("14:30:04.113"), "{}", screen.screen_text());
    // The text of the filter means what the screen shows.
    screen.press(&keys("T"));
    screen.assert_shows("time Z");
    screen.assert_shows("No row matches the filter");
}

#[test]
fn the_help_has_a_legend_with_the_types_in_their_colours() {
    let mut screen = TestScreen::new(&clean_log(5), (100, 30));
    screen.press(&keys("?"));
    let legend = line_with(&screen, "types");
    assert!(legend.contains("Created  Updated"), "{legend}");
    screen.assert_shows("× damage");
    screen.assert_shows("░ unread");
    let style = |name: &str| Theme::Ansi.style(Role::of_event_type(name));
    assert_ne!(style("Created"), style("Updated"));
    let buffer = screen.render();
    for name in ["Created", "Updated"] {
        let cells = buffer
            .content
            .windows(name.len())
            .filter(|cells| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() == name);
        assert!(cells.into_iter().any(|cells| Some(cells[0].fg) == style(name).fg), "{name}");
    }
}

#[test]
fn a_log_without_findings_gives_their_space_to_the_events() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.run_scan();
    assert!(!screen.shows("Findings: none"));
    assert_eq!(screen.model.list.height(), 35);
    let mut damaged = TestScreen::new(&super::damaged_log(), (120, 40));
    damaged.run_scan();
    damaged.assert_shows("Findings: 4 damaged");
    assert_eq!(damaged.model.list.height(), 35 - 5, "four findings and a title");
}

#[test]
fn a_narrow_row_has_the_offset_the_type_and_a_part_of_the_payload() {
    let mut screen = TestScreen::new(&clean_log(9), (40, 20));
    for (width, height) in [(40, 20), (36, 12), (34, 6)] {
        screen.resize(width, height);
        let row = line_with(&screen, " 16  ");
        assert!(row.contains("Created") && row.contains("{\"name\":"), "{width}: {row}");
    }
    screen.resize(40, 20);
    assert!(line_with(&screen, "offset").contains("payload"), "{}", screen.screen_text());
    // The next to go is the payload, then the type.
    screen.resize(20, 6);
    assert!(line_with(&screen, " 16  ").contains("Created"), "{}", screen.screen_text());
}

#[test]
fn a_payload_that_is_cut_before_a_blank_is_marked_as_cut() {
    let mut screen =
        TestScreen::new(&log_of(&[(1, r#"{"a":"one two three four five six seven eight nine"}"#)]), (80, 15));
    for width in 50..80 {
        screen.resize(width, 15);
        let row = line_with(&screen, " 16  ");
        assert!(row.ends_with('…') || row.ends_with("\"}"), "{width}: {row}");
    }
}
