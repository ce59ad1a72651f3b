//! A log that changes under the screen: the real program in a real terminal, with another process at the same file.

use std::fs;
use std::os::unix::fs::FileExt;

use super::cli::Shell;
use super::tui::{Terminal, shell};

const SIZE: (u16, u16) = (120, 40);

fn append(shell: &Shell, log: &str, kind: &str) {
    shell
        .done(&format!("append {log} --type {kind} --namespace n --schema S --aggregate 7 --payload {{\"seen\":1.0}}"));
}

/// A line with the cursor and a text in it.
fn cursor_on(terminal: &mut Terminal, text: &str) {
    terminal.until(&format!("the cursor on {text}"), |screen| {
        screen.contents().lines().any(|line| line.contains('>') && line.contains(text))
    });
}

/// A log of some megabytes, long enough to be changed while it is read.
fn long(shell: &Shell) {
    shell.done("generate long.log --events 60000 --seed 3");
}

fn filter(terminal: &mut Terminal, text: &str) {
    terminal.press("f");
    terminal.sees("filter: ");
    terminal.press(&format!("{text}\r"));
}

#[test]
fn what_matches_appears_and_is_counted_while_the_end_is_followed() {
    let shell = shell();
    let mut terminal = Terminal::open(&shell, "a.log", SIZE);
    terminal.sees("300 events");
    filter(&mut terminal, "type:Outside");
    terminal.sees("filter (0 hits): type:Outside");
    terminal.press("F");
    terminal.sees("FOLLOW");
    for n in 1..4 {
        append(&shell, "a.log", "Unseen");
        append(&shell, "a.log", "Outside");
        terminal.sees(&format!("filter ({n} of {n} hit"));
        cursor_on(&mut terminal, "Outside");
    }
    terminal.sees("306 events");
}

#[test]
fn a_log_cut_while_it_is_filtered_and_searched_is_told_and_looked_at_anew() {
    let shell = Shell::with_log();
    long(&shell);
    let path = shell.path("long.log");
    let bytes = fs::read(&path).unwrap();
    let mut terminal = Terminal::open(&shell, "long.log", SIZE);
    terminal.sees("long.log");
    filter(&mut terminal, "-nothing,like,this");
    terminal.press("//no.such.thing/\r");
    terminal.sees("search (");
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(bytes.len() as u64 / 2).unwrap();
    terminal.sees("the log was cut");
    let hits = |text: &str| text.contains(" hits): -nothing") && text.contains("search (0 hits)");
    terminal.until("both counted to the end", |screen| hits(&screen.contents()));
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    terminal.sees("no log any more: it was cut or overwritten (0 bytes)");
    fs::write(&path, &bytes).unwrap();
    terminal.until("both counted to the end again", |screen| hits(&screen.contents()));
    terminal.press("q");
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn a_log_that_is_none_any_more_says_so_until_it_is_back() {
    let shell = shell();
    let path = shell.path("a.log");
    let bytes = fs::read(&path).unwrap();
    let mut terminal = Terminal::open(&shell, "a.log", SIZE);
    terminal.sees("no damage");
    let cut = |to| fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(to).unwrap();
    cut(0);
    terminal.sees("NO LOG: 0 bytes");
    terminal.press("jr");
    terminal.sees("update index: no log stands there now: 0 bytes");
    terminal.press("/");
    terminal.sees("search: no log stands there now: 0 bytes");
    let status = terminal.contents().lines().next().unwrap().to_owned();
    assert!(!status.contains("events") && !status.contains("no damage"), "{status}");
    fs::write(&path, "a text that is longer than the header of a log").unwrap();
    terminal.sees("NO LOG: bytes of another kind");
    fs::write(&path, &bytes).unwrap();
    terminal.sees("the log is back, and is shown anew");
    terminal.press("j");
    terminal.until("all of it shown", |screen| {
        let screen = screen.contents();
        screen.contains("300 events") && screen.contains("verified 100 %") && !screen.contains("NO LOG")
    });
    let away = shell.path("away");
    fs::rename(&path, &away).unwrap();
    terminal.sees("GONE");
    terminal.press("jX");
    terminal.sees("repair everything: the log is gone: no file bears its name");
    fs::rename(&away, &path).unwrap();
    terminal.sees("the log is back");
    terminal.until("no GONE", |screen| !screen.contents().contains("GONE"));
}

#[test]
fn another_log_in_the_same_file_is_told_whatever_its_size() {
    let shell = shell();
    shell.done("generate b.log --events 300 --seed 9");
    let (path, mut other) = (shell.path("a.log"), fs::read(shell.path("b.log")).unwrap());
    let bytes = fs::read(&path).unwrap();
    other.resize(bytes.len().max(other.len()), 0);
    let mut terminal = Terminal::open(&shell, "a.log", SIZE);
    terminal.sees("verified 100 %");
    fs::write(&path, &other).unwrap();
    terminal.sees("the log was overwritten with another one");
    // The same header, the same size, other events.
    let mut third = other.clone();
    third[16..].reverse();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&third, 0).unwrap();
    terminal.press("j");
    terminal.sees("the log was overwritten with another one");
}

