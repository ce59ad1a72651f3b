//! Runs the program in a temporary folder, and captures exit status, stdout and stderr.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
#[cfg(target_os = "linux")]
use std::time::{Duration, Instant};

use serde_json::Value;

/// A temporary folder to run commands in.
pub(super) struct Shell {
    pub(super) folder: tempfile::TempDir,
}

/// Exit status and output of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CommandOutcome {
    pub(super) exit_code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Shell {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Creates a folder with `a.log`, a log of 300 events with the same bytes in every run.
    pub(super) fn with_log() -> Self {
        let shell = Self::new();
        shell.run_ok("generate a.log --events 300 --aggregates 20");
        shell
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chronicle"));
        command.args(line.split_ascii_whitespace()).current_dir(self.folder.path()).env("TZ", "UTC");
        command.stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, line: &str) -> CommandOutcome {
        CommandOutcome::from_output(self.command(line).output().unwrap())
    }

    /// Runs a command that must exit with 0.
    pub(super) fn run_ok(&self, line: &str) -> CommandOutcome {
        let outcome = self.run(line);
        assert_eq!(outcome.exit_code, 0, "{line}: {outcome:?}");
        outcome
    }

    pub(super) fn run_with_input(&self, line: &str, input: &[u8]) -> CommandOutcome {
        let mut command = self.command(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let outcome = CommandOutcome::from_output(child.wait_with_output().unwrap());
        let _ = writer.join().unwrap();
        outcome
    }

    /// Runs `append --wait 60` while `release` holds it up: `release` runs when the program has opened the log and sleeps.
    #[cfg(target_os = "linux")]
    pub(super) fn append_while_waiting(&self, log: &str, event: &str, release: impl FnOnce()) -> CommandOutcome {
        let mut command = self.command(&format!("append {log} --wait 60"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
        wait_until(&format!("{command:?} waits"), || has_open(child.id(), &self.path(log)) && is_sleeping(child.id()));
        release();
        CommandOutcome::from_output(child.wait_with_output().unwrap())
    }

    /// Plants damage in a copy of `a.log`, and returns the JSON that `drill` prints.
    pub(super) fn plant_damage(&self, kind: &str, copy: &str) -> Value {
        self.run_ok(&format!("drill a.log -o {copy} --kind {kind}")).stdout_json()
    }

    pub(super) fn flip_bit(&self, name: &str, at: usize) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        bytes[at] ^= 0x10;
        fs::write(self.path(name), bytes).unwrap();
    }
}

impl CommandOutcome {
    pub(super) fn from_output(output: Output) -> Self {
        let code = output.status.code().unwrap_or(-1);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { exit_code: code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    pub(super) fn stdout_json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Returns a path next to the project folder, which may not exist.
pub(super) fn sibling_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Waits until a condition is true, for at most a minute.
#[cfg(target_os = "linux")]
pub(super) fn wait_until(condition: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_true() {
        assert!(Instant::now() < deadline, "not reached within a minute: {condition}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// True when a process sleeps: it waits for a time or for another process.
#[cfg(target_os = "linux")]
pub(super) fn is_sleeping(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:\tS"))
}

/// True when a process has a file open.
#[cfg(target_os = "linux")]
fn has_open(process: u32, path: &Path) -> bool {
    let path = path.canonicalize().unwrap();
    let Ok(descriptors) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|open| open == path))
}
