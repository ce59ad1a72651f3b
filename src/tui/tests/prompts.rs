//! Prompts: errors and hints while a text is typed, completion of names, history, and the page about filters.

use super::{TestScreen, clean_log};
use crate::tui::keys::Key;

/// Opens a prompt with a key and replaces its text.
fn type_into(screen: &mut TestScreen, key: char, text: &str) {
    screen.press(&[Key::Char(key), Key::Ctrl('u')]);
    screen.type_text(text);
}

#[test]
fn an_error_appears_while_a_filter_is_typed_and_marks_its_place() {
    let mut screen = TestScreen::new(&clean_log(20), (120, 40));
    screen.run_scan();
    type_into(&mut screen, 'f', "agg:1 type==Created");
    screen.assert_shows("! `type==Created`: `==` is not an operator, the nearest is `=`");
    let buffer = screen.render();
    let line = buffer.area.height - 1;
    let is_marked = |x: u16| buffer[(x, line)].modifier.contains(ratatui::style::Modifier::UNDERLINED);
    let marked: Vec<u16> = (0..buffer.area.width).filter(|x| is_marked(*x)).collect();
    let start = "filter: agg:1 type".len() as u16;
    assert_eq!(marked, (start..start + "==Created".len() as u16).collect::<Vec<u16>>());
    screen.press(&[Key::Esc]);
    type_into(&mut screen, 'f', "type:Updated");
    assert!(!screen.screen_text().contains('!'), "{}", screen.screen_text());
}

#[test]
fn a_name_that_no_event_has_is_reported_in_the_prompt_and_in_the_empty_list() {
    let mut screen = TestScreen::new(&clean_log(20), (120, 40));
    type_into(&mut screen, 'f', "type:updates");
    assert!(!screen.screen_text().contains("no event has"), "nothing is known before the scan");
    screen.press(&[Key::Esc]);
    screen.run_scan();
    type_into(&mut screen, 'f', "type:updates");
    screen.assert_shows("! no event has the type `updates`; Updated has 13 events");
    screen.press(&[Key::Enter]);
    screen.assert_shows("no event has the type `updates`; Updated has");
    type_into(&mut screen, 'f', "before:2001-01-01");
    screen.press(&[Key::Enter]);
    screen.assert_shows("the first event is from 2026-11-20 09:00Z");
    // A list of names that shows events, one of which no event has.
    type_into(&mut screen, 'f', "type:Created,updates ");
    screen.press(&[Key::Enter]);
    screen.assert_shows("hits): type:Created,updates");
    screen.assert_shows("no event has the type `updates`; Updated has 13 events");
}

#[test]
fn a_filter_typed_on_another_tab_shows_its_events() {
    let mut screen = TestScreen::new(&clean_log(20), (120, 40));
    screen.press(&[Key::Char('5')]);
    type_into(&mut screen, 'f', "type:Created");
    screen.press(&[Key::Enter]);
    screen.assert_shows("[1 Events]");
}

#[test]
fn values_are_completed_with_their_numbers_of_events() {
    let mut screen = TestScreen::new(&clean_log(20), (120, 40));
    screen.run_scan();
    type_into(&mut screen, 'f', "type:");
    screen.assert_shows("13 events");
    screen.press(&[Key::Tab, Key::Tab, Key::Enter]);
    assert_eq!(screen.model.list.filter.text(), "type:Created");
}

#[test]
fn earlier_filters_and_searches_are_recalled() {
    let mut screen = TestScreen::new(&clean_log(20), (120, 40));
    for (key, text) in [('f', "type:Created"), ('f', "agg:1"), ('/', "Juan")] {
        type_into(&mut screen, key, text);
        screen.press(&[Key::Enter]);
    }
    screen.press(&[Key::Char('f'), Key::Up]);
    screen.assert_shows("filter: type:Created");
    screen.press(&[Key::Down]);
    screen.assert_shows("filter: agg:1");
    screen.press(&[Key::Esc, Key::Char('/'), Key::Up]);
    screen.assert_shows("/Juan");
}

#[test]
fn a_search_shows_how_it_is_understood() {
    let mut screen = TestScreen::new(&clean_log(3), (80, 24));
    for (text, hint) in [
        ("", "all in lower case matches any case"),
        ("juan", "text, any case"),
        ("Juan", "text, this case"),
        ("/ju.n/", "regular expression, any case"),
        ("/Ju.n/", "regular expression, this case"),
        ("/Ju.n/i", "regular expression, any case"),
        ("/(/", "unclosed group"),
    ] {
        type_into(&mut screen, '/', text);
        screen.assert_shows(hint);
        screen.press(&[Key::Esc]);
    }
}

#[test]
fn the_page_about_filters_opens_from_the_prompt_and_leads_back_to_it() {
    for size in [(120, 40), (60, 15), (3, 2)] {
        let mut screen = TestScreen::new(&clean_log(3), size);
        type_into(&mut screen, 'f', "type:U");
        screen.press(&[Key::F(1)]);
        if size.0 > 3 {
            screen.assert_shows("Filters and searches");
        }
        screen.press(&[Key::PageDown, Key::Esc, Key::Enter]);
        assert_eq!(screen.model.list.filter.text(), "type:U");
        screen.press(&[Key::Char('f'), Key::Ctrl('u'), Key::Char('?')]);
        assert_eq!(screen.model.overlays.len(), 2, "the page is above the prompt");
    }
}

#[test]
fn a_relative_time_counts_back_from_the_last_event() {
    let mut screen = TestScreen::new(&clean_log(20), (120, 40));
    type_into(&mut screen, 'f', "after:end-5s");
    screen.press(&[Key::Enter]);
    // The events of this log are 1.371 seconds apart.
    assert_eq!(screen.model.list.rows.len(), 4);
}
