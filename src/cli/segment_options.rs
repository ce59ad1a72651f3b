//! The options that make a new log a folder of segments.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::OpenOptions;
use crate::file::{NewLogForm, RollPolicy};
use crate::format::MIN_SEGMENT_SIZE;
use crate::query::parse_span_ms;
use crate::report::units::{format_size, parse_size};

/// The options that choose the segments of a new log.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct SegmentArgs {
    /// Make the log a folder of segments (format 2), and start the next segment at this size, such as 256MiB
    #[arg(long, value_name = "SIZE", value_parser = parse_segment_size)]
    pub(super) segment_size: Option<u64>,
    /// Make the log a folder of segments (format 2), and start the next segment at this age, such as 7d or 12h
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(super) segment_age: Option<Duration>,
}

impl SegmentArgs {
    /// Returns whether the new log at `path` is a folder: an option says so, or the path ends with `/`.
    pub(super) fn form(self, path: &Path) -> NewLogForm {
        form_of(self.segment_size, self.segment_age, path)
    }

    /// Returns `options` for a new log of this form.
    pub(super) fn for_form(self, form: NewLogForm, options: OpenOptions) -> OpenOptions {
        let NewLogForm::Folder(policy) = form else { return options };
        let options = options.segment_size(policy.max_bytes);
        self.segment_age.map_or(options.clone(), |age| options.segment_age(age))
    }
}

/// Returns whether the new log at `path` is a folder: an option is given, or the path ends with `/`.
pub(super) fn form_of(size: Option<u64>, age: Option<Duration>, path: &Path) -> NewLogForm {
    RollPolicy::of_options(size, age, path).map_or(NewLogForm::File, NewLogForm::Folder)
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
