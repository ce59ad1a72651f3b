//! The requests that the thread of the client library receives, and what they are made of.

use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::credentials::Credentials;
use super::error::NatsError;
use super::message::StoredMessage;
use super::stream::{NewStream, StreamState};

/// The time within which a server must answer a request.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a stream is, and how a client connects to its servers.
#[derive(Debug, Clone)]
pub(crate) struct StreamAddress {
    /// Host and port of a server.
    pub(crate) host: String,
    /// The name of the stream.
    pub(crate) stream: String,
    /// What the client proves itself with.
    pub(crate) credentials: Credentials,
    /// A file with further root certificates, in PEM.
    pub(crate) root_certificates: Option<PathBuf>,
}

/// Where an answer is sent.
pub(super) type Answer<T> = SyncSender<Result<T, NatsError>>;

/// A message that is sent to a stream.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage {
    pub(super) subject: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// How the messages of a group are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupMode {
    /// All of them or none.
    Batch,
    /// One after the other. Each is refused when one before it was.
    Single,
}

/// Messages that are sent together. The last one is acknowledged, which shows that all before it are stored.
#[derive(Debug)]
pub(super) struct MessageGroup {
    pub(super) messages: Vec<OutgoingMessage>,
    /// The sequence number before the first message, without which the server refuses the group.
    pub(super) expected_last_sequence: u64,
    pub(super) mode: GroupMode,
}

/// How many messages are read at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadLimits {
    /// The largest number of messages.
    pub(super) messages: usize,
    /// The size of the bodies, in bytes, after which no further message is read.
    pub(super) bytes: usize,
    /// The longest time to wait for the first message.
    pub(super) wait: Duration,
}

/// A request to the thread.
pub(super) enum ClientRequest {
    State(Answer<StreamState>),
    Create(NewStream, Answer<()>),
    /// A message by its sequence number, or the first one from there on.
    Message {
        sequence: u64,
        is_exact: bool,
        answer: Answer<Option<StoredMessage>>,
    },
    Publish(MessageGroup, Answer<u64>),
    OpenReader {
        sequence: u64,
        answer: Answer<u64>,
    },
    Read {
        reader: u64,
        limits: ReadLimits,
        answer: Answer<Vec<StoredMessage>>,
    },
    CloseReader(u64),
    /// Connects again, to another server where there is one.
    Reconnect,
}

impl ClientRequest {
    /// Answers with an error.
    pub(super) fn fail(self, error: NatsError) {
        match self {
            Self::State(answer) => drop(answer.send(Err(error))),
            Self::Create(_, answer) => drop(answer.send(Err(error))),
            Self::Message { answer, .. } => drop(answer.send(Err(error))),
            Self::Publish(_, answer) | Self::OpenReader { answer, .. } => drop(answer.send(Err(error))),
            Self::Read { answer, .. } => drop(answer.send(Err(error))),
            Self::CloseReader(_) | Self::Reconnect => {}
        }
    }
}
