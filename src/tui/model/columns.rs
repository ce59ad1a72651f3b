//! The columns of the list of events: which are shown, in which order, and how wide.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::export::ExportColumn;
use crate::query::{ExcerptRequest, PayloadPath};
use crate::tui::request::{EventNumbers, PageColumns};

/// Size of the summary of a payload, in bytes. It is more than a line of a wide screen shows.
const SUMMARY_BYTES: usize = 2 << 10;
/// Largest number of columns with values of the payload.
const MAX_VALUE_COLUMNS: usize = 8;
/// Largest number of columns of the screen by which the user can make a column wider or narrower.
const MAX_ADJUSTMENT: i16 = 200;

/// A column of the list of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventColumn {
    /// The number of the event in the log, counted from 1.
    Ordinal,
    /// The file offset of the row.
    Offset,
    /// The time at which the event was written.
    Time,
    /// The type of the event.
    Type,
    /// The id of the event's aggregate.
    Aggregate,
    /// The namespace of the event.
    Namespace,
    /// The schema of the event, with its version.
    Schema,
    /// The number of bytes that the event takes in the log.
    Size,
    /// The value at a path in the payload.
    Value(PayloadPath),
    /// A summary of the payload, which takes the room that is left.
    Payload,
}

/// A column, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnChoice {
    /// The column.
    pub(crate) column: EventColumn,
    /// Number of columns of the screen by which it is wider than its contents need, or narrower.
    pub(crate) adjustment: i16,
    /// Whether the column is shown.
    pub(crate) is_shown: bool,
}

/// All columns, in order. Each occurs once, and at least one is shown.
///
/// Its serialised form is a list of the names of the columns that are shown, each with `=+N` or `=-N` after it when the user has changed its width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub(crate) struct ColumnLayout {
    choices: Vec<ColumnChoice>,
}

impl EventColumn {
    /// All columns except those of payload values, in the default order.
    pub(crate) const BUILT_IN: [Self; 9] = [
        Self::Ordinal,
        Self::Offset,
        Self::Time,
        Self::Type,
        Self::Aggregate,
        Self::Namespace,
        Self::Schema,
        Self::Size,
        Self::Payload,
    ];

    /// Returns the name of the column: a word, or the path of a value.
    pub(crate) fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Ordinal => "ordinal",
            Self::Offset => "offset",
            Self::Time => "time",
            Self::Type => "type",
            Self::Aggregate => "aggregate",
            Self::Namespace => "namespace",
            Self::Schema => "schema",
            Self::Size => "size",
            Self::Payload => "payload",
            Self::Value(path) => return Cow::Owned(path.to_string()),
        })
    }

    /// Returns what the column shows, in a few words.
    pub(crate) const fn description(&self) -> &'static str {
        match self {
            Self::Ordinal => "number of the event in the log; :#N goes to it",
            Self::Offset => "file offset of the row",
            Self::Time => "time at which the event was written",
            Self::Type => "event_type",
            Self::Aggregate => "aggregate_id",
            Self::Namespace => "namespace",
            Self::Schema => "schema_id and schema_version",
            Self::Size => "size in the log",
            Self::Payload => "the payload as compact JSON, in the room that is left",
            Self::Value(_) => "value of the payload",
        }
    }

    /// Returns the columns of a CSV file that have the values of this column; none where the value is not part of the event.
    pub(crate) fn export_columns(&self) -> Vec<ExportColumn> {
        match self {
            Self::Ordinal | Self::Size => Vec::new(),
            Self::Offset => vec![ExportColumn::Offset],
            Self::Time => vec![ExportColumn::Time],
            Self::Type => vec![ExportColumn::Type],
            Self::Aggregate => vec![ExportColumn::Aggregate],
            Self::Namespace => vec![ExportColumn::Namespace],
            Self::Schema => vec![ExportColumn::Schema, ExportColumn::SchemaVersion],
            Self::Value(path) => vec![ExportColumn::Payload(path.clone())],
            Self::Payload => vec![ExportColumn::Payload(PayloadPath::whole_payload())],
        }
    }

    /// Parses the name of a column.
    ///
    /// # Errors
    /// The known names, when `name` is none and is no path either.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        if let Some(column) = Self::BUILT_IN.into_iter().find(|column| column.name() == name) {
            return Ok(column);
        }
        if let Some(path) = PayloadPath::parse(name)? {
            return Ok(Self::Value(path));
        }
        let names: Vec<_> = Self::BUILT_IN.iter().map(Self::name).collect();
        Err(format!("expected a column ({}) or a path such as payload.amount, found `{name}`", names.join(", ")))
    }
}

