//! [`NewLog`]: a new log that a copy or an import writes, in one file or in a folder of segments. It appears at its path
//! complete or not at all.

use std::path::Path;

use super::hashed_file::{FinishedFile, HashedFile, OnBytesRead, VerifiedFile};
use super::new_file::{ExistingFile, NewFile};
use super::new_log_folder::NewLogFolder;
use super::rolling::{ActiveSegment, RollPolicy};
use super::storage::{Disk, OpenMode};
use crate::StorageError;
use crate::format::frame::{self, CHECKSUM_LEN};
use crate::format::{FrameFormat, LogHeader, LogSettings, LostRange, SegmentHeader, byte_layout};

/// Whether a new log is one file or a folder of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewLogForm {
    /// One file.
    File,
    /// A folder, with the rule by which the next segment is started.
    Folder(RollPolicy),
}

/// Where a new log is written, and what it may replace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLogTarget<'a> {
    /// The final path.
    pub(crate) path: &'a Path,
    /// The treatment of a log that is at the final path. A folder is moved away by the caller before
    /// [`NewLog::commit`].
    pub(crate) existing: ExistingFile,
    /// One file or a folder.
    pub(crate) form: NewLogForm,
    /// The log whose owner, group and mode the new one gets; `None` for those that the system gives to new files.
    pub(crate) permissions_from: Option<&'a Path>,
}

/// A log that is being written under a temporary name. Dropping it before [`NewLog::commit`] removes it.
pub(crate) struct NewLog<'d> {
    disk: &'d dyn Disk,
    files: NewLogFiles<'d>,
    /// The header of the last segment; `None` before the first one.
    header: Option<LogHeader>,
    /// The checksum of the last frame; 0 without one.
    last_checksum: u32,
    /// The time at which the log is written, in milliseconds since the Unix epoch.
    now_ms: u64,
    /// The ranges that the settings of a folder record as given up.
    lost: Vec<LostRange>,
}

