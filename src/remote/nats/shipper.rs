//! [`Shipper`]: sends the frames of a log to a stream, each exactly once and in order, whatever is killed when.
//!
//! The stream itself says where to go on: its last message must be a frame that the log has at the same offset. Groups of messages
//! are sent one after the other without waiting, and the first message of each has the sequence number that must come before it.
//! When a group is refused, or its acknowledgement does not come, the last message of the stream is looked at again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::connection::{NatsConnection, Pending};
use super::error::NatsError;
use super::identity::StreamLogIdentity;
use super::last_message::position_after;
use super::log_source::{Backlog, LogSource, SourceFrame, SourceItem, SourcePosition, identity_of, measure_backlog};
use super::publisher::PUBLISH_HEADERS_LEN;
use super::replication_error::ReplicationError;
use super::requests::{GroupMode, MessageGroup, OutgoingMessage, StreamAddress};
use super::ship_status::{OnShipped, ShipEnd, ShipStatus};
use super::stream::StreamState;
use super::subject_prefix::choose_prefix;
use crate::StorageError;
use crate::format::Finding;
use crate::inspect::LogView;

/// The most messages of a group that is stored as a whole or not at all; servers take no more.
const MAX_GROUP: usize = 1000;
/// The most messages of a group of single ones.
const MAX_SINGLE_GROUP: usize = 256;
/// The size of a group, in bytes, after which no further message is added.
const MAX_GROUP_BYTES: usize = 2 << 20;
/// The number of groups that are sent and not acknowledged.
const MAX_IN_FLIGHT: usize = 4;
/// How often messages of another process are accepted before the shipper gives way to it.
const MAX_FOREIGN: u32 = 3;
/// How often a group can be refused without any progress.
const MAX_REFUSALS: u32 = 8;
/// The length of the line and the end of the headers of a message, in bytes.
const HEADERS_FRAME_LEN: usize = 14;

/// A group that was sent.
struct InFlight {
    answer: Pending<u64>,
    sequence: u64,
    /// The place after its last frame.
    position: SourcePosition,
    frames: u64,
    bytes: u64,
}

/// A log and the stream that it is sent to.
pub(crate) struct Shipper {
    view: LogView,
    connection: NatsConnection,
    stream: StreamState,
    identity: StreamLogIdentity,
    prefix: String,
    /// The place in the log after the last frame that is in the stream.
    position: SourcePosition,
    /// The sequence number of that frame, or the last one that the stream has given.
    sequence: u64,
    status: ShipStatus,
    /// The offset up to which the frames were counted, and their number from the position on.
    measured_to: u64,
    damage: Option<Box<Finding>>,
    /// After a refusal, one message is sent alone, so that the server says what is wrong with it.
    sends_alone: bool,
    refusals: u32,
    foreign: u32,
    /// How long a server may be unreachable; `None` for ever.
    patience: Option<Duration>,
}

impl Shipper {
    /// Connects to the servers of a stream, and finds out where to go on.
    ///
    /// # Errors
    /// Those of the server; `Refused` when the stream does not take the subjects, or is the stream of another log.
    pub(crate) fn open(
        view: &LogView,
        address: &StreamAddress,
        prefix: Option<&str>,
        patience: Option<Duration>,
    ) -> Result<Self, ReplicationError> {
        let identity = identity_of(view).map_err(|finding| ReplicationError::Log(damaged(view, finding)))?;
        let connection = NatsConnection::open(address)?;
        let stream = connection.stream_state()?;
        let prefix = choose_prefix(&stream, prefix)?;
        let mut shipper = Self {
            view: view.clone(),
            connection,
            stream,
            identity,
            prefix,
            position: SourcePosition::default(),
            sequence: 0,
            status: ShipStatus::default(),
            measured_to: 0,
            damage: None,
            sends_alone: false,
            refusals: 0,
            foreign: 0,
            patience,
        };
        shipper.look_again()?;
        Ok(shipper)
    }

    /// The settings of the stream, and its state when it was last looked at.
    pub(crate) const fn stream(&self) -> &StreamState {
        &self.stream
    }

    /// The connection to the servers.
    pub(super) const fn connection(&self) -> &NatsConnection {
        &self.connection
    }

    /// How far the shipper is.
    pub(crate) const fn status(&self) -> &ShipStatus {
        &self.status
    }

    /// The log.
    pub(crate) const fn view(&self) -> &LogView {
        &self.view
    }

