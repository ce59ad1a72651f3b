//! The files of a log that a backup copies, and the reading of their parts.

use std::path::PathBuf;
use std::sync::Arc;

use super::parts::PART_LEN;
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{OpenMode, Storage};
use crate::format::{SETTINGS_FILE, base_of_segment_file};
use crate::inspect::LogView;

/// A file that is copied.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) name: String,
    path: PathBuf,
    pub(super) bytes: u64,
}

/// A part of a file that is copied.
#[derive(Debug)]
pub(super) struct SourcePart {
    /// The position of the file in the list of files.
    pub(super) file: usize,
    offset: u64,
    bytes: u64,
}

/// The files of a log, as long as they are at the end of a pass over it.
#[derive(Debug)]
pub(super) struct CopiedFiles<'v> {
    view: &'v LogView,
    pub(super) files: Vec<SourceFile>,
}

impl<'v> CopiedFiles<'v> {
    /// Lists the files of a log: the one file, or the segments of a folder and the settings. A segment that is started later is not
    /// among them.
    ///
    /// # Errors
    /// `Io` when the folder cannot be listed.
    pub(super) fn list(view: &'v LogView) -> Result<Self, StorageError> {
        let path = view.path();
        let paths = if view.segments().is_none() {
            vec![path.to_owned()]
        } else {
            let listed = view.disk().list(path).map_err(|error| StorageError::io(path, "list", error))?;
            let is_settings = |path: &PathBuf| path.file_name().is_some_and(|name| name == SETTINGS_FILE);
            listed.into_iter().filter(|path| base_of_segment_file(path).is_some() || is_settings(path)).collect()
        };
        let file = |path: PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            SourceFile { name, path, bytes: 0 }
        };
        Ok(Self { view, files: paths.into_iter().map(file).collect() })
    }

    /// Reads the size of every file. Of the last segment, and of a log in one file, only the bytes before the offset `end` count.
    ///
    /// # Errors
    /// `Io` when a file cannot be opened.
    pub(super) fn measure(&mut self, end: u64) -> Result<(), StorageError> {
        let last = self.files.iter().filter_map(|file| base_of_segment_file(&file.path)).max();
        for at in 0..self.files.len() {
            let Some(file) = self.files.get(at) else { continue };
            let len =
                self.open(file)?.len().map_err(|error| StorageError::io(&file.path, "read the size of", error))?;
            let base = base_of_segment_file(&file.path);
            let limit = match base {
                _ if self.view.segments().is_none() => end,
                Some(base) if Some(base) == last => end.saturating_sub(base),
                _ => u64::MAX,
            };
            if let Some(file) = self.files.get_mut(at) {
                file.bytes = len.min(limit);
            }
        }
        Ok(())
    }

    /// Divides the files into parts.
    pub(super) fn parts(&self) -> Vec<SourcePart> {
        let of_file = |(file, source): (usize, &SourceFile)| {
            let total = source.bytes;
            let offsets = (0..total.div_ceil(PART_LEN)).map(|part| part * PART_LEN);
            offsets.map(move |offset| SourcePart { file, offset, bytes: PART_LEN.min(total - offset) })
        };
        self.files.iter().enumerate().flat_map(of_file).collect()
    }

    /// Reads a part.
    ///
    /// # Errors
    /// `Changed` when the file has become shorter; `Io` when it cannot be read.
    pub(super) fn read(&self, part: &SourcePart) -> Result<Vec<u8>, StorageError> {
        let Some(file) = self.files.get(part.file) else { return Ok(Vec::new()) };
        let mut bytes = vec![0; usize::try_from(part.bytes).unwrap_or_default()];
        let found = read_full(self.open(file)?.as_ref(), &mut bytes, part.offset)
            .map_err(|error| StorageError::io_at(&file.path, "read", part.offset, error))?;
        if found == bytes.len() {
            return Ok(bytes);
        }
        Err(StorageError::Changed {
            path: file.path.clone(),
            expected: format!("{} bytes at offset {}", part.bytes, part.offset),
            found: format!("{found}: the file was cut"),
        })
    }

    fn open(&self, file: &SourceFile) -> Result<Arc<dyn Storage>, StorageError> {
        if self.view.segments().is_none() {
            return Ok(self.view.log().shared_storage());
        }
        let opened = self.view.disk().open(&file.path, OpenMode::Read);
        opened.map_err(|error| StorageError::io(&file.path, "open", error))
    }
}
