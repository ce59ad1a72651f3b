//! `info`: what is known of a log without reading it through: header, size, index and its counts, who writes, how often it was repaired.

use super::args::{LogArgs, Side};
use super::fail::{Failure, Run};
use super::open::{log_to_read, why};
use super::out::Out;
use crate::file::{HeaderState, Seen, who_writes};
use crate::index::{Counts, NameKind, Verified};
use crate::inspect::LogView;
use crate::repair::records;
use crate::report::json::{self, Json};
use crate::report::units::{Zone, exact, moment, size};
use crate::report::{Status, index_line, index_meaning, index_reason, path_text};

/// Names shown of each kind; the JSON has all.
const SHOWN: usize = 10;
const KINDS: [(NameKind, &str); 3] =
    [(NameKind::Type, "types"), (NameKind::Namespace, "namespaces"), (NameKind::Schema, "schemas")];

pub(super) fn info(args: &LogArgs, side: &Side, out: &mut Out) -> Run {
    let log = log_to_read(&args.log, side)?;
    let mut view = log.view().clone();
    let counts = match view.witness().map(|index| index.counts()) {
        Some(Ok(counts)) => Some(counts),
        Some(Err(fault)) => {
            view.index_is_corrupt(why(fault));
            None
        }
        None => None,
    };
    let bytes = view.log().len()?;
    let writer = view.log().storage().identity().map_or(Seen::Unknown, who_writes);
    // Journals that cannot be read keep nobody from what the log itself says.
    let repairs = log.options().site(&log.path()).and_then(|site| records(&site)).ok();
    let repairs = repairs.map(|(records, _)| records.len() as u64);
    let known = Known { view: &view, bytes, writer, repairs, counts: counts.as_ref() };
    if out.is_json() { out.value(&known.as_json()) } else { known.say(out) }?;
    Ok(Status::Done)
}

/// What is known of a log.
struct Known<'a> {
    view: &'a LogView,
    bytes: u64,
    writer: Seen,
    /// `None` where the journals cannot be read.
    repairs: Option<u64>,
    counts: Option<&'a Counts>,
}

impl Known<'_> {
    fn say(&self, out: &mut Out) -> Result<(), Failure> {
        let Self { view, bytes, writer, repairs, counts } = *self;
        out.path_line(view.path(), "")?;
        out.line(&format!("  version     {}{}", view.log().version().number(), header_words(view)))?;
        if let Some(ms) = view.created_at_ms() {
            out.line(&format!("  created     {}, {} here", moment(ms, Zone::Utc), moment(ms, Zone::Local)))?;
        }
        out.line(&format!("  size        {} ({} bytes)", size(bytes), exact(bytes)))?;
        let head = view.witness().map(|index| index.head());
        if let Some(head) = head {
            let so_far = if head.scanned_to == bytes { "" } else { " that the index has seen" };
            out.line(&format!("  events      {}{so_far}", exact(head.events)))?;
            if head.gaps > 0 {
                out.line(&format!("  gaps        {}", exact(head.gaps)))?;
            }
        }
        if let Some(Verified { to, at_ms }) = view.witness().and_then(|index| index.verified()) {
            out.line(&format!("  verified    to offset {to}, on {}", moment(at_ms, Zone::Utc)))?;
        }
        out.line(&format!("  writer      {}", writer_words(writer)))?;
        if let Some(number @ 1..) = repairs {
            out.line(&format!("  repairs     {}, see `chronicle undo --list`", exact(number)))?;
        }
        out.line(&format!("  index       {}: {}", index_line(view.state(), None), index_meaning(view.state())))?;
        if let Some(reason) = index_reason(view.state()) {
            out.line(&format!("              {reason}"))?;
        }
        for (kind, title) in KINDS {
            let Some(rows) = counts.map(|counts| ranked(counts, kind)).filter(|rows| !rows.is_empty()) else {
                continue;
            };
            for (i, (name, number)) in rows.iter().take(SHOWN).enumerate() {
                let title = if i == 0 { title } else { "" };
                out.line(&format!("  {title:<11} {:>13}  {}", exact(*number), name.unwrap_or("(others)")))?;
            }
            if rows.len() > SHOWN {
                out.line(&format!("  {:<11} {:>13}  (and {} more)", "", "", rows.len() - SHOWN))?;
            }
        }
        Ok(())
    }

    fn as_json(&self) -> Json {
        let Self { view, bytes, writer, repairs, counts } = *self;
        let (header, flags) = match view.log().header() {
            HeaderState::Good(header) => ("good", Some(u64::from(header.flags))),
            HeaderState::None => ("none", None),
            HeaderState::Damaged(..) => ("damaged", None),
            HeaderState::Cut => ("cut", None),
        };
        let header = if view.header_finding().is_some() { "damaged" } else { header };
        let counts = counts.map(|counts| {
            let rows = |kind| {
                let row = |(name, events): (Option<&str>, u64)| {
                    Json::Object(vec![("name", name.into()), ("events", events.into())])
                };
                Json::List(ranked(counts, kind).into_iter().map(row).collect())
            };
            Json::Object(KINDS.iter().map(|(kind, title)| (*title, rows(*kind))).collect())
        });
        Json::Object(vec![
            ("path", path_text(view.path()).into()),
            ("bytes", bytes.into()),
            ("version", u64::from(view.log().version().number()).into()),
            ("created_at_ms", view.created_at_ms().into()),
            ("header", header.into()),
            ("flags", flags.into()),
            (
                "writer",
                Json::Object(vec![("seen", seen_word(writer).into()), ("pid", writer.pid().map(u64::from).into())]),
            ),
            ("repairs", repairs.into()),
            ("index", json::index(view)),
            ("verified", verified(view)),
            ("counts", counts.unwrap_or(Json::Null)),
        ])
    }
}

fn verified(view: &LogView) -> Json {
    let verified = view.witness().and_then(|index| index.verified());
    verified.map_or(Json::Null, |Verified { to, at_ms }| Json::Object(vec![("to", to.into()), ("at_ms", at_ms.into())]))
}

/// Names of a kind with their counts, the most frequent first; `None` for those that are counted together.
fn ranked(counts: &Counts, kind: NameKind) -> Vec<(Option<&str>, u64)> {
    let of_kind = counts.iter().filter(|(name, number)| name.kind == kind && *number > 0);
    let mut rows: Vec<_> = of_kind.map(|(name, number)| (name.text.as_deref(), number)).collect();
    rows.sort_by_key(|(name, number)| (std::cmp::Reverse(*number), *name));
    rows
}

fn header_words(view: &LogView) -> String {
    if view.header_finding().is_some() {
        return ", header DAMAGED, see `chronicle verify`".into();
    }
    match view.log().header() {
        HeaderState::Good(header) if header.flags != 0 => format!(", flags {:04x}: read only", header.flags),
        HeaderState::None => ", without a header: read only".into(),
        HeaderState::Cut => ", header CUT, see `chronicle verify`".into(),
        _ => String::new(),
    }
}

const fn seen_word(writer: Seen) -> &'static str {
    match writer {
        Seen::Lock(_) => "lock",
        Seen::Open(_) => "open",
        Seen::Nobody => "nobody",
        Seen::Unknown => "unknown",
    }
}

fn writer_words(writer: Seen) -> String {
    match writer {
        Seen::Lock(pid) => format!("process {pid} holds the writer's lock"),
        Seen::Open(pid) => format!("process {pid} has the log open for writing, without the lock"),
        Seen::Nobody => "none seen".into(),
        Seen::Unknown => "this platform cannot tell".into(),
    }
}
