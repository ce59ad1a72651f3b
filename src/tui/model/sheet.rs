//! A row in words, line by line: header, frame, finding, each with what speaks for it.

use super::detail::{Contents, Entry, FrameFacts, View};
use crate::format::{Evidence, Finding, HEADER_LEN, LogHeader};
use crate::query::What;
use crate::report::units::{Zone, count, exact, hex_offset, moment, size};
use crate::report::{fix_line, path_text, verdict};

/// Columns of a label.
pub(crate) const LABEL: usize = 18;

/// A line: what it is about, and what is said; a line that goes on has no label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetLine {
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
pub(crate) fn sheet(contents: &Contents, view: View, width: usize) -> Vec<SheetLine> {
    let mut lines = Vec::new();
    let row = &contents.row;
    match (&row.what, view) {
        (What::Header, _) => header(contents, &mut lines),
        (What::Finding(finding), _) => self::finding(finding, contents, &mut lines),
        (What::InFlight, _) => say(&mut lines, "in flight", "the last frame is being written: it is no damage"),
        (What::Event(_), View::Aggregate) => say(&mut lines, "aggregate", "the event belongs to none"),
        (What::Event(event), _) => {
            say(&mut lines, "time", moment(event.time_ms, Zone::Utc));
        }
    }
    say(&mut lines, "offset", format!("{} ({})", row.start, hex_offset(row.start)));
    say(&mut lines, "end", format!("{} ({})", row.end, hex_offset(row.end)));
    let bytes = row.end - row.start;
    say(&mut lines, "size", format!("{} ({})", size(bytes), count(bytes, "byte")));
    if let Some(frame) = &contents.frame {
        self::frame(frame, bytes, &mut lines);
    }
    wrap(lines, width)
}

fn say(lines: &mut Vec<SheetLine>, label: &'static str, text: impl Into<String>) {
    lines.push(SheetLine { label, text: text.into(), tone: Tone::Plain });
}

fn header(contents: &Contents, lines: &mut Vec<SheetLine>) {
    let field = |at: usize, bytes: usize| {
        let found = contents.bytes.get(at..at + bytes).unwrap_or_default();
        found.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
    };
    for known in crate::format::header::FIELDS {
        say(lines, known.name, field(known.at, known.bytes));
    }
    match LogHeader::decode(&contents.bytes) {
        Ok(header) => {
            say(lines, "created", moment(header.created_at_ms, Zone::Utc));
            lines.push(SheetLine { label: "judged", text: "a header of version 1".into(), tone: Tone::Good });
        }
        Err(_) if contents.bytes.len() < HEADER_LEN as usize => say(lines, "judged", "the file ends before it does"),
        Err(_) => lines.push(SheetLine { label: "judged", text: "no good header".into(), tone: Tone::Bad }),
    }
}

fn frame(frame: &FrameFacts, bytes: u64, lines: &mut Vec<SheetLine>) {
    if let Some(length) = frame.length {
        let trailer = if frame.stored.is_some() { 8 } else { 4 };
        let tone = if u64::from(length) + trailer == bytes { Tone::Good } else { Tone::Bad };
        lines.push(SheetLine { label: "length", text: exact(u64::from(length)), tone });
    }
    let same = frame.stored == frame.computed;
    let tone = if same { Tone::Good } else { Tone::Bad };
    for (label, sum) in [("checksum stored", frame.stored), ("checksum computed", frame.computed)] {
        if let Some(sum) = sum {
            let word = if same { "the same" } else { "DIFFERS" };
            lines.push(SheetLine { label, text: format!("{sum:08x}  {word}"), tone });
        }
    }
    if frame.stored.is_none() {
        say(lines, "checksum", "none: version 0 stores none");
    }
    let (text, tone) = match &frame.entry {
        Entry::NoAggregate => ("none: the event belongs to no aggregate".into(), Tone::Plain),
        Entry::NoIndex => ("there is no index yet".into(), Tone::Plain),
        Entry::NotCovered => ("not covered: the index ends before it".into(), Tone::Plain),
        Entry::Nth(nth, of) => (format!("event {} of {} of its aggregate", exact(*nth), exact(*of)), Tone::Good),
        Entry::Absent => ("ABSENT: the index covers this place and does not list it".into(), Tone::Bad),
        Entry::Unreadable(why) => (why.clone(), Tone::Bad),
    };
    lines.push(SheetLine { label: "index entry", text, tone });
}

