//! The logs below the URL of a prefix in object storage, and reading them ahead, so that several are on their way at a time.

use std::path::{Path, PathBuf};

use crate::StorageError;

/// How many logs after the present one are read ahead.
#[cfg(feature = "remote")]
const LOGS_AHEAD: usize = 4;

/// True for the URL of a prefix, below which logs are, and not for that of a log.
///
/// # Errors
/// `Io` when the server cannot be asked.
#[cfg_attr(
    not(feature = "remote"),
    expect(clippy::unnecessary_wraps, reason = "only a server can fail to answer, and this build asks none")
)]
pub(super) fn is_prefix(path: &Path) -> Result<bool, StorageError> {
    #[cfg(feature = "remote")]
    if is_url(path) {
        use crate::file::{Disk, EntryKind, has_segments};
        let disk = crate::remote::routing_disk();
        return match disk.entry(path) {
            Ok(entry) => Ok(entry.kind == EntryKind::Folder && !has_segments(disk.as_ref(), path)),
            // The opening of the log reports that there is none.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StorageError::io(path, "open", error)),
        };
    }
    let _ = path;
    Ok(false)
}

/// Returns the logs below the URL of a prefix, at any depth, sorted.
///
/// # Errors
/// `Io` when the prefix cannot be listed.
pub(super) fn logs_below(prefix: &Path) -> Result<Vec<PathBuf>, StorageError> {
    #[cfg(feature = "remote")]
    let found = crate::remote::routing_disk().logs_below(prefix);
    #[cfg(not(feature = "remote"))]
    let found = Err(std::io::ErrorKind::Unsupported.into());
    found.map_err(|error| StorageError::io(prefix, "list", error))
}

/// Starts to read those of `paths` that are URLs and follow the one at `present`, as far as `started` of them are not yet started.
pub(super) fn read_ahead(paths: &[PathBuf], present: usize, started: &mut usize) {
    let _ = (paths, present, &started);
    #[cfg(feature = "remote")]
    while *started <= present + LOGS_AHEAD {
        let Some(path) = paths.get(*started) else { return };
        if *started > present && is_url(path) {
            let path = path.clone();
            let read = move || crate::remote::routing_disk().read_ahead(&path);
            // Without the thread, the log is read when it is opened.
            let _ = std::thread::Builder::new().name("log-read-ahead".into()).spawn(read);
        }
        *started += 1;
    }
}

#[cfg(feature = "remote")]
fn is_url(path: &Path) -> bool {
    use crate::place::{Place, RemoteScheme};
    matches!(Place::parse(path.as_os_str()), Ok(Place::Remote(url)) if url.scheme() == RemoteScheme::S3)
}
