//! Functions that merge layers into one run, in a file or in memory. Encoded offsets are copied without decoding them
//! where possible.

use std::path::Path;
use std::sync::Arc;

use super::coverage::AggregateSummary;
use super::fault::IndexFault;
use super::layer::{IndexLayer, LayerEntry, LayerMerge, LayerSource, merge_summaries};
use super::memory_run::MemoryRun;
use super::offsets::{POSTINGS_CHUNK, PostingsLocation};
use super::pages::{PageReader, PageWriter};
use super::stored_run::StoredRun;
use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, Storage};
use crate::format::index::{
    DIRECTORY_ROW_LEN, GUIDE_ROW_LEN, ROWS_PER_GUIDE_ENTRY, RunExtents, put_varint, take_varint,
};

/// The number of directory bytes kept in memory while the postings are written.
const ROW_BUFFER_BYTES: usize = 1 << 20;

/// The disk and folder for anonymous files, which hold data that exceeds the memory limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpillLocation<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) folder: Option<&'a Path>,
}

impl SpillLocation<'_> {
    fn create_file(&self) -> Result<Arc<dyn Storage>, IndexFault> {
        let create = || self.disk.create_anonymous_file(self.folder);
        create().map_err(|error| self.io_fault("create", error))
    }

    fn display_path(&self) -> &Path {
        self.folder.unwrap_or(Path::new("a temporary file"))
    }

    fn io_fault(&self, action: &'static str, error: std::io::Error) -> IndexFault {
        IndexFault::Io(StorageError::io(self.display_path(), action, error))
    }

    /// Merges layers into a run in an anonymous file.
    pub(super) fn merge_to_file(&self, layers: &[IndexLayer]) -> Result<StoredRun, IndexFault> {
        let file = self.create_file()?;
        let mut pages = PageWriter::new(file.as_ref(), self.display_path(), 0);
        let extents = write_run(&mut pages, layers, self)?;
        pages.flush().map_err(IndexFault::Io)?;
        Ok(StoredRun::new(Arc::new(PageReader::new(file, self.display_path())), extents, u64::MAX))
    }
}

/// Merges layers and writes them as one run: postings, directory, guide.
pub(super) fn write_run(
    pages: &mut PageWriter,
    layers: &[IndexLayer],
    spill_location: &SpillLocation,
) -> Result<RunExtents, IndexFault> {
    let mut rows = DirectoryBuffer { spill_location, buffer: Vec::new(), spill_file: None, total_bytes: 0 };
    let mut guide = Vec::new();
    let mut aggregates = 0u64;
    for_each_aggregate(layers, |group, summary| {
        let at = pages.section_bytes();
        let mut first = Vec::new();
        put_varint(summary.first, &mut first);
        put_bytes(pages, &first)?;
        put_deltas(group, &mut |bytes| put_bytes(pages, bytes))?;
        pages.add_rows(summary.events);
        if aggregates.is_multiple_of(ROWS_PER_GUIDE_ENTRY) {
            guide.extend_from_slice(&summary.id.to_be_bytes());
        }
        aggregates += 1;
        rows.push_row(&[summary.id, summary.events, summary.first, summary.last, at])
    })?;
    let postings = pages.finish_section().map_err(IndexFault::Io)?;
    rows.write_to(pages)?;
    pages.add_rows(rows.total_bytes / DIRECTORY_ROW_LEN as u64);
    let directory = pages.finish_section().map_err(IndexFault::Io)?;
    put_bytes(pages, &guide)?;
    pages.add_rows((guide.len() / GUIDE_ROW_LEN) as u64);
    let guide = pages.finish_section().map_err(IndexFault::Io)?;
    Ok(RunExtents { postings, directory, guide })
}

/// Merges layers into a run in memory.
pub(super) fn merge_to_memory(layers: &[IndexLayer]) -> Result<MemoryRun, IndexFault> {
    let base = layers.iter().map(|layer| match &layer.source {
        LayerSource::Memory(run) => run.base_offset(),
        LayerSource::Stored(_) => 0,
    });
    let mut run = MemoryRun::with_base_offset(base.min().unwrap_or_default());
    let mut deltas = Vec::new();
    for_each_aggregate(layers, |group, summary| {
        deltas.clear();
        put_deltas(group, &mut |bytes| {
            deltas.extend_from_slice(bytes);
            Ok(())
        })?;
        run.push(&summary, &deltas);
        Ok(())
    })?;
    Ok(run)
}

