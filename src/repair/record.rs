//! Reading journals: the medical record of a log, and what a repair kept.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::identity::{first_checksum, header_bytes};
use super::journal::{Said, number_of, say};
use super::{Action, Plan, Site, Step};
use crate::StorageError;
use crate::file::storage::read_full;
use crate::file::{Disk, HeaderState, LogFile, Open};
use crate::format::frame::{LENGTH_LEN, length_at};
use crate::format::journal::{self, Part};
use crate::format::{HEADER_LEN, Version, field};

/// How far a repair has come, by its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordState {
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
pub struct Record {
    /// Its number.
    pub number: u32,
    /// Its journal.
    pub journal: PathBuf,
    /// When it was begun, milliseconds since the epoch.
    pub begun_ms: u64,
    /// How far it came.
    pub state: RecordState,
    /// The undo that has taken it back.
    pub undone_by: Option<u32>,
    /// What it did.
    pub plan: Plan,
}

/// The journal that keeps the original bytes of a gap: of the last repair that fenced the range off and stands.
pub fn kept_in(records: &[Record], gap: Range<u64>) -> Option<&Path> {
    let fences = |step: &Step| {
        step.action == Action::Gap && step.start <= gap.start && gap.start < step.end && gap.end <= step.new_end
    };
    let stands = |record: &&Record| {
        record.state == RecordState::Applied && record.undone_by.is_none() && record.plan.undoes.is_none()
    };
    let record = records.iter().rev().filter(stands).find(|record| record.plan.steps.iter().any(fences))?;
    Some(&record.journal)
}

