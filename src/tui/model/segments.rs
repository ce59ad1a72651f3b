//! The state of the Segments tab: the rows that are loaded, and what the scan has found about a segment since.

use super::tables::missing_window_start;
use super::{ListCursor, Model, Tab};
use crate::file::SegmentCondition;
use crate::inspect::GoneCause;
use crate::report::safe_path_text;
use crate::report::units::{format_count, format_number};
use crate::tui::actions::ActionId;
use crate::tui::request::{EarlierRows, SegmentFacts, SegmentPage, SegmentRow};

/// Largest number of names of unrelated files that are shown.
const MAX_STRANGE_FILES: usize = 20;

/// The state of the Segments tab. Only a window of its rows is loaded.
#[derive(Debug, Clone, Default)]
pub(crate) struct SegmentsPane {
    /// The cursor in the whole table.
    pub(crate) cursor: ListCursor,
    /// The rows that arrived last.
    pub(crate) page: SegmentPage,
    /// Whether rows were requested.
    pub(crate) load_state: SegmentLoadState,
    /// What still counts of the rows when they are read again; `None` when they need not be.
    pub(crate) stale: Option<EarlierRows>,
    /// Where the cursor goes when rows arrive.
    pub(crate) aim: SegmentAim,
}

/// Whether rows of the table of segments were requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SegmentLoadState {
    /// No rows were read yet.
    #[default]
    NotRead,
    /// Rows were requested and have not arrived.
    Requested,
    /// The requested rows have arrived.
    Loaded,
}

/// Where the cursor goes when rows arrive that replace others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SegmentAim {
    /// To the segment of the row that is selected in the list of events.
    #[default]
    SelectedEvent,
    /// It stays on its segment.
    SameSegment,
}

/// The number of events in a segment, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentEvents {
    /// All events are counted.
    Counted(u64),
    /// A part of the segment is not counted yet.
    AtLeast(u64),
    /// Nothing is counted.
    Unknown,
}

/// What is known about the damage in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentHealth {
    /// The file cannot be read.
    Unreadable,
    /// This number of damaged ranges was found so far, by the scan or according to the index.
    Damaged(u64),
    /// All of it was read, and no damage was found.
    Good,
    /// A part of it was not read yet, and no damage was found.
    NotRead,
}

impl SegmentsPane {
    /// Records that rows have to be read again, and what still counts of them.
    pub(crate) fn invalidate(&mut self, earlier: EarlierRows) {
        let rank = |earlier: &EarlierRows| match earlier {
            EarlierRows::Kept => 0,
            EarlierRows::FolderChanged => 1,
            EarlierRows::Discarded => 2,
        };
        self.stale = self.stale.into_iter().chain([earlier]).max_by_key(rank);
    }

    /// Makes the cursor go to the segment of the selected event, because the tab was opened, and makes the rows be read again.
    pub(crate) fn open(&mut self) {
        self.aim = SegmentAim::SelectedEvent;
        self.invalidate(EarlierRows::FolderChanged);
    }

    /// Returns the row at a position of the table, when it is loaded.
    pub(crate) fn row(&self, position: usize) -> Option<&SegmentRow> {
        self.page.rows.get(position.checked_sub(self.page.from)?)
    }

    /// Returns the selected row, when it is loaded.
    pub(crate) fn selected(&self) -> Option<&SegmentRow> {
        self.row(self.cursor.line)
    }

    /// Returns the position from which rows have to be requested, when a visible row is not loaded.
    pub(crate) fn missing_rows_start(&self) -> Option<usize> {
        let loaded = self.page.from..self.page.from + self.page.rows.len();
        missing_window_start(&self.cursor, loaded, self.page.total)
    }

    /// Returns whether a loaded segment that is sealed has no number of events yet.
    pub(crate) fn lacks_events(&self) -> bool {
        let lacks = |row: &SegmentRow| match row {
            SegmentRow::Segment(facts) => {
                let is_counted = facts.events.is_some() && (facts.sealed_at.is_some() || facts.events_before.is_some());
                !is_counted && facts.condition == SegmentCondition::Present
            }
            SegmentRow::Gone { .. } => false,
        };
        self.page.rows.iter().any(lacks)
    }
}

impl Model {
    /// Returns whether the log is a folder of segments.
    pub(crate) const fn has_segments(&self) -> bool {
        !self.log_info.segment_starts.is_empty()
    }

    /// Returns the tabs that apply to the log, with their numbers. The one that is shown is always among them.
    pub(crate) fn offered_tabs(&self) -> impl Iterator<Item = (usize, Tab)> {
        let is_offered =
            |(_, tab): &(usize, Tab)| *tab != Tab::Segments || self.has_segments() || self.tab == Tab::Segments;
        (1..).zip(Tab::ALL).filter(is_offered)
    }

