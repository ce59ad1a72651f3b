//! [`ChunkQueue`]: the chunks of a log in order, which several threads scan ahead of the reader.
//!
//! A thread does not know where the frames before its chunk end, and searches for the first valid frame. The reader takes a
//! chunk only when it has come exactly to the start of it; otherwise it reads that part itself. What is read is therefore the
//! same for any number of threads.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};

use super::chunk_scan::{CHUNK_BYTES, ChunkContent, ChunkScanner, EventChunk};

/// Ranges of fewer bytes are read without chunks, because most of a chunk would not be used.
const MIN_CHUNKED_BYTES: u64 = 64 << 10;
/// Ranges of fewer bytes are scanned by the thread of the reader.
const MIN_PARALLEL_BYTES: u64 = 4 * CHUNK_BYTES;

/// Yields chunks at the positions of a reader.
pub(super) struct ChunkQueue<'a> {
    /// Scans the chunks where no thread does.
    own: ChunkScanner<'a>,
    threads: Option<ScanThreads>,
    /// The part of the range that is not scanned yet.
    unread: Range<u64>,
    /// Chunks that threads scan, ascending.
    pending: VecDeque<PendingChunk>,
    /// True when threads scan the present range.
    is_parallel: bool,
    /// No chunk starts before this position.
    next_start: u64,
}

/// The threads that scan chunks. They end when this value is dropped.
pub(super) struct ScanThreads {
    jobs: Sender<ChunkJob>,
    /// The largest number of chunks that are scanned or wait for the reader, which bounds the memory.
    max_pending: usize,
}

/// A chunk to scan, and the channel for the result.
struct ChunkJob {
    range: Range<u64>,
    result: SyncSender<Option<EventChunk>>,
}

/// A chunk that a thread scans, or has scanned.
struct PendingChunk {
    range: Range<u64>,
    result: Receiver<Option<EventChunk>>,
    /// The result, once the reader has waited for it.
    received: Option<EventChunk>,
}

/// The jobs of the threads, which take one after the other.
pub(super) struct ChunkJobs(Mutex<Receiver<ChunkJob>>);

impl ChunkJobs {
    /// Creates the jobs, and the sender with which they are submitted.
    fn new() -> (Sender<ChunkJob>, Self) {
        let (sender, receiver) = channel();
        (sender, Self(Mutex::new(receiver)))
    }
}

/// Calls `read` with a queue for which up to `threads` threads scan. The threads end with the call.
pub(super) fn with_chunks<R>(content: &ChunkContent, threads: usize, read: impl FnOnce(ChunkQueue) -> R) -> R {
    if threads < 2 {
        return read(ChunkQueue::new(content, None));
    }
    let (sender, jobs) = ChunkJobs::new();
    thread::scope(|scope| {
        let threads = ScanThreads::start(scope, content, &jobs, sender, threads);
        // The queue is dropped before the scope waits for the threads, which end without a sender of jobs.
        read(ChunkQueue::new(content, threads))
    })
}

impl ScanThreads {
    /// Starts the threads; `None` when the system gives none.
    fn start<'s>(
        scope: &'s Scope<'s, '_>,
        content: &'s ChunkContent,
        jobs: &'s ChunkJobs,
        sender: Sender<ChunkJob>,
        threads: usize,
    ) -> Option<Self> {
        let spawned = (0..threads).filter(|n| {
            let thread = thread::Builder::new().name(format!("chunk {n}"));
            thread.spawn_scoped(scope, || run_worker(content, jobs)).is_ok()
        });
        let spawned = spawned.count();
        (spawned > 0).then_some(Self { jobs: sender, max_pending: 2 * spawned })
    }
}

/// Scans one chunk after the other until the sender of jobs is dropped.
fn run_worker(content: &ChunkContent, jobs: &ChunkJobs) {
    let mut scanner = ChunkScanner::new(content);
    loop {
        let job = jobs.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(ChunkJob { range, result }) = job else { return };
        // Sending fails when the reader has passed the chunk, or has ended.
        let _ = result.send(scanner.scan(range));
    }
}

