//! The screen while another process changes the log. The tests run the program in a pseudo terminal.

use std::fs;
use std::os::unix::fs::FileExt;

use super::shell::Shell;
use super::tui::{TestTerminal, shell_with_damage};

const SCREEN_SIZE: (u16, u16) = (120, 40);

fn append_event(shell: &Shell, log: &str, kind: &str) {
    shell.run_ok(&format!(
        "append {log} --type {kind} --namespace n --schema S --aggregate 7 --payload {{\"seen\":1.0}}"
    ));
}

/// Waits until the line under the cursor contains a text.
fn wait_for_cursor_on(terminal: &mut TestTerminal, text: &str) {
    terminal.wait_until(&format!("the cursor on {text}"), |screen| {
        screen.contents().lines().any(|line| line.contains('>') && line.contains(text))
    });
}

/// Generates a log that is long enough to be changed while it is read.
fn generate_long_log(shell: &Shell) {
    shell.run_ok("generate long.log --events 60000 --seed 3");
}

fn enter_filter(terminal: &mut TestTerminal, text: &str) {
    terminal.press("f");
    terminal.wait_for_text("filter: ");
    terminal.press(&format!("{text}\r"));
}

#[test]
fn matching_events_appear_and_are_counted_while_the_end_is_followed() {
    let shell = shell_with_damage();
    let mut terminal = TestTerminal::open(&shell, "a.log", SCREEN_SIZE);
    terminal.wait_for_text("300 events");
    enter_filter(&mut terminal, "type:Outside");
    terminal.wait_for_text("filter (0 hits): type:Outside");
    terminal.press("F");
    terminal.wait_for_text("FOLLOW");
    for n in 1..4 {
        append_event(&shell, "a.log", "Unseen");
        append_event(&shell, "a.log", "Outside");
        terminal.wait_for_text(&format!("filter ({n} of {n} hit"));
        wait_for_cursor_on(&mut terminal, "Outside");
    }
    terminal.wait_for_text("306 events");
}

#[test]
fn a_cut_during_filter_and_search_is_reported_and_the_log_reread() {
    let shell = Shell::with_log();
    generate_long_log(&shell);
    let path = shell.path("long.log");
    let bytes = fs::read(&path).unwrap();
    let mut terminal = TestTerminal::open(&shell, "long.log", SCREEN_SIZE);
    terminal.wait_for_text("long.log");
    enter_filter(&mut terminal, "-nothing,like,this");
    terminal.press("//no.such.thing/\r");
    terminal.wait_for_text("search (");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes.len() as u64 / 2).unwrap();
    terminal.wait_for_text("Log cut");
    let both_counted = |text: &str| text.contains(" hits): -nothing") && text.contains("search (0 hits)");
    terminal.wait_until("both counted to the end", |screen| both_counted(&screen.contents()));
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    terminal.wait_for_text("No longer a log: cut or overwritten (0 bytes)");
    fs::write(&path, &bytes).unwrap();
    terminal.wait_until("both counted to the end again", |screen| both_counted(&screen.contents()));
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn a_file_that_stops_being_a_log_is_reported_until_it_is_one_again() {
    let shell = shell_with_damage();
    let path = shell.path("a.log");
    let bytes = fs::read(&path).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", SCREEN_SIZE);
    terminal.wait_for_text("no damage");
    let cut = |to| fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(to).unwrap();
    cut(0);
    terminal.wait_for_text("NOT A LOG: 0 bytes");
    terminal.press("jr");
    terminal.wait_for_text("update index: the file is not a log now: 0 bytes");
    terminal.press("/");
    terminal.wait_for_text("search: the file is not a log now: 0 bytes");
    let status = terminal.contents().lines().next().unwrap().to_owned();
    assert!(!status.contains("events") && !status.contains("no damage"), "{status}");
    fs::write(&path, "a text that is longer than the header of a log").unwrap();
    terminal.wait_for_text("NOT A LOG: unknown contents");
    fs::write(&path, &bytes).unwrap();
    terminal.wait_for_text("Log is back");
    terminal.press("j");
    terminal.wait_until("all of it shown", |screen| {
        let screen = screen.contents();
        screen.contains("300 events") && screen.contains("verified 100 %") && !screen.contains("NOT A LOG")
    });
    let renamed = shell.path("away");
    fs::rename(&path, &renamed).unwrap();
    terminal.wait_for_text("GONE");
    terminal.press("jX");
    terminal.wait_for_text("repair all damage: the log was removed or renamed");
    fs::rename(&renamed, &path).unwrap();
    terminal.wait_for_text("Log is back");
    terminal.wait_until("no GONE", |screen| !screen.contents().contains("GONE"));
}

#[test]
fn a_log_overwritten_with_another_is_reported_at_any_size() {
    let shell = shell_with_damage();
    shell.run_ok("generate b.log --events 300 --seed 9");
    let (path, mut other) = (shell.path("a.log"), fs::read(shell.path("b.log")).unwrap());
    let bytes = fs::read(&path).unwrap();
    other.resize(bytes.len().max(other.len()), 0);
    let mut terminal = TestTerminal::open(&shell, "a.log", SCREEN_SIZE);
    terminal.wait_for_text("verified 100 %");
    fs::write(&path, &other).unwrap();
    terminal.wait_for_text("Log overwritten");
    // The header and the size stay the same; the events change.
    let mut third = other.clone();
    third[16..].reverse();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&third, 0).unwrap();
    terminal.press("j");
    terminal.wait_for_text("Log overwritten");
}

