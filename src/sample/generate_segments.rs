//! Generates a log in a folder of segments, with the same events as a log in one file.

use std::path::Path;

use super::generate::{EventGenerator, GenerateSummary, GeneratorOptions};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, ExistingFile, NewLogFolder};
use crate::format::{LogSettings, byte_layout};
use crate::inspect::{OnProgress, Progress, cancelled_if_break};

/// Number of bytes written in one call.
const BUFFER_BYTES: usize = 1 << 20;

/// Writes a log of version 2 into the folder `path`, which must not exist. Each segment but the last has at least
/// `segment_size` bytes. The folder appears when it is complete.
///
/// `on_progress` gets the bytes written and the estimated total.
///
/// # Errors
/// `AlreadyExists` when `path` exists; `Io` when a file cannot be written; `Cancelled` when `on_progress` returns `Break`. After
/// an error there is nothing at `path`.
pub fn generate_segments(
    disk: &dyn Disk,
    path: &Path,
    options: &GeneratorOptions,
    segment_size: u64,
    on_progress: &mut OnProgress,
) -> Result<GenerateSummary, StorageError> {
    let mut folder = NewLogFolder::create(disk, path, ExistingFile::Keep, None)?;
    let summary = write_segments(&folder, options, segment_size, on_progress)?;
    folder.commit()?;
    Ok(summary)
}

/// Writes the segments and the settings of a log into its new folder.
pub(super) fn write_segments(
    folder: &NewLogFolder,
    options: &GeneratorOptions,
    segment_size: u64,
    on_progress: &mut OnProgress,
) -> Result<GenerateSummary, StorageError> {
    let mut generator = EventGenerator::new(options);
    let mut buffer = Vec::with_capacity(BUFFER_BYTES + 4096);
    buffer.extend_from_slice(&generator.header());
    let (mut base, mut last_checksum, mut more) = (0, 0, true);
    while more {
        let (file, path) = folder.create_segment(base)?;
        while more && generator.bytes() - base < segment_size {
            let rest = usize::try_from(segment_size - (generator.bytes() - base)).unwrap_or(usize::MAX);
            let wanted = buffer.len().saturating_add(rest.min(BUFFER_BYTES));
            more = generator.fill_buffer(&mut buffer, wanted);
            last_checksum =
                buffer.len().checked_sub(4).and_then(|at| byte_layout::u32_at(&buffer, at)).unwrap_or_default();
            append_all(file.as_ref(), &buffer).map_err(|error| StorageError::io(&path, "write", error))?;
            buffer.clear();
            let (bytes, total) = (generator.bytes(), generator.estimated_total());
            cancelled_if_break(on_progress(Progress { position: bytes, total: total.max(bytes) }))?;
        }
        file.sync().map_err(|error| StorageError::io(&path, "sync", error))?;
        if more {
            base = generator.bytes();
            buffer.extend_from_slice(&generator.next_segment(last_checksum));
        }
    }
    folder.write_settings(&LogSettings {
        log_id: generator.log_id(),
        segment_size,
        segment_age_ms: None,
        first_offset: 0,
        lost: Vec::new(),
    })?;
    Ok(GenerateSummary { events: generator.events(), bytes: generator.bytes() })
}
