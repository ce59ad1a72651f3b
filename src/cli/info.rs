//! `info`: what is known of a log without reading it through: header, size, index and its counts, who writes, how often it was repaired.

use super::args::{GlobalArgs, LogArgs};
use super::failure::{CommandFailure, CommandResult};
use super::open::{index_fault_reason, open_read_only};
use super::output::CommandOutput;
use crate::file::{HeaderState, WriterPresence, detect_writer};
use crate::index::{NameCounts, NameKind, VerificationMark};
use crate::inspect::LogView;
use crate::repair::read_repair_records;
use crate::report::json::{self, Json};
use crate::report::units::{DisplayZone, format_number, format_size, format_timestamp};
use crate::report::{ExitStatus, index_line, index_meaning, index_reason, safe_path_text};

/// Names shown of each kind; the JSON has all.
const MAX_NAMES_SHOWN: usize = 10;
const NAME_KINDS: [(NameKind, &str); 3] =
    [(NameKind::Type, "types"), (NameKind::Namespace, "namespaces"), (NameKind::Schema, "schemas")];

pub(super) fn info(args: &LogArgs, global: &GlobalArgs, out: &mut CommandOutput) -> CommandResult {
    let log = open_read_only(&args.log, global)?;
    let mut view = log.view().clone();
    let counts = match view.trusted_index().map(|index| index.counts()) {
        Some(Ok(counts)) => Some(counts),
        Some(Err(fault)) => {
            view.mark_index_corrupt(index_fault_reason(fault));
            None
        }
        None => None,
    };
    let bytes = view.log().len()?;
    let writer = view.log().storage().identity().map_or(WriterPresence::Unknown, detect_writer);
    // Journals that cannot be read keep nobody from what the log itself says.
    let repairs = log.options().log_paths(&log.path()).and_then(|site| read_repair_records(&site)).ok();
    let repairs = repairs.map(|(records, _)| records.len() as u64);
    let report = InfoReport { view: &view, bytes, writer, repairs, counts: counts.as_ref() };
    if out.is_json() { out.print_json(&report.to_json()) } else { report.print(out) }?;
    Ok(ExitStatus::Done)
}

/// What is known of a log.
struct InfoReport<'a> {
    view: &'a LogView,
    bytes: u64,
    writer: WriterPresence,
    /// `None` where the journals cannot be read.
    repairs: Option<u64>,
    counts: Option<&'a NameCounts>,
}

impl InfoReport<'_> {
    fn print(&self, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        let Self { view, bytes, writer, repairs, counts } = *self;
        out.print_path_line(view.path(), "")?;
        out.print_line(&format!("  version     {}{}", view.log().version().number(), header_note(view)))?;
        if let Some(ms) = view.created_at_ms() {
            out.print_line(&format!(
                "  created     {}, {} here",
                format_timestamp(ms, DisplayZone::Utc),
                format_timestamp(ms, DisplayZone::Local)
            ))?;
        }
        out.print_line(&format!("  size        {} ({} bytes)", format_size(bytes), format_number(bytes)))?;
        let head = view.trusted_index().map(|index| index.head());
        if let Some(head) = head {
            let so_far = if head.scanned_to == bytes { "" } else { " that the index has seen" };
            out.print_line(&format!("  events      {}{so_far}", format_number(head.events)))?;
            if head.gaps > 0 {
                out.print_line(&format!("  gaps        {}", format_number(head.gaps)))?;
            }
        }
        if let Some(VerificationMark { verified_to: to, verified_at_ms: at_ms }) =
            view.trusted_index().and_then(|index| index.verification_mark())
        {
            out.print_line(&format!("  verified    to offset {to}, on {}", format_timestamp(at_ms, DisplayZone::Utc)))?;
        }
        out.print_line(&format!("  writer      {}", describe_writer(writer)))?;
        if let Some(number @ 1..) = repairs {
            out.print_line(&format!("  repairs     {}, see `chronicle undo --list`", format_number(number)))?;
        }
        out.print_line(&format!(
            "  index       {}: {}",
            index_line(view.index_state(), None),
            index_meaning(view.index_state())
        ))?;
        if let Some(reason) = index_reason(view.index_state()) {
            out.print_line(&format!("              {reason}"))?;
        }
        for (kind, title) in NAME_KINDS {
            let Some(rows) = counts.map(|counts| names_by_count(counts, kind)).filter(|rows| !rows.is_empty()) else {
                continue;
            };
            for (i, (name, number)) in rows.iter().take(MAX_NAMES_SHOWN).enumerate() {
                let title = if i == 0 { title } else { "" };
                out.print_line(&format!(
                    "  {title:<11} {:>13}  {}",
                    format_number(*number),
                    name.unwrap_or("(others)")
                ))?;
            }
            if rows.len() > MAX_NAMES_SHOWN {
                out.print_line(&format!("  {:<11} {:>13}  (and {} more)", "", "", rows.len() - MAX_NAMES_SHOWN))?;
            }
        }
        Ok(())
    }

    fn to_json(&self) -> Json {
        let Self { view, bytes, writer, repairs, counts } = *self;
        let (header, flags) = match view.log().header() {
            HeaderState::Valid(header) => ("good", Some(u64::from(header.flags))),
            HeaderState::Absent => ("none", None),
            HeaderState::Damaged(..) => ("damaged", None),
            HeaderState::Truncated => ("cut", None),
        };
        let header = if view.header_finding().is_some() { "damaged" } else { header };
        let counts = counts.map(|counts| {
            let rows = |kind| {
                let row = |(name, events): (Option<&str>, u64)| {
                    Json::Object(vec![("name", name.into()), ("events", events.into())])
                };
                Json::List(names_by_count(counts, kind).into_iter().map(row).collect())
            };
            Json::Object(NAME_KINDS.iter().map(|(kind, title)| (*title, rows(*kind))).collect())
        });
        Json::Object(vec![
            ("path", safe_path_text(view.path()).into()),
            ("bytes", bytes.into()),
            ("version", u64::from(view.log().version().number()).into()),
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
            ("counts", counts.unwrap_or(Json::Null)),
        ])
    }
}

fn verified_json(view: &LogView) -> Json {
    let verified = view.trusted_index().and_then(|index| index.verification_mark());
    verified.map_or(Json::Null, |VerificationMark { verified_to: to, verified_at_ms: at_ms }| {
        Json::Object(vec![("to", to.into()), ("at_ms", at_ms.into())])
    })
}

/// Names of a kind with their counts, the most frequent first; `None` for those that are counted together.
fn names_by_count(counts: &NameCounts, kind: NameKind) -> Vec<(Option<&str>, u64)> {
    let of_kind = counts.iter().filter(|(name, number)| name.kind == kind && *number > 0);
    let mut rows: Vec<_> = of_kind.map(|(name, number)| (name.text.as_deref(), number)).collect();
    rows.sort_by_key(|(name, number)| (std::cmp::Reverse(*number), *name));
    rows
}

fn header_note(view: &LogView) -> String {
    if view.header_finding().is_some() {
        return ", header DAMAGED, see `chronicle verify`".into();
    }
    match view.log().header() {
        HeaderState::Valid(header) if header.flags != 0 => format!(", flags {:04x}: read only", header.flags),
        HeaderState::Absent => ", without a header: read only".into(),
        HeaderState::Truncated => ", header CUT, see `chronicle verify`".into(),
        _ => String::new(),
    }
}

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
        WriterPresence::HasFileOpen(pid) => format!("process {pid} has the log open for writing, without the lock"),
        WriterPresence::NoneFound => "none seen".into(),
        WriterPresence::Unknown => "this platform cannot tell".into(),
    }
}
