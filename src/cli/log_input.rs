//! Opens the log that a command reads: a file, or the bytes of a stream, which are copied into a temporary file first.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::byte_stream::{ByteStream, read_failure};
use super::failure::CommandFailure;
use super::output::CommandOutput;
use crate::file::{Disk, OsDisk, SpoolFile, SpooledDisk};
use crate::report::json::Json;
use crate::report::units::format_size;
use crate::report::{ExitStatus, safe_path_text};
use crate::{EventLog, OpenOptions, StorageError};

/// Number of bytes that are copied at once.
const CHUNK_LEN: usize = 1 << 20;

/// A log that is open for reading.
pub(super) struct LogInput {
    pub(super) log: EventLog,
    /// True when the log is a copy of a stream, which has no index and no journals.
    pub(super) is_stream: bool,
    /// `Damage` when a compressed stream could not be unpacked to its end.
    pub(super) status: ExitStatus,
}

impl LogInput {
    /// Opens a log for reading. `-`, a pipe and a file that gzip or zstd compressed are copied into an unnamed file in the
    /// folder for temporary files, which the system removes when the process ends; stderr reports the copy.
    ///
    /// # Errors
    /// Those of [`OpenOptions::open_read_only`]; `Io` and `Stdin` when the stream cannot be read or copied. The copy takes
    /// at most nine tenths of the free space.
    pub(super) fn open(path: &Path, options: OpenOptions, out: &mut CommandOutput) -> Result<Self, CommandFailure> {
        if !ByteStream::is_needed_for(path) {
            return Ok(Self { log: options.open_read_only(path)?, is_stream: false, status: ExitStatus::Done });
        }
        let (copy, status) = copy_stream(path, out)?;
        let log = options.disk(Arc::new(SpooledDisk::new(path, copy))).open_read_only(path)?;
        Ok(Self { log, is_stream: true, status })
    }
}

/// Copies a stream into an unnamed file, up to its end or to the first byte that cannot be unpacked.
fn copy_stream(path: &Path, out: &mut CommandOutput) -> Result<(SpoolFile, ExitStatus), CommandFailure> {
    let mut stream = ByteStream::open(path)?;
    let folder = std::env::temp_dir();
    let copy_failure = |error| StorageError::io(&folder, "copy a stream into a temporary file in", error);
    let copy = SpoolFile::create(&folder).map_err(copy_failure)?;
    let allowed = OsDisk.available_space(&folder).map_or(u64::MAX, |free| free / 10 * 9);
    let (mut bytes, mut buf, mut fault) = (0, vec![0; CHUNK_LEN], None);
    loop {
        let read = match stream.read(&mut buf) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.raw_os_error().is_some() => return Err(read_failure(path, error)),
            Err(error) => {
                fault = Some(error);
                break;
            }
        };
        bytes += read as u64;
        if bytes > allowed {
            let reason = format!(
                "the stream has more than the {} that may be used; set TMPDIR to a folder with more space",
                format_size(allowed)
            );
            return Err(copy_failure(std::io::Error::new(std::io::ErrorKind::StorageFull, reason)).into());
        }
        copy.append(buf.get(..read).unwrap_or_default()).map_err(copy_failure)?;
    }
    let (name, size) = (safe_path_text(path), format_size(bytes));
    let notice = match &fault {
        None => format!("{name}: copied into a temporary file in {} ({size}) for this run", safe_path_text(&folder)),
        Some(error) if bytes == 0 => {
            return Err(StorageError::io(path, "unpack", std::io::Error::other(error.to_string())).into());
        }
        Some(error) => format!(
            "{name}: the compressed data is damaged or incomplete: {error}; only the {size} before that are read"
        ),
    };
    out.print_notice(&notice, &Json::Object(vec![("notice", notice.as_str().into())]));
    Ok((copy, if fault.is_some() { ExitStatus::Damage } else { ExitStatus::Done }))
}
