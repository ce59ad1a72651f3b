//! Statistics as text and JSON.

use unicode_width::UnicodeWidthStr;

use super::json::Json;
use super::units::{
    DisplayZone, format_count, format_date, format_minute, format_number, format_size, format_timestamp,
};
use super::{sanitize, spark_line};
use crate::query::{EventTally, GroupBy, GroupKey, Statistics, StatisticsGroup, TimeHistogram};

/// The largest width of a cell, in terminal columns.
const MAX_KEY_COLUMNS: usize = 48;

/// Returns a group's value as text.
///
/// A string of a payload that reads like another kind of value, such as a number, is in quotes.
pub(crate) fn group_label(by: &GroupBy, key: &GroupKey) -> String {
    match key {
        GroupKey::Text(text) if text.is_empty() => "\"\"".into(),
        GroupKey::Text(text) if matches!(by, GroupBy::Payload(_)) && reads_like_json(text) => format!("\"{text}\""),
        GroupKey::Text(text) | GroupKey::Json(text) => text.to_string(),
        GroupKey::Number(number) => number.to_string(),
        GroupKey::Time(start) if *by == GroupBy::Day => format_date(*start, DisplayZone::Utc),
        GroupKey::Time(start) => format_minute(*start, DisplayZone::Utc),
        GroupKey::Missing => "(none)".into(),
        GroupKey::Others => "(other values)".into(),
    }
}

fn reads_like_json(text: &str) -> bool {
    matches!(text, "true" | "false" | "null") || text.starts_with(|c: char| c.is_ascii_digit() || "-{[".contains(c))
}

/// Returns the share of `events` in the total: `41.2 %`.
pub(crate) fn share_text(events: u64, total: u64) -> String {
    if total == 0 {
        return "-".into();
    }
    format!("{:.1} %", events as f64 * 100.0 / total as f64)
}

/// Returns the distribution of the events over time as a line of bars, over the whole time of the statistics.
pub(crate) fn group_spark_line(statistics: &Statistics, group: &StatisticsGroup) -> String {
    let all = &statistics.histogram;
    let Some(own) = &group.histogram else { return String::new() };
    spark_line(counts_on_axis(own, all))
}

/// Returns the counts of a histogram at the intervals of another one of the same width.
fn counts_on_axis(own: &TimeHistogram, axis: &TimeHistogram) -> Vec<u64> {
    let mut counts = vec![0; axis.len()];
    for (number, count) in (0..).zip(own.counts()) {
        let start = own.start_ms().saturating_add(own.width_ms().saturating_mul(number));
        if let Some(total) = axis.position_of(start).and_then(|position| counts.get_mut(position)) {
            *total += count;
        }
    }
    counts
}

/// Returns the table of statistics as lines: a heading, the groups, the groups that are not listed, and the total.
pub(crate) fn statistics_lines(statistics: &Statistics) -> Vec<String> {
    let mut rows = vec![heading(statistics)];
    let total = &statistics.total;
    for group in &statistics.groups {
        let mut row = tally_cells(statistics, group_label(&statistics.by, &group.key), &group.tally);
        row.push(group_spark_line(statistics, group));
        rows.push(row);
    }
    if statistics.other_groups > 0 {
        let label = format!("({})", format_count(statistics.other_groups, "more group"));
        rows.push(tally_cells(statistics, label, &statistics.others));
    }
    let mut row = tally_cells(statistics, "total".into(), total);
    row.push(spark_line(statistics.histogram.counts()));
    rows.push(row);
    align(&rows)
}

fn heading(statistics: &Statistics) -> Vec<String> {
    let mut cells = vec![statistics.by.to_string(), "events".into(), "share".into()];
    if statistics.counted_to == 0 {
        cells.extend(["bytes", "first", "last"].map(str::to_owned));
        if !statistics.histogram.is_empty() {
            cells.push(format!("per {}", interval_text(statistics.histogram.width_ms())));
        }
    }
    cells
}

fn tally_cells(statistics: &Statistics, label: String, tally: &EventTally) -> Vec<String> {
    let mut cells = vec![label, format_number(tally.events), share_text(tally.events, statistics.total.events)];
    if statistics.counted_to == 0 {
        let time = |ms| format_timestamp(ms, DisplayZone::Utc);
        let (first, last) = tally.times.map_or_else(Default::default, |(first, last)| (time(first), time(last)));
        cells.extend([format_size(tally.bytes), first, last]);
    }
    cells
}

/// Returns the width of an interval in the largest unit that divides it: `30 s`, `1 h`, `2 d`.
pub(crate) fn interval_text(width_ms: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")];
    let unit = units.into_iter().find(|(ms, _)| width_ms.is_multiple_of(*ms));
    unit.map_or_else(String::new, |(ms, name)| format!("{} {name}", format_number(width_ms / ms)))
}

