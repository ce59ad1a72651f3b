//! `import`: makes a new log of events that `cat` or `export` wrote as JSON lines.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::append_input::MAX_LINE_BYTES;
use super::byte_stream::{ByteStream, is_stdin, read_failure};
use super::command_paths::CommandPaths;
use super::failure::{CommandFailure, CommandResult};
use super::import_writer::{ImportSummary, ImportWriter, ImportedEvent, LargeHole};
use super::options::{ForceArgs, FormatArgs, GlobalArgs};
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use super::segment_options::SegmentArgs;
use crate::Event;
use crate::file::{Disk, NewLogForm, NewLogTarget, OsDisk};
use crate::format::header::MAGIC;
use crate::format::{
    EventView, LogId, NewLogFormat, PayloadError, TimestampPrefix, Version, json, upgrade_v0_timestamp_key,
    with_write_timestamp,
};
use crate::inspect::Progress;
use crate::log::now_ms;
use crate::report::json::Json;
use crate::report::units::{format_count, format_size};
use crate::report::{ExitStatus, safe_path_text};

/// Why a line of the input is no event.
#[derive(Clone, Copy)]
enum LineFault {
    /// The input starts as a log does.
    Log,
    Payload(PayloadError),
}

impl From<PayloadError> for LineFault {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}

/// Make a new log of events that `cat` or `export` wrote as JSON lines.
///
/// Reads one event per line: {"offset":N,"event":{...}}, an event with its time, or an event as `append` takes it. Each
/// event keeps its old offset where the sizes allow; gaps fill the holes that lost events left. The output says how many
/// events have other offsets. In a folder, the header of a segment needs a hole of 64 bytes; without one, the events after
/// it move. The new log is read again, and appears complete or not at all.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle cat a.log > events.ndjson
  chronicle import events.ndjson -o b.log --keep-times
  chronicle cat a.log | chronicle import - -o b.log --keep-times")]
pub(super) struct ImportArgs {
    /// File with one event per line, which gzip or zstd may have compressed; - is stdin
    input: PathBuf,
    /// New log to create; a folder of segments when the path ends with /
    #[arg(short = 'o', long = "output", value_name = "NEW")]
    output: PathBuf,
    /// Keep the times of the events; without it, every event gets the present time
    #[arg(long)]
    keep_times: bool,
    /// Write the events one after the other, without their old offsets
    #[arg(long)]
    new_offsets: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    segments: SegmentArgs,
    #[command(flatten)]
    force: ForceArgs,
}

/// A line of `cat`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportedLine<'a> {
    offset: u64,
    #[serde(borrow)]
    event: &'a RawValue,
}

