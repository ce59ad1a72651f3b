//! `show`: prints everything about one row of the log: frame fields, checksums, index entry, stored JSON, bytes in hex,
//! damage and its fix.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::log_access::{GapJournals, open_with_notices, print_removed_start};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use super::progress::TerminalProgress;
use crate::StorageError;
use crate::format::{DamageKind, Finding, hex};
use crate::index::AggregateIndex;
use crate::inspect::LogView;
use crate::log::now_ms;
use crate::query::{
    AggregateState, EventTimes, FieldSpan, JumpTarget, LogRow, RowContent, TimeContext, find_fix, read_aggregate_state,
    read_row_at, read_row_details, resolve_jump,
};
use crate::report::{
    ExitStatus, FixSearchResult, RowReport, row_detail_lines, row_json, safe_path_text, state_lines, units,
};

/// Number of bytes in one line of hex.
const HEX_LINE_BYTES: usize = 16;

/// Show the event, gap or damage at an offset.
///
/// Prints the frame's fields, checksums and index entry, the JSON as stored, and the bytes in hex. An offset inside a
/// frame shows that frame. With --state it also prints the state of the aggregate: its payloads up to the event, merged.
/// For damage it prints the verdict, the evidence and the possible fixes, and exits with 3.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  chronicle show a.log 1223488
  chronicle show a.log 0x12ab40 --hex 64KiB
  chronicle show a.log '#3000' --json
  chronicle show a.log 1223488 --state --hex 0")]
pub(super) struct ShowArgs {
    /// Log to read
    log: PathBuf,
    /// Offset (1223488, 0x12ab40), event number ('#3000'), share of the file (50%) or time (2026-11-20T09:14)
    #[arg(value_name = "OFFSET")]
    place: String,
    /// Print at most this many bytes in hex, from the start of the row; 0 prints none
    #[arg(long, value_name = "SIZE", value_parser = units::parse_size, default_value = "4KiB")]
    hex: u64,
    /// Print the state of the event's aggregate after the event: the payloads of its events up to here, merged (RFC 7396)
    #[arg(long)]
    state: bool,
}

impl ShowArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let log = open_with_notices(&self.log, global, out)?;
        if self.state {
            print_removed_start(&log, out);
        }
        let view = log.view().clone();
        let index = view.index_coverage().map(|_| view.load_index());
        let row = self.find_row(&view, index.as_ref(), out)?;
        let bytes = read_bytes(&view, &row, self.hex)?;
        let details = read_row_details(&view, index.as_ref(), row)?;
        let state = if self.state { Some(self.read_state(&view, index.as_ref(), &details.row, out)?) } else { None };
        let finding = match &details.row.content {
            RowContent::Finding(finding) => Some(finding),
            RowContent::Header | RowContent::Event(_) | RowContent::InFlight => None,
        };
        let fix = finding.map(|finding| find_fix(&view, finding)).transpose()?.flatten();
        let mut gap_journals = GapJournals::for_log(&log)?;
        let gap_journal = finding.and_then(|finding| gap_journals.journal_of(finding));
        let report =
            RowReport { details: &details, fix: fix.as_ref(), gap_journal, bytes: &bytes, state: state.as_ref() };
        if out.is_json() { out.print_json(&row_json(&report)) } else { print_row(view.path(), &report, out) }?;
        Ok(exit_status(finding))
    }

    /// Reads the state of the row's aggregate after the row.
    fn read_state(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        row: &LogRow,
        out: &CommandOutput,
    ) -> Result<AggregateState, CommandFailure> {
        let progress = TerminalProgress::new("merging", out);
        let state = read_aggregate_state(view, index, row, &mut |position| progress.show(position))?;
        state.ok_or_else(|| {
            let kind = row.content.kind_name().replace('_', " ");
            let found = match row.content {
                RowContent::Event(_) => "an event that belongs to no aggregate".to_owned(),
                _ => format!("no event but a row of the kind {kind}"),
            };
            CommandFailure::Usage {
                message: format!(
                    "--state: at {} is {found}, and only an event of an aggregate has a state",
                    self.place
                ),
                hint: "Leave out --state, or use the offset of an event with an aggregate_id, as `cat` prints it"
                    .into(),
            }
        })
    }

    /// Returns the row at the location that the arguments give.
    fn find_row(
        &self,
        view: &LogView,
        index: Option<&AggregateIndex>,
        out: &CommandOutput,
    ) -> Result<LogRow, CommandFailure> {
        let place = &self.place;
        let times = TimeContext::at(now_ms()).with_last_event(EventTimes::read(view)?.map(|times| times.last_ms));
        let target = JumpTarget::parse_with(place, times).map_err(|error| usage_error(&error.to_string()))?;
        let start = if let JumpTarget::Offset(offset) = target {
            Some(offset)
        } else {
            let progress = TerminalProgress::new("searching", out);
            let mut on_progress = |position| {
                progress.update(position);
                ControlFlow::Continue(())
            };
            resolve_jump(view, index, &target, &mut on_progress)?
        };
        let row = start.map(|offset| read_row(view, offset)).transpose()?.flatten();
        let bytes = units::format_number(view.log().len()?);
        let is_number = place.len() >= 12 && place.bytes().all(|byte| byte.is_ascii_digit());
        let as_time =
            if is_number { format!("; the time with this number of milliseconds is {place}ms") } else { String::new() };
        row.ok_or_else(|| usage_error(&format!("{place} is past the end of the log, which has {bytes} bytes{as_time}")))
    }
}

