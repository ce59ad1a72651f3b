//! The options that make a new log a folder of segments.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::OpenOptions;
use crate::file::DEFAULT_SEGMENT_SIZE;
use crate::format::MIN_SEGMENT_SIZE;
use crate::query::parse_span_ms;
use crate::report::units::{format_size, parse_size};

/// The options that choose the segments of a new log.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct SegmentArgs {
    /// Make the log a folder of segments (format 2), and start the next segment at this size, such as 256MiB
    #[arg(long, value_name = "SIZE", value_parser = parse_segment_size)]
    segment_size: Option<u64>,
    /// Make the log a folder of segments (format 2), and start the next segment at this age, such as 7d or 12h
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    segment_age: Option<Duration>,
}

impl SegmentArgs {
    /// True when the new log at `path` is a folder: an option says so, or the path ends with `/`.
    pub(super) fn make_folder(self, path: &Path) -> bool {
        self.segment_size.is_some() || self.segment_age.is_some() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
    }

    /// The size at which the next segment is started, in bytes.
    pub(super) fn segment_size(self) -> u64 {
        self.segment_size.unwrap_or(DEFAULT_SEGMENT_SIZE)
    }

    /// Returns `options` for a log in a folder of segments.
    pub(super) fn for_folder(self, options: OpenOptions) -> OpenOptions {
        let options = options.segment_size(self.segment_size());
        self.segment_age.map_or(options.clone(), |age| options.segment_age(age))
    }
}

/// Parses the size of a segment.
pub(super) fn parse_segment_size(text: &str) -> Result<u64, String> {
    let bytes = parse_size(text)?;
    if bytes < MIN_SEGMENT_SIZE {
        return Err(format!("expected at least {}, found `{text}`", format_size(MIN_SEGMENT_SIZE)));
    }
    Ok(bytes)
}

/// Parses an age such as `7d` or `1h30m`.
fn parse_age(text: &str) -> Result<Duration, String> {
    let ms = parse_span_ms(text).filter(|ms| *ms > 0);
    ms.map(Duration::from_millis).ok_or_else(|| format!("expected an age such as 7d or 12h, found `{text}`"))
}
