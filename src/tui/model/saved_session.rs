//! The state of the screen that is kept for a log between runs: place, marks, filter, search, submitted texts, columns and
//! layout. This file defines the document, which is JSON, and its conversion from the model. It accesses no file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Model;
use super::columns::ColumnLayout;
use super::detail::{AggregateMode, DetailView};
use super::jump_list::JumpPlace;
use super::modes::{Pane, Tab, ZoneOnStart, Zoom};
use super::offset_base::OffsetBase;
use super::prompt::PromptHistory;
use super::timeline::TimelineVisibility;
use crate::query::EventTimes;
use crate::report::units::DisplayZone;
use crate::tui::request::FirstHints;

/// Largest size of a document, in bytes.
pub(crate) const MAX_SESSION_BYTES: u64 = 256 << 10;
/// The version of the documents that this program reads and writes.
const SESSION_VERSION: u32 = 1;
/// Largest number of marks in a document.
const MAX_MARKS: usize = 128;
/// Largest length of a filter in a document, in bytes.
const MAX_FILTER_BYTES: usize = 16 << 10;

/// The state of the screen that is kept for a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSession {
    version: u32,
    /// The place that was shown.
    pub(crate) place: SavedPlace,
    /// The marks that the user has set.
    pub(crate) marks: BTreeMap<char, SavedPlace>,
    /// The columns, when the user has chosen others than those of the configuration.
    pub(crate) columns: Option<ColumnLayout>,
    /// Whether the focused pane filled the screen.
    pub(crate) zoom: Zoom,
    /// The view of the detail pane.
    pub(crate) view: DetailView,
    /// The content of the aggregate view.
    pub(crate) aggregate_mode: AggregateMode,
    /// The base of offsets.
    pub(crate) offset_base: OffsetBase,
    /// The zone of times.
    pub(crate) zone: SavedZone,
    /// The text of the search; empty when there was none.
    #[serde(default)]
    pub(crate) search: String,
    /// The texts that were submitted in prompts.
    #[serde(default)]
    pub(crate) prompt_history: PromptHistory,
    /// Whether the timeline was above the list.
    #[serde(default)]
    pub(crate) timeline: TimelineVisibility,
}

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPlace {
    /// The tab.
    pub(crate) tab: Tab,
    /// The pane that had the focus.
    pub(crate) focus: Pane,
    /// The text of the filter.
    pub(crate) filter: String,
    /// Offset of the selected row.
    pub(crate) offset: u64,
}

/// The zone of times in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SavedZone {
    /// UTC.
    Utc,
    /// The zone that the screen shows instead of UTC.
    Local,
}

/// The state of the last run, as read when the screen was opened.
#[derive(Debug, Default)]
pub(crate) struct LoadedSession {
    /// The state of the last run. The log may have no row at the offset of its place any more.
    pub(crate) session: Option<SavedSession>,
    /// The times to which relative times of its filters refer.
    pub(crate) event_times: Option<EventTimes>,
    /// Why the state of the last run cannot be used.
    pub(crate) problem: Option<String>,
}

/// How far the state of the last run has been restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionPhase {
    /// Nothing is kept between runs.
    Off,
    /// The state of the last run is being read.
    Loading,
    /// The state is still being read, and its place will not be restored, because the user has pressed a key.
    LoadingAfterInput,
    /// The state is restored, or there was none. The state of this run is saved when the screen is closed.
    Ready,
}

/// The restoring and saving of the screen's state between runs.
#[derive(Debug, Clone)]
pub(crate) struct SessionState {
    /// How far the state is restored.
    pub(crate) phase: SessionPhase,
    /// Whether the zone of the last run is restored.
    pub(crate) zone: ZoneOnStart,
    /// The columns of a log whose columns were not chosen.
    pub(crate) configured_columns: ColumnLayout,
    /// The state after it was restored. A state that has not changed since is not saved.
    pub(crate) restored: Option<SavedSession>,
    /// Whether the hints of the first start are shown.
    pub(crate) hints: FirstHints,
}

impl SavedSession {
    /// Parses a document.
    ///
    /// # Errors
    /// The document is not valid. The message names the fault and its place.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        /// The version, which is read first, because other versions have other fields.
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let syntax = |error: serde_json::Error| error.to_string();
        let found = serde_json::from_slice::<Versioned>(bytes).map_err(syntax)?.version;
        if found != u64::from(SESSION_VERSION) {
            return Err(format!("expected version {SESSION_VERSION}, found {found}"));
        }
        let session: Self = serde_json::from_slice(bytes).map_err(syntax)?;
        let places = std::iter::once(&session.place).chain(session.marks.values());
        if let Some(place) = places.into_iter().find(|place| place.filter.len() > MAX_FILTER_BYTES) {
            return Err(format!("expected a filter of at most {MAX_FILTER_BYTES} bytes, found {}", place.filter.len()));
        }
        if session.search.len() > MAX_FILTER_BYTES {
            return Err(format!(
                "expected a search of at most {MAX_FILTER_BYTES} bytes, found {}",
                session.search.len()
            ));
        }
        if let Some(reason) = session.prompt_history.invalid_reason() {
            return Err(reason);
        }
        if session.marks.len() > MAX_MARKS {
            return Err(format!("expected at most {MAX_MARKS} marks, found {}", session.marks.len()));
        }
        if let Some(name) = session.marks.keys().find(|name| !name.is_alphanumeric()) {
            return Err(format!("expected a letter or a digit as the name of a mark, found {:?}", name.to_string()));
        }
        Ok(session)
    }

    /// Returns the document.
    ///
    /// # Errors
    /// The document would be larger than [`MAX_SESSION_BYTES`].
    pub(crate) fn encode(&self) -> Result<Vec<u8>, String> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
        if bytes.len() as u64 > MAX_SESSION_BYTES {
            return Err(format!("expected at most {MAX_SESSION_BYTES} bytes, found {}", bytes.len()));
        }
        Ok(bytes)
    }

    /// Returns whether a filter refers to the end of the log.
    pub(crate) fn needs_event_times(&self) -> bool {
        std::iter::once(&self.place).chain(self.marks.values()).any(|place| place.filter.contains("end"))
    }
}

