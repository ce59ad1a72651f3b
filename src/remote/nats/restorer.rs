//! [`Restorer`]: writes the log again that a stream has, into a new file or folder, or after the end of a copy that has a part of
//! it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::connection::NatsConnection;
use super::error::NatsError;
use super::log_source::measure_backlog;
use super::message::{LogFrame, StoredMessage};
use super::replication_error::ReplicationError;
use super::requests::StreamAddress;
use super::sequence_search::find_message;
use super::stream::StreamState;
use super::stream_frames::StreamFrames;
use super::stream_reader::StreamReader;
use crate::StorageError;
use crate::file::{Disk, ExistingFile, NewLog, NewLogForm, NewLogTarget, RollPolicy, now_ms, spans_before};
use crate::format::{LogHeader, LostRange, gap};
use crate::log::{OpenOptions, ReplicaLog};
use crate::repair::{ExpectedContent, verify_new_log};

/// How far a restorer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RestoreStatus {
    /// The number of events that were written.
    pub(crate) events: u64,
    /// The number of gaps that were written.
    pub(crate) gaps: u64,
    /// The end of the log that was written.
    pub(crate) position: u64,
    /// The sequence number of its last message.
    pub(crate) sequence: u64,
    /// The number of messages that the stream has after it, as far as that is known.
    pub(crate) lag_messages: u64,
}

/// A callback that receives the status. Its break ends the restoring.
pub(crate) type OnRestored<'a> = dyn FnMut(&RestoreStatus) -> ControlFlow<()> + 'a;

const EMPTY_STREAM: &str = "Send a log to it with `chronicle replicate LOG nats://…`";
const NO_COPY: &str = "Write the log to another file, without --continue";

/// A stream that a log is written from.
pub(crate) struct Restorer {
    connection: NatsConnection,
    state: StreamState,
    status: RestoreStatus,
}

impl Restorer {
    /// Connects to the servers of a stream.
    ///
    /// # Errors
    /// Those of the server; `Refused` when the stream is empty.
    pub(crate) fn open(address: &StreamAddress) -> Result<Self, ReplicationError> {
        let connection = NatsConnection::open(address)?;
        let state = connection.stream_state()?;
        if state.messages == 0 {
            return Err(ReplicationError::refused("the stream has no message".into(), EMPTY_STREAM));
        }
        Ok(Self { connection, state, status: RestoreStatus::default() })
    }

    /// How far the restorer is.
    pub(crate) const fn status(&self) -> &RestoreStatus {
        &self.status
    }

    /// Writes everything that the stream has into a new log, reads it again, and gives it its name.
    ///
    /// # Errors
    /// `Refused` for a stream that is not one whole log; `Cancelled` when `on_restored` breaks; `AlreadyExists`, `Io`, and the errors
    /// of the server. After an error there is no new log.
    pub(crate) fn restore_new(
        &mut self,
        disk: &Arc<dyn Disk>,
        path: &Path,
        threads: usize,
        on_restored: &mut OnRestored,
    ) -> Result<(), ReplicationError> {
        let (first, log_start, has_segments) = self.find_start()?;
        let form = if has_segments { NewLogForm::Folder(RollPolicy::default()) } else { NewLogForm::File };
        let target = NewLogTarget { path, existing: ExistingFile::Keep, form, permissions_from: None };
        let mut log = NewLog::create(disk.as_ref(), target, now_ms())?;
        let mut chain = StreamFrames::at_start();
        let written = self.write_new(&mut log, &mut chain, first, on_restored).and_then(|()| {
            let given_up_at_ms = now_ms();
            let lost = chain.lost.iter().filter(|lost| lost.start >= log_start);
            log.set_lost(lost.map(|lost| LostRange { given_up_at_ms, ..*lost }).collect());
            let content = ExpectedContent { events: self.status.events, gaps: self.status.gaps };
            let status = self.status;
            let on_read = &mut |_, _| match on_restored(&status) {
                ControlFlow::Break(()) => Err(StorageError::Cancelled),
                ControlFlow::Continue(()) => Ok(()),
            };
            verify_new_log(disk, threads, &mut log, content, on_read)?;
            Ok(log.commit()?)
        });
        if written.is_err() && !log.is_committed() {
            log.discard();
        }
        written
    }

