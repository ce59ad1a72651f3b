//! The append form: its fields, their validation, and the latencies of the appends.

use std::time::Duration;

use ratatui_textarea::TextArea;

use super::json_lines::indented_lines;
use super::text_input::TextInput;
use crate::file::Durability;
use crate::format::{Event, PayloadError, json};
use crate::query::EventSummary;
use crate::tui::actions::ActionId;

/// Largest number of events that one submission appends.
const MAX_APPEND_COUNT: u32 = 100_000;

/// A field of the append form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FormField {
    /// The `event_type` of the event.
    #[default]
    Type,
    /// The `namespace` of the event.
    Namespace,
    /// The `schema_id` of the event.
    Schema,
    /// The `schema_version` of the event.
    Version,
    /// The `aggregate_id` of the event. An empty field means none.
    Aggregate,
    /// The `payload` of the event, as JSON.
    Payload,
    /// The durability of the appends: buffered or synced.
    Durability,
    /// How many times the event is appended.
    Count,
}

impl FormField {
    /// All fields, in the order of the form.
    pub(crate) const ALL: [Self; 8] = [
        Self::Type,
        Self::Namespace,
        Self::Schema,
        Self::Version,
        Self::Aggregate,
        Self::Payload,
        Self::Durability,
        Self::Count,
    ];

    /// Returns the label of the field.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Type => "event_type",
            Self::Namespace => "namespace",
            Self::Schema => "schema_id",
            Self::Version => "schema_version",
            Self::Aggregate => "aggregate_id",
            Self::Payload => "payload",
            Self::Durability => "durability",
            Self::Count => "count",
        }
    }

    /// Returns whether the keys of an action of the form have an effect in this field.
    pub(crate) const fn has_action(self, id: ActionId) -> bool {
        match id {
            ActionId::ChangeValue => matches!(self, Self::Durability),
            ActionId::LineBreak => matches!(self, Self::Payload),
            _ => true,
        }
    }

    fn cycle(self, steps: isize) -> Self {
        let current = Self::ALL.iter().position(|field| *field == self).unwrap_or_default() as isize;
        let next = (current + steps).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL.get(next).copied().unwrap_or(self)
    }
}

/// The append form. It keeps its values while it is closed.
#[derive(Debug, Clone)]
pub(crate) struct AppendForm {
    /// The field that has the focus.
    pub(crate) field: FormField,
    /// The inputs of the single-line fields, at the positions that `input_index` returns.
    inputs: [TextInput; 6],
    /// The editor of the payload.
    pub(crate) editor: TextArea<'static>,
    /// Whether each append waits for the data to reach the disk.
    pub(crate) durability: Durability,
    /// The result of the last submission, one message per line.
    pub(crate) outcome: Vec<String>,
    /// Latencies of the buffered appends of this session.
    buffered_latencies: Vec<Duration>,
    /// Latencies of the synced appends of this session.
    synced_latencies: Vec<Duration>,
    /// Whether a submission is being appended.
    pub(crate) is_sending: bool,
}

impl Default for AppendForm {
    fn default() -> Self {
        let mut editor = TextArea::new(vec!["{\"note\":\"test\"}".to_owned()]);
        editor.move_cursor(ratatui_textarea::CursorMove::End);
        Self {
            field: FormField::default(),
            inputs: ["Tested", "chronicle", "Test", "1", "", "1"].map(TextInput::new),
            editor,
            durability: Durability::Buffered,
            outcome: Vec::new(),
            buffered_latencies: Vec::new(),
            synced_latencies: Vec::new(),
            is_sending: false,
        }
    }
}

impl AppendForm {
    /// Takes over the fields and the payload of an event. The payload is laid out in lines. Durability and count stay.
    pub(crate) fn take_event(&mut self, event: &EventSummary, payload: &str) {
        let values = [
            (FormField::Type, event.event_type.clone()),
            (FormField::Namespace, event.namespace.clone()),
            (FormField::Schema, event.schema_id.clone()),
            (FormField::Version, event.schema_version.to_string()),
            (FormField::Aggregate, event.aggregate_id.map(|id| id.to_string()).unwrap_or_default()),
        ];
        for (field, text) in values {
            if let Some(input) = input_index(field).and_then(|index| self.inputs.get_mut(index)) {
                *input = TextInput::new(text);
            }
        }
        self.editor = TextArea::new(indented_lines(payload));
        self.field = FormField::Payload;
    }

    /// Returns the place of the fault in the payload: its line, and its character in the line, both counted from 0.
    pub(crate) fn payload_fault(&self) -> Option<(usize, usize)> {
        let payload = self.payload();
        let fault = json::validate(payload.as_bytes()).err()?.offset;
        let before = payload.get(..fault.min(payload.len())).unwrap_or(&payload);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Some((before.matches('\n').count(), line.chars().count()))
    }

    /// Returns the input of a field, or `None` when the field is not a line of text.
    pub(crate) fn input(&self, field: FormField) -> Option<&TextInput> {
        self.inputs.get(input_index(field)?)
    }

    /// Returns the input of the focused field, or `None` when the field is not a line of text.
    pub(crate) fn focused_input(&mut self) -> Option<&mut TextInput> {
        self.inputs.get_mut(input_index(self.field)?)
    }

    /// Moves the focus by a number of fields. The order is cyclic.
    pub(crate) fn cycle_field(&mut self, steps: isize) {
        self.field = self.field.cycle(steps);
    }

    /// Returns the payload as typed.
    pub(crate) fn payload(&self) -> String {
        self.editor.lines().join("\n")
    }

