//! The 16 bytes a log of version 1 starts with, and how a file's version is told from its first bytes.

use super::byte_layout::{self, FieldSpec, is_contiguous_layout};
use super::frame;

/// Bytes of the header; the first frame of a version 1 log stands here.
pub const HEADER_LEN: u64 = 16;
/// The first four bytes of every log of version 1.
pub const MAGIC: [u8; 4] = *b"CHRN";
/// The header's fields, in order.
pub const HEADER_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("flags", 6, 2),
    FieldSpec::new("created_at", 8, 8),
];
const _: () = assert!(is_contiguous_layout(&HEADER_FIELDS, HEADER_LEN as usize), "the fields tile the header");

/// The two layouts a log can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// No header, no checksums; read only.
    V0,
    /// Header and checksummed frames.
    V1,
}

impl Version {
    /// The number, as shown.
    pub const fn number(self) -> u16 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
        }
    }

    /// File offset of the first frame, in bytes.
    pub const fn first_frame_offset(self) -> u64 {
        match self {
            Self::V0 => 0,
            Self::V1 => HEADER_LEN,
        }
    }

    /// Bytes of the checksum behind a payload.
    pub const fn checksum_len(self) -> usize {
        match self {
            Self::V0 => 0,
            Self::V1 => 4,
        }
    }
}

/// The header of a version 1 log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHeader {
    /// Bits that a later version may set; 0 today.
    pub flags: u16,
    /// Milliseconds since the Unix epoch.
    pub created_at_ms: u64,
}

/// Why 16 bytes are no header that this version accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// Fewer than 16 bytes.
    TooShort,
    /// The first four bytes are not the magic.
    Magic([u8; 4]),
    /// A good magic and another version number.
    Version(u16),
    /// Unknown bits in the low byte of the flags: not to be read.
    Flags(u16),
}

impl LogHeader {
    /// A header for a log created at `created_at_ms`, milliseconds since the Unix epoch.
    pub const fn new(created_at_ms: u64) -> Self {
        Self { flags: 0, created_at_ms }
    }

    /// Reads the first 16 of `bytes`.
    ///
    /// # Errors
    /// A [`HeaderFault`] when they are too few, or no header of version 1 that may be read.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let fields = bytes.first_chunk::<16>().ok_or(HeaderFault::TooShort)?;
        let [a, b, c, d, ..] = *fields;
        if [a, b, c, d] != MAGIC {
            return Err(HeaderFault::Magic([a, b, c, d]));
        }
        let version = byte_layout::u16_at(fields, 4).unwrap_or_default();
        if version != Version::V1.number() {
            return Err(HeaderFault::Version(version));
        }
        let flags = byte_layout::u16_at(fields, 6).unwrap_or_default();
        if flags & 0x00FF != 0 {
            return Err(HeaderFault::Flags(flags));
        }
        let created_at_ms = byte_layout::u64_at(fields, 8).unwrap_or_default();
        Ok(Self { flags, created_at_ms })
    }

    /// The header's bytes.
    pub fn encode(self) -> [u8; 16] {
        let [m0, m1, m2, m3] = MAGIC;
        let [v0, v1] = Version::V1.number().to_be_bytes();
        let [f0, f1] = self.flags.to_be_bytes();
        let [c0, c1, c2, c3, c4, c5, c6, c7] = self.created_at_ms.to_be_bytes();
        [m0, m1, m2, m3, v0, v1, f0, f1, c0, c1, c2, c3, c4, c5, c6, c7]
    }

    /// False when a bit of the flags' high byte is set, which says: read, do not write.
    pub const fn is_writable(self) -> bool {
        self.flags == 0
    }
}

/// True when `bytes` start as a version 0 log does: a length in range, then `{`.
pub fn looks_like_version_0(bytes: &[u8]) -> bool {
    frame::payload_length_at(bytes, 0).is_some() && bytes.get(4) == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_comes_back_as_written() {
        for created_at_ms in [0, 1, 1_766_718_274_106, u64::MAX] {
            let header = LogHeader::new(created_at_ms);
            assert_eq!(LogHeader::decode(&header.encode()), Ok(header));
        }
    }

    #[test]
    fn each_flipped_bit_before_created_at_has_its_own_answer() {
        let good = LogHeader::new(7).encode();
        for bit in 0..64 {
            let mut bytes = good;
            bytes[bit / 8] ^= 0x80 >> (bit % 8);
            let answer = LogHeader::decode(&bytes);
            match bit / 8 {
                0..4 => assert!(matches!(answer, Err(HeaderFault::Magic(_))), "bit {bit}"),
                4..6 => assert!(matches!(answer, Err(HeaderFault::Version(_))), "bit {bit}"),
                6 => assert!(!answer.expect("readable").is_writable(), "bit {bit}"),
                _ => assert!(matches!(answer, Err(HeaderFault::Flags(_))), "bit {bit}"),
            }
        }
    }

    #[test]
    fn fewer_than_sixteen_bytes_are_no_header() {
        let good = LogHeader::new(7).encode();
        for len in 0..16 {
            assert_eq!(LogHeader::decode(&good[..len]), Err(HeaderFault::TooShort));
        }
    }

    #[test]
    fn version_0_is_a_length_in_range_and_a_brace() {
        assert!(looks_like_version_0(b"\0\0\x01\x0d{\"a"));
        assert!(!looks_like_version_0(b"\0\0\0\0{\"a"));
        assert!(!looks_like_version_0(b"\x01\0\0\x05{\"a"));
        assert!(!looks_like_version_0(b"\0\0\x01\x0d["));
        assert!(!looks_like_version_0(b"\0\0\x01\x0d"));
    }
}
