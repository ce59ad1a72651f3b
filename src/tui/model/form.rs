//! The append form: fields that keep their last values, an editor that judges as one types, and what it has cost.

use std::time::Duration;

use ratatui_textarea::TextArea;

use super::text_input::TextInput;
use crate::file::Durability;
use crate::format::{Event, PayloadError, json};

/// Events that one sending may append at most.
const MAX_APPEND_COUNT: u32 = 100_000;

/// A field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FormField {
    /// `event_type`
    #[default]
    Type,
    /// `namespace`
    Namespace,
    /// `schema_id`
    Schema,
    /// `schema_version`
    Version,
    /// `aggregate_id`; empty for none.
    Aggregate,
    /// `payload`
    Payload,
    /// Buffered or synced.
    Durability,
    /// How many.
    Count,
}

impl FormField {
    /// Every field with its label, in their order.
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::Type, "event_type"),
        (Self::Namespace, "namespace"),
        (Self::Schema, "schema_id"),
        (Self::Version, "schema_version"),
        (Self::Aggregate, "aggregate_id"),
        (Self::Payload, "payload"),
        (Self::Durability, "durability"),
        (Self::Count, "how many"),
    ];

    fn cycle(self, by: isize) -> Self {
        let now = Self::ALL.iter().position(|(field, _)| *field == self).unwrap_or_default() as isize;
        let next = (now + by).rem_euclid(Self::ALL.len() as isize) as usize;
        Self::ALL.get(next).map_or(self, |(field, _)| *field)
    }
}

/// The form.
#[derive(Debug, Clone)]
pub(crate) struct AppendForm {
    /// The field that has the keys.
    pub(crate) field: FormField,
    /// The lines of text, in the order of [`FormField::ALL`]; the last is how many.
    inputs: [TextInput; 6],
    /// The payload.
    pub(crate) editor: TextArea<'static>,
    /// What is waited for.
    pub(crate) durability: Durability,
    /// What the last sending did, in words.
    pub(crate) outcome: Vec<String>,
    /// The time each event took, by mode: buffered, synced.
    pub(crate) latencies: [Vec<Duration>; 2],
    /// Events are on their way.
    pub(crate) is_sending: bool,
}

impl Default for AppendForm {
    fn default() -> Self {
        let line = |text: &str| TextInput::new(text);
        let mut editor = TextArea::new(vec!["{\"note\":\"test\"}".to_owned()]);
        editor.move_cursor(ratatui_textarea::CursorMove::End);
        Self {
            field: FormField::default(),
            inputs: [line("Tested"), line("chronicle"), line("Test"), line("1"), line(""), line("1")],
            editor,
            durability: Durability::Buffered,
            outcome: Vec::new(),
            latencies: [Vec::new(), Vec::new()],
            is_sending: false,
        }
    }
}

impl AppendForm {
    /// The line of a field; `None` for those that are no line.
    pub(crate) fn input(&self, field: FormField) -> Option<&TextInput> {
        self.inputs.get(input_index(field)?)
    }

    /// The line that has the keys.
    pub(crate) fn focused_input(&mut self) -> Option<&mut TextInput> {
        self.inputs.get_mut(input_index(self.field)?)
    }

    /// Moves to the next field, or the one before.
    pub(crate) fn cycle_field(&mut self, by: isize) {
        self.field = self.field.cycle(by);
    }

    /// The payload as typed.
    pub(crate) fn payload(&self) -> String {
        self.editor.lines().join("\n")
    }

    /// What is wrong with a field, as it stands.
    pub(crate) fn field_error(&self, field: FormField) -> Option<String> {
        let text = self.input(field).map(TextInput::text).unwrap_or_default();
        match field {
            FormField::Version => text.parse::<u32>().err().map(|_| "expected 0 to 4294967295".into()),
            FormField::Aggregate if text.is_empty() => None,
            FormField::Aggregate => text.parse::<u64>().err().map(|_| "expected a number, or nothing".into()),
            FormField::Count => {
                let fits = text.parse::<u32>().is_ok_and(|count| (1..=MAX_APPEND_COUNT).contains(&count));
                (!fits).then(|| format!("expected 1 to {MAX_APPEND_COUNT}"))
            }
            FormField::Payload => json::validate(self.payload().as_bytes()).err().map(|invalid| {
                let (line, column) = line_and_column(&self.payload(), invalid.offset);
                format!("line {line}, column {column}: {}", invalid.reason)
            }),
            _ => None,
        }
    }