impl fmt::Display for ColumnChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.column.name())?;
        if self.adjustment == 0 { Ok(()) } else { write!(f, "={:+}", self.adjustment) }
    }
}

impl ColumnChoice {
    /// Creates the choice to show a column as wide as its contents need.
    const fn shown(column: EventColumn) -> Self {
        Self { column, adjustment: 0, is_shown: true }
    }

    /// Parses the form that [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Result<Self, String> {
        let adjusted = text.rsplit_once('=').and_then(|(name, width)| Some((name, width.parse::<i16>().ok()?)));
        match adjusted {
            Some((name, adjustment)) => {
                let adjustment = adjustment.clamp(-MAX_ADJUSTMENT, MAX_ADJUSTMENT);
                Ok(Self { adjustment, ..Self::shown(EventColumn::parse(name)?) })
            }
            None => Ok(Self::shown(EventColumn::parse(text)?)),
        }
    }
}

impl Default for ColumnLayout {
    fn default() -> Self {
        let choice = |column| ColumnChoice {
            is_shown: !matches!(column, EventColumn::Ordinal | EventColumn::Size),
            ..ColumnChoice::shown(column)
        };
        Self { choices: EventColumn::BUILT_IN.into_iter().map(choice).collect() }
    }
}

impl TryFrom<Vec<String>> for ColumnLayout {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let mut layout = Self { choices: Vec::new() };
        for text in texts {
            layout.push(ColumnChoice::parse(&text)?)?;
        }
        if layout.choices.is_empty() {
            return Err("expected at least one column, found none".into());
        }
        // The columns that are not shown follow those that precede them in the default order.
        for (rank, column) in EventColumn::BUILT_IN.into_iter().enumerate() {
            if layout.choices.iter().all(|choice| choice.column != column) {
                let before = EventColumn::BUILT_IN.get(..rank).unwrap_or_default();
                let place = layout.choices.iter().rposition(|choice| before.contains(&choice.column));
                let choice = ColumnChoice { is_shown: false, ..ColumnChoice::shown(column) };
                layout.choices.insert(place.map_or(0, |place| place + 1), choice);
            }
        }
        Ok(layout)
    }
}

impl From<ColumnLayout> for Vec<String> {
    fn from(layout: ColumnLayout) -> Self {
        layout.shown().map(ToString::to_string).collect()
    }
}

impl ColumnLayout {
    /// Returns all columns, in order.
    pub(crate) fn choices(&self) -> &[ColumnChoice] {
        &self.choices
    }

