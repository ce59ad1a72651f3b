//! The differences of two copies of a log as text and JSON.

use std::fmt::Write as _;
use std::ops::Range;

use super::json::Json;
use super::units::{
    DisplayZone, format_count, format_exact_size, format_number, format_size, format_timestamp, push_timestamp,
};
use super::{safe_path_text, sanitize, sanitize_json};
use crate::inspect::{
    Comparison, CopyContent, DifferenceKind, EventLabel, LogDifference, LogStart, LogView, RestOfLog, UnrelatedLogs,
};

/// Names an event: type, time, aggregate.
pub(crate) fn event_label_text(label: &EventLabel, zone: DisplayZone) -> String {
    let mut text = String::new();
    push_event_label(&mut text, label, zone);
    text
}

fn push_event_label(out: &mut String, label: &EventLabel, zone: DisplayZone) {
    out.extend([&*sanitize(&label.event_type), " "]);
    push_timestamp(out, label.time_ms, zone);
    if let Some(id) = label.aggregate_id {
        let _ = write!(out, " aggregate {id}");
    }
}

/// Names what a copy has in the range of a difference.
pub(crate) fn copy_content_text(content: &CopyContent, zone: DisplayZone) -> String {
    let mut text = String::new();
    push_copy_content(&mut text, content, zone);
    text
}

fn push_copy_content(out: &mut String, content: &CopyContent, zone: DisplayZone) {
    match content {
        CopyContent::Header { created_at_ms: Some(ms) } => {
            out.push_str("created ");
            push_timestamp(out, *ms, zone);
        }
        CopyContent::Header { created_at_ms: None } => out.push_str("damaged header"),
        CopyContent::Event(label) => push_event_label(out, label, zone),
        CopyContent::UnreadFrame => out.push_str("valid frame"),
        CopyContent::Gap => out.push_str("gap"),
        CopyContent::InvalidEvent => out.push_str("frame that is not an event"),
        CopyContent::Damage => out.push_str("damaged"),
        CopyContent::Unreadable => out.push_str("unreadable"),
        CopyContent::Rest(rest) => out.push_str(&rest_text(rest, zone)),
        CopyContent::End => out.push_str("ends here"),
    }
}

fn rest_text(rest: &RestOfLog, zone: DisplayZone) -> String {
    let mut text = format_count(rest.events, "event");
    match (&rest.first, &rest.last) {
        (Some(first), Some(last)) => {
            text.extend([", ", &event_label_text(first, zone), " to ", &event_label_text(last, zone)]);
        }
        (Some(only), None) => text.extend([", ", &event_label_text(only, zone)]),
        (None, _) => {}
    }
    if rest.other_ranges > 0 {
        text.extend([", ", &format_count(rest.other_ranges, "range"), " without an event"]);
    }
    text
}

/// Formats a difference as one line: range, kind, size, what both copies have there.
pub(crate) fn difference_line(difference: &LogDifference) -> String {
    let LogDifference { start, end, kind, a, b, .. } = difference;
    let mut line = range_columns(&(*start..*end), kind.name());
    if a == b {
        line.push_str("both: ");
        push_copy_content(&mut line, a, DisplayZone::Utc);
        line.push_str(", with other bytes");
    } else {
        for (name, content) in [("A: ", a), ("; B: ", b)] {
            line.push_str(name);
            push_copy_content(&mut line, content, DisplayZone::Utc);
        }
    }
    line
}

/// Formats differences that are counted and not listed as one line: their range, its size, their number.
pub(crate) fn unlisted_line(range: &Range<u64>, number: u64) -> String {
    let differences = format_count(number, "more difference");
    format!("{}{differences}; --ndjson lists all", range_columns(range, "not_listed"))
}

/// Formats a range, a word about it, and its size, in columns.
fn range_columns(range: &Range<u64>, word: &str) -> String {
    let mut line = String::with_capacity(192);
    let _ = write!(line, "{}..{}", range.start, range.end);
    let size = format_size(range.end - range.start);
    let padding = 22usize.saturating_sub(line.len());
    line.extend(std::iter::repeat_n(' ', padding + 1));
    let _ = write!(line, "{word:<14} {size:>8}  ");
    line
}

