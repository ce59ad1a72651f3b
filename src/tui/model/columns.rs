//! The columns of the list of events: which are shown, in which order, and how wide.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::query::{ExcerptRequest, PayloadPath};
use crate::tui::request::{EventNumbers, PageColumns};

/// Size of the summary of a payload, in bytes. It is more than a line of a wide screen shows.
const SUMMARY_BYTES: usize = 2 << 10;
/// Largest number of columns with values of the payload.
const MAX_VALUE_COLUMNS: usize = 8;
/// Largest width of a column that the user can set.
const MAX_FIXED_WIDTH: u16 = 200;
/// Smallest width of a column that the user can set.
const MIN_FIXED_WIDTH: u16 = 3;

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

/// The width of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ColumnWidth {
    /// As wide as its contents, within limits.
    #[default]
    Automatic,
    /// This number of columns of the screen.
    Fixed(u16),
}

/// A column that is shown, with its width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnChoice {
    /// The column.
    pub(crate) column: EventColumn,
    /// The width of the column.
    pub(crate) width: ColumnWidth,
}

/// The columns that are shown, in order. Each column occurs once.
///
/// Its serialised form is a list of names, each with `=WIDTH` after it when the user has set a width.
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

    /// Parses the name of a column.
    ///
    /// # Errors
    /// The known names, when `name` is none and is no path either.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        if let Some(column) = Self::BUILT_IN.into_iter().find(|column| column.name() == name) {
            return Ok(column);
        }
        match PayloadPath::parse(name)? {
            Some(path) => Ok(Self::Value(path)),
            None => {
                let names: Vec<_> = Self::BUILT_IN.iter().map(Self::name).collect();
                Err(format!(
                    "expected a column ({}) or a path such as payload.amount, found `{name}`",
                    names.join(", ")
                ))
            }
        }
    }
}

impl fmt::Display for ColumnChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.column.name())?;
        match self.width {
            ColumnWidth::Automatic => Ok(()),
            ColumnWidth::Fixed(width) => write!(f, "={width}"),
        }
    }
}

impl ColumnChoice {
    /// Creates the choice of a column with its automatic width.
    const fn automatic(column: EventColumn) -> Self {
        Self { column, width: ColumnWidth::Automatic }
    }

    /// Parses the form that [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Result<Self, String> {
        let width = text.rsplit_once('=').and_then(|(name, width)| Some((name, width.parse::<u16>().ok()?)));
        match width {
            Some((name, width)) => {
                let width = width.clamp(MIN_FIXED_WIDTH, MAX_FIXED_WIDTH);
                Ok(Self { column: EventColumn::parse(name)?, width: ColumnWidth::Fixed(width) })
            }
            None => Ok(Self::automatic(EventColumn::parse(text)?)),
        }
    }
}

impl Default for ColumnLayout {
    fn default() -> Self {
        let is_shown = |column: &EventColumn| !matches!(column, EventColumn::Ordinal | EventColumn::Size);
        let choices = EventColumn::BUILT_IN.into_iter().filter(is_shown).map(ColumnChoice::automatic).collect();
        Self { choices }
    }
}

impl TryFrom<Vec<String>> for ColumnLayout {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let mut layout = Self { choices: Vec::new() };
        for text in texts {
            let choice = ColumnChoice::parse(&text)?;
            layout.insert(choice)?;
        }
        if layout.choices.is_empty() { Err("expected at least one column, found none".into()) } else { Ok(layout) }
    }
}

impl From<ColumnLayout> for Vec<String> {
    fn from(layout: ColumnLayout) -> Self {
        layout.choices.iter().map(ToString::to_string).collect()
    }
}

impl ColumnLayout {
    /// Returns the columns that are shown, in order.
    pub(crate) fn choices(&self) -> &[ColumnChoice] {
        &self.choices
    }

    /// Returns whether a column is shown.
    pub(crate) fn is_shown(&self, column: &EventColumn) -> bool {
        self.position(column).is_some()
    }