    /// Iterates over the columns that are shown, in order.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &ColumnChoice> {
        self.choices.iter().filter(|choice| choice.is_shown)
    }

    /// Returns whether a column is shown.
    pub(crate) fn is_shown(&self, column: &EventColumn) -> bool {
        self.shown().any(|choice| choice.column == *column)
    }

    /// Returns what the rows of a page have to contain for these columns.
    pub(crate) fn page_columns(&self) -> PageColumns {
        let has_summary = self.is_shown(&EventColumn::Payload);
        let excerpt = ExcerptRequest::default()
            .with_summary(if has_summary { SUMMARY_BYTES } else { 0 })
            .with_paths(self.value_paths().cloned().collect());
        let has_numbers = self.is_shown(&EventColumn::Ordinal);
        PageColumns { excerpt, numbers: if has_numbers { EventNumbers::Counted } else { EventNumbers::Absent } }
    }

    /// Returns the columns of a CSV file with the columns that are shown. The offset, which identifies the event, is always the
    /// first one.
    pub(crate) fn export_columns(&self) -> Vec<ExportColumn> {
        let shown = self.shown().flat_map(|choice| choice.column.export_columns());
        std::iter::once(ExportColumn::Offset).chain(shown.filter(|column| *column != ExportColumn::Offset)).collect()
    }

    /// Iterates over the paths of the columns with values, in the order of the values in an excerpt.
    pub(crate) fn value_paths(&self) -> impl Iterator<Item = &PayloadPath> {
        self.shown().filter_map(|choice| match &choice.column {
            EventColumn::Value(path) => Some(path),
            _ => None,
        })
    }

    /// Adds the column of a value before the payload, or at the end.
    ///
    /// # Errors
    /// The text is not a path; the column is shown already; there are as many such columns as can be shown.
    pub(crate) fn add_value(&mut self, text: &str) -> Result<EventColumn, String> {
        let text = text.trim();
        let path = if text.starts_with("payload.") { text.to_owned() } else { format!("payload.{text}") };
        let column = EventColumn::parse(&path)?;
        self.push(ColumnChoice::shown(column.clone()))?;
        if let Some(payload) = self.position(&EventColumn::Payload)
            && let Some(added) = self.choices.pop()
        {
            self.choices.insert(payload, added);
        }
        Ok(column)
    }

    /// Shows a hidden column, or hides one that is shown. The last one stays. The column of a value is removed.
    pub(crate) fn toggle(&mut self, column: &EventColumn) {
        let shown_count = self.shown().count();
        let Some(position) = self.position(column) else { return };
        let Some(choice) = self.choices.get_mut(position) else { return };
        if choice.is_shown && shown_count == 1 {
            return;
        }
        choice.is_shown = !choice.is_shown;
        if matches!(column, EventColumn::Value(_)) {
            self.choices.remove(position);
        }
    }

    /// Moves a column by a number of places.
    pub(crate) fn move_column(&mut self, column: &EventColumn, places: isize) {
        if let Some(position) = self.position(column) {
            let last = self.choices.len() - 1;
            let choice = self.choices.remove(position);
            self.choices.insert(position.saturating_add_signed(places).min(last), choice);
        }
    }

    /// Makes a column wider by a number of columns of the screen, or narrower.
    pub(crate) fn widen(&mut self, column: &EventColumn, columns: i16) {
        if let Some(choice) = self.choices.iter_mut().find(|choice| choice.column == *column) {
            choice.adjustment = choice.adjustment.saturating_add(columns).clamp(-MAX_ADJUSTMENT, MAX_ADJUSTMENT);
        }
    }

    fn position(&self, column: &EventColumn) -> Option<usize> {
        self.choices.iter().position(|choice| choice.column == *column)
    }

    fn push(&mut self, choice: ColumnChoice) -> Result<(), String> {
        let name = choice.column.name();
        if self.position(&choice.column).is_some() {
            return Err(format!("the column {name} is shown already"));
        }
        if matches!(choice.column, EventColumn::Value(_)) && self.value_paths().count() >= MAX_VALUE_COLUMNS {
            return Err(format!("at most {MAX_VALUE_COLUMNS} columns with values of the payload can be shown"));
        }
        self.choices.push(choice);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(layout: &ColumnLayout) -> Vec<String> {
        layout.clone().into()
    }

    #[test]
    fn a_layout_survives_serialisation() {
        let mut layout = ColumnLayout::default();
        layout.add_value("amount").unwrap();
        layout.add_value("payload.\"a=5\"").unwrap();
        layout.widen(&EventColumn::Type, 4);
        let json = serde_json::to_string(&layout).unwrap();
        assert_eq!(
            json,
            r#"["offset","time","type=+4","aggregate","namespace","schema","payload.amount","payload.\"a=5\"","payload"]"#
        );
        assert_eq!(serde_json::from_str::<ColumnLayout>(&json).unwrap(), layout);
    }

    #[test]
    fn a_layout_from_outside_is_checked() {
        for (json, reason) in [
            ("[]", "at least one column"),
            (r#"["offset","offset"]"#, "shown already"),
            (r#"["ofset"]"#, "expected a column (ordinal, offset"),
            (r#"["payload..x"]"#, "a key is missing"),
        ] {
            let error = serde_json::from_str::<ColumnLayout>(json).unwrap_err().to_string();
            assert!(error.contains(reason), "{json}: {error}");
        }
        let many: Vec<String> = (0..9).map(|n| format!("payload.k{n}")).collect();
        assert!(ColumnLayout::try_from(many).unwrap_err().contains("at most 8"));
        let wide = ColumnLayout::try_from(vec!["type=30000".into(), "offset=-2".into()]).unwrap();
        assert_eq!(names(&wide), ["type=+200", "offset=-2"]);
    }

    #[test]
    fn columns_are_hidden_shown_and_moved() {
        let mut layout = ColumnLayout::try_from(vec!["offset".into(), "type".into(), "payload".into()]).unwrap();
        layout.toggle(&EventColumn::Time);
        assert_eq!(names(&layout), ["offset", "time", "type", "payload"], "the default place");
        layout.move_column(&EventColumn::Payload, -9);
        layout.move_column(&EventColumn::Offset, 9);
        assert_eq!(names(&layout), ["payload", "time", "type", "offset"]);
        layout.add_value("n").unwrap();
        assert_eq!(names(&layout), ["payload.n", "payload", "time", "type", "offset"]);
        layout.toggle(&EventColumn::parse("payload.n").unwrap());
        for choice in layout.choices().to_vec() {
            if choice.is_shown {
                layout.toggle(&choice.column);
            }
        }
        assert_eq!(names(&layout), ["offset"], "the last column stays");
        assert_eq!(layout.choices().len(), EventColumn::BUILT_IN.len());
    }
}
