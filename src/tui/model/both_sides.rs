//! The contents of the log and of a backup at a difference, in lines for the detail pane.

use std::sync::Arc;

use super::json::{JsonDoc, JsonRoot};
use super::json_rows::INDENT_COLUMNS;
use super::laid_out_lines::LaidOutLines;
use super::{DifferenceMeaning, Model, wrap_text};
use crate::format::hex;
use crate::inspect::{CopyContent, LogDifference};
use crate::query::PayloadDifference;
use crate::report::differences::copy_content_text;
use crate::report::units::{format_exact_size, format_number};
use crate::report::{Tone, sanitize};
use crate::tui::actions::ActionId;

/// Largest number of bytes of a copy that are read where it has no frame.
pub(crate) const MAX_SIDE_BYTES: u64 = 128;
/// Largest number of bytes of a payload that are read.
pub(crate) const MAX_SIDE_PAYLOAD: usize = 64 << 10;
/// Number of bytes in a line of bytes.
const BYTES_PER_LINE: usize = 16;

/// The contents of both copies at a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BothSides {
    /// The difference.
    pub(crate) difference: LogDifference,
    /// What this log has.
    pub(crate) log: SideContents,
    /// What the backup has.
    pub(crate) backup: SideContents,
    /// The values that differ, of an event in the log and the one in the backup; empty unless both have an event here.
    pub(crate) changes: Vec<PayloadDifference>,
}

/// The contents of a copy at the start of a difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SideContents {
    /// The start of the payload of the frame that starts there; `None` when no valid frame does.
    pub(crate) payload: Option<String>,
    /// Number of bytes of the payload after that.
    pub(crate) omitted_bytes: usize,
    /// The first bytes, at most [`MAX_SIDE_BYTES`], when no frame starts there.
    pub(crate) bytes: Vec<u8>,
    /// The lines of the payload.
    payload_lines: LaidOutLines,
}

impl SideContents {
    /// Creates the contents of a copy that has a frame at the start of a difference: the start of its payload, and the number
    /// of bytes after it.
    pub(crate) fn of_payload(payload: String, omitted_bytes: usize) -> Self {
        Self { payload: Some(payload), omitted_bytes, ..Self::default() }
    }

    /// Creates the contents of a copy that has no frame at the start of a difference: its first bytes.
    pub(crate) fn of_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Returns the payload in lines of at most `width` columns, where its nesting leaves room for that.
    fn payload_lines(&self, width: usize) -> Arc<[String]> {
        self.payload_lines.for_width(width, || json_lines(self.payload.as_deref().unwrap_or_default(), width))
    }
}

/// A line about a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SideLine {
    /// The text.
    pub(crate) text: String,
    /// The tone of the text.
    pub(crate) tone: SideTone,
}

/// How a line about a difference is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SideTone {
    /// The heading of a part.
    Heading,
    /// A text in this tone.
    Text(Tone),
    /// An explanation.
    Note,
}

impl Model {
    /// Returns the lines about the difference that the detail pane shows, at most `width` columns wide.
    pub(crate) fn side_lines(&self, width: usize) -> Vec<SideLine> {
        let Some(sides) = &self.compare.sides else { return Vec::new() };
        let mut lines = WrappedLines { lines: Vec::new(), width: width.max(1) };
        let LogDifference { start, end, a, b, .. } = &sides.difference;
        let meaning = DifferenceMeaning::of(&sides.difference);
        let range = format!("{}..{}", self.format_offset(*start), self.format_offset(*end));
        lines.push(SideTone::Heading, &format!("{range}  {}", meaning.name()));
        let name = self.compare.backup_name();
        for (copy, content) in [("this log", a), (name.as_str(), b)] {
            let tone = match content {
                CopyContent::Damage
                | CopyContent::Unreadable
                | CopyContent::InvalidEvent
                | CopyContent::Header { created_at_ms: None } => Tone::Bad,
                CopyContent::Gap | CopyContent::End => Tone::Warning,
                _ => Tone::Plain,
            };
            lines.push(SideTone::Text(tone), &format!("{copy}: {}", copy_content_text(content, self.zone)));
        }
        lines.push(SideTone::Note, &self.next_step(meaning, a));
        if !sides.changes.is_empty() {
            lines.push(SideTone::Heading, "");
            lines.push(SideTone::Heading, &format!("this log → {name}"));
            for change in &sides.changes {
                let (tone, text) = change_text(change);
                lines.push(SideTone::Text(tone), &text);
            }
        } else if matches!((a, b), (CopyContent::Event(_), CopyContent::Event(_))) {
            let is_same_place = sides.log.payload.is_some() && sides.backup.payload.is_some();
            lines.push(
                SideTone::Note,
                if is_same_place {
                    "All values are the same; the stored text differs."
                } else {
                    "The events start at different offsets."
                },
            );
        }
        let mut copies = [(name.as_str(), &sides.backup, b), ("this log", &sides.log, a)];
        // The copy that has an event comes first.
        copies.sort_by_key(|(_, contents, _)| contents.payload.is_none());
        for (copy, contents, content) in copies {
            lines.push_contents(copy, contents, content);
        }
        lines.lines
    }

