//! Layers merged into one run, in a file or in memory: the offsets are handed on as they stand, aggregate by aggregate.

use std::path::Path;
use std::sync::Arc;

use super::IndexFault;
use super::layer::{Entry, Layer, Merge, Place, Source, summary};
use super::offsets::CHUNK;
use super::pages::{PageReader, PageWriter};
use super::run::Run;
use super::stored::Stored;
use crate::StorageError;
use crate::file::storage::{append_all, read_full};
use crate::file::{Disk, Storage};
use crate::format::index::{DIRECTORY_ROW, GUIDE_ROW, GUIDE_STEP, RunExtents, put_varint, take_varint};

/// Bytes of a directory that are held in memory while its postings are written.
const HELD: usize = 1 << 20;

/// Where what does not fit in memory is put.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scratch<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) folder: Option<&'a Path>,
}

impl Scratch<'_> {
    fn file(&self) -> Result<Arc<dyn Storage>, IndexFault> {
        let create = || self.disk.scratch(self.folder);
        create().map_err(|error| self.fault("create", error))
    }

    fn path(&self) -> &Path {
        self.folder.unwrap_or(Path::new("a temporary file"))
    }

    fn fault(&self, action: &'static str, error: std::io::Error) -> IndexFault {
        IndexFault::Io(StorageError::io(self.path(), action, error))
    }

    /// Layers merged into a file without a name.
    pub(super) fn run(&self, layers: &[Layer]) -> Result<Stored, IndexFault> {
        let file = self.file()?;
        let mut pages = PageWriter::new(file.as_ref(), self.path(), 0);
        let extents = write_run(&mut pages, layers, self)?;
        pages.flush().map_err(IndexFault::Io)?;
        Ok(Stored::new(Arc::new(PageReader::new(file, self.path())), extents, u64::MAX))
    }
}

/// Writes layers as one run: postings, directory, guide.
pub(super) fn write_run(pages: &mut PageWriter, layers: &[Layer], scratch: &Scratch) -> Result<RunExtents, IndexFault> {
    let mut rows = Rows { scratch, held: Vec::new(), file: None, bytes: 0 };
    let mut guide = Vec::new();
    let mut aggregates = 0u64;
    each(layers, |group, whole| {
        let at = pages.written();
        let mut first = Vec::new();
        put_varint(whole.first, &mut first);
        put(pages, &first)?;
        put_deltas(group, &mut |bytes| put(pages, bytes))?;
        pages.rows(whole.events);
        if aggregates.is_multiple_of(GUIDE_STEP) {
            guide.extend_from_slice(&whole.id.to_be_bytes());
        }
        aggregates += 1;
        rows.add(&[whole.id, whole.events, whole.first, whole.last, at])
    })?;
    let postings = pages.finish_section().map_err(IndexFault::Io)?;
    rows.copy(pages)?;
    pages.rows(rows.bytes / DIRECTORY_ROW as u64);
    let directory = pages.finish_section().map_err(IndexFault::Io)?;
    put(pages, &guide)?;
    pages.rows((guide.len() / GUIDE_ROW) as u64);
    let guide = pages.finish_section().map_err(IndexFault::Io)?;
    Ok(RunExtents { postings, directory, guide })
}

/// Layers merged into a run in memory.
pub(super) fn gather(layers: &[Layer]) -> Result<Run, IndexFault> {
    let base = layers.iter().map(|layer| match &layer.source {
        Source::Memory(run) => run.base(),
        Source::Stored(_) => 0,
    });
    let mut run = Run::from(base.min().unwrap_or_default());
    let mut deltas = Vec::new();
    each(layers, |group, whole| {
        deltas.clear();
        put_deltas(group, &mut |bytes| {
            deltas.extend_from_slice(bytes);
            Ok(())
        })?;
        run.push(&whole, &deltas);
        Ok(())
    })?;
    Ok(run)
}

