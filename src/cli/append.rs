//! `append`: one event from flags, or a stream of JSON lines from stdin in batches.

use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use super::args::{AppendArgs, Side};
use super::fail::{Failure, Run};
use super::open::options;
use super::out::Out;
use crate::file::Durability;
use crate::format::{Invalid, frame};
use crate::report::json::{self, Json};
use crate::report::{Status, path_text, recovered_line, set_aside_line};
use crate::{Event, EventLog};

/// Events of one write at most.
const BATCH: usize = 256;
/// Bytes of one write, about.
const BATCH_BYTES: usize = 1 << 20;
/// Bytes of a line at most: an event of the largest size with blanks to spare.
const MAX_LINE: u64 = 2 * frame::MAX_PAYLOAD as u64;

pub(super) fn append(args: &AppendArgs, side: &Side, out: &mut Out) -> Run {
    // Judged before the log is opened: what is no event opens nothing.
    let event = from_flags(args)?;
    let mut log = options(side).open(&args.log)?;
    if let Some(recovered) = log.recovered() {
        out.tell(&recovered_line(recovered), &json::recovered(recovered));
    }
    if let Some(aside) = log.set_aside() {
        let value = Json::Object(vec![
            ("set_aside", json::finding(&aside.finding, None, None)),
            ("journal", path_text(&aside.journal).into()),
        ]);
        out.tell(&set_aside_line(aside), &value);
    }
    let mut appender =
        Appender { durability: if args.sync { Durability::Synced } else { Durability::Buffered }, reader_gone: false };
    let done = match event {
        Some(event) => appender.store(&mut log, &[event], out),
        None => appender.stream(&mut log, out),
    };
    // Whatever happened, what was stored may be looked up at once.
    let closed = log.close();
    done?;
    if let Err(error) = closed {
        out.note(&format!("the events are stored, the index was not caught up: {error}"));
    }
    Ok(Status::Done)
}

fn from_flags(args: &AppendArgs) -> Result<Option<Event>, Failure> {
    let (Some(event_type), Some(namespace), Some(schema), Some(payload)) =
        (&args.event_type, &args.namespace, &args.schema, &args.payload)
    else {
        return Ok(None);
    };
    let builder = Event::builder()
        .event_type(event_type)
        .namespace(namespace)
        .schema_id(schema)
        .schema_version(args.schema_version)
        .payload_json(payload);
    let builder = match args.aggregate {
        Some(id) => builder.aggregate_id(id),
        None => builder,
    };
    builder.build().map(Some).map_err(|why| Failure::Usage {
        error: format!("--payload: expected a JSON value, found at byte {}: {}", why.at, why.reason),
        next: "Write the payload as JSON, such as '{\"name\":\"Juan\"}'".into(),
    })
}

struct Appender {
    durability: Durability,
    /// Nobody reads the offsets any more. The events are wanted all the same.
    reader_gone: bool,
}

impl Appender {
    /// Appends what stdin holds, line by line; what was read before a line that is no event is stored.
    fn stream(&mut self, log: &mut EventLog, out: &mut Out) -> Result<(), Failure> {
        let stdin = io::stdin().lock();
        if stdin.is_terminal() {
            out.note("reading events from the terminal, one JSON object a line; Ctrl-d ends");
        }
        let mut lines = BufReader::with_capacity(1 << 18, stdin);
        let mut line = Vec::new();
        let (mut batch, mut bytes, mut number) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let read = lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(Failure::Input);
            let ended = matches!(read, Ok(0));
            number += 1;
            let event = match read {
                Ok(_) if line.trim_ascii().is_empty() => Ok(None),
                Ok(_) => parse(&line).map(Some).map_err(|why| Failure::Line { number, why }),
                Err(error) => Err(error),
            };
            let failed = event.as_ref().is_err();
            if let Ok(Some(event)) = &event {
                bytes += line.len();
                batch.push(event.clone());
            }
            // Nothing waits for more input than there is: whoever pipes one event sees it stored.
            let waits = !lines.buffer().contains(&b'\n');
            if failed || ended || waits || batch.len() >= BATCH || bytes >= BATCH_BYTES {
                self.store(log, &batch, out)?;
                batch.clear();
                bytes = 0;
            }
            event?;
            if ended {
                return Ok(());
            }
        }
    }

    fn store(&mut self, log: &mut EventLog, events: &[Event], out: &mut Out) -> Result<(), Failure> {
        if events.is_empty() {
            return Ok(());
        }
        for offset in log.append_batch(events, self.durability)? {
            if self.reader_gone {
                continue;
            }
            let printed = if out.is_json() {
                out.value(&Json::Object(vec![("offset", offset.into())]))
            } else {
                out.line(&offset.to_string())
            };
            self.unless_gone(printed)?;
        }
        let flushed = if self.reader_gone { Ok(()) } else { out.flush() };
        self.unless_gone(flushed)
    }

    fn unless_gone(&mut self, printed: Result<(), Failure>) -> Result<(), Failure> {
        match printed {
            Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_gone = true;
                Ok(())
            }
            other => other,
        }
    }
}

fn parse(line: &[u8]) -> Result<Event, Invalid> {
    if line.len() as u64 >= MAX_LINE && line.last() != Some(&b'\n') {
        return Err(Invalid { at: line.len(), reason: "a line longer than any event" });
    }
    let text = std::str::from_utf8(line).map_err(|error| Invalid { at: error.valid_up_to(), reason: "not UTF-8" })?;
    Event::from_json(text)
}
