//! The table of damage kinds, and findings: ranges of a log with a damage kind and the evidence for it.

use std::ops::Range;

/// Whether a finding is damage, or information about an undamaged log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FindingSeverity {
    /// Bytes are lost or wrong, or cannot be read.
    Damage,
    /// The bytes are as they were written.
    Information,
}

/// The structure of the bytes in a finding's range, which decides how they can be decoded and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingLayout {
    /// The header of the log.
    Header,
    /// One valid frame, which stays valid when the log grows.
    ValidFrame,
    /// One frame whose start and end are known, and whose length field or checksum is wrong.
    DamagedFrame,
    /// Bytes without a structure, or no bytes at all.
    RawBytes,
}

/// Whether opening a log for append, or a repair, may cut a finding off the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TailPolicy {
    /// The repair copies the bytes into a journal and then cuts them off the log.
    SetAside,
    /// The bytes stay where they are.
    Keep,
}

/// Whether an index lists the range of a finding among its damaged ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexListing {
    /// The index lists the range, so that readers examine the bytes of the log there instead of using the index.
    Listed,
    /// The index does not list the range. Gaps are counted instead, and other ranges are ignored.
    NotListed,
}

/// A row of the table of damage kinds.
#[derive(Debug, Clone, Copy)]
struct DamageKindRow {
    name: &'static str,
    severity: FindingSeverity,
    layout: FindingLayout,
    tail: TailPolicy,
    index: IndexListing,
    meaning: &'static str,
}

/// Defines [`DamageKind`] from its table, so that a kind cannot be added without a row.
macro_rules! damage_kinds {
    ($($kind:ident, $name:literal, $severity:ident, $layout:ident, $tail:ident, $index:ident, $meaning:literal;)+) => {
        /// The kind of a finding: a kind of damage, or information about an undamaged range.
        ///
        /// The names are those in `docs/format.md`. They appear in JSON output, plans and journals, and on the screen.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum DamageKind {
            $(#[doc = $meaning] $kind,)+
        }

        impl DamageKind {
            /// Every kind, in the order in which findings at the same offset are sorted.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$kind),+];

            const fn row(self) -> DamageKindRow {
                match self {
                    $(Self::$kind => DamageKindRow {
                        name: $name,
                        severity: FindingSeverity::$severity,
                        layout: FindingLayout::$layout,
                        tail: TailPolicy::$tail,
                        index: IndexListing::$index,
                        meaning: $meaning,
                    },)+
                }
            }
        }
    };
}

#[rustfmt::skip]
damage_kinds! {
    // kind      name             severity     layout        tail      index      meaning
    Zeros,       "zeros",         Damage,      RawBytes,     SetAside, Listed,    "Four bytes or more, all of them zero.";
    Checksum,    "checksum",      Damage,      DamagedFrame, Keep,     Listed,    "A frame in its place whose checksum does not match its bytes.";
    Length,      "length",        Damage,      DamagedFrame, Keep,     Listed,    "A frame of which only the length field is damaged.";
    TornTail,    "torn_tail",     Damage,      RawBytes,     SetAside, Listed,    "An unfinished frame at the end of the file.";
    Garbage,     "garbage",       Damage,      RawBytes,     SetAside, Listed,    "Bytes that do not look like frames: overwritten, inserted or stale.";
    Truncated,   "truncated",     Damage,      RawBytes,     Keep,     Listed,    "Events that the index has recorded are missing from the end of the file.";
    Header,      "header",        Damage,      Header,       Keep,     NotListed, "The first 16 bytes of the log are damaged.";
    InvalidEvent,"invalid_event", Damage,      ValidFrame,   Keep,     Listed,    "A frame whose checksum matches and whose payload is not an event.";
    Lost,        "lost",          Information, RawBytes,     Keep,     NotListed, "A range of which no segment is left, and which an earlier repair gave up.";
    Gap,         "gap",           Information, ValidFrame,   Keep,     NotListed, "A range that an earlier repair or an erasure replaced with a gap frame.";
    Clock,       "clock",         Information, ValidFrame,   Keep,     NotListed, "An event whose time is less than the time of the readable event before it.";
    Unreadable,  "unreadable",    Damage,      RawBytes,     Keep,     Listed,    "The device cannot read the range.";
}

impl DamageKind {
    /// The name of the kind in `docs/format.md`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The kind with the given name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The meaning of the kind, in one sentence.
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// True for damage, false for information.
    pub const fn is_damage(self) -> bool {
        matches!(self.row().severity, FindingSeverity::Damage)
    }

    /// True when the bytes of a finding of this kind may have held events that can no longer be read.
    pub const fn may_hold_events(self) -> bool {
        self.is_damage() && !matches!(self, Self::Header)
    }

    /// The structure of the bytes in the range of a finding of this kind.
    pub const fn layout(self) -> FindingLayout {
        self.row().layout
    }

