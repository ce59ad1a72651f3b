//! The offsets of the events that one of several filters shows, found by reading the whole log.

use super::filter::Filter;
use super::progress_meter::ProgressMeter;
use crate::StorageError;
use crate::inspect::{DamagePolicy, FrameContent, LogView, LogWalk, OnProgress, WalkItem, classify_frame};

/// The events that filters select.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedOffsets {
    /// The offsets of the events, ascending.
    pub offsets: Vec<u64>,
    /// Number of damaged ranges, which may have held further events that match.
    pub damaged_ranges: u64,
    /// True when more events match than were allowed. The offsets are then those of the first ones.
    pub has_more: bool,
}

/// Returns the offsets of the events that at least one of `filters` shows, at most `max_events`.
///
/// Reads the whole log and uses no index, so that no event is missed. `on_progress` is called about once per mebibyte.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("accounts.log");
/// # let event = chronicle::Event::builder()
/// #     .event_type("Updated").namespace("accounts").schema_id("Person").schema_version(1)
/// #     .aggregate_id(42).payload_json("{}").build()?;
/// use std::ops::ControlFlow;
///
/// use chronicle::query::{Filter, select_events};
///
/// let mut log = chronicle::EventLog::create(&path)?;
/// let offset = log.append(&event)?;
/// let filters = [Filter::parse("agg:42", 0)?];
/// let selection = select_events(log.view(), &filters, 1000, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!(selection.offsets, [offset]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub fn select_events(
    view: &LogView,
    filters: &[Filter],
    max_events: usize,
    on_progress: &mut OnProgress,
) -> Result<SelectedOffsets, StorageError> {
    let log_end = view.log().len()?;
    let first = view.log().first_frame_offset().min(log_end);
    let mut meter = ProgressMeter::new(on_progress, log_end);
    let mut walk = LogWalk::new(view, first..log_end, log_end).with_policy(DamagePolicy::Skip);
    let mut selection = SelectedOffsets::default();
    while let Some(item) = walk.next_before(u64::MAX)? {
        let range = match item {
            WalkItem::Frame(at, frame) => {
                if let FrameContent::Event(event) = classify_frame(&frame, view.log().version())
                    && filters.iter().any(|filter| filter.matches_event(at, &event))
                {
                    if selection.offsets.len() >= max_events {
                        return Ok(SelectedOffsets { has_more: true, ..selection });
                    }
                    selection.offsets.push(at);
                }
                at..at + frame.len()
            }
            WalkItem::DamagedRange(range) => {
                selection.damaged_ranges += 1;
                range
            }
            WalkItem::Damage(_) | WalkItem::InFlight(_) => continue,
        };
        meter.advance(range.end, range.end - range.start)?;
    }
    Ok(selection)
}
