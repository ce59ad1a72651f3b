//! [`StreamLog`]: the bytes of the log in a stream, by offset, for reading. They are read in chunks of some mebibytes, of which the
//! last ones are kept.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::claimed_bytes::ClaimedBytes;
use super::connection::NatsConnection;
use super::error::NatsError;
use super::identity::StreamLogIdentity;
use super::message::StoredMessage;
use super::requests::{ReadLimits, StreamAddress};
use super::sequence_search::find_message;
use std::time::Duration;

/// The number of chunks that are kept.
const MAX_CHUNKS: usize = 8;
/// The most messages of a chunk.
const MAX_MESSAGES: usize = 4000;
/// The size of a chunk, in bytes, after which no further message is added.
const MAX_CHUNK_BYTES: usize = 4 << 20;
/// The most segments that a log in a stream can have.
const MAX_SEGMENTS: usize = 100_000;
/// The time to wait for the next message of the stream.
const WAIT: Duration = Duration::from_secs(5);

/// A file of the log in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StreamFile {
    /// Offset of its first byte in the log.
    pub(super) base: u64,
    /// Offset after its last byte.
    pub(super) end: u64,
}

/// A log in a stream, as it was when it was opened.
#[derive(Debug)]
pub(super) struct StreamLog {
    connection: NatsConnection,
    identity: StreamLogIdentity,
    first_sequence: u64,
    last_sequence: u64,
    /// The files of the log, ascending.
    files: Vec<StreamFile>,
    is_folder: bool,
    chunks: Mutex<Chunks>,
}

/// Bytes of the log without a hole.
#[derive(Debug)]
struct Chunk {
    start: u64,
    bytes: Vec<u8>,
    /// The sequence number after the last message.
    next_sequence: u64,
}

/// The chunks that were read last, and the reader that has read the last one.
#[derive(Debug, Default)]
struct Chunks {
    kept: VecDeque<Arc<Chunk>>,
    /// The number of the reader, and the sequence number of its next message.
    reader: Option<(u64, u64)>,
}

impl Chunk {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn contains(&self, offset: u64) -> bool {
        (self.start..self.end()).contains(&offset)
    }
}

impl StreamLog {
    /// Connects to the servers of a stream, and finds the files of the log.
    ///
    /// # Errors
    /// Those of the server; `Answer` for a stream without a log.
    pub(super) fn open(address: &StreamAddress) -> Result<Self, NatsError> {
        let connection = NatsConnection::open(address)?;
        let state = connection.stream_state()?;
        let range = (state.first_sequence, state.last_sequence);
        let no_log = || NatsError::Answer("the stream has no log: none of its last messages is a frame of one".into());
        let last = last_frame(&connection, range)?.ok_or_else(no_log)?;
        let identity = last.claimed_identity().ok_or_else(no_log)?;
        let end = ClaimedBytes::of_message(&last, identity).ok_or_else(no_log)?.end();
        let is_folder = last.claimed_segment().is_some();
        let files = if is_folder {
            find_segments(&connection, range, (&last, end))?
        } else {
            vec![StreamFile { base: 0, end }]
        };
        Ok(Self {
            connection,
            identity,
            first_sequence: range.0,
            last_sequence: range.1,
            files,
            is_folder,
            chunks: Mutex::default(),
        })
    }

    /// The files of the log, ascending.
    pub(super) fn files(&self) -> &[StreamFile] {
        &self.files
    }