/// Aligns cells in columns: the first and the times to the left, numbers to the right.
fn align(rows: &[Vec<String>]) -> Vec<String> {
    let safe: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| cut(&sanitize(cell))).collect()).collect();
    let columns = safe.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| safe.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            let blanks = " ".repeat(width.saturating_sub(cell.width()));
            if (1..=3).contains(&column) { format!("{blanks}{cell}") } else { format!("{cell}{blanks}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    safe.iter().map(line).collect()
}

/// Cuts a long value with an ellipsis.
fn cut(cell: &str) -> String {
    if cell.width() <= MAX_KEY_COLUMNS {
        return cell.to_owned();
    }
    let mut kept = String::new();
    for c in cell.chars() {
        kept.push(c);
        if kept.width() >= MAX_KEY_COLUMNS {
            kept.pop();
            break;
        }
    }
    kept + "…"
}

/// Returns a sentence about damage that the numbers leave out; `None` when there is none.
pub(crate) fn damage_note(statistics: &Statistics) -> Option<String> {
    let damage = statistics.damage;
    (damage > 0).then(|| {
        let ranges = format_count(damage, "damaged range");
        format!("{ranges} may hide events that are not counted; `chronicle verify LOG` lists them")
    })
}

/// Returns a sentence about events that were counted from the index; `None` when all events were read.
pub(crate) fn index_note(statistics: &Statistics) -> Option<String> {
    let counted_to = statistics.counted_to;
    (counted_to > 0)
        .then(|| format!("Counted from the index up to offset {}, without reading the log", format_number(counted_to)))
}

/// Returns statistics as an object. The numbers in `per_interval` belong to the intervals of `intervals`.
pub(crate) fn statistics_json(path: &str, filter: &str, statistics: &Statistics) -> Json {
    let all = &statistics.histogram;
    let intervals = (!all.is_empty()).then(|| {
        Json::Object(vec![
            ("start_ms", all.start_ms().into()),
            ("width_ms", all.width_ms().into()),
            ("events", Json::List(all.counts().map(Json::from).collect())),
        ])
    });
    let group = |group: &StatisticsGroup| {
        let mut fields = vec![("key", key_json(&statistics.by, &group.key))];
        fields.extend(tally_fields(statistics, &group.tally));
        let counts = group.histogram.as_ref().map(|own| counts_on_axis(own, all));
        let list = |counts: Vec<u64>| Json::List(counts.into_iter().map(Json::from).collect());
        fields.push(("per_interval", counts.map_or(Json::Null, list)));
        Json::Object(fields)
    };
    let mut others = vec![("groups", statistics.other_groups.into())];
    others.extend(tally_fields(statistics, &statistics.others));
    let mut fields = vec![("report", 1.into()), ("path", path.into()), ("filter", filter.into())];
    fields.push(("by", statistics.by.to_string().into()));
    fields.extend(tally_fields(statistics, &statistics.total));
    fields.extend([
        ("damage", statistics.damage.into()),
        ("gaps", statistics.gaps.into()),
        ("counted_from_index_to", statistics.counted_to.into()),
        ("intervals", intervals.unwrap_or(Json::Null)),
        ("groups", Json::List(statistics.groups.iter().map(group).collect())),
        ("others", Json::Object(others)),
    ]);
    Json::Object(fields)
}

/// Returns the keys of a tally. Bytes and times are null when the events were counted from the index.
fn tally_fields(statistics: &Statistics, tally: &EventTally) -> Vec<(&'static str, Json)> {
    let was_read = statistics.counted_to == 0;
    let known = |number: Option<u64>| number.filter(|_| was_read).map_or(Json::Null, Json::from);
    vec![
        ("events", tally.events.into()),
        ("bytes", known(Some(tally.bytes))),
        ("first_ms", known(tally.times.map(|times| times.0))),
        ("last_ms", known(tally.times.map(|times| times.1))),
    ]
}

fn key_json(by: &GroupBy, key: &GroupKey) -> Json {
    match key {
        GroupKey::Text(text) => Json::Text(text.to_string()),
        GroupKey::Number(number) => Json::Number(*number),
        GroupKey::Json(text) => Json::Stored(text.to_string()),
        GroupKey::Missing => Json::Null,
        GroupKey::Time(_) | GroupKey::Others => Json::Text(group_label(by, key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_reads_like_a_number_is_in_quotes() {
        let by = GroupBy::parse("payload.x").unwrap();
        let label = |text: &str| group_label(&by, &GroupKey::Text(text.into()));
        assert_eq!((label("1"), label("a"), label("")), ("\"1\"".into(), "a".into(), "\"\"".into()));
        assert_eq!(group_label(&GroupBy::Type, &GroupKey::Text("1".into())), "1");
    }

    #[test]
    fn an_interval_is_named_by_its_largest_unit() {
        assert_eq!(
            [5, 30_000, 1_800_000, 86_400_000, 3_600_000].map(interval_text),
            ["5 ms", "30 s", "30 min", "1 d", "1 h"]
        );
    }

    #[test]
    fn cells_are_aligned_by_their_width() {
        let rows = [["日本", "1", "x"], ["abcde", "100", "y"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(align(&rows), ["日本     1  x", "abcde  100  y"]);
        assert_eq!(cut(&"é".repeat(60)).width(), MAX_KEY_COLUMNS);
    }
}
