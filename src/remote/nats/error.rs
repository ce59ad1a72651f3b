//! [`NatsError`]: why a request to a server failed.

use std::io;

/// Why a request to a NATS server failed. The texts of servers are part of messages; what prints them makes them safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NatsError {
    /// No server answers at the address, or the connection was lost.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server did not answer within the deadline. A message may have been stored.
    #[error("the server did not answer within {0} s")]
    Timeout(u64),
    /// The server refuses the credentials, or there are none.
    #[error(
        "the server refuses the credentials, or asks for some: use --creds, or NATS_CREDS, NATS_USER and NATS_PASSWORD, or \
         NATS_TOKEN in the environment"
    )]
    Denied,
    /// The credentials cannot be read.
    #[error("{0}")]
    Credentials(String),
    /// The URL has no name of a stream.
    #[error(
        "expected the name of a stream after the host, without dots, slashes and wildcards: nats://HOST[:PORT]/STREAM"
    )]
    Name,
    /// The server has no stream of this name.
    #[error("the server has no stream of this name")]
    NoStream,
    /// JetStream is not enabled for the account.
    #[error("JetStream is not enabled on this server, or not for this account")]
    NoJetStream,
    /// The last sequence number of the stream is not the expected one: another process has stored messages.
    #[error("the stream has got messages of another process")]
    WrongLastSequence,
    /// The server refused the request.
    #[error("the server refused: {description} (error {code})")]
    Refused {
        /// The JetStream error code.
        code: u64,
        /// The server's text.
        description: String,
    },
    /// The answer of the server is not of the expected form.
    #[error("the answer of the server cannot be used: {0}")]
    Answer(String),
}

impl NatsError {
    /// True when the same request can succeed later, without a change of the log, the stream or the credentials.
    pub(crate) const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout(_) | Self::NoJetStream)
            // 10008: no leader yet, 10076: the batch was abandoned, 10077: the cluster is not ready.
            || matches!(self, Self::Refused { code: 10_008 | 10_009 | 10_023 | 10_176 | 10_211, .. })
    }
}

impl From<NatsError> for io::Error {
    fn from(error: NatsError) -> Self {
        let kind = match &error {
            NatsError::Timeout(_) => io::ErrorKind::TimedOut,
            NatsError::NoStream => io::ErrorKind::NotFound,
            NatsError::Denied => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}