    /// Returns the sequence number of the first message of the log, its first offset, and whether it is in segments.
    fn find_start(&self) -> Result<(u64, u64, bool), ReplicationError> {
        let (first, last) = (self.state.first_sequence, self.state.last_sequence);
        let newest = self.connection.message(last)?.ok_or_else(|| missing_message(last))?;
        let newest = decode(&newest)?;
        let Some(base) = newest.segment else { return Ok((first, 0, false)) };
        // The newest header says which segments retention has removed.
        let header_len = newest.identity.version().first_frame_offset();
        let of_segment = |base: u64| -> Result<LogFrame, ReplicationError> {
            let found = find_message(&self.connection, base + header_len, (first, last))?;
            let message = found.ok_or_else(|| missing_message(first))?;
            let frame = decode(&message)?;
            if frame.offset != base + header_len || frame.header.is_empty() {
                let reason = format!("the stream lacks the first event of the segment at offset {base}");
                return Err(ReplicationError::refused(reason, EMPTY_STREAM));
            }
            Ok(frame)
        };
        let header = LogHeader::decode(&of_segment(base)?.header).ok().and_then(|header| header.segment);
        let log_start = header.map_or(0, |header| header.log_start);
        if log_start == 0 {
            return Ok((first, 0, true));
        }
        of_segment(log_start)?;
        let start = find_message(&self.connection, log_start + header_len, (first, last))?;
        Ok((start.map_or(first, |message| message.sequence), log_start, true))
    }

    fn write_new(
        &mut self,
        log: &mut NewLog,
        chain: &mut StreamFrames,
        first: u64,
        on_restored: &mut OnRestored,
    ) -> Result<(), ReplicationError> {
        let last = self.state.last_sequence;
        let mut reader = StreamReader::open(&self.connection, first)?;
        while chain.sequence() < last {
            for message in reader.next_messages_until(last)? {
                let frame = chain.accept(&message)?;
                if let Some(header) = decoded_header(&frame)? {
                    log.write_header(header)?;
                }
                log.append_encoded_frame(&frame.bytes())?;
                count(&mut self.status, &frame);
            }
            update(&mut self.status, chain, last);
            if on_restored(&self.status).is_break() {
                return Err(StorageError::Cancelled.into());
            }
        }
        Ok(())
    }

    /// Opens a copy that has the first part of the log, and checks that its last frame is that of the stream.
    ///
    /// # Errors
    /// `Refused` for another log, for one with a damaged end, and for one that has more than the stream; the errors of opening a log
    /// for append, and of the server.
    pub(crate) fn open_replica(&mut self, options: &OpenOptions, path: &Path) -> Result<Replica, ReplicationError> {
        let log = ReplicaLog::open(options, path)?;
        let end = log.end();
        let refused = |reason: String| Err(ReplicationError::refused(reason, NO_COPY));
        let Some(span) = spans_before(log.view().log(), end, 1)?.pop() else {
            return refused("the copy has no event to compare with the stream".into());
        };
        let offset = span.range().start;
        let mut buf = Vec::new();
        let Some(found) = log.view().log().read_frame_at(offset, &mut buf)? else {
            return refused(format!("the copy ends with damage at offset {offset}: repair it first"));
        };
        let (first, last) = (self.state.first_sequence, self.state.last_sequence);
        let message = find_message(&self.connection, offset, (first, last))?.ok_or_else(|| missing_message(first))?;
        let frame = decode(&message)?;
        if frame.offset != offset || frame.bytes() != found.bytes() {
            return refused(format!(
                "the copy has a frame at offset {offset} that the stream does not have: it is another log, or has more events \
                 than the stream"
            ));
        }
        let chain = StreamFrames::after(&frame, end, message.sequence);
        update(&mut self.status, &chain, last);
        Ok(Replica { log, chain })
    }

