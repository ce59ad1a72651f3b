//! The screen on a log in object storage, while the server leaves a request without an answer.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

use super::s3_server::{FakeServer, KEY, SECRET, object_answer};
use super::shell::Shell;

/// The screen in a pseudo-terminal.
struct RemoteScreen {
    child: Box<dyn Child + Send + Sync>,
    input: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
}

impl RemoteScreen {
    fn open(shell: &Shell, endpoint: &str, url: &str) -> Self {
        let size = PtySize { rows: 30, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_chronicle"));
        command.args([url, "--no-session"]);
        command.cwd(shell.folder.path());
        for (name, value) in [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("CHRONICLE_REMOTE_TIMEOUT", "3600"),
            ("HOME", &shell.folder.path().display().to_string()),
            ("TERM", "xterm-256color"),
        ] {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let (mut reader, input) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
        let (sender, output) = channel();
        std::thread::spawn(move || {
            // The terminal is open as long as it is read.
            let _master = pair.master;
            let mut buf = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut buf) {
                if sender.send(buf[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            input,
            output,
            parser: vt100::Parser::new(NonZeroU16::new(30).unwrap(), NonZeroU16::new(120).unwrap(), 0),
        }
    }

    fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
    }

    fn wait_for_text(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.parser.screen().contents().contains(text) {
            assert!(Instant::now() < deadline, "{text} does not appear:\n{}", self.parser.screen().contents());
            if let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.parser.process(&bytes);
            }
        }
    }
}

impl Drop for RemoteScreen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn keys_are_handled_while_a_request_has_no_answer() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --size 40MiB");
    let bytes = fs::read(shell.path("a.log")).unwrap();
    let server = FakeServer::start(move |request| {
        // The start and the end of the log are there. A block between them never comes.
        if request.range.is_some_and(|(first, _)| first == 16 << 20) {
            std::thread::sleep(Duration::from_secs(3600));
        }
        object_answer(request, &bytes, "\"one\"")
    });
    let mut screen = RemoteScreen::open(&shell, &server.endpoint(), "s3://logs/a.log");
    screen.wait_for_text("[1 Events]");
    let is_waiting =
        || server.requests.lock().unwrap().iter().any(|request| request.range.is_some_and(|range| range.0 == 16 << 20));
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_waiting() {
        assert!(Instant::now() < deadline, "the block is not asked for");
        std::thread::sleep(Duration::from_millis(20));
    }
    for (keys, text) in [("3", "[3 Findings]"), ("5", "[5 Repairs]"), ("a", "can only be read"), ("1", "[1 Events]")] {
        screen.press(keys);
        screen.wait_for_text(text);
    }
    screen.press("q");
    let deadline = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = screen.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "the screen does not quit");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.exit_code(), 0);
}
