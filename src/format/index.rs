//! The byte layout of the index file: a header, then sections, all in pages with a checksum each.
//!
//! A page is 4092 bytes of data followed by the CRC of the page number (u64) and the data, so that a page at the wrong
//! place is detected. A section starts on a new page and continues through the data of the following pages.

use super::byte_layout::{FieldSpec, is_contiguous_layout, u16_at, u32_at, u64_at};
use super::crc;
use super::frame::FrameIdentity;
use super::header::{HEADER_LEN, HeaderBytes, LogHeader, MAX_HEADER_LEN};
pub use super::index_rows::{
    ANCHOR_FIELDS, ANCHOR_LEN, DAMAGE_FIELDS, DAMAGE_ROW_LEN, DIRECTORY_FIELDS, DIRECTORY_ROW_LEN,
    FOUND_AFTER_BUILD_BIT, GUIDE_ROW_LEN, ROWS_PER_GUIDE_ENTRY,
};
use super::{FrameFormat, Version};

/// Size of a page on disk, in bytes.
pub const PAGE_SIZE: usize = 4096;
/// Bytes of a page that hold data; the rest is the checksum.
pub const PAGE_DATA_SIZE: usize = PAGE_SIZE - 4;
/// The first four bytes of an index file.
pub const MAGIC: [u8; 4] = *b"CHIX";
/// The version of the index format.
pub const VERSION: u16 = 1;

/// The fields of the index header, at the start of page 0.
pub const INDEX_HEADER_FIELDS: [FieldSpec; 28] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("log_version", 6, 2),
    FieldSpec::new("log_header", 8, 16),
    FieldSpec::new("log_end_offset", 24, 8),
    FieldSpec::new("covered_to", 32, 8),
    FieldSpec::new("scanned_to", 40, 8),
    FieldSpec::new("first_offset", 48, 8),
    FieldSpec::new("first_checksum", 56, 4),
    FieldSpec::new("log_checksum", 60, 4),
    FieldSpec::new("last_offset", 64, 8),
    FieldSpec::new("events", 72, 8),
    FieldSpec::new("frames", 80, 8),
    FieldSpec::new("gaps", 88, 8),
    FieldSpec::new("last_time", 96, 8),
    FieldSpec::new("lost_events", 104, 8),
    FieldSpec::new("lost_aggregates", 112, 8),
    FieldSpec::new("verified_to", 120, 8),
    FieldSpec::new("verified_at", 128, 8),
    FieldSpec::new("anchor_spacing", 136, 8),
    FieldSpec::new("checkpoint_spacing", 144, 8),
    FieldSpec::new("runs", 152, MAX_RUNS * RUN_ROW_LEN),
    FieldSpec::new("sections", 152 + MAX_RUNS * RUN_ROW_LEN, SECTION_COUNT * EXTENT_LEN),
    FieldSpec::new("known_offset", KNOWN_FRAMES_OFFSET, 8),
    FieldSpec::new("known_checksum", KNOWN_FRAMES_OFFSET + 8, 4),
    FieldSpec::new("seen_checksum", KNOWN_FRAMES_OFFSET + 12, 4),
    FieldSpec::new("seen_offset", KNOWN_FRAMES_OFFSET + 16, 8),
    FieldSpec::new("log_header_2", LOG_HEADER_2_OFFSET, MAX_HEADER_LEN - HEADER_LEN as usize),
];
/// The largest number of runs in an index file.
pub const MAX_RUNS: usize = 8;
const SECTION_COUNT: usize = 5;
/// Length of an encoded extent in bytes: first page, bytes, rows.
const EXTENT_LEN: usize = 24;
/// Length of an encoded run in the header, in bytes: the extents of postings, directory and guide.
const RUN_ROW_LEN: usize = 3 * EXTENT_LEN;
/// Offset of the fields that describe frames after the covered part of the log.
const KNOWN_FRAMES_OFFSET: usize = 152 + MAX_RUNS * RUN_ROW_LEN + SECTION_COUNT * EXTENT_LEN;
/// Offset of the rest of the copy of a log's header of version 2.
const LOG_HEADER_2_OFFSET: usize = KNOWN_FRAMES_OFFSET + 24;
/// Length of the index header, in bytes; the rest of page 0 is zero.
pub const INDEX_HEADER_LEN: usize = LOG_HEADER_2_OFFSET + MAX_HEADER_LEN - HEADER_LEN as usize;
const _: () =
    assert!(is_contiguous_layout(&INDEX_HEADER_FIELDS, INDEX_HEADER_LEN), "the fields cover the index header");