enum NewLogFiles<'d> {
    File(VerifiedFile<'d>),
    Folder { folder: NewLogFolder<'d>, policy: RollPolicy, sealed: Vec<FinishedFile>, last: Option<HashedFile> },
}

impl<'d> NewLog<'d> {
    /// Creates an empty log under a temporary name. `now_ms` is the present time, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Those of [`NewFile::create_log`] and [`NewLogFolder::create`].
    pub(crate) fn create(disk: &'d dyn Disk, target: NewLogTarget, now_ms: u64) -> Result<Self, StorageError> {
        let NewLogTarget { path, existing, form, permissions_from } = target;
        let files = match (form, permissions_from) {
            (NewLogForm::Folder(policy), _) => {
                let folder = NewLogFolder::create(disk, path, existing, permissions_from)?;
                NewLogFiles::Folder { folder, policy, sealed: Vec::new(), last: None }
            }
            (NewLogForm::File, Some(log)) => {
                NewLogFiles::File(VerifiedFile::new(NewFile::create_sidecar(disk, path, existing, log)?))
            }
            (NewLogForm::File, None) => {
                NewLogFiles::File(VerifiedFile::new(NewFile::create_log(disk, path, existing)?))
            }
        };
        Ok(Self { disk, files, header: None, last_checksum: 0, now_ms, lost: Vec::new() })
    }

    /// Writes the header of the log, which is version 2 in a folder.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub(crate) fn write_header(&mut self, header: LogHeader) -> Result<(), StorageError> {
        let bytes = header.encode();
        if let NewLogFiles::Folder { folder, sealed, last, .. } = &mut self.files {
            if let Some(mut full) = last.take() {
                sealed.push(full.finish()?);
            }
            let base = header.segment.map_or(0, |segment| segment.base);
            let (storage, path) = folder.create_segment(base)?;
            *last = Some(HashedFile::new(storage, &path));
        }
        self.header = Some(header);
        self.append_with(|out| out.extend_from_slice(&bytes))
    }

    /// True once the header is written.
    pub(crate) const fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// Returns the header of the segment that an event with this time starts; `None` when it belongs into the present one, as
    /// always in a log of one file. The time is in milliseconds since the Unix epoch.
    ///
    /// A segment is as old as the event that starts the next one. Its creation time is never before that of the segment before
    /// it, and never in the future, so that one wrong time among the events neither makes a segment old nor keeps it.
    pub(crate) fn next_segment(&self, event_ms: u64) -> Option<LogHeader> {
        let (header, end, time) = (self.header?, self.position(), event_ms.min(self.now_ms));
        let segment = header.segment.filter(|_| self.is_segment_due(end, event_ms))?;
        let number = segment.number.checked_add(1)?;
        let segment = SegmentHeader { base: end, number, prev_checksum: self.last_checksum, ..segment };
        let created_at_ms = header.created_at_ms.max(time).min(self.now_ms);
        Some(LogHeader { created_at_ms, segment: Some(segment), ..header })
    }

    /// True when an event with this time, in milliseconds since the Unix epoch, starts the next segment after frames that end at
    /// `end`.
    pub(crate) fn is_segment_due(&self, end: u64, event_ms: u64) -> bool {
        let (NewLogFiles::Folder { policy, .. }, Some(header)) = (&self.files, self.header) else { return false };
        let Some(SegmentHeader { base, .. }) = header.segment else { return false };
        ActiveSegment::of_header(base, header).is_due(*policy, end, event_ms.min(self.now_ms))
    }

    /// Appends a frame with this payload, and returns its offset.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    pub(crate) fn append_frame(&mut self, payload: &[u8]) -> Result<u64, StorageError> {
        let (at, format) = (self.position(), self.frame_format());
        let mut checksum = None;
        self.append_with(|out| {
            frame::encode_at(format, at, payload, out);
            checksum = out.len().checked_sub(CHECKSUM_LEN).and_then(|start| byte_layout::u32_at(out, start));
        })?;
        self.last_checksum = checksum.unwrap_or_default();
        Ok(at)
    }

    /// Appends a frame as another copy of the log has it at this offset.
    ///
    /// # Errors
    /// `Io` when it cannot be written.
    #[cfg(feature = "remote")]
    pub(crate) fn append_encoded_frame(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.append_with(|out| out.extend_from_slice(bytes))
    }

    /// Records in the settings of a folder that these ranges were given up.
    #[cfg(feature = "remote")]
    pub(crate) fn set_lost(&mut self, lost: Vec<LostRange>) {
        self.lost = lost;
    }

    fn frame_format(&self) -> FrameFormat {
        self.header.map_or(FrameFormat::V1, LogHeader::frame_format)
    }

    fn append_with(&mut self, add: impl FnOnce(&mut Vec<u8>)) -> Result<(), StorageError> {
        match &mut self.files {
            NewLogFiles::File(file) => file.append_with(add),
            NewLogFiles::Folder { last: Some(last), .. } => last.append_with(add),
            // Nothing is appended before the header.
            NewLogFiles::Folder { last: None, .. } => Ok(()),
        }
    }

    /// Returns the offset at which the next byte will be appended.
    pub(crate) fn position(&self) -> u64 {
        match &self.files {
            NewLogFiles::File(file) => file.position(),
            NewLogFiles::Folder { last, .. } => {
                let base = self.header.and_then(|header| header.segment).map_or(0, |segment| segment.base);
                base + last.as_ref().map_or(0, HashedFile::position)
            }
        }
    }

    /// The number of segments; `None` for a log in one file.
    pub(crate) fn segments(&self) -> Option<u64> {
        match &self.files {
            NewLogFiles::File(_) => None,
            NewLogFiles::Folder { sealed, last, .. } => Some(sealed.len() as u64 + u64::from(last.is_some())),
        }
    }

    /// Writes the settings of a folder, syncs all files, reads them again and compares them with the bytes that were written.
    ///
    /// # Errors
    /// `Changed` when the bytes differ; `Io`; the errors of `on_read`.
    pub(crate) fn sync_and_verify(&mut self, on_read: &mut OnBytesRead) -> Result<(), StorageError> {
        let (folder, policy, sealed, last) = match &mut self.files {
            NewLogFiles::File(file) => return file.sync_and_verify(on_read),
            NewLogFiles::Folder { folder, policy, sealed, last } => (folder, policy, sealed, last),
        };
        if let Some(segment) = self.header.and_then(|header| header.segment) {
            folder.write_settings(&LogSettings {
                log_id: segment.log_id,
                segment_size: policy.max_bytes,
                segment_age_ms: policy.max_age_ms,
                first_offset: segment.log_start,
                lost: self.lost.clone(),
            })?;
        }
        let last = last.as_mut().map(HashedFile::finish).transpose()?;
        let mut read_before = 0;
        for file in sealed.iter().chain(&last) {
            let name = file.path.file_name().unwrap_or_default();
            let storage = self.disk.open(&folder.temporary_path().join(name), OpenMode::Read);
            let storage = storage.map_err(|error| StorageError::io(&file.path, "open", error))?;
            file.verify(storage.as_ref(), &mut |bytes| on_read(read_before + bytes))?;
            read_before += file.bytes;
        }
        Ok(())
    }

    /// The path of the log now: the temporary one before [`NewLog::commit`] succeeds.
    pub(crate) fn temporary_path(&self) -> &Path {
        match &self.files {
            NewLogFiles::File(file) => file.file().temporary_path(),
            NewLogFiles::Folder { folder, .. } => folder.temporary_path(),
        }
    }

    /// Gives the log its final name.
    ///
    /// # Errors
    /// Those of [`NewFile::commit`] and [`NewLogFolder::commit`].
    pub(crate) fn commit(&mut self) -> Result<(), StorageError> {
        match &mut self.files {
            NewLogFiles::File(file) => file.commit(),
            NewLogFiles::Folder { folder, .. } => folder.commit(),
        }
    }

    /// True once the log has its final name.
    pub(crate) fn is_committed(&self) -> bool {
        match &self.files {
            NewLogFiles::File(file) => file.file().is_committed(),
            NewLogFiles::Folder { folder, .. } => folder.is_committed(),
        }
    }

    /// Removes the log, under its temporary or its final name. When that fails, it stays.
    pub(crate) fn discard(self) {
        match self.files {
            NewLogFiles::File(file) => file.discard(),
            NewLogFiles::Folder { folder, .. } => folder.discard(),
        }
    }
}
