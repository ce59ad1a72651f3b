//! [`NewLogFormat`]: the format in which a new log is written.

use super::{LogHeader, LogId};

/// The format in which a new log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NewLogFormat {
    /// Version 1, which every version of Chronicle reads.
    #[default]
    V1,
    /// Version 2, in which a checksum covers the identity of the log and the offset of the frame.
    V2(LogId),
}

impl NewLogFormat {
    /// Returns the header of a log in this format that is created at `created_at_ms`, in milliseconds since the Unix epoch.
    pub const fn header(self, created_at_ms: u64) -> LogHeader {
        match self {
            Self::V1 => LogHeader::new(created_at_ms),
            Self::V2(id) => LogHeader::of_log(id, created_at_ms),
        }
    }
}