    /// Returns what can be done about a difference.
    fn next_step(&self, meaning: DifferenceMeaning, log: &CopyContent) -> String {
        let take = self.keys.hint(ActionId::Repair);
        match (meaning, log) {
            (DifferenceMeaning::Lost, CopyContent::Gap) => "A repair wrote a gap here; undo it first.".into(),
            (DifferenceMeaning::Lost, _) => format!("{take} takes this from the backup; it shows its plan first."),
            (DifferenceMeaning::BackupContinues, _) => {
                format!("{take} takes them, if the index shows that this log has lost its end.")
            }
            (DifferenceMeaning::Differs, _) => "Nothing is taken: a repair changes no valid event.".into(),
            (DifferenceMeaning::OnlyHere, _) => "The backup has no event to take here.".into(),
            (DifferenceMeaning::InNeither, _) => "Another backup may have what was here.".into(),
        }
    }
}

/// Lines that are wrapped as they are added.
struct WrappedLines {
    lines: Vec<SideLine>,
    width: usize,
}

impl WrappedLines {
    fn push(&mut self, tone: SideTone, text: &str) {
        let wrapped = wrap_text(&sanitize(text), self.width);
        self.lines.extend(wrapped.into_iter().map(|text| SideLine { text, tone }));
    }

    /// Adds the payload of a copy as it is stored, or its first bytes.
    fn push_contents(&mut self, copy: &str, contents: &SideContents, content: &CopyContent) {
        if contents.payload.is_some() {
            self.push(SideTone::Heading, "");
            self.push(SideTone::Heading, &format!("{copy}, as stored"));
            let texts = contents.payload_lines(self.width);
            self.lines
                .extend(texts.iter().map(|text| SideLine { text: text.clone(), tone: SideTone::Text(Tone::Plain) }));
            if contents.omitted_bytes > 0 {
                let rest = format_exact_size(contents.omitted_bytes as u64);
                self.push(SideTone::Note, &format!("… {rest} more"));
            }
        } else if !contents.bytes.is_empty() && !matches!(content, CopyContent::Rest(_)) {
            self.push(SideTone::Heading, "");
            let count = format_number(contents.bytes.len() as u64);
            self.push(SideTone::Heading, &format!("{copy}, first {count} bytes"));
            for bytes in contents.bytes.chunks(BYTES_PER_LINE.min((self.width / 3).max(1))) {
                self.push(SideTone::Text(Tone::Plain), &hex::encode_spaced(bytes));
            }
        }
    }
}

/// Lays out a JSON text in lines of at most `width` columns, where its nesting leaves room for that.
fn json_lines(text: &str, width: usize) -> Vec<String> {
    let doc = JsonDoc::new(text, JsonRoot::Event);
    let mut lines = Vec::new();
    for row in (0..doc.row_count()).filter_map(|number| doc.row(number)) {
        let key = row.key.map(|key| format!("{key}: ")).unwrap_or_default();
        let comma = if row.has_comma { "," } else { "" };
        let indent = " ".repeat(row.depth * INDENT_COLUMNS);
        let available = width.saturating_sub(indent.len()).max(1);
        let wrapped = wrap_text(&sanitize(&format!("{key}{}{comma}", row.value)), available);
        lines.extend(wrapped.into_iter().map(|text| format!("{indent}{text}")));
    }
    lines
}

/// Returns a value that differs: `before` is that of the log, `after` that of the backup.
fn change_text(change: &PayloadDifference) -> (Tone, String) {
    let path = &change.path;
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => (Tone::Warning, format!("~ {path}: {before} → {after}")),
        (None, Some(after)) => (Tone::Good, format!("+ {path}: {after}")),
        (Some(before), None) => (Tone::Bad, format!("- {path}: {before}")),
        (None, None) => (Tone::Plain, String::new()),
    }
}
