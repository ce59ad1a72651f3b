//! Random keys, pastes, clicks and sizes for the program in a pseudo terminal. The program must end only by the action that
//! quits, must escape every text of the log that it draws, and must end when Esc and q are pressed in any state.

use std::time::{Duration, Instant};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::shell::Shell;
use super::tui::TestTerminal;

/// A variable of the environment with the number of seconds for which keys are sent.
const SECONDS_VARIABLE: &str = "CHRONICLE_FUZZ_SECONDS";
const DEFAULT_SECONDS: u64 = 2;
/// The text that the payloads hold after an escape character.
const HOSTILE: &str = "]0;HOSTILE-TITLE";
const SIZES: [(u16, u16); 8] = [(120, 40), (80, 24), (60, 15), (20, 5), (1, 1), (200, 60), (5, 40), (120, 2)];
/// Keys and texts. Those that leave the program or suspend it are left out.
const INPUTS: [&str; 40] = [
    "\x1b[A",
    "\x1b[B",
    "\x1b[C",
    "\x1b[D",
    "\x1b[5~",
    "\x1b[6~",
    "\x1b[H",
    "\x1b[F",
    "\x1b[Z",
    "\x1bOP",
    "\t",
    "\r",
    "\r",
    " ",
    "e",
    "E",
    "j",
    "k",
    "G",
    "g",
    "z",
    "[",
    "]",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "p",
    "@",
    "d",
    "T",
    "x",
    "X",
    "c",
    "a",
    "\x1b[200~agg:3 pasted \u{202e}\ntext\x1b[201~",
    "/Ana\r",
    "ftype:Updated\r",
];

#[test]
fn random_keys_leave_a_program_that_answers_and_can_be_left() {
    let seconds = std::env::var(SECONDS_VARIABLE).ok().map_or(DEFAULT_SECONDS, |text| text.parse().unwrap());
    let shell = Shell::new();
    let event = |n: usize| {
        format!(
            r#"{{"write_timestamp_ms":{},"event_type":"Updated","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":{},"payload":{{"name":"Ana {n}","text":"\u001b{HOSTILE}\u0007"}}}}"#,
            1_767_225_600_000 + n,
            n % 5,
        )
    };
    std::fs::write(shell.path("events"), (0..200).map(event).collect::<Vec<_>>().join("\n")).unwrap();
    shell.run_ok("import events -o whole.log --keep-times");
    shell.run_ok("drill whole.log -o bad.log --kind checksum --seed 4");
    let open = || {
        let mut terminal = TestTerminal::open(&shell, "bad.log --color always", SIZES[0]);
        terminal.wait_for_text("bad.log");
        terminal
    };
    let mut terminal = open();
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < deadline {
        for _ in 0..20 {
            let number = random.next_u32() as usize;
            match number % 64 {
                choice @ 0..40 => terminal.press(INPUTS[choice]),
                40..46 => {
                    let (column, line) = (number / 64 % 130 + 1, number / 8192 % 45 + 1);
                    terminal.press(&format!("\x1b[<{};{column};{line}M", [0, 64, 65][number % 3]));
                }
                _ => terminal.press("\x1b"),
            }
        }
        let size = SIZES[random.next_u32() as usize % SIZES.len()];
        terminal.resize(size);
        terminal.read_for(Duration::from_millis(20));
        if !terminal.is_running() {
            // Enter in the help runs the selected action, which can be the one that quits. Any other end is a fault.
            assert_eq!(terminal.wait_for_exit(), 0, "the program has ended by itself");
            terminal = open();
        }
        assert!(!terminal.has_printed(&format!("\x1b{HOSTILE}")), "a text of the log is drawn as it is stored");
    }
    terminal.resize(SIZES[0]);
    // Esc leaves every dialog, and q on the main screen the program.
    terminal.leave_with("\x1b", "q");
    assert_eq!(terminal.wait_for_exit(), 0);
}
