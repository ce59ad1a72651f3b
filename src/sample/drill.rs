//! The table of drills (kinds of damage that can be planted), and the result of planting one.

use super::edit::ByteEdit;
use crate::StorageError;
use crate::format::{DamageKind, Version};

/// A kind of damage that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Drill {
    /// Zeros appended after the last frame.
    Zeros,
    /// One to three whole frames in the middle zeroed.
    ZeroFrames,
    /// One bit of a payload or checksum flipped.
    Checksum,
    /// One byte of a payload changed.
    ChecksumByte,
    /// Two to sixteen adjacent bytes of a payload changed.
    ChecksumNoise,
    /// A length field changed.
    Length,
    /// The end of the last frame cut off.
    TornTail,
    /// The end of the last frame zeroed: the size was written, the data was not.
    TornData,
    /// A sector across two frames overwritten.
    Garbage,
    /// Bytes inserted between two frames.
    Inserted,
    /// A sector across two frames zeroed.
    ZeroSector,
    /// Whole frames cut from the end, with an index that covers them.
    Truncated,
    /// The last frame cut in two, with an index that covers it.
    TruncatedFrame,
    /// One byte of the magic changed.
    Header,
    /// One byte of the header's creation time changed, with an index that records it.
    CreatedAt,
    /// A valid frame whose payload is not a valid event.
    InvalidEvent,
    /// A frame replaced with a gap.
    Gap,
    /// An event's time set before the time of the previous event.
    Clock,
    /// Two frames swapped. Both are valid; only their times reveal the swap.
    Swapped,
    /// A frame of version 2 that was written for another place of the log.
    MovedFrame,
    /// A copy of the last frame of version 2 appended.
    DuplicatedFrame,
    /// The names of two adjacent sealed segments exchanged.
    SwappedSegments,
    /// The end of a sealed segment cut off.
    CutSegment,
    /// A segment between two others removed.
    MissingSegment,
    /// The first segment removed.
    MissingFirstSegment,
    /// The last segment removed, with the indexes of all segments in place.
    MissingLastSegment,
}

/// An entry of the table of drills.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DrillSpec {
    /// The drill that the entry describes.
    pub(crate) drill: Drill,
    /// The name that `--kind` accepts.
    pub(crate) name: &'static str,
    /// The kind of damage that `verify` reports for the drill.
    pub(crate) kind: DamageKind,
    /// The description of the damage, as the help lists it.
    pub(crate) description: &'static str,
}

/// Planted damage, with the finding that verifying the copy must report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlantedDamage {
    /// The kind of drill.
    pub(crate) drill: Drill,
    /// The seed that chose the location.
    pub(crate) seed: u64,
    /// The kind of damage that must be found.
    pub(crate) kind: DamageKind,
    /// File offset of the finding's first byte.
    pub(crate) start: u64,
    /// File offset after the finding's last byte.
    pub(crate) end: u64,
    /// The change that was made.
    pub(crate) change: PlantedChange,
}

/// The change that a drill made to a copy of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PlantedChange {
    /// Bytes of the log were changed, at an offset in the log.
    Bytes(ByteEdit),
    /// The file of a segment was removed.
    Removed(SegmentPart),
    /// The file of a segment was cut after this number of bytes.
    Cut(SegmentPart, u64),
    /// The files of two segments exchanged their names.
    Exchanged([SegmentPart; 2]),
}

/// A segment that a drill changed, as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentPart {
    /// The name of its file.
    pub(crate) file: String,
    /// Its base, the offset of its first byte in the log.
    pub(crate) base: u64,
    /// The size of its file in bytes.
    pub(crate) bytes: u64,
}

/// The reason why no damage was planted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrillError {
    /// A file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The log has no suitable location for this damage.
    #[error("{log}: no place for drill {drill}: expected {expected}")]
    NoLocation {
        /// The path of the log.
        log: String,
        /// The drill's name.
        drill: &'static str,
        /// The property that the log must have for this drill.
        expected: &'static str,
    },
}

