//! The one place that prints: data to stdout, words to stderr, every text made safe on its way.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::Path;

use clap::error::ErrorKind;

use super::failure::CommandFailure;
use crate::format::Finding;
use crate::report::json::{self, Json};
use crate::report::{finding_sentence, safe_path_text, sanitize, sanitize_json, units};

/// stdout and stderr.
pub(super) struct CommandOutput {
    stdout: BufWriter<StdoutLock<'static>>,
    json: bool,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
}

impl CommandOutput {
    /// With `json`, what is printed for people otherwise is printed for programs.
    pub(super) fn new(json: bool) -> Self {
        let stdout = io::stdout().lock();
        let (to_terminal, words_to_terminal) = (stdout.is_terminal(), io::stderr().is_terminal());
        Self {
            stdout: BufWriter::with_capacity(1 << 16, stdout),
            json,
            stdout_is_terminal: to_terminal,
            stderr_is_terminal: words_to_terminal,
        }
    }

    /// True when programs read along.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// True when progress has somebody to look at it.
    pub(super) const fn shows_progress(&self) -> bool {
        self.stderr_is_terminal && !self.json
    }

    /// True when somebody sits at a terminal who can be asked, and no program reads along.
    pub(super) fn can_prompt(&self) -> bool {
        self.stderr_is_terminal && !self.json && io::stdin().is_terminal()
    }

    /// Asks; true for a yes, in so many words.
    pub(super) fn confirm(&mut self, question: &str) -> Result<bool, CommandFailure> {
        self.flush()?;
        let _ = write!(io::stderr(), "{} ", sanitize(question));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(CommandFailure::Stdin)?;
        let answer = answer.trim();
        Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    }

    /// A line for people to stdout.
    pub(super) fn print_line(&mut self, text: &str) -> Result<(), CommandFailure> {
        writeln!(self.stdout, "{}", sanitize(text)).map_err(CommandFailure::Stdout)
    }

    /// A line for people to stdout that begins with a path.
    pub(super) fn print_path_line(&mut self, path: &Path, text: &str) -> Result<(), CommandFailure> {
        writeln!(self.stdout, "{}{}", safe_path_text(path), sanitize(text)).map_err(CommandFailure::Stdout)
    }

    /// A JSON value as a line to stdout.
    pub(super) fn print_json(&mut self, value: &Json) -> Result<(), CommandFailure> {
        self.print_json_line(&value.to_string())
    }

    /// A line of compact JSON to stdout; on a terminal, and only there, hostile characters become JSON escapes.
    #[inline]
    pub(super) fn print_json_line(&mut self, line: &str) -> Result<(), CommandFailure> {
        let line = if self.stdout_is_terminal { sanitize_json(line) } else { line.into() };
        let put = self.stdout.write_all(line.as_bytes()).and_then(|()| self.stdout.write_all(b"\n"));
        put.map_err(CommandFailure::Stdout)
    }

    /// The same for a line that is known to be text, without looking whether it is.
    #[inline]
    pub(super) fn print_json_bytes(&mut self, line: &[u8]) -> Result<(), CommandFailure> {
        if self.stdout_is_terminal {
            return self.print_json_line(&String::from_utf8_lossy(line));
        }
        self.stdout.write_all(line).and_then(|()| self.stdout.write_all(b"\n")).map_err(CommandFailure::Stdout)
    }

    /// Bytes of our own making to stdout: a manual page, a completion script.
    pub(super) fn print_bytes(&mut self, bytes: &[u8]) -> Result<(), CommandFailure> {
        self.stdout.write_all(bytes).map_err(CommandFailure::Stdout)
    }

    /// Help, line by line.
    pub(super) fn print_help(&mut self, text: &str) -> Result<(), CommandFailure> {
        text.lines().try_for_each(|line| self.print_line(line))
    }

    /// Hands over what is still buffered.
    pub(super) fn flush(&mut self) -> Result<(), CommandFailure> {
        self.stdout.flush().map_err(CommandFailure::Stdout)
    }

    /// A line for people to stderr; nothing for programs.
    pub(super) fn print_note(&mut self, text: &str) {
        if !self.json {
            self.write_stderr_text(text);
        }
    }

    /// Something that has to be told beside the data: words for people, an object for programs.
    pub(super) fn print_notice(&mut self, text: &str, value: &Json) {
        if self.json {
            self.write_stderr_json(value);
        } else {
            self.write_stderr_text(text);
        }
    }

    /// A finding that was met on the way; of a gap, where its original bytes are kept.
    pub(super) fn print_finding(&mut self, found: &Finding, kept_in: Option<&Path>) {
        self.print_notice(&finding_line(found, kept_in), &json::finding(found, None, kept_in));
    }

    /// Why the command failed, and what to do next.
    pub(super) fn print_failure(&mut self, failure: &CommandFailure) {
        if let CommandFailure::Stdout(error) = failure
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return;
        }
        if let CommandFailure::Parse(error) = failure
            && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            && !self.json
        {
            // Nothing was asked for: what can be asked for is the answer.
            error.render().to_string().lines().for_each(|line| self.write_stderr_text(line));
            return;
        }
        if !self.json {
            self.write_stderr_line(&format!("chronicle: {}", failure.message()));
            self.write_stderr_text(&format!("  {}.", failure.hint()));
            return;
        }
        let value = match failure {
            CommandFailure::Storage(error, status) => json::error(error, *status),
            other => Json::Object(vec![
                ("error", other.message().into()),
                ("path", Json::Null),
                ("offset", Json::Null),
                ("corruption", Json::Bool(false)),
                ("hint", other.hint().into()),
                ("exit", u64::from(other.exit_status().code()).into()),
            ]),
        };
        self.write_stderr_json(&value);
    }

    fn write_stderr_json(&mut self, value: &Json) {
        let line = value.to_string();
        let line = if self.stderr_is_terminal { sanitize_json(&line) } else { line.into() };
        self.write_stderr_line(&line);
    }

    fn write_stderr_text(&mut self, text: &str) {
        let text = sanitize(text);
        self.write_stderr_line(&text);
    }

    fn write_stderr_line(&mut self, line: &str) {
        if self.stdout_is_terminal {
            // Both on one screen: in the order in which they were said.
            let _ = self.stdout.flush();
        }
        // There is nowhere left to say that this failed.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// A finding in one line: where, what, what it means, and of a gap where its original bytes are kept.
pub(super) fn finding_line(found: &Finding, kept_in: Option<&Path>) -> String {
    let place = format!("{}..{}", found.start, found.end);
    let kept = kept_in.map(|journal| format!("; its original bytes are kept in {}", journal.display()));
    let (kind, bytes) = (found.kind.name(), units::format_size(found.end - found.start));
    format!("{place:<22} {kind:<13} {bytes:>8}  {}{}", finding_sentence(found), kept.unwrap_or_default())
}