/// Calls `visit` once per aggregate, by ascending id, with its entries in all layers and their joined summary.
fn for_each_aggregate(
    layers: &[IndexLayer],
    mut visit: impl FnMut(&[LayerEntry], AggregateSummary) -> Result<(), IndexFault>,
) -> Result<(), IndexFault> {
    let mut merge = LayerMerge::new(layers)?;
    let mut group = Vec::new();
    loop {
        merge.next_group(&mut group)?;
        let Some(summary) = merge_summaries(&group) else { return Ok(()) };
        visit(&group, summary)?;
    }
}

/// Passes the encoded distances from each offset of an aggregate to the next to `put`, across its entries in all
/// layers.
fn put_deltas(group: &[LayerEntry], put: &mut dyn FnMut(&[u8]) -> Result<(), IndexFault>) -> Result<(), IndexFault> {
    let mut bytes = Vec::new();
    let mut previous: Option<u64> = None;
    for entry in group {
        bytes.clear();
        if let Some(previous) = previous {
            let distance = entry.summary.first.checked_sub(previous).filter(|distance| *distance > 0);
            put_varint(distance.ok_or_else(out_of_order)?, &mut bytes);
        }
        previous = Some(entry.summary.last);
        match entry.postings {
            PostingsLocation::Memory(deltas) if entry.is_complete => {
                put(&bytes)?;
                put(deltas)?;
            }
            PostingsLocation::Stored(stored, row) if entry.is_complete => {
                put(&bytes)?;
                // The postings start with the first offset, which is skipped.
                let (mut at, mut is_first_chunk) = (row.postings_at, true);
                while at < row.postings_end {
                    let len = (row.postings_end - at).min(POSTINGS_CHUNK as u64) as usize;
                    let chunk = stored.read_postings(at, len)?;
                    at += len as u64;
                    let mut rest = chunk.as_slice();
                    if std::mem::take(&mut is_first_chunk) && take_varint(&mut rest) != Some(entry.summary.first) {
                        return Err(out_of_order());
                    }
                    put(rest)?;
                }
            }
            _ => {
                let mut previous = entry.summary.first;
                for offset in entry.offsets().take(entry.summary.events as usize).skip(1) {
                    let offset = offset?;
                    put_varint(offset - previous, &mut bytes);
                    previous = offset;
                }
                put(&bytes)?;
            }
        }
    }
    Ok(())
}

fn put_bytes(pages: &mut PageWriter, bytes: &[u8]) -> Result<(), IndexFault> {
    pages.put(bytes).map_err(IndexFault::Io)
}

fn out_of_order() -> IndexFault {
    IndexFault::Corrupt("an aggregate's offsets are out of order".into())
}

/// Collects directory rows while the postings are written, because the directory follows the postings in the file.
struct DirectoryBuffer<'a> {
    spill_location: &'a SpillLocation<'a>,
    buffer: Vec<u8>,
    spill_file: Option<Arc<dyn Storage>>,
    total_bytes: u64,
}

impl DirectoryBuffer<'_> {
    /// Adds a row. When the buffer is full, it is written to an anonymous file.
    fn push_row(&mut self, row: &[u64; 5]) -> Result<(), IndexFault> {
        for number in row {
            self.buffer.extend_from_slice(&number.to_be_bytes());
        }
        self.total_bytes += DIRECTORY_ROW_LEN as u64;
        if self.buffer.len() < ROW_BUFFER_BYTES {
            return Ok(());
        }
        let file = match &self.spill_file {
            Some(file) => file,
            None => self.spill_file.insert(self.spill_location.create_file()?),
        };
        append_all(file.as_ref(), &self.buffer).map_err(|error| self.spill_location.io_fault("write", error))?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes all rows to the current section of `pages`.
    fn write_to(&self, pages: &mut PageWriter) -> Result<(), IndexFault> {
        if let Some(file) = &self.spill_file {
            let (mut at, end) = (0, self.total_bytes - self.buffer.len() as u64);
            let mut chunk = vec![0; ROW_BUFFER_BYTES];
            while at < end {
                let len = (end - at).min(ROW_BUFFER_BYTES as u64) as usize;
                let chunk = chunk.get_mut(..len).unwrap_or_default();
                let read =
                    read_full(file.as_ref(), chunk, at).map_err(|error| self.spill_location.io_fault("read", error))?;
                if read < len {
                    return Err(self.spill_location.io_fault("read", std::io::ErrorKind::UnexpectedEof.into()));
                }
                put_bytes(pages, chunk)?;
                at += len as u64;
            }
        }
        put_bytes(pages, &self.buffer)
    }
}
