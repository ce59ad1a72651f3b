//! The detail pane: what stands in the row under the cursor, and as what it is shown.

use std::ops::Range;
use std::path::PathBuf;

use super::json::JsonDoc;
use crate::query::Row;
use crate::repair::Fix;

/// Bytes of a hex window.
pub(crate) const WINDOW: u64 = 16 << 10;

/// As what the row is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// JSON, exactly as stored.
    #[default]
    Json,
    /// Bytes, with the fields marked.
    Hex,
    /// Offsets, checksums and the index's entry.
    Frame,
    /// The aggregate's events in order, each with what it changed.
    Aggregate,
}

impl View {
    /// Every view with its name.
    pub(crate) const ALL: [(Self, &'static str); 4] =
        [(Self::Json, "JSON"), (Self::Hex, "Hex"), (Self::Frame, "Frame"), (Self::Aggregate, "Aggregate")];

    /// The one so many places further on.
    pub(crate) fn step(self, by: isize) -> Self {
        let now = Self::ALL.iter().position(|(view, _)| *view == self).unwrap_or_default() as isize;
        let next = (now + by).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL.get(next).map_or(self, |(view, _)| *view)
    }
}

/// The detail pane.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detail {
    /// As what the row is shown.
    pub(crate) view: View,
    /// What is known of it; of the row before until that has come.
    pub(crate) contents: Option<Contents>,
    /// What was asked for last.
    pub(crate) asked: Option<Asked>,
    /// How often the index has become another: what it says of the row is asked for again then.
    pub(crate) index: u64,
    /// The line under the cursor.
    pub(crate) cursor: usize,
    /// The first line on the screen.
    pub(crate) top: usize,
    /// Columns scrolled to the right.
    pub(crate) sideways: u16,
    /// Lines on the screen.
    pub(crate) height: usize,
    /// Columns on the screen.
    pub(crate) width: usize,
    /// Bytes in a line of hex.
    pub(crate) hex_width: usize,
}

/// What was asked about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Its place.
    pub(crate) range: (u64, u64),
    /// As what it is shown, as far as that makes a difference to who answers.
    pub(crate) view: View,
    /// The first byte of the hex window.
    pub(crate) base: u64,
    /// Which index is asked.
    pub(crate) index: u64,
}

/// What stands in a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contents {
    /// The row.
    pub(crate) row: Row,
    /// The event as stored, when it is one.
    pub(crate) json: Option<String>,
    /// Its payload's place in it.
    pub(crate) payload: Range<usize>,
    /// The same laid out.
    pub(crate) doc: JsonDoc,
    /// Some of its bytes, and where they start.
    pub(crate) bytes: Vec<u8>,
    /// File offset of the first of those.
    pub(crate) base: u64,
    /// Its fields, by file offset.
    pub(crate) marks: Vec<Mark>,
    /// Its frame.
    pub(crate) frame: Option<FrameFacts>,
    /// Its aggregate, when that was asked for.
    pub(crate) story: Option<Story>,
    /// What can be done about it, as far as the scan knows.
    pub(crate) fix: Option<Fix>,
    /// The journal that keeps what stood there, as far as the medical record knows.
    pub(crate) kept_in: Option<PathBuf>,
}

/// A field of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its name in FORMAT.md.
    pub(crate) name: &'static str,
    /// Its bytes in the file.
    pub(crate) range: Range<u64>,
}

/// What a frame says and what its bytes give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FrameFacts {
    /// The length field.
    pub(crate) length: Option<u32>,
    /// The checksum stored behind the payload.
    pub(crate) stored: Option<u32>,
    /// The checksum of the bytes.
    pub(crate) computed: Option<u32>,
    /// What the index has of it.
    pub(crate) entry: Entry,
}

/// What the index has of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It belongs to no aggregate, and so has none.
    NoAggregate,
    /// There is no index.
    NoIndex,
    /// The index ends before it.
    NotCovered,
    /// It is the nth of so many.
    Nth(u64, u64),
    /// It should be there and is not.
    Absent,
    /// The index could not be read.
    Unreadable(String),
}

