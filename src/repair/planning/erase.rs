//! Plans an erasure: each selected event is replaced by a gap of its exact size, which has nothing of the event.

use std::collections::BTreeSet;
use std::ops::Range;

use super::planner::ensure_repairable;
use super::step_output::{MIN_GAP, StepOutput};
use crate::StorageError;
use crate::file::{OffsetLocation, locate_offset};
use crate::format::gap::{ErasedRecord, MAX_ERASED_REASON};
use crate::inspect::{FrameContent, LogView, LogWalk, OnProgress, WalkItem, classify_frame};
use crate::repair::types::{
    EmptiedAggregates, EraseOptions, Loss, Plan, PlannedErasure, PlannedPiece, RepairAction, RepairStep, StepPart,
    StepWrite, WorkMeter, read_identity, read_neighbour, refused_error, sha256_of_range,
};

/// The kind of the ranges that an erasure replaces, in the place of a kind of damage.
const ERASED_PIECE: &str = "event";

/// Number of erased events, or of frames, that are read between two checks for cancellation.
const FRAMES_PER_CHECK: u64 = 4096;

/// Plans to erase the events of `options` from the log of `view`. Reads these events, and the parts of the log that show
/// which of their aggregates keep an event. Writes nothing. `on_progress` can cancel.
///
/// The plan is applied, undone and recovered like that of a repair. Until it is made final with
/// [`plan_purge`](crate::repair::plan_purge()), its journal holds the erased events.
///
/// # Errors
/// - `Version0ReadOnly` for a log of version 0, and `UnknownFlags` when its flags forbid writing.
/// - `Refused` when no event starts at one of the offsets, when there are more than [`EraseOptions::MAX_EVENTS`], when the
///   reason is too long, and when no change in place is possible.
/// - `Cancelled` when `on_progress` breaks.
/// - `Io`, `Changed`, `OutOfMemory` when the log or the index cannot be read.
pub fn plan_erase(view: &LogView, options: &EraseOptions, on_progress: &mut OnProgress) -> Result<Plan, StorageError> {
    ensure_repairable(view)?;
    check_options(view, options)?;
    let log_identity = read_identity(view.log())?;
    let meter = WorkMeter::new(log_identity.bytes, on_progress);
    let mut offsets = options.offsets.clone();
    offsets.sort_unstable();
    offsets.dedup();
    let record = ErasedRecord { at_ms: Some(options.now_ms), reason: options.reason.clone() };
    let selected = ErasedFrames::read(view, &offsets, &record, &meter)?;
    let emptied = emptied_aggregates(view, &offsets, selected.aggregates, &meter)?;
    let content = record.to_content();
    let mut steps = Vec::with_capacity(selected.runs.len());
    for run in selected.runs {
        let mut step = base_step(view, &run, &content)?;
        step.before_sha256 = sha256_of_range(view.log(), step.range(), &meter)?;
        let after_sha256 = StepOutput::new(view.log().format(), &step, None).sha256(view.log(), &meter)?;
        step.after_sha256 = after_sha256;
        steps.push(step);
    }
    let mut plan = Plan::new(log_identity, steps);
    plan.erases = Some(PlannedErasure {
        at_ms: options.now_ms,
        reason: options.reason.clone(),
        events: offsets.len() as u64,
        emptied,
        times_ms: selected.times_ms,
        is_final: options.is_final,
    });
    plan.notes.clone_from(&options.notes);
    if selected.without_reason > 0 {
        plan.notes.push(format!(
            "{} of the events are too short for the reason: their gaps have a shorter record",
            selected.without_reason
        ));
    }
    plan.assign_id();
    plan.seal();
    Ok(plan)
}

