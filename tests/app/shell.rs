//! Runs the program in a temporary folder, and captures exit status, stdout and stderr.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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
