//! [`StreamLogIdentity`]: what a message says about the log that its frame belongs to.

use std::fmt;
use std::str::FromStr;

use crate::format::{FrameFormat, LogHeader, LogId, Version};

/// The version of a log, with what distinguishes it from other logs of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamLogIdentity {
    /// A log without a header. Only its frames distinguish it.
    V0,
    /// A log of version 1, by its creation time.
    V1 {
        /// The creation time in its header, in milliseconds since the Unix epoch.
        created_at_ms: u64,
    },
    /// A log of version 2, by its id.
    V2(LogId),
}

impl StreamLogIdentity {
    /// Returns the identity of the log with this header; `None` in `header` for a log of version 0.
    pub(super) fn of_header(header: Option<LogHeader>) -> Self {
        match header {
            None => Self::V0,
            Some(LogHeader { segment: Some(segment), .. }) => Self::V2(segment.log_id),
            Some(header) => Self::V1 { created_at_ms: header.created_at_ms },
        }
    }

    /// Returns the format of the frames.
    pub(super) fn format(self) -> FrameFormat {
        match self {
            Self::V0 => FrameFormat::V0,
            Self::V1 { .. } => FrameFormat::V1,
            Self::V2(id) => FrameFormat::of_log(id),
        }
    }

    /// Returns the version of the log.
    pub(super) fn version(self) -> Version {
        self.format().version()
    }
}

/// Writes the version, and after a space the creation time or the id.
impl fmt::Display for StreamLogIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V0 => f.write_str("0"),
            Self::V1 { created_at_ms } => write!(f, "1 {created_at_ms}"),
            Self::V2(id) => write!(f, "2 {id}"),
        }
    }
}

impl FromStr for StreamLogIdentity {
    type Err = ();

    /// Parses exactly what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, ()> {
        let identity = match text.split_once(' ') {
            None => Self::V0,
            Some(("1", time)) => Self::V1 { created_at_ms: time.parse().map_err(drop)? },
            Some((_, id)) => Self::V2(id.parse().map_err(drop)?),
        };
        if identity.to_string() == text { Ok(identity) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_only_as_it_is_written() {
        let id = LogId::from_bytes([7; 16]);
        for identity in [StreamLogIdentity::V0, StreamLogIdentity::V1 { created_at_ms: 17 }, StreamLogIdentity::V2(id)]
        {
            assert_eq!(identity.to_string().parse(), Ok(identity));
        }
        let upper = format!("2 {}", LogId::from_bytes([0xab; 16]).to_string().to_uppercase());
        for text in ["", "1", "1 ", "1 017", "1 +1", "0 ", "2", "3 x", "1 99999999999999999999", upper.as_str()] {
            assert_eq!(text.parse::<StreamLogIdentity>(), Err(()), "{text}");
        }
    }
}
