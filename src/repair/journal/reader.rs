//! Reads one journal: its plan, its state, and the bytes that it has saved from the log and from other files.

use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use super::record::{ChangesInLog, RepairRecord, RepairState, journal_number};
use super::state::{JournalState, append_state_record};
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{
    Disk, HeaderState, LogFile, OpenMode, SideFileFault, SideFileOrigin, TrustRule, UntrustedFile, ensure_same_file,
};
use crate::format::frame::{CHECKSUM_LEN, LENGTH_LEN, payload_length_at};
use crate::format::journal::{self, JournalSection};
use crate::format::{FrameFormat, Version, byte_layout};
use crate::repair::planning::ByteSource;
use crate::repair::types::{CHUNK, LIST_REPAIRS, PLAN_VERSION, Plan, PlanError, changed_error, refused_error};

/// Number of bytes of a frame besides its payload.
const FRAME_OVERHEAD: usize = LENGTH_LEN + CHECKSUM_LEN;

/// Why a file is not used as a journal.
#[derive(Debug)]
pub(crate) enum JournalFault {
    /// The file could not be read, another version of the program wrote it, or users who cannot write the log can have
    /// written it.
    Untrusted(UntrustedFile),
    /// The file is not a complete journal, so its repair has not changed the log. The text is the reason.
    NotComplete(String),
}

impl JournalFault {
    /// Describes a journal of a version that this program cannot read, so that its repair may be pending.
    fn of_other_version(reason: String) -> Self {
        let remedy = "Use the version of Chronicle that wrote it, or move the file away";
        Self::Untrusted(UntrustedFile { reason, remedy, origin: SideFileOrigin::PossibleRecord })
    }

    /// Returns the reason without the path of the file.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Untrusted(found) => found.reason,
            Self::NotComplete(reason) => reason,
        }
    }

    /// Returns the notice that the file at `path` is not used as a journal.
    pub(crate) fn to_notice(&self, path: &Path) -> String {
        match self {
            Self::Untrusted(found) => found.to_notice(path),
            Self::NotComplete(reason) => format!("{}: {reason}", path.display()),
        }
    }

    /// Returns the error with which an operation refuses to use the file at `path`.
    pub(crate) fn into_error(self, path: &Path) -> StorageError {
        match self {
            Self::Untrusted(found) => found.to_error(path),
            Self::NotComplete(reason) => refused_error(path, reason, LIST_REPAIRS),
        }
    }
}

/// A journal, read up to the end of its last complete frame.
#[derive(Debug)]
pub(crate) struct JournalReader {
    /// The repair that the journal describes.
    pub(crate) record: RepairRecord,
    file: LogFile,
    saved: SavedSections,
    /// Offset in the journal after its last complete frame.
    end: u64,
}

impl JournalReader {
    /// Opens a journal that is trusted, and reads its plan and its states. Saved bytes are read, and their checksums
    /// verified, later.
    ///
    /// # Errors
    /// See [`JournalFault`].
    pub(crate) fn open(disk: &dyn Disk, path: &Path, rule: TrustRule) -> Result<Self, JournalFault> {
        let unreadable = |error: &std::io::Error| JournalFault::Untrusted(UntrustedFile::unreadable("read", error));
        let storage = rule.open(disk, path, OpenMode::ReadSidecar).map_err(|fault| match fault {
            SideFileFault::Untrusted(found) => JournalFault::Untrusted(found),
            SideFileFault::Missing => JournalFault::NotComplete("the file has disappeared".into()),
            SideFileFault::Io(error) => unreadable(&error),
        })?;
        let mut header = [0; journal::HEADER_LEN];
        let read = read_full(storage.as_ref(), &mut header, 0).map_err(|error| unreadable(&error))?;
        let begun_ms = parse_header(header.get(..read).unwrap_or_default())?;
        let file = LogFile::with_header(storage, path, FrameFormat::V1, HeaderState::Absent);
        let contents = JournalContents::read(&file).map_err(|error| {
            JournalFault::Untrusted(UntrustedFile::unreadable("read", &std::io::Error::other(error)))
        })?;
        Self::from_contents(file, begun_ms, contents)
    }