    /// Reads the last message of the stream, and compares its frame with the log.
    fn look_again(&mut self) -> Result<(), ReplicationError> {
        self.stream = self.connection.stream_state()?;
        self.sequence = self.stream.last_sequence;
        self.position = position_after(&self.connection, &self.view, self.identity, &self.stream)?;
        self.status.sequence = self.sequence;
        self.status.position = self.position.end.unwrap_or(0);
        self.measured_to = 0;
        self.damage = None;
        Ok(())
    }

    /// Sends every complete frame that is in the log now, after making sure that it is on stable storage.
    ///
    /// # Errors
    /// `Refused` when another process sends to the stream, or when the stream has another log by now; `TooLarge`; the errors of the
    /// server that last longer than the patience; the errors of reading the log.
    pub(crate) fn ship(&mut self, on_shipped: &mut OnShipped) -> Result<ShipEnd, ReplicationError> {
        let end = self.view.log().len()?;
        // What a power cut could take back must not be in the stream.
        self.view.log().sync().map_err(|error| StorageError::io(self.view.path(), "sync", error))?;
        let mut troubled_since: Option<Instant> = None;
        loop {
            let shipped = self.status.frames;
            let result = self.measure(end).and_then(|()| self.send_groups(end, on_shipped));
            let error = match result {
                Ok(true) => return Ok(ShipEnd::Stopped),
                Ok(false) => {
                    return Ok(self.damage.clone().map_or(ShipEnd::CaughtUp, ShipEnd::Damage));
                }
                Err(ReplicationError::Server(error)) => error,
                Err(error) => return Err(error),
            };
            if self.status.frames > shipped {
                (troubled_since, self.refusals) = (None, 0);
            }
            let since = *troubled_since.get_or_insert_with(Instant::now);
            self.handle_failure(error, since)?;
            // The last message of the stream decides what is sent next.
            loop {
                // The log can grow while the server is away.
                self.measure(self.view.log().len()?)?;
                if on_shipped(&self.status).is_break() {
                    return Ok(ShipEnd::Stopped);
                }
                match self.look_again() {
                    Ok(()) => break,
                    Err(ReplicationError::Server(error)) => self.handle_failure(error, since)?,
                    Err(error) => return Err(error),
                }
            }
            self.status.trouble = None;
        }
    }

    /// Waits after a failure of the server that can pass; returns any other one.
    fn handle_failure(&mut self, error: NatsError, since: Instant) -> Result<(), ReplicationError> {
        self.sends_alone = true;
        if error == NatsError::WrongLastSequence {
            self.refusals += 1;
            if self.foreign >= MAX_FOREIGN || self.refusals >= MAX_REFUSALS {
                return Err(ReplicationError::refused(
                    "another process sends messages to the stream".into(),
                    "Let one `chronicle replicate` run for a stream, and give its subjects to nobody else",
                ));
            }
            std::thread::sleep(Duration::from_millis(100) * self.refusals);
            return Ok(());
        }
        if !error.is_temporary() || self.patience.is_some_and(|patience| since.elapsed() >= patience) {
            return Err(error.into());
        }
        if matches!(error, NatsError::Timeout(_)) {
            self.connection.reconnect();
        }
        self.status.trouble = Some(error.to_string());
        std::thread::sleep(Duration::from_millis(500));
        Ok(())
    }

    /// Counts the frames that are not in the stream, and checks that the server takes the largest one.
    fn measure(&mut self, end: u64) -> Result<(), ReplicationError> {
        let first = self.view.log().first_frame_offset();
        let is_counted = self.measured_to > 0;
        let start = if is_counted { self.measured_to } else { self.position.end.unwrap_or(first) };
        if !is_counted {
            self.status.lag_frames = 0;
        }
        let Backlog { frames, end: counted_to, largest, damage, first_time_ms } =
            measure_backlog(&self.view, start, end)?;
        if let Some((payload_len, offset)) = largest {
            self.ensure_fits(payload_len, offset)?;
        }
        self.status.lag_frames += frames;
        self.status.lag_since_ms = self.status.lag_since_ms.or(first_time_ms);
        self.measured_to = counted_to;
        self.damage = damage;
        self.update_lag();
        Ok(())
    }

    fn update_lag(&mut self) {
        let position = self.position.end.unwrap_or_else(|| self.view.log().first_frame_offset());
        self.status.lag_bytes = self.measured_to.saturating_sub(position);
    }

    /// Checks that a message with a payload of this size is not larger than the server takes.
    fn ensure_fits(&self, payload_len: u64, offset: u64) -> Result<(), ReplicationError> {
        // The longest headers: those of the first frame of a segment, with the longest subject.
        let headers_len = HEADERS_FRAME_LEN + MAX_OWN_HEADERS_LEN + PUBLISH_HEADERS_LEN;
        let needed = payload_len + headers_len as u64;
        if needed <= self.stream.max_message_len {
            return Ok(());
        }
        Err(ReplicationError::TooLarge { offset, needed, limit: self.stream.max_message_len })
    }

