//! [`StreamReader`]: reads the messages of a stream in order. The next ones are on their way while a caller uses the last ones.

use std::time::{Duration, Instant};

use super::connection::{NatsConnection, Pending};
use super::error::NatsError;
use super::message::StoredMessage;
use super::requests::{ANSWER_TIMEOUT, ReadLimits};

/// The most messages that are read at once.
const MAX_MESSAGES: usize = 1000;
/// The size of their bodies, in bytes, after which no further message is read.
const MAX_BYTES: usize = 4 << 20;
/// The time that a request waits for a message.
const WAIT: Duration = Duration::from_millis(200);

/// Reads a stream from a sequence number on.
pub(super) struct StreamReader<'c> {
    connection: &'c NatsConnection,
    reader: u64,
    /// The request for the next messages.
    pending: Option<Pending<Vec<StoredMessage>>>,
    /// The sequence number from which on the next messages are.
    next: u64,
}

impl<'c> StreamReader<'c> {
    /// Starts at a sequence number.
    ///
    /// # Errors
    /// The errors of requests.
    pub(super) fn open(connection: &'c NatsConnection, sequence: u64) -> Result<Self, NatsError> {
        let reader = connection.open_reader(sequence)?;
        let mut reader = Self { connection, reader, pending: None, next: sequence };
        reader.request();
        Ok(reader)
    }

    fn request(&mut self) {
        let limits = ReadLimits { messages: MAX_MESSAGES, bytes: MAX_BYTES, wait: WAIT };
        self.pending = Some(self.connection.read(self.reader, limits));
    }

    /// Returns the next messages; none when there is none at present.
    ///
    /// # Errors
    /// The errors of requests.
    pub(super) fn next_messages(&mut self) -> Result<Vec<StoredMessage>, NatsError> {
        let Some(pending) = self.pending.take() else {
            return Err(NatsError::Answer("the reading has failed before".into()));
        };
        let messages = pending.wait()?;
        self.request();
        if let Some(last) = messages.last() {
            self.next = last.sequence.saturating_add(1);
        }
        Ok(messages)
    }

    /// Returns the next messages up to the sequence number `last`, which the stream has.
    ///
    /// # Errors
    /// The errors of requests; `Answer` when the server delivers none of them although the stream has them.
    pub(super) fn next_messages_until(&mut self, last: u64) -> Result<Vec<StoredMessage>, NatsError> {
        let since = Instant::now();
        while self.next <= last {
            let mut messages = self.next_messages()?;
            messages.retain(|message| message.sequence <= last);
            if !messages.is_empty() {
                return Ok(messages);
            }
            if since.elapsed() >= ANSWER_TIMEOUT {
                return Err(NatsError::Answer(format!(
                    "the stream has messages up to sequence number {last}, and the server delivers none from {} on: they are \
                     damaged or deleted",
                    self.next
                )));
            }
        }
        Ok(Vec::new())
    }
}

impl Drop for StreamReader<'_> {
    fn drop(&mut self) {
        self.connection.close_reader(self.reader);
    }
}
