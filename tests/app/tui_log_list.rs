//! The list of several logs in a terminal: it reads the logs, opens one, and comes back.

use std::fs;

use super::shell::Shell;
use super::tui::TestTerminal;

/// Creates a folder `logs` with a log, a damaged one, and a file that is none.
fn shell_with_folder() -> Shell {
    let shell = Shell::with_log();
    fs::create_dir(shell.path("logs")).unwrap();
    shell.run_ok("generate logs/a.log --events 20");
    shell.plant_damage("checksum", "logs/b.log");
    fs::write(shell.path("logs/notes.txt"), "no log\n").unwrap();
    shell
}

#[test]
fn a_log_of_a_folder_is_opened_and_q_comes_back_to_the_list() {
    let shell = shell_with_folder();
    let mut terminal = TestTerminal::open(&shell, "logs", (120, 20));
    terminal.wait_for_text("2 logs   1 damaged   all read");
    let contents = terminal.contents();
    assert!(contents.contains("logs/a.log") && !contents.contains("notes.txt"), "{contents}");
    for _ in 0..2 {
        terminal.press("j\r");
        terminal.wait_until("the damaged log", |screen| {
            let contents = screen.contents();
            contents.contains("b.log") && contents.contains("1 Events") && contents.contains("× 1 damaged")
        });
        terminal.press("q");
        terminal.wait_for_text("2 logs   1 damaged   all read");
        terminal.press("k");
        terminal.wait_for_text("> logs/a.log");
    }
    // Keys that are typed ahead reach the screen for which they are meant: open, back, down, open, back, up, quit.
    terminal.press("\rqj\rqkq");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn a_signal_ends_the_program_from_the_log_as_well() {
    let shell = shell_with_folder();
    let mut terminal = TestTerminal::open(&shell, "logs", (120, 20));
    terminal.wait_for_text("all read");
    terminal.press("\r");
    terminal.wait_for_text("? help");
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn a_log_that_cannot_be_opened_leaves_the_list_open() {
    let shell = shell_with_folder();
    fs::write(shell.path("text"), "no log at all\n").unwrap();
    let mut terminal = TestTerminal::open(&shell, "text a.log", (100, 12));
    terminal.wait_for_text("2 logs   1 unreadable   all read");
    terminal.press("\r");
    terminal.wait_for_text("not a Chronicle log");
    terminal.press("j\r");
    terminal.wait_for_text("? help");
    terminal.press("q");
    terminal.wait_for_text("2 logs   1 unreadable   all read");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn without_a_terminal_the_list_names_the_command_to_use() {
    let shell = shell_with_folder();
    let outcome = shell.run("logs a.log");
    assert_eq!(outcome.exit_code, 2, "{outcome:?}");
    assert!(outcome.stderr.contains("Use `chronicle verify logs/a.log logs/b.log a.log` instead"), "{outcome:?}");
    let outcome = shell.run("open a.log logs --index x.idx");
    assert!(outcome.exit_code == 2 && outcome.stderr.contains("--index concerns one log"), "{outcome:?}");
    fs::create_dir(shell.path("empty")).unwrap();
    let outcome = shell.run("empty");
    assert!(outcome.exit_code == 2 && outcome.stderr.contains("no log in this folder"), "{outcome:?}");
}
