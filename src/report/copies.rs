//! Salvaged and migrated copies of a log as text and JSON: what was copied, and the ranges that were omitted.

use crate::repair::{Certainty, CopySummary, OmittedRange};

use super::json::{self, Json};
use super::units::{format_count, format_number, format_size};

/// Reports that a range was left out of a copy, which fix exists for it, and why the donor was not used.
pub(crate) fn omitted_range_line(omitted: &OmittedRange) -> String {
    let fix = match omitted.best_certainty {
        Some(Certainty::Likely) => "; a likely fix exists: --accept likely applies it",
        Some(Certainty::Choice) => "; candidates exist: `chronicle repair LOG --dry-run` lists them",
        _ => "",
    };
    let donor = omitted.donor_refusal.map(|reason| format!("; donor not used: {reason}")).unwrap_or_default();
    format!("left out{fix}{donor}")
}

/// Summarizes a copy in one line: events, restored events, size, number of omitted ranges.
pub(crate) fn copy_summary_line(summary: &CopySummary) -> String {
    let restored = match summary.events_restored {
        0 => String::new(),
        restored => format!(", {} of them restored", format_number(restored)),
    };
    let dropped = match summary.events_dropped {
        0 => String::new(),
        dropped => format!(", {} dropped", format_number(dropped)),
    };
    let lost = match summary.damage_total {
        0 => String::new(),
        lost => format!("; {} left out", format_count(lost, "damaged range")),
    };
    if summary.bytes == 0 {
        // A count has no size.
        return format!("{}{dropped}{lost}", format_count(summary.events_kept, "event"));
    }
    let segments = summary.segments.map(|segments| format!(" in {}", format_count(segments, "segment")));
    format!(
        "{}{restored}{dropped}, {}{}{lost}",
        format_count(summary.events_kept + summary.events_restored, "event"),
        format_size(summary.bytes),
        segments.unwrap_or_default()
    )
}

/// Returns the keys of `salvage --json`, `migrate --json` and `compact --json` that describe the copy.
pub(crate) fn copy_summary_fields(summary: &CopySummary) -> Vec<(&'static str, Json)> {
    let in_flight = summary.in_flight.as_ref().map(|range| range_fields(range.start, range.end));
    vec![
        ("bytes", summary.bytes.into()),
        ("segments", summary.segments.into()),
        ("events_kept", summary.events_kept.into()),
        ("events_dropped", summary.events_dropped.into()),
        ("events_restored", summary.events_restored.into()),
        ("in_flight", in_flight.map_or(Json::Null, Json::Object)),
        ("left_out", Json::List(summary.omitted.iter().map(omitted_range_json).collect())),
        ("left_out_total", summary.omitted_total.into()),
        ("notes", Json::List(summary.notes.iter().map(|note| note.as_str().into()).collect())),
    ]
}

fn omitted_range_json(omitted: &OmittedRange) -> Json {
    Json::Object(vec![
        ("finding", json::finding(&omitted.finding, None, None)),
        ("offered", omitted.best_certainty.map(Certainty::name).into()),
        ("donor", omitted.donor_refusal.into()),
    ])
}

fn range_fields(start: u64, end: u64) -> Vec<(&'static str, Json)> {
    vec![("start", start.into()), ("end", end.into())]
}
