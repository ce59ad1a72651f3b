//! Functions that save and load index files. Saving copies the large runs of the old file unchanged, merges the other
//! runs into one, and atomically replaces the old file.

use std::path::Path;
use std::sync::Arc;

use super::aggregates::AggregateIndex;
use super::block::encode_anchor;
use super::checkpoint::{Checkpoint, encode_checkpoint};
use super::coverage::LostTail;
use super::fault::IndexFault;
use super::layer::{IndexLayer, LayerSource};
use super::pages::PageWriter;
use super::persisted::PersistedIndex;
use super::run_writer::write_run;
use super::stored_run::StoredRun;
use super::target::ensure_replaceable_index;
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, LogFile, OsDisk, Storage, ensure_same_file, is_file_at, replace_file};
use crate::format::index::{IndexExtent, IndexHeader, MAX_RUNS, PAGE_DATA_SIZE, RunExtents, page_checksum};

/// A run of the old file is copied when it has at least this many times the events of all later runs; otherwise it is
/// merged with them. This bounds write amplification: over the life of a log, the index entry of an event is rewritten
/// a small number of times, as in a log-structured merge tree.
const MERGE_RATIO: u64 = 4;

/// Saves an index to the file at `path`, which need not exist. Replaces the file atomically: a reader, or a program
/// that starts after a power cut, finds either the old file or the new one.
///
/// An index file must never cover events that a power cut can still remove from the log. The log from which the index
/// was built is therefore synced first; the index keeps it open for this purpose. An index that was loaded from a file
/// needs no sync, because its log was synced when that file was written.
///
/// [`EventLog`](crate::EventLog) looks for the index of `accounts.log` in `accounts.log.idx`. To update and save the
/// index of an open log, use [`EventLog::save_index`](crate::EventLog::save_index).
///
/// # Errors
/// `Refused` for an index that does not cover the log from its first frame: merge it into one that does. `Refused` also
/// when the file at `path` is not an index: only an index is replaced. `Io`, with the
/// file and the failed step, when the log cannot be synced or the file cannot be written; `UnusableIndex` when entries
/// must be copied from an index file that is corrupt. After each of these errors the old file is unchanged.
pub fn save_index(path: &Path, index: &AggregateIndex) -> Result<(), StorageError> {
    if !index.covers_log_start() {
        return Err(StorageError::Refused {
            path: path.to_owned(),
            reason: format!("the index covers the log only from offset {}", index.coverage().start),
            alternative: "merge it into an index that covers the log from its first frame",
        });
    }
    for log in index.source_logs() {
        log.sync().map_err(|error| StorageError::io(log.path(), "sync", error))?;
    }
    let log_path = index.source_logs().next().map(|log| log.path());
    let old_index = index.index_file.as_ref().map(|file| file.path());
    let disk = index.spill_options.disk.as_ref();
    ensure_replaceable_index(disk, path, log_path)?;
    replace_index_file(disk, path, log_path.or(old_index).unwrap_or(path), index, &|| Ok(())).map(|_| ())
}

/// Opens the index file at `path`. Reads its anchors and counts; each lookup reads the offsets that it needs.
///
/// The log is not read, so the index may be older than the log, or belong to another log. The `index_state` of
/// [`EventLog::view`](crate::EventLog::view) compares the index file of a log with the log.
///
/// # Errors
/// `UnusableIndex` when the file is missing, corrupt, or written by a newer version; `Io` when it cannot be read.
pub fn load_index(path: &Path) -> Result<AggregateIndex, StorageError> {
    let index = PersistedIndex::open(&OsDisk, path).and_then(|file| AggregateIndex::from_persisted(&Arc::new(file)));
    index.map_err(|fault| fault.into_error(path))
}

/// Saves an index of `log` to `path` on `disk`. The index must cover the log from its first frame. The log is synced
/// first, and the file gets the owner and permissions of the log.
///
/// # Errors
/// The errors of [`save_index`]; `Refused` only when the file at `path` is not an index.
pub fn save(disk: &dyn Disk, path: &Path, log: &LogFile, index: &AggregateIndex) -> Result<(), StorageError> {
    save_checked(IndexTarget { disk, path, log }, index, &|| Ok(()))
}

