//! [`FrameFormat`]: the format of the frames of one log, and the checksum of a frame at an offset in it.

use serde::{Deserialize, Serialize};

use super::{LogId, Version, crc};

/// The format of the frames of one log. A frame is decoded and encoded with its offset, because the checksum of version 2
/// covers the identity of the log and the offset of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredFormat", into = "StoredFormat")]
pub struct FrameFormat {
    version: Version,
    /// The CRC of the log's id; 0 before version 2.
    id_checksum: u32,
}

impl FrameFormat {
    /// The format of version 0, which has no checksums.
    pub const V0: Self = Self { version: Version::V0, id_checksum: 0 };
    /// The format of version 1, whose checksums cover length and payload.
    pub const V1: Self = Self { version: Version::V1, id_checksum: 0 };

    /// The format of version 2 in the log with this id.
    pub fn of_log(id: LogId) -> Self {
        Self::with_id_checksum(crc::checksum(id.as_bytes()))
    }

    /// The format of version 2 in a log whose id has this CRC. The id itself is not needed to read frames.
    pub const fn with_id_checksum(id_checksum: u32) -> Self {
        Self { version: Version::V2, id_checksum }
    }

    /// The version of the log.
    #[inline]
    pub const fn version(self) -> Version {
        self.version
    }

    /// The CRC of the log's id; `None` before version 2.
    pub(crate) fn id_checksum(self) -> Option<u32> {
        (self.version == Version::V2).then_some(self.id_checksum)
    }

    /// True for the format of version 2 in the log with this id.
    pub fn is_of_log(self, id: LogId) -> bool {
        self == Self::of_log(id)
    }

    /// True for version 1, whose format plans omit.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls the condition with a reference")]
    pub(crate) fn is_version_1(&self) -> bool {
        *self == Self::V1
    }

    /// Computes the checksum of a frame at `offset`. `covered` holds its length field and its payload.
    #[inline]
    pub fn checksum(self, offset: u64, covered: &[u8]) -> u32 {
        crc::extend(self.preceding_checksum(offset), covered)
    }

    /// Returns the only offset whose first four bytes are `high` at which a frame with these bytes has the checksum `stored`;
    /// `None` before version 2. `covered` holds its length field and its payload.
    pub(crate) fn offset_of_frame(self, covered: &[u8], stored: u32, high: u32) -> Option<u64> {
        let id_checksum = self.id_checksum()?;
        let preceding = crc::prefix_checksum(crc::checksum(covered), stored, covered.len() as u64);
        let low = crc::last_bytes(crc::extend(id_checksum, &high.to_be_bytes()), preceding);
        Some(u64::from(high) << u32::BITS | u64::from(u32::from_be_bytes(low)))
    }

    /// Computes the CRC of the bytes that the checksum of a frame at `offset` covers before its length field.
    #[inline]
    pub fn preceding_checksum(self, offset: u64) -> u32 {
        match self.version {
            Version::V0 | Version::V1 => 0,
            Version::V2 => crc::extend_by_u64(self.id_checksum, offset),
        }
    }
}

impl Default for FrameFormat {
    fn default() -> Self {
        Self::V1
    }
}

/// The format of frames in the JSON of a plan.
#[derive(Serialize, Deserialize)]
struct StoredFormat {
    version: u16,
    /// The CRC of the log's id.
    id_checksum: u32,
}

impl From<FrameFormat> for StoredFormat {
    fn from(format: FrameFormat) -> Self {
        Self { version: format.version.number(), id_checksum: format.id_checksum }
    }
}

impl TryFrom<StoredFormat> for FrameFormat {
    type Error = String;

    fn try_from(stored: StoredFormat) -> Result<Self, String> {
        match stored.version {
            0 => Ok(Self::V0),
            1 => Ok(Self::V1),
            2 => Ok(Self::with_id_checksum(stored.id_checksum)),
            version => Err(format!("expected a version from 0 to 2, found {version}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_version_2_covers_the_id_the_offset_the_length_and_the_payload() {
        let id = LogId::from_bytes(*b"0123456789abcdef");
        let covered = b"\0\0\0\x02{}";
        let all = [id.as_bytes().as_slice(), &7u64.to_be_bytes(), covered].concat();
        assert_eq!(FrameFormat::of_log(id).checksum(7, covered), crc::checksum(&all));
        assert_ne!(FrameFormat::of_log(id).checksum(8, covered), crc::checksum(&all));
        assert_eq!(FrameFormat::V1.checksum(7, covered), crc::checksum(covered));
    }

    #[test]
    fn the_offset_of_a_frame_follows_from_its_checksum() {
        let format = FrameFormat::of_log(LogId::from_bytes(*b"0123456789abcdef"));
        let covered = b"\0\0\0\x07{\"a\":1}";
        for offset in [0, 64, 0xDEAD_BEEF, (5 << 32) + 77, u64::MAX] {
            let stored = format.checksum(offset, covered);
            assert_eq!(format.offset_of_frame(covered, stored, (offset >> 32) as u32), Some(offset));
        }
        assert_eq!(FrameFormat::V1.offset_of_frame(covered, 0, 0), None);
    }

    #[test]
    fn a_format_survives_json() {
        for format in [FrameFormat::V0, FrameFormat::V1, FrameFormat::with_id_checksum(0xDEAD_BEEF)] {
            let json = serde_json::to_string(&format).unwrap();
            assert_eq!(serde_json::from_str::<FrameFormat>(&json).unwrap(), format);
        }
        assert!(serde_json::from_str::<FrameFormat>(r#"{"version":3,"id_checksum":0}"#).is_err());
    }
}