    /// Appends to a copy what the stream has after it, and then what the stream gets, until `on_restored` breaks. Without `follows`,
    /// it ends when the copy has all that the stream had at the start, and reads what was appended again.
    ///
    /// # Errors
    /// `Refused` for a message that does not continue the log; `Io` and `Poisoned` when the copy cannot be written; the errors of the
    /// server, with `follows` only those that do not pass.
    pub(crate) fn extend(
        &mut self,
        replica: &mut Replica,
        follows: bool,
        on_restored: &mut OnRestored,
    ) -> Result<(), ReplicationError> {
        let start = replica.log.end();
        loop {
            match self.append_new(replica, follows, on_restored) {
                Ok(()) => break,
                Err(ReplicationError::Server(error)) if follows && error.is_temporary() => {
                    if on_restored(&self.status).is_break() {
                        break;
                    }
                    if matches!(error, NatsError::Timeout(_)) {
                        self.connection.reconnect();
                    }
                    std::thread::sleep(std::time::Duration::from_millis(500));
                }
                Err(error) => return Err(error),
            }
        }
        let appended = measure_backlog(replica.log.view(), start, replica.log.end())?;
        match appended.damage {
            None => Ok(()),
            Some(finding) => Err(StorageError::Damaged { path: replica.log.view().path().to_owned(), finding }.into()),
        }
    }

    fn append_new(
        &mut self,
        replica: &mut Replica,
        follows: bool,
        on_restored: &mut OnRestored,
    ) -> Result<(), ReplicationError> {
        let mut last = self.connection.stream_state()?.last_sequence;
        let mut reader = StreamReader::open(&self.connection, replica.chain.sequence() + 1)?;
        loop {
            let is_behind = replica.chain.sequence() < last;
            let messages = if is_behind { reader.next_messages_until(last)? } else { reader.next_messages()? };
            let is_caught_up = messages.is_empty();
            replica.append(&messages, &mut self.status)?;
            last = last.max(replica.chain.sequence());
            update(&mut self.status, &replica.chain, last);
            if on_restored(&self.status).is_break() || (!follows && replica.chain.sequence() >= last) {
                return Ok(());
            }
            if is_caught_up {
                // What the consumer does not deliver is noticed by the state of the stream.
                last = self.connection.stream_state()?.last_sequence;
            }
        }
    }
}

/// A copy of the log of a stream, open for append.
pub(crate) struct Replica {
    log: ReplicaLog,
    chain: StreamFrames,
}

impl Replica {
    /// The log.
    pub(crate) const fn log(&self) -> &ReplicaLog {
        &self.log
    }

    /// Appends the frames of messages, and syncs them.
    fn append(&mut self, messages: &[StoredMessage], status: &mut RestoreStatus) -> Result<(), ReplicationError> {
        let mut bytes = Vec::new();
        for message in messages {
            let frame = self.chain.accept(message)?;
            if let Some(header) = decoded_header(&frame)? {
                self.log.append(&std::mem::take(&mut bytes))?;
                self.log.start_segment(header)?;
            }
            bytes.extend_from_slice(&frame.bytes());
            count(status, &frame);
        }
        if !messages.is_empty() {
            self.log.append(&bytes)?;
            self.log.sync()?;
        }
        Ok(())
    }
}

/// Returns the header before the frame, when it is the first one of a file.
fn decoded_header(frame: &LogFrame) -> Result<Option<LogHeader>, ReplicationError> {
    if frame.header.is_empty() {
        return Ok(None);
    }
    match LogHeader::decode(&frame.header) {
        Ok(header) if *header.encode() == *frame.header => Ok(Some(header)),
        _ => Err(ReplicationError::refused(
            format!("the header before offset {} has values that this version does not write", frame.offset),
            "Use a newer version of Chronicle",
        )),
    }
}

fn count(status: &mut RestoreStatus, frame: &LogFrame) {
    if gap::is_gap(&frame.payload) {
        status.gaps += 1;
    } else {
        status.events += 1;
    }
}

fn update(status: &mut RestoreStatus, chain: &StreamFrames, last: u64) {
    (status.position, status.sequence) = (chain.end(), chain.sequence());
    status.lag_messages = last.saturating_sub(chain.sequence());
}

fn decode(message: &StoredMessage) -> Result<LogFrame, ReplicationError> {
    LogFrame::of_message(message).map_err(|fault| {
        let sequence = message.sequence;
        ReplicationError::refused(
            format!("the message with sequence number {sequence} cannot be used: {fault}"),
            "Look at the message with `nats stream get`",
        )
    })
}

fn missing_message(sequence: u64) -> ReplicationError {
    ReplicationError::refused(
        format!("the stream lacks the message with sequence number {sequence}"),
        "Look at the stream with `nats stream info`, and send the log to a new stream",
    )
}
