//! How a command can fail, and which exit status that is.

use std::io;

use crate::StorageError;
use crate::format::PayloadError;
use crate::report::{ExitStatus, describe_error, hint, sanitize};
use crate::sample::DrillError;

/// How a command ends: with a status that is part of its answer, or with a failure.
pub(super) type CommandResult = Result<ExitStatus, CommandFailure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum CommandFailure {
    /// The command line is not one.
    Parse(clap::Error),
    /// What was asked makes no sense here.
    Usage { message: String, hint: String },
    /// What was asked must not be done.
    Refused { message: String, hint: String },
    /// The engine says so, and the command ends with this.
    Storage(StorageError, ExitStatus),
    /// No place for a drill.
    NoLocation(DrillError),
    /// A line of stdin is no event, or could not be stored.
    InvalidLine { number: u64, cause: PayloadError },
    /// stdin cannot be read.
    Stdin(io::Error),
    /// stdout cannot be written.
    Stdout(io::Error),
    /// The screen cannot go on.
    Screen(String),
}

impl CommandFailure {
    /// The exit status.
    pub(super) fn exit_status(&self) -> ExitStatus {
        match self {
            // Whoever read the output has read enough.
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Done,
            Self::Parse(_) | Self::Usage { .. } => ExitStatus::Usage,
            Self::Refused { .. } => ExitStatus::Refused,
            Self::Storage(_, status) => *status,
            Self::NoLocation(_) | Self::InvalidLine { .. } | Self::Stdin(_) | Self::Stdout(_) | Self::Screen(_) => {
                ExitStatus::Failed
            }
        }
    }

    /// What went wrong: what, where, expected and found. One line that a terminal may be given.
    pub(super) fn message(&self) -> String {
        let text = match self {
            Self::Storage(error, _) => return describe_error(error),
            Self::Parse(error) => {
                let text = error.render().to_string();
                let text = text.strip_prefix("error: ").unwrap_or(&text);
                let text = text.split("\n\nUsage:").next().unwrap_or_default();
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            }
            Self::Usage { message: error, .. } | Self::Refused { message: error, .. } => error.clone(),
            Self::NoLocation(error) => error.to_string(),
            Self::InvalidLine { number, cause: why } => {
                format!(
                    "stdin, line {number}, byte {}: expected an event as a JSON object, found: {}",
                    why.offset, why.reason
                )
            }
            Self::Stdin(error) => format!("stdin: cannot read: {error}"),
            Self::Stdout(error) => format!("stdout: cannot write: {error}"),
            Self::Screen(error) => format!("the screen ended: {error}"),
        };
        sanitize(&text).into_owned()
    }

    /// What to do next.
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Parse(_) => "See `chronicle --help`, or `--help` behind a command".into(),
            Self::Usage { hint: next, .. } | Self::Refused { hint: next, .. } => next.clone(),
            Self::Storage(error, _) => hint(error),
            Self::NoLocation(_) => "Use a longer log, see `chronicle generate`".into(),
            Self::InvalidLine { .. } => {
                "Correct the line and send it and those behind it again: those before it are stored".into()
            }
            Self::Stdin(_) | Self::Stdout(_) | Self::Screen(_) => "Check what the command is connected to".into(),
        }
    }
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
