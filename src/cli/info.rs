//! `info`: prints header, size, index, writer and repairs of a log, without reading the whole log.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{CommandFailure, CommandResult};
use super::log_access::{open_with_notices, view_with_checked_index};
use super::log_list::{LogList, ReportDetail, report_each};
use super::options::GlobalArgs;
use super::output::CommandOutput;
use crate::file::{HeaderState, SegmentCondition, WriterPresence};
use crate::format::{LostRange, Version};
use crate::index::{IndexState, NameCounts, NameKind, VerificationMark};
use crate::inspect::{LogView, SegmentSummary};
use crate::repair::read_repair_history;
use crate::report::json::{self, Json};
use crate::report::units::{
    DisplayZone, format_count, format_exact_size, format_number, format_size, format_timestamp,
};
use crate::report::{
    ExitStatus, VERSION_0_LIMIT, index_line, index_meaning, index_reason, removed_start_json, removed_start_sentence,
    safe_path_text, seen_end_sentence,
};

/// Maximum number of names of each kind in text output. JSON output lists all names.
const MAX_NAMES_SHOWN: usize = 10;
/// Maximum number of lost ranges in text output. JSON output lists all.
const MAX_LOST_SHOWN: usize = 10;
/// The kinds of names, each with the word that is its title in text and its key in JSON.
const NAME_KINDS: [(NameKind, &str); 3] =
    [(NameKind::Type, "types"), (NameKind::Namespace, "namespaces"), (NameKind::Schema, "schemas")];

/// Show header, size, index state and counts without reading the log through.
#[derive(Debug, Args)]
pub(super) struct InfoArgs {
    /// Log to describe. Several logs, or a folder with logs, take one line each
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
}

impl InfoArgs {
    /// Runs the command.
    pub(super) fn run(&self, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        report_each(&LogList::new(&self.logs, global), out, &mut |log, detail, out| {
            Self::report(log, detail, global, out)
        })
    }

    fn report(path: &Path, detail: ReportDetail, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
        let log = open_with_notices(path, global, out)?;
        let view = view_with_checked_index(&log);
        let counts = match view.index_counts() {
            Some(Ok(counts)) => Some(counts),
            Some(Err(fault)) => {
                view.mark_index_unusable(IndexState::from_fault(fault));
                None
            }
            None => None,
        };
        let bytes = view.log().len()?;
        let writer = view.log().storage().detect_writer();
        // Unreadable journals must not prevent the report on the log and the index.
        let repairs = log.options().log_paths(&log.path()).and_then(|paths| read_repair_history(&paths)).ok();
        let repairs = repairs.map(|history| history.records.len() as u64);
        let report = InfoReport { view: &view, bytes, writer, repairs, counts: counts.as_ref() };
        match detail {
            _ if out.is_json() => out.print_json(&report.to_json()),
            ReportDetail::Full => report.print(out),
            ReportDetail::Line => out.print_path_line(view.path(), &format!(": {}", report.line())),
        }?;
        Ok(ExitStatus::Done)
    }
}

/// The data that `info` prints.
struct InfoReport<'a> {
    view: &'a LogView,
    /// Size of the log in bytes.
    bytes: u64,
    writer: WriterPresence,
    /// Number of repairs; `None` if the journals cannot be read.
    repairs: Option<u64>,
    /// Events by name, from the index; `None` without a trusted index.
    counts: Option<&'a NameCounts>,
}

