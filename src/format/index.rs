//! The bytes of the index file: a head, then sections, all in pages that carry a checksum of their own.
//!
//! A page is 4092 bytes and the CRC of its number (u64) and those bytes, so that a page that moved does not pass. A
//! section starts on a page of its own and goes on without regard to page borders.

use super::byte_layout::{FieldSpec, is_contiguous_layout, u16_at, u32_at, u64_at};
use super::crc;

/// Bytes of a page on disk.
pub const PAGE_SIZE: usize = 4096;
/// Bytes of a page that its sections can use.
pub const PAGE_DATA_SIZE: usize = PAGE_SIZE - 4;
/// The first four bytes of an index file.
pub const MAGIC: [u8; 4] = *b"CHIX";
/// The layout described here.
pub const VERSION: u16 = 1;

/// The head's fields; they stand at the start of page 0.
pub const INDEX_HEADER_FIELDS: [FieldSpec; 27] = [
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
];
/// Runs of aggregates that an index file holds at most.
pub const MAX_RUNS: usize = 8;
const SECTION_COUNT: usize = 5;
/// Bytes of an extent: first page, bytes, rows.
const EXTENT_LEN: usize = 24;
/// Bytes of a run in the head: postings, directory, guide.
const RUN_ROW_LEN: usize = 3 * EXTENT_LEN;
/// Where the frames stand that are known beyond what is covered.
const KNOWN_FRAMES_OFFSET: usize = 152 + MAX_RUNS * RUN_ROW_LEN + SECTION_COUNT * EXTENT_LEN;
/// Bytes of the head that are in use; the rest of page 0 is zero.
pub const INDEX_HEADER_LEN: usize = KNOWN_FRAMES_OFFSET + 24;
const _: () = assert!(is_contiguous_layout(&INDEX_HEADER_FIELDS, INDEX_HEADER_LEN), "the fields tile the head");

/// Rows of a directory to each entry of its guide, which is the id of the first of them.
pub const GUIDE_STEP: u64 = 32;
/// Bytes of an entry of the guide.
pub const GUIDE_ROW_LEN: usize = 8;

/// A row of a directory: one aggregate.
pub const DIRECTORY_FIELDS: [FieldSpec; 5] = [
    FieldSpec::new("aggregate_id", 0, 8),
    FieldSpec::new("events", 8, 8),
    FieldSpec::new("first", 16, 8),
    FieldSpec::new("last", 24, 8),
    FieldSpec::new("postings_at", 32, 8),
];
/// Bytes of a row of the directory.
pub const DIRECTORY_ROW_LEN: usize = 40;
const _: () = assert!(is_contiguous_layout(&DIRECTORY_FIELDS, DIRECTORY_ROW_LEN), "the fields tile a directory row");

/// An anchor: one event from which a reader can walk.
pub const ANCHOR_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("offset", 0, 8),
    FieldSpec::new("ordinal", 8, 8),
    FieldSpec::new("timestamp", 16, 8),
    FieldSpec::new("checksum", 24, 4),
];
/// Bytes of an anchor.
pub const ANCHOR_LEN: usize = 28;
const _: () = assert!(is_contiguous_layout(&ANCHOR_FIELDS, ANCHOR_LEN), "the fields tile an anchor");

/// A damaged range: those met while building, then those met since, whose end carries [`FOUND_AFTER_BUILD_BIT`].
pub const DAMAGE_FIELDS: [FieldSpec; 2] = [FieldSpec::new("start", 0, 8), FieldSpec::new("end", 8, 8)];
/// Bytes of a damaged range.
pub const DAMAGE_ROW_LEN: usize = 16;
/// The highest bit of the end of a damaged range that was met where the index has frames.
pub const FOUND_AFTER_BUILD_BIT: u64 = 1 << 63;
const _: () = assert!(is_contiguous_layout(&DAMAGE_FIELDS, DAMAGE_ROW_LEN), "the fields tile a damaged range");