    /// True when a finding of this kind at the end of the log may be set aside: copied into a journal, then cut off.
    ///
    /// A finding that starts before the log end recorded in an index is never set aside, independent of its kind.
    pub const fn can_set_aside(self) -> bool {
        matches!(self.row().tail, TailPolicy::SetAside)
    }

    /// True when an index lists the range of a finding of this kind among its damaged ranges.
    ///
    /// The header is not listed, because every reader checks it. Gaps are counted instead.
    pub const fn is_listed_in_index(self) -> bool {
        matches!(self.row().index, IndexListing::Listed)
    }
}

/// A range of a log with its damage kind and the evidence for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The kind of the finding.
    pub kind: DamageKind,
    /// File offset of the first byte of the range.
    pub start: u64,
    /// File offset after the last byte of the range.
    pub end: u64,
    /// The values that led to the finding.
    pub evidence: Evidence,
}

impl Finding {
    /// Creates a finding without evidence.
    pub fn new(kind: DamageKind, range: Range<u64>) -> Self {
        Self { kind, start: range.start, end: range.end, evidence: Evidence::default() }
    }

    /// Replaces the evidence of the finding.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    /// The range `start..end`, in bytes of the file.
    pub const fn range(&self) -> Range<u64> {
        self.start..self.end
    }
}

/// The values that led to a finding. A field is `None` where it does not apply to the kind or is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The checksum stored after the payload.
    pub stored_checksum: Option<u32>,
    /// The checksum computed over the length and payload in the file.
    pub computed_checksum: Option<u32>,
    /// The value of the length field.
    pub length_found: Option<u32>,
    /// The payload length that follows from the offset of the next frame, or from the end of the file.
    pub length_implied: Option<u32>,
    /// File offset of the next valid frame after the damage.
    pub resumes_at: Option<u64>,
    /// Share of zero bytes in the range, from 0 to 1.
    pub zero_share: Option<f64>,
    /// File offset of the first byte that is not UTF-8 or not JSON.
    pub bad_byte_offset: Option<u64>,
    /// Why the payload is not an event, in words.
    pub reason: Option<String>,
    /// Number of bytes between the end of the file and the end that the length field announces.
    pub bytes_missing: Option<u64>,
    /// Number of events that the index has recorded and the file no longer holds.
    pub events_missing: Option<u64>,
    /// Number of aggregates to which the missing events belonged.
    pub aggregates_missing: Option<u64>,
    /// The end of the log that the index has recorded, as a file offset.
    pub log_end_offset: Option<u64>,
    /// File offset in the range at which the header of another log starts: logs were concatenated.
    pub second_header_at: Option<u64>,
    /// Number of bytes 0d that a translation of line ends added to the damaged range. Without them the range consists of
    /// valid frames.
    pub text_mode_bytes: Option<u64>,
    /// File offset of a valid frame of the log with the same bytes: the range is a copy of it. Only version 2 detects this.
    pub copy_of: Option<u64>,
    /// True for a frame of a log of version 2 with a checksum of version 1.
    pub is_version_1: bool,
    /// The time of this event, in milliseconds since the Unix epoch.
    pub time_ms: Option<u64>,
    /// The time of the readable event before it, in milliseconds since the Unix epoch.
    pub previous_time_ms: Option<u64>,
    /// The `$gap` object of a gap, as stored.
    pub content: Option<String>,
    /// When a repair gave the range up, in milliseconds since the Unix epoch.
    pub given_up_at_ms: Option<u64>,
    /// Number of bytes that the file of a sealed segment has after its end.
    pub excess_bytes: Option<u64>,
    /// The header as found, in hexadecimal digits.
    pub header_found: Option<String>,
    /// The header as the index recorded it, or as the format requires it, in hexadecimal digits.
    pub header_expected: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_unique_name() {
        for kind in DamageKind::ALL {
            assert_eq!(DamageKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(DamageKind::from_name("in_flight"), None);
    }

    #[test]
    fn only_an_unfinished_end_can_be_set_aside() {
        let set_aside: Vec<_> = DamageKind::ALL.into_iter().filter(|kind| kind.can_set_aside()).collect();
        assert_eq!(set_aside, [DamageKind::Zeros, DamageKind::TornTail, DamageKind::Garbage]);
    }

    #[test]
    fn information_is_a_valid_frame_or_no_bytes_and_never_listed_in_an_index() {
        for kind in DamageKind::ALL.into_iter().filter(|kind| !kind.is_damage()) {
            let layout = if kind == DamageKind::Lost { FindingLayout::RawBytes } else { FindingLayout::ValidFrame };
            assert_eq!(kind.layout(), layout, "{}", kind.name());
            assert!(!kind.is_listed_in_index(), "{}", kind.name());
        }
    }
}
