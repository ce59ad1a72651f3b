//! Finds the message with an offset of the log. The offsets in a stream ascend with the sequence numbers.

use super::connection::NatsConnection;
use super::error::NatsError;
use super::message::StoredMessage;

/// The number of messages without an offset that are passed before the search gives up.
const MAX_PASSED: usize = 64;

/// Returns the last message between two sequence numbers whose offset is `offset` or less; `None` when there is none. The cost is
/// one request for each bit of the number of messages.
///
/// The message is not checked. The caller checks its frame.
///
/// # Errors
/// The errors of requests; `Answer` when many messages in a row have no offset.
pub(super) fn find_message(
    connection: &NatsConnection,
    offset: u64,
    (first, last): (u64, u64),
) -> Result<Option<StoredMessage>, NatsError> {
    // All messages before `low` have an offset of `offset` or less, and all from `high` on a greater one.
    let (mut low, mut high) = (first, last.saturating_add(1));
    let mut found = None;
    while low < high {
        let middle = low + (high - low) / 2;
        match message_with_offset(connection, middle, high)? {
            Some((at, message)) if at <= offset => {
                low = message.sequence + 1;
                found = Some(message);
            }
            // Between the middle and the message there is none with an offset.
            Some(_) | None => high = middle,
        }
    }
    Ok(found)
}

/// Returns the first message with an offset from a sequence number on, before `end`.
fn message_with_offset(
    connection: &NatsConnection,
    mut sequence: u64,
    end: u64,
) -> Result<Option<(u64, StoredMessage)>, NatsError> {
    for _ in 0..MAX_PASSED {
        match connection.message_from(sequence)? {
            Some(message) if message.sequence >= end => return Ok(None),
            Some(message) => match message.claimed_offset() {
                Some(offset) => return Ok(Some((offset, message))),
                None => sequence = message.sequence + 1,
            },
            None => return Ok(None),
        }
    }
    Err(NatsError::Answer(format!(
        "{MAX_PASSED} messages before sequence number {sequence} were not written by this program"
    )))
}
