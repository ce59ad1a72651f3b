//! Parts of a log scanned at the same time, and put together as one scan would have met them.
//!
//! A thread holds little: where it meets a frame, or damage, of some mebibytes it leaves the rest of its part to be scanned
//! in order, so that memory does not grow with the threads.
//!
//! Each part is looked for by resynchronising from its border. It counts only when the part before ends exactly where it
//! starts; otherwise (damage or a frame across the border that says otherwise) that stretch is scanned again, in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::part_scan::{PartEvent, PartResult, PartScanner};
use super::survey::SurveyPass;
use crate::StorageError;
use crate::file::Scanner;

/// What a part may tell before somebody listens.
const MESSAGE_QUEUE_LEN: usize = 64;
/// Bytes of a frame, and of a damaged range, that a thread still looks at.
const MAX_THREAD_BYTES: usize = 2 << 20;

/// What a thread says of its part.
enum PartMessage {
    /// Where its first valid frame stands.
    FirstFrame(Option<u64>),
    Event(PartEvent),
    Finished(Result<Box<PartResult>, StorageError>),
}

struct PartJob {
    range: Range<u64>,
    sender: SyncSender<PartMessage>,
}

/// Scans the parts with so many threads and hands them to `pass` in their order.
///
/// # Errors
/// As [`super::run_survey`].
pub(super) fn scan_parts_in_parallel(
    pass: &mut SurveyPass,
    threads: usize,
    parts: Vec<Range<u64>>,
) -> Result<(), StorageError> {
    let part_scanner = pass.part_scanner;
    let (give, jobs) = channel::<PartJob>();
    let jobs = Mutex::new(jobs);
    thread::scope(|scope| {
        let work = || run_worker(&part_scanner, &jobs);
        let spawned = (0..threads).filter(|n| {
            let thread = thread::Builder::new().name(format!("part {n}"));
            thread.spawn_scoped(scope, work).is_ok()
        });
        let ahead = 2 * spawned.count();
        if ahead == 0 {
            return parts.into_iter().try_for_each(|part| pass.scan_until(part.end));
        }
        // Dropped at the end of this closure, whatever that is: then the threads find nothing more to do.
        let give = give;
        let mut parts = parts.into_iter();
        let mut pending_parts: VecDeque<(Range<u64>, Receiver<PartMessage>)> = VecDeque::new();
        loop {
            while pending_parts.len() < ahead
                && let Some(part) = parts.next()
            {
                pending_parts.push_back((part.clone(), submit_part(&give, part)));
            }
            let Some((range, said)) = pending_parts.pop_front() else { return Ok(()) };
            merge_or_rescan(pass, range, &said)?;
        }
    })
}

fn submit_part(jobs: &Sender<PartJob>, range: Range<u64>) -> Receiver<PartMessage> {
    let (told, said) = sync_channel(MESSAGE_QUEUE_LEN);
    // Where nobody takes it, nothing is said of it either, and it is scanned in order.
    let _ = jobs.send(PartJob { range, sender: told });
    said
}

/// Takes jobs until there are none.
fn run_worker(part_scanner: &PartScanner, jobs: &Mutex<Receiver<PartJob>>) {
    let part_scanner = &PartScanner { max_damage_bytes: MAX_THREAD_BYTES as u64, ..*part_scanner };
    let mut scanner = part_scanner.scanner_from(0);
    scanner.set_max_frame(MAX_THREAD_BYTES);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(PartJob { range, sender: told }) = job else { return };
        let done = scan_job(part_scanner, &mut scanner, &range, &told).map(Box::new);
        // Who does not listen any more has scanned this stretch itself.
        let _ = told.send(PartMessage::Finished(done));
    }
}

fn scan_job(
    part_scanner: &PartScanner,
    scanner: &mut Scanner,
    range: &Range<u64>,
    sender: &SyncSender<PartMessage>,
) -> Result<PartResult, StorageError> {
    let send = |said| sender.send(said).map_err(|_| StorageError::Cancelled);
    scanner.restart(range.start);
    // The frame across the border is read as far as it goes.
    scanner.set_read_ahead_limit(range.end);
    let start = scanner.seek_to_frame(range.end)?;
    send(PartMessage::FirstFrame(start))?;
    if start.is_none() {
        return Ok(PartResult::default());
    }
    part_scanner.scan_part(scanner, range.end, &mut |note| send(PartMessage::Event(note)))
}

/// Takes a part in where it starts exactly at the end of what was taken in before; else scans that stretch.
fn merge_or_rescan(
    pass: &mut SurveyPass,
    range: Range<u64>,
    messages: &Receiver<PartMessage>,
) -> Result<(), StorageError> {
    let start = match messages.recv() {
        Ok(PartMessage::FirstFrame(start)) => start,
        // It could not even be read: whoever comes to it in order says so.
        _ => None,
    };
    if let Some(start) = start.filter(|start| pass.position <= *start) {
        pass.scan_until(start)?;
        if pass.position == start {
            for said in messages {
                match said {
                    PartMessage::Event(note) => pass.handle_part_event(note)?,
                    PartMessage::Finished(done) => {
                        pass.merge_part(*done?)?;
                        break;
                    }
                    PartMessage::FirstFrame(_) => {}
                }
            }
        }
    }
    pass.scan_until(range.end)
}