impl InfoReport<'_> {
    fn print(&self, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        out.print_path_line(self.view.path(), "")?;
        for (title, text) in self.rows() {
            out.print_line(&format!("  {title:<11} {text}"))?;
        }
        NAME_KINDS.iter().try_for_each(|(kind, title)| self.print_names(*kind, title, out))
    }

    /// Returns the facts of a log in one line, for a list of logs.
    fn line(&self) -> String {
        let Self { view, bytes, .. } = *self;
        let version = format!("version {}{}", view.log().version().number(), header_note(view));
        let events = view.index_coverage().map(|coverage| format_count(coverage.events, "event"));
        let damaged = view.known_damage().len() as u64;
        let damaged = (damaged > 0).then(|| format!("{} known", format_count(damaged, "damaged range")));
        let index = format!("index {}", index_line(view.index_state(), None));
        let facts = [Some(version), Some(format_size(bytes)), events, damaged, Some(index)];
        facts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Returns the rows of the text output, each with its title. An empty title continues the row before it.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let Self { view, bytes, .. } = *self;
        let mut rows = vec![("version", format!("{}{}", view.log().version().number(), header_note(view)))];
        if let Some(id) = view.log_id() {
            rows.push(("log id", id.to_string()));
        }
        if let Some(ms) = view.created_at_ms() {
            let (utc, local) = (format_timestamp(ms, DisplayZone::Utc), format_timestamp(ms, DisplayZone::Local));
            rows.push(("created", format!("{utc} ({local} local)")));
        }
        rows.push(("size", format_exact_size(bytes)));
        if let Some(segments) = view.segments() {
            let bases = segments.bases();
            let (first, last) = (segments.log_start(), bases.last().copied().unwrap_or_default());
            let count = format_count(bases.len() as u64, "segment");
            rows.push(("segments", format!("{count} from offset {first}; events are appended to that at {last}")));
            rows.extend(view.removed_start().map(|start| ("", removed_start_sentence(&start))));
            rows.extend(view.segment_summaries().iter().map(|segment| ("", segment_line(segment))));
        }
        for (nth, lost) in view.lost_ranges().iter().enumerate().take(MAX_LOST_SHOWN) {
            let title = if nth == 0 { "lost" } else { "" };
            let time = format_timestamp(lost.given_up_at_ms, DisplayZone::Utc);
            let bytes = format_size(lost.end - lost.start);
            rows.push((title, format!("{}..{}, {bytes}: no segment has it; given up on {time}", lost.start, lost.end)));
        }
        if let Some(coverage) = view.index_coverage() {
            let covered = if coverage.scanned_to == bytes { "" } else { " covered by the index" };
            rows.push(("events", format!("{}{covered}", format_number(coverage.events))));
            if coverage.gaps > 0 {
                rows.push(("gaps", format_number(coverage.gaps)));
            }
        }
        if let Some(VerificationMark { verified_to, verified_at_ms }) = verification_mark(view) {
            let time = format_timestamp(verified_at_ms, DisplayZone::Utc);
            rows.push(("verified", format!("to offset {verified_to}, on {time}")));
        }
        if view.log().version() == Version::V0 {
            rows.push(("checksums", format!("none: {VERSION_0_LIMIT}")));
        }
        if let damaged @ 1.. = view.known_damage().len() as u64 {
            let ranges = format_count(damaged, "range");
            rows.push(("damage", format!("{ranges} known to the index (list: `chronicle verify LOG`)")));
        }
        let advice = view.known_damage_origins().advice();
        rows.extend(advice.into_iter().map(|advice| ("", advice)));
        rows.push(("writer", describe_writer(self.writer)));
        if let Some(number @ 1..) = self.repairs {
            rows.push(("repairs", format!("{} (list: `chronicle undo LOG --list`)", format_number(number))));
        }
        let state = view.index_state();
        rows.push(("index", format!("{}: {}", index_line(state, None), index_meaning(state))));
        rows.extend(index_reason(state).map(|reason| ("", reason.to_owned())));
        rows.extend(seen_end_sentence(view.seen_end(), state, bytes).map(|sentence| ("end", sentence)));
        rows
    }

    fn print_names(&self, kind: NameKind, title: &str, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let rows = self.counts.map(|counts| names_by_count(counts, kind)).unwrap_or_default();
        for (i, NameCount { name, events }) in rows.iter().take(MAX_NAMES_SHOWN).enumerate() {
            let title = if i == 0 { title } else { "" };
            out.print_line(&format!("  {title:<11} {:>13}  {}", format_number(*events), name.unwrap_or("(others)")))?;
        }
        match rows.len().saturating_sub(MAX_NAMES_SHOWN) {
            0 => Ok(()),
            more => out.print_line(&format!("  {:<11} {:>13}  ({more} more)", "", "")),
        }
    }

    fn to_json(&self) -> Json {
        let Self { view, bytes, writer, repairs, counts } = *self;
        let (header, flags) = match view.log().header() {
            HeaderState::Valid(header) => ("good", Some(u64::from(header.flags))),
            HeaderState::Absent => ("none", None),
            HeaderState::Damaged(..) => ("damaged", None),
            HeaderState::Truncated => ("cut", None),
            HeaderState::Unreadable => ("unreadable", None),
        };
        let header = if view.header_finding().is_some() { "damaged" } else { header };
        let counts = counts.map(|counts| {
            let rows = |kind| {
                let row = |NameCount { name, events }: NameCount| {
                    Json::Object(vec![("name", name.into()), ("events", events.into())])
                };
                Json::List(names_by_count(counts, kind).into_iter().map(row).collect())
            };
            Json::Object(NAME_KINDS.iter().map(|(kind, title)| (*title, rows(*kind))).collect())
        });
        let segments = view.segment_summaries();
        let removed = view.removed_start().map(|start| ("removed_start", removed_start_json(&start)));
        let segments = (!segments.is_empty()).then(|| Json::List(segments.iter().map(segment_json).collect()));
        let keys = vec![
            ("path", safe_path_text(view.path()).into()),
            ("bytes", bytes.into()),
            ("version", u64::from(view.log().version().number()).into()),
            ("log_id", view.log_id().map(|id| id.to_string()).into()),
            ("created_at_ms", view.created_at_ms().into()),
            ("header", header.into()),
            ("flags", flags.into()),
            (
                "writer",
                Json::Object(vec![
                    ("seen", writer_state_name(writer).into()),
                    ("pid", writer.pid().map(u64::from).into()),
                ]),
            ),
            ("repairs", repairs.into()),
            ("index", json::index(view)),
            ("verified", verified_json(view)),
            ("known_damage", json::known_damage(view)),
            ("counts", counts.unwrap_or(Json::Null)),
        ];
        let lost = segments.is_some().then(|| Json::List(view.lost_ranges().iter().map(lost_json).collect()));
        let segments = segments.map(|segments| ("segments", segments));
        Json::Object(keys.into_iter().chain(removed).chain(segments).chain(lost.map(|lost| ("lost", lost))).collect())
    }
}