impl From<&JumpPlace> for SavedPlace {
    fn from(place: &JumpPlace) -> Self {
        Self { tab: place.tab, focus: place.focus, filter: place.filter.text().to_owned(), offset: place.offset }
    }
}

impl Model {
    /// Returns whether the first rows of the screen are loaded: those of the place of the last run, when it is restored.
    pub(crate) fn has_first_page(&self) -> bool {
        !self.list.rows.is_empty()
            && self.list.target_offset().is_none()
            && !matches!(self.session.phase, SessionPhase::Loading | SessionPhase::LoadingAfterInput)
    }

    /// Returns the state that is kept for the log.
    pub(crate) fn saved_session(&self) -> SavedSession {
        let columns = &self.list.columns;
        let shown = |columns: &ColumnLayout| Vec::<String>::from(columns.clone());
        let is_configured = shown(columns) == shown(&self.session.configured_columns);
        let marks = self.jump_list.marks.iter().take(MAX_MARKS);
        SavedSession {
            version: SESSION_VERSION,
            place: SavedPlace::from(&self.current_place()),
            marks: marks.map(|(name, place)| (*name, place.into())).collect(),
            columns: (!is_configured).then(|| columns.clone()),
            zoom: self.zoom,
            view: self.detail.view,
            aggregate_mode: self.detail.aggregate_mode,
            offset_base: self.offset_base,
            zone: if self.zone == DisplayZone::Utc { SavedZone::Utc } else { SavedZone::Local },
            search: self.search.as_ref().map(|search| search.text.clone()).unwrap_or_default(),
            prompt_history: self.prompt_history.kept(),
            timeline: self.timeline.visibility,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::model::PromptPurpose;

    fn document(change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
        let place = SavedPlace { tab: Tab::Findings, focus: Pane::Detail, filter: "type:Created".into(), offset: 646 };
        let mut history = PromptHistory::default();
        history.push(PromptPurpose::Search, "silva");
        let session = SavedSession {
            version: SESSION_VERSION,
            place: place.clone(),
            marks: [('a', place)].into(),
            columns: Some(ColumnLayout::try_from(vec!["offset".into(), "payload.amount=+4".into()]).unwrap()),
            zoom: Zoom::In,
            view: DetailView::Hex,
            aggregate_mode: AggregateMode::State,
            offset_base: OffsetBase::Hexadecimal,
            zone: SavedZone::Local,
            search: "silva".into(),
            prompt_history: history,
            timeline: TimelineVisibility::Shown,
        };
        let bytes = session.encode().unwrap();
        assert_eq!(SavedSession::decode(&bytes).as_ref(), Ok(&session));
        let mut value = serde_json::from_slice(&bytes).unwrap();
        change(&mut value);
        serde_json::to_vec(&value).unwrap()
    }

    #[test]
    fn a_document_is_read_as_it_was_written_and_nothing_else_is_accepted() {
        assert!(SavedSession::decode(&document(|_| {})).is_ok());
        let error = |change: &dyn Fn(&mut serde_json::Value)| SavedSession::decode(&document(change)).unwrap_err();
        for (found, reason) in [
            (error(&|value| value["version"] = 2.into()), "expected version 1, found 2"),
            (error(&|value| value["extra"] = 1.into()), "unknown field `extra`"),
            (error(&|value| value["place"]["offset"] = (-1).into()), "invalid value"),
            (error(&|value| value["place"]["tab"] = "nowhere".into()), "unknown variant `nowhere`"),
            (error(&|value| value["columns"] = serde_json::json!(["ofset"])), "expected a column"),
            (
                error(&|value| value["place"]["filter"] = "x".repeat(MAX_FILTER_BYTES + 1).into()),
                "expected a filter of",
            ),
            (error(&|value| value["marks"] = serde_json::json!({"\u{1b}": value["place"]})), "expected a letter"),
            (error(&|value| drop(value.as_object_mut().unwrap().remove("marks"))), "missing field `marks`"),
            (error(&|value| value["search"] = "x".repeat(MAX_FILTER_BYTES + 1).into()), "expected a search of"),
            (error(&|value| value["prompt_history"]["search"] = vec!["x"; 101].into()), "at most 100 submitted"),
            (
                error(&|value| value["prompt_history"]["search"] = vec!["x".repeat(1 << 15)].into()),
                "at most 16384 bytes",
            ),
            (error(&|value| value["prompt_history"]["filter"] = vec!["a\nb"].into()), "of one line"),
            (error(&|value| value["prompt_history"]["other"] = vec!["a"].into()), "unknown variant `other`"),
        ] {
            assert!(found.contains(reason), "{found}");
        }
        // The document of an earlier version of the program has neither of these.
        let earlier = document(|value: &mut serde_json::Value| {
            for key in ["search", "prompt_history", "timeline"] {
                value.as_object_mut().unwrap().remove(key);
            }
        });
        let earlier = SavedSession::decode(&earlier).unwrap();
        assert_eq!((earlier.search.as_str(), earlier.timeline), ("", TimelineVisibility::Hidden));
        for bytes in [&b""[..], b"[]", b"\xff", &vec![b'['; 100_000]] {
            assert!(SavedSession::decode(bytes).is_err());
        }
    }
}