    /// Sends all frames before `end`. Returns true when the caller has ended it.
    fn send_groups(&mut self, end: u64, on_shipped: &mut OnShipped) -> Result<bool, ReplicationError> {
        let mut source = LogSource::new(&self.view, self.identity, &self.prefix, self.position, end);
        let mut in_flight: VecDeque<InFlight> = VecDeque::new();
        let (mut next_sequence, mut is_at_end) = (self.sequence, false);
        loop {
            let limit = if self.sends_alone { 1 } else { MAX_IN_FLIGHT };
            while !is_at_end && in_flight.len() < limit {
                let (frames, ended) = self.next_group(&mut source)?;
                is_at_end = ended;
                let Some(last) = frames.last() else { break };
                let position = SourcePosition::after(&last.frame);
                if in_flight.is_empty() {
                    self.status.lag_since_ms = frames.iter().find_map(|frame| frame.time_ms);
                }
                let (count, bytes) = (frames.len() as u64, frames.iter().map(frame_bytes).sum());
                let group = MessageGroup {
                    messages: frames.into_iter().map(to_message).collect(),
                    expected_last_sequence: next_sequence,
                    mode: if self.stream.takes_batches { GroupMode::Batch } else { GroupMode::Single },
                };
                next_sequence += count;
                let answer = self.connection.publish(group);
                in_flight.push_back(InFlight { answer, sequence: next_sequence, position, frames: count, bytes });
            }
            let Some(sent) = in_flight.pop_front() else {
                self.status.lag_since_ms = None;
                // Frames after the last one that was counted are counted by the next call.
                return Ok(on_shipped(&self.status).is_break());
            };
            if let Err(error) = sent.answer.wait() {
                // What was sent after it is refused too, unless the answer alone was lost.
                let after: Vec<_> = in_flight.into_iter().map(|later| later.answer.wait()).collect();
                let is_refused = after.iter().all(Result::is_err);
                if error == NatsError::WrongLastSequence && is_refused && self.stream_has_grown()? {
                    self.foreign += 1;
                }
                return Err(error.into());
            }
            (self.position, self.sequence, self.sends_alone) = (sent.position, sent.sequence, false);
            self.status.frames += sent.frames;
            self.status.bytes += sent.bytes;
            self.status.lag_frames = self.status.lag_frames.saturating_sub(sent.frames);
            self.status.position = sent.position.end.unwrap_or_default();
            self.status.sequence = sent.sequence;
            self.update_lag();
            if on_shipped(&self.status).is_break() {
                // Wait for what was sent, so that the status is the last word.
                for later in in_flight {
                    drop(later.answer.wait());
                }
                return Ok(true);
            }
        }
    }

    /// True when the stream has messages that this shipper has not sent.
    fn stream_has_grown(&self) -> Result<bool, NatsError> {
        Ok(self.connection.stream_state()?.last_sequence > self.sequence)
    }

    /// Reads the frames of the next group, and whether they are the last ones.
    fn next_group(&mut self, source: &mut LogSource) -> Result<(Vec<SourceFrame>, bool), ReplicationError> {
        let max = match () {
            () if self.sends_alone => 1,
            () if self.stream.takes_batches => MAX_GROUP,
            () => MAX_SINGLE_GROUP,
        };
        let (mut frames, mut bytes) = (Vec::new(), 0);
        while frames.len() < max && bytes < MAX_GROUP_BYTES {
            match source.next()? {
                Some(SourceItem::Frame(frame)) => {
                    bytes += frame.frame.payload.len();
                    frames.push(frame);
                }
                Some(SourceItem::Damage(finding)) => {
                    self.damage = Some(finding);
                    return Ok((frames, true));
                }
                None => return Ok((frames, true)),
            }
        }
        Ok((frames, false))
    }
}

/// The longest that the headers of [`LogFrame::headers`] can be, in bytes.
const MAX_OWN_HEADERS_LEN: usize = 460;

/// Returns the number of bytes that a frame and the header before it have in the log.
fn frame_bytes(source: &SourceFrame) -> u64 {
    source.frame.end() - source.frame.start()
}

fn to_message(source: SourceFrame) -> OutgoingMessage {
    let headers = source.frame.headers();
    OutgoingMessage { subject: source.subject, headers, body: source.frame.payload }
}

fn damaged(view: &LogView, finding: Box<Finding>) -> StorageError {
    StorageError::Damaged { path: view.path().to_owned(), finding }
}