    /// Returns why the value of a field is not valid, or `None` when it is.
    pub(crate) fn field_error(&self, field: FormField) -> Option<String> {
        let text = self.input(field).map(TextInput::text).unwrap_or_default();
        match field {
            FormField::Version => text.parse::<u32>().err().map(|_| "expected a number from 0 to 4294967295".into()),
            FormField::Aggregate if text.is_empty() => None,
            FormField::Aggregate => text.parse::<u64>().err().map(|_| "expected a number, or empty for none".into()),
            FormField::Count => {
                let fits = text.parse::<u32>().is_ok_and(|count| (1..=MAX_APPEND_COUNT).contains(&count));
                (!fits).then(|| format!("expected a number from 1 to {MAX_APPEND_COUNT}"))
            }
            FormField::Payload => json::validate(self.payload().as_bytes())
                .err()
                .map(|invalid| format!("{}: {}", position_text(&self.payload(), invalid.offset), invalid.reason)),
            _ => None,
        }
    }

    /// Returns the number of events to append.
    pub(crate) fn count(&self) -> u32 {
        let text = self.input(FormField::Count).map(TextInput::text).unwrap_or_default();
        text.parse::<u32>().unwrap_or(1).clamp(1, MAX_APPEND_COUNT)
    }

    /// Builds the event from the fields.
    ///
    /// # Errors
    /// A message that names the first field whose value is not valid.
    pub(crate) fn event(&self) -> Result<Event, String> {
        for field in FormField::ALL {
            if let Some(error) = self.field_error(field) {
                return Err(format!("{}: {error}", field.label()));
            }
        }
        let text = |field| self.input(field).map(TextInput::text).unwrap_or_default();
        let mut event = Event::builder()
            .event_type(text(FormField::Type))
            .namespace(text(FormField::Namespace))
            .schema_id(text(FormField::Schema))
            .schema_version(text(FormField::Version).parse().unwrap_or_default())
            .payload_json(self.payload());
        if let Ok(id) = text(FormField::Aggregate).parse() {
            event = event.aggregate_id(id);
        }
        event.build().map_err(|invalid: PayloadError| invalid.to_string())
    }

    /// Returns whether there is a result of an append to show.
    pub(crate) const fn has_result(&self) -> bool {
        !self.outcome.is_empty() || !self.buffered_latencies.is_empty() || !self.synced_latencies.is_empty()
    }

    /// Returns the latencies of this session's appends with a durability.
    pub(crate) fn latencies_for(&self, durability: Durability) -> &[Duration] {
        match durability {
            Durability::Buffered => &self.buffered_latencies,
            Durability::Synced => &self.synced_latencies,
        }
    }

    /// Adds latencies of appends with a durability.
    pub(crate) fn record_latencies(&mut self, durability: Durability, latencies: &[Duration]) {
        match durability {
            Durability::Buffered => self.buffered_latencies.extend_from_slice(latencies),
            Durability::Synced => self.synced_latencies.extend_from_slice(latencies),
        }
    }
}

/// Returns the position of a field in `AppendForm::inputs`, or `None` when the field is not a line of text.
fn input_index(field: FormField) -> Option<usize> {
    match field {
        FormField::Type => Some(0),
        FormField::Namespace => Some(1),
        FormField::Schema => Some(2),
        FormField::Version => Some(3),
        FormField::Aggregate => Some(4),
        FormField::Count => Some(5),
        FormField::Payload | FormField::Durability => None,
    }
}

/// Formats the line and the column of a byte, both counted from 1.
fn position_text(text: &str, byte: usize) -> String {
    let before = text.get(..byte.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::Key;

    #[test]
    fn the_form_builds_the_event_it_shows() {
        let mut form = AppendForm { field: FormField::Aggregate, ..AppendForm::default() };
        form.focused_input().unwrap().handle_key(Key::Char('7'));
        form.editor = TextArea::new(vec!["{ \"a\":".into(), " 1.0 }".into()]);
        let event = form.event().unwrap();
        assert_eq!((event.aggregate_id(), event.payload()), (Some(7), "{\"a\":1.0}"));
    }

    #[test]
    fn the_fields_and_the_payload_of_an_event_are_taken_over() {
        let mut form = AppendForm { durability: Durability::Synced, ..AppendForm::default() };
        let summary = EventSummary {
            time_ms: 1,
            event_type: "Upd\"ated".into(),
            namespace: "orders".into(),
            schema_id: "Order".into(),
            schema_version: 3,
            aggregate_id: None,
            excerpt: None,
            ordinal: None,
        };
        let payload = r#"{"a":[1.50,{}],"b":{"c":"x, y: {z}"}}"#;
        form.take_event(&summary, payload);
        assert_eq!(form.editor.lines().len(), 9, "{:?}", form.editor.lines());
        let event = form.event().unwrap();
        assert_eq!([event.event_type(), event.namespace(), event.schema_id()], ["Upd\"ated", "orders", "Order"]);
        assert_eq!((event.schema_version(), event.aggregate_id(), event.payload()), (3, None, payload));
        assert_eq!((form.durability, form.count()), (Durability::Synced, 1));
        form.take_event(&EventSummary { aggregate_id: Some(7), ..summary }, "7");
        assert_eq!((form.event().unwrap().aggregate_id(), form.payload()), (Some(7), "7".into()));
    }

    #[test]
    fn an_invalid_value_is_reported_at_its_field() {
        let editor = TextArea::new(vec!["{".into(), "  \"a\": 01}".into()]);
        let mut form = AppendForm { editor, ..AppendForm::default() };
        let error = form.field_error(FormField::Payload).unwrap();
        assert!(error.starts_with("line 2, column 9"), "{error}");
        assert_eq!((form.payload_fault(), AppendForm::default().payload_fault()), (Some((1, 8)), None));
        form.field = FormField::Count;
        form.focused_input().unwrap().handle_key(Key::Backspace);
        assert!(form.field_error(FormField::Count).is_some() && form.event().is_err());
    }
}
