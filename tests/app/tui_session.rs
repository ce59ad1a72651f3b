//! The state of the screen that is kept for a log between runs, in a terminal.

use std::fs;

use super::shell::Shell;
use super::tui::TestTerminal;

/// Returns a folder with the log `a.log`, and with an empty folder for what is kept.
fn shell_with_state() -> Shell {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 200");
    fs::create_dir(shell.path("state")).unwrap();
    shell
}

#[test]
fn a_log_opens_at_the_place_of_the_last_run_under_another_name() {
    let shell = shell_with_state();
    let mut terminal = TestTerminal::open(&shell, "a.log", (120, 30));
    terminal.wait_for_text("Shown once, until the next key");
    terminal.press(":#120\r");
    terminal.wait_until("the event", |screen| {
        let contents = screen.contents();
        !contents.contains("Shown once") && selected_row(&contents).is_some_and(|row| !row.ends_with(" 0"))
    });
    let place = selected_row(&terminal.contents()).unwrap();
    terminal.press("mx2");
    terminal.wait_for_text("[2 Aggregates]");
    terminal.press("1");
    terminal.wait_for_text("[1 Events]");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);

    fs::rename(shell.path("a.log"), shell.path("b.log")).unwrap();
    let mut terminal = TestTerminal::open(&shell, "b.log", (120, 30));
    terminal.wait_for_text(&place);
    assert!(!terminal.has_printed("Shown once"));
    terminal.press("g'x");
    terminal.wait_for_text(&place);
    // A signal closes the screen, and its state is kept as well.
    terminal.press("3");
    terminal.wait_for_text("[3 Findings]");
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.wait_for_exit(), 0);
    let mut terminal = TestTerminal::open(&shell, "b.log", (120, 30));
    terminal.wait_for_text("[3 Findings]");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);

    let mut terminal = TestTerminal::open(&shell, "b.log --no-session", (120, 30));
    terminal.wait_for_text("[1 Events]");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
}

/// Returns the mark of the selected row and its offset, as the screen shows them.
fn selected_row(contents: &str) -> Option<String> {
    let rest = contents.lines().find_map(|line| line.get(line.find('>').filter(|column| *column < 4)?..))?;
    let end = rest.find(|c: char| c.is_ascii_digit())?;
    let digits = rest.get(end..)?.chars().take_while(char::is_ascii_digit).count();
    rest.get(..end + digits).map(str::to_owned)
}
