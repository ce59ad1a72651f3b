//! Collects totals from all events that a filter shows, with several threads.
//!
//! The ranges to read come from a [`ReadPlan`]. A large range is divided into parts. A part finds its first frame by
//! resynchronisation, and its totals are used only if the part before it ends exactly at that frame; otherwise the part is
//! read again in order. Parts are merged in the order of the log.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::filter::Filter;
use super::progress_meter::ProgressMeter;
use super::read_plan::ReadPlan;
use crate::StorageError;
use crate::format::{EventView, Finding};
use crate::index::AggregateIndex;
use crate::inspect::{
    DamagePolicy, FrameContent, LogView, LogWalk, OnProgress, WalkItem, classify_frame, gap_finding,
    invalid_event_finding,
};

/// A range that is smaller than the size of a part divided by this number is not divided.
const UNDIVIDED_SHARE: u64 = 4;
/// Largest frame or damaged range that a thread reads, in bytes.
const MAX_THREAD_BYTES: u64 = 2 << 20;
/// The smallest number of bytes read ahead, used for ranges that are shorter.
const MIN_READ_AHEAD: u64 = 4096;

/// Totals of the events in a part of a log. Events and findings are added to the totals of one part, which are then merged
/// into the totals of the whole log.
pub(super) trait EventTotals: Send {
    /// Receives every event that is read, whether the filter shows it or not, before [`EventTotals::add_event`]. Its frame takes
    /// these bytes of the file.
    fn observe_event(&mut self, _range: &Range<u64>, _time_ms: u64) {}

    /// Adds the event whose frame takes these bytes of the file.
    fn add_event(&mut self, range: Range<u64>, event: &EventView);

    /// Adds damage, a gap, or a frame whose payload is not an event, at its place between the events.
    fn add_finding(&mut self, finding: &Finding);

    /// Adds the totals of the following part.
    fn merge(&mut self, next: Self);
}

/// A selection of events: a log, its index, a filter, and the offset at which reading starts.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventSelection<'a> {
    pub(super) view: &'a LogView,
    pub(super) index: Option<&'a AggregateIndex>,
    pub(super) filter: &'a Filter,
    /// The start of a frame or of a damaged range, or the end of the log.
    pub(super) from: u64,
    /// The end of the log.
    pub(super) end: u64,
    /// The size in bytes of the parts that threads read; at least 1.
    pub(super) part_bytes: u64,
    /// Ranges that are not read, ascending and not adjacent to each other. Each starts and ends at the start of a frame.
    pub(super) skipped: &'a [Range<u64>],
}

/// The totals of a part, with the offsets at which it starts and ends.
struct PartTotals<T> {
    /// The offset of the first valid frame of the part, from which it was read.
    first_frame: u64,
    /// The offset at which the next part starts.
    end: u64,
    totals: T,
}

/// A part to read, and the channel for its result.
struct FoldJob<T> {
    range: Range<u64>,
    sender: Sender<PartTotals<T>>,
}

/// A range that is not merged yet.
enum PendingRange<T> {
    /// The range is read when its turn comes. It starts at a frame or a damaged range.
    Unread(Range<u64>),
    /// A thread reads the part; the first part of a range starts at a frame or a damaged range.
    Part { range: Range<u64>, starts_range: bool, result: Receiver<PartTotals<T>> },
}

/// Adds all selected events to `totals`. `new_totals` creates the totals of a part.
///
/// # Errors
/// `Cancelled` when `on_progress` breaks; `Io`, `Changed`, `OutOfMemory` when the log cannot be read.
pub(super) fn fold_events<T: EventTotals>(
    selection: EventSelection,
    totals: &mut T,
    new_totals: &(impl Fn() -> T + Sync),
    on_progress: &mut OnProgress,
) -> Result<(), StorageError> {
    let plan = ReadPlan::new(selection.view.log(), selection.index, selection.filter);
    let mut fold = OrderedFold {
        selection,
        walk: selection.walk(),
        position: selection.from,
        totals,
        new_totals,
        unmerged: new_totals(),
        unmerged_bytes: 0,
        meter: ProgressMeter::new(on_progress, selection.end),
    };
    let threads = selection.view.threads();
    if threads < 2 {
        for range in selection.ranges_to_read(&plan) {
            let Range { start, end } = range?;
            if start >= selection.end {
                break;
            }
            fold.position = fold.position.max(start);
            fold.read_until(end.min(selection.end))?;
        }
    } else {
        let (job_sender, job_receiver) = channel::<FoldJob<T>>();
        let jobs = Mutex::new(job_receiver);
        thread::scope(|scope| {
            for _ in 0..threads {
                // When no thread can be started, the channels of the parts are closed, and the parts are read in order.
                let _ = thread::Builder::new().spawn_scoped(scope, || serve_jobs(selection, &jobs, new_totals));
            }
            // The sender is moved, so that every path drops it. Otherwise the threads would wait for jobs forever.
            let job_sender = job_sender;
            let ranges = selection.ranges_to_read(&plan);
            let starts_before_end =
                |range: &Result<Range<u64>, _>| range.as_ref().map_or(true, |range| range.start < selection.end);
            fold.read_in_parallel(&mut ranges.take_while(starts_before_end), threads, &job_sender)
        })?;
    }
    fold.finish()
}

