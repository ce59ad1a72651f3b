//! Messages of failures on narrow screens: the reason comes first, and the path last.

use super::*;
use crate::StorageError;
use crate::report::screen_message;

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
fn a_narrow_screen_shows_why_nothing_is_undone() {
    for size in [(120, 40), (80, 24), (60, 15), (40, 8)] {
        let mut screen = TestScreen::new(&clean_log(5), size);
        screen.press(&[Key::Char('u')]);
        screen.assert_shows("nothing to undo: no repair");
    }
}
