//! The header of a log since version 1, and the detection of a version 0 log by its first bytes.

use super::byte_layout::{self, FieldSpec, is_contiguous_layout};
use super::log_id::LOG_ID_LEN;
use super::{FrameFormat, LogId, crc, frame, hex};

/// Length of the header of version 1 in bytes, and the offset of its first frame. Later headers start with its fields.
pub const HEADER_LEN: u64 = 16;
/// Length of the longest header in bytes, that of version 2, and the offset of its first frame.
pub const MAX_HEADER_LEN: usize = 64;
/// Offset of the log id in a header of version 2.
const LOG_ID_OFFSET: usize = 16;
/// The bytes of the log id and the base, which follows it, in a header of version 2.
pub(crate) const ID_AND_BASE: std::ops::Range<usize> = LOG_ID_OFFSET..LOG_ID_OFFSET + LOG_ID_LEN + 8;
/// Offset of the checksum in a header of version 2, which covers the bytes before it.
const HEADER_CHECKSUM_OFFSET: usize = 60;
/// Length of the field of version 2 that is zero and that readers ignore.
const RESERVED_LEN: usize = 4;
/// The first four bytes of every log since version 1.
pub const MAGIC: [u8; 4] = *b"CHRN";
/// The fields of a header of version 1, in order.
pub const HEADER_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("flags", 6, 2),
    FieldSpec::new("created_at", 8, 8),
];
const _: () = assert!(is_contiguous_layout(&HEADER_FIELDS, HEADER_LEN as usize), "the fields cover the header");
/// The fields of a header of version 2, in order.
pub const HEADER_FIELDS_2: [FieldSpec; 11] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("flags", 6, 2),
    FieldSpec::new("created_at", 8, 8),
    FieldSpec::new("log_id", LOG_ID_OFFSET, LOG_ID_LEN),
    FieldSpec::new("base", 32, 8),
    FieldSpec::new("number", 40, 4),
    FieldSpec::new("prev_checksum", 44, 4),
    FieldSpec::new("log_start", 48, 8),
    FieldSpec::new("reserved", 56, RESERVED_LEN),
    FieldSpec::new("header_checksum", HEADER_CHECKSUM_OFFSET, 4),
];
const _: () = assert!(is_contiguous_layout(&HEADER_FIELDS_2, MAX_HEADER_LEN), "the fields cover the header");

/// Returns the fields of a header of this version; none in version 0.
pub const fn header_fields(version: Version) -> &'static [FieldSpec] {
    match version {
        Version::V0 => &[],
        Version::V1 => &HEADER_FIELDS,
        Version::V2 => &HEADER_FIELDS_2,
    }
}

/// The version of the format of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// The format without a header and without checksums. Chronicle reads these logs and never writes them.
    V0,
    /// The format with a header, and with a checksum in each frame.
    V1,
    /// The format whose checksums also cover the identity of the log and the offset of the frame.
    V2,
}

impl Version {
    /// The version number, as shown to the user.
    pub const fn number(self) -> u16 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    /// True when a log starts with a header.
    pub const fn has_header(self) -> bool {
        self.first_frame_offset() > 0
    }

    /// True when each frame has a checksum.
    pub const fn has_checksums(self) -> bool {
        self.checksum_len() > 0
    }

    /// The file offset of the first frame.
    pub const fn first_frame_offset(self) -> u64 {
        match self {
            Self::V0 => 0,
            Self::V1 => HEADER_LEN,
            Self::V2 => MAX_HEADER_LEN as u64,
        }
    }

    /// Length of the checksum after each payload, in bytes.
    pub const fn checksum_len(self) -> usize {
        match self {
            Self::V0 => 0,
            Self::V1 | Self::V2 => 4,
        }
    }
}

/// The header of a log, or of one segment of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHeader {
    /// Flag bits. No version defines any of them, so a new header has 0 here.
    pub flags: u16,
    /// When the file was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
    /// The fields of version 2; `None` in version 1.
    pub segment: Option<SegmentHeader>,
}

/// The fields that a header has since version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The identity of the log, the same in each of its segments.
    pub log_id: LogId,
    /// Offset, in the log, of the first byte of the segment; 0 in the first segment.
    pub base: u64,
    /// Number of the segment, from 0.
    pub number: u32,
    /// Checksum of the last frame of the segment before; 0 where there is none.
    pub prev_checksum: u32,
    /// The first offset of the log that existed when the segment was created.
    pub log_start: u64,
}

/// The bytes of a log's header; none in version 0. The type dereferences to a slice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderBytes {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl HeaderBytes {
    /// No bytes, the header of a log of version 0.
    pub const EMPTY: Self = Self { bytes: [0; MAX_HEADER_LEN], len: 0 };

    /// Copies the first bytes of a slice: all of them, or as many as the longest header has.
    pub fn from_start_of(slice: &[u8]) -> Self {
        let mut copy = Self { len: slice.len().min(MAX_HEADER_LEN), ..Self::EMPTY };
        for (byte, value) in copy.bytes.iter_mut().zip(slice) {
            *byte = *value;
        }
        copy
    }
}

