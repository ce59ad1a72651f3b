//! End-to-end tests of the screen: the program runs in a pseudo terminal, and a terminal emulator reads its output.
//! Every step waits for the expected text, up to a deadline.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::shell::Shell;

/// The longest wait for one expected text on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// The program in a terminal.
pub(super) struct TestTerminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    input: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    /// The bytes that the program has printed since the last call of [`TestTerminal::has_printed`].
    printed: Vec<u8>,
    emulator: vt100::Parser,
    /// The settings of the terminal before the program started.
    initial_settings: String,
}

impl TestTerminal {
    pub(super) fn open(shell: &Shell, line: &str, (columns, lines): (u16, u16)) -> Self {
        let size = PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let before = terminal_settings(pair.master.as_ref());
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_chronicle"));
        command.args(line.split_ascii_whitespace());
        command.cwd(shell.folder.path());
        command.env("TERM", "xterm-256color");
        // The settings of the user who runs the tests do not apply.
        command.env("LC_ALL", "C.UTF-8");
        command.env("XDG_CONFIG_HOME", shell.folder.path());
        // Nothing is kept between runs, unless the test has made a folder for it.
        let state = shell.path("state");
        command.env("XDG_STATE_HOME", if state.is_dir() { state } else { "/dev/null".into() });
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (out, bytes) = channel();
        std::thread::spawn(move || {
            let mut buf = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buf) {
                if out.send(buf[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let emulator = vt100::Parser::new(non_zero(lines), non_zero(columns), 0);
        // `pair.slave` is closed here; the child has its own handle.
        Self {
            child,
            master: pair.master,
            input: keys,
            output: bytes,
            printed: Vec::new(),
            emulator,
            initial_settings: before,
        }
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Kills the program, which leaves the terminal as it is.
    #[cfg(target_os = "linux")]
    pub(super) fn kill(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits until `is_expected` accepts the screen; panics at the deadline.
    pub(super) fn wait_until(&mut self, expected: &str, is_expected: impl Fn(&vt100::Screen) -> bool) {
        let found = self.wait_within(DEADLINE, is_expected);
        assert!(found, "{expected} is not shown:\n{}", self.emulator.screen().contents());
    }

    /// Waits at most `time` until `is_expected` accepts the screen; returns false when the time is over.
    fn wait_within(&mut self, time: Duration, is_expected: impl Fn(&vt100::Screen) -> bool) -> bool {
        let deadline = Instant::now() + time;
        while !is_expected(self.emulator.screen()) {
            let remaining = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(remaining) {
                Ok(bytes) => self.process(&bytes),
                Err(_ended) => return false,
            }
        }
        true
    }

    fn process(&mut self, bytes: &[u8]) {
        self.printed.extend_from_slice(bytes);
        self.emulator.process(bytes);
    }

    /// Returns whether the program has printed a text since the last call.
    pub(super) fn has_printed(&mut self, text: &str) -> bool {
        while let Ok(bytes) = self.output.try_recv() {
            self.process(&bytes);
        }
        let printed = std::mem::take(&mut self.printed);
        printed.windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// Changes the size of the terminal. The emulator then shows only what was drawn for the new size.
    pub(super) fn resize(&mut self, (columns, lines): (u16, u16)) {
        self.emulator = vt100::Parser::new(non_zero(lines), non_zero(columns), 0);
        let size = PtySize { rows: lines, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).unwrap();
    }

    /// Reads what the program prints in the given time, or until it ends.
    pub(super) fn read_for(&mut self, time: Duration) {
        self.wait_within(time, |_| false);
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Presses two keys in turn until the program has exited: one that closes dialogs, and one that quits.
    pub(super) fn leave_with(&mut self, close: &str, quit: &str) {
        // Keys that the program has not read yet come before these.
        let deadline = Instant::now() + 6 * DEADLINE;
        while Instant::now() < deadline {
            for key in [close, quit] {
                self.press(key);
                // A key that follows Esc at once would be read as Alt with that key.
                self.read_for(Duration::from_millis(250));
                if !self.is_running() {
                    return;
                }
            }
        }
        panic!("the program is not left:\n{}", self.emulator.screen().contents());
    }

    /// Presses a key repeatedly until a text appears, because a dialog ignores keys for a moment after it opens. Returns
    /// how often the key was pressed.
    pub(super) fn press_until_text(&mut self, keys: &str, text: &str) -> usize {
        for presses in 1..=10 {
            self.press(keys);
            if self.wait_within(Duration::from_secs(2), |screen| screen.contents().contains(text)) {
                return presses;
            }
        }
        panic!("{text} is not shown:\n{}", self.emulator.screen().contents());
    }

    pub(super) fn wait_for_text(&mut self, text: &str) {
        self.wait_until(text, |screen| screen.contents().contains(text));
    }

    /// Returns the text on the screen.
    pub(super) fn contents(&self) -> String {
        self.emulator.screen().contents()
    }

    /// Waits for the program to exit and checks that the terminal is restored; returns the exit status.
    pub(super) fn wait_for_exit(&mut self) -> u32 {
        self.wait_until("the restored terminal", is_restored);
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the program does not exit");
            std::thread::yield_now();
        };
        assert_eq!(terminal_settings(self.master.as_ref()), self.initial_settings, "the terminal's settings");
        status.exit_code()
    }
}

impl Drop for TestTerminal {
    fn drop(&mut self) {
        // Fails if the program has already exited.
        let _ = self.child.kill();
    }
}

fn non_zero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

fn terminal_settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}

fn is_restored(screen: &vt100::Screen) -> bool {
    !screen.alternate_screen()
        && !screen.hide_cursor()
        && !screen.bracketed_paste()
        && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
}

/// Creates a shell with `a.log` and a copy `bad.log` with one damaged range.
pub(super) fn shell_with_damage() -> Shell {
    let shell = Shell::with_log();
    shell.run_ok("drill a.log -o bad.log --kind checksum --seed 7");
    shell
}

fn folder_files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn a_damaged_log_shows_its_damage_and_browsing_writes_nothing() {
    let shell = shell_with_damage();
    let before = folder_files(shell.folder.path());
    let mut terminal = TestTerminal::open(&shell, "bad.log", (120, 40));
    terminal.wait_for_text("× 1 damaged");
    terminal.wait_for_text("verified 100 %");
    terminal.press("e");
    terminal.wait_until("the cursor on the damage", |screen| {
        screen.contents().lines().any(|line| line.contains(">×") && line.contains("→ correct bits (proven)  checksum"))
    });
    terminal.press("]");
    terminal.wait_for_text("[Hex]");
    terminal.press("2");
    terminal.wait_for_text("[2 Aggregates]");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
    assert_eq!(folder_files(shell.folder.path()), before);
}

#[test]
fn events_appended_by_another_process_appear_and_are_followed() {
    let shell = shell_with_damage();
    let mut terminal = TestTerminal::open(&shell, "a.log", (120, 40));
    terminal.wait_for_text("300 events");
    terminal.press("F");
    terminal.wait_for_text("FOLLOW");
    shell.run_ok("append a.log --type Outside --namespace n --schema S --aggregate 7 --payload {\"seen\":1.0}");
    terminal.wait_until("the new event under the cursor", |screen| {
        screen.contents().lines().any(|line| line.contains('>') && line.contains("Outside"))
    });
    terminal.wait_for_text("\"seen\": 1.0");
    terminal.wait_for_text("301 events");
    terminal.press("k");
    terminal.wait_for_text("PAUSED");
}

#[test]
fn an_unfinished_last_frame_of_a_writer_is_not_damage() {
    let shell = shell_with_damage();
    let path = shell.path("a.log");
    let whole = fs::read(&path).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", (120, 40));
    terminal.wait_for_text("no damage");
    terminal.press("F");
    terminal.wait_for_text("FOLLOW");
    // A frame like the first one, written in two pieces by a writer that keeps the file open between them.
    let length = 8 + u32::from_be_bytes(whole[16..20].try_into().unwrap()) as usize;
    let frame = &whole[16..16 + length];
    let mut writer = fs::OpenOptions::new().append(true).open(&path).unwrap();
    writer.write_all(&frame[..length / 2]).unwrap();
    terminal.wait_for_text("being written");
    assert!(!terminal.emulator.screen().contents().contains("damaged"), "{}", terminal.emulator.screen().contents());
    writer.write_all(&frame[length / 2..]).unwrap();
    terminal.wait_for_text("301 events");
    terminal.wait_until("the completed event", |screen| !screen.contents().contains("being written"));
    assert!(!terminal.emulator.screen().contents().contains("× 1 damaged"));
}

#[test]
fn an_append_is_confirmed_and_stored() {
    let shell = shell_with_damage();
    let before = fs::read(shell.path("a.log")).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", (120, 40));
    terminal.wait_for_text("300 events");
    terminal.press("a");
    terminal.wait_for_text("Append a test event");
    terminal.press("\r");
    terminal.wait_for_text("Write to this log?");
    terminal.wait_for_text("[> Cancel <]");
    terminal.press_until_text("\t", "[> Append <]");
    terminal.press("\r");
    terminal.wait_for_text(&format!("at offset {}", before.len()));
    terminal.press("\x1b");
    // Esc and a key that follow each other at once would be read as Alt with that key.
    terminal.wait_until("the form is closed", |screen| !screen.contents().contains("Append a test event"));
    terminal.wait_for_text("301 events");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
    let after = fs::read(shell.path("a.log")).unwrap();
    assert!(after.starts_with(&before) && after.len() > before.len());
}

#[test]
fn a_repair_is_confirmed_verified_and_undone() {
    let shell = shell_with_damage();
    let path = shell.path("a.log");
    let whole = fs::read(&path).unwrap();
    let torn = &whole[..whole.len() - 20];
    fs::write(&path, torn).unwrap();
    let mut terminal = TestTerminal::open(&shell, "a.log", (120, 40));
    terminal.wait_for_text("× 1 damaged");
    terminal.press("X");
    terminal.wait_for_text("Repair all damage?");
    terminal.press_until_text("\t", "[> Repair <]");
    terminal.press("\r");
    terminal.wait_for_text("Repair 1 done; u undoes it");
    terminal.wait_for_text("no damage");
    terminal.wait_for_text("verified 100 %");
    // By now the file watcher has run several times; it must not report the repair as a cut.
    assert!(!terminal.wait_within(Duration::from_millis(500), |screen| screen.contents().contains("Log cut")));
    assert!(torn.starts_with(&fs::read(&path).unwrap()));
    terminal.press("u");
    terminal.wait_for_text("Undo repair 1?");
    terminal.press_until_text("\t", "[> Undo <]");
    terminal.press("\r");
    terminal.wait_for_text("Repair 1 undone (recorded as 2)");
    terminal.wait_for_text("× 1 damaged");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
    assert_eq!(fs::read(&path).unwrap(), torn);
}

#[test]
fn the_terminal_is_restored_after_a_signal() {
    for signal in [Signal::TERM, Signal::HUP] {
        let shell = shell_with_damage();
        let mut terminal = TestTerminal::open(&shell, "bad.log", (80, 24));
        terminal.wait_for_text("damaged");
        terminal.signal(signal);
        terminal.wait_for_exit();
    }
}

#[test]
fn a_suspended_screen_restores_the_terminal_and_resumes() {
    let shell = shell_with_damage();
    let mut terminal = TestTerminal::open(&shell, "bad.log", (80, 24));
    terminal.wait_for_text("× 1 damaged");
    terminal.press("\x1a");
    terminal.wait_until("the restored terminal", is_restored);
    // The program may not have stopped yet, and an early SIGCONT is lost: it is sent until the screen returns.
    let deadline = Instant::now() + DEADLINE;
    while !terminal.emulator.screen().alternate_screen() {
        assert!(Instant::now() < deadline, "the screen does not return");
        terminal.signal(Signal::CONT);
        while let Ok(bytes) = terminal.output.recv_timeout(Duration::from_millis(50)) {
            terminal.emulator.process(&bytes);
        }
    }
    terminal.wait_for_text("× 1 damaged");
    terminal.press("\x03");
    assert_eq!(terminal.wait_for_exit(), 0);
}

#[test]
fn the_screen_is_redrawn_for_a_resized_terminal() {
    let shell = shell_with_damage();
    let mut terminal = TestTerminal::open(&shell, "bad.log", (120, 40));
    terminal.wait_for_text("× 1 damaged");
    let sizes = [
        (80, 24, "[1 Events]"),
        (20, 5, " 1 damaged: e to l"),
        (1, 1, ">"),
        (60, 15, "[1 Events]"),
        (120, 40, "Findings: 1 damaged"),
    ];
    for (columns, lines, expected) in sizes {
        terminal.resize((columns, lines));
        terminal.wait_for_text(expected);
    }
    terminal.wait_for_text("verified 100 %");
    terminal.press("q");
    assert_eq!(terminal.wait_for_exit(), 0);
}
