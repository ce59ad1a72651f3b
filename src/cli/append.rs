//! `append`: appends one event from flags, or a stream of JSON lines from stdin in batches.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;

use super::append_input::{EventInput, InputBatch};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::log_access::{open_options, print_side_file_notices};
use super::options::{GlobalArgs, LockArgs};
use super::output::CommandOutput;
use crate::file::Durability;
use crate::report::json::{self, Json};
use crate::report::units::format_count;
use crate::report::{ExitStatus, recovery_line, safe_path_text, set_aside_line};
use crate::{Event, EventLog};

/// Append events from flags or stdin, and print their offsets.
///
/// Without --type, events are read from stdin as JSON objects, one per line, with the keys `event_type`, `namespace`,
/// `schema_id`, `schema_version`, `aggregate_id` and `payload`. Opening the log for append completes or rolls back an
/// interrupted repair and sets an unfinished last frame aside; both are reported on stderr.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle append a.log --type Updated --namespace accounts --schema Person --aggregate 1 --payload '{\"n\":1}'
  chronicle append a.log --sync < events.ndjson")]
pub(super) struct AppendArgs {
    /// Log to append to
    log: PathBuf,
    /// Event type; without it, events are read from stdin
    #[arg(long = "type", value_name = "TEXT", requires_all = ["namespace", "schema", "payload"])]
    event_type: Option<String>,
    /// Namespace of the event
    #[arg(long, value_name = "TEXT", requires = "event_type")]
    namespace: Option<String>,
    /// Schema id of the payload
    #[arg(long, value_name = "TEXT", requires = "event_type")]
    schema: Option<String>,
    /// Schema version of the payload
    #[arg(long, value_name = "N", requires = "event_type", default_value_t = 1)]
    schema_version: u32,
    /// Aggregate that the event belongs to
    #[arg(long, value_name = "ID", requires = "event_type")]
    aggregate: Option<u64>,
    /// Payload: any JSON value, stored digit for digit
    #[arg(long, value_name = "JSON", requires = "event_type", allow_hyphen_values = true)]
    payload: Option<String>,
    /// Sync each batch to stable storage before its offsets are printed
    #[arg(long)]
    sync: bool,
    #[command(flatten)]
    lock: LockArgs,
}

impl AppendArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        // The event is validated first: opening the log may write to it, and an invalid event must write nothing.
        let event = self.event()?;
        CommandPaths::new(global).reads_log("the log", &self.log).saves_index_of(&self.log).check()?;
        let mut log = open_options(global).lock_timeout(self.lock.timeout()).open(&self.log)?;
        print_side_file_notices(&log, out);
        if let Some(recovered) = log.recovered_repair() {
            out.print_notice(&recovery_line(recovered), &json::recovery(recovered));
        }
        if let Some(backup) = log.set_aside_tail() {
            let value = Json::Object(vec![
                ("set_aside", json::finding(&backup.finding, None, None)),
                ("journal", safe_path_text(&backup.journal).into()),
            ]);
            out.print_notice(&set_aside_line(backup), &value);
        }
        let mut appender = Appender {
            durability: if self.sync { Durability::Synced } else { Durability::Buffered },
            stored: 0,
            stdout_closed: false,
        };
        let result = match event {
            Some(event) => appender.append_and_print_offsets(&mut log, &[event], out),
            None => appender.append_stdin(&mut log, out),
        };
        // Closing the log catches the index up. A failed append does too, because the events before it are stored.
        let closed = log.close();
        result?;
        if let Err(error) = closed {
            out.print_note(&format!("events stored, but the index was not updated: {error}"));
        }
        Ok(ExitStatus::Done)
    }

    /// Builds the event that the flags describe; `None` when events are read from stdin.
    fn event(&self) -> Result<Option<Event>, CommandFailure> {
        let (Some(event_type), Some(namespace), Some(schema), Some(payload)) =
            (&self.event_type, &self.namespace, &self.schema, &self.payload)
        else {
            return Ok(None);
        };
        let builder = Event::builder()
            .event_type(event_type)
            .namespace(namespace)
            .schema_id(schema)
            .schema_version(self.schema_version)
            .payload_json(payload);
        let builder = match self.aggregate {
            Some(id) => builder.aggregate_id(id),
            None => builder,
        };
        builder.build().map(Some).map_err(|error| CommandFailure::Usage {
            message: format!("--payload: expected a JSON value, found at byte {}: {}", error.offset, error.reason),
            hint: "Write the payload as JSON, such as '{\"name\":\"Juan\"}'".into(),
        })
    }
}

/// Appends batches of events and prints their offsets.
struct Appender {
    durability: Durability,
    /// Number of events that are stored.
    stored: u64,
    /// True after stdout was closed by its reader: the remaining events are stored without printing their offsets.
    stdout_closed: bool,
}

impl Appender {
    /// Appends the events on stdin, one per line. Events before an invalid line are stored before the error returns.
    ///
    /// Lines that are read while events are stored are stored together after them, so that they share a sync.
    fn append_stdin(&mut self, log: &mut EventLog, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        if io::stdin().is_terminal() {
            out.print_note("reading events from the terminal: one JSON object per line, Ctrl-d ends");
        }
        let input = EventInput::from_stdin()?;
        while let Some(InputBatch { events, failure }) = input.next_batch() {
            self.append_and_print_offsets(log, &events, out)?;
            if let Some(failure) = failure {
                return Err(failure);
            }
        }
        Ok(())
    }

    /// Appends one batch and prints one offset per event; an empty batch does nothing.
    fn append_and_print_offsets(
        &mut self,
        log: &mut EventLog,
        events: &[Event],
        out: &mut CommandOutput,
    ) -> Result<(), CommandFailure> {
        if events.is_empty() {
            return Ok(());
        }
        let offsets = log.append_batch(events, self.durability)?;
        self.stored += offsets.len() as u64;
        if let Some(last) = offsets.last() {
            out.set_effect(format!("stored {}, up to offset {last}", format_count(self.stored, "event")));
        }
        for offset in offsets {
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

    /// Turns a broken pipe on stdout into success, and stops further printing of offsets.
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
