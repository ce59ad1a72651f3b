//! Reading journals: the medical record of a log, and what a repair kept.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::identity::{read_first_checksum, read_header_bytes};
use super::journal_writer::{JournalState, append_state_to, journal_number};
use super::{LogPaths, Plan, RepairAction, RepairStep};
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{Disk, HeaderState, LogFile, OpenMode};
use crate::format::frame::{LENGTH_LEN, payload_length_at};
use crate::format::journal::{self, JournalSection};
use crate::format::{HEADER_LEN, Version, byte_layout};

/// How far a repair has come, by its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairState {
    /// Its journal was never finished: the log was not touched.
    Unfinished,
    /// Its journal is whole, and nothing says that it was done.
    Pending,
    /// Done.
    Applied,
    /// Killed or failed, and taken back.
    RolledBack,
}

/// An entry of a log's medical record.
#[derive(Debug, Clone, PartialEq)]
pub struct RepairRecord {
    /// Its number.
    pub number: u32,
    /// Its journal.
    pub journal: PathBuf,
    /// When it was begun, milliseconds since the epoch.
    pub begun_ms: u64,
    /// How far it came.
    pub state: RepairState,
    /// The undo that has taken it back.
    pub undone_by: Option<u32>,
    /// What it did.
    pub plan: Plan,
}

/// The journal that keeps the original bytes of a gap: of the last repair that fenced the range off and stands.
pub fn find_gap_journal(records: &[RepairRecord], gap: Range<u64>) -> Option<&Path> {
    let fences = |step: &RepairStep| {
        step.action == RepairAction::Gap && step.start <= gap.start && gap.start < step.end && gap.end <= step.new_end
    };
    let stands = |record: &&RepairRecord| {
        record.state == RepairState::Applied && record.undone_by.is_none() && record.plan.undoes.is_none()
    };
    let record = records.iter().rev().filter(stands).find(|record| record.plan.steps.iter().any(fences))?;
    Some(&record.journal)
}

