//! Keys, messages and copies: keys typed in a burst, keys without an action, long messages, and what copying reports.

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{CopySaveResult, Message, RequestFailure, Response};
use crate::tui::model::Zoom;
use crate::tui::request::WorkerKind;

#[test]
fn a_copy_typed_before_its_row_is_read_copies_that_row() {
    let mut screen = TestScreen::new(&clean_log(400), (120, 40));
    screen.type_unhandled("jyjjyj");
    assert!(screen.copied_texts().is_empty());
    screen.handle_effects();
    let texts = screen.copied_texts();
    assert!(texts.len() == 2 && texts[0].contains("\"n\":0") && texts[1].contains("\"n\":1"), "{texts:?}");
    assert!(screen.model.awaited.is_empty());
}

#[test]
fn a_copy_typed_after_a_jump_waits_for_the_row_of_the_jump() {
    let mut screen = TestScreen::new(&clean_log(2000), (120, 40));
    screen.type_unhandled("Gyok");
    let first = screen.model.list.selected_offset();
    screen.handle_effects();
    let copied_offset: u64 = screen.copied_texts()[0].parse().unwrap();
    let last = screen.model.list.rows.last().unwrap().start;
    assert!(copied_offset == last && last > first, "{copied_offset} {last}");
    assert!(screen.model.list.selected_offset() < last, "the movement typed after the copy comes after it");
}

#[test]
fn esc_drops_the_actions_that_wait_and_does_nothing_else() {
    let mut screen = TestScreen::new(&clean_log(2000), (120, 40));
    screen.press(&[Key::Char('z')]);
    screen.type_unhandled("Gyo");
    screen.assert_shows("Waiting for the selected row; Esc drops the waiting actions");
    screen.press_unhandled(Key::Esc);
    screen.assert_shows("Waiting actions dropped");
    screen.handle_effects();
    assert!(screen.copied_texts().is_empty());
    assert_eq!(screen.model.zoom, Zoom::In);
    screen.press(&[Key::Esc]);
    assert_eq!(screen.model.zoom, Zoom::Out);
}

#[test]
fn an_action_typed_after_a_jump_is_about_the_row_of_the_jump() {
    let bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    for (typed, expected) in [
        (":#12\nyo", vec![starts[11].to_string()]),
        ("/\"amount\":4.50\nyonyo", vec![starts[4].to_string(), starts[11].to_string()]),
        ("/\"amount\":4.50\nnnyoNyo", vec![starts[18].to_string(), starts[11].to_string()]),
    ] {
        let mut screen = TestScreen::new(&bytes, (120, 40));
        screen.type_unhandled(typed);
        screen.assert_shows("Waiting for the selected row");
        screen.handle_effects();
        assert_eq!(screen.copied_texts(), expected, "{typed}");
    }
}

#[test]
fn keys_typed_before_a_table_is_read_are_about_its_lines() {
    let mut screen = TestScreen::new(&clean_log(400), (120, 40));
    screen.run_scan();
    screen.type_unhandled("2jj\n");
    screen.handle_effects();
    assert_eq!(screen.model.list.filter.text(), "agg:2", "{}", screen.screen_text());
    let mut screen = TestScreen::new(&clean_log(400), (120, 40));
    screen.run_scan();
    screen.type_unhandled("6j\n");
    screen.handle_effects();
    assert_eq!(screen.model.list.filter.text(), "type:Created", "{}", screen.screen_text());
}

#[test]
fn a_key_about_an_earlier_key_of_the_burst_waits_for_it() {
    let mut screen = TestScreen::new(&clean_log(400), (120, 40));
    screen.type_unhandled("Gyoyf");
    screen.handle_effects();
    assert!(screen.has_effect(|effect| matches!(effect, Effect::SaveCopy(_))), "{:?}", screen.unhandled_effects);
    let mut screen = TestScreen::new(&clean_log(400), (120, 40));
    screen.send_unhandled(Message::Key(Key::Char('G'), crate::tui::session_time::SessionTime::default()));
    screen.press_unhandled(Key::Char('@'));
    screen.press_unhandled(Key::Backspace);
    screen.handle_effects();
    assert!(screen.model.list.filter.is_empty() && !screen.shows("no filter is set"), "{}", screen.screen_text());
}

#[test]
fn the_first_scan_of_a_damaged_log_ends_with_the_next_keys() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.assert_shows("4 damaged: e to look, X to repair, all undoable with u");
    screen.press(&[Key::Char('j')]);
    screen.run_scan();
    assert!(!screen.shows("e to look"), "{}", screen.screen_text());
    assert!(screen.model.past_notices.is_empty(), "a hint is not a message");
    // A user who has pressed a key before, and a log without damage, get no such line.
    for (bytes, key) in [(damaged_log(), Some(Key::Char('j'))), (clean_log(5), None)] {
        let mut screen = TestScreen::new(&bytes, (120, 40));
        if let Some(key) = key {
            screen.press(&[key]);
        }
        screen.run_scan();
        assert!(screen.model.notice.is_none(), "{:?}", screen.model.notice);
    }
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.model.access = crate::tui::model::Access::ReadOnly;
    screen.run_scan();
    screen.assert_shows("3 lists the findings");
}