/// Names the creation times and the first events of two logs that are not copies of one log. `names` are the names of both
/// in the sentence.
pub(crate) fn unrelated_facts(unrelated: &UnrelatedLogs, names: (&str, &str), zone: DisplayZone) -> String {
    let start = |name: &str, start: &LogStart| {
        let created = start.created_at_ms.map(|ms| format!("was created {}", format_timestamp(ms, zone)));
        let first = start.first_event.as_ref().map(|label| format!("starts with {}", event_label_text(label, zone)));
        let facts: Vec<String> = created.into_iter().chain(first).collect();
        format!("{name} {}", facts.join(" and "))
    };
    format!("{}; {}; no event is the same", start(names.0, &unrelated.a), start(names.1, &unrelated.b))
}

/// Summarizes a comparison in one line.
pub(crate) fn comparison_line(comparison: &Comparison) -> String {
    if let Some(unrelated) = &comparison.unrelated {
        let facts = unrelated_facts(unrelated, ("A", "B"), DisplayZone::Utc);
        return format!("these are not copies of one log: {facts}");
    }
    if comparison.is_identical() {
        let bytes = comparison.a_bytes;
        return format!("identical, {}", format_exact_size(bytes));
    }
    let rows = comparison.counts.iter().zip(DifferenceKind::ALL).filter(|(number, _)| **number > 0);
    let named: Vec<String> = rows.map(|(number, kind)| format!("{} {}", format_number(*number), kind.name())).collect();
    let total = format_count(comparison.total(), "difference");
    let diverged = comparison.diverged_at.map(|at| format!("; from offset {at} on, no event is the same in both"));
    format!(
        "identical up to offset {}; {total}: {}{}",
        comparison.identical_to,
        named.join(", "),
        diverged.unwrap_or_default()
    )
}

/// Appends a difference as an object: a line of `diff --ndjson` without the line break. Hostile characters are JSON escapes.
///
/// A comparison can have millions of differences, so that the text is composed without values in between.
pub(crate) fn push_difference_json(out: &mut String, difference: &LogDifference) {
    let LogDifference { kind, start, end, a, b, .. } = difference;
    out.push_str("{\"how\":\"");
    out.push_str(kind.name());
    out.push_str("\",\"start\":");
    push_number(out, *start);
    out.push_str(",\"end\":");
    push_number(out, *end);
    out.push_str(",\"a\":");
    push_content_json(out, a);
    out.push_str(",\"b\":");
    push_content_json(out, b);
    out.push('}');
}

fn push_content_json(out: &mut String, content: &CopyContent) {
    out.push_str("{\"content\":\"");
    out.push_str(content.name());
    out.push('"');
    match content {
        CopyContent::Header { created_at_ms } => {
            out.push_str(",\"created_at_ms\":");
            push_optional_number(out, *created_at_ms);
        }
        CopyContent::Event(label) => {
            out.push(',');
            push_label_keys(out, label);
        }
        CopyContent::Rest(rest) => {
            out.push_str(",\"events\":");
            push_number(out, rest.events);
            out.push_str(",\"other_ranges\":");
            push_number(out, rest.other_ranges);
            for (key, label) in [(",\"first\":", &rest.first), (",\"last\":", &rest.last)] {
                out.push_str(key);
                match label {
                    Some(label) => push_label_json(out, label),
                    None => out.push_str("null"),
                }
            }
        }
        CopyContent::Gap
        | CopyContent::InvalidEvent
        | CopyContent::UnreadFrame
        | CopyContent::Damage
        | CopyContent::Unreadable
        | CopyContent::End => {}
    }
    out.push('}');
}

fn push_label_json(out: &mut String, label: &EventLabel) {
    out.push('{');
    push_label_keys(out, label);
    out.push('}');
}

fn push_label_keys(out: &mut String, label: &EventLabel) {
    let EventLabel { time_ms, event_type, aggregate_id } = label;
    out.push_str("\"event_type\":");
    push_json_text(out, event_type);
    out.push_str(",\"write_timestamp_ms\":");
    push_number(out, *time_ms);
    out.push_str(",\"aggregate_id\":");
    push_optional_number(out, *aggregate_id);
}