/// Waits until the status line ends with a text.
fn wait_for_status_suffix(terminal: &mut TestTerminal, text: &str) {
    terminal.wait_until(&format!("a status line that ends with {text}"), |screen| {
        screen.contents().lines().next().is_some_and(|line| line.trim_end().ends_with(text))
    });
}

#[test]
fn a_repair_by_another_process_is_reported_and_shown() {
    let shell = shell_with_damage();
    let path = shell.path("a.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", SCREEN_SIZE);
    wait_for_status_suffix(&mut terminal, "× 1 damaged");
    shell.run_ok("repair a.log --accept likely --yes");
    terminal.wait_for_text("Log repaired by another process (repair 1)");
    wait_for_status_suffix(&mut terminal, "no damage");
    terminal.wait_until("no damaged row any more", |screen| !screen.contents().contains('×'));
    assert_eq!(shell.run("undo a.log --yes").exit_code, 4);
    terminal.wait_for_text("Repair 1 undone by another process (recorded as 2)");
    wait_for_status_suffix(&mut terminal, "× 1 damaged");
    terminal.press("5");
    terminal.wait_for_text("undone by 2");
    // Setting an end aside is reported as a repair, not as a cut.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    terminal.wait_for_text("Log cut");
    append_event(&shell, "a.log", "Outside");
    terminal.wait_for_text("Log repaired by another process (repair 3)");
}

#[test]
fn a_replaced_log_is_reported_and_a_new_log_is_shown() {
    let shell = shell_with_damage();
    let (path, new) = (shell.path("a.log"), shell.path("new"));
    let bytes = fs::read(&path).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", SCREEN_SIZE);
    terminal.wait_for_text("300 events");
    terminal.press("F");
    terminal.wait_for_text("FOLLOW");
    fs::write(&new, "no log at all, and longer than a header".repeat(50)).unwrap();
    fs::rename(&new, &path).unwrap();
    terminal.wait_for_text("Log replaced by a file that is not a log");
    terminal.wait_for_text("300 events");
    fs::write(&new, &bytes).unwrap();
    fs::rename(&new, &path).unwrap();
    terminal.wait_for_text("Log replaced by another file");
    append_event(&shell, "a.log", "Outside");
    wait_for_cursor_on(&mut terminal, "Outside");
    fs::remove_file(&path).unwrap();
    terminal.wait_for_text("Log removed or renamed");
    terminal.press("k");
    terminal.wait_for_text("PAUSED");
    fs::create_dir(&path).unwrap();
    terminal.wait_for_text("Log replaced by a file that is not a log");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, &bytes).unwrap();
    terminal.wait_for_text("Log replaced by another file");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
}

/// Returns the scanned share of the log in the map line, in per cent, and the text around it.
fn scan_share(screen: &str) -> Option<(u64, &str)> {
    let words = screen.lines().nth(1)?.rsplit_once('|')?.1.trim();
    let share = words.split_once(" %")?.0.rsplit(' ').next()?;
    Some((share.parse().ok()?, words))
}

#[test]
fn a_stopped_scan_resumes_where_it_stopped() {
    let shell = Shell::with_log();
    generate_long_log(&shell);
    let mut terminal = TestTerminal::open(&shell, "open --rate 6MiB/s long.log", SCREEN_SIZE);
    terminal
        .wait_until("40 % of the log", |screen| scan_share(&screen.contents()).is_some_and(|(share, _)| share >= 40));
    terminal.press(":scan stop\r");
    terminal.wait_for_text("Scan stopped; :scan go resumes it");
    terminal.press(":scan go\r");
    terminal.wait_until("the resumed scan", |screen| {
        scan_share(&screen.contents()).is_some_and(|(_, words)| !words.starts_with("stopped"))
    });
    let share = scan_share(&terminal.contents()).unwrap().0;
    assert!(share >= 40, "{share} % after the scan was stopped at 40 %");
    terminal.wait_for_text("verified 100 %");
    terminal.wait_for_text("60 000 events");
}

#[test]
fn a_log_with_its_end_restored_is_scanned_again() {
    let shell = shell_with_damage();
    shell.run_ok("index update a.log");
    let path = shell.path("a.log");
    let whole = fs::read(&path).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", SCREEN_SIZE);
    terminal.wait_for_text("300 events");
    for remaining in [0, 50_000] {
        fs::write(&path, &whole[..remaining]).unwrap();
        terminal.wait_for_text("truncated");
        fs::write(&path, &whole).unwrap();
        terminal.wait_for_text("Log is back");
        terminal.wait_until("no lost end any more", |screen| {
            let screen = screen.contents();
            !screen.contains("truncated") && !screen.contains('×') && screen.contains("index fresh")
        });
    }
}