/// What a section holds; its number is its row in the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexSection {
    /// Sparse anchors.
    Anchors,
    /// What the block behind each anchor holds.
    Blocks,
    /// Names of types, namespaces and schemas.
    Names,
    /// Counts of those names, at a few places of the log and at its end.
    Checkpoints,
    /// Damaged ranges.
    Damage,
}

/// Aggregates of a part of the log: sorted ids, with where their offsets are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunExtents {
    /// Delta-coded offsets; its rows are events.
    pub postings: IndexExtent,
    /// A row for each aggregate, ascending by id.
    pub directory: IndexExtent,
    /// The id of every 32nd of them, from the first on.
    pub guide: IndexExtent,
}

/// Where a section lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IndexExtent {
    /// Its first page.
    pub first_page: u64,
    /// Its bytes, checksums not counted.
    pub bytes: u64,
    /// Its rows.
    pub rows: u64,
}

/// The head: what the index covers, and where its sections are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexHeader {
    /// Version of the log, 0 or 1.
    pub log_version: u16,
    /// A copy of the log's header; zeros for version 0.
    pub log_header: [u8; 16],
    /// How far events are known to have existed: the end of the last valid frame, or more when the log lost its end.
    pub log_end_offset: u64,
    /// The end of the last valid frame that is covered.
    pub covered_to: u64,
    /// How far the log was looked at, damage at its end included.
    pub scanned_to: u64,
    /// Offset of the first frame, when there is one.
    pub first_offset: u64,
    /// Its checksum.
    pub first_checksum: u32,
    /// Checksum of the last frame covered.
    pub log_checksum: u32,
    /// Offset of the last frame covered.
    pub last_offset: u64,
    /// Events covered.
    pub events: u64,
    /// Valid frames covered: events, gaps and frames that are no events.
    pub frames: u64,
    /// Gaps covered.
    pub gaps: u64,
    /// Time of the last readable event, milliseconds since the epoch.
    pub last_time: u64,
    /// Events that an earlier index had seen beyond `covered_to`.
    pub lost_events: u64,
    /// Aggregates those belonged to.
    pub lost_aggregates: u64,
    /// How far the log was verified, to the end of a valid frame; 0 where it was not.
    pub verified_to: u64,
    /// When the part verified first was verified, milliseconds since the epoch.
    pub verified_at: u64,
    /// Bytes from one anchor's cell to the next, a power of two.
    pub anchor_spacing: u64,
    /// Bytes from one checkpoint's cell to the next, likewise.
    pub checkpoint_spacing: u64,
    /// Runs, those of earlier parts of the log first; the rest is empty.
    pub runs: [RunExtents; MAX_RUNS],
    /// Extents, by [`IndexSection`].
    pub sections: [IndexExtent; SECTION_COUNT],
    /// Offset of a frame behind what is covered, by which the log is known; 0 where there is none.
    pub known_offset: u64,
    /// Its checksum.
    pub known_checksum: u32,
    /// Checksum of the last frame that an earlier index had seen beyond `covered_to`.
    pub seen_checksum: u32,
    /// Its offset; 0 where there is none.
    pub seen_offset: u64,
}

/// Why a page 0 is no head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexHeaderFault {
    /// Written by a newer version.
    NewerVersion(u16),
    /// Broken, and how.
    Corrupt(&'static str),
}

impl IndexHeader {
    /// The extent of a section.
    pub fn section_extent(&self, section: IndexSection) -> IndexExtent {
        self.sections.get(section as usize).copied().unwrap_or_default()
    }

    /// The runs that hold something.
    pub fn non_empty_runs(&self) -> impl Iterator<Item = &RunExtents> {
        self.runs.iter().filter(|run| run.directory.rows > 0)
    }

