//! [`Publisher`]: sends groups of messages in order, and waits for the acknowledgements of several groups at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{Client, HeaderMap, Message};
use futures_util::StreamExt;
use uuid::Uuid;

use super::client_errors::refused;
use super::error::NatsError;
use super::requests::{ANSWER_TIMEOUT, Answer, GroupMode, MessageGroup, OutgoingMessage};

const EXPECTED_LAST_SEQUENCE: &str = "Nats-Expected-Last-Sequence";
const BATCH_ID: &str = "Nats-Batch-Id";
const BATCH_SEQUENCE: &str = "Nats-Batch-Sequence";
const BATCH_COMMIT: &str = "Nats-Batch-Commit";
/// The most that these headers add to a message, in bytes.
pub(super) const PUBLISH_HEADERS_LEN: usize = 200;

/// The groups that were sent and not acknowledged, by the number in the subject of their reply.
type Waiting = Arc<Mutex<HashMap<u64, WaitingGroup>>>;

struct WaitingGroup {
    answer: Answer<u64>,
    /// The sequence number that the last message must get.
    last_sequence: u64,
}

/// Sends messages to one stream.
pub(super) struct Publisher {
    client: Client,
    /// The start of the subjects of all replies.
    inbox: String,
    waiting: Waiting,
    next: u64,
}

impl Publisher {
    /// Starts to receive acknowledgements.
    ///
    /// # Errors
    /// `Unreachable` when the connection is closed.
    pub(super) async fn start(client: Client, stream: String) -> Result<Self, NatsError> {
        let inbox = client.new_inbox();
        let failed = |error: &dyn std::error::Error| NatsError::Unreachable(error.to_string());
        let mut replies = client.subscribe(format!("{inbox}.*")).await.map_err(|error| failed(&error))?;
        let waiting = Waiting::default();
        let groups = waiting.clone();
        tokio::spawn(async move {
            while let Some(reply) = replies.next().await {
                let number = reply.subject.rsplit('.').next().and_then(|number| number.parse().ok());
                if let Some(group) = number.and_then(|number| lock(&groups).remove(&number)) {
                    let _ = group.answer.send(acknowledged(&reply, &stream, group.last_sequence));
                }
            }
        });
        Ok(Self { client, inbox, waiting, next: 0 })
    }

    /// Sends a group. The answer follows when the last message is acknowledged, or after [`ANSWER_TIMEOUT`].
    pub(super) async fn publish(&mut self, group: MessageGroup, answer: Answer<u64>) {
        self.next += 1;
        let (number, batch) = (self.next, Uuid::new_v4().simple().to_string());
        let (count, expected) = (group.messages.len(), group.expected_last_sequence);
        let last_sequence = expected.saturating_add(count as u64);
        lock(&self.waiting).insert(number, WaitingGroup { answer, last_sequence });
        let sending = self.send_all(group, &batch, number);
        let sent = tokio::time::timeout(ANSWER_TIMEOUT, sending).await;
        let error = match sent {
            Ok(Ok(())) => {
                let waiting = self.waiting.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(ANSWER_TIMEOUT).await;
                    fail(&waiting, number, NatsError::Timeout(ANSWER_TIMEOUT.as_secs()));
                });
                return;
            }
            Ok(Err(error)) => error,
            Err(_) => NatsError::Timeout(ANSWER_TIMEOUT.as_secs()),
        };
        fail(&self.waiting, number, error);
    }

    /// Hands the messages of a group to the client, which sends them in this order.
    async fn send_all(&self, group: MessageGroup, batch: &str, number: u64) -> Result<(), NatsError> {
        let (count, expected) = (group.messages.len(), group.expected_last_sequence);
        for (at, message) in group.messages.into_iter().enumerate() {
            let OutgoingMessage { subject, headers, body } = message;
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(name, value);
            }
            if group.mode == GroupMode::Single {
                map.insert(EXPECTED_LAST_SEQUENCE, (expected + at as u64).to_string());
            } else {
                if at == 0 {
                    map.insert(EXPECTED_LAST_SEQUENCE, expected.to_string());
                }
                map.insert(BATCH_ID, batch);
                map.insert(BATCH_SEQUENCE, (at + 1).to_string());
                if at + 1 == count {
                    map.insert(BATCH_COMMIT, "1");
                }
            }
            let sent = if at + 1 == count {
                let reply = format!("{}.{number}", self.inbox);
                self.client.publish_with_reply_and_headers(subject, reply, map, body.into()).await
            } else {
                self.client.publish_with_headers(subject, map, body.into()).await
            };
            sent.map_err(|error| NatsError::Unreachable(error.to_string()))?;
        }
        Ok(())
    }
}

/// Answers with an error, unless there was an answer.
fn fail(waiting: &Waiting, number: u64, error: NatsError) {
    if let Some(group) = lock(waiting).remove(&number) {
        let _ = group.answer.send(Err(error));
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<u64, WaitingGroup>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the sequence number in an acknowledgement.
fn acknowledged(reply: &Message, stream: &str, last_sequence: u64) -> Result<u64, NatsError> {
    if reply.status.is_some_and(|status| status == async_nats::StatusCode::NO_RESPONDERS) {
        return Err(NatsError::NoJetStream);
    }
    match serde_json::from_slice::<Response<PublishAck>>(&reply.payload) {
        Ok(Response::Err { error }) => Err(refused(&error)),
        Ok(Response::Ok(ack)) if ack.stream == stream && ack.sequence == last_sequence && !ack.duplicate => {
            Ok(ack.sequence)
        }
        Ok(Response::Ok(ack)) => Err(NatsError::Answer(format!(
            "expected sequence number {last_sequence} in the stream {stream}, found {} in {}",
            ack.sequence, ack.stream
        ))),
        Err(error) => Err(NatsError::Answer(error.to_string())),
    }
}
