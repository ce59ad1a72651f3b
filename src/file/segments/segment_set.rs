//! The segments of a [`SegmentedStorage`]: where each starts and ends, and how another one is added.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::bounds::{SegmentBounds, SegmentCondition, SegmentSet};
use super::listing::SegmentListing;
use super::segment_file::{SegmentFile, condition_of_failure};
use super::storage::{SegmentMode, SegmentScope, SegmentedStorage, lock, read};
use super::table::segment_path;
use crate::StorageError;
use crate::file::new_file::{ExistingFile, NewFile, replace_file};
use crate::file::settings_file::FoundSettings;
use crate::file::storage::{OpenMode, Storage, append_all, read_full};
use crate::file::temporary_file::remove_if_abandoned;
use crate::format::{LogHeader, LogId, LostRange, SegmentHeader, index_path};

/// Number of bytes that are compared with zero at once.
const ZERO_CHUNK: usize = 1 << 16;

impl SegmentSet for SegmentedStorage {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn is_single_segment(&self) -> bool {
        self.scope == SegmentScope::One
    }

    fn log_start(&self) -> u64 {
        read(&self.table).log_start
    }

    fn bases(&self) -> Vec<u64> {
        read(&self.table).bases().to_vec()
    }

    fn base_before(&self, offset: u64) -> Option<u64> {
        read(&self.table).base_before(offset)
    }

    fn base_from(&self, offset: u64) -> Option<u64> {
        read(&self.table).base_from(offset)
    }

    fn index_bases(&self) -> Vec<u64> {
        lock(&self.indexes).clone()
    }

    fn clean_folder(&self) -> io::Result<()> {
        let listing = SegmentListing::read(self.disk.as_ref(), &self.folder)?;
        *lock(&self.indexes) = listing.indexes;
        let log = self.segment_path(read(&self.active).base);
        listing.temporary.iter().for_each(|path| remove_if_abandoned(self.disk.as_ref(), path, Some(&log)));
        Ok(())
    }

    fn list_indexes(&self) -> io::Result<()> {
        self.list().map(drop)
    }

    fn leftover_bases(&self) -> Vec<u64> {
        read(&self.table).leftover().to_vec()
    }

    fn segment_path(&self, base: u64) -> PathBuf {
        segment_path(&self.folder, base)
    }

    fn segment_at(&self, offset: u64) -> SegmentBounds {
        let found = self.listed_segment_at(offset);
        // Retention may have removed the segment since the folder was listed. The newest header says so.
        let is_missing = found.condition == SegmentCondition::Missing;
        let is_removed = is_missing && self.refresh().is_ok() && self.listed_segment_at(offset) != found;
        let has_byte = offset < found.data_end || found.condition == SegmentCondition::Removed;
        let is_restored = || !has_byte && self.relist_when_restored(&found).unwrap_or(false);
        if is_removed || is_restored() { self.listed_segment_at(offset) } else { found }
    }

    fn missing_ranges(&self) -> Vec<Range<u64>> {
        let bases = self.bases();
        let first = bases.first().map_or(0..0, |base| self.log_start()..*base);
        let of_segments = bases.iter().map(|base| self.listed_segment_at(*base).missing());
        std::iter::once(first).chain(of_segments).filter(|range| range.start < range.end).collect()
    }

    fn lost_parts(&self, range: &Range<u64>) -> Vec<LostRange> {
        if self.scope == SegmentScope::One || range.is_empty() {
            return Vec::new();
        }
        let settings = FoundSettings::read(self.disk.as_ref(), &self.folder, self, self.log_id);
        let lost = settings.valid().map(|settings| settings.lost.as_slice()).unwrap_or_default();
        lost.iter().filter_map(|lost| lost.part_in(range)).collect()
    }

    fn segment_storage(&self, base: u64) -> io::Result<Arc<dyn Storage>> {
        Ok(self.file_at(base)?.storage)
    }

    fn relist(&self) -> io::Result<()> {
        self.reopen()
    }

    fn excess_bytes(&self, base: u64) -> u64 {
        let end = self.listed_segment_at(base).end;
        match self.file_at(base) {
            Ok(file) if end != u64::MAX => base.saturating_add(file.len).saturating_sub(end),
            _ => 0,
        }
    }

    fn open_segment(&self, base: u64) -> io::Result<Arc<dyn Storage>> {
        let is_active = read(&self.active).base == base;
        let is_only_read = self.mode == SegmentMode::Read || !is_active && self.mode.reads_sealed_segments();
        let file = if is_only_read {
            self.file_at(base)?
        } else {
            SegmentFile::open(self.disk.as_ref(), &self.folder, base, self.log_id, OpenMode::Read)?
        };
        Ok(Arc::new(Self::of_file(self.disk.clone(), &self.folder, self.log_id, file)))
    }

