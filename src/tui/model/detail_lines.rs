//! A row in words, line by line: header, frame, finding, each with what speaks for it.

use super::detail::{DetailView, FrameInfo, IndexEntryStatus, RowContents};
use crate::format::{Evidence, Finding, HEADER_LEN, LogHeader};
use crate::query::RowContent;
use crate::report::units::{
    DisplayZone, format_count, format_hex_offset, format_number, format_size, format_timestamp,
};
use crate::report::{finding_sentence, fix_line, safe_path_text};

/// Columns of a label.
pub(crate) const LABEL_WIDTH: usize = 18;

/// A line: what it is about, and what is said; a line that goes on has no label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DetailLine {
    /// What it is about.
    pub(crate) label: &'static str,
    /// What is said.
    pub(crate) text: String,
    /// How it is meant.
    pub(crate) tone: Tone,
}

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it is.
    Plain,
    /// As it should be.
    Good,
    /// As it should not be.
    Bad,
}

/// The lines about a row in so many columns.
pub(crate) fn row_detail_lines(contents: &RowContents, view: DetailView, width: usize) -> Vec<DetailLine> {
    let mut lines = Vec::new();
    let row = &contents.row;
    match (&row.content, view) {
        (RowContent::Header, _) => push_header_lines(contents, &mut lines),
        (RowContent::Finding(finding), _) => self::push_finding_lines(finding, contents, &mut lines),
        (RowContent::InFlight, _) => {
            push_line(&mut lines, "in flight", "the last frame is being written: it is no damage")
        }
        (RowContent::Event(_), DetailView::Aggregate) => {
            push_line(&mut lines, "aggregate", "the event belongs to none")
        }
        (RowContent::Event(event), _) => {
            push_line(&mut lines, "time", format_timestamp(event.time_ms, DisplayZone::Utc));
        }
    }
    push_line(&mut lines, "offset", format!("{} ({})", row.start, format_hex_offset(row.start)));
    push_line(&mut lines, "end", format!("{} ({})", row.end, format_hex_offset(row.end)));
    let bytes = row.end - row.start;
    push_line(&mut lines, "size", format!("{} ({})", format_size(bytes), format_count(bytes, "byte")));
    if let Some(frame) = &contents.frame {
        self::push_frame_lines(frame, bytes, &mut lines);
    }
    wrap_lines(lines, width)
}

fn push_line(lines: &mut Vec<DetailLine>, label: &'static str, text: impl Into<String>) {
    lines.push(DetailLine { label, text: text.into(), tone: Tone::Plain });
}

fn push_header_lines(contents: &RowContents, lines: &mut Vec<DetailLine>) {
    let field = |at: usize, bytes: usize| {
        let found = contents.bytes.get(at..at + bytes).unwrap_or_default();
        crate::format::hex::encode_spaced(found)
    };
    for known in crate::format::header::HEADER_FIELDS {
        push_line(lines, known.name, field(known.offset, known.len));
    }
    match LogHeader::decode(&contents.bytes) {
        Ok(header) => {
            push_line(lines, "created", format_timestamp(header.created_at_ms, DisplayZone::Utc));
            lines.push(DetailLine { label: "judged", text: "a header of version 1".into(), tone: Tone::Good });
        }
        Err(_) if contents.bytes.len() < HEADER_LEN as usize => {
            push_line(lines, "judged", "the file ends before it does")
        }
        Err(_) => lines.push(DetailLine { label: "judged", text: "no good header".into(), tone: Tone::Bad }),
    }
}

fn push_frame_lines(frame: &FrameInfo, bytes: u64, lines: &mut Vec<DetailLine>) {
    if let Some(length) = frame.length {
        let trailer = if frame.stored_checksum.is_some() { 8 } else { 4 };
        let tone = if u64::from(length) + trailer == bytes { Tone::Good } else { Tone::Bad };
        lines.push(DetailLine { label: "length", text: format_number(u64::from(length)), tone });
    }
    let same = frame.stored_checksum == frame.computed_checksum;
    let tone = if same { Tone::Good } else { Tone::Bad };
    for (label, sum) in [("checksum stored", frame.stored_checksum), ("checksum computed", frame.computed_checksum)] {
        if let Some(sum) = sum {
            let word = if same { "the same" } else { "DIFFERS" };
            lines.push(DetailLine { label, text: format!("{sum:08x}  {word}"), tone });
        }
    }
    if frame.stored_checksum.is_none() {
        push_line(lines, "checksum", "none: version 0 stores none");
    }
    let (text, tone) = match &frame.index_entry {
        IndexEntryStatus::NoAggregate => ("none: the event belongs to no aggregate".into(), Tone::Plain),
        IndexEntryStatus::NoIndex => ("there is no index yet".into(), Tone::Plain),
        IndexEntryStatus::NotCovered => ("not covered: the index ends before it".into(), Tone::Plain),
        IndexEntryStatus::Nth(nth, of) => {
            (format!("event {} of {} of its aggregate", format_number(*nth), format_number(*of)), Tone::Good)
        }
        IndexEntryStatus::Absent => ("ABSENT: the index covers this place and does not list it".into(), Tone::Bad),
        IndexEntryStatus::Unreadable(why) => (why.clone(), Tone::Bad),
    };
    lines.push(DetailLine { label: "index entry", text, tone });
}