/// The sections other than the runs. The discriminant is the position of the extent in the `sections` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexSection {
    /// Sparse anchors, from which a scan can start.
    Anchors,
    /// A summary of the block of events that follows each anchor.
    Blocks,
    /// Names of event types, namespaces and schemas.
    Names,
    /// Counts of events per name, at a few offsets of the log and at its end.
    Checkpoints,
    /// Damaged ranges of the log.
    Damage,
}

/// The extents of the sections of one run. A run holds the aggregates of one part of the log, sorted by id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunExtents {
    /// Offsets of the events, delta-coded. The number of rows is the number of events.
    pub postings: IndexExtent,
    /// One row per aggregate, ascending by id.
    pub directory: IndexExtent,
    /// The id of every 32nd directory row, starting with the first.
    pub guide: IndexExtent,
}

/// The position and size of a section in the index file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexExtent {
    /// Number of the first page of the section.
    pub first_page: u64,
    /// Length of the section in bytes, without page checksums.
    pub bytes: u64,
    /// Number of rows in the section.
    pub rows: u64,
}

/// The index header: the part of the log that the index covers, and the extents of its sections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexHeader {
    /// Version of the log: 0 to 2.
    pub log_version: u16,
    /// A copy of the header of the log; empty for version 0, and when the log has no readable header.
    pub log_header: HeaderBytes,
    /// The offset up to which the log is known to have had events. Equal to `covered_to`, or greater when the log has
    /// lost its end.
    pub log_end_offset: u64,
    /// End of the last valid frame that the index covers.
    pub covered_to: u64,
    /// The offset up to which the log was read, including damage at its end.
    pub scanned_to: u64,
    /// Offset of the first frame; 0 when the index covers no frame.
    pub first_offset: u64,
    /// Checksum of the first frame.
    pub first_checksum: u32,
    /// Checksum of the last covered frame.
    pub log_checksum: u32,
    /// Offset of the last covered frame.
    pub last_offset: u64,
    /// Number of covered events.
    pub events: u64,
    /// Number of covered valid frames: events, gaps and frames that are neither.
    pub frames: u64,
    /// Number of covered gaps.
    pub gaps: u64,
    /// Time of the last readable event, in milliseconds since the Unix epoch.
    pub last_time: u64,
    /// Number of events that an earlier index had recorded after `covered_to`.
    pub lost_events: u64,
    /// Number of aggregates to which the lost events belonged.
    pub lost_aggregates: u64,
    /// The end of the valid frame up to which the log was verified; 0 when it was not verified.
    pub verified_to: u64,
    /// When the verified part was read, in milliseconds since the Unix epoch. When it was read in several passes, this
    /// is the time of the first pass.
    pub verified_at: u64,
    /// Size of an anchor cell in bytes, a power of two.
    pub anchor_spacing: u64,
    /// Size of a checkpoint cell in bytes, a power of two.
    pub checkpoint_spacing: u64,
    /// Runs, in the order of the log. Unused entries are empty.
    pub runs: [RunExtents; MAX_RUNS],
    /// Extents of the sections, indexed by [`IndexSection`].
    pub sections: [IndexExtent; SECTION_COUNT],
    /// Offset of a frame after the covered part that identifies the log; 0 when there is none.
    pub known_offset: u64,
    /// Checksum of the frame at `known_offset`.
    pub known_checksum: u32,
    /// Checksum of the frame at `seen_offset`.
    pub seen_checksum: u32,
    /// Offset of the last frame that an earlier index had recorded after `covered_to`; 0 when there is none.
    pub seen_offset: u64,
}

/// The reason why page 0 does not hold a usable index header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexHeaderFault {
    /// The version, given here, is newer than [`VERSION`].
    NewerVersion(u16),
    /// A field is out of range or contradicts another field. The text names the fault.
    Corrupt(&'static str),
}

/// Reads the copy of the log's header: all zeros when there is none.
fn decode_log_header(data: &[u8]) -> HeaderBytes {
    let start = data.get(8..8 + HEADER_LEN as usize).unwrap_or_default();
    if start.iter().all(|byte| *byte == 0) {
        return HeaderBytes::EMPTY;
    }
    let rest = data.get(LOG_HEADER_2_OFFSET..INDEX_HEADER_LEN).unwrap_or_default();
    let is_version_2 = u16_at(data, 6) == Some(Version::V2.number());
    HeaderBytes::from_start_of(&if is_version_2 { [start, rest].concat() } else { start.to_vec() })
}

impl IndexHeader {
    /// Returns the extent of a section.
    pub fn section_extent(&self, section: IndexSection) -> IndexExtent {
        self.sections.get(section as usize).copied().unwrap_or_default()
    }

