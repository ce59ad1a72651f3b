//! Removals of segments in the Repairs tab.

use super::segments::{base, files, run, scanned_screen};
use crate::report::units::format_number;
use crate::tui::keys::Key;

#[test]
fn removals_are_listed_restored_and_deleted_in_the_repairs_tab() {
    let mut screen = scanned_screen((200, 40), |_| {});
    let all = files(&screen.path);
    for file in &all[1..3] {
        run(&mut screen, &format!("retain --before {}", base(file)));
        screen.press(&[Key::Right, Key::Enter]);
    }
    screen.press(&[Key::Char('5')]);
    let (second, third) = (format_number(base(&all[1])), format_number(base(&all[2])));
    screen.assert_shows("0 repairs, 2 removals; u undoes the selected one");
    screen.assert_shows(&format!("the log starts at {third} instead of {second}"));
    screen.assert_shows(&format!("the log starts at {second} instead of 0"));
    // The newest one is selected, and its details have the words of `chronicle undo LOG --list`.
    screen.assert_shows("removal");
    screen.assert_shows("removed; 1 segment,");
    screen.assert_shows(&format!("{:020}.log", base(&all[1])));
    screen.press(&[Key::Char('j'), Key::Char('u')]);
    screen.assert_shows(&format!("the segments that were removed up to {third} are restored before these"));
    screen.press(&[Key::Char('k'), Key::Char('u')]);
    screen.assert_shows("Restore 1 segment?");
    screen.press(&[Key::Right, Key::Enter]);
    assert_eq!(files(&screen.path)[0], all[1]);
    screen.press(&[Key::Char('5')]);
    screen.assert_shows("0 repairs, 1 removal; u undoes the selected one");
    run(&mut screen, "purge");
    screen.assert_shows("Make the removal of segments final?");
    screen.press(&[Key::Right, Key::Enter]);
    screen.press(&[Key::Char('5')]);
    screen.assert_shows("deleted for good; 1 segment,");
    run(&mut screen, "purge");
    screen.assert_shows("these segments were deleted for good already");
    screen.press(&[Key::Char('u')]);
    screen.assert_shows("were deleted for good");
}