/// The place of an index file, and the log that it describes.
#[derive(Clone, Copy)]
pub(crate) struct IndexTarget<'a> {
    pub(crate) disk: &'a dyn Disk,
    pub(crate) path: &'a Path,
    pub(crate) log: &'a LogFile,
}

/// A check whether an index may be saved now.
type SaveCheck<'a> = dyn Fn() -> Result<(), StorageError> + 'a;

/// Saves an index as [`save`] does, if `check` succeeds directly before the file is replaced and again after it.
///
/// Each time, the path of the log must also still lead to the log. When the second check fails with `Changed`, the new
/// file is removed, unless another process has replaced it since. After any other error of that check nothing shows
/// that the new file is wrong, and it can be the only record of a lost end, so it stays.
///
/// # Errors
/// The errors of [`save`] and of `check`; `Changed` when the path of the log leads to another file.
pub(crate) fn save_checked(target: IndexTarget, index: &AggregateIndex, check: &SaveCheck) -> Result<(), StorageError> {
    let IndexTarget { disk, path, log } = target;
    ensure_replaceable_index(disk, path, Some(log.path()))?;
    log.sync().map_err(|error| StorageError::io(log.path(), "sync", error))?;
    let check = || {
        // The file of another log would get the index of this one, for example after `create --force`.
        ensure_same_file(log.path(), log.storage().identity(), disk.identity(log.path()))?;
        check()
    };
    let written = replace_index_file(disk, path, log.path(), index, &check)?;
    check().map_err(|failed| match (failed, is_file_at(disk, path, written.as_ref())) {
        (refused @ StorageError::Changed { .. }, Ok(true)) => {
            disk.remove(path).err().map_or(refused, |error| StorageError::io(path, "remove", error))
        }
        (StorageError::Changed { .. }, Err(error)) => StorageError::io(path, "examine", error),
        (failed, _) => failed,
    })
}

fn replace_index_file(
    disk: &dyn Disk,
    path: &Path,
    permissions_from: &Path,
    index: &AggregateIndex,
    check: &SaveCheck,
) -> Result<Arc<dyn Storage>, StorageError> {
    replace_file(disk, path, permissions_from, |file| {
        write_index_file(file, path, index).map_err(|fault| fault.into_error(path))?;
        check()
    })
}

fn write_index_file(file: &dyn Storage, path: &Path, index: &AggregateIndex) -> Result<(), IndexFault> {
    let io = |action| move |error| IndexFault::Io(StorageError::io(path, action, error));
    // Page 0 is written last, so that an incomplete file is not read as an index.
    append_all(file, &[0; PAGE_DATA_SIZE + 4]).map_err(io("write"))?;
    let copied = copy_reusable_runs(file, path, index).map_err(IndexFault::Io)?;
    let mut runs = [RunExtents::default(); MAX_RUNS];
    let mut pages = PageWriter::new(file, path, copied.next_page);
    let rest = index.layers.get(copied.runs.len()..).unwrap_or_default();
    let merged = if rest.is_empty() { None } else { Some(write_run(&mut pages, rest, &index.spill_location())?) };
    for (slot, run) in runs.iter_mut().zip(copied.runs.into_iter().chain(merged)) {
        *slot = run;
    }
    let sections = write_sections(&mut pages, index).map_err(IndexFault::Io)?;

    let mut page = build_header(index, &runs, sections).encode();
    page.resize(PAGE_DATA_SIZE, 0);
    let checksum = page_checksum(0, &page);
    page.extend_from_slice(&checksum.to_be_bytes());
    file.write_at(&page, 0).map_err(io("write"))
}

/// Runs that were copied from the old file to the same pages of the new one.
struct CopiedRuns {
    runs: Vec<RunExtents>,
    /// The first page after them.
    next_page: u64,
}