    /// Parses the plan of a journal.
    fn from_contents(file: LogFile, begun_ms: u64, contents: JournalContents) -> Result<Self, JournalFault> {
        let end = contents.end;
        let is_cut_short = end < file.len().unwrap_or_default();
        let unfinished = || {
            JournalFault::NotComplete(if is_cut_short {
                format!("the journal is damaged, or was never finished, at offset {end}")
            } else {
                "the journal ends before its plan: it was never finished, or has lost its end".to_owned()
            })
        };
        let metadata = contents.metadata.ok_or_else(unfinished)?;
        if metadata.get("plan_bytes").and_then(Value::as_u64) != Some(contents.plan.len() as u64) {
            return Err(unfinished());
        }
        let plan = Plan::parse(&contents.plan).map_err(|error| match error {
            PlanError::UnknownLayout(version) => JournalFault::of_other_version(format!(
                "its plan has layout {version}; this program supports {PLAN_VERSION}"
            )),
            error => JournalFault::NotComplete(format!("its plan is not valid: {error}")),
        })?;
        if let Some(fault) = plan.contradiction() {
            return Err(JournalFault::NotComplete(format!("its plan {fault}")));
        }
        let path = file.path();
        let number = journal_number(path).unwrap_or_default();
        let (state, saved) = (contents.state, contents.saved);
        let (undone_by, in_log) = (None, ChangesInLog::All);
        let record = RepairRecord { number, journal: path.to_owned(), begun_ms, state, undone_by, in_log, plan };
        Ok(Self { record, file, saved, end })
    }

    /// Returns the saved bytes of a section, in the order of the journal.
    pub(super) fn saved(&self, section: JournalSection) -> &[SavedBytes] {
        self.saved.section(section)
    }

    /// True when the journal holds bytes of this section.
    pub(crate) fn has_section(&self, section: JournalSection) -> bool {
        !self.saved.section(section).is_empty()
    }

    /// Returns the part of the journal that has the frames of a section; `None` when there are none, or other frames are
    /// between them.
    pub(crate) fn section_extent(&self, section: JournalSection) -> Option<Range<u64>> {
        let mut extent: Option<Range<u64>> = None;
        for saved in self.saved.section(section).iter().filter(|saved| !saved.is_zeros) {
            let end = saved.frame_offset + saved.len + (journal::SECTION_DATA_OFFSET + FRAME_OVERHEAD) as u64;
            extent = match extent {
                None => Some(saved.frame_offset..end),
                Some(extent) if extent.end == saved.frame_offset => Some(extent.start..end),
                Some(_) => return None,
            };
        }
        extent
    }

    /// Returns the size of the journal, in bytes.
    ///
    /// # Errors
    /// `Io` when it cannot be read.
    pub(crate) fn file_len(&self) -> Result<u64, StorageError> {
        self.file.len()
    }

