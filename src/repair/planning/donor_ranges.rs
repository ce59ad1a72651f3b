//! The frames that donors offer for undecided findings. A range is filled frame by frame: by proven frames of any donor
//! first, then by frames that are only offered as a choice.

use std::ops::Range;

use super::donor::Donor;
use super::donor_runs::{DonorRun, DonorSearch, Miss, References, RefusalReason, WantedRange};
use super::neighbours::NeighbourSearch;
use super::step_output::MIN_GAP;
use crate::StorageError;
use crate::format::{DamageKind, FrameIdentity};
use crate::index::AggregateIndex;
use crate::inspect::LogView;
use crate::repair::types::{Certainty, ProposedFix, RepairAction};

/// Adjacent pieces for which donors have frames.
///
/// A range has as few pieces as possible: only a frame that crosses the boundary of two pieces joins them.
#[derive(Debug, Clone)]
pub(crate) struct DonorRange {
    /// Indices of the pieces.
    pub(crate) piece_indices: Range<usize>,
    /// The parts of the range, by ascending offset. They fill it.
    pub(crate) parts: Vec<DonorPart>,
}

/// A part of a range that is filled, or left, as a whole.
#[derive(Debug, Clone)]
pub(crate) struct DonorPart {
    pub(crate) range: Range<u64>,
    /// The frames that fill the part, or the reason why no donor has any.
    pub(crate) content: Result<DonorRun, RefusalReason>,
}

impl DonorRange {
    fn runs(&self) -> impl Iterator<Item = &DonorRun> {
        self.parts.iter().filter_map(|part| part.content.as_ref().ok())
    }

    /// Returns the reason why a frame of the range is not proven; `None` when all of them are.
    pub(crate) fn doubt(&self) -> Option<RefusalReason> {
        self.runs().find_map(|run| run.doubt)
    }

    /// Returns the lowest certainty of the frames.
    pub(super) fn certainty(&self) -> Certainty {
        self.runs().map(DonorRun::certainty).min().unwrap_or(Certainty::Choice)
    }

    /// True when proven frames fill the whole range.
    pub(super) fn is_proven(&self) -> bool {
        self.certainty() == Certainty::Proven && self.parts.iter().all(|part| part.content.is_ok())
    }

    /// True when a part of the range is proven.
    pub(crate) fn has_proven_part(&self) -> bool {
        self.runs().any(|run| run.certainty() == Certainty::Proven)
    }
}

/// The ranges of all donors for a list of pieces, and notes about the pieces without proven frames.
#[derive(Debug, Default)]
pub(crate) struct DonorRanges {
    /// The ranges, by ascending offset.
    ranges: Vec<DonorRange>,
    /// The parts of undecided pieces that no range contains, because no donor has a frame there. Ascending and disjoint.
    misses: Vec<Miss>,
    /// The notes, each with the range of the log that it is about.
    notes: Vec<(Range<u64>, String)>,
}

impl DonorRanges {
    /// Finds the frames of `donors` for the undecided pieces of `found`.
    pub(crate) fn find(
        view: &LogView,
        donors: &[Donor],
        found: &[ProposedFix],
        is_undecided: impl Fn(&ProposedFix) -> bool,
    ) -> Result<Self, StorageError> {
        let mut ranges = Self::default();
        if donors.is_empty() {
            return Ok(ranges);
        }
        let recorded = recorded_frames(view);
        let is_joined =
            |a: &ProposedFix, b: &ProposedFix| is_undecided(a) && is_undecided(b) && a.finding.end == b.finding.start;
        let mut neighbours = NeighbourSearch::default();
        let mut first = 0;
        for pieces in found.chunk_by(is_joined) {
            if pieces.first().is_some_and(&is_undecided) {
                let adjacent = AdjacentPieces { view, donors, recorded: &recorded, first_index: first, pieces };
                adjacent.find(&mut ranges, &mut neighbours)?;
            }
            first += pieces.len();
        }
        Ok(ranges)
    }