fn verified_json(view: &LogView) -> Json {
    verification_mark(view).map_or(Json::Null, |VerificationMark { verified_to, verified_at_ms }| {
        Json::Object(vec![("to", verified_to.into()), ("at_ms", verified_at_ms.into())])
    })
}

/// Returns how far and when the log was verified, according to its index.
fn verification_mark(view: &LogView) -> Option<VerificationMark> {
    view.verification_mark()
}

/// Returns the facts about a segment in one line.
fn segment_line(segment: &SegmentSummary) -> String {
    let number = segment.number.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let state = if segment.sealed_at.is_some() { "sealed" } else { "active" };
    let missing = segment.sealed_at.map_or(0, |end| end - segment.data_end) - segment.lost_bytes;
    let facts = [
        Some(format!("{number:>4}  {:>12}  {state}", segment.base)),
        Some(format_size(segment.data_end - segment.base)),
        segment.events.map(|events| format_count(events, "event")),
        segment.last_time_ms.map(|ms| format!("last {}", format_timestamp(ms, DisplayZone::Utc))),
        (missing > 0).then(|| format!("{} missing", format_size(missing))),
        (segment.lost_bytes > 0).then(|| format!("{} lost after it", format_size(segment.lost_bytes))),
        segment
            .known_damage
            .filter(|ranges| *ranges > 0)
            .map(|ranges| format!("{} known", format_count(ranges, "damaged range"))),
        match &segment.condition {
            SegmentCondition::Unreadable(reason) => Some(format!("cannot be opened: {reason}")),
            _ => Some(format!("index {}", segment.index_state.name())),
        },
    ];
    facts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns a range that was given up as an object.
fn lost_json(lost: &LostRange) -> Json {
    Json::Object(vec![
        ("start", lost.start.into()),
        ("end", lost.end.into()),
        ("given_up_at_ms", lost.given_up_at_ms.into()),
    ])
}

/// Returns a segment as an object.
fn segment_json(segment: &SegmentSummary) -> Json {
    Json::Object(vec![
        ("number", segment.number.map(u64::from).into()),
        ("base", segment.base.into()),
        ("data_end", segment.data_end.into()),
        ("sealed_at", segment.sealed_at.into()),
        ("created_at_ms", segment.created_at_ms.into()),
        ("events", segment.events.into()),
        ("last_time_ms", segment.last_time_ms.into()),
        ("known_damage", segment.known_damage.into()),
        ("index", segment.index_state.name().into()),
    ])
}

/// A name and the number of its events.
struct NameCount<'a> {
    /// The name; `None` for the names that the index counts together.
    name: Option<&'a str>,
    events: u64,
}

/// Returns the names of a kind, the most frequent first.
fn names_by_count(counts: &NameCounts, kind: NameKind) -> Vec<NameCount<'_>> {
    let of_kind = counts.iter().filter(|(name, events)| name.kind == kind && *events > 0);
    let mut rows: Vec<_> = of_kind.map(|(name, events)| NameCount { name: name.text.as_deref(), events }).collect();
    rows.sort_by_key(|row| (std::cmp::Reverse(row.events), row.name));
    rows
}

/// Returns the text after the version number, which is empty for a valid header without flags.
fn header_note(view: &LogView) -> String {
    if view.header_finding().is_some() {
        return "; header DAMAGED, see `chronicle verify`".into();
    }
    match view.log().header() {
        HeaderState::Valid(header) if header.flags != 0 => format!("; flags {:04x}: read-only", header.flags),
        HeaderState::Absent => "; no header: read-only".into(),
        HeaderState::Truncated => "; header CUT, see `chronicle verify`".into(),
        HeaderState::Unreadable => "; header UNREADABLE, see `chronicle verify`".into(),
        _ => String::new(),
    }
}

/// Returns the JSON value of `writer.seen`.
const fn writer_state_name(writer: WriterPresence) -> &'static str {
    match writer {
        WriterPresence::HoldsLock(_) => "lock",
        WriterPresence::HasFileOpen(_) => "open",
        WriterPresence::NoneFound => "nobody",
        WriterPresence::Unknown => "unknown",
    }
}

fn describe_writer(writer: WriterPresence) -> String {
    match writer {
        WriterPresence::HoldsLock(pid) => format!("process {pid} holds the writer's lock"),
        WriterPresence::HasFileOpen(pid) => {
            format!("process {pid} has the log open for writing without holding the lock")
        }
        WriterPresence::NoneFound => "none found".into(),
        WriterPresence::Unknown => "unknown: not detectable on this platform".into(),
    }
}
