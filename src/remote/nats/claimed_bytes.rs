//! [`ClaimedBytes`]: the bytes of a log that a message claims to have, before any checksum is compared. The reader of the log judges
//! them as it judges the bytes of a file.

use super::identity::StreamLogIdentity;
use super::message::StoredMessage;
use crate::format::Version;
use crate::format::frame::{LENGTH_LEN, MAX_PAYLOAD};

/// Bytes with the offset at which a message puts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimedBytes {
    /// The sequence number of the message.
    pub(super) sequence: u64,
    /// The offset of the first byte.
    pub(super) start: u64,
    /// The header of the file, when the message has one, and the frame. A value that cannot be read is zeros.
    pub(super) bytes: Vec<u8>,
}

impl ClaimedBytes {
    /// Returns the bytes that a message of this log claims to have; `None` when its offset or its size cannot be read.
    pub(super) fn of_message(message: &StoredMessage, identity: StreamLogIdentity) -> Option<Self> {
        let offset = message.claimed_offset()?;
        if message.body.is_empty() || message.body.len() > MAX_PAYLOAD as usize {
            return None;
        }
        let header_len = if message.has_header() { identity.version().first_frame_offset() } else { 0 };
        let start = offset.checked_sub(header_len)?;
        let mut bytes = message.claimed_header(header_len as usize);
        bytes.reserve(LENGTH_LEN + message.body.len() + LENGTH_LEN);
        bytes.extend_from_slice(&(message.body.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&message.body);
        if identity.version() != Version::V0 {
            bytes.extend_from_slice(&message.claimed_checksum().unwrap_or_default().to_be_bytes());
        }
        Some(Self { sequence: message.sequence, start, bytes })
    }

    /// Returns the offset after the last byte.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }
}