    /// Adds a note. Adjacent ranges with the same note share it.
    fn add_note(&mut self, range: Range<u64>, note: String) {
        match self.notes.last_mut() {
            Some((last, previous)) if last.end == range.start && *previous == note => last.end = range.end,
            _ => self.notes.push((range, note)),
        }
    }

    /// Returns the range that contains the piece with this index.
    pub(crate) fn range_of_piece(&self, piece: usize) -> Option<&DonorRange> {
        let at = self.ranges.partition_point(|range| range.piece_indices.end <= piece);
        self.ranges.get(at).filter(|range| range.piece_indices.contains(&piece))
    }

    /// Returns the reason why no donor has a frame at `offset`, for a piece that no range contains.
    pub(crate) fn refusal_at(&self, offset: u64) -> Option<RefusalReason> {
        first_miss(&self.misses, &(offset..offset.saturating_add(1))).map(|miss| miss.reason)
    }

    /// Returns the notes as text, each after the range of the log that it is about.
    ///
    /// Notes about ranges for which `is_left_out` is true are left out.
    pub(super) fn notes(&self, is_left_out: impl Fn(&Range<u64>) -> bool) -> impl Iterator<Item = String> {
        self.notes
            .iter()
            .filter(move |(range, _)| !is_left_out(range))
            .map(|(range, note)| format!("{}..{}: {note}", range.start, range.end))
    }
}

/// Adjacent undecided pieces, for which donors are read together.
struct AdjacentPieces<'a, 'm> {
    view: &'a LogView,
    donors: &'a [Donor<'a, 'm>],
    recorded: &'a [FrameIdentity],
    /// Index of the first piece.
    first_index: usize,
    pieces: &'a [ProposedFix],
}

impl AdjacentPieces<'_, '_> {
    /// Adds the ranges, misses and notes for the pieces.
    fn find(&self, ranges: &mut DonorRanges, search: &mut NeighbourSearch) -> Result<(), StorageError> {
        let (Some(first), Some(last)) = (self.pieces.first(), self.pieces.last()) else { return Ok(()) };
        let (start, end) = (first.finding.start, last.repaired_end());
        let log_end = self.view.log().len()?;
        // The donor may have the complete frame of a torn tail, and the frames that followed it. When an index has seen
        // a later end of the log, these frames belong to the finding for the lost end instead.
        let is_open = end == log_end && self.view.seen_end().allows_cut_at(log_end);
        let neighbours = search.find(self.view.log(), &(start..last.finding.end), log_end)?;
        let references = References { neighbours, recorded: self.recorded };
        let cuts: Vec<u64> = self.pieces.iter().map(ProposedFix::repaired_end).collect();
        let mut wanted =
            WantedRange { range: start..end, cuts: &cuts, taken: Vec::new(), open_after: is_open.then_some(log_end) };
        if is_open {
            let donor_ends = self.donors.iter().map(|donor| donor.log().len()).collect::<Result<Vec<_>, _>>()?;
            wanted.range.end = donor_ends.into_iter().fold(end, u64::max);
        }
        let mut found = self.read_donors(&mut wanted, &references)?;
        let crossing = |run: &DonorRun| is_open && run.range.start < log_end && log_end < run.range.end;
        for run in found.runs.iter_mut().filter(|run| crossing(run)) {
            if let Some(donor) = self.donors.get(run.donor)
                && !donor.has_same_bytes(start..log_end)?
            {
                run.doubt = Some("its bytes at the end of the log differ");
            }
        }
        let filled_end = found.runs.last().map_or(end, |run| run.range.end.max(end));
        let may_end_short = last.fix.as_ref().is_some_and(|fix| fix.action == RepairAction::SetAsideTail);
        let gap_end = if may_end_short { filled_end.saturating_add(MIN_GAP) } else { filled_end };
        // The header of the last segment is no hole: the index has it.
        let log = self.view.log();
        let is_in_header = log.start_of_cut_header(log_end).is_some_and(|base| base > 0 && base <= start);
        let gap_start = if is_in_header { log.skip_segment_header(start) } else { start };
        lengthen_short_holes(&mut found.runs, gap_start..gap_end, log.first_frame_offset());
        found.misses = disjoint_misses(found.misses);
        self.add_notes(ranges, &found, start..filled_end);
        self.add_ranges(ranges, &found, filled_end);
        ranges.misses.append(&mut found.misses);
        Ok(())
    }

