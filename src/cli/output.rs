//! The only module that prints: data to stdout, notices and errors to stderr, with every text made safe for a terminal.

use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::Path;

use clap::error::ErrorKind;

use super::failure::CommandFailure;
use crate::file::{BlockingStream, is_stdout_closed};
use crate::report::json::{self, Json};
use crate::report::{safe_path_text, sanitize, sanitize_json};

/// The form of a command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutputFormat {
    /// Text for users (the default).
    Text,
    /// JSON for programs (`--json`).
    Json,
}

/// Writes a command's output to stdout and stderr of the process.
pub(super) struct CommandOutput {
    stdout: BufWriter<BlockingStream<StdoutLock<'static>>>,
    format: OutputFormat,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    /// What the command has changed so far, which a failure after it must not hide.
    effect: Option<String>,
}

impl CommandOutput {
    /// Locks stdout for the lifetime of the value.
    pub(super) fn new(format: OutputFormat) -> Self {
        let stdout = io::stdout().lock();
        let (stdout_is_terminal, stderr_is_terminal) = (stdout.is_terminal(), io::stderr().is_terminal());
        let stdout = BufWriter::with_capacity(1 << 16, BlockingStream(stdout));
        Self { stdout, format, stdout_is_terminal, stderr_is_terminal, effect: None }
    }

    /// True when the output is JSON.
    pub(super) fn is_json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// True when stdout is a terminal.
    pub(super) const fn is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// True when progress is drawn: stderr is a terminal and the output is text.
    pub(super) fn shows_progress(&self) -> bool {
        self.stderr_is_terminal && !self.is_json()
    }

    /// True when the user can be asked: stdin and stderr are terminals and the output is text.
    pub(super) fn can_prompt(&self) -> bool {
        self.shows_progress() && io::stdin().is_terminal()
    }

    /// Asks a question on stderr and reads the answer from stdin; true for `y` and `yes` in any case.
    pub(super) fn confirm(&mut self, question: &str) -> Result<bool, CommandFailure> {
        self.flush()?;
        let _ = BlockingStream(io::stderr()).write_all(format!("{} ", sanitize(question)).as_bytes());
        let mut answer = String::new();
        BufReader::new(BlockingStream(io::stdin())).read_line(&mut answer).map_err(CommandFailure::Stdin)?;
        let answer = answer.trim();
        Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    }

    /// Prints a line of text to stdout.
    pub(super) fn print_line(&mut self, text: &str) -> Result<(), CommandFailure> {
        writeln!(self.stdout, "{}", sanitize(text)).map_err(CommandFailure::Stdout)
    }

    /// Prints a line of text to stdout that begins with a path. Paths that are not UTF-8 are shown by their bytes.
    pub(super) fn print_path_line(&mut self, path: &Path, text: &str) -> Result<(), CommandFailure> {
        writeln!(self.stdout, "{}{}", safe_path_text(path), sanitize(text)).map_err(CommandFailure::Stdout)
    }

    /// Prints a JSON value that the program composed as one line to stdout.
    pub(super) fn print_json(&mut self, value: &Json) -> Result<(), CommandFailure> {
        self.write_json_line(safe_json_line(value).as_bytes())
    }

    /// Prints a line of compact JSON with stored events, token for token. On a terminal, hostile characters become JSON
    /// escapes. The bytes must be UTF-8; the method does not check this.
    #[inline]
    pub(super) fn print_stored_json(&mut self, line: &[u8]) -> Result<(), CommandFailure> {
        if self.stdout_is_terminal {
            return self.write_json_line(sanitize_json(&String::from_utf8_lossy(line)).as_bytes());
        }
        self.write_json_line(line)
    }

    /// Prints whole lines to stdout, which the caller has made safe where stdout is a terminal.
    pub(super) fn print_lines(&mut self, lines: &[u8]) -> Result<(), CommandFailure> {
        self.stdout.write_all(lines).map_err(CommandFailure::Stdout)
    }

    #[inline]
    fn write_json_line(&mut self, line: &[u8]) -> Result<(), CommandFailure> {
        self.stdout.write_all(line).and_then(|()| self.stdout.write_all(b"\n")).map_err(CommandFailure::Stdout)
    }