fn finding(finding: &Finding, contents: &Contents, lines: &mut Vec<SheetLine>) {
    let tone = if finding.kind.is_damage() { Tone::Bad } else { Tone::Plain };
    lines.push(SheetLine { label: "kind", text: finding.kind.name().into(), tone });
    say(lines, "verdict", verdict(finding));
    match &contents.fix {
        Some(fix) => {
            say(lines, "can be done", fix_line(fix));
            for (nth, candidate) in fix.candidates.iter().enumerate().filter(|_| fix.is_undecided()) {
                say(lines, "accidents", format!("candidate {}: {} expected", nth + 1, accidents(candidate.expected)));
            }
        }
        None if finding.kind.is_damage() => say(lines, "can be done", "nothing is known yet"),
        None => {}
    }
    if let Some(journal) = &contents.kept_in {
        say(lines, "bytes kept in", path_text(journal));
    }
    evidence(&finding.evidence, lines);
}

/// The evidence, each piece that is there on a line of its own.
fn evidence(seen: &Evidence, lines: &mut Vec<SheetLine>) {
    let mut say = |label, text: Option<String>| {
        if let Some(text) = text {
            lines.push(SheetLine { label, text, tone: Tone::Plain });
        }
    };
    say("stored", seen.stored.map(|sum| format!("{sum:08x}")));
    say("computed", seen.computed.map(|sum| format!("{sum:08x}")));
    say("length found", seen.length_found.map(|n| format!("{n} ({n:08x})")));
    say("length implied", seen.length_implied.map(|n| format!("{n} ({n:08x})")));
    say("resumes at", seen.resumes_at.map(|at| at.to_string()));
    say("zero share", seen.zero_share.map(|share| format!("{:.0} %", share * 100.0)));
    say("bad byte at", seen.bad_byte_at.map(|at| at.to_string()));
    say("reason", seen.reason.clone());
    say("bytes missing", seen.bytes_missing.map(exact));
    say("events missing", seen.events_missing.map(exact));
    say("aggregates missing", seen.aggregates_missing.map(exact));
    say("index saw up to", seen.log_end_offset.map(|at| at.to_string()));
    say("time", seen.time_ms.map(|ms| moment(ms, Zone::Utc)));
    say("time before", seen.previous_time_ms.map(|ms| moment(ms, Zone::Utc)));
    say("content", seen.content.clone());
    say("header found", seen.header_found.clone());
    say("header expected", seen.header_expected.clone());
}

/// A number of accidents, in as many digits as tell it from nothing.
pub(crate) fn accidents(expected: f64) -> String {
    if expected > 0.0 && expected < 0.0001 { format!("{expected:.0e}") } else { format!("{expected:.4}") }
}

/// Breaks long lines at blanks.
pub(super) fn wrap(lines: Vec<SheetLine>, width: usize) -> Vec<SheetLine> {
    let room = width.saturating_sub(LABEL + 1).max(16);
    let mut out = Vec::new();
    for line in lines {
        let pieces = pieces(&line.text, room);
        for (number, text) in pieces.into_iter().enumerate() {
            let label = if number == 0 { line.label } else { "" };
            out.push(SheetLine { label, text, tone: line.tone });
        }
    }
    out
}

/// A text in lines of so many characters at most, broken at blanks where there are any.
pub(crate) fn pieces(text: &str, room: usize) -> Vec<String> {
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
        assert_eq!(pieces("one two three", 7), ["one two", "three"]);
        assert_eq!(pieces("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(pieces("", 4), [""]);
    }
}
