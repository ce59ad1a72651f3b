//! [`EventText`]: the lines of events as text, as JSON lines or as comma-separated values.

use std::io::Write as _;

use super::column::ExportColumn;
use crate::format::json;
use crate::log::ReplayedEvent;
use crate::report::sanitize_json;

/// The form in which events are written as lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// One JSON object per line.
    JsonLines,
    /// One JSON object per line, with hostile characters as JSON escapes, for a terminal.
    SafeJsonLines,
    /// Comma-separated values of these columns.
    Csv(Vec<ExportColumn>),
}

/// The lines of some events.
pub(super) struct EventText<'f> {
    format: &'f TextFormat,
    /// The lines of JSON.
    json: Vec<u8>,
    /// The lines of comma-separated values; created for the first one.
    csv: Option<csv::Writer<Vec<u8>>>,
    events: u64,
}

impl<'f> EventText<'f> {
    /// Creates an empty text.
    pub(super) const fn new(format: &'f TextFormat) -> Self {
        Self { format, json: Vec::new(), csv: None, events: 0 }
    }

    /// Adds the line of an event.
    #[inline]
    pub(super) fn append(&mut self, event: &ReplayedEvent) {
        self.events += 1;
        match self.format {
            TextFormat::JsonLines => {
                append_event_object(event, &mut self.json);
                self.json.push(b'\n');
            }
            TextFormat::SafeJsonLines => {
                let mut object = Vec::new();
                append_event_object(event, &mut object);
                self.json.extend_from_slice(sanitize_json(&String::from_utf8_lossy(&object)).as_bytes());
                self.json.push(b'\n');
            }
            TextFormat::Csv(columns) => {
                let csv = self.csv.get_or_insert_with(|| csv::Writer::from_writer(Vec::new()));
                let cells = columns.iter().map(|column| column.cell(event));
                csv.write_record(cells).expect("writing to a Vec never fails, and every record has the same columns");
            }
        }
    }

    /// Returns the lines that were added and their number, and starts again without any.
    pub(super) fn take(&mut self) -> (Vec<u8>, u64) {
        let events = std::mem::take(&mut self.events);
        let lines = match self.csv.take() {
            Some(csv) => csv.into_inner().expect("writing to a Vec never fails"),
            None => std::mem::take(&mut self.json),
        };
        (lines, events)
    }
}

/// Fills `line` with `{"offset":N,"event":{...}}`. The event keeps its tokens as stored and loses whitespace outside strings.
pub(crate) fn event_line(event: &ReplayedEvent, line: &mut Vec<u8>) {
    line.clear();
    append_event_object(event, line);
}

/// Appends the object of [`event_line`] to `out`.
#[inline]
fn append_event_object(event: &ReplayedEvent, out: &mut Vec<u8>) {
    write!(out, "{{\"offset\":{},\"event\":", event.offset).expect("writing to a Vec never fails");
    json::compact(event.event.json().as_bytes(), out);
    out.push(b'}');
}
