//! Formats the plan of a retention, and the records of removed segments.

use super::json::Json;
use super::safe_path_text;
use super::units::{DisplayZone, format_count, format_minute, format_number, format_size, format_timestamp};
use crate::format::SegmentRemoval;
use crate::inspect::RemovedStart;
use crate::repair::{EmptiedAggregates, PlannedSegment, RetentionPlan};

use super::erasure::emptied_aggregates_text;

/// Maximum number of segments that a text lists.
const MAX_SEGMENTS_SHOWN: usize = 20;

/// Returns the sentence that a log starts after its first event, so that its history is not taken for a complete one.
pub(crate) fn removed_start_sentence(start: &RemovedStart) -> String {
    let removed = match start.events {
        Some(1) => "1 event before it was removed by retention".to_owned(),
        Some(events) => format!("{} before it were removed by retention", format_count(events, "event")),
        None => "the events before it were removed by retention, and their number is not known".to_owned(),
    };
    format!("the log starts at offset {}: {removed}", start.offset)
}

/// Returns the start of a log after a retention as an object.
pub(crate) fn removed_start_json(start: &RemovedStart) -> Json {
    Json::Object(vec![("offset", start.offset.into()), ("events_before", start.events.into())])
}

/// Formats the plan of a retention, with a table of its segments.
pub(crate) fn retention_lines(plan: &RetentionPlan) -> Vec<String> {
    let mut lines = Vec::new();
    if !plan.segments.is_empty() {
        lines.extend(segment_table(&plan.segments, DisplayZone::Utc, usize::MAX));
    }
    lines.extend(retention_summary(plan, DisplayZone::Utc));
    if !plan.segments.is_empty() {
        lines.push("undo with `chronicle undo LOG`, until `chronicle purge LOG`".to_owned());
    }
    lines
}

/// Formats what a retention removes and keeps, without the table of its segments.
pub(crate) fn retention_summary(plan: &RetentionPlan, zone: DisplayZone) -> Vec<String> {
    let path = safe_path_text(&plan.path);
    let mut lines = Vec::new();
    if plan.segments.is_empty() {
        lines.push(format!("{path}: no sealed segment is over the limit, nothing to remove"));
    } else {
        lines.push(format!(
            "retention in {path}: {}, {}, {}{}; the log then starts at {}",
            format_count(plan.segments.len() as u64, "segment"),
            format_count(plan.events(), "event"),
            format_size(plan.bytes()),
            times_text(plan.times_ms(), zone).map(|times| format!(", written {times}")).unwrap_or_default(),
            format_number(plan.new_start),
        ));
        lines.push(emptied_line(plan.emptied.as_ref()));
    }
    lines.push(format!("{}, {} stay", format_count(plan.kept_segments, "segment"), format_size(plan.kept_bytes)));
    if plan.active_over_limit > 0 {
        let events = format_count(plan.active_over_limit, "event");
        lines.push(format!("{events} over the limit stay in the last segment, to which events are appended"));
    }
    lines
}