impl Default for HeaderBytes {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl std::ops::Deref for HeaderBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for HeaderBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl std::fmt::Debug for HeaderBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self))
    }
}

/// The reason why bytes are not a header that this program can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// There are fewer bytes than the header of the version has, which is given here.
    TooShort(u64),
    /// The first four bytes are not the magic.
    Magic([u8; 4]),
    /// The magic is right, and the version number, given here, is not supported.
    Version(u16),
    /// The low byte of the flags, given here, has unknown bits, which forbid reading the log.
    Flags(u16),
    /// The header of version 2 has another checksum than the one stored in it.
    Checksum {
        /// The checksum at the end of the header.
        stored: u32,
        /// The checksum of the bytes before it.
        computed: u32,
    },
}

impl LogHeader {
    /// Creates the header of a log of version 1 that is created at `created_at_ms`, in milliseconds since the Unix epoch.
    pub const fn new(created_at_ms: u64) -> Self {
        Self { flags: 0, created_at_ms, segment: None }
    }

    /// Creates the header of the first segment of a log of version 2.
    pub const fn of_log(id: LogId, created_at_ms: u64) -> Self {
        let segment = SegmentHeader { log_id: id, base: 0, number: 0, prev_checksum: 0, log_start: 0 };
        Self { flags: 0, created_at_ms, segment: Some(segment) }
    }

    /// The version of the log.
    pub const fn version(self) -> Version {
        if self.segment.is_some() { Version::V2 } else { Version::V1 }
    }

    /// The format of the frames that follow the header.
    pub fn frame_format(self) -> FrameFormat {
        self.segment.map_or(FrameFormat::V1, |segment| FrameFormat::of_log(segment.log_id))
    }

    /// Decodes the header at the start of `bytes`. Bytes after the header are ignored.
    ///
    /// # Errors
    /// [`HeaderFault::TooShort`] for fewer bytes than the header has; `Magic`, `Version`, `Checksum` or `Flags` for the
    /// first field with a value that a readable header cannot have.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let too_short = HeaderFault::TooShort;
        let fields = bytes.first_chunk::<{ HEADER_LEN as usize }>().ok_or(too_short(HEADER_LEN))?;
        let [a, b, c, d, ..] = *fields;
        if [a, b, c, d] != MAGIC {
            return Err(HeaderFault::Magic([a, b, c, d]));
        }
        let version = byte_layout::u16_at(fields, 4).unwrap_or_default();
        let segment = if version == Version::V1.number() {
            None
        } else if version == Version::V2.number() {
            let fields = bytes.first_chunk::<MAX_HEADER_LEN>().ok_or(too_short(MAX_HEADER_LEN as u64))?;
            Some(SegmentHeader::decode(fields)?)
        } else {
            return Err(HeaderFault::Version(version));
        };
        let flags = byte_layout::u16_at(fields, 6).unwrap_or_default();
        if flags & 0x00FF != 0 {
            return Err(HeaderFault::Flags(flags));
        }
        let created_at_ms = byte_layout::u64_at(fields, 8).unwrap_or_default();
        Ok(Self { flags, created_at_ms, segment })
    }

    /// Returns the header of version 2 that `bytes` start with when one of its bits is damaged; `None` for any other
    /// damage, and for an intact header.
    ///
    /// The checksum detects every other damage of up to three bits, so the result is proven.
    pub fn correct_bit(bytes: &[u8]) -> Option<Self> {
        let found = bytes.first_chunk::<MAX_HEADER_LEN>().filter(|found| Self::decode(*found).is_err())?;
        (0..MAX_HEADER_LEN * 8).find_map(|bit| {
            let mut corrected = *found;
            *corrected.get_mut(bit / 8)? ^= 0x80 >> (bit % 8);
            Self::decode(&corrected).ok().filter(|header| header.segment.is_some())
        })
    }

    /// Encodes the header: 16 bytes in version 1, 64 in version 2.
    pub fn encode(self) -> HeaderBytes {
        let [version, flags] = [self.version().number(), self.flags].map(u16::to_be_bytes);
        let created_at = self.created_at_ms.to_be_bytes();
        let mut fields = [MAGIC.as_slice(), &version, &flags, &created_at].concat();
        if let Some(SegmentHeader { log_id, base, number, prev_checksum, log_start }) = self.segment {
            fields.extend_from_slice(log_id.as_bytes());
            fields.extend_from_slice(&base.to_be_bytes());
            fields.extend_from_slice(&number.to_be_bytes());
            fields.extend_from_slice(&prev_checksum.to_be_bytes());
            fields.extend_from_slice(&log_start.to_be_bytes());
            fields.extend_from_slice(&[0; RESERVED_LEN]);
            fields.extend_from_slice(&crc::checksum(&fields).to_be_bytes());
        }
        HeaderBytes::from_start_of(&fields)
    }

    /// True when no flag bit is set. Flag bits of the high byte allow reading the log and forbid writing to it.
    pub const fn is_writable(self) -> bool {
        self.flags == 0
    }
}

