//! The pictures of the page, as SVG: the integrity map and the events over time. Each is followed by the same numbers as text.

use std::ops::Range;

use super::collect::LogReport;
use super::html::HtmlWriter;
use crate::query::Statistics;
use crate::report::statistics::interval_text;
use crate::report::units::{
    DisplayZone, format_count, format_minute, format_number, format_percent, format_size, format_timestamp,
};

/// Number of cells of the map.
const MAP_CELLS: u64 = 120;

/// The state of a cell of the map, which is the worst state of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MapCell {
    Verified,
    Unread,
    Gap,
    Damaged,
    /// Bytes that the index has seen, and that the log no longer has.
    Lost,
}

impl MapCell {
    const ALL: [Self; 5] = [Self::Verified, Self::Damaged, Self::Lost, Self::Gap, Self::Unread];

    const fn class(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unread => "unread",
            Self::Gap => "gap",
            Self::Damaged => "damaged",
            Self::Lost => "lost",
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unread => "not verified",
            Self::Gap => "gap of an earlier repair",
            Self::Damaged => "damaged",
            Self::Lost => "lost end",
        }
    }

    /// Returns the top and the height of the bar in hundredths. Damage is taller, so that it does not depend on colour.
    const fn extent(self) -> (u64, u64) {
        match self {
            Self::Damaged | Self::Lost => (0, 100),
            Self::Verified | Self::Unread => (20, 60),
            Self::Gap => (35, 30),
        }
    }
}

/// Writes the integrity map with its legend.
pub(super) fn write_map(report: &LogReport, html: &mut HtmlWriter) {
    let cells = map_cells(report);
    let total = mapped_bytes(report);
    let verified = report.survey.map.verified_bytes(0).min(report.bytes);
    let label = format!(
        "The log from its first byte to its last: {} read, {}.",
        format_percent(verified, report.bytes),
        report.counts.counts_line()
    );
    let view_box = format!("0 0 {} 100", cells.len());
    let attributes =
        [("class", "map"), ("viewBox", view_box.as_str()), ("preserveAspectRatio", "none"), ("role", "img")];
    html.element("figure", &[], |html| {
        html.element("svg", &attributes, |html| {
            html.text_element("title", &[], &label);
            for (cell, columns) in runs(&cells) {
                let (top, height) = cell.extent();
                let (x, y) = (columns.start.to_string(), top.to_string());
                let (width, height) = ((columns.end - columns.start).to_string(), height.to_string());
                let attributes =
                    [("class", cell.class()), ("x", &*x), ("y", &*y), ("width", &*width), ("height", &*height)];
                html.void_element("rect", &attributes);
            }
        });
        html.element("div", &[("class", "axis"), ("aria-hidden", "true")], |html| {
            for quarter in 0..=4 {
                html.text_element("span", &[], &format_size(total / 4 * quarter + total % 4 * quarter / 4));
            }
        });
        html.element("figcaption", &[], |html| {
            html.text(&label);
            html.element("ul", &[("class", "legend")], |html| {
                for cell in MapCell::ALL.into_iter().filter(|cell| cells.contains(cell)) {
                    html.element("li", &[], |html| {
                        let class = format!("swatch {}", cell.class());
                        html.text_element("span", &[("class", &class), ("aria-hidden", "true")], "");
                        html.text(cell.meaning());
                    });
                }
            });
        });
    });
}

/// Returns the number of bytes that the map shows: those of the log, and the end that it has lost.
fn mapped_bytes(report: &LogReport) -> u64 {
    let seen_end = report.view.seen_end().offset().unwrap_or_default();
    report.bytes.max(seen_end).max(1)
}

