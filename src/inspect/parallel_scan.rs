//! Scans parts of a log at the same time, and merges their results in the order of the parts.
//!
//! Each thread searches for the first valid frame in its part. The result of a part is used only when the previous part
//! ends exactly at that frame. Otherwise (after damage, or with a frame across the boundary) the part is scanned again in
//! order, so the findings are the same as those of a scan by one thread.
//!
//! Each thread needs little memory: it ends its part before a frame or a damaged range of more than [`MAX_THREAD_BYTES`],
//! and the rest of the part is scanned in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::part_scan::{PartEvent, PartResult, PartScanner};
use super::survey_pass::SurveyPass;
use super::walk::LogWalk;
use crate::StorageError;

/// Number of messages that a thread sends before it waits for the receiver.
const MESSAGE_QUEUE_LEN: usize = 64;
/// Largest frame or damaged range that a thread reads, in bytes.
const MAX_THREAD_BYTES: u64 = 2 << 20;

/// A message from a thread about its part. The variants are listed in the order of sending.
enum PartMessage {
    /// A thread begins to read the part.
    Started,
    /// The offset of the first valid frame, if there is one.
    FirstFrame(Option<u64>),
    /// A report of the part.
    Event(PartEvent),
    /// The totals of the part, or the error that ended it.
    Finished(Result<Box<PartResult>, StorageError>),
}

/// A part to scan, and the channel for its messages.
struct PartJob {
    range: Range<u64>,
    sender: SyncSender<PartMessage>,
}

/// Scans the parts with `threads` threads, and merges the results into `pass` in order.
///
/// # Errors
/// See [`super::survey`].
pub(super) fn scan_parts_in_parallel(
    pass: &mut SurveyPass,
    threads: usize,
    parts: Vec<Range<u64>>,
) -> Result<(), StorageError> {
    let part_scanner = pass.part_scanner;
    let (job_sender, job_receiver) = channel::<PartJob>();
    let jobs = Mutex::new(job_receiver);
    thread::scope(|scope| {
        let work = || run_worker(&part_scanner, &jobs);
        let spawned = (0..threads).filter(|n| {
            let thread = thread::Builder::new().name(format!("part {n}"));
            thread.spawn_scoped(scope, work).is_ok()
        });
        let max_pending = 2 * spawned.count();
        if max_pending == 0 {
            return parts.into_iter().try_for_each(|part| pass.scan_until(part.end));
        }
        // The sender is moved into this closure, so that every path drops it. Otherwise the threads would wait for jobs
        // forever, and the scope would never end.
        let job_sender = job_sender;
        let mut parts = parts.into_iter();
        let mut pending: VecDeque<(Range<u64>, Receiver<PartMessage>)> = VecDeque::new();
        loop {
            // A part that lies in damage, such as a long tail of zeros, was read with the part before it. Reading it a
            // second time would make a scan by several threads slower than one by a single thread.
            pending.retain(|(part, _)| pass.position < part.end);
            while pending.len() < max_pending
                && let Some(part) = parts.next()
            {
                if pass.position < part.end {
                    pending.push_back((part.clone(), submit_part(&job_sender, part)));
                }
            }
            let Some((range, messages)) = pending.pop_front() else { return Ok(()) };
            merge_or_rescan(pass, range, &messages)?;
        }
    })
}

fn submit_part(jobs: &Sender<PartJob>, range: Range<u64>) -> Receiver<PartMessage> {
    let (sender, receiver) = sync_channel(MESSAGE_QUEUE_LEN);
    // When no thread is left to receive the job, the message channel is closed, and the part is scanned in order.
    let _ = jobs.send(PartJob { range, sender });
    receiver
}

/// Scans one job after the other until the sender of jobs is dropped.
fn run_worker(part_scanner: &PartScanner, jobs: &Mutex<Receiver<PartJob>>) {
    let mut walk = part_scanner.bounded_walk(MAX_THREAD_BYTES);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(PartJob { range, sender }) = job else { return };
        if sender.send(PartMessage::Started).is_err() {
            continue;
        }
        let result = scan_job(part_scanner, &mut walk, range, &sender).map(Box::new);
        // Sending fails when the receiver was dropped: the pass has scanned this part itself, or has failed.
        let _ = sender.send(PartMessage::Finished(result));
    }
}

fn scan_job(
    part_scanner: &PartScanner,
    walk: &mut LogWalk,
    range: Range<u64>,
    sender: &SyncSender<PartMessage>,
) -> Result<PartResult, StorageError> {
    let send = |message| sender.send(message).map_err(|_| StorageError::Cancelled);
    let until = range.end;
    let first_frame = walk.restart_at_frame(range)?;
    send(PartMessage::FirstFrame(first_frame))?;
    if first_frame.is_none() {
        return Ok(PartResult::default());
    }
    part_scanner.scan_part(walk, until, &mut |event| send(PartMessage::Event(event)))
}

/// Merges a part that starts exactly at the end of the previous part. Otherwise scans the part again.
fn merge_or_rescan(
    pass: &mut SurveyPass,
    range: Range<u64>,
    messages: &Receiver<PartMessage>,
) -> Result<(), StorageError> {
    let first_frame = match messages.iter().find(|message| !matches!(message, PartMessage::Started)) {
        Some(PartMessage::FirstFrame(first_frame)) => first_frame,
        // The part could not be read. The scan in order will fail with the same error and report it.
        _ => None,
    };
    if let Some(start) = first_frame.filter(|start| pass.position <= *start) {
        pass.scan_until(start)?;
        if pass.position == start {
            pass.check_segment_start()?;
            for message in messages {
                match message {
                    PartMessage::Event(event) => pass.handle_part_event(event)?,
                    PartMessage::Finished(result) => {
                        pass.merge_part(*result?)?;
                        break;
                    }
                    PartMessage::Started | PartMessage::FirstFrame(_) => {}
                }
            }
        }
    }
    pass.scan_until(range.end)
}