/// Some events of an aggregate around one of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Story {
    /// The aggregate.
    pub(crate) aggregate: u64,
    /// Its events, ascending.
    pub(crate) chapters: Vec<Chapter>,
    /// There are events before the first.
    pub(crate) more_before: bool,
    /// There are events behind the last.
    pub(crate) more_after: bool,
}

/// An event of an aggregate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chapter {
    /// The event, or the damage in its place.
    pub(crate) row: Row,
    /// What differs from the event before it.
    pub(crate) changes: Vec<Difference>,
    /// How many differences are not listed.
    pub(crate) not_listed: usize,
    /// There is no event before it to compare with.
    pub(crate) first: bool,
}

/// A difference between two payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where: `address.street[0]`.
    pub(crate) path: String,
    /// The token before, when there was one.
    pub(crate) before: Option<String>,
    /// The token after, when there is one.
    pub(crate) after: Option<String>,
}

impl Contents {
    /// The payload as stored.
    pub(crate) fn payload(&self) -> Option<&str> {
        self.json.as_deref()?.get(self.payload.clone())
    }
}

impl Detail {
    /// How many lines the view has.
    pub(crate) fn lines(&self) -> usize {
        let Some(contents) = &self.contents else { return 0 };
        match self.view {
            View::Json if contents.json.is_some() => contents.doc.height() + usize::from(contents.doc.left_out > 0),
            View::Hex => {
                let bytes = contents.row.end - contents.row.start;
                bytes.div_ceil(self.hex_width.max(1) as u64) as usize
            }
            View::Aggregate => contents.story.as_ref().map_or(0, Story::lines),
            _ => super::sheet::sheet(contents, self.view, self.width).len(),
        }
    }

    /// Moves the cursor by so many lines.
    pub(crate) fn move_by(&mut self, lines: i64) {
        let last = self.lines().saturating_sub(1) as i64;
        self.cursor = (self.cursor as i64).saturating_add(lines).clamp(0, last) as usize;
        let height = self.height.max(1);
        self.top = self.top.min(self.cursor).max((self.cursor + 1).saturating_sub(height));
    }

    /// Back to the first line.
    pub(crate) fn rewind(&mut self) {
        (self.cursor, self.top, self.sideways) = (0, 0, 0);
    }

    /// The hex window that the lines on the screen need, when it is not there.
    pub(crate) fn window(&self) -> Option<u64> {
        let contents = self.contents.as_ref().filter(|_| self.view == View::Hex)?;
        let width = self.hex_width.max(1) as u64;
        let first = contents.row.start + self.top as u64 * width;
        let last = (first + (self.height as u64 + 1) * width).min(contents.row.end);
        let have = contents.base..contents.base + contents.bytes.len() as u64;
        let enough = have.contains(&first) && last <= have.end;
        // Half a window above, so that a few lines up need no other.
        (!enough).then(|| first.saturating_sub(WINDOW / 2).max(contents.row.start))
    }
}

impl Story {
    /// Lines it takes: one for each event, one for each difference.
    pub(crate) fn lines(&self) -> usize {
        self.chapters.iter().map(Chapter::lines).sum()
    }

    /// The event whose lines hold this one.
    pub(crate) fn at(&self, line: usize) -> Option<&Chapter> {
        let mut rest = line;
        self.chapters.iter().find(|chapter| {
            let here = rest < chapter.lines();
            rest = rest.saturating_sub(chapter.lines());
            here
        })
    }

    /// The line of the event at an offset.
    pub(crate) fn line_of(&self, offset: u64) -> usize {
        self.chapters.iter().take_while(|chapter| chapter.row.start < offset).map(Chapter::lines).sum()
    }
}

impl Chapter {
    /// Lines it takes.
    pub(crate) fn lines(&self) -> usize {
        1 + self.changes.len() + usize::from(self.not_listed > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_go_round_both_ways() {
        assert_eq!(View::Json.step(-1), View::Aggregate);
        assert_eq!(View::Aggregate.step(1), View::Json);
        assert_eq!(View::Hex.step(1), View::Frame);
    }
}
