//! The results of the background scan so far, as the screen knows them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::format::{DamageKind, Finding};
use crate::inspect::{HealthMap, MAX_FINDINGS};
use crate::repair::{Fix, ProposedFix};
use crate::tui::session_time::SessionTime;

/// State of the background scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanState {
    /// The screen was opened with `--no-scan`.
    Off,
    /// The scan is running.
    Running,
    /// The user has stopped the scan.
    Stopped,
    /// The scan has reached the end of the log.
    Done,
    /// The scan has failed.
    Failed,
}

/// Whether the verification that the index records still counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EarlierVerification {
    /// What was verified when the index was saved counts as verified.
    #[default]
    Trusted,
    /// The log's bytes may have changed since, or are verified again on request.
    Discarded,
}

/// The results of the background scan so far.
#[derive(Debug, Clone)]
pub(crate) struct ScanProgress {
    /// The state of the scan.
    pub(crate) state: ScanState,
    /// Findings, ordered by offset and kind.
    pub(crate) findings: Vec<Finding>,
    /// Fixes of the findings that have one, by the offset and the kind of the finding.
    fixes: BTreeMap<(u64, DamageKind), Fix>,
    /// Number of findings beyond `MAX_FINDINGS`, which were dropped.
    pub(crate) dropped_findings: u64,
    /// Which parts of the log are verified, damaged or gaps. The map is coarser than the findings.
    pub(crate) health_map: HealthMap,
    /// Number of events counted so far; `None` while the scan does not count.
    pub(crate) event_count: Option<u64>,
    /// Number of events before the starts of segments, as far as the scan has counted them.
    pub(crate) events_before: BTreeMap<u64, u64>,
    /// Offset up to which the scan has read.
    pub(crate) position: u64,
    /// Offset at which the scan ends; 0 until the first progress is reported.
    pub(crate) end: u64,
    /// Time at which the scan last reached the end of the log, in milliseconds since the Unix epoch.
    pub(crate) finished_at_ms: Option<u64>,
    /// Whether what was verified when the index was saved counts as verified.
    pub(crate) earlier: EarlierVerification,
    /// The run that is in progress.
    pub(crate) current_run: Option<ScanRun>,
    /// Offset up to which a rebuild of the index by this process has verified the log.
    rebuilt_to: u64,
    /// Offsets of damage that a page of rows showed, the scan had not found, and the scan was asked to scan again.
    reported_damage: BTreeSet<u64>,
    /// Start and kind of the damage that was last reported as new. A scan that goes back may find it again.
    last_new_damage: Option<(u64, DamageKind)>,
}

/// A run of the scan, from its start or resumption until it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScanRun {
    /// The time at which the run started.
    pub(crate) started: SessionTime,
    /// Number of bytes that the run has read.
    pub(crate) bytes_read: u64,
}

impl ScanProgress {
    /// Creates the results of a scan that has read nothing.
    pub(crate) fn new(state: ScanState) -> Self {
        Self {
            state,
            findings: Vec::new(),
            fixes: BTreeMap::new(),
            dropped_findings: 0,
            health_map: HealthMap::default(),
            event_count: None,
            events_before: BTreeMap::new(),
            position: 0,
            end: 0,
            finished_at_ms: None,
            earlier: EarlierVerification::default(),
            current_run: None,
            rebuilt_to: 0,
            reported_damage: BTreeSet::new(),
            last_new_damage: None,
        }
    }

    /// Records that the scan has read a range of a log that ends at `end`.
    pub(crate) fn record_progress(&mut self, range: Range<u64>, end: u64, now: SessionTime) {
        self.state = ScanState::Running;
        (self.position, self.end) = (range.end, end);
        let run = self.current_run.get_or_insert(ScanRun { started: now, bytes_read: 0 });
        run.bytes_read += range.end - range.start;
        self.health_map.mark_verified(range);
    }

    /// Records that the scan has ended its run in a state.
    pub(crate) fn finish(&mut self, state: ScanState) {
        (self.state, self.current_run) = (state, None);
    }

    /// Returns whether the scan has reached the end of the log. It may have skipped ranges verified earlier.
    pub(crate) fn is_done(&self) -> bool {
        self.state == ScanState::Done
    }

    /// Returns whether the scan has reached the end of the log and has skipped nothing.
    pub(crate) fn has_read_all(&self) -> bool {
        self.is_done() && (self.end == 0 || self.health_map.range_health(0..self.end).verified)
    }