/// The medical record of a log: its journals, oldest first; and a notice for each file in their folder that is none of
/// this log. Writes nothing.
///
/// # Errors
/// `Io` when the folder or the log cannot be read.
pub fn records(site: &Site) -> Result<(Vec<Record>, Vec<String>), StorageError> {
    let (disk, path) = (site.disk.as_ref(), &site.path);
    let journals = list(disk, &site.journal_folder())?;
    if journals.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let storage = disk.open(path, Open::Read).map_err(|error| StorageError::io(path, "open", error))?;
    let log = Arc::new(LogFile::with_header(storage, path, Version::V1, HeaderState::None));
    let (header, first) = (header_bytes(&log)?, first_checksum(&log)?);
    let (mut records, mut notices) = (Vec::<Record>::new(), Vec::new());
    for path in journals {
        match JournalFile::open(disk, &path) {
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
        let stands = |record: &&Record| record.state == RecordState::Applied && record.undone_by.is_none();
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
pub(super) fn list(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, StorageError> {
    let mut found = disk.list(folder).map_err(|error| StorageError::io(folder, "list", error))?;
    found.retain(|path| number_of(path).is_some() && path.extension().is_some_and(|name| name == "journal"));
    found.sort_by_key(|path| number_of(path));
    Ok(found)
}

/// Bytes that a journal keeps: where they belong, and where they stand in it.
#[derive(Debug, Clone, Copy)]
struct Kept {
    offset: u64,
    len: u64,
    frame_at: u64,
}

/// What is kept of each part, by ascending offset.
#[derive(Debug, Default)]
struct KeptParts {
    before: Vec<Kept>,
    after: Vec<Kept>,
    index: Vec<Kept>,
}

impl KeptParts {
    const fn of(&self, part: Part) -> &Vec<Kept> {
        match part {
            Part::Before => &self.before,
            Part::After => &self.after,
            Part::Index => &self.index,
        }
    }

    fn push(&mut self, part: Part, kept: Kept) {
        match part {
            Part::Before => self.before.push(kept),
            Part::After => self.after.push(kept),
            Part::Index => self.index.push(kept),
        }
    }
}

/// A journal, read as far as it is whole.
#[derive(Debug)]
pub(super) struct JournalFile {
    pub(super) record: Record,
    file: LogFile,
    kept: KeptParts,
    /// Behind its last whole frame.
    end: u64,
}

impl JournalFile {
    /// Reads what a journal says; what it keeps is read, and its checksum looked at, when it is asked for.
    ///
    /// The answer to what is none is the reason, in words.
    pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<Self, String> {
        let storage = disk.open(path, Open::ReadSide).map_err(|error| error.to_string())?;
        let mut header = [0; journal::HEADER_LEN];
        let whole = read_full(storage.as_ref(), &mut header, 0).map_err(|error| error.to_string())? == header.len();
        if !whole || !header.starts_with(&journal::MAGIC) {
            return Err("no journal".into());
        }
        if field::u16_at(&header, 4) != Some(journal::VERSION) {
            return Err("a journal of an unknown version".into());
        }
        let begun_ms = field::u64_at(&header, 8).unwrap_or_default();
        let file = LogFile::with_header(storage, path, Version::V1, HeaderState::None);
        let frames = walk(&file).map_err(|error| error.to_string())?;
        let end = frames.end;
        let breaks_off = end < file.len().unwrap_or_default();
        let unfinished = || {
            if breaks_off {
                format!("a journal that is damaged, or was never finished, at offset {end}")
            } else {
                "a journal that was never finished: the log was not touched".to_owned()
            }
        };
        let about = frames.about.ok_or_else(unfinished)?;
        if about.get("plan_bytes").and_then(Value::as_u64) != Some(frames.plan.len() as u64) {
            return Err(unfinished());
        }
        let plan: Plan = serde_json::from_slice(&frames.plan).map_err(|error| format!("its plan: {error}"))?;
        let number = number_of(path).unwrap_or_default();
        let state = frames.state;
        let record = Record { number, journal: path.to_owned(), begun_ms, state, undone_by: None, plan };
        Ok(Self { record, file, kept: frames.kept, end: frames.end })
    }

    /// What is kept of a file, in the order of the journal: offset and bytes, at most a chunk each.
    pub(super) fn kept(&self, part: Part) -> impl Iterator<Item = Result<(u64, Vec<u8>), StorageError>> + '_ {
        let mut buf = Vec::new();
        self.kept.of(part).iter().map(move |kept| {
            let frame = self.file.frame_at(kept.frame_at, &mut buf)?;
            let bytes = frame.and_then(|frame| journal::take_bytes(frame.payload()).map(|kept| kept.2.to_vec()));
            let bytes = bytes.ok_or_else(|| StorageError::Changed {
                path: self.record.journal.clone(),
                expected: format!("a frame of kept bytes at offset {}", kept.frame_at),
                found: "bytes whose checksum differs".into(),
            })?;
            Ok((kept.offset, bytes))
        })
    }

    /// The kept bytes of `range` of a file; `None` where it keeps less.
    pub(super) fn range(&self, part: Part, range: Range<u64>) -> Result<Option<Vec<u8>>, StorageError> {
        let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
        let mut buf = Vec::new();
        while range.start + (bytes.len() as u64) < range.end {
            let at = range.start + bytes.len() as u64;
            let parts = self.kept.of(part);
            let kept = parts.get(parts.partition_point(|kept| kept.offset + kept.len <= at));
            let Some(kept) = kept.filter(|kept| kept.offset <= at) else { return Ok(None) };
            let frame = self.file.frame_at(kept.frame_at, &mut buf)?;
            let Some((.., found)) = frame.and_then(|frame| journal::take_bytes(frame.payload())) else {
                return Ok(None);
            };
            let to = (range.end - kept.offset).min(kept.len) as usize;
            let Some(found) = found.get((at - kept.offset) as usize..to) else { return Ok(None) };
            bytes.extend_from_slice(found);
        }
        Ok(Some(bytes))
    }

    /// Says how its repair ended, behind its last whole frame: a word that was torn was never said, and hides what would
    /// stand behind it.
    pub(super) fn say(&self, disk: &dyn Disk, said: Said) -> Result<(), StorageError> {
        let path = &self.record.journal;
        let storage = disk.open(path, Open::AppendSide).map_err(|error| StorageError::io(path, "open", error))?;
        storage.set_len(self.end).map_err(|error| StorageError::io_at(path, "cut", self.end, error))?;
        say(storage.as_ref(), path, said)
    }

    /// True when it keeps something of a file.
    pub(super) fn keeps(&self, part: Part) -> bool {
        !self.kept.of(part).is_empty()
    }
}

/// What the frames of a journal say.
struct Frames {
    about: Option<Value>,
    plan: Vec<u8>,
    kept: KeptParts,
    state: RecordState,
    end: u64,
}

impl Frames {
    /// Takes what a frame of words says; false for one that holds none.
    fn hear(&mut self, payload: &[u8]) -> bool {
        let Ok(said) = serde_json::from_slice::<Value>(payload) else { return false };
        let word = said.get("state").and_then(Value::as_str);
        match Said::ALL.iter().find(|row| Some(row.1) == word).map(|row| row.0) {
            Some(Said::Ready) => self.state = RecordState::Pending,
            Some(Said::Applied) => self.state = RecordState::Applied,
            Some(Said::RolledBack) => self.state = RecordState::RolledBack,
            None => self.about = self.about.take().or(Some(said)),
        }
        true
    }
}

/// Goes from frame to frame by their lengths; what is kept is not read.
fn walk(file: &LogFile) -> Result<Frames, StorageError> {
    let end = file.len()?;
    let state = RecordState::Unfinished;
    let mut frames = Frames { about: None, plan: Vec::new(), kept: KeptParts::default(), state, end: 0 };
    let (mut at, mut buf) = (journal::HEADER_LEN as u64, Vec::new());
    loop {
        let mut start = [0; LENGTH_LEN + journal::KEPT_AT];
        let read = file.read(&mut start, at)?;
        let Some(length) = length_at(start.get(..read).unwrap_or_default(), 0) else { break };
        let next = at + u64::from(length) + (LENGTH_LEN + Version::V1.checksum_len()) as u64;
        if next > end {
            break;
        }
        let payload = start.get(LENGTH_LEN..read).unwrap_or_default();
        if let Some((part, offset, _)) = journal::take_bytes(payload) {
            let len = u64::from(length).saturating_sub(journal::KEPT_AT as u64);
            frames.kept.push(part, Kept { offset, len, frame_at: at });
        } else {
            let Some(frame) = file.frame_at(at, &mut buf)? else { break };
            if let Some((&journal::PLAN, part)) = frame.payload().split_first() {
                frames.plan.extend_from_slice(part);
            } else if !frames.hear(frame.payload()) {
                break;
            }
        }
        at = next;
    }
    frames.end = at;
    Ok(frames)
}