#[test]
fn a_repair_typed_after_a_search_for_damage_is_about_the_damage_that_is_found() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.press(&[Key::Char('e')]);
    let first = screen.model.list.selected_offset();
    screen.type_unhandled("ex");
    screen.handle_effects();
    let second = screen.model.list.selected_offset();
    assert!(second > first, "{second}");
    screen.assert_shows(&format!("Repair the damage at {second}?"));
    screen.press(&[Key::Esc]);
    screen.type_unhandled("Ex");
    screen.handle_effects();
    screen.assert_shows(&format!("Repair the damage at {first}?"));
    screen.press(&[Key::Esc]);
    // The third `e` starts from the damage that the second one finds.
    screen.type_unhandled("eeE");
    screen.handle_effects();
    assert_eq!(screen.model.list.selected_offset(), second);
}

#[test]
fn a_jump_without_a_target_drops_the_actions_that_wait() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.press(&[Key::Char('e')]);
    let first = screen.model.list.selected_offset();
    screen.type_unhandled("Ex");
    screen.handle_effects();
    screen.assert_shows("No further damage in this direction");
    screen.type_unhandled("/no such text\nyo");
    screen.handle_effects();
    screen.assert_shows("No match in the log");
    screen.type_unhandled("eyo");
    screen.model.effects.clear();
    screen.respond(WorkerKind::Jump, Response::Failed(RequestFailure::Error("the device refuses".into())));
    screen.assert_shows("the device refuses");
    assert_eq!(screen.model.list.selected_offset(), first);
    assert!(screen.copied_texts().is_empty() && screen.model.overlays.is_empty() && screen.model.awaited.is_empty());
}

#[test]
fn a_copy_reports_what_was_sent_and_offers_a_file() {
    let mut screen = TestScreen::new(&clean_log(3), (120, 40));
    screen.press(&[Key::Char('y'), Key::Char('f')]);
    screen.assert_shows("nothing was copied yet");
    screen.press(&[Key::Char('j'), Key::Char('y'), Key::Char('o')]);
    screen.assert_shows("Sent offset (2 B) to the terminal for its clipboard; y f writes it to a file: 16");
    screen.press(&[Key::Char('y'), Key::Char('f')]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::SaveCopy(text) if text == "16")));
    screen.send(Message::CopySaved(CopySaveResult::Saved("/tmp/a\n.txt".into())));
    screen.assert_shows(r"Wrote offset to $'/tmp/a\n.txt'");
}

#[test]
fn a_key_without_an_action_is_reported_once() {
    let mut screen = TestScreen::new(&clean_log(3), (80, 24));
    screen.press(&[Key::Char('Q')]);
    screen.assert_shows("Q has no action; ? lists the keys");
    screen.press(&[Key::Char('Q')]);
    assert!(!screen.shows("has no action"));
    screen.press(&[Key::Ctrl('x')]);
    screen.assert_shows("Ctrl-x has no action");
}

#[test]
fn an_unknown_action_names_the_nearest() {
    let mut screen = TestScreen::new(&clean_log(3), (80, 24));
    screen.press(&[Key::Char(':')]);
    screen.type_text("verfy");
    screen.press(&[Key::Enter]);
    screen.assert_shows("no action `verfy`; the nearest is `verify`");
}

#[test]
fn ctrl_l_draws_everything_again_even_under_a_dialog() {
    let mut screen = TestScreen::new(&clean_log(3), (80, 24));
    for keys in [&[][..], &[Key::Char('?')], &[Key::Esc, Key::Char('f')], &[Key::Esc, Key::Char('a')]] {
        screen.press(keys);
        screen.unhandled_effects.clear();
        screen.press(&[Key::Ctrl('l')]);
        assert!(screen.has_effect(|effect| matches!(effect, Effect::Redraw)), "{keys:?}");
    }
}

#[test]
fn a_long_message_takes_two_lines_and_stays_in_the_list_of_messages() {
    let mut screen = TestScreen::new(&clean_log(3), (60, 15));
    let advice = "the advice at its end is what one has to read";
    screen.model.warn(format!("Something failed, for a reason that takes a whole line; {advice}"));
    let text = screen.screen_text().replace("\n  ", "").replace('\n', " ");
    assert!(text.contains("the advice at its end is what one") && text.trim_end().ends_with("has to read"), "{text}");
    screen.model.warn(format!("{}; {advice}", "This message is longer than two lines of the screen. ".repeat(3)));
    let text = screen.screen_text();
    assert!(text.trim_end().ends_with("…  M: all") && !text.contains("has to read"), "{text}");
    screen.press(&[Key::Char('M')]);
    let text = screen.screen_text();
    assert!(text.contains("has to read") && text.contains("Messages"), "{text}");
    screen.press(&[Key::Enter]);
    assert!(screen.model.overlays.is_empty());
}

#[test]
fn a_narrow_status_line_keeps_the_damage_longest_and_shortens_the_name_first() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    let status = |screen: &mut TestScreen, width| {
        screen.resize(width, 10);
        screen.model.log_info.path = "/logs/accounts-of-2026-with-a-long-name.log".into();
        screen.screen_text().lines().next().unwrap().to_owned()
    };
    let full = status(&mut screen, 125);
    assert!(full.contains(" accounts-of-2026-with-a-long-name.log") && full.contains("× 4 damaged"), "{full}");
    let shorter = status(&mut screen, 100);
    assert_eq!(shorter.split_whitespace().count(), full.split_whitespace().count(), "no item is dropped: {shorter}");
    assert!(shorter.trim_start().starts_with('…'), "{shorter}");
    for width in 14..125 {
        let line = status(&mut screen, width);
        assert!(line.contains("× 4 damaged"), "{width}: {line}");
    }
}
