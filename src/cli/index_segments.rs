//! The indexes of the segments of a log in a folder, as `index` reports them.

use std::path::PathBuf;

use super::failure::CommandFailure;
use super::output::CommandOutput;
use crate::StorageError;
use crate::index::IndexState;
use crate::inspect::{LogView, index_path};
use crate::report::json::Json;
use crate::report::units::format_count;
use crate::report::{index_line, index_meaning, index_reason, safe_path_text};

/// The largest number of segments that are listed in text. JSON lists all.
const MAX_ROWS: usize = 100;

/// The index of one segment.
struct SegmentIndex {
    /// Offset of the segment in the log.
    base: u64,
    path: PathBuf,
    /// The state; the reason when the segment cannot be opened.
    state: Result<IndexState, String>,
}

impl SegmentIndex {
    fn is_fresh(&self) -> bool {
        self.state.as_ref().is_ok_and(|state| *state == IndexState::Fresh)
    }

    fn state_name(&self) -> &'static str {
        self.state.as_ref().map_or("not_opened", IndexState::name)
    }
}

/// The indexes of all segments of a log.
pub(super) struct SegmentIndexes {
    segments: Vec<SegmentIndex>,
}

impl SegmentIndexes {
    /// Reads the whole index of each segment; `None` for a log in one file.
    pub(super) fn read(view: &LogView) -> Option<Self> {
        let segments = view.segments()?;
        let read = |base: u64| SegmentIndex {
            base,
            path: index_path(&segments.segment_path(base)),
            state: match view.segment_view(base) {
                Ok(segment) => {
                    segment.check_index();
                    Ok(segment.index_state().clone())
                }
                Err(StorageError::Io { source, .. }) => Err(source.to_string()),
                Err(error) => Err(error.to_string()),
            },
        };
        Some(Self { segments: segments.bases().into_iter().map(read).collect() })
    }

    /// True when each index is fresh.
    pub(super) fn are_fresh(&self) -> bool {
        self.segments.iter().all(SegmentIndex::is_fresh)
    }

    /// Formats how many indexes are in each state: `5 segments: 4 fresh, 1 missing`.
    pub(super) fn summary(&self) -> String {
        let counts = self.counts().into_iter().map(|(name, count)| format!("{count} {}", name.replace('_', " ")));
        let segments = format_count(self.segments.len() as u64, "segment");
        format!("{segments}: {}", counts.collect::<Vec<_>>().join(", "))
    }

    /// Returns the names of the states with their counts; `fresh` first, the others in the order of the segments.
    fn counts(&self) -> Vec<(&'static str, u64)> {
        let mut counts = vec![(IndexState::Fresh.name(), 0)];
        for segment in &self.segments {
            match counts.iter_mut().find(|(name, _)| *name == segment.state_name()) {
                Some((_, count)) => *count += 1,
                None => counts.push((segment.state_name(), 1)),
            }
        }
        counts
    }

    /// Prints the counts, and one row for each segment whose index is not fresh.
    pub(super) fn print(&self, view: &LogView, out: &mut CommandOutput) -> Result<(), CommandFailure> {
        out.print_path_line(view.path(), &format!(": indexes of {}", self.summary()))?;
        let not_fresh = self.segments.iter().filter(|segment| !segment.is_fresh());
        for segment in not_fresh.clone().take(MAX_ROWS) {
            let name = segment.path.file_name().unwrap_or_default().to_string_lossy();
            let text = match &segment.state {
                Ok(index) => format!("{}: {}", index_line(index, None), index_meaning(index)),
                Err(reason) => format!("the segment cannot be opened: {reason}"),
            };
            out.print_line(&format!("  {name}  {text}"))?;
            if let Some(reason) = segment.state.as_ref().ok().and_then(index_reason) {
                out.print_line(&format!("    {reason}"))?;
            }
        }
        match not_fresh.count().saturating_sub(MAX_ROWS) {
            0 => Ok(()),
            more => out.print_line(&format!("  ({more} more; --json lists all)")),
        }
    }

    /// Returns the counts, and an object for each segment whose index is not fresh.
    pub(super) fn to_json(&self) -> Json {
        let row = |segment: &SegmentIndex| {
            let reason = match &segment.state {
                Ok(state) => index_reason(state).map(str::to_owned),
                Err(reason) => Some(reason.clone()),
            };
            Json::Object(vec![
                ("base", segment.base.into()),
                ("index_path", safe_path_text(&segment.path).into()),
                ("state", segment.state_name().into()),
                ("reason", reason.into()),
            ])
        };
        let not_fresh = self.segments.iter().filter(|segment| !segment.is_fresh());
        let counts = self.counts().into_iter().map(|(name, count)| (name, count.into())).collect();
        Json::Object(vec![
            ("total", (self.segments.len() as u64).into()),
            ("counts", Json::Object(counts)),
            ("not_fresh", Json::List(not_fresh.map(row).collect())),
        ])
    }
}