    fn cut_zeros(&self, base: u64, end: u64) -> io::Result<()> {
        let segment = self.segment_at(base);
        let is_sealed = segment.base == base && segment.end != u64::MAX;
        if !is_sealed || end < base || end >= segment.data_end {
            return Ok(());
        }
        let mut buf = vec![0; ZERO_CHUNK];
        let mut at = end;
        while at < segment.data_end {
            let len = usize::try_from(segment.data_end - at).unwrap_or(ZERO_CHUNK).min(ZERO_CHUNK);
            let part = buf.get_mut(..len).unwrap_or_default();
            if read_full(self, part, at)? < len || part.iter().any(|byte| *byte != 0) {
                return Ok(());
            }
            at += len as u64;
        }
        self.set_segment_len(base, end - base)
    }

    fn add_segment(&self, header: SegmentHeader, created_at_ms: u64) -> io::Result<()> {
        let path = self.segment_path(header.base);
        let permissions_from = self.segment_path(read(&self.active).base);
        let new = NewFile::create_sidecar(self.disk.as_ref(), &path, ExistingFile::Keep, &permissions_from);
        let mut new = new.map_err(into_io_error)?;
        let bytes = LogHeader { flags: 0, created_at_ms, segment: Some(header) }.encode();
        append_all(new.storage().as_ref(), &bytes)?;
        new.commit().map_err(into_io_error)?;
        let mode = self.mode.of_last_segment();
        let file = SegmentFile::open(self.disk.as_ref(), &self.folder, header.base, self.log_id, mode)?;
        file.storage.try_lock()?;
        self.set_active(file)
    }

    fn replace_empty_segment(&self, header: SegmentHeader, created_at_ms: u64) -> io::Result<()> {
        let path = self.segment_path(header.base);
        match self.disk.remove(&index_path(&path)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => self.disk.sync_folder(&self.folder)?,
        }
        let bytes = LogHeader { flags: 0, created_at_ms, segment: Some(header) }.encode();
        let write =
            |file: &dyn Storage| append_all(file, &bytes).map_err(|error| StorageError::io(&path, "write", error));
        replace_file(self.disk.as_ref(), &path, &path, write).map_err(into_io_error)?;
        self.reopen()
    }
}

impl SegmentedStorage {
    /// Returns that of the two adjacent names in the table which is no segment of the log, and would start within the segment before
    /// it; `None` for all others. Such a file must not cut a segment short.
    fn name_inside_segment(&self, (base, next): (Option<u64>, u64)) -> Option<u64> {
        let is_no_segment = |base: u64| matches!(self.file_at(base), Err(error) if error.kind() == ErrorKind::NotFound);
        let goes_beyond = |base: u64, name: u64| {
            self.file_at(base).is_ok_and(|file| base.saturating_add(file.len) > name) && is_no_segment(name)
        };
        let base = base?;
        if next != u64::MAX && goes_beyond(base, next) {
            return Some(next);
        }
        let before = || read(&self.table).neighbours(base.checked_sub(1)?).0;
        (is_no_segment(base) && before().is_some_and(|before| goes_beyond(before, base))).then_some(base)
    }

    /// Returns the segment that contains `offset`, or the range around it that has no segment, as the table lists it.
    fn listed_segment_at(&self, offset: u64) -> SegmentBounds {
        let (log_start, (base, end)) = loop {
            let (log_start, neighbours) = {
                let table = read(&self.table);
                (table.log_start, table.neighbours(offset))
            };
            match self.name_inside_segment(neighbours) {
                Some(name) => self.table.write().unwrap_or_else(PoisonError::into_inner).exclude(name),
                None => break (log_start, neighbours),
            }
        };
        if offset < log_start && self.scope == SegmentScope::Folder {
            return SegmentBounds {
                base: 0,
                data_end: log_start,
                end: log_start,
                condition: SegmentCondition::Removed,
            };
        }
        let Some(base) = base else {
            let base = log_start.min(end);
            return SegmentBounds { base, data_end: base, end, condition: SegmentCondition::Missing };
        };
        match self.file_at(base) {
            Ok(_) if end == u64::MAX => {
                SegmentBounds { base, data_end: u64::MAX, end, condition: SegmentCondition::Present }
            }
            Ok(file) => SegmentBounds {
                base,
                data_end: base.saturating_add(file.len).min(end),
                end,
                condition: SegmentCondition::Present,
            },
            Err(error) => SegmentBounds { base, data_end: base, end, condition: condition_of_failure(&error) },
        }
    }
}

/// Returns the error of the operating system that a storage error holds.
fn into_io_error(error: StorageError) -> io::Error {
    match error {
        StorageError::Io { source, .. } => source,
        StorageError::AlreadyExists { .. } => ErrorKind::AlreadyExists.into(),
        other => io::Error::other(other),
    }
}
