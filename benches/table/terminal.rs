//! The program in a pseudo terminal, with the moment at which each byte of a drawing came out.

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
/// A drawing comes in pieces; when nothing came for so long, it has ended.
const QUIET_PERIOD: Duration = Duration::from_millis(1);
/// How long anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// The program in a terminal; dropped, it is ended.
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
        let some = |number| NonZeroU16::new(number).unwrap();
        let emulator = vt100::Parser::new(some(LINES), some(COLUMNS), 0);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        Self { child, _master: pair.master, input: keys, output: bytes, emulator, started }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// How long the first screen took: rows under the cursor, down to the last line.
    pub(crate) fn first_screen(&mut self) -> Duration {
        self.wait_until_drawn("the first screen", |screen| {
            !cursor_row(screen).is_empty() && screen.contents().contains(" / search")
        }) - self.started
    }

    /// How long it took until what is pressed had moved the cursor to another row, and that was drawn.
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

    /// Waits for a text.
    pub(crate) fn wait_for_text(&mut self, text: &str) {
        if !self.contains_text(text) {
            self.wait_until_drawn(text, |screen| screen.contents().contains(text));
        }
    }

    /// Lets time pass; what is drawn meanwhile is read.
    pub(crate) fn process_until(&mut self, until: Instant) {
        while let Ok((_, bytes)) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.emulator.process(&bytes);
        }
    }

    /// Waits until the screen is as expected and nothing more comes. The time at which the last of it came.
    fn wait_until_drawn(&mut self, what: &str, seen: impl Fn(&vt100::Screen) -> bool) -> Instant {
        let mut last = None;
        loop {
            let wait = if last.is_some() { QUIET_PERIOD } else { DEADLINE };
            match self.output.recv_timeout(wait) {
                Ok((at, bytes)) => {
                    self.emulator.process(&bytes);
                    if last.is_some() || seen(self.emulator.screen()) {
                        last = Some(at);
                    }
                }
                Err(_) => return last.unwrap_or_else(|| panic!("{what}:\n{}", self.emulator.screen().contents())),
            }
        }
    }
}

impl Drop for BenchTerminal {
    fn drop(&mut self) {
        // One that ended by itself is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The row of the list that the cursor is on; empty while there is none.
fn cursor_row(screen: &vt100::Screen) -> String {
    screen.rows(0, COLUMNS / 2).find(|line| line.starts_with("│>")).unwrap_or_default()
}
