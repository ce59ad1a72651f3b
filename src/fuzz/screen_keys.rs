//! Keys, pastes, clicks and resizes of the screen: every screen can be drawn at every size, shows what the model holds
//! and no hostile character, and can be left with Esc and with Ctrl-c; no event of the log is lost.

use ratatui::layout::{Position, Size};

use super::fuzz_input::FuzzInput;
use super::readers::readable_events;
use super::sample_logs::{SampleVersion, sample_log};
use crate::log::EventLog;
use crate::tui::{Key, Message, TestScreen, WheelDirection};

/// Largest number of messages of one input.
const MAX_STEPS: usize = 60;
/// Largest number of dialogs, forms and prompts that are open at the same time, with the text in them.
const MAX_LAYERS: usize = 12;
/// Texts that are typed as a whole, because single keys seldom form them.
const TYPED: [&str; 12] = [
    "fagg:3 type:Updated",
    "f-is:gap",
    "/name",
    "/no such text",
    ":#12",
    ":50%",
    ":repair all",
    ":rebuild",
    ":verify all",
    ":undo",
    "yes",
    "\u{17d}ofie\u{200b}\u{202e}",
];
const NAMED_KEYS: [Key; 16] = [
    Key::Enter,
    Key::Esc,
    Key::Tab,
    Key::BackTab,
    Key::Backspace,
    Key::Delete,
    Key::Up,
    Key::Down,
    Key::Left,
    Key::Right,
    Key::Home,
    Key::End,
    Key::PageUp,
    Key::PageDown,
    Key::F(1),
    Key::Ctrl('s'),
];

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let settings = input.byte();
    let mut log = sample_log(SampleVersion::of_bit(settings & 8)).log.clone();
    if settings & 1 != 0 {
        log[90] ^= 4;
        log[600..640].fill(0xA5);
    }
    let mut screen = TestScreen::new(&log, size(&mut input));
    let before = readable_events(&screen_log(&screen));
    if settings & 2 != 0 {
        screen.run_scan();
    }
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut screen, &mut input);
        screen.check_drawing();
    }
    leave(&mut screen, if settings & 4 == 0 { Key::Esc } else { Key::Ctrl('c') });
    let after = readable_events(&screen_log(&screen));
    assert!(before.iter().all(|event| after.contains(event)), "an event is lost");
}

/// Leaves the screen with a key that closes dialogs, and then with `q`.
fn leave(screen: &mut TestScreen, key: Key) {
    screen.unhandled_effects.clear();
    for _ in 0..MAX_LAYERS {
        if screen.model.overlays.is_empty() {
            break;
        }
        screen.press(&[key]);
        screen.check_drawing();
    }
    assert!(screen.model.overlays.is_empty(), "{key} closes every dialog");
    assert!(!screen.has_quit(), "{key} closes dialogs and not the screen");
    screen.press(&[Key::Esc; MAX_LAYERS]);
    assert!(!screen.has_quit(), "Esc closes the screen");
    screen.resize(120, 40);
    screen.check_drawing();
    screen.press(&[if key == Key::Esc { Key::Char('q') } else { key }]);
    assert!(screen.has_quit(), "the screen is not closed");
}

fn screen_log(screen: &TestScreen) -> EventLog {
    EventLog::open_read_only(&screen.path).unwrap()
}

fn size(input: &mut FuzzInput) -> Size {
    Size::new(u16::from(input.byte()), u16::from(input.byte() % 64))
}

/// Sends one message: a key, a typed text, or an event of the mouse or the terminal.
fn step(screen: &mut TestScreen, input: &mut FuzzInput) {
    let byte = input.byte();
    match byte {
        b' '..=b'~' => screen.press(&[Key::Char(char::from(byte))]),
        0..16 => screen.press(&[NAMED_KEYS[usize::from(byte)]]),
        16..24 => screen.send(Message::Resize(size(input))),
        24..28 => screen.send(Message::Click(position(input))),
        28..30 => screen.send(Message::Wheel(position(input), WheelDirection::Down)),
        30..32 => screen.send(Message::Wheel(position(input), WheelDirection::Up)),
        128..160 => {
            let keys: Vec<Key> = TYPED[usize::from(byte) % TYPED.len()].chars().map(Key::Char).collect();
            screen.press(&keys);
        }
        160..170 => screen.send(Message::Paste(String::from_utf8_lossy(input.bytes(16)).into_owned())),
        170..180 => screen.run_scan(),
        180..190 => screen.poll_log(),
        190..200 => screen.press(&[Key::Ctrl(char::from(b'a' + input.byte() % 26))]),
        _ => screen.press(&[Key::Down]),
    }
}

fn position(input: &mut FuzzInput) -> Position {
    Position::new(u16::from(input.byte()), u16::from(input.byte()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        // More are run with `PROPTEST_CASES=5000 cargo test --lib random_inputs`.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
            std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48),
        ) })]
        #[test]
        fn random_inputs_keep_every_property(input in proptest::collection::vec(any::<u8>(), 0..160)) {
            super::check(&input);
        }
    }

    #[test]
    fn a_message_of_several_lines_does_not_cover_the_selected_row() {
        super::check(&[0, 0, 0, 16, 20, 72, 13, 33]);
    }
}