fn map_cells(report: &LogReport) -> Vec<MapCell> {
    let total = mapped_bytes(report);
    let count = MAP_CELLS.min(total);
    let border = |cell: u64| (u128::from(total) * u128::from(cell) / u128::from(count)) as u64;
    let is_written = |range: &Range<u64>| {
        report.survey.in_flight.as_ref().is_some_and(|frame| frame.start < range.end && range.start < frame.end)
    };
    let first_frame = report.view.log().first_frame_offset();
    let cell = |range: Range<u64>| {
        // The header was checked when the log was opened, and its damage is a finding.
        let start = if range.start < first_frame { first_frame.min(range.end) } else { range.start };
        let end = range.end.min(report.bytes);
        let health = report.survey.map.range_health(range.start..end.max(range.start));
        match () {
            () if health.damaged => MapCell::Damaged,
            () if range.start >= report.bytes => MapCell::Lost,
            () if health.gap => MapCell::Gap,
            () if is_written(&range) => MapCell::Unread,
            () if start >= end || report.survey.map.range_health(start..end).verified => MapCell::Verified,
            () => MapCell::Unread,
        }
    };
    (0..count).map(|number| cell(border(number)..border(number + 1))).collect()
}

/// Joins adjacent cells of the same state. Returns each state with its columns.
fn runs(cells: &[MapCell]) -> Vec<(MapCell, Range<usize>)> {
    let mut runs: Vec<(MapCell, Range<usize>)> = Vec::new();
    for (column, cell) in cells.iter().enumerate() {
        match runs.last_mut() {
            Some((last, columns)) if last == cell => columns.end = column + 1,
            _ => runs.push((*cell, column..column + 1)),
        }
    }
    runs
}

/// Writes the number of events in equal intervals of time as bars, and as a table that a reader opens.
pub(super) fn write_timeline(statistics: &Statistics, html: &mut HtmlWriter) {
    let histogram = &statistics.histogram;
    let Some(peak) = histogram.counts().max().filter(|peak| *peak > 0) else {
        html.paragraph("note", "The log has no events.");
        return;
    };
    let width = histogram.width_ms();
    let time_of = |number: u64| {
        let time = histogram.start_ms().saturating_add(width.saturating_mul(number));
        let is_whole_minute = width.is_multiple_of(60_000);
        let format = if is_whole_minute { format_minute } else { format_timestamp };
        format(time, DisplayZone::Utc)
    };
    let intervals = histogram.len() as u64;
    let label = format!(
        "{} in intervals of {}; at most {} in one.",
        format_count(statistics.total.events, "event"),
        interval_text(width),
        format_number(peak)
    );
    let view_box = format!("0 0 {} 100", intervals * 10);
    html.element("figure", &[], |html| {
        let attributes =
            [("class", "timeline"), ("viewBox", view_box.as_str()), ("preserveAspectRatio", "none"), ("role", "img")];
        html.element("svg", &attributes, |html| {
            html.text_element("title", &[], &label);
            for (number, count) in (0..).zip(histogram.counts()) {
                let height = bar_height(count, peak);
                let (x, y, height) = ((number * 10 + 1).to_string(), (100 - height).to_string(), height.to_string());
                let attributes = [("class", "share"), ("x", &*x), ("y", &*y), ("width", "8"), ("height", &*height)];
                html.void_element("rect", &attributes);
            }
        });
        html.element("div", &[("class", "axis"), ("aria-hidden", "true")], |html| {
            html.text_element("span", &[], &time_of(0));
            html.text_element("span", &[], &time_of(intervals));
        });
        html.text_element("figcaption", &[], &label);
    });
    html.element("details", &[], |html| {
        html.text_element("summary", &[], "The numbers as a table");
        html.element("table", &[], |html| {
            html.text_element("caption", &[], &format!("Events in each interval of {}", interval_text(width)));
            html.element("thead", &[], |html| {
                html.element("tr", &[], |html| {
                    html.text_element("th", &[("scope", "col")], "From");
                    html.text_element("th", &[("scope", "col"), ("class", "number")], "Events");
                });
            });
            html.element("tbody", &[], |html| {
                for (number, count) in (0..).zip(histogram.counts()) {
                    html.element("tr", &[], |html| {
                        html.text_element("td", &[("class", "time")], &time_of(number));
                        html.text_element("td", &[("class", "number")], &format_number(count));
                    });
                }
            });
        });
    });
}

/// Returns the height of a bar in hundredths of the highest. An interval with events has a bar that can be seen.
fn bar_height(count: u64, peak: u64) -> u64 {
    let height = (u128::from(count) * 100 / u128::from(peak.max(1))) as u64;
    if count > 0 { height.max(2) } else { 0 }
}