/// Copies those runs of the old file, page by page, that are too large to be merged with later ones.
fn copy_reusable_runs(file: &dyn Storage, path: &Path, index: &AggregateIndex) -> Result<CopiedRuns, StorageError> {
    let no_runs = CopiedRuns { runs: Vec::new(), next_page: 1 };
    let Some(old_file) = &index.index_file else { return Ok(no_runs) };
    let reusable = untruncated_runs(old_file, &index.layers);
    let mut count = reusable.len();
    let mut later_events: u64 = index.layers.get(count..).unwrap_or_default().iter().map(IndexLayer::events).sum();
    // Without later events there is nothing to merge, and all runs are copied.
    while later_events > 0
        && let Some(run) = count.checked_sub(1).and_then(|last| reusable.get(last))
        && (run.events() < MERGE_RATIO * later_events || count >= MAX_RUNS)
    {
        later_events += run.events();
        count -= 1;
    }
    let runs: Vec<RunExtents> = reusable.iter().take(count).map(|run| *run.extents()).collect();
    let Some(last) = runs.last() else { return Ok(no_runs) };
    let next_page = last.guide.first_page + last.guide.bytes.div_ceil(PAGE_DATA_SIZE as u64);
    old_file.pages().copy_pages(1..next_page, file, path)?;
    Ok(CopiedRuns { runs, next_page })
}

/// Returns the runs of the old file that are the first layers of the index, up to the first run that was cut back.
fn untruncated_runs<'i>(old_file: &'i PersistedIndex, layers: &[IndexLayer]) -> &'i [Arc<StoredRun>] {
    let is_untruncated = |(run, layer): &(&Arc<StoredRun>, &IndexLayer)| match &layer.source {
        LayerSource::Stored(stored) => Arc::ptr_eq(run, stored) && layer.end_offset >= run.offset_limit(),
        LayerSource::Memory(_) => false,
    };
    let count = old_file.runs().iter().zip(layers).take_while(is_untruncated).count();
    old_file.runs().get(..count).unwrap_or_default()
}

/// Writes the sections that follow the runs, in the order of [`crate::format::index::IndexSection`].
fn write_sections(pages: &mut PageWriter, index: &AggregateIndex) -> Result<[IndexExtent; 5], StorageError> {
    let mut bytes = Vec::new();
    for anchor in index.anchors() {
        pages.put(&encode_anchor(&anchor))?;
        pages.add_rows(1);
    }
    let anchors = pages.finish_section()?;

    for block in index.blocks() {
        bytes.clear();
        block.encode(&mut bytes);
        pages.put(&bytes)?;
        pages.add_rows(1);
    }
    let blocks = pages.finish_section()?;

    pages.put(&index.counts().encode_names())?;
    pages.add_rows(index.counts().iter().count() as u64);
    let names = pages.finish_section()?;

    let end = Checkpoint { totals: *index.totals(), counts: index.counts().snapshot() };
    for checkpoint in index.checkpoints.entries().iter().map(|(_, checkpoint)| checkpoint).chain([&end]) {
        bytes.clear();
        encode_checkpoint(checkpoint, &mut bytes);
        pages.put(&bytes)?;
        pages.add_rows(1);
    }
    let checkpoints = pages.finish_section()?;

    for row in index.damage.encode_rows() {
        pages.put(&row)?;
        pages.add_rows(1);
    }
    let damage = pages.finish_section()?;
    pages.flush()?;
    Ok([anchors, blocks, names, checkpoints, damage])
}