impl EventSelection<'_> {
    fn walk(&self) -> LogWalk {
        LogWalk::new(self.view, self.from..self.end.max(self.from), self.end)
    }

    /// Iterates over the ranges to read: those of the plan, without the skipped ones.
    fn ranges_to_read<'p>(
        &self,
        plan: &'p ReadPlan<'p>,
    ) -> impl Iterator<Item = Result<Range<u64>, StorageError>> + use<'p, '_> {
        let skipped = self.skipped;
        plan.ranges_from(self.from).flat_map(move |range| match range {
            Ok(range) => remaining_parts(range, skipped).map(Ok).collect(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Adds an item of a walk to the totals, when the filter shows it. Returns the end of the item.
    fn add_item<T: EventTotals>(&self, item: WalkItem, totals: &mut T) -> u64 {
        match item {
            WalkItem::Frame(at, frame) => {
                let range = at..at + frame.len();
                let end = range.end;
                match classify_frame(&frame, self.view.log().version()) {
                    FrameContent::Event(event) => {
                        totals.observe_event(&range, event.write_timestamp_ms());
                        if self.filter.matches_event(at, &event) {
                            totals.add_event(range, &event);
                        }
                    }
                    FrameContent::Gap => self.add_finding(&gap_finding(at, &frame), totals),
                    FrameContent::InvalidEvent(error) => {
                        self.add_finding(&invalid_event_finding(at, &frame, &error), totals);
                    }
                }
                end
            }
            WalkItem::Damage(finding) => {
                self.add_finding(&finding, totals);
                finding.end
            }
            WalkItem::DamagedRange(range) | WalkItem::InFlight(range) => range.end,
        }
    }

    fn add_finding<T: EventTotals>(&self, finding: &Finding, totals: &mut T) {
        if self.filter.matches_finding(finding) {
            totals.add_finding(finding);
        }
    }
}

/// Iterates over the parts of a range that are outside the skipped ranges.
fn remaining_parts(range: Range<u64>, skipped: &[Range<u64>]) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = range;
    let first = skipped.partition_point(|skip| skip.end <= start);
    let inside = skipped.get(first..).unwrap_or_default().iter().take_while(move |skip| skip.start < end);
    let starts = std::iter::once(start).chain(inside.clone().map(|skip| skip.end));
    let ends = inside.map(|skip| skip.start).chain(std::iter::once(end));
    starts.zip(ends).map(|(start, end)| start..end).filter(|part| !part.is_empty())
}

/// Reads one part after the other until the sender of jobs is dropped.
fn serve_jobs<T: EventTotals>(
    selection: EventSelection,
    jobs: &Mutex<Receiver<FoldJob<T>>>,
    new_totals: &impl Fn() -> T,
) {
    let mut walk = selection.walk().with_policy(DamagePolicy::Defer { max_bytes: MAX_THREAD_BYTES });
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(FoldJob { range, sender }) = job else { return };
        // A part that fails is read again in order, which reports the error. Sending fails when the fold has ended.
        if let Ok(Some(part)) = read_part(selection, &mut walk, range, new_totals()) {
            let _ = sender.send(part);
        }
    }
}

fn read_part<T: EventTotals>(
    selection: EventSelection,
    walk: &mut LogWalk,
    range: Range<u64>,
    mut totals: T,
) -> Result<Option<PartTotals<T>>, StorageError> {
    let until = range.end;
    let Some(first_frame) = walk.restart_at_frame(range)? else { return Ok(None) };
    while let Some(item) = walk.next_before(until)? {
        selection.add_item(item, &mut totals);
    }
    Ok(Some(PartTotals { first_frame, end: walk.position().min(selection.end), totals }))
}

/// The state of a fold, which merges the ranges in the order of the log.
struct OrderedFold<'a, T> {
    selection: EventSelection<'a>,
    walk: LogWalk,
    /// The log is read up to this offset, where a frame or a damaged range starts.
    position: u64,
    totals: &'a mut T,
    new_totals: &'a (dyn Fn() -> T + Sync),
    /// The totals of the ranges that were read in order since the last merge.
    unmerged: T,
    /// The size of these ranges in bytes.
    unmerged_bytes: u64,
    meter: ProgressMeter<'a>,
}

