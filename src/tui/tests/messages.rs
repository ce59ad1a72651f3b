//! Messages of failures on narrow screens: the reason comes first, and the path last.

use super::*;
use crate::StorageError;
use crate::report::screen_message;
use crate::tui::actions::ActionId;
use crate::tui::model::Overlay;
use crate::tui::update::run_action;

#[test]
fn a_failure_starts_with_its_reason_and_ends_with_the_path() {
    let path = std::path::PathBuf::from("/a/long/path/to/the/folder/of/the/logs/accounts.log");
    let locked = screen_message(&StorageError::Locked { path: path.clone(), pid: Some(812) });
    assert!(locked.starts_with("another process (pid 812) holds the writer's lock; "), "{locked}");
    assert!(locked.ends_with(&format!("({})", path.display())), "{locked}");
    let other = screen_message(&StorageError::Cancelled);
    assert!(other.starts_with("cancelled; "), "{other}");
}

#[test]
fn the_list_of_messages_is_wrapped_once_for_a_width() {
    let mut screen = TestScreen::new(&clean_log(5), (5, 40));
    for number in 0..200 {
        screen.model.record_message(format!("{number}: {}", "a long message ".repeat(20)));
    }
    run_action(&mut screen.model, ActionId::Messages);
    let wrapped = |screen: &TestScreen, columns| match screen.model.overlays.last() {
        Some(Overlay::Confirm(dialog)) => dialog.wrapped_lines(columns),
        other => panic!("{other:?}"),
    };
    screen.press(&[Key::Down]);
    let first = wrapped(&screen, 1);
    for _ in 0..3 {
        screen.press(&[Key::Down]);
        screen.render();
        assert!(Arc::ptr_eq(&first, &wrapped(&screen, 1)), "wrapped again for a key or a frame");
    }
    screen.resize(80, 24);
    assert!(wrapped(&screen, 72).len() < first.len() / 20);
}

#[test]
fn a_narrow_screen_shows_why_nothing_is_undone() {
    for size in [(120, 40), (80, 24), (60, 15), (40, 8)] {
        let mut screen = TestScreen::new(&clean_log(5), size);
        screen.press(&[Key::Char('u')]);
        screen.assert_shows("nothing to undo: no repair");
    }
}