    /// Returns all columns: those that are shown, in order, and then the others.
    pub(crate) fn all_columns(&self) -> Vec<EventColumn> {
        let hidden = EventColumn::BUILT_IN.into_iter().filter(|column| !self.is_shown(column));
        self.choices.iter().map(|choice| choice.column.clone()).chain(hidden).collect()
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

    /// Iterates over the paths of the columns with values, in the order of the values in an excerpt.
    pub(crate) fn value_paths(&self) -> impl Iterator<Item = &PayloadPath> {
        self.choices.iter().filter_map(|choice| match &choice.column {
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
        self.insert(ColumnChoice::automatic(column.clone()))?;
        if let Some(payload) = self.position(&EventColumn::Payload)
            && let Some(added) = self.choices.pop()
        {
            self.choices.insert(payload, added);
        }
        Ok(column)
    }

    /// Shows a hidden column at its default place, or hides one that is shown. The last one stays.
    pub(crate) fn toggle(&mut self, column: &EventColumn) {
        if let Some(position) = self.position(column) {
            if self.choices.len() > 1 {
                self.choices.remove(position);
            }
            return;
        }
        let rank = |column: &EventColumn| EventColumn::BUILT_IN.iter().position(|other| other == column);
        let place = self.choices.iter().position(|choice| rank(&choice.column) > rank(column));
        self.choices.insert(place.unwrap_or(self.choices.len()), ColumnChoice::automatic(column.clone()));
    }

    /// Moves a column by a number of places among those that are shown.
    pub(crate) fn move_column(&mut self, column: &EventColumn, places: isize) {
        if let Some(position) = self.position(column) {
            let last = self.choices.len() - 1;
            let choice = self.choices.remove(position);
            self.choices.insert(position.saturating_add_signed(places).min(last), choice);
        }
    }

    /// Makes a column wider by a number of columns of the screen, or narrower. `width` is its width now.
    pub(crate) fn widen(&mut self, column: &EventColumn, width: usize, columns: i16) {
        if let Some(position) = self.position(column)
            && let Some(choice) = self.choices.get_mut(position)
        {
            let width = u16::try_from(width).unwrap_or(MAX_FIXED_WIDTH).saturating_add_signed(columns);
            choice.width = ColumnWidth::Fixed(width.clamp(MIN_FIXED_WIDTH, MAX_FIXED_WIDTH));
        }
    }

    fn position(&self, column: &EventColumn) -> Option<usize> {
        self.choices.iter().position(|choice| choice.column == *column)
    }

    fn insert(&mut self, choice: ColumnChoice) -> Result<(), String> {
        let name = choice.column.name();
        if self.is_shown(&choice.column) {
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
        layout.widen(&EventColumn::Type, 10, 4);
        let json = serde_json::to_string(&layout).unwrap();
        assert_eq!(
            json,
            r#"["offset","time","type=14","aggregate","namespace","schema","payload.amount","payload.\"a=5\"","payload"]"#
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
        let wide = ColumnLayout::try_from(vec!["type=60000".into(), "offset=0".into()]).unwrap();
        assert_eq!(names(&wide), ["type=200", "offset=3"]);
    }

    #[test]
    fn columns_are_hidden_shown_and_moved() {
        let mut layout = ColumnLayout::try_from(vec!["offset".into(), "type".into(), "payload".into()]).unwrap();
        layout.toggle(&EventColumn::Time);
        assert_eq!(names(&layout), ["offset", "time", "type", "payload"], "the default place");
        layout.move_column(&EventColumn::Payload, -9);
        layout.move_column(&EventColumn::Offset, 9);
        assert_eq!(names(&layout), ["payload", "time", "type", "offset"]);
        for column in layout.all_columns() {
            if layout.is_shown(&column) {
                layout.toggle(&column);
            }
        }
        assert_eq!(names(&layout), ["offset"], "the last column stays");
        assert_eq!(layout.all_columns().len(), EventColumn::BUILT_IN.len());
    }
}