/// Tells of every aggregate what the layers have of it, and that as one.
fn each(
    layers: &[Layer],
    mut tell: impl FnMut(&[Entry], super::AggregateSummary) -> Result<(), IndexFault>,
) -> Result<(), IndexFault> {
    let mut merge = Merge::of(layers)?;
    let mut group = Vec::new();
    loop {
        merge.next(&mut group)?;
        let Some(whole) = summary(&group) else { return Ok(()) };
        tell(&group, whole)?;
    }
}

/// The distances from each offset of an aggregate to the next, over all that layers have of it.
fn put_deltas(group: &[Entry], put: &mut dyn FnMut(&[u8]) -> Result<(), IndexFault>) -> Result<(), IndexFault> {
    let mut bytes = Vec::new();
    let mut previous: Option<u64> = None;
    for entry in group {
        bytes.clear();
        if let Some(previous) = previous {
            let distance = entry.summary.first.checked_sub(previous).filter(|distance| *distance > 0);
            put_varint(distance.ok_or_else(out_of_order)?, &mut bytes);
        }
        previous = Some(entry.summary.last);
        match entry.place {
            Place::Memory(deltas) if entry.whole => {
                put(&bytes)?;
                put(deltas)?;
            }
            Place::Stored(stored, row) if entry.whole => {
                put(&bytes)?;
                let (mut at, mut skip) = (row.postings_at, true);
                while at < row.postings_end {
                    let len = (row.postings_end - at).min(CHUNK as u64) as usize;
                    let chunk = stored.read_postings(at, len)?;
                    at += len as u64;
                    let mut rest = chunk.as_slice();
                    if std::mem::take(&mut skip) && take_varint(&mut rest) != Some(entry.summary.first) {
                        return Err(out_of_order());
                    }
                    put(rest)?;
                }
            }
            _ => {
                let mut before = entry.summary.first;
                for offset in entry.offsets().take(entry.summary.events as usize).skip(1) {
                    let offset = offset?;
                    put_varint(offset - before, &mut bytes);
                    before = offset;
                }
                put(&bytes)?;
            }
        }
    }
    Ok(())
}

fn put(pages: &mut PageWriter, bytes: &[u8]) -> Result<(), IndexFault> {
    pages.put(bytes).map_err(IndexFault::Io)
}

fn out_of_order() -> IndexFault {
    IndexFault::Corrupt("an aggregate's offsets are out of order".into())
}

/// Rows of a directory, which come while its postings are written and follow them in the file.
struct Rows<'a> {
    scratch: &'a Scratch<'a>,
    held: Vec<u8>,
    file: Option<Arc<dyn Storage>>,
    bytes: u64,
}

impl Rows<'_> {
    fn add(&mut self, row: &[u64; 5]) -> Result<(), IndexFault> {
        for number in row {
            self.held.extend_from_slice(&number.to_be_bytes());
        }
        self.bytes += DIRECTORY_ROW as u64;
        if self.held.len() < HELD {
            return Ok(());
        }
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(self.scratch.file()?),
        };
        append_all(file.as_ref(), &self.held).map_err(|error| self.scratch.fault("write", error))?;
        self.held.clear();
        Ok(())
    }

    fn copy(&self, pages: &mut PageWriter) -> Result<(), IndexFault> {
        if let Some(file) = &self.file {
            let (mut at, end) = (0, self.bytes - self.held.len() as u64);
            let mut chunk = vec![0; HELD];
            while at < end {
                let len = (end - at).min(HELD as u64) as usize;
                let chunk = chunk.get_mut(..len).unwrap_or_default();
                let read = read_full(file.as_ref(), chunk, at).map_err(|error| self.scratch.fault("read", error))?;
                if read < len {
                    return Err(self.scratch.fault("read", std::io::ErrorKind::UnexpectedEof.into()));
                }
                put(pages, chunk)?;
                at += len as u64;
            }
        }
        put(pages, &self.held)
    }
}
