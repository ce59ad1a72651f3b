//! `append`: one event from flags, or a stream of JSON lines from stdin in batches.

use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use super::args::{AppendArgs, GlobalArgs};
use super::failure::{CommandFailure, CommandResult};
use super::open::open_options;
use super::output::CommandOutput;
use crate::file::Durability;
use crate::format::{PayloadError, frame};
use crate::report::json::{self, Json};
use crate::report::{ExitStatus, recovered_line, safe_path_text, set_aside_line};
use crate::{Event, EventLog};

/// Events of one write at most.
const MAX_BATCH_EVENTS: usize = 256;
/// Bytes of one write, about.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// Bytes of a line at most: an event of the largest size with blanks to spare.
const MAX_LINE_BYTES: u64 = 2 * frame::MAX_PAYLOAD as u64;

pub(super) fn append(args: &AppendArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    // Judged before the log is opened: what is no event opens nothing.
    let event = event_from_flags(args)?;
    let mut log = open_options(global).open(&args.log)?;
    if let Some(recovered) = log.recovered_repair() {
        out.print_notice(&recovered_line(recovered), &json::recovered(recovered));
    }
    if let Some(aside) = log.set_aside_tail() {
        let value = Json::Object(vec![
            ("set_aside", json::finding(&aside.finding, None, None)),
            ("journal", safe_path_text(&aside.journal).into()),
        ]);
        out.print_notice(&set_aside_line(aside), &value);
    }
    let mut appender = Appender {
        durability: if args.sync { Durability::Synced } else { Durability::Buffered },
        stdout_closed: false,
    };
    let done = match event {
        Some(event) => appender.append_and_print_offsets(&mut log, &[event], out),
        None => appender.append_stdin(&mut log, out),
    };
    // Whatever happened, what was stored may be looked up at once.
    let closed = log.close();
    done?;
    if let Err(error) = closed {
        out.print_note(&format!("the events are stored, the index was not caught up: {error}"));
    }
    Ok(ExitStatus::Done)
}

fn event_from_flags(args: &AppendArgs) -> Result<Option<Event>, CommandFailure> {
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
    builder.build().map(Some).map_err(|why| CommandFailure::Usage {
        message: format!("--payload: expected a JSON value, found at byte {}: {}", why.offset, why.reason),
        hint: "Write the payload as JSON, such as '{\"name\":\"Juan\"}'".into(),
    })
}

struct Appender {
    durability: Durability,
    /// Nobody reads the offsets any more. The events are wanted all the same.
    stdout_closed: bool,
}

impl Appender {
    /// Appends what stdin holds, line by line; what was read before a line that is no event is stored.
    fn append_stdin(&mut self, log: &mut EventLog, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let stdin = io::stdin().lock();
        if stdin.is_terminal() {
            out.print_note("reading events from the terminal, one JSON object a line; Ctrl-d ends");
        }
        let mut lines = BufReader::with_capacity(1 << 18, stdin);
        let mut line = Vec::new();
        let (mut batch, mut bytes, mut number) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let read = lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(CommandFailure::Stdin);
            let ended = matches!(read, Ok(0));
            number += 1;
            let event = match read {
                Ok(_) if line.trim_ascii().is_empty() => Ok(None),
                Ok(_) => {
                    parse_event_line(&line).map(Some).map_err(|why| CommandFailure::InvalidLine { number, cause: why })
                }
                Err(error) => Err(error),
            };
            let failed = event.as_ref().is_err();
            if let Ok(Some(event)) = &event {
                bytes += line.len();
                batch.push(event.clone());
            }
            // Nothing waits for more input than there is: whoever pipes one event sees it stored.
            let waits = !lines.buffer().contains(&b'\n');
            if failed || ended || waits || batch.len() >= MAX_BATCH_EVENTS || bytes >= MAX_BATCH_BYTES {
                self.append_and_print_offsets(log, &batch, out)?;
                batch.clear();
                bytes = 0;
            }
            event?;
            if ended {
                return Ok(());
            }
        }
    }

    fn append_and_print_offsets(
        &mut self,
        log: &mut EventLog,
        events: &[Event],
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        if events.is_empty() {
            return Ok(());
        }
        for offset in log.append_batch(events, self.durability)? {
            if self.stdout_closed {
                continue;
            }
            let printed = if out.is_json() {
                out.print_json(&Json::Object(vec![("offset", offset.into())]))
            } else {
                out.print_line(&offset.to_string())
            };
            self.ignore_broken_pipe(printed)?;
        }
        let flushed = if self.stdout_closed { Ok(()) } else { out.flush() };
        self.ignore_broken_pipe(flushed)
    }

    fn ignore_broken_pipe(&mut self, printed: Result<(), CommandFailure>) -> Result<(), CommandFailure> {
        match printed {
            Err(CommandFailure::Stdout(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.stdout_closed = true;
                Ok(())
            }
            other => other,
        }
    }
}

fn parse_event_line(line: &[u8]) -> Result<Event, PayloadError> {
    if line.len() as u64 >= MAX_LINE_BYTES && line.last() != Some(&b'\n') {
        return Err(PayloadError { offset: line.len(), reason: "a line longer than any event" });
    }
    let text =
        std::str::from_utf8(line).map_err(|error| PayloadError { offset: error.valid_up_to(), reason: "not UTF-8" })?;
    Event::from_json(text)
}
