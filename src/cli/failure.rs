//! Failures of commands, each with a message, the next step for the user and an exit status.

use std::io;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::StorageError;
use crate::format::PayloadError;
use crate::query::nearest_keyword;
use crate::report::{ExitStatus, describe_error, hint, sanitize};
use crate::sample::DrillError;

/// The result of a command: the exit status of a completed run, such as "damage found", or a failure.
pub(super) type CommandResult = Result<ExitStatus, CommandFailure>;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum CommandFailure {
    /// The arguments do not parse.
    Parse(clap::Error),
    /// The arguments parse but make no sense for this log or environment.
    Usage { message: String, hint: String },
    /// The command refuses to run, because it would destroy data or was not confirmed.
    Refused { message: String, hint: String },
    /// The storage engine failed; the command exits with this status.
    Storage(StorageError, ExitStatus),
    /// The log has no suitable location for the requested drill.
    NoLocation(DrillError),
    /// A line of stdin is not a valid event. `number` counts from 1.
    InvalidLine { number: u64, cause: PayloadError },
    /// A line of the input of an import is not a valid event. `number` counts from 1.
    InvalidImport { input: String, number: u64, cause: PayloadError, hint: &'static str },
    /// stdin cannot be read.
    Stdin(io::Error),
    /// stdout cannot be written.
    Stdout(io::Error),
    /// The screen failed.
    Screen(String),
}

impl CommandFailure {
    /// Returns the failure for an argument that names neither a command nor a file; `None` for any other error. `commands` are
    /// the names of the commands that could be at its place.
    pub(super) fn unknown_word<'c>(error: &clap::Error, commands: impl IntoIterator<Item = &'c str>) -> Option<Self> {
        let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
        if error.kind() != ErrorKind::InvalidSubcommand || word.starts_with('-') {
            return None;
        }
        // The parser compares names by similar characters in similar places, and offers `repair` for `retani`.
        let nearest = nearest_keyword(word, commands).map(|name| format!("; the nearest command is `{name}`"));
        Some(Self::Usage {
            message: format!("{word}: no such file or command{}", nearest.unwrap_or_default()),
            hint: "Check the path of the log, or list the commands with `chronicle help`".into(),
        })
    }

    /// Returns the exit status of the process.
    pub(super) fn exit_status(&self) -> ExitStatus {
        match self {
            // `chronicle cat LOG | head` is not a failure.
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Done,
            Self::Parse(_) | Self::Usage { .. } => ExitStatus::Usage,
            Self::Refused { .. } => ExitStatus::Refused,
            Self::Storage(_, status) => *status,
            Self::NoLocation(_)
            | Self::InvalidLine { .. }
            | Self::InvalidImport { .. }
            | Self::Stdin(_)
            | Self::Stdout(_)
            | Self::Screen(_) => ExitStatus::Failed,
        }
    }

    /// Returns one line, safe for a terminal: the failure, its location, the expected and the found value.
    pub(super) fn message(&self) -> String {
        let text = match self {
            Self::Storage(error, _) => return describe_error(error),
            Self::Parse(error) => parse_error_line(error),
            Self::Usage { message, .. } | Self::Refused { message, .. } => message.clone(),
            Self::NoLocation(error) => error.to_string(),
            Self::InvalidLine { number, cause } => format!(
                "stdin, line {number}, byte {}: expected an event as a JSON object, found: {}",
                cause.offset, cause.reason
            ),
            Self::InvalidImport { input, number, cause, .. } => format!(
                "{input}, line {number}, byte {}: expected an event as a JSON object, found: {}",
                cause.offset, cause.reason
            ),
            Self::Stdin(error) => format!("stdin: cannot read: {error}"),
            Self::Stdout(error) => format!("stdout: cannot write: {error}"),
            Self::Screen(error) => format!("the screen failed: {error}"),
        };
        sanitize(&text).into_owned()
    }

    /// Returns the next step for the user: one sentence without its full stop.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Parse(_) => "See `chronicle --help` or `chronicle COMMAND --help`".into(),
            Self::Usage { hint, .. } | Self::Refused { hint, .. } => hint.clone(),
            Self::Storage(error, _) => hint(error),
            Self::NoLocation(_) => "Use a longer log, such as `chronicle generate` writes".into(),
            Self::InvalidLine { cause, .. } if cause.is_reserved_key() => {
                "The events before this line are stored; `chronicle import FILE -o NEW` makes a log of events that have \
                 offsets and times"
                    .into()
            }
            Self::InvalidImport { hint, .. } => (*hint).into(),
            Self::InvalidLine { .. } => {
                "The events before this line are stored: correct it, then send it and the lines after it again".into()
            }
            Self::Stdin(_) => "Check the program or file that provides the input".into(),
            Self::Stdout(_) => "Check the program or file that receives the output".into(),
            Self::Screen(_) => "Check the terminal, or use `chronicle verify` and `chronicle cat` without one".into(),
        }
    }
}

/// Returns the parser's error and suggestion in one line, without its usage text.
fn parse_error_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let paragraphs =
        text.split("\n\n").map(|paragraph| paragraph.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("; ")
}

impl From<StorageError> for CommandFailure {
    fn from(error: StorageError) -> Self {
        let status = ExitStatus::for_error(&error);
        Self::Storage(error, status)
    }
}

impl From<DrillError> for CommandFailure {
    fn from(error: DrillError) -> Self {
        match error {
            DrillError::Storage(error) => error.into(),
            other @ DrillError::NoLocation { .. } => Self::NoLocation(other),
        }
    }
}
