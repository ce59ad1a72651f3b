//! What the scan behind the screen has seen so far.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::format::{DamageKind, Finding};
use crate::inspect::{HealthMap, MAX_FINDINGS};
use crate::repair::{Fix, ProposedFix};
use crate::tui::message::SessionTime;

/// How the scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScanState {
    /// It was not wished for.
    Off,
    /// It runs.
    Running,
    /// Somebody stopped it.
    Stopped,
    /// It has seen everything.
    Done,
    /// It could not go on.
    Failed,
}

/// What the scan has seen.
#[derive(Debug, Clone)]
pub(crate) struct ScanProgress {
    /// How it stands.
    pub(crate) state: ScanState,
    /// Findings by place.
    pub(crate) findings: Vec<Finding>,
    /// What can be done about those about which something can.
    fixes: BTreeMap<(u64, DamageKind), Fix>,
    /// Those that were not kept.
    pub(crate) dropped_findings: u64,
    /// What is known of each part.
    pub(crate) health_map: HealthMap,
    /// Events counted, when it counts them.
    pub(crate) event_count: Option<u64>,
    /// Where it is, and where it will end.
    pub(crate) position: (u64, u64),
    /// While it runs: since when, and the bytes that it has read since.
    pub(crate) current_run: Option<(SessionTime, u64)>,
    /// Up to here the index was built anew from here, which verified it.
    rebuilt_to: u64,
    /// Where damage was met that it did not know, and was told to look at.
    reported_damage: BTreeSet<u64>,
}

impl ScanProgress {
    /// Nothing seen yet.
    pub(crate) fn new(state: ScanState) -> Self {
        let (findings, fixes) = (Vec::new(), BTreeMap::new());
        let (map, told) = (HealthMap::default(), BTreeSet::new());
        Self {
            state,
            findings,
            fixes,
            dropped_findings: 0,
            health_map: map,
            event_count: None,
            position: (0, 0),
            current_run: None,
            rebuilt_to: 0,
            reported_damage: told,
        }
    }

    /// It has come from one offset to another, of an end.
    pub(crate) fn record_progress(&mut self, from: u64, at: u64, end: u64, now: SessionTime) {
        self.state = ScanState::Running;
        self.position = (at, end);
        self.health_map.mark_verified(from..at);
        self.current_run.get_or_insert((now, 0)).1 += at - from;
    }

    /// It runs no more.
    pub(crate) fn finish(&mut self, state: ScanState) {
        (self.state, self.current_run) = (state, None);
    }

    /// True when it is through: what it left out was verified earlier.
    pub(crate) fn is_done(&self) -> bool {
        self.state == ScanState::Done
    }

    /// True when it is through, and left nothing out.
    pub(crate) fn has_read_all(&self) -> bool {
        self.is_done() && (self.position.1 == 0 || self.health_map.range_health(0..self.position.1).verified)
    }

    /// Damage was met in these ranges, ascending: those to look at because it does not know of it.
    pub(crate) fn take_unknown_damage(&mut self, ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let mut unknown: Vec<Range<u64>> = Vec::new();
        for range in ranges.filter(|_| self.dropped_findings == 0) {
            let behind = self.findings.partition_point(|known| known.start <= range.start);
            let known = self.findings.get(..behind).unwrap_or_default().iter().rev();
            // What starts where this does, and the damage before it, which may hold it.
            let mut near = known.take_while(|known| known.start == range.start || known.end > range.start);
            if near.any(|known| known.kind.is_damage()) || self.reported_damage.contains(&range.start) {
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

    /// How many findings are damage.
    pub(crate) fn damage_count(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind.is_damage()).count()
    }

    /// Takes a finding in, once.
    pub(crate) fn add_finding(&mut self, found: ProposedFix) {
        let ProposedFix { finding, fix } = found;
        self.health_map.mark_finding(&finding);
        let place = |known: &Finding| (known.start, known.kind);
        let key = place(&finding);
        match self.findings.binary_search_by_key(&place(&finding), place) {
            Ok(known) => {
                if let Some(known) = self.findings.get_mut(known) {
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

    /// Forgets what was found from `from` on, behind what was rebuilt: it is about to be looked at again.
    pub(crate) fn forget_from(&mut self, from: u64) {
        let from = from.max(self.rebuilt_to);
        self.fixes.retain(|(start, _), _| *start < from);
        self.reported_damage.retain(|start| *start < from);
        let kept = self.findings.partition_point(|finding| finding.start < from);
        if kept < self.findings.len() {
            self.findings.truncate(kept);
            let mut map = HealthMap::default();
            map.mark_verified(0..from.min(self.position.0.max(self.rebuilt_to)));
            for finding in &self.findings {
                map.mark_finding(finding);
            }
            self.health_map = map;
        }
    }

    /// The index was built anew up to here, which read everything: what it has found is told next.
    pub(crate) fn mark_rebuilt(&mut self, to: u64) {
        self.rebuilt_to = 0;
        self.forget_from(0);
        self.rebuilt_to = to;
        self.health_map.mark_verified(0..to);
    }

    /// What can be done about a finding.
    pub(crate) fn fix_for(&self, finding: &Finding) -> Option<&Fix> {
        self.fixes.get(&(finding.start, finding.kind))
    }

    /// The damage before or behind an offset.
    pub(crate) fn damage_after(&self, offset: u64) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind.is_damage() && finding.start > offset)
    }

    /// The damage before an offset.
    pub(crate) fn damage_before(&self, offset: u64) -> Option<&Finding> {
        self.findings.iter().rev().find(|finding| finding.kind.is_damage() && finding.start < offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: DamageKind, range: std::ops::Range<u64>) -> ProposedFix {
        ProposedFix {
            finding: Finding::new(kind, range),
            fix: Some(Fix::without_candidates(crate::repair::RepairAction::Gap)),
        }
    }

    #[test]
    fn a_finding_told_twice_is_kept_once_and_in_its_place() {
        let mut scan = ScanProgress::new(ScanState::Running);
        for start in [500, 100, 500, 300] {
            scan.add_finding(found(DamageKind::Checksum, start..start + 10));
        }
        scan.add_finding(found(DamageKind::Clock, 300..310));
        let places: Vec<_> = scan.findings.iter().map(|finding| finding.start).collect();
        assert_eq!(places, [100, 300, 300, 500]);
        assert_eq!(scan.damage_count(), 3);
        assert_eq!(scan.damage_after(100).unwrap().start, 300);
        assert_eq!(scan.damage_before(500).unwrap().start, 300);
    }

    #[test]
    fn an_end_that_is_looked_at_again_is_forgotten() {
        let mut scan = ScanProgress::new(ScanState::Running);
        scan.position = (600, 600);
        scan.health_map.mark_verified(0..600);
        scan.add_finding(found(DamageKind::TornTail, 500..510));
        scan.add_finding(found(DamageKind::Gap, 100..110));
        scan.forget_from(500);
        assert_eq!((scan.findings.len(), scan.fixes.len()), (1, 1));
        assert!(!scan.health_map.range_health(500..501).damaged && scan.health_map.range_health(100..101).gap);
        assert!(scan.health_map.range_health(0..500).verified);
    }
}