impl SegmentHeader {
    /// Decodes the fields of version 2 after verifying the checksum of the header.
    fn decode(bytes: &[u8; MAX_HEADER_LEN]) -> Result<Self, HeaderFault> {
        let stored = byte_layout::u32_at(bytes, HEADER_CHECKSUM_OFFSET).unwrap_or_default();
        let computed = crc::checksum(bytes.get(..HEADER_CHECKSUM_OFFSET).unwrap_or_default());
        if stored != computed {
            return Err(HeaderFault::Checksum { stored, computed });
        }
        Ok(Self {
            log_id: stored_log_id(bytes).unwrap_or(LogId::from_bytes([0; LOG_ID_LEN])),
            base: byte_layout::u64_at(bytes, 32).unwrap_or_default(),
            number: byte_layout::u32_at(bytes, 40).unwrap_or_default(),
            prev_checksum: byte_layout::u32_at(bytes, 44).unwrap_or_default(),
            log_start: byte_layout::u64_at(bytes, 48).unwrap_or_default(),
        })
    }
}

/// Returns the log id at its place in a header of version 2, which can be damaged; `None` when the bytes end before it
/// does.
pub(crate) fn stored_log_id(header: &[u8]) -> Option<LogId> {
    header.get(LOG_ID_OFFSET..)?.first_chunk().copied().map(LogId::from_bytes)
}

/// True when `bytes` start like a version 0 log: with a valid frame length followed by `{`.
pub fn looks_like_version_0(bytes: &[u8]) -> bool {
    frame::payload_length_at(bytes, 0).is_some() && bytes.get(4) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_is_decoded_as_it_was_encoded() {
        for created_at_ms in [0, 1, 1_766_718_274_106, u64::MAX] {
            let header = LogHeader::new(created_at_ms);
            assert_eq!(LogHeader::decode(&header.encode()), Ok(header));
        }
    }

    #[test]
    fn each_flipped_bit_before_created_at_has_its_own_fault() {
        let good = LogHeader::new(7).encode();
        for bit in 0..64 {
            let mut bytes = good.to_vec();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            let result = LogHeader::decode(&bytes);
            match bit / 8 {
                0..4 => assert!(matches!(result, Err(HeaderFault::Magic(_))), "bit {bit}"),
                4..6 => assert!(matches!(result, Err(HeaderFault::Version(_))), "bit {bit}"),
                6 => assert!(!result.expect("readable").is_writable(), "bit {bit}"),
                _ => assert!(matches!(result, Err(HeaderFault::Flags(_))), "bit {bit}"),
            }
        }
    }

    #[test]
    fn fewer_than_sixteen_bytes_are_not_a_header() {
        let good = LogHeader::new(7).encode();
        for len in 0..16 {
            assert_eq!(LogHeader::decode(&good[..len]), Err(HeaderFault::TooShort(16)));
        }
    }

    fn version_2() -> LogHeader {
        let log_id = LogId::from_bytes(*b"0123456789abcdef");
        let segment = SegmentHeader { log_id, base: 1 << 40, number: 3, prev_checksum: 0xABCD_EF01, log_start: 64 };
        LogHeader { flags: 0x0100, created_at_ms: 1_766_718_274_106, segment: Some(segment) }
    }

    #[test]
    fn a_header_of_version_2_is_decoded_as_it_was_encoded() {
        let header = version_2();
        let bytes = header.encode();
        assert_eq!(bytes.len(), 64);
        assert_eq!(LogHeader::decode(&bytes), Ok(header));
        for len in 16..64 {
            assert_eq!(LogHeader::decode(&bytes[..len]), Err(HeaderFault::TooShort(64)));
        }
    }

    #[test]
    fn every_damaged_bit_of_a_header_of_version_2_is_found_and_corrected() {
        let good = version_2();
        for bit in 0..512 {
            let mut bytes = good.encode().to_vec();
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(LogHeader::decode(&bytes).is_err(), "bit {bit}");
            assert_eq!(LogHeader::correct_bit(&bytes), Some(good), "bit {bit}");
        }
        assert_eq!(LogHeader::correct_bit(&good.encode()), None);
        assert_eq!(LogHeader::correct_bit(&[0; 64]), None);
    }

    #[test]
    fn a_version_0_log_starts_with_a_valid_length_and_a_brace() {
        assert!(looks_like_version_0(b"\0\0\x01\x0d{\"a"));
        assert!(!looks_like_version_0(b"\0\0\0\0{\"a"));
        assert!(!looks_like_version_0(b"\x01\0\0\x05{\"a"));
        assert!(!looks_like_version_0(b"\0\0\x01\x0d["));
        assert!(!looks_like_version_0(b"\0\0\x01\x0d"));
    }
}