    /// Reads all donors: for proven frames first, and then for frames that are only offered as a choice.
    fn read_donors(&self, wanted: &mut WantedRange, references: &References) -> Result<DonorSearch, StorageError> {
        let mut all = DonorSearch::default();
        for certainty in [Certainty::Proven, Certainty::Choice] {
            for (nth, donor) in self.donors.iter().enumerate() {
                let mut search = donor.find_runs(wanted, references)?;
                search.runs.retain(|run| run.certainty() == certainty);
                for run in &mut search.runs {
                    run.donor = nth;
                    wanted.taken.push(run.range.clone());
                }
                wanted.taken.sort_by_key(|taken| taken.start);
                all.runs.append(&mut search.runs);
                if certainty == Certainty::Proven {
                    all.misses.append(&mut search.misses);
                }
            }
        }
        all.runs.sort_by_key(|run| run.range.start);
        // Frames after the end of the log continue it only without a hole.
        if let Some(log_end) = wanted.open_after {
            let mut end = log_end;
            // A file that ends within the header has lost the rest of it, also when it is empty.
            let is_lost_from_end = log_end < self.view.log().first_frame_offset();
            all.runs.retain(|run| {
                let follows = run.range.start == end && (end > log_end || is_lost_from_end);
                let is_kept = run.range.start < log_end || follows;
                end = if is_kept { end.max(run.range.end) } else { end };
                is_kept
            });
        }
        Ok(all)
    }

    /// Adds a range for each group of pieces that a frame joins, where a donor has frames.
    fn add_ranges(&self, ranges: &mut DonorRanges, found: &DonorSearch, filled_end: u64) {
        let crosses = |at: u64| {
            let before = found.runs.partition_point(|run| run.range.start < at);
            before.checked_sub(1).and_then(|last| found.runs.get(last)).is_some_and(|run| at < run.range.end)
        };
        let mut first = self.first_index;
        let mut rest = found.runs.as_slice();
        for group in self.pieces.chunk_by(|piece, _| crosses(piece.repaired_end())) {
            let last_index = first + group.len();
            let is_last = last_index == self.first_index + self.pieces.len();
            let (Some(piece), Some(last)) = (group.first(), group.last()) else { continue };
            let end = if is_last { filled_end } else { last.repaired_end() };
            let (runs, later) = rest.split_at(rest.partition_point(|run| run.range.start < end));
            rest = later;
            if !runs.is_empty() {
                let parts = fill_range(piece.finding.start..end, runs, &HoleReasons { group, found });
                ranges.ranges.push(DonorRange { piece_indices: first..last_index, parts });
            }
            first = last_index;
        }
    }

    fn add_notes(&self, ranges: &mut DonorRanges, found: &DonorSearch, range: Range<u64>) {
        let reasons = HoleReasons { group: self.pieces, found };
        for part in fill_range(range, &found.runs, &reasons) {
            match part.content {
                Ok(DonorRun { doubt: None, .. }) => {}
                Ok(DonorRun { doubt: Some(reason), donor, .. }) => {
                    if self.donors.get(donor).is_some_and(Donor::has_same_header) {
                        let note = format!("the donor's bytes are only offered as a choice: {reason}");
                        ranges.add_note(part.range, note);
                    }
                }
                Err(reason) => ranges.add_note(part.range, format!("nothing is taken from the donor: {reason}")),
            }
        }
    }
}

/// Why no donor has a frame: the pieces, and what was found in the donors.
struct HoleReasons<'a> {
    group: &'a [ProposedFix],
    found: &'a DonorSearch,
}

