//! Writing an index: the runs that the old file has are taken over as they are, what came since is merged, and the new
//! file replaces the old one at once.

use std::path::Path;
use std::sync::Arc;

use super::IndexFault;
use super::aggregates::{AggregateIndex, LostTail};
use super::block::encode_anchor;
use super::checkpoint::{Checkpoint, encode_checkpoint};
use super::layer::{IndexLayer, LayerSource};
use super::pages::PageWriter;
use super::persisted::PersistedIndex;
use super::run_writer::write_run;
use super::stored_run::StoredRun;
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, LogFile, Storage, replace_file};
use crate::format::index::{IndexExtent, IndexHeader, MAX_RUNS, PAGE_DATA_SIZE, RunExtents, page_checksum};

/// A run is merged with what came since unless it has this many times its events: what is written anew for an event, over
/// the life of a log, stays a few times what it takes.
const MERGE_RATIO: u64 = 4;

/// Writes `index` of `log` to `path`, atomically: whoever reads it sees the old file or the new one, and so does
/// whoever starts after a power cut.
///
/// The log is synced first: an index must never promise more than a power cut leaves.
///
/// # Errors
/// `Io` naming the file and the step; the old index is untouched then. `Index` when the old file, whose entries are
/// taken over, turns out to be corrupt.
pub fn save(disk: &dyn Disk, path: &Path, log: &LogFile, index: &AggregateIndex) -> Result<(), StorageError> {
    log.storage().sync().map_err(|error| StorageError::io(log.path(), "sync", error))?;
    replace_file(disk, path, log.path(), |file, temporary| {
        write_index_file(file, temporary, index).map_err(|fault| fault.into_error(path))
    })
}

fn write_index_file(file: &dyn Storage, temporary: &Path, index: &AggregateIndex) -> Result<(), IndexFault> {
    let io = |action| move |error| IndexFault::Io(StorageError::io(temporary, action, error));
    // Page 0 is filled in last: a file without it is no index.
    append_all(file, &[0; PAGE_DATA_SIZE + 4]).map_err(io("write"))?;
    let (kept, first_free) = copy_reusable_runs(file, temporary, index).map_err(IndexFault::Io)?;
    let mut runs = [RunExtents::default(); MAX_RUNS];
    let mut pages = PageWriter::new(file, temporary, first_free);
    let rest = index.layers.get(kept.len()..).unwrap_or_default();
    let merged = if rest.is_empty() { None } else { Some(write_run(&mut pages, rest, &index.scratch())?) };
    for (slot, run) in runs.iter_mut().zip(kept.iter().map(|run| *run.extents()).chain(merged)) {
        *slot = run;
    }
    let sections = write_sections(&mut pages, index).map_err(IndexFault::Io)?;

    let mut page = build_head(index, &runs, sections).encode();
    page.resize(PAGE_DATA_SIZE, 0);
    let checksum = page_checksum(0, &page);
    page.extend_from_slice(&checksum.to_be_bytes());
    file.write_at(&page, 0).map_err(io("write"))
}

/// Takes over, page by page as they stand, the runs of the old file that are too large to be merged with what came since;
/// the number of the page behind them.
fn copy_reusable_runs(
    file: &dyn Storage,
    temporary: &Path,
    index: &AggregateIndex,
) -> Result<(Vec<Arc<StoredRun>>, u64), StorageError> {
    let Some(base) = &index.index_file else { return Ok((Vec::new(), 1)) };
    let reusable = untruncated_runs(base, &index.layers);
    let mut kept = reusable.len();
    let mut since: u64 = index.layers.get(kept..).unwrap_or_default().iter().map(IndexLayer::events).sum();
    // Only what something came behind is written anew.
    while since > 0
        && let Some(run) = kept.checked_sub(1).and_then(|last| reusable.get(last))
        && (run.events() < MERGE_RATIO * since || kept >= MAX_RUNS)
    {
        since += run.events();
        kept -= 1;
    }
    let kept = reusable.get(..kept).unwrap_or_default().to_vec();
    let Some(last) = kept.last() else { return Ok((Vec::new(), 1)) };
    let guide = last.extents().guide;
    let end = guide.first_page + guide.bytes.div_ceil(PAGE_DATA_SIZE as u64);
    base.pages().copy_pages(1..end, file, temporary)?;
    Ok((kept, end))
}

/// The runs of the old file with which the layers start, none of them cut.
fn untruncated_runs<'i>(base: &'i PersistedIndex, layers: &[IndexLayer]) -> &'i [Arc<StoredRun>] {
    let whole = |(run, layer): &(&Arc<StoredRun>, &IndexLayer)| match &layer.source {
        LayerSource::Stored(known) => Arc::ptr_eq(run, known) && layer.end_offset >= run.bound(),
        LayerSource::Memory(_) => false,
    };
    let count = base.runs().iter().zip(layers).take_while(whole).count();
    base.runs().get(..count).unwrap_or_default()
}

/// Everything behind the runs, in the order of [`crate::format::index::IndexSection`].
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
    for checkpoint in index.checkpoints.entries().iter().map(|(_, kept)| kept).chain([&end]) {
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

fn build_head(index: &AggregateIndex, runs: &[RunExtents; MAX_RUNS], sections: [IndexExtent; 5]) -> IndexHeader {
    let (totals, coverage) = (index.totals(), index.coverage());
    let (first, last) = (totals.first_frame.unwrap_or_default(), totals.last_frame.unwrap_or_default());
    // What was fenced off since has its offsets back: nothing beyond what is covered is known any more.
    let lost_tail =
        if index.lost_tail.log_end_offset > coverage.covered_to { index.lost_tail } else { LostTail::default() };
    let known = index.known_frame.filter(|(offset, _)| *offset >= coverage.covered_to).unwrap_or_default();
    let seen = lost_tail.last_frame.unwrap_or_default();
    IndexHeader {
        log_version: index.log_version,
        log_header: index.log_header,
        log_end_offset: coverage.log_end_offset,
        covered_to: coverage.covered_to,
        scanned_to: coverage.scanned_to,
        first_offset: first.0,
        first_checksum: first.1,
        log_checksum: last.1,
        last_offset: last.0,
        events: totals.events,
        frames: totals.frames,
        gaps: totals.gaps,
        last_time: totals.last_time.unwrap_or_default(),
        lost_events: lost_tail.lost_events,
        lost_aggregates: lost_tail.lost_aggregates,
        verified_to: index.verification_mark.map_or(0, |verified| verified.verified_to),
        verified_at: index.verification_mark.map_or(0, |verified| verified.verified_at_ms),
        anchor_spacing: index.blocks.spacing(),
        checkpoint_spacing: index.checkpoints.spacing(),
        runs: *runs,
        sections,
        known_offset: known.0,
        known_checksum: known.1,
        seen_checksum: seen.1,
        seen_offset: seen.0,
    }
}
