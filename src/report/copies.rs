//! Copies of a log, said once: what a salvage left out, and how two copies differ.

use crate::inspect::{Comparison, DifferenceKind, LogDifference, LogView};
use crate::repair::{Certainty, CopySummary, OmittedRange};

use super::json::{self, Json};
use super::safe_path_text;
use super::units::{format_count, format_number, format_size};

/// What was not taken into a copy, behind its finding: what could be taken, and why the donor did not help.
pub fn left_out_line(left: &OmittedRange) -> String {
    let offered = match left.best_certainty {
        Some(Certainty::Likely) => "; a likely fix is there, --accept likely takes it",
        Some(Certainty::Choice) => "; there are candidates to choose from, see `chronicle repair`",
        _ => "",
    };
    let donor = left.donor_refusal.map(|why| format!("; not taken from the donor: {why}")).unwrap_or_default();
    format!("left out{offered}{donor}")
}

/// What a copy holds, in one line.
pub fn salvaged_line(summary: &CopySummary) -> String {
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

/// The keys of what a copy holds.
pub fn salvage_fields(summary: &CopySummary) -> Vec<(&'static str, Json)> {
    let in_flight = summary.in_flight.as_ref().map(|range| range_fields(range.start, range.end));
    vec![
        ("bytes", summary.bytes.into()),
        ("events_kept", summary.events_kept.into()),
        ("events_restored", summary.events_restored.into()),
        ("in_flight", in_flight.map_or(Json::Null, Json::Object)),
        ("left_out", Json::List(summary.omitted.iter().map(left_out_json).collect())),
        ("left_out_total", summary.omitted_total.into()),
    ]
}

fn left_out_json(left: &OmittedRange) -> Json {
    Json::Object(vec![
        ("finding", json::finding(&left.finding, None, None)),
        ("offered", left.best_certainty.map(Certainty::name).into()),
        ("donor", left.donor_refusal.into()),
    ])
}

fn range_fields(start: u64, end: u64) -> Vec<(&'static str, Json)> {
    vec![("start", start.into()), ("end", end.into())]
}

/// A difference in one line: where, and which.
pub fn difference_line(found: &LogDifference) -> String {
    let bytes = format_size(found.end - found.start);
    let said = match found.kind {
        DifferenceKind::Header => "the headers differ",
        DifferenceKind::Frame => "both have a valid frame here (an event or a gap), and not the same one",
        DifferenceKind::OnlyInA => "a valid frame (an event or a gap) in A only",
        DifferenceKind::OnlyInB => "a valid frame (an event or a gap) in B only",
        DifferenceKind::Bytes => "damaged in both, not in the same way",
        DifferenceKind::Unreadable => "no frame in either, and a device refuses to read",
        DifferenceKind::AIsLonger => "A goes on, B ends here",
        DifferenceKind::BIsLonger => "B goes on, A ends here",
    };
    format!("{:<22} {:<14} {bytes:>8}  {said}", format!("{}..{}", found.start, found.end), found.kind.name())
}

/// What a comparison comes to, in one line.
pub fn comparison_line(found: &Comparison) -> String {
    if found.is_identical() {
        return format!("identical, {} ({} bytes)", format_size(found.sizes.0), format_number(found.sizes.0));
    }
    let rows = found.counts.iter().zip(DifferenceKind::ALL).filter(|(number, _)| **number > 0);
    let named: Vec<String> = rows.map(|(number, row)| format!("{} {}", format_number(*number), row.1)).collect();
    let total = format_count(found.total(), "difference");
    format!("identical up to offset {}; {total}: {}", found.identical_to, named.join(", "))
}

/// The one object of `diff --json`.
pub fn comparison_json(a: &LogView, b: &LogView, found: &Comparison) -> Json {
    let differences = found.differences.iter().map(|found| {
        let mut keys = vec![("how", found.kind.name().into())];
        keys.extend(range_fields(found.start, found.end));
        Json::Object(keys)
    });
    let first = (!found.is_identical()).then_some(found.identical_to);
    let counts = found.counts.iter().zip(DifferenceKind::ALL).map(|(number, row)| (row.1, (*number).into()));
    Json::Object(vec![
        ("a", safe_path_text(a.path()).into()),
        ("b", safe_path_text(b.path()).into()),
        ("a_bytes", found.sizes.0.into()),
        ("b_bytes", found.sizes.1.into()),
        ("identical", Json::Bool(found.is_identical())),
        ("identical_to", found.identical_to.into()),
        ("first_difference", first.into()),
        ("differences", Json::List(differences.collect())),
        ("differences_total", found.total().into()),
        ("counts", Json::Object(counts.collect())),
    ])
}
