//! Runs the program in a pseudo terminal, and records the time at which each piece of its output arrives.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::process::PROGRAM;

const COLUMNS: u16 = 120;
const LINES: u16 = 40;
/// Time without output after which a screen frame, which arrives in several pieces, is complete.
const QUIET_PERIOD: Duration = Duration::from_millis(1);
/// Maximum time to wait for expected output on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program in a terminal. Dropping it kills the program.
pub(crate) struct BenchTerminal {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    input: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    emulator: vt100::Parser,
    started: Instant,
}

impl BenchTerminal {
    pub(crate) fn open(log: &Path, options: &[&OsStr]) -> Self {
        let size = PtySize { rows: LINES, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.arg("open");
        command.arg(log);
        // The place and the marks of an earlier run would change what the first screen shows.
        command.arg("--no-session");
        command.args(options);
        command.env("TERM", "xterm-256color");
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (out, bytes) = channel();
        thread::spawn(move || {
            let mut buf = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buf) {
                if out.send((Instant::now(), buf[..read].to_vec())).is_err() {
                    return;
                }
            }
        });
        let non_zero = |number| NonZeroU16::new(number).unwrap();
        let emulator = vt100::Parser::new(non_zero(LINES), non_zero(COLUMNS), 0);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        Self { child, _master: pair.master, input: keys, output: bytes, emulator, started }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Returns the time from the start of the program to the complete first screen: rows, cursor and footer.
    pub(crate) fn first_screen(&mut self) -> Duration {
        self.wait_until_drawn("the first screen", |screen| {
            !cursor_row(screen).is_empty() && screen.contents().contains(" / search")
        }) - self.started
    }

    /// Presses keys, and returns the time until the cursor is drawn on another row.
    pub(crate) fn cursor_latency(&mut self, keys: &str) -> Duration {
        let before = cursor_row(self.emulator.screen());
        let pressed = Instant::now();
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
        self.wait_until_drawn(keys, |screen| ![String::new(), before.clone()].contains(&cursor_row(screen))) - pressed
    }

    pub(crate) fn contains_text(&self, text: &str) -> bool {
        self.emulator.screen().contents().contains(text)
    }

    /// Waits until the screen contains a text.
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        if !self.contains_text(text) {
            self.wait_until_drawn(text, |screen| screen.contents().contains(text));
        }
    }

    /// Reads the program's output until a time.
    pub(crate) fn process_until(&mut self, until: Instant) {
        while let Ok((_, bytes)) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.emulator.process(&bytes);
        }
    }

    /// Waits until `is_expected` accepts the screen and the screen is complete, and returns the time of its last piece.
    fn wait_until_drawn(&mut self, expected: &str, is_expected: impl Fn(&vt100::Screen) -> bool) -> Instant {
        let mut last = None;
        loop {
            let wait = if last.is_some() { QUIET_PERIOD } else { DEADLINE };
            match self.output.recv_timeout(wait) {
                Ok((at, bytes)) => {
                    self.emulator.process(&bytes);
                    if last.is_some() || is_expected(self.emulator.screen()) {
                        last = Some(at);
                    }
                }
                Err(_) => return last.unwrap_or_else(|| panic!("{expected}:\n{}", self.emulator.screen().contents())),
            }
        }
    }
}

impl Drop for BenchTerminal {
    fn drop(&mut self) {
        // Fails when the program has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the list row under the cursor; empty if the screen has no cursor row.
fn cursor_row(screen: &vt100::Screen) -> String {
    screen.rows(0, COLUMNS / 2).find(|line| line.starts_with('>')).unwrap_or_default()
}