fn build_header(index: &AggregateIndex, runs: &[RunExtents; MAX_RUNS], sections: [IndexExtent; 5]) -> IndexHeader {
    let (totals, coverage) = (index.totals(), index.coverage());
    let (first, last) = (totals.first_frame.unwrap_or_default(), totals.last_frame.unwrap_or_default());
    // After a repair has replaced a lost tail with a gap, the index covers that range again, and no tail is lost.
    let lost_tail =
        if index.lost_tail.log_end_offset > coverage.covered_to { index.lost_tail } else { LostTail::default() };
    let known_frame = index.known_frame.filter(|frame| frame.offset >= coverage.covered_to).unwrap_or_default();
    let last_seen = lost_tail.last_frame.unwrap_or_default();
    IndexHeader {
        log_version: index.log_version,
        log_header: index.log_header,
        log_end_offset: coverage.log_end_offset,
        covered_to: coverage.covered_to,
        scanned_to: coverage.scanned_to,
        first_offset: first.offset,
        first_checksum: first.checksum,
        log_checksum: last.checksum,
        last_offset: last.offset,
        events: totals.events,
        frames: totals.frames,
        gaps: totals.gaps,
        last_time: totals.last_time.unwrap_or_default(),
        lost_events: lost_tail.lost_events,
        lost_aggregates: lost_tail.lost_aggregates,
        verified_to: index.verification_mark.map_or(0, |mark| mark.verified_to),
        verified_at: index.verification_mark.map_or(0, |mark| mark.verified_at_ms),
        anchor_spacing: index.blocks.spacing(),
        checkpoint_spacing: index.checkpoints.spacing(),
        runs: *runs,
        sections,
        known_offset: known_frame.offset,
        known_checksum: known_frame.checksum,
        seen_checksum: last_seen.checksum,
        seen_offset: last_seen.offset,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;
    use crate::file::{HeaderState, OpenMode};
    use crate::format::FrameFormat;
    use crate::format::header::LogHeader;

    /// Saves an empty index over the index `old`. `check` gets the path and the number of the call, counted from 1.
    fn save_over(old: &[u8], check: fn(&Path, u32) -> Result<(), StorageError>) -> (bool, Option<Vec<u8>>) {
        let folder = tempfile::tempdir().unwrap();
        let (log_path, path) = (folder.path().join("a.log"), folder.path().join("a.log.idx"));
        let header = LogHeader::new(1).encode();
        fs::write(&log_path, header).unwrap();
        fs::write(&path, old).unwrap();
        let storage = OsDisk.open(&log_path, OpenMode::Read).unwrap();
        let log = LogFile::with_header(storage, &log_path, FrameFormat::V1, HeaderState::Absent);
        let calls = Cell::new(0);
        let check = || {
            calls.set(calls.get() + 1);
            check(&path, calls.get())
        };
        let target = IndexTarget { disk: &OsDisk, path: &path, log: &log };
        let saved = save_checked(target, &AggregateIndex::new(1, header), &check);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1 + usize::from(path.exists()),
            "no other file is left"
        );
        (saved.is_ok(), fs::read(&path).ok())
    }

    fn report_repair(path: &Path) -> Result<(), StorageError> {
        Err(StorageError::Changed { path: path.to_owned(), expected: "no repair".into(), found: "a repair".into() })
    }

    fn fail(path: &Path) -> Result<(), StorageError> {
        Err(StorageError::io(path, "list", std::io::ErrorKind::PermissionDenied.into()))
    }

    #[test]
    fn an_index_is_saved_only_while_the_check_succeeds() {
        let old = &crate::format::index::MAGIC;
        let (is_saved, now) = save_over(old, |_, _| Ok(()));
        assert!(is_saved && now.is_some_and(|now| now.len() > PAGE_DATA_SIZE));
        let (is_saved, now) = save_over(old, |path, call| if call == 1 { report_repair(path) } else { Ok(()) });
        assert_eq!((is_saved, now.as_deref()), (false, Some(old.as_slice())), "the old index stays");
        let (is_saved, now) = save_over(old, |path, call| if call == 2 { report_repair(path) } else { Ok(()) });
        assert_eq!((is_saved, now), (false, None), "the new index is removed");
    }

    #[test]
    fn an_index_stays_when_the_second_check_cannot_be_made() {
        let old = &crate::format::index::MAGIC;
        let (is_saved, now) = save_over(old, |path, call| if call == 1 { fail(path) } else { Ok(()) });
        assert_eq!((is_saved, now.as_deref()), (false, Some(old.as_slice())), "the old index stays");
        let (is_saved, now) = save_over(old, |path, call| if call == 2 { fail(path) } else { Ok(()) });
        assert!(!is_saved && now.is_some_and(|now| now.len() > PAGE_DATA_SIZE), "the new index stays");
    }

    #[test]
    fn the_index_of_a_log_that_was_replaced_is_not_left_next_to_the_new_one() {
        let old = &crate::format::index::MAGIC;
        let (is_saved, now) = save_over(old, |path, call| {
            if call == 1 {
                let (log, other) = (path.with_extension(""), path.with_extension("other"));
                fs::write(&other, LogHeader::new(2).encode()).unwrap();
                fs::rename(&other, &log).unwrap();
            }
            Ok(())
        });
        assert_eq!((is_saved, now), (false, None));
    }

    #[test]
    fn an_index_that_another_process_has_saved_since_is_not_removed() {
        let (is_saved, now) = save_over(b"", |path, call| {
            if call == 1 {
                return Ok(());
            }
            let other = path.with_extension("other");
            fs::write(&other, "saved by another process").unwrap();
            fs::rename(&other, path).unwrap();
            report_repair(path)
        });
        assert_eq!((is_saved, now.as_deref()), (false, Some(b"saved by another process".as_slice())));
    }
}
