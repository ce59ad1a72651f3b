//! The known facts about the whole log: its events, its damage, and how much of it was verified.

use super::{EarlierVerification, Model};
use crate::format::DamageKind;
use crate::index::VerificationMark;
use crate::report::FindingCounts;
use crate::report::units::format_date;

impl Model {
    /// Returns the number of events that the scan has counted, or else the number that the index file covers.
    ///
    /// The index file of a truncated log also counts the missing events. They are subtracted; the result is `None`
    /// while their number is unknown.
    pub(crate) fn event_count(&self) -> Option<u64> {
        let saved = self.log_info.index.saved_coverage;
        self.scan.event_count.or_else(|| match saved? {
            saved if saved.covered_to <= self.log_info.bytes => Some(saved.events),
            saved if saved.covered_to == saved.log_end_offset => saved.events.checked_sub(self.events_missing()?),
            _ => None,
        })
    }

    /// Returns the number of events that are missing from a truncated log, when the scan knows it.
    pub(crate) fn events_missing(&self) -> Option<u64> {
        let missing = self.scan.findings.iter().find(|finding| finding.kind == DamageKind::Truncated);
        missing.and_then(|finding| finding.evidence.events_missing)
    }

    /// Returns how far the log was verified when its index was saved, unless its bytes may have changed since.
    pub(crate) fn earlier_verification(&self) -> Option<VerificationMark> {
        self.log_info.index.verification.filter(|_| self.scan.earlier == EarlierVerification::Trusted)
    }

    /// Returns the number of bytes that were verified in this session or earlier.
    pub(crate) fn verified_bytes(&self) -> u64 {
        let earlier = self.earlier_verification().map_or(0, |mark| mark.verified_to);
        self.scan.health_map.verified_bytes(earlier).min(self.log_info.bytes)
    }

    /// Returns `" so far"` while a part of the log is unread, so that its damage is not counted, else an empty text.
    pub(crate) fn so_far(&self) -> &'static str {
        let is_counted = self.scan.is_done() && self.verified_bytes() >= self.log_info.bytes;
        if is_counted { "" } else { " so far" }
    }

    /// Returns whether findings are listed, or the log that had some is being read again. Their panes stay meanwhile.
    pub(crate) fn expects_findings(&self) -> bool {
        !self.scan.findings.is_empty() || self.finding_anchor.is_some()
    }

    /// Returns the number of findings of each kind.
    pub(crate) fn finding_counts(&self) -> FindingCounts {
        let mut counts = FindingCounts::default();
        self.scan.findings.iter().for_each(|finding| counts.add(finding));
        counts
    }

    /// Returns a note that the finished scan has skipped ranges verified earlier; `None` when it has skipped nothing.
    pub(crate) fn skipped_note(&self) -> Option<String> {
        let has_skipped = self.scan.is_done() && !self.scan.has_read_all();
        has_skipped.then(|| match self.earlier_verification() {
            Some(VerificationMark { verified_at_ms, .. }) => {
                format!("last verified on {}, not read since", format_date(verified_at_ms, self.zone))
            }
            None => "verified in an earlier session, not read since".into(),
        })
    }
}