fn push_finding_lines(finding: &Finding, contents: &RowContents, lines: &mut Vec<DetailLine>) {
    let tone = if finding.kind.is_damage() { Tone::Bad } else { Tone::Plain };
    lines.push(DetailLine { label: "kind", text: finding.kind.name().into(), tone });
    push_line(lines, "verdict", finding_sentence(finding));
    match &contents.fix {
        Some(fix) => {
            push_line(lines, "can be done", fix_line(fix));
            for (nth, candidate) in fix.candidates.iter().enumerate().filter(|_| fix.is_undecided()) {
                push_line(
                    lines,
                    "accidents",
                    format!("candidate {}: {} expected", nth + 1, format_accidents(candidate.expected_false_positives)),
                );
            }
        }
        None if finding.kind.is_damage() => push_line(lines, "can be done", "nothing is known yet"),
        None => {}
    }
    if let Some(journal) = &contents.backup_journal {
        push_line(lines, "bytes kept in", safe_path_text(journal));
    }
    push_evidence_lines(&finding.evidence, lines);
}

/// The evidence, each piece that is there on a line of its own.
fn push_evidence_lines(evidence: &Evidence, lines: &mut Vec<DetailLine>) {
    let mut say = |label, text: Option<String>| {
        if let Some(text) = text {
            lines.push(DetailLine { label, text, tone: Tone::Plain });
        }
    };
    say("stored", evidence.stored_checksum.map(|sum| format!("{sum:08x}")));
    say("computed", evidence.computed_checksum.map(|sum| format!("{sum:08x}")));
    say("length found", evidence.length_found.map(|n| format!("{n} ({n:08x})")));
    say("length implied", evidence.length_implied.map(|n| format!("{n} ({n:08x})")));
    say("resumes at", evidence.resumes_at.map(|at| at.to_string()));
    say("zero share", evidence.zero_share.map(|share| format!("{:.0} %", share * 100.0)));
    say("bad byte at", evidence.bad_byte_offset.map(|at| at.to_string()));
    say("reason", evidence.reason.clone());
    say("bytes missing", evidence.bytes_missing.map(format_number));
    say("events missing", evidence.events_missing.map(format_number));
    say("aggregates missing", evidence.aggregates_missing.map(format_number));
    say("index saw up to", evidence.log_end_offset.map(|at| at.to_string()));
    say("time", evidence.time_ms.map(|ms| format_timestamp(ms, DisplayZone::Utc)));
    say("time before", evidence.previous_time_ms.map(|ms| format_timestamp(ms, DisplayZone::Utc)));
    say("content", evidence.content.clone());
    say("header found", evidence.header_found.clone());
    say("header expected", evidence.header_expected.clone());
}

/// A number of accidents, in as many digits as tell it from nothing.
pub(crate) fn format_accidents(expected: f64) -> String {
    if expected > 0.0 && expected < 0.0001 { format!("{expected:.0e}") } else { format!("{expected:.4}") }
}

/// Breaks long lines at blanks.
pub(super) fn wrap_lines(lines: Vec<DetailLine>, width: usize) -> Vec<DetailLine> {
    let room = width.saturating_sub(LABEL_WIDTH + 1).max(16);
    let mut out = Vec::new();
    for line in lines {
        let pieces = wrap_text(&line.text, room);
        for (number, text) in pieces.into_iter().enumerate() {
            let label = if number == 0 { line.label } else { "" };
            out.push(DetailLine { label, text, tone: line.tone });
        }
    }
    out
}

/// A text in lines of so many characters at most, broken at blanks where there are any.
pub(crate) fn wrap_text(text: &str, room: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let mut word = word;
        let mut len = word.chars().count();
        if used > 0 && used + 1 + len > room {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        while len > room {
            let cut = word.char_indices().nth(room).map_or(word.len(), |(at, _)| at);
            let (head, rest) = word.split_at(cut);
            out.push(head.to_owned());
            (word, len) = (rest, len - room);
        }
        line.push_str(word);
        used += len;
    }
    out.push(line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_break_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap_text("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap_text("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap_text("", 4), [""]);
    }
}
