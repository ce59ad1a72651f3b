//! The help, and the popups with the keys that can follow a first key.

use super::golden::{SIZES, assert_golden};
use super::*;
use crate::tui::actions::action_table;
use crate::tui::config::ScreenConfig;
use crate::tui::model::{HelpLine, HelpOverlay, Overlay, Pane, Tab, TextInput};

fn titles(screen: &TestScreen, typed: &str) -> Vec<String> {
    let help = HelpOverlay { input: TextInput::new(typed), ..HelpOverlay::default() };
    let lines = screen.model.help_lines(&help).into_iter();
    let title = |line| match line {
        HelpLine::Heading(title) => format!("# {title}"),
        HelpLine::Action(action) => action.title.to_owned(),
        HelpLine::Legend(line) => format!("legend {line}"),
    };
    lines.map(title).collect()
}

/// Returns the part of the screen that has the focus, as the first heading of the help names it.
fn place(screen: &TestScreen) -> String {
    titles(screen, "").remove(0)
}

#[test]
fn every_action_is_listed_once_wherever_the_help_is_opened() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    let places = Tab::ALL.map(|tab| (tab, Pane::Main)).into_iter();
    let others = [(Tab::Events, Pane::Detail), (Tab::Events, Pane::Findings), (Tab::Repairs, Pane::Detail)];
    for (tab, focus) in places.chain(others) {
        (screen.model.tab, screen.model.focus) = (tab, focus);
        let lines = titles(&screen, "");
        assert!(lines[0].starts_with("# Here: "), "{lines:?}");
        let mut actions: Vec<_> = lines.iter().filter(|line| !line.starts_with("# ")).collect();
        actions.sort();
        actions.dedup();
        assert_eq!(actions.len(), action_table().len(), "{tab:?} {focus:?}");
    }
}

#[test]
fn the_help_starts_with_the_keys_of_the_focused_pane() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    assert_eq!(titles(&screen, "")[..2], ["# Here: events", "open, fold or go to"]);
    screen.press(&[Key::Char('6')]);
    assert_eq!(
        titles(&screen, "")[..4],
        ["# Here: statistics", "open, fold or go to", "sort or group", "events of the last hour"]
    );
    screen.press(&[Key::Char('1'), Key::Char('j'), Key::Enter]);
    assert_eq!(place(&screen), "# Here: detail pane, JSON");
    assert!(titles(&screen, "").iter().position(|title| title == "fold or unfold all").unwrap() < 15);
    screen.press(&[Key::Char(']')]);
    assert_eq!(place(&screen), "# Here: detail pane, Hex");
    screen.press(&[Key::Char(':'), Key::F(1)]);
    assert_eq!(place(&screen), "# Here: line of text");
    // The prompt from which the help was opened is closed too.
    screen.type_text("rebuild index");
    screen.press(&[Key::Enter]);
    assert!(matches!(screen.model.overlays[..], [Overlay::Confirm(_)]), "{:?}", screen.model.overlays);
}

#[test]
fn the_help_is_filtered_by_key_and_by_text() {
    let mut screen = TestScreen::new(&clean_log(2), (80, 24));
    assert!(titles(&screen, "Ctrl-z").contains(&"suspend".to_owned()));
    assert!(titles(&screen, "rebuild").contains(&"rebuild index".to_owned()));
    assert_eq!(titles(&screen, "no such action"), Vec::<String>::new());
    screen.press(&[Key::Char('?')]);
    screen.type_text("no such action");
    screen.assert_shows("no action has this key or text; Esc closes the help");
    screen.press(&[Key::Ctrl('u')]);
    screen.type_text("statist");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.tab, Tab::Statistics, "the cursor is on the first action, and not on its heading");
}

#[test]
fn a_low_screen_has_the_legend_after_the_actions() {
    let mut screen = TestScreen::new(&clean_log(2), (60, 15));
    screen.press(&[Key::Char('?')]);
    assert!(!screen.shows("being written"));
    screen.press(&[Key::PageDown; 60]);
    screen.assert_shows("being written");
    screen.assert_shows("Created");
    screen.press(&[Key::Enter]);
    assert!(screen.model.overlays.is_empty());
}

#[test]
fn a_first_key_shows_the_keys_that_can_follow() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char('y')]);
    assert_golden("copy_keys", &mut screen, &SIZES);
    screen.press(&[Key::Esc]);
    assert!(screen.model.overlays.is_empty() && screen.model.notice.is_none());
    screen.press(&[Key::Char('m'), Key::Char('a'), Key::Char('e'), Key::Char('m'), Key::Char('b'), Key::Char('\'')]);
    assert_golden("mark_keys", &mut screen, &SIZES);
    screen.resize(120, 40);
    screen.press(&[Key::Esc, Key::Char('m')]);
    screen.assert_shows("any letter or digit names this place");
    screen.assert_shows("Mark this place: press a key, Esc leaves");
}

#[test]
fn a_popup_names_the_configured_keys_and_counts_what_does_not_fit() {
    let mut screen = TestScreen::new(&clean_log(2), (120, 40));
    screen.model.keys = ScreenConfig::parse(r#"keys = { copy-hex = "f6", go-to-a-mark = "B" }"#).unwrap().keys;
    screen.press(&[Key::Char('y')]);
    screen.assert_shows("F6  Copy the bytes as hex digits");
    screen.press(&[Key::Esc]);
    for name in 'a'..='z' {
        screen.press(&[Key::Char('m'), Key::Char(name)]);
    }
    screen.press(&[Key::Char('B')]);
    screen.assert_shows("B  the place before the last jump");
    screen.resize(60, 15);
    screen.assert_shows("… and 16 more");
}
