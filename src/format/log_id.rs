//! [`LogId`]: the identity of a log of version 2.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::crc;

/// Length of an id in a header, in bytes.
pub(super) const LOG_ID_LEN: usize = 16;

/// The identity of a log of version 2, random when the log is created. It is displayed and parsed as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogId(Uuid);

impl LogId {
    /// Creates a random id from the random numbers of the operating system.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Creates the id with these bytes, as they are in a header.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// Returns an id with this CRC, always the same one. Its first bytes repeat the CRC, and the last four are computed.
    pub(crate) fn with_checksum(checksum: u32) -> Self {
        let mut bytes = [0; LOG_ID_LEN];
        if let Some((start, end)) = bytes.split_last_chunk_mut() {
            start.iter_mut().zip(checksum.to_be_bytes().into_iter().cycle()).for_each(|(byte, value)| *byte = value);
            *end = crc::last_bytes(crc::checksum(start), checksum);
        }
        Self::from_bytes(bytes)
    }

    /// The bytes of the id, as they are in a header.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<LogId> for String {
    fn from(id: LogId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for LogId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for LogId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}