    /// How many events are to be appended.
    pub(crate) fn count(&self) -> u32 {
        let text = self.input(FormField::Count).map(TextInput::text).unwrap_or_default();
        text.parse::<u32>().unwrap_or(1).clamp(1, MAX_APPEND_COUNT)
    }

    /// The event as it stands.
    ///
    /// # Errors
    /// What the first wrong field says.
    pub(crate) fn event(&self) -> Result<Event, String> {
        for (field, label) in FormField::ALL {
            if let Some(wrong) = self.field_error(field) {
                return Err(format!("{label}: {wrong}"));
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

    /// The times of a mode.
    pub(crate) fn latencies_for(&self, durability: Durability) -> &[Duration] {
        match (durability, &self.latencies) {
            (Durability::Buffered, [buffered, _]) => buffered,
            (Durability::Synced, [_, synced]) => synced,
        }
    }

    /// Adds times to a mode.
    pub(crate) fn record_latencies(&mut self, durability: Durability, times: &[Duration]) {
        match (durability, &mut self.latencies) {
            (Durability::Buffered, [buffered, _]) => buffered.extend_from_slice(times),
            (Durability::Synced, [_, synced]) => synced.extend_from_slice(times),
        }
    }
}

/// Times by power of two of microseconds: how many took up to 1, 2, 4, ... µs. Empty ends are left out.
pub(crate) fn latency_histogram(times: &[Duration]) -> Vec<(Duration, usize)> {
    let bucket = |time: &Duration| {
        let micros = time.as_nanos().div_ceil(1000).max(1) as u64;
        u64::BITS - (micros - 1).leading_zeros()
    };
    let buckets: Vec<u32> = times.iter().map(bucket).collect();
    let (Some(first), Some(last)) = (buckets.iter().min(), buckets.iter().max()) else {
        return Vec::new();
    };
    (*first..=*last)
        .map(|power| (Duration::from_micros(1 << power.min(40)), buckets.iter().filter(|b| **b == power).count()))
        .collect()
}

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

/// Line and column, counted from 1, of a byte.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::super::super::keys::Key;
    use super::*;

    #[test]
    fn the_form_builds_the_event_it_shows() {
        let mut form = AppendForm { field: FormField::Aggregate, ..AppendForm::default() };
        form.focused_input().unwrap().handle_key(Key::Char('7'));
        form.editor = TextArea::new(vec!["{ \"a\":".into(), " 1.0 }".into()]);
        let event = form.event().unwrap();
        assert_eq!((event.aggregate_id(), event.payload()), (Some(7), "{\"a\":1.0}"));
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        let editor = TextArea::new(vec!["{".into(), "  \"a\": 01}".into()]);
        let mut form = AppendForm { editor, ..AppendForm::default() };
        let wrong = form.field_error(FormField::Payload).unwrap();
        assert!(wrong.starts_with("line 2, column 9"), "{wrong}");
        form.field = FormField::Count;
        form.focused_input().unwrap().handle_key(Key::Backspace);
        assert!(form.field_error(FormField::Count).is_some() && form.event().is_err());
    }

    #[test]
    fn times_are_counted_by_powers_of_two() {
        let times: Vec<_> = [1, 2, 3, 4, 5, 1000].map(Duration::from_micros).into();
        let counted = latency_histogram(&times);
        assert_eq!(counted.first(), Some(&(Duration::from_micros(1), 1)));
        assert_eq!(counted.get(2), Some(&(Duration::from_micros(4), 2)));
        assert_eq!(counted.last(), Some(&(Duration::from_micros(1024), 1)));
        assert_eq!(counted.iter().map(|(_, n)| n).sum::<usize>(), 6);
        assert!(latency_histogram(&[]).is_empty());
    }
}