    /// Iterates over the bytes saved in a section, in the order of the journal.
    ///
    /// Each item is an offset in the file that the bytes were read from, and at most one chunk of bytes.
    pub(crate) fn read_saved_bytes(&self, section: JournalSection) -> impl Iterator<Item = SavedChunk> + '_ {
        self.read_chunks(self.saved.section(section).iter())
    }

    /// Iterates over the bytes saved in a section, like [`JournalReader::read_saved_bytes`], without runs of zeros.
    pub(crate) fn read_stored_bytes(&self, section: JournalSection) -> impl Iterator<Item = SavedChunk> + '_ {
        self.read_chunks(self.saved.section(section).iter().filter(|saved| !saved.is_zeros))
    }

    /// Reads saved bytes, at most one chunk at a time.
    fn read_chunks<'a>(
        &'a self,
        saved: impl Iterator<Item = &'a SavedBytes> + 'a,
    ) -> impl Iterator<Item = SavedChunk> + 'a {
        let mut buf = Vec::new();
        let chunks = saved.flat_map(|saved| {
            let end = saved.offset + saved.len;
            let starts = (saved.offset..end).step_by(CHUNK as usize);
            starts.map(move |start| (saved, start..end.min(start + CHUNK)))
        });
        chunks.map(move |(saved, range)| {
            let (start, len) = ((range.start - saved.offset) as usize, (range.end - range.start) as usize);
            let bytes = self.read_saved(saved, &mut buf)?.and_then(|found| found.get(start, len));
            let bytes = bytes.ok_or_else(|| {
                let expected = format!("a frame of saved bytes at offset {}", saved.frame_offset);
                changed_error(&self.record.journal, &expected, "bytes whose checksum differs")
            })?;
            Ok((range.start, bytes))
        })
    }

    /// Reads the frame of saved bytes, and verifies its checksum; `None` when it is not valid.
    fn read_saved<'b>(&self, saved: &SavedBytes, buf: &'b mut Vec<u8>) -> Result<Option<SavedData<'b>>, StorageError> {
        if saved.is_zeros {
            return Ok(Some(SavedData::Zeros));
        }
        let frame = self.file.read_frame_at(saved.frame_offset, buf)?;
        Ok(frame.and_then(|frame| journal::decode_section(frame.payload())).map(|found| SavedData::Bytes(found.bytes)))
    }

    /// Reads the saved bytes of `range`, in offsets of the file that they were read from; `None` when some are missing.
    pub(crate) fn read_range(
        &self,
        section: JournalSection,
        range: Range<u64>,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        let mut buf = Vec::new();
        while range.start + (bytes.len() as u64) < range.end {
            let at = range.start + bytes.len() as u64;
            let all = self.saved.section(section);
            let saved = all.get(all.partition_point(|saved| saved.offset.saturating_add(saved.len) <= at));
            let Some(saved) = saved.filter(|saved| saved.offset <= at) else { return Ok(None) };
            let to = range.end.min(saved.offset + saved.len);
            let (start, len) = ((at - saved.offset) as usize, (to - at) as usize);
            let Some(found) = self.read_saved(saved, &mut buf)?.and_then(|found| found.get(start, len)) else {
                return Ok(None);
            };
            bytes.extend(found);
        }
        Ok(Some(bytes))
    }

    /// Returns a section as the source of the bytes that a step writes.
    pub(crate) const fn section_source(&self, section: JournalSection) -> SectionSource<'_> {
        SectionSource { journal: self, section }
    }

    /// Appends a state record after the last complete frame.
    ///
    /// Bytes after that frame are cut off first: they are a record that was incomplete when the process was killed, and a
    /// reader would not find a record after them.
    pub(crate) fn append_state(&self, disk: &dyn Disk, state: JournalState) -> Result<(), StorageError> {
        let path = &self.record.journal;
        let storage =
            disk.open(path, OpenMode::AppendSidecar).map_err(|error| StorageError::io(path, "open", error))?;
        ensure_same_file(path, self.file.storage().identity(), storage.identity())?;
        storage.set_len(self.end).map_err(|error| StorageError::io_at(path, "cut", self.end, error))?;
        append_state_record(storage.as_ref(), path, state)
    }
}

/// Parses the header of a journal and returns the time at which it was created.
fn parse_header(header: &[u8]) -> Result<u64, JournalFault> {
    if header.len() < journal::HEADER_LEN || !header.starts_with(&journal::MAGIC) {
        return Err(JournalFault::NotComplete("not a repair journal".into()));
    }
    match byte_layout::u16_at(header, 4) {
        Some(journal::OLDEST_VERSION..=journal::VERSION) => Ok(byte_layout::u64_at(header, 8).unwrap_or_default()),
        version => {
            let (version, newest) = (version.unwrap_or_default(), journal::VERSION);
            let reason = format!("it is a journal of version {version}; this program supports up to version {newest}");
            Err(JournalFault::of_other_version(reason))
        }
    }
}

/// Saved bytes, at most one chunk, with their offset in the file that they were read from.
type SavedChunk = Result<(u64, Vec<u8>), StorageError>;

/// One section of a journal, addressed by the offsets of the file that its bytes were read from.
#[derive(Debug)]
pub(crate) struct SectionSource<'a> {
    journal: &'a JournalReader,
    section: JournalSection,
}

impl ByteSource for SectionSource<'_> {
    fn read_range(&self, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let bytes = self.journal.read_range(self.section, range.clone())?;
        bytes.ok_or_else(|| {
            let expected = format!("the bytes of {}..{}", range.start, range.end);
            changed_error(&self.journal.record.journal, &expected, "fewer bytes")
        })
    }
}