    /// Returns those of the damaged ranges of a page of rows that the scan has not found. `ranges` is ascending.
    /// Adjacent ranges are merged, and a range that was returned is not returned again until its part of the log is
    /// scanned again.
    pub(crate) fn take_unknown_damage(&mut self, ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let mut unknown: Vec<Range<u64>> = Vec::new();
        for range in ranges.filter(|_| self.dropped_findings == 0) {
            let count = self.findings.partition_point(|known| known.start <= range.start);
            let at_or_before = self.findings.get(..count).unwrap_or_default().iter().rev();
            // A finding covers the damage when it starts at the same offset, or starts earlier and contains that
            // offset.
            let mut containing = at_or_before.take_while(|known| known.start == range.start || known.end > range.start);
            if containing.any(|known| known.kind.is_damage()) || self.reported_damage.contains(&range.start) {
                continue;
            }
            self.reported_damage.insert(range.start);
            match unknown.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => unknown.push(range),
            }
        }
        unknown
    }

    /// Returns the number of findings that are damage.
    pub(crate) fn damage_count(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind.is_damage()).count()
    }

    /// Returns whether a finding is damage that appeared after the first scan, and was not reported before. Damage that the
    /// first scan finds was there when the screen was opened.
    pub(crate) fn is_new_damage(&mut self, finding: &Finding) -> bool {
        let key = (finding.start, finding.kind);
        let is_known = self.findings.binary_search_by_key(&key, |known| (known.start, known.kind)).is_ok();
        let is_new = finding.kind.is_damage() && self.finished_at_ms.is_some() && !is_known;
        is_new && self.last_new_damage.replace(key) != Some(key)
    }

    /// Adds a finding, or replaces the finding of the same offset and kind.
    pub(crate) fn add_finding(&mut self, proposed: ProposedFix) {
        let ProposedFix { finding, fix } = proposed;
        self.health_map.mark_finding(&finding);
        let sort_key = |known: &Finding| (known.start, known.kind);
        let key = sort_key(&finding);
        match self.findings.binary_search_by_key(&key, sort_key) {
            Ok(at) => {
                if let Some(known) = self.findings.get_mut(at) {
                    *known = finding;
                }
            }
            Err(_) if self.findings.len() >= MAX_FINDINGS => {
                self.dropped_findings += 1;
                return;
            }
            Err(at) => self.findings.insert(at, finding),
        }
        match fix {
            Some(fix) => self.fixes.insert(key, fix),
            None => self.fixes.remove(&key),
        };
    }

    /// Removes the findings from an offset on, because the scan is about to read the log again from there. Findings of
    /// a rebuild of the index stay, because the scan does not read the rebuilt part again.
    pub(crate) fn forget_from(&mut self, from: u64) {
        self.events_before.retain(|start, _| *start <= from);
        let from = from.max(self.rebuilt_to);
        self.fixes.retain(|(start, _), _| *start < from);
        self.reported_damage.retain(|start| *start < from);
        let remaining_count = self.findings.partition_point(|finding| finding.start < from);
        if remaining_count < self.findings.len() {
            self.findings.truncate(remaining_count);
            let mut map = HealthMap::default();
            map.mark_verified(0..from.min(self.position.max(self.rebuilt_to)));
            for finding in &self.findings {
                map.mark_finding(finding);
            }
            self.health_map = map;
        }
    }

    /// Removes all findings and records that a rebuild of the index has verified the log up to `to`. The findings of
    /// the rebuild are added afterwards.
    pub(crate) fn mark_rebuilt(&mut self, to: u64) {
        self.rebuilt_to = 0;
        self.forget_from(0);
        self.rebuilt_to = to;
        self.health_map.mark_verified(0..to);
    }

    /// Returns the fix of a finding, when the scan has found one.
    pub(crate) fn fix_for(&self, finding: &Finding) -> Option<&Fix> {
        self.fixes.get(&(finding.start, finding.kind))
    }

    /// Returns the first damage after an offset.
    pub(crate) fn damage_after(&self, offset: u64) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind.is_damage() && finding.start > offset)
    }

    /// Returns the last damage before an offset.
    pub(crate) fn damage_before(&self, offset: u64) -> Option<&Finding> {
        self.findings.iter().rev().find(|finding| finding.kind.is_damage() && finding.start < offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(kind: DamageKind, range: Range<u64>) -> ProposedFix {
        ProposedFix {
            finding: Finding::new(kind, range),
            fix: Some(Fix::without_candidates(crate::repair::RepairAction::Gap)),
        }
    }

    #[test]
    fn a_finding_reported_twice_is_stored_once_and_in_order() {
        let mut scan = ScanProgress::new(ScanState::Running);
        for start in [500, 100, 500, 300] {
            scan.add_finding(proposed(DamageKind::Checksum, start..start + 10));
        }
        scan.add_finding(proposed(DamageKind::Clock, 300..310));
        let offsets: Vec<_> = scan.findings.iter().map(|finding| finding.start).collect();
        assert_eq!(offsets, [100, 300, 300, 500]);
        assert_eq!(scan.damage_count(), 3);
        assert_eq!(scan.damage_after(100).unwrap().start, 300);
        assert_eq!(scan.damage_before(500).unwrap().start, 300);
    }

    #[test]
    fn findings_of_a_part_that_is_scanned_again_are_removed() {
        let mut scan = ScanProgress::new(ScanState::Running);
        (scan.position, scan.end) = (600, 600);
        scan.health_map.mark_verified(0..600);
        scan.add_finding(proposed(DamageKind::TornTail, 500..510));
        scan.add_finding(proposed(DamageKind::Gap, 100..110));
        scan.forget_from(500);
        assert_eq!((scan.findings.len(), scan.fixes.len()), (1, 1));
        assert!(!scan.health_map.range_health(500..501).damaged && scan.health_map.range_health(100..101).gap);
        assert!(scan.health_map.range_health(0..500).verified);
    }
}
