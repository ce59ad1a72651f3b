//! Where a stream ends in a log: its last message must be the frame that the log has at the same offset.

use super::connection::NatsConnection;
use super::identity::StreamLogIdentity;
use super::log_source::SourcePosition;
use super::message::LogFrame;
use super::replication_error::ReplicationError;
use super::stream::StreamState;
use crate::inspect::LogView;

const OTHER_STREAM: &str = "Name another stream, or create one with --create";
const TAKE_FROM_STREAM: &str = "Compare them with `chronicle diff LOG nats://…`, and take lost events with `chronicle repair \
                                LOG --donor nats://…`; send a log that was changed on purpose to a new stream";

/// Returns the place in the log after the last frame of the stream; the start for an empty stream.
///
/// # Errors
/// `Refused` when the last message is damaged or deleted, or is not a frame of this log; the errors of requests, and of reading the
/// log.
pub(super) fn position_after(
    connection: &NatsConnection,
    view: &LogView,
    identity: StreamLogIdentity,
    stream: &StreamState,
) -> Result<SourcePosition, ReplicationError> {
    if stream.messages == 0 {
        return Ok(SourcePosition::default());
    }
    let sequence = stream.last_sequence;
    let name = format!("the last message of the stream, sequence number {sequence},");
    let refused = |reason: String, alternative| Err(ReplicationError::refused(reason, alternative));
    let Some(message) = connection.message(sequence)? else {
        return refused(format!("{name} was deleted"), OTHER_STREAM);
    };
    let frame = match LogFrame::of_message(&message) {
        Ok(frame) => frame,
        Err(fault) => return refused(format!("{name} cannot be used: {fault}"), OTHER_STREAM),
    };
    if frame.identity != identity {
        let reason = format!(
            "the stream has another log: {name} is of log \"{}\", and this is log \"{identity}\"",
            frame.identity
        );
        return refused(reason, OTHER_STREAM);
    }
    let (log, mut buf) = (view.log(), Vec::new());
    let found = log.read_frame_at(frame.offset, &mut buf)?;
    if found.is_some_and(|found| found.bytes() == frame.bytes()) {
        return Ok(SourcePosition::after(&frame));
    }
    if !has_first_frame(connection, view, stream)? {
        return refused("the stream has another log: its first event is not that of this log".into(), OTHER_STREAM);
    }
    let (offset, len) = (frame.offset, log.len()?);
    if offset >= len {
        let reason = format!("the log has lost its end: {name} has offset {offset}, and the log ends at {len}");
        return refused(reason, TAKE_FROM_STREAM);
    }
    let reason = format!(
        "{name} is not the frame of the log at offset {offset}: the log was repaired, undone or damaged since, or it is another log"
    );
    refused(reason, TAKE_FROM_STREAM)
}

/// True when the first frame of the stream is in the log at its offset, or was removed from it.
fn has_first_frame(
    connection: &NatsConnection,
    view: &LogView,
    stream: &StreamState,
) -> Result<bool, ReplicationError> {
    let Some(message) = connection.message_from(stream.first_sequence)? else { return Ok(false) };
    let Ok(frame) = LogFrame::of_message(&message) else { return Ok(false) };
    let (log, mut buf) = (view.log(), Vec::new());
    let found = log.read_frame_at(frame.offset, &mut buf)?;
    Ok(frame.offset < log.first_frame_offset() || found.is_some_and(|found| found.bytes() == frame.bytes()))
}