    /// Prints bytes that the program generated, such as a manual page, without making them safe.
    pub(super) fn print_bytes(&mut self, bytes: &[u8]) -> Result<(), CommandFailure> {
        self.stdout.write_all(bytes).map_err(CommandFailure::Stdout)
    }

    /// Prints help text line by line.
    pub(super) fn print_help(&mut self, text: &str) -> Result<(), CommandFailure> {
        text.lines().try_for_each(|line| self.print_line(line))
    }

    /// True when nothing reads stdout any more, although nothing was written: the reader of the pipe has closed it.
    pub(super) fn is_stdout_closed(&self) -> bool {
        is_stdout_closed(&self.stdout.get_ref().0)
    }

    /// Writes buffered output to stdout.
    pub(super) fn flush(&mut self) -> Result<(), CommandFailure> {
        self.stdout.flush().map_err(CommandFailure::Stdout)
    }

    /// Prints a line of text to stderr; nothing if the output is JSON.
    pub(super) fn print_note(&mut self, text: &str) {
        if !self.is_json() {
            self.write_stderr_text(text);
        }
    }

    /// Prints a notice to stderr: as text, or as a JSON object if the output is JSON.
    pub(super) fn print_notice(&mut self, text: &str, value: &Json) {
        if self.is_json() {
            self.write_stderr_json(value);
        } else {
            self.write_stderr_text(text);
        }
    }

    /// Records what the command has changed, in the words of a finished sentence such as "stored 3 events". A failure that
    /// is printed later reports it, so that no user repeats a command that has done its work.
    pub(super) fn set_effect(&mut self, effect: impl Into<String>) {
        self.effect = Some(effect.into());
    }

    /// Prints why the command failed, what it has changed before, and what to do next; nothing if stdout was closed by its
    /// reader.
    pub(super) fn print_failure(&mut self, failure: &CommandFailure) {
        if let CommandFailure::Stdout(error) = failure
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return;
        }
        if let CommandFailure::Parse(error) = failure
            && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            && !self.is_json()
        {
            // Without arguments, the program prints its help.
            error.render().to_string().lines().for_each(|line| self.write_stderr_text(line));
            return;
        }
        if !self.is_json() {
            self.write_stderr_line(&format!("chronicle: {}", failure.message()));
            if let Some(effect) = self.effect.take() {
                self.write_stderr_text(&format!("  Done before this failure: {effect}."));
            }
            self.write_stderr_text(&format!("  {}.", failure.hint()));
            return;
        }
        let value = match (failure_json(failure), self.effect.take()) {
            (Json::Object(mut keys), Some(effect)) => {
                keys.push(("done", effect.into()));
                Json::Object(keys)
            }
            (value, _) => value,
        };
        self.write_stderr_json(&value);
    }

    fn write_stderr_json(&mut self, value: &Json) {
        self.write_stderr_line(&safe_json_line(value));
    }

    fn write_stderr_text(&mut self, text: &str) {
        let text = sanitize(text);
        self.write_stderr_line(&text);
    }

    fn write_stderr_line(&mut self, line: &str) {
        if self.stdout_is_terminal {
            // stdout and stderr share a screen: keep the order of the lines.
            let _ = self.stdout.flush();
        }
        // A failure to write to stderr cannot be reported anywhere.
        let _ = BlockingStream(io::stderr()).write_all(format!("{line}\n").as_bytes());
    }
}

/// Returns a failure as the object that is printed for it.
pub(super) fn failure_json(failure: &CommandFailure) -> Json {
    match failure {
        CommandFailure::Storage(error, status) => json::error(error, *status),
        other => Json::Object(vec![
            ("error", other.message().into()),
            ("path", Json::Null),
            ("offset", Json::Null),
            ("corruption", Json::Bool(false)),
            ("hint", other.hint().into()),
            ("exit", u64::from(other.exit_status().code()).into()),
        ]),
    }
}

/// Formats a JSON value on one line, with hostile characters as JSON escapes: the value stays the same, and no terminal
/// or editor that later shows the line interprets them.
fn safe_json_line(value: &Json) -> String {
    sanitize_json(&value.to_string()).into_owned()
}