fn check_options(view: &LogView, options: &EraseOptions) -> Result<(), StorageError> {
    if options.offsets.len() > EraseOptions::MAX_EVENTS {
        let reason = format!(
            "{} events are selected, and one plan erases at most {}",
            options.offsets.len(),
            EraseOptions::MAX_EVENTS
        );
        return Err(refused_error(view.path(), reason, "Erase them in parts, for example with --filter 'offset<N'"));
    }
    let reason_len = options.reason.as_ref().map_or(0, String::len);
    if reason_len > MAX_ERASED_REASON {
        let reason = format!("the reason has {reason_len} bytes, and a gap gives at most {MAX_ERASED_REASON}");
        return Err(refused_error(view.path(), reason, "Name the file or the number of the request instead"));
    }
    Ok(())
}

/// The events that are erased, as runs of adjacent frames, and what they tell.
#[derive(Default)]
struct ErasedFrames {
    runs: Vec<FrameRun>,
    /// The aggregates of the events.
    aggregates: BTreeSet<u64>,
    /// The earliest and the latest time.
    times_ms: Option<(u64, u64)>,
    /// Number of frames that have no room for the whole record.
    without_reason: u64,
}

/// Adjacent frames.
struct FrameRun {
    start: u64,
    /// File offsets after each frame, ascending.
    ends: Vec<u64>,
}

impl FrameRun {
    fn range(&self) -> Range<u64> {
        self.start..self.ends.last().copied().unwrap_or(self.start)
    }
}

impl ErasedFrames {
    /// Reads the frames at `offsets`, which are ascending.
    fn read(view: &LogView, offsets: &[u64], record: &ErasedRecord, meter: &WorkMeter) -> Result<Self, StorageError> {
        let (log, record_len) = (view.log(), record.payload_len());
        let mut selected = Self::default();
        let mut buf = Vec::new();
        for (n, offset) in (0u64..).zip(offsets.iter().copied()) {
            let Some(frame) = log.read_frame_at(offset, &mut buf)? else {
                return Err(no_event_error(view, offset)?);
            };
            let len = frame.len();
            match classify_frame(&frame, log.version()) {
                FrameContent::Event(event) => {
                    let time = event.write_timestamp_ms();
                    let (first, last) = selected.times_ms.unwrap_or((time, time));
                    selected.times_ms = Some((first.min(time), last.max(time)));
                    selected.aggregates.extend(event.aggregate_id());
                }
                FrameContent::InvalidEvent(_) if len >= MIN_GAP => {}
                FrameContent::InvalidEvent(_) => {
                    let reason = format!("the frame at {offset} has {len} bytes, and a gap needs at least {MIN_GAP}");
                    let alternative = "Copy the log without it: `chronicle salvage LOG -o NEW`";
                    return Err(refused_error(view.path(), reason, alternative));
                }
                FrameContent::Gap => {
                    let reason = format!("there is a gap at {offset}, which has no event");
                    return Err(refused_error(view.path(), reason, "Leave out this offset"));
                }
            }
            selected.without_reason += u64::from(frame.payload().len() < record_len);
            match selected.runs.last_mut() {
                Some(run) if run.range().end == offset => run.ends.push(offset + len),
                _ => selected.runs.push(FrameRun { start: offset, ends: vec![offset + len] }),
            }
            if n.is_multiple_of(FRAMES_PER_CHECK) {
                meter.advance(0)?;
            }
        }
        Ok(selected)
    }
}

/// Returns the error for an offset at which no valid frame starts.
fn no_event_error(view: &LogView, offset: u64) -> Result<StorageError, StorageError> {
    let (log, end) = (view.log(), view.log().len()?);
    if offset < log.first_frame_offset() {
        let reason = format!("no event starts at {offset}, in the header of the log");
        return Ok(refused_error(view.path(), reason, "List the events with `chronicle cat LOG`"));
    }
    Ok(match locate_offset(log, offset, end)? {
        OffsetLocation::InsideFrame(range) | OffsetLocation::FrameStart(range) => {
            let reason = format!("no event starts at {offset}: it is inside the frame at {}", range.start);
            refused_error(view.path(), reason, "Name the offset at which the event starts")
        }
        OffsetLocation::Damaged(range) => {
            let reason = format!("no event starts at {offset}: {}..{} is damaged", range.start, range.end);
            refused_error(view.path(), reason, "Repair the log first: `chronicle repair LOG`")
        }
        OffsetLocation::PastEnd => {
            let reason = format!("no event starts at {offset}: the log ends at {end}");
            refused_error(view.path(), reason, "List the events with `chronicle cat LOG`")
        }
    })
}

