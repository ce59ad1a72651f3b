//! The dialog of a plan on small screens.

use std::fs;

use super::TestScreen;
use super::repairs::damaged_screen;
use crate::tui::keys::Key;
use crate::tui::model::PlanFocus;

#[test]
fn a_plan_longer_than_the_screen_scrolls_to_its_end_and_no_further() {
    let mut screen = damaged_screen();
    screen.resize(60, 10);
    screen.press(&[Key::Char('X')]);
    screen.assert_shows("j: ");
    screen.press(&[Key::PageDown; 9]);
    let text = screen.screen_text();
    assert!(text.contains("lock is held") && text.contains("k: back") && text.contains("[  Cancel  ]"), "{text}");
    screen.press(&[Key::Home]);
    assert_eq!(screen.plan_dialog().unwrap().top_line(), 0);
    screen.press(&[Key::End]);
    screen.assert_shows("lock is held");
    screen.assert_shows("k: back");
}

#[test]
fn a_plan_that_cannot_be_read_cannot_be_confirmed() {
    let mut screen = damaged_screen();
    let bytes = fs::read(&screen.path).unwrap();
    screen.press(&[Key::Char('X')]);
    screen.resize(20, 5);
    screen.press(&[Key::Right]);
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Rows);
    screen.assert_shows("Enlarge");
    screen.press(&[Key::Right, Key::Enter, Key::Enter, Key::Esc]);
    assert_eq!(fs::read(&screen.path).unwrap(), bytes);
    // The button that confirms can have been selected while the plan was shown.
    screen.resize(120, 40);
    screen.press(&[Key::Char('X')]);
    while screen.plan_dialog().unwrap().focus != PlanFocus::Confirm {
        screen.press(&[Key::Tab]);
    }
    screen.resize(20, 5);
    screen.press(&[Key::Enter]);
    screen.assert_shows("Enlarge");
    assert_eq!(fs::read(&screen.path).unwrap(), bytes);
}

#[test]
fn a_narrow_plan_has_the_start_the_kind_and_the_action_of_each_range() {
    let mut screen = damaged_screen();
    let row = |screen: &TestScreen, text: &str| {
        let shown = screen.screen_text();
        shown.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {shown}")).to_owned()
    };
    screen.press(&[Key::Char('X')]);
    for (width, height) in [(40, 20), (38, 14)] {
        screen.resize(width, height);
        let first = row(&screen, ">[x]");
        for text in ["646 ", "checksum", "correct bits"] {
            assert!(first.contains(text), "{text} at {width}: {}", screen.screen_text());
        }
    }
    // Where there is room, the numbers of events that are restored and given up stay.
    screen.resize(60, 15);
    let zeros = row(&screen, "2960 ");
    assert!(zeros.contains("zeros") && zeros.contains("≤ 3  gap"), "{zeros}");
    screen.resize(40, 24);
    let headings = row(&screen, "from");
    assert!(headings.contains("damage") && headings.contains("action"), "{headings}");
    screen.press(&[Key::Char(' ')]);
    assert!(row(&screen, ">[ ]").contains("left as it is"), "{}", screen.screen_text());
    screen.resize(120, 40);
    assert!(row(&screen, ">[ ]").contains("646..856"), "a wide table has the whole range");
}
