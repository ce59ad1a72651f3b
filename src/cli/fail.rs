//! How a command can fail, and which exit status that is.

use std::io;

use crate::StorageError;
use crate::format::Invalid;
use crate::report::{Status, describe, hint, safe};
use crate::sample::DrillError;

/// How a command ends: with a status that is part of its answer, or with a failure.
pub(super) type Run = Result<Status, Failure>;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line is not one.
    Parse(clap::Error),
    /// What was asked makes no sense here.
    Usage { error: String, next: String },
    /// What was asked must not be done.
    Refused { error: String, next: String },
    /// The engine says so, and the command ends with this.
    Storage(StorageError, Status),
    /// No place for a drill.
    NoPlace(DrillError),
    /// A line of stdin is no event, or could not be stored.
    Line { number: u64, why: Invalid },
    /// stdin cannot be read.
    Input(io::Error),
    /// stdout cannot be written.
    Output(io::Error),
    /// The screen cannot go on.
    Screen(String),
}

impl Failure {
    /// The exit status.
    pub(super) fn status(&self) -> Status {
        match self {
            // Whoever read the output has read enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Status::Done,
            Self::Parse(_) | Self::Usage { .. } => Status::Usage,
            Self::Refused { .. } => Status::Refused,
            Self::Storage(_, status) => *status,
            Self::NoPlace(_) | Self::Line { .. } | Self::Input(_) | Self::Output(_) | Self::Screen(_) => Status::Failed,
        }
    }

    /// What went wrong: what, where, expected and found. One line that a terminal may be given.
    pub(super) fn error(&self) -> String {
        let text = match self {
            Self::Storage(error, _) => return describe(error),
            Self::Parse(error) => {
                let text = error.render().to_string();
                let text = text.strip_prefix("error: ").unwrap_or(&text);
                let text = text.split("\n\nUsage:").next().unwrap_or_default();
                text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            }
            Self::Usage { error, .. } | Self::Refused { error, .. } => error.clone(),
            Self::NoPlace(error) => error.to_string(),
            Self::Line { number, why } => {
                format!(
                    "stdin, line {number}, byte {}: expected an event as a JSON object, found: {}",
                    why.at, why.reason
                )
            }
            Self::Input(error) => format!("stdin: cannot read: {error}"),
            Self::Output(error) => format!("stdout: cannot write: {error}"),
            Self::Screen(error) => format!("the screen ended: {error}"),
        };
        safe(&text).into_owned()
    }

    /// What to do next.
    pub(super) fn next(&self) -> String {
        match self {
            Self::Parse(_) => "See `chronicle --help`, or `--help` behind a command".into(),
            Self::Usage { next, .. } | Self::Refused { next, .. } => next.clone(),
            Self::Storage(error, _) => hint(error),
            Self::NoPlace(_) => "Use a longer log, see `chronicle generate`".into(),
            Self::Line { .. } => {
                "Correct the line and send it and those behind it again: those before it are stored".into()
            }
            Self::Input(_) | Self::Output(_) | Self::Screen(_) => "Check what the command is connected to".into(),
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let status = Status::of(&error);
        Self::Storage(error, status)
    }
}

impl From<DrillError> for Failure {
    fn from(error: DrillError) -> Self {
        match error {
            DrillError::Storage(error) => error.into(),
            other @ DrillError::NoPlace { .. } => Self::NoPlace(other),
        }
    }
}
