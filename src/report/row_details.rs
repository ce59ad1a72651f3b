//! Formats the details of a row as labelled lines: the header, a frame, or a finding with its evidence.

use super::units::{DisplayZone, format_exact_size, format_hex_offset, format_number, format_timestamp};
use super::{finding_sentence, fix_line};
use crate::format::{Evidence, Finding, hex};
use crate::query::{FrameDetails, HeaderDecodeState, HeaderDetails, IndexEntryStatus, RowContent, RowDetails};
use crate::repair::Fix;

/// A labelled line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetailLine {
    /// The subject of the line; empty for the continuation of the line before.
    pub(crate) label: &'static str,
    /// The text after the label.
    pub(crate) text: String,
    /// The tone of the line.
    pub(crate) tone: Tone,
}

/// The tone of a text, which determines its colour on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Neutral information.
    Plain,
    /// A check that passed.
    Good,
    /// A state that the user may want to change.
    Warning,
    /// A check that failed, or damage.
    Bad,
}

/// The result of the search for a fix of a finding.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FixSearchResult<'a> {
    /// This fix is possible in place.
    Fix(&'a Fix),
    /// No fix is possible in place.
    NoFix,
    /// No scan has looked for a fix yet.
    NotSearched,
}

impl DetailLine {
    /// Creates a line with neutral information.
    pub(crate) fn plain(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), tone: Tone::Plain }
    }

    /// Creates a line for a check that has passed.
    fn passed(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), tone: Tone::Good }
    }

    /// Creates a line for a check that has failed.
    fn failed(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), tone: Tone::Bad }
    }
}

/// Returns the lines about a row: content, offsets, size, and for an event its frame.
///
/// `gap_journal` is the path, safe to print, of the journal that contains the bytes that a gap replaced.
pub(crate) fn row_detail_lines(
    details: &RowDetails,
    fix: FixSearchResult,
    gap_journal: Option<&str>,
) -> Vec<DetailLine> {
    let row = &details.row;
    let mut lines = match &row.content {
        RowContent::Header => details.header.iter().flat_map(|header| header_lines(details, header)).collect(),
        RowContent::Event(event) => match &details.clock_finding {
            // The evidence has the time of the event, and that of the event before it.
            Some(finding) => finding_lines(finding, FixSearchResult::NoFix, None),
            None => vec![DetailLine::plain("time", format_timestamp(event.time_ms, DisplayZone::Utc))],
        },
        RowContent::Finding(finding) => finding_lines(finding, fix, gap_journal),
        RowContent::InFlight => {
            vec![DetailLine::plain("in flight", "a writer has not finished the last frame; this is not damage")]
        }
    };
    let bytes = row.end - row.start;
    lines.push(DetailLine::plain("offset", format!("{} ({})", row.start, format_hex_offset(row.start))));
    lines.push(DetailLine::plain("end", format!("{} ({})", row.end, format_hex_offset(row.end))));
    lines.push(DetailLine::plain("size", format_exact_size(bytes)));
    lines.extend(details.frame.iter().flat_map(|frame| frame_lines(frame, bytes)));
    lines
}

fn header_lines(details: &RowDetails, header: &HeaderDetails) -> Vec<DetailLine> {
    let field_hex =
        |start: u64, end: u64| hex::encode_spaced(header.bytes.get(start as usize..end as usize).unwrap_or_default());
    let fields = details.fields.iter();
    let mut lines: Vec<_> =
        fields.map(|field| DetailLine::plain(field.name, field_hex(field.range.start, field.range.end))).collect();
    match header.state {
        HeaderDecodeState::Valid(header) => {
            lines.push(DetailLine::plain("created", format_timestamp(header.created_at_ms, DisplayZone::Utc)));
            if let Some(segment) = header.segment {
                lines.push(DetailLine::plain("log id", segment.log_id.to_string()));
            }
            let version = header.version().number();
            lines.push(DetailLine::passed("header", format!("valid (version {version})")));
        }
        HeaderDecodeState::Incomplete => {
            lines.push(DetailLine::plain("header", "incomplete: the file ends inside the header"));
        }
        HeaderDecodeState::Invalid => lines.push(DetailLine::failed("header", "invalid")),
    }
    lines
}

fn frame_lines(frame: &FrameDetails, row_bytes: u64) -> Vec<DetailLine> {
    let mut lines = Vec::new();
    if let Some(length) = frame.payload_length.map(u64::from) {
        let overhead = if frame.stored_checksum.is_some() { 8 } else { 4 };
        let line = if length + overhead == row_bytes { DetailLine::passed } else { DetailLine::failed };
        lines.push(line("length", format_number(length)));
    }
    let matches = frame.stored_checksum == frame.computed_checksum;
    let checksums = [("checksum stored", frame.stored_checksum), ("checksum computed", frame.computed_checksum)];
    for (label, checksum) in checksums.into_iter().filter_map(|(label, sum)| Some((label, sum?))) {
        lines.push(if matches {
            DetailLine::passed(label, format!("{checksum:08x}  matches"))
        } else {
            DetailLine::failed(label, format!("{checksum:08x}  DIFFERS"))
        });
    }
    if frame.stored_checksum.is_none() {
        lines.push(DetailLine::plain("checksum", "none: version 0 stores no checksums"));
    }
    lines.push(index_entry_line(frame.index_entry));
    lines
}