    /// Returns the number of events in a segment: from an index, or else as the scan has counted them.
    pub(crate) fn segment_events(&self, facts: &SegmentFacts) -> SegmentEvents {
        let before = |offset: u64| {
            let is_first = self.log_info.segment_starts.first() == Some(&offset);
            if is_first { Some(0) } else { self.scan.events_before.get(&offset).copied() }
        };
        let Some(end) = facts.sealed_at else {
            let start = facts.events_before.or_else(|| before(facts.base));
            let all = self.scan.event_count.filter(|_| self.scan.is_done());
            return match (all.zip(start).and_then(|(all, start)| all.checked_sub(start)), facts.events) {
                (Some(events), _) => SegmentEvents::Counted(events),
                (None, Some(events)) if facts.data_end == self.log_info.bytes => SegmentEvents::Counted(events),
                (None, Some(events)) => SegmentEvents::AtLeast(events),
                (None, None) => SegmentEvents::Unknown,
            };
        };
        let counted = || before(end)?.checked_sub(before(facts.base)?);
        facts.events.or_else(counted).map_or(SegmentEvents::Unknown, SegmentEvents::Counted)
    }

    /// Returns the end of the bytes of a segment. The active one grows with the log.
    pub(crate) fn segment_end(&self, facts: &SegmentFacts) -> u64 {
        if facts.sealed_at.is_some() { facts.data_end } else { self.log_info.bytes.max(facts.base) }
    }

    /// Returns what the scan, or else the index, knows about the damage in a segment.
    pub(crate) fn segment_health(&self, facts: &SegmentFacts) -> SegmentHealth {
        if matches!(facts.condition, SegmentCondition::Unreadable(_)) {
            return SegmentHealth::Unreadable;
        }
        let end = self.segment_end(facts);
        // The bytes that a cut segment has lost are a row of their own, and the lost end of the log belongs to the active one.
        let findings_end = if facts.sealed_at.is_some() { end } else { u64::MAX };
        let findings = &self.scan.findings;
        let first = findings.partition_point(|finding| finding.start < facts.base);
        let inside = findings.iter().skip(first).take_while(|finding| finding.start < findings_end);
        let found = inside.filter(|finding| finding.kind.is_damage()).count() as u64;
        let is_read = self.scan.health_map.range_health(facts.base..end).verified
            || self.earlier_verification().is_some_and(|mark| mark.verified_to >= end);
        match (found, facts.known_damage.filter(|_| !is_read)) {
            (0, None | Some(0)) if is_read => SegmentHealth::Good,
            (0, None | Some(0)) => SegmentHealth::NotRead,
            (found, known) => SegmentHealth::Damaged(found.max(known.unwrap_or_default())),
        }
    }

    /// Returns the offset before which a retention removes the segments: the start of the selected row.
    ///
    /// # Errors
    /// Why the selected row has no segments before it, in words for the footer.
    pub(crate) fn retain_target(&self) -> Result<u64, String> {
        if self.tab != Tab::Segments {
            let tab = self.keys.hint(ActionId::TabSegments);
            return Err(format!("select a segment in tab {tab}, or name a limit: `:retain --keep-for 90d`"));
        }
        match self.segments.selected() {
            None => Err("no segment is selected".into()),
            Some(SegmentRow::Gone { cause: GoneCause::Removed, .. }) => {
                Err("these segments are removed already".into())
            }
            Some(row) if self.log_info.segment_starts.first().is_none_or(|first| row.start() <= *first) => {
                Err("no segment is before the selected one".into())
            }
            Some(row) => Ok(row.start()),
        }
    }

    /// Returns the line about all segments below the table.
    pub(crate) fn segments_summary(&self) -> String {
        let counts = self.segments.page.counts;
        let number = |count: u64, words: &str| (count > 0).then(|| format!("{} {words}", format_number(count)));
        let removed = (self.log_info.log_start > 0)
            .then(|| format!("the log starts at {}", self.format_offset(self.log_info.log_start)));
        let parts = [
            Some(format_count(counts.segments, "segment")),
            number(counts.unreadable, "unreadable"),
            (counts.missing > 0).then(|| format_count(counts.missing, "missing range")),
            (counts.lost > 0).then(|| format_count(counts.lost, "lost range")),
            removed,
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Returns the notes about files in the folder that are none of the log, in lines of at most `width` columns.
    pub(crate) fn strange_file_notes(&self, width: usize) -> Vec<String> {
        let files = &self.segments.page.strange_files;
        if files.is_empty() {
            return Vec::new();
        }
        let name =
            |path: &std::path::PathBuf| safe_path_text(std::path::Path::new(path.file_name().unwrap_or_default()));
        let mut names: Vec<String> = files.iter().take(MAX_STRANGE_FILES).map(name).collect();
        let omitted = files.len().saturating_sub(names.len());
        names.extend((omitted > 0).then(|| format!("and {}", format_count(omitted as u64, "more file"))));
        let text = format!("in the folder, and no part of the log: {}", names.join(", "));
        super::wrap_text(&text, width.max(1))
    }
}
