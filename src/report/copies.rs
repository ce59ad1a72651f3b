//! Copies of a log as text and JSON: the ranges that a salvage or migration omits, and the differences of two copies.

use crate::inspect::{Comparison, DifferenceKind, LogDifference, LogView};
use crate::repair::{Certainty, CopySummary, OmittedRange};

use super::json::{self, Json};
use super::safe_path_text;
use super::units::{format_count, format_exact_size, format_number, format_size};

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
    let lost = match summary.damage_total {
        0 => String::new(),
        lost => format!("; {} left out", format_count(lost, "damaged range")),
    };
    format!(
        "{}{restored}, {}{lost}",
        format_count(summary.events_kept + summary.events_restored, "event"),
        format_size(summary.bytes)
    )
}

/// Returns the keys of `salvage --json` and `migrate --json` that describe the copy.
pub(crate) fn copy_summary_fields(summary: &CopySummary) -> Vec<(&'static str, Json)> {
    let in_flight = summary.in_flight.as_ref().map(|range| range_fields(range.start, range.end));
    vec![
        ("bytes", summary.bytes.into()),
        ("events_kept", summary.events_kept.into()),
        ("events_restored", summary.events_restored.into()),
        ("in_flight", in_flight.map_or(Json::Null, Json::Object)),
        ("left_out", Json::List(summary.omitted.iter().map(omitted_range_json).collect())),
        ("left_out_total", summary.omitted_total.into()),
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

/// Formats a difference as one line: range, kind, size, meaning.
pub(crate) fn difference_line(difference: &LogDifference) -> String {
    let LogDifference { start, end, kind, .. } = difference;
    let bytes = format_size(end - start);
    let meaning = match kind {
        DifferenceKind::Header => "the headers differ",
        DifferenceKind::Frame => "both have a valid frame (event or gap) here, with different bytes",
        DifferenceKind::OnlyInA => "valid frame (event or gap) only in A",
        DifferenceKind::OnlyInB => "valid frame (event or gap) only in B",
        DifferenceKind::Bytes => "damaged in both, with different bytes",
        DifferenceKind::Unreadable => "no valid frame in either, and a device fails to read",
        DifferenceKind::AIsLonger => "B ends here, A continues",
        DifferenceKind::BIsLonger => "A ends here, B continues",
    };
    format!("{:<22} {:<14} {bytes:>8}  {meaning}", format!("{start}..{end}"), kind.name())
}

/// Summarizes a comparison in one line.
pub(crate) fn comparison_line(comparison: &Comparison) -> String {
    if comparison.is_identical() {
        let bytes = comparison.a_bytes;
        return format!("identical, {}", format_exact_size(bytes));
    }
    let rows = comparison.counts.iter().zip(DifferenceKind::ALL).filter(|(number, _)| **number > 0);
    let named: Vec<String> = rows.map(|(number, kind)| format!("{} {}", format_number(*number), kind.name())).collect();
    let total = format_count(comparison.total(), "difference");
    format!("identical up to offset {}; {total}: {}", comparison.identical_to, named.join(", "))
}

/// Returns the object that `diff --json` prints.
pub(crate) fn comparison_json(a: &LogView, b: &LogView, comparison: &Comparison) -> Json {
    let differences = comparison.differences.iter().map(|difference| {
        let mut keys = vec![("how", difference.kind.name().into())];
        keys.extend(range_fields(difference.start, difference.end));
        Json::Object(keys)
    });
    let first = (!comparison.is_identical()).then_some(comparison.identical_to);
    let counts =
        comparison.counts.iter().zip(DifferenceKind::ALL).map(|(number, kind)| (kind.name(), (*number).into()));
    Json::Object(vec![
        ("a", safe_path_text(a.path()).into()),
        ("b", safe_path_text(b.path()).into()),
        ("a_bytes", comparison.a_bytes.into()),
        ("b_bytes", comparison.b_bytes.into()),
        ("identical", Json::Bool(comparison.is_identical())),
        ("identical_to", comparison.identical_to.into()),
        ("first_difference", first.into()),
        ("differences", Json::List(differences.collect())),
        ("differences_total", comparison.total().into()),
        ("counts", Json::Object(counts.collect())),
    ])
}