fn index_entry_line(entry: IndexEntryStatus) -> DetailLine {
    let label = "index entry";
    match entry {
        IndexEntryStatus::NoAggregate => DetailLine::plain(label, "none: the event belongs to no aggregate"),
        IndexEntryStatus::NoIndex => DetailLine::plain(label, "none: there is no index yet"),
        IndexEntryStatus::NotCovered => DetailLine::plain(label, "none: the index ends before this event"),
        IndexEntryStatus::Listed { position, events } => {
            let (position, events) = (format_number(position), format_number(events));
            DetailLine::passed(label, format!("event {position} of {events} of its aggregate"))
        }
        IndexEntryStatus::NotListed => {
            let text = "MISSING: the index covers this offset and does not list the event; rebuild the index";
            DetailLine::failed(label, text)
        }
        IndexEntryStatus::Unreadable => {
            DetailLine::failed(label, "unknown: the index cannot be read; rebuild the index")
        }
    }
}

fn finding_lines(finding: &Finding, fix: FixSearchResult, gap_journal: Option<&str>) -> Vec<DetailLine> {
    let kind = finding.kind;
    let tone = if kind.is_damage() { Tone::Bad } else { Tone::Plain };
    let mut lines = vec![
        DetailLine { label: "kind", text: kind.name().into(), tone },
        DetailLine::plain("verdict", finding_sentence(finding)),
    ];
    match fix {
        FixSearchResult::Fix(fix) => {
            lines.push(DetailLine::plain("fix", fix_line(fix)));
            let undecided = fix.candidates.iter().filter(|_| fix.is_undecided());
            lines.extend(undecided.enumerate().map(|(nth, candidate)| {
                let expected = format_expected_by_chance(candidate.expected_false_positives);
                let text = format!("candidate {}: chance alone would offer {expected} of these", nth + 1);
                DetailLine::plain("by chance", text)
            }));
        }
        FixSearchResult::NoFix if kind.is_damage() => lines.push(DetailLine::plain("fix", "nothing in place")),
        FixSearchResult::NotSearched if kind.is_damage() => {
            lines.push(DetailLine::plain("fix", "not known yet: the scan has not reached this range"));
        }
        FixSearchResult::NoFix | FixSearchResult::NotSearched => {}
    }
    lines.extend(gap_journal.map(|journal| DetailLine::plain("original bytes in", journal)));
    lines.extend(evidence_lines(&finding.evidence));
    lines
}

/// Returns one line for each piece of evidence of the finding.
fn evidence_lines(evidence: &Evidence) -> Vec<DetailLine> {
    let checksum = |sum: Option<u32>| sum.map(|sum| format!("{sum:08x}"));
    let length = |length: Option<u32>| length.map(|n| format!("{n} ({n:08x})"));
    let offset = |offset: Option<u64>| offset.map(|offset| offset.to_string());
    let time = |time: Option<u64>| time.map(|ms| format_timestamp(ms, DisplayZone::Utc));
    let rows = [
        ("stored", checksum(evidence.stored_checksum)),
        ("computed", checksum(evidence.computed_checksum)),
        ("length found", length(evidence.length_found)),
        ("length implied", length(evidence.length_implied)),
        ("resumes at", offset(evidence.resumes_at)),
        ("zero share", evidence.zero_share.map(|share| format!("{:.0} %", share * 100.0))),
        ("bad byte at", offset(evidence.bad_byte_offset)),
        ("reason", evidence.reason.clone()),
        ("bytes missing", evidence.bytes_missing.map(format_number)),
        ("events missing", evidence.events_missing.map(format_number)),
        ("aggregates missing", evidence.aggregates_missing.map(format_number)),
        ("index saw up to", offset(evidence.log_end_offset)),
        ("time", time(evidence.time_ms)),
        ("time before", time(evidence.previous_time_ms)),
        ("content", evidence.content.clone()),
        ("header found", evidence.header_found.clone()),
        ("header expected", evidence.header_expected.clone()),
    ];
    rows.into_iter().filter_map(|(label, text)| Some(DetailLine::plain(label, text?))).collect()
}

/// Formats the number of candidates that chance alone would offer, with enough digits to differ from zero.
pub(crate) fn format_expected_by_chance(expected: f64) -> String {
    if expected > 0.0 && expected < 0.0001 { format!("{expected:.0e}") } else { format!("{expected:.4}") }
}