/// Returns the step that replaces a run of frames with one gap for each of them, still without hashes.
fn base_step(view: &LogView, run: &FrameRun, content: &str) -> Result<RepairStep, StorageError> {
    let (Range { start, end }, events) = (run.range(), run.ends.len() as u64);
    let write = match run.ends.as_slice() {
        [_] => StepWrite::Gap { description: content.to_owned(), header: None },
        ends => StepWrite::Parts {
            description: content.to_owned(),
            parts: ends.iter().map(|end| StepPart { end: *end, from: None }).collect(),
            header: None,
        },
    };
    Ok(RepairStep {
        action: RepairAction::Erase,
        certainty: None,
        start,
        end,
        new_end: end,
        pieces: vec![PlannedPiece { kind: ERASED_PIECE.into(), start, end }],
        write,
        restored_events: 0,
        loss: Loss { at_least: events, at_most: events, aggregates: Vec::new() },
        alternatives: Vec::new(),
        before_sha256: Vec::new(),
        after_sha256: Vec::new(),
        // The frame before is not looked up: that takes a scan for each step, and the hash of the range identifies it.
        neighbours: read_neighbour(view.log(), end)?.into_iter().collect(),
    })
}

/// Returns the aggregates of `ids` all of whose events are at `erased` offsets, which are ascending.
///
/// The index answers where it covers the log, and the rest of the log is read until every aggregate has another event.
fn emptied_aggregates(
    view: &LogView,
    erased: &[u64],
    mut ids: BTreeSet<u64>,
    meter: &WorkMeter,
) -> Result<EmptiedAggregates, StorageError> {
    let log = view.log();
    let log_end = log.len()?;
    let is_kept = |offset: &u64| erased.binary_search(offset).is_err();
    let mut read_from = log.first_frame_offset();
    if let Some(index) = view.trusted_content() {
        // An index that cannot be read decides about no aggregate.
        let keeps_event = |id: &u64| {
            let mut offsets = index.offsets(*id)?;
            offsets.find(|offset| offset.as_ref().map_or(true, is_kept)).transpose().map(|kept| kept.is_some())
        };
        let mut undecided = BTreeSet::new();
        let mut is_readable = true;
        for (n, id) in (0u64..).zip(&ids) {
            match keeps_event(id) {
                Ok(true) => {}
                Ok(false) => drop(undecided.insert(*id)),
                Err(_) => is_readable = false,
            }
            if n.is_multiple_of(FRAMES_PER_CHECK) {
                meter.advance(0)?;
            }
        }
        if is_readable {
            (ids, read_from) = (undecided, index.coverage().covered_to.max(read_from));
        }
    }
    let mut walk = LogWalk::new(view, read_from.min(log_end)..log_end, log_end);
    let mut n = 0u64;
    while !ids.is_empty()
        && let Some(item) = walk.next_before(u64::MAX)?
    {
        if let WalkItem::Frame(at, frame) = item
            && is_kept(&at)
            && let FrameContent::Event(event) = classify_frame(&frame, log.version())
            && let Some(id) = event.aggregate_id()
        {
            ids.remove(&id);
        }
        n += 1;
        if n.is_multiple_of(FRAMES_PER_CHECK) {
            meter.advance(0)?;
        }
    }
    let mut emptied = EmptiedAggregates::default();
    for id in ids {
        emptied.push(id);
    }
    Ok(emptied)
}