/// Returns the parts of `range`: the runs, and the holes between them, which are split where a piece ends.
fn fill_range(range: Range<u64>, runs: &[DonorRun], reasons: &HoleReasons) -> Vec<DonorPart> {
    let mut parts = Vec::new();
    let mut at = range.start;
    let add_hole = |parts: &mut Vec<DonorPart>, hole: Range<u64>| {
        let first = reasons.group.partition_point(|piece| piece.repaired_end() <= hole.start);
        let inside = reasons.group.get(first..).unwrap_or_default().iter().map(ProposedFix::repaired_end);
        let ends = inside.take_while(|end| *end < hole.end).chain([hole.end]);
        let mut start = hole.start;
        for end in ends {
            if start < end {
                let reason = first_miss(&reasons.found.misses, &(start..end)).map(|miss| miss.reason);
                let content = Err(reason.unwrap_or("its frames do not fit here"));
                parts.push(DonorPart { range: start..end, content });
                start = end;
            }
        }
    };
    for run in runs {
        add_hole(&mut parts, at..run.range.start);
        parts.push(DonorPart { range: run.range.clone(), content: Ok(run.clone()) });
        at = run.range.end;
    }
    add_hole(&mut parts, at..range.end);
    parts
}

/// Returns the parts of `misses` as disjoint ranges, by ascending offset. Where several overlap, the one that starts first
/// counts.
fn disjoint_misses(mut misses: Vec<Miss>) -> Vec<Miss> {
    misses.sort_by_key(|miss| miss.range.start);
    let mut covered_to = 0;
    misses.retain_mut(|miss| {
        miss.range.start = miss.range.start.max(covered_to);
        covered_to = covered_to.max(miss.range.end);
        miss.range.start < miss.range.end
    });
    misses
}

/// Returns the first of the disjoint, ascending `misses` that overlaps `range`.
fn first_miss<'m>(misses: &'m [Miss], range: &Range<u64>) -> Option<&'m Miss> {
    let first = misses.partition_point(|miss| miss.range.end <= range.start);
    misses.get(first).filter(|miss| miss.range.start < range.end)
}

/// Gives up frames next to holes that are too short for a gap frame, so that every hole in `range` can be filled.
fn lengthen_short_holes(runs: &mut Vec<DonorRun>, range: Range<u64>, first_frame_offset: u64) {
    let mut kept: Vec<DonorRun> = Vec::new();
    for run in runs.drain(..) {
        let hole_start = kept.last().map_or(range.start, |last| last.range.end);
        let is_short = (1..MIN_GAP).contains(&(run.range.start - hole_start));
        if !is_short {
            kept.push(run);
        } else if kept.last().is_some_and(|last| last.range.start >= first_frame_offset) {
            let shorter = kept.pop().and_then(DonorRun::without_last_frame);
            kept.extend(shorter);
            kept.push(run);
        } else {
            kept.extend(run.without_first_frame());
        }
    }
    if kept.last().is_some_and(|last| (1..MIN_GAP).contains(&range.end.saturating_sub(last.range.end))) {
        let shorter = kept.pop().and_then(DonorRun::without_last_frame);
        kept.extend(shorter);
    }
    *runs = kept;
}

/// Returns the frames that the index of the log, and those of missing segments, have recorded, by ascending offset: their anchors, and
/// the last frames they have seen.
fn recorded_frames(view: &LogView) -> Vec<FrameIdentity> {
    let mut frames = view.frames_of_lost_segments();
    if let Some(persisted) = view.identified_index() {
        frames.extend(persisted.last_seen_frame());
        if let Ok(index) = AggregateIndex::from_persisted(persisted) {
            frames.extend(index.anchors().map(|at| FrameIdentity { offset: at.offset, checksum: at.checksum }));
        }
    }
    frames.sort_by_key(|frame| frame.offset);
    frames.dedup();
    frames
}

/// True for a kind whose range a donor can fill.
pub(crate) const fn is_fillable(kind: DamageKind) -> bool {
    match kind {
        DamageKind::Zeros
        | DamageKind::Checksum
        | DamageKind::Length
        | DamageKind::TornTail
        | DamageKind::Garbage
        | DamageKind::Unreadable
        | DamageKind::Truncated
        | DamageKind::Lost
        | DamageKind::Header => true,
        DamageKind::InvalidEvent | DamageKind::Gap | DamageKind::Clock => false,
    }
}
