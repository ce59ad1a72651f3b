//! Writes a repair's journal. The file and its folder are synced before the first byte of the log changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::JournalFolder;
use super::record::journal_file_name;
use super::state::{JournalState, append_state_record};
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{LogFile, OpenMode, Storage, folder_of};
use crate::format::journal::{self, JournalSection, ZeroRun};
use crate::format::{FrameFormat, frame};
use crate::repair::types::{LogPaths, Plan, is_all_zero};

/// Encodes the header and the plan of a journal. `name` is that of the repair.
///
/// # Errors
/// Those of [`Plan::to_json`].
fn encode_plan(created_at_ms: u64, plan: &Plan, name: &str) -> Result<Vec<u8>, serde_json::Error> {
    let json = plan.to_json()?;
    let metadata = serde_json::json!({ "repair": name, "id": plan.id, "plan_bytes": json.len() });
    let mut bytes = journal::encode_header(created_at_ms);
    frame::encode(metadata.to_string().as_bytes(), &mut bytes);
    for chunk in json.as_bytes().chunks(journal::MAX_CHUNK_LEN) {
        frame::encode_with(FrameFormat::V1, 0, &mut bytes, |out| {
            out.push(journal::PLAN_LETTER);
            out.extend_from_slice(chunk);
        });
    }
    Ok(bytes)
}

/// Encodes a whole journal that has a plan and a state, and no saved bytes.
///
/// # Errors
/// Those of [`Plan::to_json`].
pub(crate) fn encode_record(
    created_at_ms: u64,
    plan: &Plan,
    state: JournalState,
) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = encode_plan(created_at_ms, plan, plan.journal_name())?;
    state.encode(&mut bytes);
    Ok(bytes)
}

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct JournalWriter<'a> {
    paths: &'a LogPaths,
    storage: Arc<dyn Storage>,
    path: PathBuf,
    number: u32,
    /// Zeros of the log that are not written yet, because more of them may follow.
    pending_zeros: Option<ZeroRun>,
}

impl<'a> JournalWriter<'a> {
    /// Creates the log's next journal and writes `plan` to it. The journal folder is created when it is missing.
    ///
    /// # Errors
    /// `Refused` when the folder is not trusted or its numbers are used up; `Io` when a file cannot be written.
    pub(crate) fn create(paths: &'a LogPaths, log: &LogFile, plan: &Plan) -> Result<Self, StorageError> {
        let (disk, folder) = (paths.disk.as_ref(), paths.journal_folder());
        let permissions_from = paths.permissions_source();
        JournalFolder::open(paths, log)?.ensure_usable()?;
        let io = |action| {
            let folder = folder.clone();
            move |error| StorageError::io(&folder, action, error)
        };
        disk.create_folder(&folder, &permissions_from).map_err(io("create the journal folder"))?;
        disk.sync_folder(folder_of(&folder)).map_err(io("sync the folder of"))?;
        // The folder is examined again, because another user can have created it in between.
        let existing = JournalFolder::open(paths, log)?;
        existing.ensure_usable()?;
        let number = existing.next_number()?;
        let name = plan.journal_name();
        let path = folder.join(journal_file_name(number, name));
        let mode = OpenMode::CreateSidecar { permissions_from: &permissions_from };
        let storage = disk.open(&path, mode).map_err(|error| StorageError::io(&path, "create", error))?;
        let mut journal = Self { paths, storage, path, number, pending_zeros: None };
        if let Err(error) = journal.write_plan(plan, name) {
            // When the file cannot be removed, it is recognised as incomplete, because its plan or its states are missing.
            let _ = journal.discard();
            return Err(error);
        }
        Ok(journal)
    }

    fn write_plan(&mut self, plan: &Plan, name: &str) -> Result<(), StorageError> {
        let bytes = encode_plan((self.paths.clock)(), plan, name);
        self.append(&bytes.map_err(|error| StorageError::io(&self.path, "write", error.into()))?)
    }

    /// Appends bytes to a section: at most one chunk, which is or will be at `offset` of the file that it belongs to.
    pub(crate) fn append_bytes(
        &mut self,
        section: JournalSection,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        if section == JournalSection::BeforeImage && is_all_zero(bytes) {
            return self.append_zeros(ZeroRun { offset, len: bytes.len() as u64 });
        }
        self.flush_zeros()?;
        let mut frame = Vec::with_capacity(bytes.len() + 32);
        journal::encode_section(section, offset, bytes, &mut frame);
        self.append(&frame)
    }

    /// Adds zeros of the log, as a part of the run of zeros before them where they continue it.
    fn append_zeros(&mut self, zeros: ZeroRun) -> Result<(), StorageError> {
        match &mut self.pending_zeros {
            Some(run) if run.offset + run.len == zeros.offset => run.len += zeros.len,
            _ => {
                self.flush_zeros()?;
                self.pending_zeros = Some(zeros);
            }
        }
        Ok(())
    }

    /// Writes the zeros that are pending. A reader finds all saved bytes only after this.
    pub(crate) fn flush_zeros(&mut self) -> Result<(), StorageError> {
        let Some(run) = self.pending_zeros.take() else { return Ok(()) };
        let mut frame = Vec::new();
        journal::encode_zeros(run, &mut frame);
        self.append(&frame)
    }

    /// Appends a state record, and syncs the journal and its folder before it returns.
    pub(crate) fn append_state(&mut self, state: JournalState) -> Result<(), StorageError> {
        let folder = folder_of(&self.path).to_owned();
        if state == JournalState::Prepared {
            // The operating system may write the record before the bytes that precede it. A power cut would then leave
            // a journal that looks complete and is not, so these bytes are synced first.
            self.storage.sync().map_err(|error| StorageError::io(&self.path, "sync", error))?;
        }
        append_state_record(self.storage.as_ref(), &self.path, state)?;
        self.paths.disk.sync_folder(&folder).map_err(|error| StorageError::io(&folder, "sync", error))
    }

    /// Removes a journal whose repair did not begin. If that fails, the file stays.
    pub(crate) fn discard(&self) -> std::io::Result<()> {
        self.paths.disk.remove(&self.path)
    }

    /// Returns the path of the journal.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the repair's number.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        append_all(self.storage.as_ref(), bytes).map_err(|error| StorageError::io(&self.path, "write", error))
    }
}
