//! Copies of a log, said once: what a salvage left out, and how two copies differ.

use crate::inspect::{Comparison, Difference, Differs, LogView};
use crate::repair::{Certainty, LeftOut, Salvaged};

use super::json::{self, Json};
use super::path_text;
use super::units::{count, exact, size};

/// What was not taken into a copy, behind its finding: what could be taken, and why the donor did not help.
pub fn left_out_line(left: &LeftOut) -> String {
    let offered = match left.offered {
        Some(Certainty::Likely) => "; a likely fix is there, --accept likely takes it",
        Some(Certainty::Choice) => "; there are candidates to choose from, see `chronicle repair`",
        _ => "",
    };
    let donor = left.donor.map(|why| format!("; not taken from the donor: {why}")).unwrap_or_default();
    format!("left out{offered}{donor}")
}

/// What a copy holds, in one line.
pub fn salvaged_line(done: &Salvaged) -> String {
    let restored = match done.events_restored {
        0 => String::new(),
        restored => format!(", {} of them restored", exact(restored)),
    };
    let lost = match done.lost_total {
        0 => String::new(),
        lost => format!("; {} left out", count(lost, "damaged range")),
    };
    format!("{}{restored}, {}{lost}", count(done.events_kept + done.events_restored, "event"), size(done.bytes))
}

/// The keys of what a copy holds.
pub fn salvaged(done: &Salvaged) -> Vec<(&'static str, Json)> {
    let in_flight = done.in_flight.as_ref().map(|range| place(range.start, range.end));
    vec![
        ("bytes", done.bytes.into()),
        ("events_kept", done.events_kept.into()),
        ("events_restored", done.events_restored.into()),
        ("in_flight", in_flight.map_or(Json::Null, Json::Object)),
        ("left_out", Json::List(done.left_out.iter().map(left_out).collect())),
        ("left_out_total", done.left_out_total.into()),
    ]
}

fn left_out(left: &LeftOut) -> Json {
    Json::Object(vec![
        ("finding", json::finding(&left.finding, None, None)),
        ("offered", left.offered.map(Certainty::name).into()),
        ("donor", left.donor.into()),
    ])
}

fn place(start: u64, end: u64) -> Vec<(&'static str, Json)> {
    vec![("start", start.into()), ("end", end.into())]
}

/// A difference in one line: where, and which.
pub fn difference_line(found: &Difference) -> String {
    let bytes = size(found.end - found.start);
    let said = match found.how {
        Differs::Header => "the headers differ",
        Differs::Frame => "both have a valid frame here (an event or a gap), and not the same one",
        Differs::OnlyInA => "a valid frame (an event or a gap) in A only",
        Differs::OnlyInB => "a valid frame (an event or a gap) in B only",
        Differs::Bytes => "damaged in both, not in the same way",
        Differs::Unreadable => "no frame in either, and a device refuses to read",
        Differs::OnlyAGoesOn => "A goes on, B ends here",
        Differs::OnlyBGoesOn => "B goes on, A ends here",
    };
    format!("{:<22} {:<14} {bytes:>8}  {said}", format!("{}..{}", found.start, found.end), found.how.name())
}

/// What a comparison comes to, in one line.
pub fn comparison_line(found: &Comparison) -> String {
    if found.is_identical() {
        return format!("identical, {} ({} bytes)", size(found.bytes.0), exact(found.bytes.0));
    }
    let rows = found.counts.iter().zip(Differs::ALL).filter(|(number, _)| **number > 0);
    let named: Vec<String> = rows.map(|(number, row)| format!("{} {}", exact(*number), row.1)).collect();
    let total = count(found.total(), "difference");
    format!("identical up to offset {}; {total}: {}", found.identical_to, named.join(", "))
}

/// The one object of `diff --json`.
pub fn comparison(a: &LogView, b: &LogView, found: &Comparison) -> Json {
    let differences = found.differences.iter().map(|found| {
        let mut keys = vec![("how", found.how.name().into())];
        keys.extend(place(found.start, found.end));
        Json::Object(keys)
    });
    let first = (!found.is_identical()).then_some(found.identical_to);
    let counts = found.counts.iter().zip(Differs::ALL).map(|(number, row)| (row.1, (*number).into()));
    Json::Object(vec![
        ("a", path_text(a.path()).into()),
        ("b", path_text(b.path()).into()),
        ("a_bytes", found.bytes.0.into()),
        ("b_bytes", found.bytes.1.into()),
        ("identical", Json::Bool(found.is_identical())),
        ("identical_to", found.identical_to.into()),
        ("first_difference", first.into()),
        ("differences", Json::List(differences.collect())),
        ("differences_total", found.total().into()),
        ("counts", Json::Object(counts.collect())),
    ])
}
