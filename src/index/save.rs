//! Writing an index: the file's entries and those in memory merged, in a new file that replaces the old one at once.

use std::path::Path;

use super::aggregates::{AggregateIndex, Witness};
use super::build::{Checkpoint, Postings};
use super::checkpoint::encode_checkpoint;
use super::pages::PageWriter;
use super::persisted::Row;
use crate::StorageError;
use crate::file::storage::append_all;
use crate::file::{Disk, LogFile, Storage, replace};
use crate::format::index::{Head, PAGE_DATA, page_checksum, put_varint};

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
    replace(disk, path, log.path(), |file, temporary| write(file, temporary, path, index))
}

fn write(file: &dyn Storage, temporary: &Path, path: &Path, index: &AggregateIndex) -> Result<(), StorageError> {
    let io = |action| move |error| StorageError::io(temporary, action, error);
    // Page 0 is filled in last: a file without it is no index.
    append_all(file, &[0; PAGE_DATA + 4]).map_err(io("write"))?;
    let mut pages = PageWriter::new(file, temporary, 1);
    let mut sections = Vec::new();

    let mut directory = Vec::new();
    let mut bytes = Vec::new();
    let mut postings_at = 0u64;
    for entry in merged(index) {
        let (id, postings) = entry.map_err(|fault| fault.into_error(path))?;
        bytes.clear();
        put_varint(postings.first, &mut bytes);
        bytes.extend_from_slice(&postings.deltas);
        pages.put(&bytes, postings.count)?;
        for number in [id, postings.count, postings.first, postings.last, postings_at] {
            directory.extend_from_slice(&number.to_be_bytes());
        }
        postings_at += bytes.len() as u64;
    }
    let postings = pages.finish_section()?;
    pages.put(&directory, (directory.len() / crate::format::index::DIRECTORY_ROW) as u64)?;
    sections.push(pages.finish_section()?);
    sections.push(postings);

    for anchor in index.anchors() {
        let mut row = Vec::with_capacity(crate::format::index::ANCHOR_ROW);
        for number in [anchor.offset, anchor.ordinal, anchor.timestamp_ms] {
            row.extend_from_slice(&number.to_be_bytes());
        }
        row.extend_from_slice(&anchor.checksum.to_be_bytes());
        pages.put(&row, 1)?;
    }
    sections.push(pages.finish_section()?);

    pages.put(&index.counts().encode_names(), index.counts().iter().count() as u64)?;
    sections.push(pages.finish_section()?);

    let end = Checkpoint { totals: *index.totals(), counts: index.counts().snapshot() };
    for checkpoint in index.recent.checkpoints.kept.iter().map(|(_, kept)| kept).chain([&end]) {
        bytes.clear();
        encode_checkpoint(checkpoint, &mut bytes);
        pages.put(&bytes, 1)?;
    }
    sections.push(pages.finish_section()?);

    for range in index.damage() {
        let (start, end) = (range.start.to_be_bytes(), range.end.to_be_bytes());
        pages.put(&[start, end].concat(), 1)?;
    }
    sections.push(pages.finish_section()?);
    pages.flush()?;

    let mut page = head(index, &sections).encode();
    page.resize(PAGE_DATA, 0);
    let checksum = page_checksum(0, &page);
    page.extend_from_slice(&checksum.to_be_bytes());
    file.write_at(&page, 0).map_err(io("write"))
}

fn head(index: &AggregateIndex, sections: &[crate::format::index::Extent]) -> Head {
    let (totals, coverage) = (index.totals(), index.coverage());
    let (first, last) = (totals.first.unwrap_or_default(), totals.last.unwrap_or_default());
    // What was fenced off since has its offsets back: nothing beyond what is covered is known any more.
    let witness = if index.witness.log_end_offset > coverage.covered_to { index.witness } else { Witness::default() };
    let mut head = Head {
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
        lost_events: witness.lost_events,
        lost_aggregates: witness.lost_aggregates,
        sections: Default::default(),
    };
    for (slot, extent) in head.sections.iter_mut().zip(sections) {
        *slot = *extent;
    }
    head
}

/// Every aggregate's offsets, by ascending id: the file's below where it is believed, then those in memory.
fn merged(index: &AggregateIndex) -> impl Iterator<Item = Result<(u64, Postings), super::IndexFault>> + '_ {
    let mut recent: Vec<(u64, &Postings)> = index.recent.postings.iter().map(|(id, p)| (*id, p)).collect();
    recent.sort_unstable_by_key(|(id, _)| *id);
    let mut recent = recent.into_iter().peekable();
    let base = index.base.as_ref();
    let mut stored = base.into_iter().flat_map(move |base| base.index.rows().map(move |row| (base, row))).peekable();
    std::iter::from_fn(move || {
        loop {
            let next_stored = match stored.peek() {
                Some((_, Ok(row))) => Some(row.summary.id),
                Some((_, Err(_))) => return stored.next().and_then(|(_, row)| row.err()).map(Err),
                None => None,
            };
            let next_recent = recent.peek().map(|(id, _)| *id);
            let id = match (next_stored, next_recent) {
                (None, None) => return None,
                (Some(a), Some(b)) => a.min(b),
                (Some(id), None) | (None, Some(id)) => id,
            };
            let mut postings = Postings::default();
            if next_stored == Some(id)
                && let Some((base, Ok(row))) = stored.next()
                && let Err(fault) = take_over(base, row, &mut postings)
            {
                return Some(Err(fault));
            }
            if next_recent == Some(id)
                && let Some((_, newer)) = recent.next()
            {
                if postings.count == 0 {
                    postings = newer.clone();
                } else {
                    newer.iter().for_each(|offset| postings.push(offset));
                }
            }
            if postings.count > 0 {
                return Some(Ok((id, postings)));
            }
        }
    })
}

fn take_over(base: &super::aggregates::Base, row: Row, postings: &mut Postings) -> Result<(), super::IndexFault> {
    for offset in base.index.postings(row) {
        let offset = offset?;
        if offset >= base.until {
            break;
        }
        postings.push(offset);
    }
    Ok(())
}
