//! The words for damage: one set of names for JSON, screen, plan and documentation.

use std::ops::Range;

/// What is wrong with a range of the file, or notable about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DamageKind {
    /// Four bytes or more, all of them zero.
    Zeros,
    /// A frame in its place whose checksum differs.
    Checksum,
    /// A frame of which only the length field is damaged.
    Length,
    /// The unfinished end of a file whose writer is gone.
    TornTail,
    /// Bytes that look like no frame: overwritten, inserted, stale.
    Garbage,
    /// Events that the index has seen are missing from the end.
    Truncated,
    /// The log's first 16 bytes are damaged.
    Header,
    /// The checksum holds and the payload is no event: a writer's fault.
    InvalidEvent,
    /// A range that an earlier repair fenced off. Information, not damage.
    Gap,
    /// An event's time lies before that of the readable event before it. Information, not damage.
    Clock,
    /// The device refuses to read the range.
    Unreadable,
}

impl DamageKind {
    /// Every kind, with its name and whether it is damage.
    pub const ALL: [(DamageKind, &'static str, bool); 11] = [
        (DamageKind::Zeros, "zeros", true),
        (DamageKind::Checksum, "checksum", true),
        (DamageKind::Length, "length", true),
        (DamageKind::TornTail, "torn_tail", true),
        (DamageKind::Garbage, "garbage", true),
        (DamageKind::Truncated, "truncated", true),
        (DamageKind::Header, "header", true),
        (DamageKind::InvalidEvent, "invalid_event", true),
        (DamageKind::Gap, "gap", false),
        (DamageKind::Clock, "clock", false),
        (DamageKind::Unreadable, "unreadable", true),
    ];

    /// The name FORMAT.md gives it.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// False for what is only worth knowing: `gap` and `clock`.
    pub fn is_damage(self) -> bool {
        self.row().2
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn row(self) -> &'static (DamageKind, &'static str, bool) {
        Self::ALL.iter().find(|row| row.0 == self).unwrap_or(&Self::ALL[0])
    }
}

/// Something found in a log: where, what, and what speaks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: DamageKind,
    /// File offset of its first byte.
    pub start: u64,
    /// File offset behind its last byte.
    pub end: u64,
    /// What was seen.
    pub evidence: Evidence,
}

impl Finding {
    /// A finding without evidence yet.
    pub fn new(kind: DamageKind, range: Range<u64>) -> Self {
        Self { kind, start: range.start, end: range.end, evidence: Evidence::default() }
    }

    /// The same, with evidence.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    /// `start..end`, in bytes of the file.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }
}

/// What was seen where something is wrong. Every field is there only where it says something.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The checksum found behind the payload.
    pub stored_checksum: Option<u32>,
    /// The checksum of the bytes that are there.
    pub computed_checksum: Option<u32>,
    /// The length field as found.
    pub length_found: Option<u32>,
    /// The length that the next frame, or the end of the file, implies.
    pub length_implied: Option<u32>,
    /// Offset at which valid frames go on.
    pub resumes_at: Option<u64>,
    /// Share of zero bytes in the range, 0 to 1.
    pub zero_share: Option<f64>,
    /// Offset of the first byte that is not UTF-8 or not JSON.
    pub bad_byte_offset: Option<u64>,
    /// Why a payload is no event, in words.
    pub reason: Option<String>,
    /// Bytes that a complete frame would need and the file does not have.
    pub bytes_missing: Option<u64>,
    /// Events the index has seen and the file no longer holds.
    pub events_missing: Option<u64>,
    /// Aggregates those events belonged to.
    pub aggregates_missing: Option<u64>,
    /// How far the index had seen the log.
    pub log_end_offset: Option<u64>,
    /// This event's time, milliseconds since the epoch.
    pub time_ms: Option<u64>,
    /// The time of the readable event before it.
    pub previous_time_ms: Option<u64>,
    /// What a gap's `$gap` object says, as stored.
    pub content: Option<String>,
    /// The header as found, in hex.
    pub header_found: Option<String>,
    /// The header as the index, or the format, would have it, in hex.
    pub header_expected: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_row_and_a_name_of_its_own() {
        for (kind, name, damage) in DamageKind::ALL {
            assert_eq!(DamageKind::from_name(name), Some(kind));
            assert_eq!((kind.name(), kind.is_damage()), (name, damage));
        }
        assert_eq!(DamageKind::from_name("in_flight"), None);
    }
}
