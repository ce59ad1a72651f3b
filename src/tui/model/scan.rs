//! What the scan behind the screen has seen so far.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::format::{Finding, Kind};
use crate::inspect::{HealthMap, MAX_FINDINGS};
use crate::repair::{Fix, Proposed};
use crate::tui::message::Moment;

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
pub(crate) struct Scan {
    /// How it stands.
    pub(crate) state: ScanState,
    /// Findings by place.
    pub(crate) findings: Vec<Finding>,
    /// What can be done about those about which something can.
    fixes: BTreeMap<(u64, Kind), Fix>,
    /// Those that were not kept.
    pub(crate) not_kept: u64,
    /// What is known of each part.
    pub(crate) map: HealthMap,
    /// Events counted, when it counts them.
    pub(crate) events: Option<u64>,
    /// Where it is, and where it will end.
    pub(crate) at: (u64, u64),
    /// While it runs: since when, and the bytes that it has read since.
    pub(crate) run: Option<(Moment, u64)>,
    /// Up to here the index was built anew from here, which verified it.
    rebuilt: u64,
    /// Where damage was met that it did not know, and was told to look at.
    told: BTreeSet<u64>,
}

impl Scan {
    /// Nothing seen yet.
    pub(crate) fn new(state: ScanState) -> Self {
        let (findings, fixes) = (Vec::new(), BTreeMap::new());
        let (map, told) = (HealthMap::default(), BTreeSet::new());
        Self { state, findings, fixes, not_kept: 0, map, events: None, at: (0, 0), run: None, rebuilt: 0, told }
    }

    /// It has come from one offset to another, of an end.
    pub(crate) fn scanned(&mut self, from: u64, at: u64, end: u64, now: Moment) {
        self.state = ScanState::Running;
        self.at = (at, end);
        self.map.verified(from..at);
        self.run.get_or_insert((now, 0)).1 += at - from;
    }

    /// It runs no more.
    pub(crate) fn ends(&mut self, state: ScanState) {
        (self.state, self.run) = (state, None);
    }

    /// True when it is through: what it left out was verified earlier.
    pub(crate) fn is_done(&self) -> bool {
        self.state == ScanState::Done
    }

    /// True when it is through, and left nothing out.
    pub(crate) fn has_read_all(&self) -> bool {
        self.is_done() && (self.at.1 == 0 || self.map.look(0..self.at.1).verified)
    }

    /// Damage was met in these ranges, ascending: those to look at because it does not know of it.
    pub(crate) fn met(&mut self, ranges: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let mut unknown: Vec<Range<u64>> = Vec::new();
        for range in ranges.filter(|_| self.not_kept == 0) {
            let behind = self.findings.partition_point(|known| known.start <= range.start);
            let known = self.findings.get(..behind).unwrap_or_default().iter().rev();
            // What starts where this does, and the damage before it, which may hold it.
            let mut near = known.take_while(|known| known.start == range.start || known.end > range.start);
            if near.any(|known| known.kind.is_damage()) || self.told.contains(&range.start) {
                continue;
            }
            self.told.insert(range.start);
            match unknown.last_mut().filter(|last| last.end == range.start) {
                Some(last) => last.end = range.end,
                None => unknown.push(range),
            }
        }
        unknown
    }

    /// How many findings are damage.
    pub(crate) fn damaged(&self) -> usize {
        self.findings.iter().filter(|finding| finding.kind.is_damage()).count()
    }

    /// Takes a finding in, once.
    pub(crate) fn found(&mut self, found: Proposed) {
        let Proposed { finding, fix } = found;
        if finding.kind.is_damage() {
            self.map.damaged(finding.range());
        } else if finding.kind == Kind::Gap {
            self.map.gap(finding.range());
        }
        let place = |known: &Finding| (known.start, known.kind);
        let key = place(&finding);
        match self.findings.binary_search_by_key(&place(&finding), place) {
            Ok(known) => {
                if let Some(known) = self.findings.get_mut(known) {
                    *known = finding;
                }
            }
            Err(_) if self.findings.len() >= MAX_FINDINGS => {
                self.not_kept += 1;
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
    pub(crate) fn forget(&mut self, from: u64) {
        let from = from.max(self.rebuilt);
        self.fixes.retain(|(start, _), _| *start < from);
        self.told.retain(|start| *start < from);
        let kept = self.findings.partition_point(|finding| finding.start < from);
        if kept < self.findings.len() {
            self.findings.truncate(kept);
            let mut map = HealthMap::default();
            map.verified(0..from.min(self.at.0.max(self.rebuilt)));
            for finding in &self.findings {
                if finding.kind.is_damage() {
                    map.damaged(finding.range());
                } else if finding.kind == Kind::Gap {
                    map.gap(finding.range());
                }
            }
            self.map = map;
        }
    }

    /// The index was built anew up to here, which read everything: what it has found is told next.
    pub(crate) fn rebuilt(&mut self, to: u64) {
        self.rebuilt = 0;
        self.forget(0);
        self.rebuilt = to;
        self.map.verified(0..to);
    }

    /// What can be done about a finding.
    pub(crate) fn fix(&self, finding: &Finding) -> Option<&Fix> {
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

    fn found(kind: Kind, range: std::ops::Range<u64>) -> Proposed {
        Proposed { finding: Finding::new(kind, range), fix: Some(Fix::plain(crate::repair::Action::Gap)) }
    }

    #[test]
    fn a_finding_told_twice_is_kept_once_and_in_its_place() {
        let mut scan = Scan::new(ScanState::Running);
        for start in [500, 100, 500, 300] {
            scan.found(found(Kind::Checksum, start..start + 10));
        }
        scan.found(found(Kind::Clock, 300..310));
        let places: Vec<_> = scan.findings.iter().map(|finding| finding.start).collect();
        assert_eq!(places, [100, 300, 300, 500]);
        assert_eq!(scan.damaged(), 3);
        assert_eq!(scan.damage_after(100).unwrap().start, 300);
        assert_eq!(scan.damage_before(500).unwrap().start, 300);
    }

    #[test]
    fn an_end_that_is_looked_at_again_is_forgotten() {
        let mut scan = Scan::new(ScanState::Running);
        scan.at = (600, 600);
        scan.map.verified(0..600);
        scan.found(found(Kind::TornTail, 500..510));
        scan.found(found(Kind::Gap, 100..110));
        scan.forget(500);
        assert_eq!((scan.findings.len(), scan.fixes.len()), (1, 1));
        assert!(!scan.map.look(500..501).damaged && scan.map.look(100..101).gap);
        assert!(scan.map.look(0..500).verified);
    }
}