    /// Every extent, in the order of the bytes.
    fn extents(&self) -> impl Iterator<Item = IndexExtent> + '_ {
        self.runs.iter().flat_map(|run| [run.postings, run.directory, run.guide]).chain(self.sections)
    }

    /// The head's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(INDEX_HEADER_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.log_version.to_be_bytes());
        out.extend_from_slice(&self.log_header);
        for number in [self.log_end_offset, self.covered_to, self.scanned_to, self.first_offset] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.first_checksum.to_be_bytes());
        out.extend_from_slice(&self.log_checksum.to_be_bytes());
        let numbers = [self.last_offset, self.events, self.frames, self.gaps, self.last_time];
        let more = [self.lost_events, self.lost_aggregates, self.verified_to, self.verified_at];
        for number in numbers.into_iter().chain(more).chain([self.anchor_spacing, self.checkpoint_spacing]) {
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
        out
    }

    /// Reads a head from the bytes of page 0, whose checksum was found good, in a file of `pages` pages.
    ///
    /// # Errors
    /// A [`IndexHeaderFault`] when it is another program's, a newer version's, or does not hold together.
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
        let head = Self {
            log_version: u16_at(data, 6).unwrap_or_default(),
            log_header: data.get(8..).and_then(|rest| rest.first_chunk().copied()).unwrap_or_default(),
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
        head.validate(version, pages)
    }

    fn validate(self, version: u16, pages: u64) -> Result<Self, IndexHeaderFault> {
        let broken = |what| Err(IndexHeaderFault::Corrupt(what));
        if version != VERSION || self.log_version > 1 {
            return broken("a version number is out of range");
        }
        if self.covered_to > self.log_end_offset || self.covered_to > self.scanned_to {
            return broken("what it covers ends behind what it has seen");
        }
        let counted = self.events.checked_add(self.gaps).is_some_and(|sum| sum <= self.frames);
        if !counted || self.frames > self.covered_to {
            return broken("its counts exceed the log");
        }
        if self.frames > 0 && (self.first_offset > self.last_offset || self.last_offset >= self.covered_to) {
            return broken("its first and last frame lie outside what it covers");
        }
        if self.verified_to > self.covered_to {
            return broken("more was verified than it covers");
        }
        if !self.anchor_spacing.is_power_of_two() || !self.checkpoint_spacing.is_power_of_two() {
            return broken("a spacing is no power of two");
        }
        let guides = self.runs.iter().all(|run| run.guide.rows == run.directory.rows.div_ceil(GUIDE_STEP));
        let directories = self.runs.iter().map(|run| (run.directory, DIRECTORY_ROW_LEN));
        let fixed = [
            (self.section_extent(IndexSection::Anchors), ANCHOR_LEN),
            (self.section_extent(IndexSection::Damage), DAMAGE_ROW_LEN),
        ];
        let fixed = directories.chain(self.runs.iter().map(|run| (run.guide, GUIDE_ROW_LEN))).chain(fixed);
        let agree = |(extent, row): (IndexExtent, usize)| extent.rows.checked_mul(row as u64) == Some(extent.bytes);
        if !guides || !fixed.into_iter().all(agree) {
            return broken("a section's rows and bytes disagree");
        }
        let fits = |extent: IndexExtent| {
            extent.first_page.checked_add(extent.bytes.div_ceil(PAGE_DATA_SIZE as u64)).is_some_and(|end| end <= pages)
        };
        if !self.extents().all(fits) {
            return broken("a section lies outside the file");
        }
        Ok(self)
    }
}

/// The checksum that ends page `number`.
pub fn page_checksum(number: u64, data: &[u8]) -> u32 {
    crc::extend(crc::checksum(&number.to_be_bytes()), data)
}

/// Appends `value` as a variable-length integer: seven bits a byte, least significant first, the top bit says that
/// another byte follows.
pub fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a variable-length integer from the front of `bytes`; `None` when they end within one, or it passes 64 bits.
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
    fn variable_length_integers_come_back() {
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
    fn a_page_that_moved_does_not_pass() {
        assert_ne!(page_checksum(1, b"data"), page_checksum(2, b"data"));
    }
}