fn push_json_text(out: &mut String, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&sanitize_json(&Json::from(text).to_string()));
    }
}

fn push_optional_number(out: &mut String, number: Option<u64>) {
    match number {
        Some(number) => push_number(out, number),
        None => out.push_str("null"),
    }
}

fn push_number(out: &mut String, mut number: u64) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        start -= 1;
        if number == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(digits.get(start..).unwrap_or_default()).unwrap_or_default());
}

/// Returns what a function appends, as a part of another object.
fn nested_json(push: impl FnOnce(&mut String)) -> Json {
    let mut text = String::new();
    push(&mut text);
    Json::Stored(text)
}

/// Returns the object about logs that are not copies of one log.
pub(crate) fn unrelated_json(unrelated: &UnrelatedLogs) -> Json {
    let start = |start: &LogStart| {
        Json::Object(vec![
            ("created_at_ms", start.created_at_ms.into()),
            (
                "first_event",
                start.first_event.as_ref().map_or(Json::Null, |label| nested_json(|out| push_label_json(out, label))),
            ),
        ])
    };
    Json::Object(vec![("a", start(&unrelated.a)), ("b", start(&unrelated.b))])
}

/// Returns the object that `diff --json` prints.
pub(crate) fn comparison_json(a: &LogView, b: &LogView, comparison: &Comparison) -> Json {
    let first = (!comparison.is_identical()).then_some(comparison.identical_to);
    let counts =
        comparison.counts.iter().zip(DifferenceKind::ALL).map(|(number, kind)| (kind.name(), (*number).into()));
    let differences =
        comparison.differences.iter().map(|difference| nested_json(|out| push_difference_json(out, difference)));
    Json::Object(vec![
        ("a", safe_path_text(a.path()).into()),
        ("b", safe_path_text(b.path()).into()),
        ("a_bytes", comparison.a_bytes.into()),
        ("b_bytes", comparison.b_bytes.into()),
        ("identical", Json::Bool(comparison.is_identical())),
        ("identical_to", comparison.identical_to.into()),
        ("first_difference", first.into()),
        ("unrelated", comparison.unrelated.as_ref().map_or(Json::Null, unrelated_json)),
        ("diverged_at", comparison.diverged_at.into()),
        ("differences", Json::List(differences.collect())),
        ("differences_total", comparison.total().into()),
        ("counts", Json::Object(counts.collect())),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(event_type: &str, aggregate_id: Option<u64>) -> EventLabel {
        EventLabel { time_ms: u64::MAX, event_type: event_type.into(), aggregate_id }
    }

    #[test]
    fn a_difference_is_one_object_with_its_keys_in_order() {
        let rest = RestOfLog { events: 2, other_ranges: 0, first: Some(label("A", None)), last: None };
        let difference = LogDifference {
            kind: DifferenceKind::OnlyInA,
            start: 0,
            end: 1_000_000,
            a: CopyContent::Event(label("Updated", Some(10))),
            b: CopyContent::Rest(rest),
        };
        let mut text = String::new();
        push_difference_json(&mut text, &difference);
        assert_eq!(
            text,
            "{\"how\":\"only_in_a\",\"start\":0,\"end\":1000000,\"a\":{\"content\":\"event\",\"event_type\":\"Updated\",\
             \"write_timestamp_ms\":18446744073709551615,\"aggregate_id\":10},\"b\":{\"content\":\"rest\",\"events\":2,\
             \"other_ranges\":0,\"first\":{\"event_type\":\"A\",\"write_timestamp_ms\":18446744073709551615,\
             \"aggregate_id\":null},\"last\":null}}"
        );
    }

    #[test]
    fn a_hostile_type_keeps_its_value_and_reaches_no_terminal() {
        for name in ["a\"b\\c", "\u{1b}[2J", "\u{202e}evil", "Größe", ""] {
            let mut text = String::new();
            push_label_json(&mut text, &label(name, None));
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["event_type"], name);
        }
    }
}