    /// Returns the format of the frames of the log, which follows from the copy of its header.
    pub(crate) fn log_format(&self) -> FrameFormat {
        if self.log_version == Version::V0.number() {
            return FrameFormat::V0;
        }
        LogHeader::decode(&self.log_header).map_or(FrameFormat::V1, LogHeader::frame_format)
    }

    /// Returns the first frame that the index covers. The values are 0 when it covers no frame.
    pub fn first_frame(&self) -> FrameIdentity {
        FrameIdentity { offset: self.first_offset, checksum: self.first_checksum }
    }

    /// Returns the last frame that the index covers. The values are 0 when it covers no frame.
    pub fn last_frame(&self) -> FrameIdentity {
        FrameIdentity { offset: self.last_offset, checksum: self.log_checksum }
    }

    /// Returns the runs that hold at least one aggregate.
    pub fn non_empty_runs(&self) -> impl Iterator<Item = &RunExtents> {
        self.runs.iter().filter(|run| run.directory.rows > 0)
    }

    /// Returns every extent, in the order in which the header encodes them.
    fn extents(&self) -> impl Iterator<Item = IndexExtent> + '_ {
        self.runs.iter().flat_map(|run| [run.postings, run.directory, run.guide]).chain(self.sections)
    }

    /// Encodes the header, without the zeros that fill page 0.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(INDEX_HEADER_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.log_version.to_be_bytes());
        let mut log_header = self.log_header.to_vec();
        log_header.resize(MAX_HEADER_LEN, 0);
        let (header_start, header_rest) = log_header.split_at(HEADER_LEN as usize);
        out.extend_from_slice(header_start);
        for number in [self.log_end_offset, self.covered_to, self.scanned_to, self.first_offset] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.first_checksum.to_be_bytes());
        out.extend_from_slice(&self.log_checksum.to_be_bytes());
        let numbers = [self.last_offset, self.events, self.frames, self.gaps, self.last_time];
        let more_numbers = [self.lost_events, self.lost_aggregates, self.verified_to, self.verified_at];
        for number in numbers.into_iter().chain(more_numbers).chain([self.anchor_spacing, self.checkpoint_spacing]) {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for extent in self.extents() {
            for number in [extent.first_page, extent.bytes, extent.rows] {
                out.extend_from_slice(&number.to_be_bytes());
            }
        }
        out.extend_from_slice(&self.known_offset.to_be_bytes());
        out.extend_from_slice(&self.known_checksum.to_be_bytes());
        out.extend_from_slice(&self.seen_checksum.to_be_bytes());
        out.extend_from_slice(&self.seen_offset.to_be_bytes());
        out.extend_from_slice(header_rest);
        out
    }

    /// Decodes the header from the data of page 0 of a file of `pages` pages. The caller has verified the page
    /// checksum.
    ///
    /// # Errors
    /// [`IndexHeaderFault::NewerVersion`] for a layout of a newer version; `Corrupt` for a wrong magic, and for fields
    /// that are out of range, contradict each other or point outside the file.
    pub fn decode(data: &[u8], pages: u64) -> Result<Self, IndexHeaderFault> {
        if data.first_chunk() != Some(&MAGIC) {
            return Err(IndexHeaderFault::Corrupt("the magic is not 43 48 49 58 (\"CHIX\")"));
        }
        let number = |at| u64_at(data, at).unwrap_or_default();
        let version = u16_at(data, 4).unwrap_or_default();
        if version > VERSION {
            return Err(IndexHeaderFault::NewerVersion(version));
        }
        let extent = |at: usize| IndexExtent { first_page: number(at), bytes: number(at + 8), rows: number(at + 16) };
        let runs = std::array::from_fn(|i| {
            let at = 152 + i * RUN_ROW_LEN;
            RunExtents { postings: extent(at), directory: extent(at + EXTENT_LEN), guide: extent(at + 2 * EXTENT_LEN) }
        });
        let sections = std::array::from_fn(|i| extent(152 + MAX_RUNS * RUN_ROW_LEN + i * EXTENT_LEN));
        let header = Self {
            log_version: u16_at(data, 6).unwrap_or_default(),
            log_header: decode_log_header(data),
            log_end_offset: number(24),
            covered_to: number(32),
            scanned_to: number(40),
            first_offset: number(48),
            first_checksum: u32_at(data, 56).unwrap_or_default(),
            log_checksum: u32_at(data, 60).unwrap_or_default(),
            last_offset: number(64),
            events: number(72),
            frames: number(80),
            gaps: number(88),
            last_time: number(96),
            lost_events: number(104),
            lost_aggregates: number(112),
            verified_to: number(120),
            verified_at: number(128),
            anchor_spacing: number(136),
            checkpoint_spacing: number(144),
            runs,
            sections,
            known_offset: number(KNOWN_FRAMES_OFFSET),
            known_checksum: u32_at(data, KNOWN_FRAMES_OFFSET + 8).unwrap_or_default(),
            seen_checksum: u32_at(data, KNOWN_FRAMES_OFFSET + 12).unwrap_or_default(),
            seen_offset: number(KNOWN_FRAMES_OFFSET + 16),
        };
        header.validate(version, pages)
    }

    fn validate(self, version: u16, pages: u64) -> Result<Self, IndexHeaderFault> {
        let corrupt = |reason| Err(IndexHeaderFault::Corrupt(reason));
        if version != VERSION || self.log_version > Version::V2.number() {
            return corrupt("a version number is out of range");
        }
        // No file is larger, so that sums of these offsets and of sizes on the disk do not overflow.
        let offsets = [self.log_end_offset, self.scanned_to, self.known_offset, self.seen_offset];
        if offsets.iter().any(|offset| *offset > i64::MAX.cast_unsigned()) {
            return corrupt("an offset is after the end of the largest possible file");
        }
        if self.lost_events > self.log_end_offset || self.lost_aggregates > self.log_end_offset {
            return corrupt("the counts of lost events exceed the log");
        }
        if self.covered_to > self.log_end_offset || self.covered_to > self.scanned_to {
            return corrupt("covered_to is after log_end_offset or scanned_to");
        }
        let counts_fit = self.events.checked_add(self.gaps).is_some_and(|sum| sum <= self.frames);
        if !counts_fit || self.frames > self.covered_to {
            return corrupt("the counts exceed the log");
        }
        if self.frames > 0 && (self.first_offset > self.last_offset || self.last_offset >= self.covered_to) {
            return corrupt("the first or last frame is outside the covered part");
        }
        if self.verified_to > self.covered_to {
            return corrupt("verified_to is after covered_to");
        }
        if !self.anchor_spacing.is_power_of_two() || !self.checkpoint_spacing.is_power_of_two() {
            return corrupt("a spacing is not a power of two");
        }
        let guides_match =
            self.runs.iter().all(|run| run.guide.rows == run.directory.rows.div_ceil(ROWS_PER_GUIDE_ENTRY));
        let directories = self.runs.iter().map(|run| (run.directory, DIRECTORY_ROW_LEN));
        let sections = [
            (self.section_extent(IndexSection::Anchors), ANCHOR_LEN),
            (self.section_extent(IndexSection::Damage), DAMAGE_ROW_LEN),
        ];
        let guides = self.runs.iter().map(|run| (run.guide, GUIDE_ROW_LEN));
        let is_consistent =
            |(extent, row_len): (IndexExtent, usize)| extent.rows.checked_mul(row_len as u64) == Some(extent.bytes);
        if !guides_match || !directories.chain(guides).chain(sections).all(is_consistent) {
            return corrupt("rows and bytes of a section disagree");
        }
        let is_inside_file = |extent: IndexExtent| {
            extent.first_page.checked_add(extent.bytes.div_ceil(PAGE_DATA_SIZE as u64)).is_some_and(|end| end <= pages)
        };
        if !self.extents().all(is_inside_file) {
            return corrupt("a section is outside the file");
        }
        Ok(self)
    }
}

/// Computes the checksum at the end of page `number`.
pub fn page_checksum(number: u64, data: &[u8]) -> u32 {
    crc::extend(crc::checksum(&number.to_be_bytes()), data)
}

/// Appends `value` as a variable-length integer: seven bits per byte, least significant first. The top bit is set when
/// another byte follows.
pub fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Decodes a variable-length integer and removes it from the front of `bytes`; `None` when the slice ends inside the
/// integer or its value exceeds 64 bits.
pub fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7F);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_length_integers_are_decoded_as_they_were_encoded() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(value, &mut bytes);
            let mut rest = bytes.as_slice();
            assert_eq!((take_varint(&mut rest), rest.len()), (Some(value), 0));
            let mut cut = &bytes[..bytes.len() - 1];
            assert_eq!(take_varint(&mut cut), None);
        }
        assert_eq!(take_varint(&mut [0xFF; 11].as_slice()), None);
        assert_eq!(take_varint(&mut [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2].as_slice()), None);
    }

    #[test]
    fn a_page_at_the_wrong_place_has_another_checksum() {
        assert_ne!(page_checksum(1, b"data"), page_checksum(2, b"data"));
    }
}