/// The status line, once the scan is through.
fn status_ends(terminal: &mut Terminal, text: &str) {
    terminal.until(&format!("a status line that ends with {text}"), |screen| {
        screen.contents().lines().next().is_some_and(|line| line.trim_end().ends_with(text))
    });
}

#[test]
fn a_repair_by_another_process_is_told_and_seen() {
    let shell = shell();
    let path = shell.path("a.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let mut terminal = Terminal::open(&shell, "a.log", SIZE);
    status_ends(&mut terminal, "× 1 damaged");
    shell.done("repair a.log --accept likely --yes");
    terminal.sees("repaired by another process: repair 1");
    status_ends(&mut terminal, "no damage");
    terminal.until("no damaged row any more", |screen| !screen.contents().contains('×'));
    assert_eq!(shell.run("undo a.log --yes").code, 4);
    terminal.sees("repair 1 was undone by another process, which is repair 2");
    status_ends(&mut terminal, "× 1 damaged");
    terminal.press("5");
    terminal.sees("undone by 2");
    // An end that is set aside is a repair, and no cut.
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    terminal.sees("the log was cut");
    append(&shell, "a.log", "Outside");
    terminal.sees("repaired by another process: repair 3");
}

#[test]
fn what_takes_the_place_of_a_log_is_told_and_a_log_among_it_is_shown() {
    let shell = shell();
    let (path, new) = (shell.path("a.log"), shell.path("new"));
    let bytes = fs::read(&path).unwrap();
    let mut terminal = Terminal::open(&shell, "a.log", SIZE);
    terminal.sees("300 events");
    terminal.press("F");
    terminal.sees("FOLLOW");
    fs::write(&new, "no log at all, and longer than a header".repeat(50)).unwrap();
    fs::rename(&new, &path).unwrap();
    terminal.sees("the log was replaced by what is none");
    terminal.sees("300 events");
    fs::write(&new, &bytes).unwrap();
    fs::rename(&new, &path).unwrap();
    terminal.sees("the log was replaced by another file");
    append(&shell, "a.log", "Outside");
    cursor_on(&mut terminal, "Outside");
    fs::remove_file(&path).unwrap();
    terminal.sees("the log was removed or renamed");
    terminal.press("k");
    terminal.sees("following no more");
    fs::create_dir(&path).unwrap();
    terminal.sees("the log was replaced by what is none");
    fs::remove_dir(&path).unwrap();
    fs::write(&path, &bytes).unwrap();
    terminal.sees("the log was replaced by another file");
    terminal.press("q");
    assert_eq!(terminal.ends(), 0);
}

/// The share of the log that was looked at, as the strip tells it, and the words around it.
fn share(screen: &str) -> Option<(u64, &str)> {
    let words = screen.lines().nth(1)?.rsplit_once('|')?.1.trim();
    let share = words.split_once(" %")?.0.rsplit(' ').next()?;
    Some((share.parse().ok()?, words))
}

#[test]
fn a_stopped_scan_goes_on_where_it_was_stopped() {
    let shell = Shell::with_log();
    long(&shell);
    let mut terminal = Terminal::open(&shell, "open --rate 6MiB/s long.log", SIZE);
    terminal.until("half of it", |screen| share(&screen.contents()).is_some_and(|(share, _)| share >= 40));
    terminal.press(":scan stop\r");
    terminal.sees("scan stopped; :scan go lets it go on");
    terminal.press(":scan go\r");
    terminal.until("the scan going on", |screen| {
        share(&screen.contents()).is_some_and(|(_, words)| !words.starts_with("stopped"))
    });
    let known = share(&terminal.contents()).unwrap().0;
    assert!(known >= 40, "{known} % after it was stopped at 40 %");
    terminal.sees("verified 100 %");
    terminal.sees("60 000 events");
}

#[test]
fn a_log_that_has_its_lost_end_back_is_looked_at_anew() {
    let shell = shell();
    shell.done("index update a.log");
    let path = shell.path("a.log");
    let whole = fs::read(&path).unwrap();
    let mut terminal = Terminal::open(&shell, "a.log", SIZE);
    terminal.sees("300 events");
    for left in [0, 50_000] {
        fs::write(&path, &whole[..left]).unwrap();
        terminal.sees("truncated");
        fs::write(&path, &whole).unwrap();
        terminal.sees("the log is back, and is shown anew");
        terminal.until("no lost end any more", |screen| {
            let screen = screen.contents();
            !screen.contains("truncated") && !screen.contains('×') && screen.contains("index fresh")
        });
    }
}
