//! The table of aggregates: its filter by id while it is typed, its counts, and the filter of the events that it leads to.

use super::golden::assert_golden;
use super::{TestScreen, clean_log};
use crate::tui::keys::Key;
use crate::tui::model::Tab;
use crate::tui::request::IdPrefix;

/// Returns a screen that shows the table of a log with the aggregates 0 to 4.
fn screen_with_table(size: (u16, u16)) -> TestScreen {
    let mut screen = TestScreen::new(&clean_log(60), size);
    screen.run_scan();
    screen.press(&[Key::Char('2')]);
    screen
}

/// Returns the ids of the rows that are loaded.
fn ids(screen: &TestScreen) -> Vec<u64> {
    let table = &screen.model.aggregates;
    (0..table.total).filter_map(|position| table.row(position)).map(|row| row.summary.id).collect()
}

/// Appends events of other aggregates, so that the table has the ids 0 to 4, 12, 120 and 1200 to 1449.
fn screen_with_many_aggregates() -> TestScreen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.log");
    let mut log = crate::log::OpenOptions::new().create(&path).unwrap();
    for id in (0..5).chain([120, 12]).chain(1200..1450) {
        let event = crate::format::Event::builder()
            .event_type("Created")
            .namespace("accounts")
            .schema_id("Person")
            .schema_version(1)
            .aggregate_id(id)
            .payload_json("{}")
            .build()
            .unwrap();
        log.append(&event).unwrap();
    }
    drop(log);
    let mut screen = TestScreen::new(&std::fs::read(&path).unwrap(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('2')]);
    screen
}

#[test]
fn the_table_follows_the_digits_while_they_are_typed() {
    let mut screen = screen_with_many_aggregates();
    assert_eq!(screen.model.aggregates.total, 257);
    screen.press(&[Key::Char('s'), Key::Char('s'), Key::Char('f')]);
    screen.type_text("12");
    let found = ids(&screen);
    assert_eq!(found[..3], [120, 12, 1200], "in the order of the first event");
    assert_eq!((found.len(), screen.model.aggregates.cursor.line), (102, 1), "the cursor is at the id itself");
    screen.assert_shows("102 of 257 aggregates");
    screen.type_text("0");
    assert_eq!((ids(&screen).len(), screen.model.aggregates.cursor.line), (11, 0));
    screen.press(&[Key::Backspace, Key::Enter]);
    assert_eq!((ids(&screen).len(), screen.model.overlays.len()), (102, 0));
    screen.assert_shows("id 12… (102 of 257 aggregates)");
    screen.press(&[Key::Enter]);
    assert_eq!((screen.model.tab, screen.model.list.filter.text()), (Tab::Events, "agg:12"));
    screen.assert_shows("filter (1 of 1 hit): agg:12");
}

#[test]
fn esc_restores_the_earlier_filter_and_backspace_drops_it() {
    let mut screen = screen_with_many_aggregates();
    for open in ['f', '/'] {
        screen.press(&[Key::Char(open)]);
        screen.type_text("3");
        assert_eq!(ids(&screen), [3]);
        screen.press(&[Key::Esc]);
        assert_eq!(screen.model.aggregates.total, 257);
    }
    screen.press(&[Key::Char('f')]);
    screen.type_text("4");
    screen.press(&[Key::Enter, Key::Char('f'), Key::Char('9')]);
    assert_eq!(ids(&screen), [] as [u64; 0]);
    screen.assert_shows("No aggregate has an id that starts with 49");
    screen.press(&[Key::Ctrl('c')]);
    assert_eq!(ids(&screen), [4]);
    screen.press(&[Key::Backspace]);
    assert_eq!((screen.model.aggregates.total, screen.model.aggregates.id_prefix.clone()), (257, IdPrefix::default()));
    screen.press(&[Key::Char('f'), Key::Char('4'), Key::Enter, Key::Esc]);
    assert_eq!(screen.model.aggregates.total, 257);
}

#[test]
fn what_is_no_id_is_an_error_and_changes_nothing() {
    let mut screen = screen_with_table((120, 40));
    screen.press(&[Key::Char('f')]);
    screen.type_text("1x");
    screen.assert_shows("! expected the digits of an id, found `x`");
    screen.press(&[Key::Enter]);
    assert_eq!((screen.model.overlays.len(), ids(&screen).len()), (1, 5));
}

#[test]
fn a_table_under_a_filter() {
    let mut screen = screen_with_table((120, 40));
    screen.press(&[Key::Char('f'), Key::Char('3')]);
    assert_golden("aggregates_filter_typed", &mut screen, &[(80, 24)]);
    screen.press(&[Key::Enter]);
    assert_golden("aggregates_filter", &mut screen, &[(120, 40), (60, 15)]);
}