/// A frame of saved bytes: their offset in the original file, and the frame's offset in the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct SavedBytes {
    pub(super) offset: u64,
    pub(super) len: u64,
    frame_offset: u64,
    /// True for a run of zeros, of which the frame has only the length. Its checksum was verified.
    is_zeros: bool,
}

/// The content of a frame of saved bytes.
enum SavedData<'a> {
    Bytes(&'a [u8]),
    Zeros,
}

impl SavedData<'_> {
    /// Returns `len` bytes from `start` on; `None` when there are fewer.
    fn get(&self, start: usize, len: usize) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => bytes.get(start..start + len).map(<[u8]>::to_vec),
            Self::Zeros => Some(vec![0; len]),
        }
    }
}

/// The saved bytes of each section, by ascending offset.
#[derive(Debug, Default)]
struct SavedSections {
    before: Vec<SavedBytes>,
    after: Vec<SavedBytes>,
    index: Vec<SavedBytes>,
    excess: Vec<SavedBytes>,
}

impl SavedSections {
    const fn section(&self, section: JournalSection) -> &Vec<SavedBytes> {
        match section {
            JournalSection::BeforeImage => &self.before,
            JournalSection::AfterImage => &self.after,
            JournalSection::IndexBeforeImage => &self.index,
            JournalSection::Excess => &self.excess,
        }
    }

    fn push(&mut self, section: JournalSection, saved: SavedBytes) {
        match section {
            JournalSection::BeforeImage => self.before.push(saved),
            JournalSection::AfterImage => self.after.push(saved),
            JournalSection::IndexBeforeImage => self.index.push(saved),
            JournalSection::Excess => self.excess.push(saved),
        }
    }
}

/// The parsed frames of a journal.
struct JournalContents {
    metadata: Option<Value>,
    plan: Vec<u8>,
    saved: SavedSections,
    state: RepairState,
    /// Offset after the last complete frame.
    end: u64,
}

impl JournalContents {
    /// Reads a journal from frame to frame by their lengths. Frames of saved bytes are located, but not read.
    fn read(file: &LogFile) -> Result<Self, StorageError> {
        let file_end = file.len()?;
        let mut contents = Self {
            metadata: None,
            plan: Vec::new(),
            saved: SavedSections::default(),
            state: RepairState::Unfinished,
            end: journal::HEADER_LEN as u64,
        };
        let mut buf = Vec::new();
        loop {
            let at = contents.end;
            let mut start = [0; LENGTH_LEN + journal::SECTION_DATA_OFFSET];
            let read = file.read_at(&mut start, at)?;
            let Some(length) = payload_length_at(start.get(..read).unwrap_or_default(), 0) else { break };
            let next = at + u64::from(length) + (LENGTH_LEN + Version::V1.checksum_len()) as u64;
            if next > file_end {
                break;
            }
            let payload = start.get(LENGTH_LEN..read).unwrap_or_default();
            if let Some(journal::SectionFrame { section, offset, .. }) = journal::decode_section(payload) {
                let len = u64::from(length).saturating_sub(journal::SECTION_DATA_OFFSET as u64);
                contents.saved.push(section, SavedBytes { offset, len, frame_offset: at, is_zeros: false });
            } else {
                let Some(frame) = file.read_frame_at(at, &mut buf)? else { break };
                if let Some((&journal::PLAN_LETTER, part)) = frame.payload().split_first() {
                    contents.plan.extend_from_slice(part);
                } else if let Some(journal::ZeroRun { offset, len }) = journal::decode_zeros(frame.payload()) {
                    contents.saved.before.push(SavedBytes { offset, len, frame_offset: at, is_zeros: true });
                } else if !contents.add_json_frame(frame.payload()) {
                    break;
                }
            }
            contents.end = next;
        }
        Ok(contents)
    }

    /// Adds a frame that holds JSON: a state record or the metadata. Returns false when it holds neither.
    fn add_json_frame(&mut self, payload: &[u8]) -> bool {
        let Ok(value) = serde_json::from_slice::<Value>(payload) else { return false };
        match value.get("state").and_then(Value::as_str).and_then(JournalState::from_name) {
            Some(state) => self.state = state.into(),
            None => self.metadata = self.metadata.take().or(Some(value)),
        }
        true
    }
}