/// The medical record of a log: its journals, oldest first; and a notice for each file in their folder that is none of
/// this log. Writes nothing.
///
/// # Errors
/// `Io` when the folder or the log cannot be read.
pub fn read_repair_records(paths: &LogPaths) -> Result<(Vec<RepairRecord>, Vec<String>), StorageError> {
    let (disk, path) = (paths.disk.as_ref(), &paths.path);
    let journals = list_journals(disk, &paths.journal_folder())?;
    if journals.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let storage = disk.open(path, OpenMode::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = Arc::new(LogFile::with_header(storage, path, Version::V1, HeaderState::Absent));
    let (header, first) = (read_header_bytes(&log)?, read_first_checksum(&log)?);
    let (mut records, mut notices) = (Vec::<RepairRecord>::new(), Vec::new());
    for path in journals {
        match JournalReader::open(disk, &path) {
            Err(why) => notices.push(format!("{}: {why}", path.display())),
            Ok(file) => {
                let of = &file.record.plan.log;
                // A repair that changes neither leaves both, and one changes one of them: where both differ it speaks
                // of another file.
                let changes_start = file.record.plan.steps.iter().any(|step| step.start <= HEADER_LEN);
                if of.header != header && of.first_checksum != first && !changes_start {
                    notices.push(format!("{}: the journal of another log", path.display()));
                } else {
                    records.push(file.record);
                }
            }
        }
    }
    // Newest first: an undo that was itself undone takes nothing back.
    for at in (0..records.len()).rev() {
        let stands = |record: &&RepairRecord| record.state == RepairState::Applied && record.undone_by.is_none();
        let undo = records.get(at).filter(stands);
        if let Some((number, undone)) = undo.and_then(|record| Some((record.number, record.plan.undoes?)))
            && let Some(record) = records.iter_mut().find(|record| record.number == undone)
        {
            record.undone_by = Some(number);
        }
    }
    Ok((records, notices))
}

/// The files in a folder of journals that bear a journal's name, oldest first.
pub(super) fn list_journals(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut found = disk.list(folder).map_err(|error| StorageError::io(folder, "list", error))?;
    found.retain(|path| journal_number(path).is_some() && path.extension().is_some_and(|name| name == "journal"));
    found.sort_by_key(|path| journal_number(path));
    Ok(found)
}

/// Bytes that a journal keeps: where they belong, and where they stand in it.
#[derive(Debug, Clone, Copy)]
struct SavedBytes {
    offset: u64,
    len: u64,
    frame_offset: u64,
}

/// What is kept of each part, by ascending offset.
#[derive(Debug, Default)]
struct SavedSections {
    before: Vec<SavedBytes>,
    after: Vec<SavedBytes>,
    index: Vec<SavedBytes>,
}

impl SavedSections {
    const fn section(&self, part: JournalSection) -> &Vec<SavedBytes> {
        match part {
            JournalSection::BeforeImage => &self.before,
            JournalSection::AfterImage => &self.after,
            JournalSection::IndexBeforeImage => &self.index,
        }
    }

    fn push(&mut self, part: JournalSection, kept: SavedBytes) {
        match part {
            JournalSection::BeforeImage => self.before.push(kept),
            JournalSection::AfterImage => self.after.push(kept),
            JournalSection::IndexBeforeImage => self.index.push(kept),
        }
    }
}

/// A journal, read as far as it is whole.
#[derive(Debug)]
pub(super) struct JournalReader {
    pub(super) record: RepairRecord,
    file: LogFile,
    saved: SavedSections,
    /// Behind its last whole frame.
    end: u64,
}

impl JournalReader {
    /// Reads what a journal says; what it keeps is read, and its checksum looked at, when it is asked for.
    ///
    /// The answer to what is none is the reason, in words.
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, String> {
        let storage = disk.open(path, OpenMode::ReadSidecar).map_err(|error| error.to_string())?;
        let mut header = [0; journal::HEADER_LEN];
        let whole = read_full(storage.as_ref(), &mut header, 0).map_err(|error| error.to_string())? == header.len();
        if !whole || !header.starts_with(&journal::MAGIC) {
            return Err("no journal".into());
        }
        if byte_layout::u16_at(&header, 4) != Some(journal::VERSION) {
            return Err("a journal of an unknown version".into());
        }
        let begun_ms = byte_layout::u64_at(&header, 8).unwrap_or_default();
        let file = LogFile::with_header(storage, path, Version::V1, HeaderState::Absent);
        let frames = read_contents(&file).map_err(|error| error.to_string())?;
        let end = frames.end;
        let breaks_off = end < file.len().unwrap_or_default();
        let unfinished = || {
            if breaks_off {
                format!("a journal that is damaged, or was never finished, at offset {end}")
            } else {
                "a journal that was never finished: the log was not touched".to_owned()
            }
        };
        let about = frames.metadata.ok_or_else(unfinished)?;
        if about.get("plan_bytes").and_then(Value::as_u64) != Some(frames.plan.len() as u64) {
            return Err(unfinished());
        }
        let plan: Plan = serde_json::from_slice(&frames.plan).map_err(|error| format!("its plan: {error}"))?;
        let number = journal_number(path).unwrap_or_default();
        let state = frames.state;
        let record = RepairRecord { number, journal: path.to_owned(), begun_ms, state, undone_by: None, plan };
        Ok(Self { record, file, saved: frames.saved, end: frames.end })
    }

    /// What is kept of a file, in the order of the journal: offset and bytes, at most a chunk each.
    pub(super) fn read_saved_bytes(
        &self,
        part: JournalSection,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), StorageError>> + '_ {
        let mut buf = Vec::new();
        self.saved.section(part).iter().map(move |kept| {
            let frame = self.file.read_frame_at(kept.frame_offset, &mut buf)?;
            let bytes =
                frame.and_then(|frame| journal::decode_section(frame.payload()).map(|found| found.bytes.to_vec()));
            let bytes = bytes.ok_or_else(|| StorageError::Changed {
                path: self.record.journal.clone(),
                expected: format!("a frame of kept bytes at offset {}", kept.frame_offset),
                found: "bytes whose checksum differs".into(),
            })?;
            Ok((kept.offset, bytes))
        })
    }

    /// The kept bytes of `range` of a file; `None` where it keeps less.
    pub(super) fn read_range(&self, part: JournalSection, range: Range<u64>) -> Result<Option<Vec<u8>>, StorageError> {
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        let mut buf = Vec::new();
        while range.start + (bytes.len() as u64) < range.end {
            let at = range.start + bytes.len() as u64;
            let parts = self.saved.section(part);
            let kept = parts.get(parts.partition_point(|kept| kept.offset + kept.len <= at));
            let Some(kept) = kept.filter(|kept| kept.offset <= at) else { return Ok(None) };
            let frame = self.file.read_frame_at(kept.frame_offset, &mut buf)?;
            let Some(found) = frame.and_then(|frame| journal::decode_section(frame.payload())) else {
                return Ok(None);
            };
            let to = (range.end - kept.offset).min(kept.len) as usize;
            let Some(found) = found.bytes.get((at - kept.offset) as usize..to) else { return Ok(None) };
            bytes.extend_from_slice(found);
        }
        Ok(Some(bytes))
    }

    /// Says how its repair ended, behind its last whole frame: a word that was torn was never said, and hides what would
    /// stand behind it.
    pub(super) fn append_state(&self, disk: &dyn Disk, state: JournalState) -> Result<(), StorageError> {
        let path = &self.record.journal;
        let storage =
            disk.open(path, OpenMode::AppendSidecar).map_err(|error| StorageError::io(path, "open", error))?;
        storage.set_len(self.end).map_err(|error| StorageError::io_at(path, "cut", self.end, error))?;
        append_state_to(storage.as_ref(), path, state)
    }

    /// True when it keeps something of a file.
    pub(super) fn has_section(&self, part: JournalSection) -> bool {
        !self.saved.section(part).is_empty()
    }
}

