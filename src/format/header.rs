//! The 16-byte header of a version 1 log, and the detection of a version 0 log by its first bytes.

use super::byte_layout::{self, FieldSpec, is_contiguous_layout};
use super::frame;

/// Length of the header in bytes, and the offset of the first frame of a version 1 log.
pub const HEADER_LEN: u64 = 16;
/// The first four bytes of every version 1 log.
pub const MAGIC: [u8; 4] = *b"CHRN";
/// The fields of the header, in order.
pub const HEADER_FIELDS: [FieldSpec; 4] = [
    FieldSpec::new("magic", 0, 4),
    FieldSpec::new("version", 4, 2),
    FieldSpec::new("flags", 6, 2),
    FieldSpec::new("created_at", 8, 8),
];
const _: () = assert!(is_contiguous_layout(&HEADER_FIELDS, HEADER_LEN as usize), "the fields cover the header");

/// The version of the format of a log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The format without a header and without checksums. Chronicle reads these logs and never writes them.
    V0,
    /// The format with a header, and with a checksum in each frame.
    V1,
}

impl Version {
    /// The version number, as shown to the user.
    pub const fn number(self) -> u16 {
        match self {
            Self::V0 => 0,
            Self::V1 => 1,
        }
    }

    /// The file offset of the first frame.
    pub const fn first_frame_offset(self) -> u64 {
        match self {
            Self::V0 => 0,
            Self::V1 => HEADER_LEN,
        }
    }

    /// Length of the checksum after each payload, in bytes.
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
    /// Flag bits. Version 1 defines none of them, so a new header has 0 here.
    pub flags: u16,
    /// When the log was created, in milliseconds since the Unix epoch.
    pub created_at_ms: u64,
}

/// The reason why bytes are not a header that this version can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// There are fewer than 16 bytes.
    TooShort,
    /// The first four bytes are not the magic.
    Magic([u8; 4]),
    /// The magic is right and the version number, given here, is not 1.
    Version(u16),
    /// The low byte of the flags, given here, has unknown bits, which forbid reading the log.
    Flags(u16),
}

impl LogHeader {
    /// Creates the header of a log created at `created_at_ms`, in milliseconds since the Unix epoch.
    pub const fn new(created_at_ms: u64) -> Self {
        Self { flags: 0, created_at_ms }
    }

    /// Decodes the header at the start of `bytes`. Bytes after the first 16 are ignored.
    ///
    /// # Errors
    /// [`HeaderFault::TooShort`] for fewer than 16 bytes; `Magic`, `Version` or `Flags` for the first field with a
    /// value that a readable version 1 header cannot have.
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

    /// Encodes the header as its 16 bytes.
    pub fn encode(self) -> [u8; 16] {
        let [m0, m1, m2, m3] = MAGIC;
        let [v0, v1] = Version::V1.number().to_be_bytes();
        let [f0, f1] = self.flags.to_be_bytes();
        let [c0, c1, c2, c3, c4, c5, c6, c7] = self.created_at_ms.to_be_bytes();
        [m0, m1, m2, m3, v0, v1, f0, f1, c0, c1, c2, c3, c4, c5, c6, c7]
    }

    /// True when no flag bit is set. Flag bits of the high byte allow reading the log and forbid writing to it.
    pub const fn is_writable(self) -> bool {
        self.flags == 0
    }
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
            let mut bytes = good;
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
            assert_eq!(LogHeader::decode(&good[..len]), Err(HeaderFault::TooShort));
        }
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