impl<T: EventTotals> OrderedFold<'_, T> {
    /// Merges the ranges while `threads` threads read the next ones.
    fn read_in_parallel(
        &mut self,
        ranges: &mut dyn Iterator<Item = Result<Range<u64>, StorageError>>,
        threads: usize,
        jobs: &Sender<FoldJob<T>>,
    ) -> Result<(), StorageError> {
        let mut pending: VecDeque<PendingRange<T>> = VecDeque::new();
        let mut divided = 0..0;
        loop {
            while pending.len() < 2 * threads {
                let starts_range = divided.is_empty();
                if starts_range {
                    let Some(range) = ranges.next() else { break };
                    let range = range?;
                    divided = range.start..range.end.min(self.selection.end);
                    if divided.end - divided.start < self.selection.part_bytes / UNDIVIDED_SHARE {
                        pending.push_back(PendingRange::Unread(std::mem::replace(&mut divided, 0..0)));
                        continue;
                    }
                }
                let range = divided.start..divided.start.saturating_add(self.selection.part_bytes).min(divided.end);
                divided.start = range.end;
                let (sender, result) = channel();
                // When no thread is left to receive the job, the channel of the part is closed.
                let _ = jobs.send(FoldJob { range: range.clone(), sender });
                pending.push_back(PendingRange::Part { range, starts_range, result });
            }
            match pending.pop_front() {
                None => return Ok(()),
                Some(PendingRange::Unread(range)) => {
                    self.position = self.position.max(range.start);
                    self.read_until(range.end)?;
                }
                Some(PendingRange::Part { range, starts_range, result }) => {
                    if starts_range {
                        self.position = self.position.max(range.start);
                    }
                    self.merge_part(range.end, &result)?;
                }
            }
        }
    }

    /// Merges a part that starts exactly at the position, and reads what is missing up to `until`.
    fn merge_part(&mut self, until: u64, result: &Receiver<PartTotals<T>>) -> Result<(), StorageError> {
        // A part that lies in a damaged range was read with the part before it.
        if self.position >= until {
            return Ok(());
        }
        if let Ok(part) = result.recv()
            && part.first_frame >= self.position
        {
            self.read_until(part.first_frame)?;
            if self.position == part.first_frame {
                self.merge_read_ranges();
                self.totals.merge(part.totals);
                let read = part.end - self.position;
                self.position = part.end;
                self.meter.advance(part.end, read)?;
            }
        }
        self.read_until(until)
    }

    /// Reads from the position to the first frame or damaged range that starts at `until` or later.
    fn read_until(&mut self, until: u64) -> Result<(), StorageError> {
        let start = self.position;
        if start >= until {
            return Ok(());
        }
        // A frame that starts in the range may end after it.
        self.walk.restart(start..self.selection.end.max(start));
        self.walk.set_read_ahead_limit(until.max(start + MIN_READ_AHEAD));
        while let Some(item) = self.walk.next_before(until)? {
            let end = self.selection.add_item(item, &mut self.unmerged);
            let read = end.saturating_sub(self.position);
            self.position = self.position.max(end);
            self.unmerged_bytes += read;
            self.meter.advance(end, read)?;
            if self.unmerged_bytes >= self.selection.part_bytes {
                self.merge_read_ranges();
            }
        }
        self.position = self.walk.position().min(self.selection.end).max(start);
        Ok(())
    }

    /// Merges the totals of the ranges that were read in order.
    fn merge_read_ranges(&mut self) {
        self.totals.merge(std::mem::replace(&mut self.unmerged, (self.new_totals)()));
        self.unmerged_bytes = 0;
    }

    /// Adds the finding that the log has lost its end, when the index has recorded a later end, and merges what is left.
    fn finish(&mut self) -> Result<(), StorageError> {
        let end = self.selection.end;
        if self.position >= end
            && let Some(finding) = self.walk.truncation()?
        {
            self.selection.add_finding(&finding, &mut self.unmerged);
        }
        self.merge_read_ranges();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_ranges_are_cut_out_of_the_ranges_to_read() {
        let parts = |range| remaining_parts(range, &[10..20, 30..40]).collect::<Vec<_>>();
        assert_eq!(parts(0..u64::MAX), [0..10, 20..30, 40..u64::MAX]);
        assert_eq!(parts(10..40), std::iter::once(20..30).collect::<Vec<_>>());
        assert_eq!(parts(15..35), std::iter::once(20..30).collect::<Vec<_>>());
        assert_eq!(parts(20..30), std::iter::once(20..30).collect::<Vec<_>>());
        assert!(parts(12..18).is_empty());
    }
}
