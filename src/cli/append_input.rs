//! The events on stdin, which a thread of its own reads, so that lines are read while the events before them are stored.

use std::io::{self, BufRead, BufReader, Read};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::failure::CommandFailure;
use crate::Event;
use crate::file::BlockingStream;
use crate::format::{PayloadError, frame};

/// Number of events after which a batch is complete.
const MAX_BATCH_EVENTS: usize = 256;
/// Bytes of input after which a batch is complete.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// Number of batches that are read ahead.
const MAX_BATCHES_AHEAD: usize = 4;
/// Maximum bytes of an input line: twice the largest payload, which leaves room for whitespace.
pub(super) const MAX_LINE_BYTES: u64 = 2 * frame::MAX_PAYLOAD as u64;

/// A part of the input.
#[derive(Debug)]
enum InputPart {
    /// The events of consecutive lines.
    Events(Vec<Event>),
    /// The line or the read after which nothing else is read.
    Failure(CommandFailure),
}

/// Events that are stored with one write, and what follows them.
#[derive(Debug)]
pub(super) struct InputBatch {
    pub(super) events: Vec<Event>,
    /// Why the events after these are not read.
    pub(super) failure: Option<CommandFailure>,
}

/// The events of the input, in order.
#[derive(Debug)]
pub(super) struct EventInput {
    parts: Receiver<InputPart>,
}

impl EventInput {
    /// Starts to read stdin, one event per line.
    ///
    /// # Errors
    /// `Stdin` when the thread that reads cannot be started.
    pub(super) fn from_stdin() -> Result<Self, CommandFailure> {
        let (sender, parts) = bounded(MAX_BATCHES_AHEAD);
        // The thread is not joined: when the events cannot be stored, it may be waiting for the next line.
        let reader = std::thread::Builder::new().name("stdin".into()).spawn(move || {
            // A closed channel means that the command has ended.
            let _ = read_lines(io::stdin().lock(), &sender);
        });
        reader.map(|_| Self { parts }).map_err(CommandFailure::Stdin)
    }

    /// Waits for the next events, and returns all that have been read. `None` at the end of the input.
    pub(super) fn next_batch(&self) -> Option<InputBatch> {
        let mut batch = InputBatch { events: Vec::new(), failure: None };
        let mut next = Some(self.parts.recv().ok()?);
        while let Some(part) = next {
            match part {
                InputPart::Events(events) => batch.events.extend(events),
                InputPart::Failure(failure) => {
                    batch.failure = Some(failure);
                    break;
                }
            }
            let is_full = batch.events.len() >= MAX_BATCH_EVENTS * MAX_BATCHES_AHEAD;
            next = if is_full { None } else { self.parts.try_recv().ok() };
        }
        Some(batch)
    }
}

/// Reads lines until the input ends or a line is invalid, and sends their events in batches.
///
/// # Errors
/// The part that could not be sent, because the receiver is gone.
fn read_lines(input: impl Read, sender: &Sender<InputPart>) -> Result<(), crossbeam_channel::SendError<InputPart>> {
    let mut lines = BufReader::with_capacity(1 << 18, BlockingStream(input));
    let mut line = Vec::new();
    let (mut batch, mut bytes, mut number) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(CommandFailure::Stdin);
        let at_end = matches!(read, Ok(0));
        number += 1;
        let event = match read {
            Ok(_) if line.trim_ascii().is_empty() => Ok(None),
            Ok(_) => {
                parse_event_line(&line).map(Some).map_err(|error| CommandFailure::InvalidLine { number, cause: error })
            }
            Err(error) => Err(error),
        };
        let failure = match event {
            Ok(Some(event)) => {
                bytes += line.len();
                batch.push(event);
                None
            }
            Ok(None) => None,
            Err(failure) => Some(failure),
        };
        let is_last = at_end || failure.is_some();
        // Without another complete line the next read may block, so the batch is sent first: a program that pipes one event
        // and keeps the pipe open gets its offset.
        let next_read_may_block = !lines.buffer().contains(&b'\n');
        let is_complete = is_last || next_read_may_block || batch.len() >= MAX_BATCH_EVENTS || bytes >= MAX_BATCH_BYTES;
        if is_complete && !batch.is_empty() {
            sender.send(InputPart::Events(std::mem::take(&mut batch)))?;
            bytes = 0;
        }
        if let Some(failure) = failure {
            return sender.send(InputPart::Failure(failure));
        }
        if at_end {
            return Ok(());
        }
    }
}

fn parse_event_line(line: &[u8]) -> Result<Event, PayloadError> {
    if line.len() as u64 >= MAX_LINE_BYTES && line.last() != Some(&b'\n') {
        return Err(PayloadError { offset: line.len(), reason: "the line is longer than any event" });
    }
    let text =
        std::str::from_utf8(line).map_err(|error| PayloadError { offset: error.valid_up_to(), reason: "not UTF-8" })?;
    Event::from_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "{\"event_type\":\"E\",\"namespace\":\"n\",\"schema_id\":\"S\",\"schema_version\":1,\"payload\":1}\n";

    /// Returns the batches in which a command stores an input that was read before the first one was stored: the number of
    /// events in each, and the failure after the last one.
    fn batches(input: &str) -> (Vec<usize>, Option<String>) {
        let (sender, parts) = crossbeam_channel::unbounded();
        read_lines(input.as_bytes(), &sender).unwrap();
        drop(sender);
        let input = EventInput { parts };
        let batches: Vec<InputBatch> = std::iter::from_fn(|| input.next_batch()).collect();
        let failure = batches.last().and_then(|batch| batch.failure.as_ref()).map(|failure| format!("{failure:?}"));
        (batches.iter().map(|batch| batch.events.len()).collect(), failure)
    }

    #[test]
    fn events_that_were_read_ahead_are_stored_together() {
        assert_eq!(batches(""), (vec![], None));
        assert_eq!(batches(&LINE.repeat(700)), (vec![700], None));
        assert_eq!(batches(&LINE.repeat(2500)), (vec![1024, 1024, 452], None));
    }

    #[test]
    fn events_before_an_invalid_line_are_stored_and_those_after_it_are_not_read() {
        let (stored, failure) = batches(&format!("{}\n{}bad\n{LINE}", LINE.repeat(300), LINE));
        assert_eq!(stored, [301]);
        assert!(failure.as_ref().is_some_and(|failure| failure.contains("InvalidLine { number: 303")), "{failure:?}");
        let (stored, failure) = batches("bad\n");
        assert!(stored == [0] && failure.is_some(), "{stored:?}");
    }
}