impl Drill {
    /// The table of drills. Every kind of damage that bytes alone can produce has a drill of the same name.
    pub(crate) const ALL: [DrillSpec; 26] = [
        spec(Drill::Zeros, "zeros", DamageKind::Zeros, "zeros appended at the end"),
        spec(Drill::ZeroFrames, "zero_frames", DamageKind::Zeros, "one to three frames in the middle zeroed"),
        spec(Drill::Checksum, "checksum", DamageKind::Checksum, "one bit flipped"),
        spec(Drill::ChecksumByte, "checksum_byte", DamageKind::Checksum, "one byte changed"),
        spec(Drill::ChecksumNoise, "checksum_noise", DamageKind::Checksum, "2 to 16 adjacent bytes changed"),
        spec(Drill::Length, "length", DamageKind::Length, "a length field changed"),
        spec(Drill::TornTail, "torn_tail", DamageKind::TornTail, "the end of the last frame cut off"),
        spec(Drill::TornData, "torn_data", DamageKind::TornTail, "the end of the last frame zeroed"),
        spec(Drill::Garbage, "garbage", DamageKind::Garbage, "a sector across two frames overwritten"),
        spec(
            Drill::Inserted,
            "inserted",
            DamageKind::Garbage,
            "bytes inserted between two frames, in a log of version 1",
        ),
        spec(Drill::ZeroSector, "zero_sector", DamageKind::Garbage, "a sector across two frames zeroed"),
        spec(
            Drill::Truncated,
            "truncated",
            DamageKind::Truncated,
            "whole frames cut from the end, covered by an index",
        ),
        spec(
            Drill::TruncatedFrame,
            "truncated_frame",
            DamageKind::Truncated,
            "the last frame cut in two, covered by an index",
        ),
        spec(Drill::Header, "header", DamageKind::Header, "one byte of the magic changed"),
        spec(
            Drill::CreatedAt,
            "created_at",
            DamageKind::Header,
            "one byte of the creation time changed, recorded by an index",
        ),
        spec(
            Drill::InvalidEvent,
            "invalid_event",
            DamageKind::InvalidEvent,
            "a frame whose payload is not a valid event",
        ),
        spec(Drill::Gap, "gap", DamageKind::Gap, "a frame replaced with a gap"),
        spec(Drill::Clock, "clock", DamageKind::Clock, "an event's time set before the previous event's"),
        spec(Drill::Swapped, "swapped", DamageKind::Clock, "two frames swapped, in a log of version 1"),
        spec(
            Drill::MovedFrame,
            "moved_frame",
            DamageKind::Checksum,
            "a frame that was written for another place, in a log of version 2",
        ),
        spec(
            Drill::DuplicatedFrame,
            "duplicated_frame",
            DamageKind::Checksum,
            "the last frame written again, in a log of version 2",
        ),
        spec(
            Drill::SwappedSegments,
            "swapped_segments",
            DamageKind::Truncated,
            "the names of two segments exchanged, in a log in a folder",
        ),
        spec(
            Drill::CutSegment,
            "cut_segment",
            DamageKind::Truncated,
            "the end of a segment before the last one cut off, in a log in a folder",
        ),
        spec(
            Drill::MissingSegment,
            "missing_segment",
            DamageKind::Truncated,
            "a segment between two others removed, in a log in a folder",
        ),
        spec(
            Drill::MissingFirstSegment,
            "missing_first_segment",
            DamageKind::Truncated,
            "the first segment removed, in a log in a folder",
        ),
        spec(
            Drill::MissingLastSegment,
            "missing_last_segment",
            DamageKind::Truncated,
            "the last segment removed, with its index in place, in a log in a folder",
        ),
    ];

    /// True for a drill that changes whole segments, and needs a log in a folder.
    pub(crate) const fn changes_segments(self) -> bool {
        matches!(
            self,
            Self::SwappedSegments
                | Self::CutSegment
                | Self::MissingSegment
                | Self::MissingFirstSegment
                | Self::MissingLastSegment
        )
    }

    /// True when the bytes of a log of this version can have the damage. In version 1, a whole frame in another place is valid. In version 2,
    /// every frame after inserted bytes has moved and is damaged.
    pub(crate) const fn fits(self, version: Version) -> bool {
        match self {
            Self::Inserted | Self::Swapped => matches!(version, Version::V1),
            Self::MovedFrame | Self::DuplicatedFrame => matches!(version, Version::V2),
            _ if self.changes_segments() => false,
            _ => version.has_checksums(),
        }
    }

    /// Returns the name that `--kind` accepts.
    pub(crate) fn name(self) -> &'static str {
        self.spec().name
    }

    /// Returns the kind of damage that `verify` reports for this drill.
    pub(crate) fn kind(self) -> DamageKind {
        self.spec().kind
    }

    /// Returns the drill with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|spec| spec.name == name).map(|spec| spec.drill)
    }

    /// True if only an index reveals the damage: the copy then gets an index built before the damage.
    pub(crate) const fn needs_index(self) -> bool {
        matches!(self, Self::Truncated | Self::TruncatedFrame | Self::CreatedAt | Self::MissingLastSegment)
    }

    fn spec(self) -> &'static DrillSpec {
        Self::ALL.iter().find(|spec| spec.drill == self).unwrap_or(&Self::ALL[0])
    }
}

const fn spec(drill: Drill, name: &'static str, kind: DamageKind, description: &'static str) -> DrillSpec {
    DrillSpec { drill, name, kind, description }
}
