//! [`SegmentListing`]: the names in the folder of a log that belong to its segments.

use std::io;
use std::path::{Path, PathBuf};

use crate::file::Disk;
use crate::file::temporary_file::target_name;
use crate::format::{SETTINGS_FILE, base_of_index_file, base_of_segment_file};

/// The segments of a log and their indexes, by the names that its folder had when it was listed.
#[derive(Debug, Default)]
pub(super) struct SegmentListing {
    /// The bases of the files that have the name of a segment, ascending.
    pub(super) segments: Vec<u64>,
    /// The bases of the files that have the name of the index of a segment, ascending.
    pub(super) indexes: Vec<u64>,
    /// The temporary files for a segment, an index or the settings: one that is being created, or whose creator was killed.
    pub(super) temporary: Vec<PathBuf>,
}

impl SegmentListing {
    /// Lists the folder of a log.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn read(disk: &dyn Disk, folder: &Path) -> io::Result<Self> {
        let mut listing = Self::default();
        for path in disk.list(folder)? {
            if let Some(base) = base_of_segment_file(&path) {
                listing.segments.push(base);
            } else if let Some(base) = base_of_index_file(&path) {
                listing.indexes.push(base);
            } else if is_temporary(&path) {
                listing.temporary.push(path);
            }
        }
        Ok(listing)
    }
}

/// True for the name of a file of the log that is not complete.
fn is_temporary(path: &Path) -> bool {
    let target = target_name(path).and_then(|name| std::str::from_utf8(name).ok()).map(Path::new);
    target.is_some_and(|target| {
        let of_segment = base_of_segment_file(target).or_else(|| base_of_index_file(target));
        of_segment.is_some() || target == Path::new(SETTINGS_FILE)
    })
}