fn usage_error(reason: &str) -> CommandFailure {
    CommandFailure::Usage {
        message: format!("OFFSET: {reason}"),
        hint: "Use an offset as `cat` and `verify` print them, or '#1' for the first event".into(),
    }
}

fn exit_status(finding: Option<&Finding>) -> ExitStatus {
    if finding.is_some_and(|finding| finding.kind.is_damage()) { ExitStatus::Damage } else { ExitStatus::Done }
}

/// Returns the row that contains `offset`; for an offset in the lost end of a truncated log, the row that reports the
/// loss.
fn read_row(view: &LogView, offset: u64) -> Result<Option<LogRow>, StorageError> {
    let bytes = view.log().len()?;
    view.log().ensure_not_removed(offset)?;
    let is_lost = offset >= bytes && view.seen_end().offset().is_some_and(|indexed_end| offset < indexed_end);
    read_row_at(view, if is_lost { bytes } else { offset })
}

/// Reads at most `limit` bytes from the start of a row.
fn read_bytes(view: &LogView, row: &LogRow, limit: u64) -> Result<Vec<u8>, StorageError> {
    // A lost range has no bytes.
    let is_lost = matches!(&row.content, RowContent::Finding(finding) if finding.kind == DamageKind::Lost);
    let count = if is_lost { 0 } else { (row.end - row.start).min(limit) };
    let path = || view.path().to_owned();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(count as usize).map_err(|_| StorageError::OutOfMemory {
        path: path(),
        offset: row.start,
        bytes: count,
    })?;
    bytes.resize(count as usize, 0);
    let read = view.log().read_at(&mut bytes, row.start)?;
    bytes.truncate(read);
    Ok(bytes)
}

fn print_row(path: &Path, report: &RowReport, out: &mut CommandOutput) -> Result<(), CommandFailure> {
    let RowReport { details, fix, gap_journal, bytes, state } = *report;
    let row = &details.row;
    let kind = row.content.kind_name().replace('_', " ");
    out.print_path_line(path, &format!(": {kind} at {}..{}", row.start, row.end))?;
    let fix = fix.map_or(FixSearchResult::NoFix, FixSearchResult::Fix);
    for line in row_detail_lines(details, fix, gap_journal.map(safe_path_text).as_deref()) {
        out.print_line(&format!("  {:<18} {}", line.label, line.text))?;
    }
    if let Some(text) = &details.payload_text {
        // A gap's payload ends in padding, which the hex shows.
        out.print_line(format!("  {:<18} {text}", "payload").trim_end())?;
    }
    if let Some(state) = state {
        for line in state_lines(state) {
            out.print_line(&format!("  {:<18} {}", line.label, line.text))?;
        }
        out.print_line(&format!("  {:<18} {}", "merged payload", state.json))?;
    }
    for (number, line) in bytes.chunks(HEX_LINE_BYTES).enumerate() {
        let offset = row.start + (number * HEX_LINE_BYTES) as u64;
        out.print_line(&hex_line(offset, line, &details.fields))?;
    }
    let omitted = row.end - row.start - bytes.len() as u64;
    if omitted > 0 && !bytes.is_empty() {
        out.print_line(&format!("  … {} more; use --hex SIZE", units::format_count(omitted, "byte")))?;
    }
    Ok(())
}

/// Formats one line of the hex dump: offset, bytes, printable ASCII, and the fields that start in the line.
fn hex_line(offset: u64, bytes: &[u8], fields: &[FieldSpan]) -> String {
    let ascii = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
    let ascii: String = bytes.iter().map(ascii).collect();
    let end = offset + bytes.len() as u64;
    let fields = fields.iter().filter(|field| (offset..end).contains(&field.range.start));
    let names = fields.map(|field| field.name).collect::<Vec<_>>().join(", ");
    let line = format!("  {offset:08X}  {:<47}  {ascii:<16}  {names}", hex::encode_spaced(bytes));
    line.trim_end().to_owned()
}
