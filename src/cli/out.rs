//! The one place that prints: data to stdout, words to stderr, every text made safe on its way.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::Path;

use clap::error::ErrorKind;

use super::fail::Failure;
use crate::format::Finding;
use crate::report::json::{self, Json};
use crate::report::{json_escaped, path_text, safe, units, verdict};

/// stdout and stderr.
pub(super) struct Out {
    data: BufWriter<StdoutLock<'static>>,
    json: bool,
    to_terminal: bool,
    words_to_terminal: bool,
}

impl Out {
    /// With `json`, what is printed for people otherwise is printed for programs.
    pub(super) fn new(json: bool) -> Self {
        let stdout = io::stdout().lock();
        let (to_terminal, words_to_terminal) = (stdout.is_terminal(), io::stderr().is_terminal());
        Self { data: BufWriter::with_capacity(1 << 16, stdout), json, to_terminal, words_to_terminal }
    }

    /// True when programs read along.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// True when progress has somebody to look at it.
    pub(super) const fn shows_progress(&self) -> bool {
        self.words_to_terminal && !self.json
    }

    /// True when somebody sits at a terminal who can be asked, and no program reads along.
    pub(super) fn can_ask(&self) -> bool {
        self.words_to_terminal && !self.json && io::stdin().is_terminal()
    }

    /// Asks; true for a yes, in so many words.
    pub(super) fn ask(&mut self, question: &str) -> Result<bool, Failure> {
        self.flush()?;
        let _ = write!(io::stderr(), "{} ", safe(question));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map_err(Failure::Input)?;
        let answer = answer.trim();
        Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    }

    /// A line for people to stdout.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.data, "{}", safe(text)).map_err(Failure::Output)
    }

    /// A line for people to stdout that begins with a path.
    pub(super) fn path_line(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        writeln!(self.data, "{}{}", path_text(path), safe(text)).map_err(Failure::Output)
    }

    /// A JSON value as a line to stdout.
    pub(super) fn value(&mut self, value: &Json) -> Result<(), Failure> {
        self.json_line(&value.to_string())
    }

    /// A line of compact JSON to stdout; on a terminal, and only there, hostile characters become JSON escapes.
    #[inline]
    pub(super) fn json_line(&mut self, line: &str) -> Result<(), Failure> {
        let line = if self.to_terminal { json_escaped(line) } else { line.into() };
        let put = self.data.write_all(line.as_bytes()).and_then(|()| self.data.write_all(b"\n"));
        put.map_err(Failure::Output)
    }

    /// The same for a line that is known to be text, without looking whether it is.
    #[inline]
    pub(super) fn json_bytes(&mut self, line: &[u8]) -> Result<(), Failure> {
        if self.to_terminal {
            return self.json_line(&String::from_utf8_lossy(line));
        }
        self.data.write_all(line).and_then(|()| self.data.write_all(b"\n")).map_err(Failure::Output)
    }

    /// Bytes of our own making to stdout: a manual page, a completion script.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.data.write_all(bytes).map_err(Failure::Output)
    }

    /// Help, line by line.
    pub(super) fn help(&mut self, text: &str) -> Result<(), Failure> {
        text.lines().try_for_each(|line| self.line(line))
    }

    /// Hands over what is still buffered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.data.flush().map_err(Failure::Output)
    }

    /// A line for people to stderr; nothing for programs.
    pub(super) fn note(&mut self, text: &str) {
        if !self.json {
            self.words(text);
        }
    }

    /// Something that has to be told beside the data: words for people, an object for programs.
    pub(super) fn tell(&mut self, text: &str, value: &Json) {
        if self.json {
            self.words_value(value);
        } else {
            self.words(text);
        }
    }

    /// A finding that was met on the way; of a gap, where its original bytes are kept.
    pub(super) fn tell_finding(&mut self, found: &Finding, kept_in: Option<&Path>) {
        self.tell(&finding_line(found, kept_in), &json::finding(found, None, kept_in));
    }

    /// Why the command failed, and what to do next.
    pub(super) fn failure(&mut self, failure: &Failure) {
        if let Failure::Output(error) = failure
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return;
        }
        if let Failure::Parse(error) = failure
            && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            && !self.json
        {
            // Nothing was asked for: what can be asked for is the answer.
            error.render().to_string().lines().for_each(|line| self.words(line));
            return;
        }
        if !self.json {
            self.put_words(&format!("chronicle: {}", failure.error()));
            self.words(&format!("  {}.", failure.next()));
            return;
        }
        let value = match failure {
            Failure::Storage(error, status) => json::error(error, *status),
            other => Json::Object(vec![
                ("error", other.error().into()),
                ("path", Json::Null),
                ("offset", Json::Null),
                ("corruption", Json::Bool(false)),
                ("hint", other.next().into()),
                ("exit", u64::from(other.status().number()).into()),
            ]),
        };
        self.words_value(&value);
    }

    fn words_value(&mut self, value: &Json) {
        let line = value.to_string();
        let line = if self.words_to_terminal { json_escaped(&line) } else { line.into() };
        self.put_words(&line);
    }

    fn words(&mut self, text: &str) {
        let text = safe(text);
        self.put_words(&text);
    }

    fn put_words(&mut self, line: &str) {
        if self.to_terminal {
            // Both on one screen: in the order in which they were said.
            let _ = self.data.flush();
        }
        // There is nowhere left to say that this failed.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// A finding in one line: where, what, what it means, and of a gap where its original bytes are kept.
pub(super) fn finding_line(found: &Finding, kept_in: Option<&Path>) -> String {
    let place = format!("{}..{}", found.start, found.end);
    let kept = kept_in.map(|journal| format!("; its original bytes are kept in {}", journal.display()));
    let (kind, bytes) = (found.kind.name(), units::size(found.end - found.start));
    format!("{place:<22} {kind:<13} {bytes:>8}  {}{}", verdict(found), kept.unwrap_or_default())
}