/// What the frames of a journal say.
struct JournalContents {
    metadata: Option<Value>,
    plan: Vec<u8>,
    saved: SavedSections,
    state: RepairState,
    end: u64,
}

impl JournalContents {
    /// Takes what a frame of words says; false for one that holds none.
    fn parse_json_frame(&mut self, payload: &[u8]) -> bool {
        let Ok(said) = serde_json::from_slice::<Value>(payload) else { return false };
        let word = said.get("state").and_then(Value::as_str);
        match JournalState::ALL.iter().find(|row| Some(row.1) == word).map(|row| row.0) {
            Some(JournalState::Prepared) => self.state = RepairState::Pending,
            Some(JournalState::Applied) => self.state = RepairState::Applied,
            Some(JournalState::RolledBack) => self.state = RepairState::RolledBack,
            None => self.metadata = self.metadata.take().or(Some(said)),
        }
        true
    }
}

/// Goes from frame to frame by their lengths; what is kept is not read.
fn read_contents(file: &LogFile) -> Result<JournalContents, StorageError> {
    let end = file.len()?;
    let state = RepairState::Unfinished;
    let mut frames =
        JournalContents { metadata: None, plan: Vec::new(), saved: SavedSections::default(), state, end: 0 };
    let (mut at, mut buf) = (journal::HEADER_LEN as u64, Vec::new());
    loop {
        let mut start = [0; LENGTH_LEN + journal::SECTION_DATA_OFFSET];
        let read = file.read_at(&mut start, at)?;
        let Some(length) = payload_length_at(start.get(..read).unwrap_or_default(), 0) else { break };
        let next = at + u64::from(length) + (LENGTH_LEN + Version::V1.checksum_len()) as u64;
        if next > end {
            break;
        }
        let payload = start.get(LENGTH_LEN..read).unwrap_or_default();
        if let Some(journal::SectionFrame { section: part, offset, .. }) = journal::decode_section(payload) {
            let len = u64::from(length).saturating_sub(journal::SECTION_DATA_OFFSET as u64);
            frames.saved.push(part, SavedBytes { offset, len, frame_offset: at });
        } else {
            let Some(frame) = file.read_frame_at(at, &mut buf)? else { break };
            if let Some((&journal::PLAN_LETTER, part)) = frame.payload().split_first() {
                frames.plan.extend_from_slice(part);
            } else if !frames.parse_json_frame(frame.payload()) {
                break;
            }
        }
        at = next;
    }
    frames.end = at;
    Ok(frames)
}
