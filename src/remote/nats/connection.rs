//! [`NatsConnection`]: a connection to the servers of a stream, with blocking calls. The client library and its runtime run on
//! one thread of their own, which receives requests by a channel and sends the answers back by another one.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::client_thread::{RequestSender, start_thread};
use super::error::NatsError;
use super::message::StoredMessage;
use super::requests::{ANSWER_TIMEOUT, Answer, ClientRequest, MessageGroup, ReadLimits, StreamAddress};
use super::stream::{NewStream, StreamState};

/// The time by which an answer may be late on its way between the threads.
const CHANNEL_ALLOWANCE: Duration = Duration::from_secs(5);

/// A connection. Dropping it ends its thread.
pub(crate) struct NatsConnection {
    requests: Option<RequestSender>,
    thread: Option<JoinHandle<()>>,
}

/// An answer that was not received yet.
#[derive(Debug)]
pub(super) struct Pending<T>(Receiver<Result<T, NatsError>>);

impl<T> Pending<T> {
    /// Blocks until the answer is there.
    ///
    /// # Errors
    /// The error of the request; `Timeout` when there is no answer after [`ANSWER_TIMEOUT`].
    pub(super) fn wait(self) -> Result<T, NatsError> {
        match self.0.recv_timeout(ANSWER_TIMEOUT + CHANNEL_ALLOWANCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(NatsError::Timeout(ANSWER_TIMEOUT.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(NatsError::Unreachable("the connection was closed".into())),
        }
    }
}

impl NatsConnection {
    /// Connects to a server.
    ///
    /// # Errors
    /// `Unreachable` when no server answers; `Denied`.
    pub(crate) fn open(address: &StreamAddress) -> Result<Self, NatsError> {
        let (connected, answer) = sync_channel(1);
        let (requests, thread) = start_thread(address.clone(), connected)?;
        Pending(answer).wait()?;
        Ok(Self { requests: Some(requests), thread: Some(thread) })
    }

    fn send<T>(&self, request: impl FnOnce(Answer<T>) -> ClientRequest) -> Pending<T> {
        let (answer, receiver) = sync_channel(1);
        if let Some(requests) = &self.requests {
            // When the thread has ended, the receiver reports that.
            let _ = requests.send(request(answer));
        }
        Pending(receiver)
    }

    /// Returns the settings and the state of the stream, as its leader knows them.
    ///
    /// # Errors
    /// `NoStream`, and the errors of any request.
    pub(crate) fn stream_state(&self) -> Result<StreamState, NatsError> {
        self.send(ClientRequest::State).wait()
    }

    /// Creates the stream.
    ///
    /// # Errors
    /// `Refused` when the servers cannot store it.
    pub(crate) fn create_stream(&self, new: NewStream) -> Result<(), NatsError> {
        self.send(|answer| ClientRequest::Create(new, answer)).wait()
    }

    /// Returns the message with this sequence number from the leader of the stream; `None` when it was deleted.
    ///
    /// # Errors
    /// The errors of any request.
    pub(super) fn message(&self, sequence: u64) -> Result<Option<StoredMessage>, NatsError> {
        self.send(|answer| ClientRequest::Message { sequence, is_exact: true, answer }).wait()
    }

    /// Returns the first message with this sequence number or a later one; `None` when there is none.
    ///
    /// # Errors
    /// The errors of any request.
    pub(super) fn message_from(&self, sequence: u64) -> Result<Option<StoredMessage>, NatsError> {
        self.send(|answer| ClientRequest::Message { sequence, is_exact: false, answer }).wait()
    }

    /// Sends a group of messages, and returns the acknowledgement of its last one: the sequence number that it got.
    pub(super) fn publish(&self, group: MessageGroup) -> Pending<u64> {
        self.send(|answer| ClientRequest::Publish(group, answer))
    }

    /// Starts reading at a sequence number, in order.
    ///
    /// # Errors
    /// The errors of any request.
    pub(super) fn open_reader(&self, sequence: u64) -> Result<u64, NatsError> {
        self.send(|answer| ClientRequest::OpenReader { sequence, answer }).wait()
    }

    /// Returns the next messages of a reader: at least one, unless there is none within `wait`.
    pub(super) fn read(&self, reader: u64, limits: ReadLimits) -> Pending<Vec<StoredMessage>> {
        self.send(|answer| ClientRequest::Read { reader, limits, answer })
    }

    /// Connects again, to another server where there is one.
    pub(super) fn reconnect(&self) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(ClientRequest::Reconnect);
        }
    }

    /// Ends a reader.
    pub(super) fn close_reader(&self, reader: u64) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(ClientRequest::CloseReader(reader));
        }
    }
}

impl fmt::Debug for NatsConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NatsConnection")
    }
}

impl Drop for NatsConnection {
    fn drop(&mut self) {
        // The thread ends when it has received all requests.
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
