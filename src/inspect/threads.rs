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

use super::part::{Done, Look, Note};
use super::survey::Pass;
use crate::StorageError;
use crate::file::Scanner;

/// What a part may tell before somebody listens.
const NOTES: usize = 64;
/// Bytes of a frame, and of a damaged range, that a thread still looks at.
const LARGE: usize = 2 << 20;

/// What a thread says of its part.
enum Said {
    /// Where its first valid frame stands.
    Start(Option<u64>),
    Note(Note),
    Done(Result<Box<Done>, StorageError>),
}

struct Job {
    range: Range<u64>,
    told: SyncSender<Said>,
}

/// Scans the parts with so many threads and hands them to `pass` in their order.
///
/// # Errors
/// As [`super::survey`].
pub(super) fn run(pass: &mut Pass, threads: usize, parts: Vec<Range<u64>>) -> Result<(), StorageError> {
    let look = pass.look;
    let (give, jobs) = channel::<Job>();
    let jobs = Mutex::new(jobs);
    thread::scope(|scope| {
        let work = || work(&look, &jobs);
        let spawned = (0..threads).filter(|n| {
            let thread = thread::Builder::new().name(format!("part {n}"));
            thread.spawn_scoped(scope, work).is_ok()
        });
        let ahead = 2 * spawned.count();
        if ahead == 0 {
            return parts.into_iter().try_for_each(|part| pass.scan(part.end));
        }
        // Dropped at the end of this closure, whatever that is: then the threads find nothing more to do.
        let give = give;
        let mut parts = parts.into_iter();
        let mut given: VecDeque<(Range<u64>, Receiver<Said>)> = VecDeque::new();
        loop {
            while given.len() < ahead
                && let Some(part) = parts.next()
            {
                given.push_back((part.clone(), start(&give, part)));
            }
            let Some((range, said)) = given.pop_front() else { return Ok(()) };
            join(pass, range, &said)?;
        }
    })
}

fn start(give: &Sender<Job>, range: Range<u64>) -> Receiver<Said> {
    let (told, said) = sync_channel(NOTES);
    // Where nobody takes it, nothing is said of it either, and it is scanned in order.
    let _ = give.send(Job { range, told });
    said
}

/// Takes jobs until there are none.
fn work(look: &Look, jobs: &Mutex<Receiver<Job>>) {
    let look = &Look { large: LARGE as u64, ..*look };
    let mut scanner = look.scanner(0);
    scanner.limit(LARGE);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { range, told }) = job else { return };
        let done = scan(look, &mut scanner, &range, &told).map(Box::new);
        // Who does not listen any more has scanned this stretch itself.
        let _ = told.send(Said::Done(done));
    }
}

fn scan(look: &Look, scanner: &mut Scanner, range: &Range<u64>, told: &SyncSender<Said>) -> Result<Done, StorageError> {
    let say = |said| told.send(said).map_err(|_| StorageError::Stopped);
    scanner.restart(range.start);
    // The frame across the border is read as far as it goes.
    scanner.read_ahead_to(range.end);
    let start = scanner.settle(range.end)?;
    say(Said::Start(start))?;
    if start.is_none() {
        return Ok(Done::default());
    }
    look.part(scanner, range.end, &mut |note| say(Said::Note(note)))
}

/// Takes a part in where it starts exactly at the end of what was taken in before; else scans that stretch.
fn join(pass: &mut Pass, range: Range<u64>, said: &Receiver<Said>) -> Result<(), StorageError> {
    let start = match said.recv() {
        Ok(Said::Start(start)) => start,
        // It could not even be read: whoever comes to it in order says so.
        _ => None,
    };
    if let Some(start) = start.filter(|start| pass.at <= *start) {
        pass.scan(start)?;
        if pass.at == start {
            for said in said {
                match said {
                    Said::Note(note) => pass.note(note)?,
                    Said::Done(done) => {
                        pass.take(*done?)?;
                        break;
                    }
                    Said::Start(_) => {}
                }
            }
        }
    }
    pass.scan(range.end)
}
