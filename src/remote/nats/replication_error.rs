//! [`ReplicationError`]: why a log cannot be sent to a stream, or be written from one.

use std::path::Path;

use super::error::NatsError;
use crate::StorageError;

/// Why a log cannot be sent to a stream, or be written from one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplicationError {
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] StorageError),
    /// A request to the server failed.
    #[error(transparent)]
    Server(#[from] NatsError),
    /// The state of the log or of the stream does not allow it.
    #[error("{reason}")]
    Refused {
        /// Why it was refused.
        reason: String,
        /// What to do instead, as one sentence without a full stop.
        alternative: &'static str,
    },
    /// A frame is larger than the server takes.
    #[error(
        "the event at offset {offset} needs a message of {needed} bytes with its headers, and the server takes {limit} bytes: \
         nothing was sent"
    )]
    TooLarge {
        /// Offset of the frame.
        offset: u64,
        /// The size of its message, in bytes.
        needed: u64,
        /// The largest message that the server takes, in bytes.
        limit: u64,
    },
}

impl ReplicationError {
    /// Creates a refusal.
    pub(super) const fn refused(reason: String, alternative: &'static str) -> Self {
        Self::Refused { reason, alternative }
    }

    /// Returns the error for a user, with the URL of the stream. `action` is a verb, such as "read".
    pub(crate) fn into_storage_error(self, url: &Path, action: &'static str) -> StorageError {
        let path = url.to_owned();
        match self {
            Self::Log(error) => error,
            Self::Server(NatsError::NoStream) => StorageError::Refused {
                path,
                reason: NatsError::NoStream.to_string(),
                alternative: "Check the name, or create the stream with `chronicle replicate LOG nats://… --create`",
            },
            Self::Server(error) => StorageError::Io { path, action, offset: None, source: error.into() },
            Self::Refused { reason, alternative } => StorageError::Refused { path, reason, alternative },
            error @ Self::TooLarge { .. } => StorageError::Refused {
                path,
                reason: error.to_string(),
                alternative: "Raise `max_payload` of the server (at most 64 MB), or `max_msg_size` of the stream",
            },
        }
    }
}
