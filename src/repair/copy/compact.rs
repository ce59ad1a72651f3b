//! Compaction: copies the latest event of each aggregate, or the events that a condition selects, into a new log.

use super::copy_log::copy_selected;
use super::event_selector::{CompactRule, EventSelector, add_counts};
use super::summary::{CopyOptions, CopySummary, OnCopyUpdate};
use crate::StorageError;
use crate::inspect::{
    FrameContent, LogView, LogWalk, OnProgress, Progress, WalkItem, cancelled_if_break, classify_frame,
};
use crate::repair::types::refused_error;

/// Number of bytes of the log between two reports of the progress of a count.
const PROGRESS_INTERVAL: u64 = 1 << 20;

/// Copies the events that `rule` keeps into a new log, as [`salvage`](super::salvage()) does: the new log is
/// verified and appears complete or not at all. The times of the events stay, their offsets change.
///
/// Nothing is restored: damaged ranges, gaps and frames that are not events are omitted and reported. With
/// [`CompactRule::latest`], memory use is at most 32 MiB more, for any number of aggregates.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let (path, new) = (folder.path().join("accounts.log"), folder.path().join("latest.log"));
/// # let event = chronicle::Event::builder()
/// #     .event_type("Updated").namespace("accounts").schema_id("Person").schema_version(1)
/// #     .aggregate_id(42).payload_json("{}").build()?;
/// use std::ops::ControlFlow;
///
/// use chronicle::EventLog;
/// use chronicle::repair::{CompactRule, CopyOptions, compact};
///
/// let mut log = EventLog::create(&path)?;
/// log.append(&event)?;
/// log.append(&event)?;
/// let index = log.index()?;
/// let rule = CompactRule::new().latest(&index);
/// let summary = compact(log.view(), &CopyOptions::new(&new), &rule, &mut |_| ControlFlow::Continue(()))?;
/// assert_eq!((summary.events_kept, summary.events_dropped), (1, 1));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// - `Changed` when the index is not that of the log.
/// - Otherwise those of [`salvage`](super::salvage()), except that a log of version 0 is accepted. Donors are not.
pub fn compact(
    view: &LogView,
    options: &CopyOptions,
    rule: &CompactRule,
    on_update: &mut OnCopyUpdate,
) -> Result<CopySummary, StorageError> {
    if !options.donors.is_empty() || options.accept_likely {
        let reason = "a compaction restores nothing, so it takes neither donors nor likely fixes".to_owned();
        return Err(refused_error(view.path(), reason, "Repair the log first: `chronicle repair LOG`"));
    }
    copy_selected(view, options, EventSelector::new(rule), on_update)
}

/// Counts what [`compact`] would keep, drop and omit, and writes nothing. The size of the new log is not computed.
///
/// # Errors
/// `Changed` when the index is not that of the log; `Cancelled` when `on_progress` breaks; `Io`, `OutOfMemory` when the log
/// or the index cannot be read.
pub fn count_compaction(
    view: &LogView,
    rule: &CompactRule,
    on_progress: &mut OnProgress,
) -> Result<CopySummary, StorageError> {
    let (log, total) = (view.log(), view.log().len()?);
    let first = log.first_frame_offset().min(total);
    let mut walk = LogWalk::new(view, first..total, total);
    let mut selector = EventSelector::new(rule);
    let mut summary = CopySummary::default();
    let mut report_at = first;
    while let Some(item) = walk.next_before(u64::MAX)? {
        let position = match item {
            WalkItem::Frame(at, frame) => {
                match classify_frame(&frame, log.version()) {
                    FrameContent::Event(event) => {
                        summary.events_kept += u64::from(selector.keeps(view, at, &event)?);
                    }
                    FrameContent::Gap => summary.omitted_total += 1,
                    FrameContent::InvalidEvent(_) => {
                        summary.omitted_total += 1;
                        summary.damage_total += 1;
                    }
                }
                at + frame.len()
            }
            WalkItem::Damage(finding) => {
                summary.omitted_total += 1;
                summary.damage_total += u64::from(finding.kind.is_damage());
                finding.end
            }
            WalkItem::InFlight(range) => {
                let end = range.end;
                summary.in_flight = Some(range);
                end
            }
            WalkItem::DamagedRange(range) => range.end,
        };
        if position >= report_at {
            report_at = position + PROGRESS_INTERVAL;
            cancelled_if_break(on_progress(Progress { position, total }))?;
        }
    }
    let counts = selector.finish(view)?;
    add_counts(&mut summary, counts);
    Ok(summary)
}