impl<'a> ChunkQueue<'a> {
    fn new(content: &ChunkContent<'a>, threads: Option<ScanThreads>) -> Self {
        let own = ChunkScanner::new(content);
        Self { own, threads, unread: 0..0, pending: VecDeque::new(), is_parallel: false, next_start: u64::MAX }
    }

    /// Begins to scan a range, from which the reader reads next. It starts at a frame or a damaged range.
    pub(super) fn start_range(&mut self, range: Range<u64>) {
        self.pending.clear();
        let len = range.end.saturating_sub(range.start);
        self.is_parallel = self.threads.is_some() && len >= MIN_PARALLEL_BYTES;
        self.next_start = if len >= MIN_CHUNKED_BYTES { range.start } else { u64::MAX };
        self.unread = range;
    }

    /// Returns the chunk that starts at the position of the reader. The reader then continues at the end of the chunk, which
    /// has at least one frame. Returns `None` when the reader has to read the next item itself.
    #[inline]
    pub(super) fn take_at(&mut self, position: u64) -> Option<EventChunk> {
        if position < self.next_start {
            return None;
        }
        if self.is_parallel { self.take_pending(position) } else { self.scan_at(position) }
    }

    /// Scans a chunk on the thread of the reader.
    fn scan_at(&mut self, position: u64) -> Option<EventChunk> {
        let end = position.saturating_add(CHUNK_BYTES).min(self.unread.end);
        if position >= end {
            self.next_start = u64::MAX;
            return None;
        }
        let chunk = self.own.scan(position..end).filter(|chunk| starts_at(chunk, position));
        // The rest of a chunk that ends early is read without chunks, so that no part of the log is scanned many times.
        self.next_start = chunk.as_ref().map_or(end, |chunk| chunk.range.end.max(end));
        chunk
    }

    /// Waits for the chunk at a position.
    fn take_pending(&mut self, position: u64) -> Option<EventChunk> {
        loop {
            self.submit();
            let Some(front) = self.pending.front_mut() else {
                self.next_start = u64::MAX;
                return None;
            };
            if position < front.range.start {
                self.next_start = front.range.start;
                return None;
            }
            if position < front.range.end {
                if front.received.is_none() {
                    front.received = front.result.recv().ok().flatten();
                }
                // The search of the thread has met the next frame later than the reader, who comes there yet.
                if let Some(later) = front.received.as_ref().filter(|chunk| chunk.range.start > position) {
                    self.next_start = later.range.start;
                    return None;
                }
            }
            let end = front.range.end;
            let chunk = self.pending.pop_front()?.received;
            if let Some(chunk) = chunk.filter(|chunk| starts_at(chunk, position)) {
                self.next_start = chunk.range.end;
                return Some(chunk);
            }
            if position < end {
                self.next_start = end;
                return None;
            }
        }
    }

    /// Gives the threads as many chunks as they may scan ahead.
    fn submit(&mut self) {
        let Some(threads) = &self.threads else { return };
        while self.pending.len() < threads.max_pending && !self.unread.is_empty() {
            let end = self.unread.start.saturating_add(CHUNK_BYTES).min(self.unread.end);
            let range = self.unread.start..end;
            self.unread.start = end;
            let (sender, result) = sync_channel(1);
            // Without a thread that receives the job, the result is missing, and the reader reads this part itself.
            let _ = threads.jobs.send(ChunkJob { range: range.clone(), result: sender });
            self.pending.push_back(PendingChunk { range, result, received: None });
        }
    }
}

/// True for a chunk with frames that starts at a position.
fn starts_at(chunk: &EventChunk, position: u64) -> bool {
    chunk.range.start == position && !chunk.range.is_empty()
}