/// Formats the segments as a table: offset, size, events, and the times of the first and the last event. Of the last columns,
/// those are left out that have no room in `width` columns.
pub(crate) fn segment_table(segments: &[PlannedSegment], zone: DisplayZone, width: usize) -> Vec<String> {
    let headings = ["segment", "bytes", "events", "first event", "last event"].map(str::to_owned);
    let shown = segments.get(..MAX_SEGMENTS_SHOWN).filter(|_| segments.len() > MAX_SEGMENTS_SHOWN + 1);
    let shown = shown.unwrap_or(segments);
    let rows = shown.iter().map(|segment| {
        let time = |time: Option<u64>| time.map_or_else(|| "-".to_owned(), |ms| format_timestamp(ms, zone));
        let (first, last) = segment.times_ms.unzip();
        let numbers = [segment.base, segment.bytes, segment.events].map(format_number);
        let [base, bytes, events] = numbers;
        [base, bytes, events, time(first), time(last)]
    });
    let rows: Vec<[String; 5]> = std::iter::once(headings).chain(rows).collect();
    let column_width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..5).map(|column| column_width(column).unwrap_or_default()).collect();
    let needed = |columns: usize| widths.iter().take(columns).map(|width| width + 2).sum::<usize>();
    let columns = (1..=5).rev().find(|columns| needed(*columns) <= width.saturating_add(2)).unwrap_or(1);
    let format_row = |row: &[String; 5]| {
        let cells = row.iter().zip(&widths).take(columns).enumerate().map(|(column, (cell, width))| match column {
            0..=2 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.iter().map(format_row).collect();
    let omitted = segments.len() - shown.len();
    lines.extend(
        (omitted > 0).then(|| format!("and {} (--json lists them)", format_count(omitted as u64, "more segment"))),
    );
    lines
}

fn times_text(times_ms: Option<(u64, u64)>, zone: DisplayZone) -> Option<String> {
    let time = |ms| format_timestamp(ms, zone);
    times_ms.map(|(first, last)| if first == last { time(first) } else { format!("{} to {}", time(first), time(last)) })
}

fn emptied_line(emptied: Option<&EmptiedAggregates>) -> String {
    match emptied {
        Some(emptied) => {
            emptied_aggregates_text(emptied).unwrap_or_else(|| "every aggregate keeps an event".to_owned())
        }
        None => {
            "aggregates that lose all their events: not known without indexes; `chronicle index update LOG` makes them"
                .to_owned()
        }
    }
}

/// Returns the plan of a retention as JSON.
pub(crate) fn retention_json(plan: &RetentionPlan) -> Json {
    let segment = |segment: &PlannedSegment| {
        let (first, last) = segment.times_ms.unzip();
        Json::Object(vec![
            ("base", segment.base.into()),
            ("bytes", segment.bytes.into()),
            ("events", segment.events.into()),
            ("first_ms", first.into()),
            ("last_ms", last.into()),
            ("sealed_at_ms", segment.sealed_at_ms.into()),
        ])
    };
    let emptied = plan.emptied.as_ref().map(|emptied| {
        let ids = emptied.ids.iter().map(|id| Json::Number(*id)).collect();
        Json::Object(vec![("count", emptied.count.into()), ("ids", Json::List(ids))])
    });
    Json::Object(vec![
        ("path", safe_path_text(&plan.path).into()),
        ("log_id", plan.log_id.to_string().into()),
        ("old_start", plan.old_start.into()),
        ("new_start", plan.new_start.into()),
        ("segments", Json::List(plan.segments.iter().map(segment).collect())),
        ("events", plan.events().into()),
        ("bytes", plan.bytes().into()),
        ("emptied", emptied.into()),
        ("kept_segments", plan.kept_segments.into()),
        ("kept_bytes", plan.kept_bytes.into()),
        ("active_over_limit", plan.active_over_limit.into()),
    ])
}

/// Formats the record of removed segments as one line: the new start, the time, the state, and what was removed.
pub(crate) fn removal_line(removal: &SegmentRemoval) -> String {
    let begun = format_minute(removal.removed_at_ms, DisplayZone::Utc);
    let state = if removal.purged_at_ms.is_some() { "deleted for good" } else { "removed" };
    format!("   -  {begun}  {state}; {}", removal_summary(removal))
}

/// Summarizes what a removal took away, and where the log starts after it.
pub(crate) fn removal_summary(removal: &SegmentRemoval) -> String {
    format!(
        "{}, {}, {}: the log starts at {} instead of {}",
        format_count(removal.segments.len() as u64, "segment"),
        format_count(removal.events(), "event"),
        format_size(removal.bytes()),
        format_number(removal.new_start),
        format_number(removal.old_start),
    )
}

/// Returns the record of removed segments as JSON.
pub(crate) fn removal_json(removal: &SegmentRemoval) -> Json {
    Json::Object(vec![
        ("action", "retain".into()),
        ("removed_at_ms", removal.removed_at_ms.into()),
        ("reason", super::sanitize(&removal.reason).into_owned().into()),
        ("old_start", removal.old_start.into()),
        ("new_start", removal.new_start.into()),
        ("segments", (removal.segments.len() as u64).into()),
        ("events", removal.events().into()),
        ("bytes", removal.bytes().into()),
        ("purged_at_ms", removal.purged_at_ms.into()),
    ])
}