    /// True when the log is a folder of segments.
    pub(super) const fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// Reads bytes of the log at an offset, and returns how many were read. A range that no message has is read as zeros.
    ///
    /// # Errors
    /// The errors of requests.
    pub(super) fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let chunk = self.chunk_at(offset)?;
        let from = usize::try_from(offset - chunk.start).unwrap_or(usize::MAX);
        let found = chunk.bytes.get(from..).unwrap_or_default();
        let len = found.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..len), found.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }

    fn lock(&self) -> MutexGuard<'_, Chunks> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the chunk with an offset. One thread reads at a time.
    fn chunk_at(&self, offset: u64) -> Result<Arc<Chunk>, NatsError> {
        let mut chunks = self.lock();
        if let Some(chunk) = chunks.kept.iter().find(|chunk| chunk.contains(offset)) {
            return Ok(chunk.clone());
        }
        let next = chunks.kept.iter().find(|chunk| chunk.end() == offset).map(|chunk| chunk.next_sequence);
        let sequence = if let Some(sequence) = next {
            sequence
        } else {
            let found = find_message(&self.connection, offset, (self.first_sequence, self.last_sequence))?;
            // The header before a frame belongs to the message after the one that is found.
            found.map_or(self.first_sequence, |message| message.sequence)
        };
        let chunk = Arc::new(self.read_chunk(&mut chunks, sequence, offset)?);
        chunks.kept.push_back(chunk.clone());
        if chunks.kept.len() > MAX_CHUNKS {
            chunks.kept.pop_front();
        }
        Ok(chunk)
    }

    /// Reads messages from a sequence number on, and returns the bytes from those that contain `offset`. Where no message contains it,
    /// the chunk is zeros up to the next message.
    fn read_chunk(&self, chunks: &mut Chunks, sequence: u64, offset: u64) -> Result<Chunk, NatsError> {
        let mut chunk = Chunk { start: offset, bytes: Vec::new(), next_sequence: sequence };
        while chunk.next_sequence <= self.last_sequence && chunk.bytes.len() < MAX_CHUNK_BYTES {
            let messages = self.read_messages(chunks, chunk.next_sequence)?;
            let Some(last) = messages.last().map(|message| message.sequence) else { break };
            for message in messages.iter().filter(|message| message.sequence <= self.last_sequence) {
                let Some(claimed) = ClaimedBytes::of_message(message, self.identity) else { continue };
                if claimed.end() <= offset {
                    continue;
                }
                match () {
                    () if chunk.bytes.is_empty() && claimed.start <= offset => {
                        chunk =
                            Chunk { start: claimed.start, bytes: claimed.bytes, next_sequence: claimed.sequence + 1 };
                    }
                    () if chunk.bytes.is_empty() => {
                        // No message has the offset.
                        let len = (claimed.start - offset).min(MAX_CHUNK_BYTES as u64);
                        chunk.bytes = vec![0; len as usize];
                        chunk.next_sequence = claimed.sequence;
                        return Ok(chunk);
                    }
                    () if claimed.start == chunk.end() => {
                        chunk.bytes.extend_from_slice(&claimed.bytes);
                        chunk.next_sequence = claimed.sequence + 1;
                    }
                    // After a hole, or after messages out of order, the next chunk starts.
                    () => return Ok(chunk),
                }
            }
            if chunk.bytes.is_empty() || chunk.next_sequence <= last {
                chunk.next_sequence = last + 1;
            }
        }
        if chunk.bytes.is_empty() {
            chunk.bytes = vec![0; 4096];
        }
        Ok(chunk)
    }

    /// Returns messages from a sequence number on, with the reader of the last call where it is there.
    fn read_messages(&self, chunks: &mut Chunks, sequence: u64) -> Result<Vec<StoredMessage>, NatsError> {
        let reader = match chunks.reader.take() {
            Some((reader, next)) if next == sequence => reader,
            other => {
                if let Some((reader, _)) = other {
                    self.connection.close_reader(reader);
                }
                self.connection.open_reader(sequence)?
            }
        };
        let limits = ReadLimits { messages: MAX_MESSAGES, bytes: MAX_CHUNK_BYTES, wait: WAIT };
        let messages = self.connection.read(reader, limits).wait()?;
        match messages.last() {
            Some(last) => chunks.reader = Some((reader, last.sequence + 1)),
            None => self.connection.close_reader(reader),
        }
        Ok(messages)
    }
}

/// Returns the last message of a stream that has a frame; `None` when none of the last 64 has one.
fn last_frame(connection: &NatsConnection, (first, last): (u64, u64)) -> Result<Option<StoredMessage>, NatsError> {
    for sequence in (first..=last).rev().take(64) {
        if let Some(message) = connection.message(sequence)?
            && let Some(identity) = message.claimed_identity()
            && ClaimedBytes::of_message(&message, identity).is_some()
        {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

/// Returns the segments of the log, ascending, from the last message, at whose end the log ends. Each costs some requests.
fn find_segments(
    connection: &NatsConnection,
    (first, last): (u64, u64),
    (newest, end): (&StoredMessage, u64),
) -> Result<Vec<StreamFile>, NatsError> {
    let (mut files, mut file_end, mut message) = (Vec::new(), end, Some(newest.clone()));
    while let Some(base) = message.as_ref().and_then(StoredMessage::claimed_segment).filter(|base| *base < file_end) {
        if files.len() >= MAX_SEGMENTS {
            return Err(NatsError::Answer(format!("the log has more than {MAX_SEGMENTS} segments")));
        }
        files.push(StreamFile { base, end: file_end });
        // The last frame before the segment is in the one before it.
        message = match base.checked_sub(1) {
            Some(before) => find_message(connection, before, (first, last))?,
            None => None,
        };
        file_end = base;
    }
    files.reverse();
    Ok(files)
}