impl ImportArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let existing = self.force.existing_files();
        let form = self.segments.form(&self.output);
        let input = (!is_stdin(&self.input)).then_some(self.input.as_path());
        CommandPaths::new(global)
            .reads_optional_file("the input", input)
            .writes_log("-o", &self.output, existing, form)
            .check()?;
        let disk: Arc<dyn Disk> = Arc::new(OsDisk);
        let stream = ByteStream::open(&self.input)?;
        let mut lines = BufReader::with_capacity(1 << 18, stream);
        let (mut writer, mut line, mut number) = (None, Vec::new(), 0);
        let format = match form {
            NewLogForm::File => self.format.new_log_format(),
            NewLogForm::Folder(_) => NewLogFormat::V2(LogId::random()),
        };
        let target = NewLogTarget { path: &self.output, existing, form, permissions_from: None };
        let create = |created_at_ms| ImportWriter::create(&disk, target, format.header(created_at_ms));
        loop {
            line.clear();
            let read = lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
            if read.map_err(|error| read_failure(&self.input, error))? == 0 {
                break;
            }
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let (event, offset) = self.parse_line(&line).map_err(|cause| self.invalid_line(number, cause))?;
            let writer = match &mut writer {
                Some(writer) => writer,
                // The header gets the time of the first event as its creation time.
                none => none.insert(create(event.time_ms)?),
            };
            let offset = offset.filter(|_| !self.new_offsets);
            writer.add(event, offset)?.map_err(|hole| self.large_hole(number, &hole))?;
        }
        let writer = writer.map_or_else(|| create(now_ms()), Ok)?;
        let progress = TerminalProgress::new("verifying", out);
        let summary = writer.finish(&mut |read, bytes| {
            progress.update(Progress { position: read, total: bytes.saturating_mul(2) });
            Ok(())
        });
        drop(progress);
        let summary = summary?;
        out.set_effect(format!("{} is complete", safe_path_text(&self.output)));
        self.print_summary(&summary, out)?;
        Ok(ExitStatus::Done)
    }

    /// Returns the event of a line, and its offset in the input.
    fn parse_line(&self, line: &[u8]) -> Result<(ImportedEvent, Option<u64>), LineFault> {
        if line.len() as u64 >= MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            return Err(PayloadError { offset: line.len(), reason: "the line is longer than any event" }.into());
        }
        if line.starts_with(&MAGIC) {
            return Err(LineFault::Log);
        }
        let not_utf8 = |error: std::str::Utf8Error| PayloadError { offset: error.valid_up_to(), reason: "not UTF-8" };
        let text = std::str::from_utf8(line).map_err(not_utf8)?;
        match serde_json::from_str::<ExportedLine>(text) {
            // A line with these two keys can itself be an event, because an event may have any further keys.
            Ok(exported) if EventView::parse(line, Version::V1).is_err() => {
                let event = exported.event.get();
                let start = event.as_ptr() as usize - text.as_ptr() as usize;
                let in_line = |error: PayloadError| PayloadError { offset: start + error.offset, ..error };
                Ok((self.import_event(event).map_err(in_line)?, Some(exported.offset)))
            }
            _ => Ok((self.import_event(text)?, None)),
        }
    }

    /// Checks an event and gives it its time.
    fn import_event(&self, text: &str) -> Result<ImportedEvent, PayloadError> {
        let now = now_ms();
        let is_version = |version| EventView::parse(text.as_bytes(), version).is_ok();
        let is_version_0 = !is_version(Version::V1) && is_version(Version::V0);
        let upgraded = if is_version_0 { upgrade_v0_timestamp_key(text) } else { text.into() };
        let event = match EventView::parse(upgraded.as_bytes(), Version::V1) {
            Ok(event) => event,
            // An event as `append` takes it has no time yet.
            Err(error) => {
                let event =
                    Event::from_json(text).map_err(|other| if other.is_reserved_key() { error } else { other })?;
                let payload = event.payload_parts(&TimestampPrefix::new(now)).concat();
                return Ok(ImportedEvent { payload, time_ms: now });
            }
        };
        let time_ms = if self.keep_times { event.write_timestamp_ms() } else { now };
        let timed = if self.keep_times { upgraded } else { with_write_timestamp(&upgraded, now) };
        let mut payload = Vec::with_capacity(timed.len());
        json::compact(timed.as_bytes(), &mut payload);
        // The time and its key can have become longer.
        EventView::parse(&payload, Version::V1)?;
        Ok(ImportedEvent { payload, time_ms })
    }

    fn invalid_line(&self, number: u64, fault: LineFault) -> CommandFailure {
        let (cause, hint) = match fault {
            LineFault::Log => (
                PayloadError { offset: 0, reason: "a Chronicle log" },
                "Import the output of `chronicle cat LOG`, or copy the log with `chronicle salvage`",
            ),
            LineFault::Payload(cause) => (cause, "No log was created: correct the line and import the file again"),
        };
        CommandFailure::InvalidImport { input: self.input_name(), number, cause, hint }
    }

    fn large_hole(&self, number: u64, hole: &LargeHole) -> CommandFailure {
        CommandFailure::Refused {
            message: format!(
                "{}, line {number}: a gap of {} would be needed before this event, more than the log before it",
                self.input_name(),
                format_size(hole.bytes)
            ),
            hint: "Check the offset of the line; --new-offsets writes the events without gaps".into(),
        }
    }

    fn input_name(&self) -> String {
        if is_stdin(&self.input) { "stdin".into() } else { safe_path_text(&self.input) }
    }

    fn print_summary(&self, summary: &ImportSummary, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        if out.is_json() {
            return out.print_json(&Json::Object(vec![
                ("input", self.input_name().into()),
                ("new", safe_path_text(&self.output).into()),
                ("events", summary.events.into()),
                ("bytes", summary.bytes.into()),
                ("segments", summary.segments.into()),
                ("times_kept", Json::Bool(self.keep_times)),
                ("offsets_kept", summary.kept_offsets.into()),
                ("offsets_moved", summary.moved_events.into()),
                ("offsets_unknown", summary.unplaced_events.into()),
                ("holes_filled", summary.filled_holes.into()),
                ("gap_bytes", summary.gap_bytes.into()),
                ("padded_events", summary.padded_events.into()),
            ]));
        }
        let times =
            if self.keep_times { "with their times" } else { "with new times (--keep-times keeps the old ones)" };
        let segments = summary.segments.map(|segments| format!(" in {}", format_count(segments, "segment")));
        let text = format!(
            ": {}, {}{}, {times}",
            format_count(summary.events, "event"),
            format_size(summary.bytes),
            segments.unwrap_or_default()
        );
        out.print_path_line(&self.output, &text)?;
        let holes = format!(
            "{} filled with gaps ({})",
            format_count(summary.filled_holes, "hole"),
            format_size(summary.gap_bytes)
        );
        let counts = [
            (summary.kept_offsets, format!("{} at the old offset", format_count(summary.kept_offsets, "event"))),
            (summary.moved_events, format!("{} at another offset", format_count(summary.moved_events, "event"))),
            (
                summary.unplaced_events,
                format!("{} without an old offset", format_count(summary.unplaced_events, "event")),
            ),
            (summary.filled_holes, holes),
            (summary.padded_events, format!("{} padded with spaces", format_count(summary.padded_events, "event"))),
        ];
        let lines: Vec<String> = counts.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect();
        if lines.is_empty() { Ok(()) } else { out.print_line(&format!("  {}", lines.join("; "))) }
    }
}
