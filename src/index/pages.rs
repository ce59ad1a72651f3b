//! The reader and the writer of index pages. The reader returns bytes only after it has verified the checksum of their
//! page.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::IndexFault;
use crate::StorageError;
use crate::file::Storage;
use crate::file::storage::{append_all, read_full};
use crate::format::byte_layout::u32_at;
use crate::format::index::{IndexExtent, MAGIC, PAGE_DATA_SIZE, PAGE_SIZE, page_checksum};

/// Number of pages at the start and at the end of a file that are examined to decide whether it was an index.
const TRACE_PAGES: u64 = 8;

/// Reads byte ranges of sections from the pages of an index file.
#[derive(Debug)]
pub(super) struct PageReader {
    storage: Arc<dyn Storage>,
    path: PathBuf,
}

impl PageReader {
    pub(super) fn new(storage: Arc<dyn Storage>, path: &Path) -> Self {
        Self { storage, path: path.to_owned() }
    }

    pub(super) const fn storage(&self) -> &Arc<dyn Storage> {
        &self.storage
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of complete pages in the file.
    pub(super) fn page_count(&self) -> Result<u64, IndexFault> {
        Ok(self.storage.len().map_err(|e| IndexFault::Io(StorageError::io(&self.path, "measure", e)))?
            / PAGE_SIZE as u64)
    }

    /// True when the file starts with the magic of an index, or when one of its first or last pages is a valid page of
    /// an index. The cost does not depend on the size of the file.
    ///
    /// # Errors
    /// `Io` when a page cannot be read and no other page is valid, so that the answer is not known.
    pub(super) fn has_trace_of_index(&self) -> Result<bool, IndexFault> {
        let mut magic = [0; MAGIC.len()];
        let read = read_full(self.storage.as_ref(), &mut magic, 0)
            .map_err(|error| IndexFault::Io(StorageError::io_at(&self.path, "read", 0, error)))?;
        if read == magic.len() && magic == MAGIC {
            return Ok(true);
        }
        let count = self.page_count()?;
        let mut unreadable = None;
        for page in (0..count.min(TRACE_PAGES)).chain(count.saturating_sub(TRACE_PAGES)..count) {
            let extent = IndexExtent { first_page: page, bytes: PAGE_DATA_SIZE as u64, rows: 1 };
            match self.read(extent, 0, PAGE_DATA_SIZE) {
                Ok(_) => return Ok(true),
                Err(fault @ IndexFault::Io(_)) => unreadable = Some(fault),
                Err(_) => {}
            }
        }
        unreadable.map_or(Ok(false), Err)
    }

    /// Appends pages to another file, where they must have the same page numbers, because a page's checksum covers its
    /// number. The pages are copied without verifying their checksums.
    pub(super) fn copy_pages(&self, pages: Range<u64>, to: &dyn Storage, to_path: &Path) -> Result<(), StorageError> {
        let mut buf = vec![0; 256 * PAGE_SIZE];
        let mut at = pages.start * PAGE_SIZE as u64;
        while at < pages.end * PAGE_SIZE as u64 {
            let len = (pages.end * PAGE_SIZE as u64 - at).min(buf.len() as u64) as usize;
            let chunk = buf.get_mut(..len).unwrap_or_default();
            let read = read_full(self.storage.as_ref(), chunk, at);
            let read = read.map_err(|error| StorageError::io_at(&self.path, "read", at, error))?;
            let complete = chunk.get(..read).filter(|_| read == len);
            let too_short = || StorageError::UnusableIndex {
                path: self.path.clone(),
                state: "corrupt",
                reason: format!("it ends at byte {}, within a run", at + read as u64),
            };
            append_all(to, complete.ok_or_else(too_short)?)
                .map_err(|error| StorageError::io(to_path, "write", error))?;
            at += len as u64;
        }
        Ok(())
    }

    /// Reads `len` bytes of a section, starting at byte `at` of the section.
    pub(super) fn read(&self, section: IndexExtent, at: u64, len: usize) -> Result<Vec<u8>, IndexFault> {
        if at.checked_add(len as u64).is_none_or(|end| end > section.bytes) {
            return Err(IndexFault::Corrupt("an entry points outside of its section".into()));
        }
        let first = section.first_page + at / PAGE_DATA_SIZE as u64;
        let skip = (at % PAGE_DATA_SIZE as u64) as usize;
        let count = (skip + len).div_ceil(PAGE_DATA_SIZE);
        let mut data = Vec::new();
        let out_of_memory = |_| {
            let bytes = (count * PAGE_SIZE) as u64;
            IndexFault::Io(StorageError::OutOfMemory {
                path: self.path.clone(),
                offset: first * PAGE_SIZE as u64,
                bytes,
            })
        };
        data.try_reserve_exact(count * PAGE_SIZE).map_err(out_of_memory)?;
        data.resize(count * PAGE_SIZE, 0);
        let offset = first * PAGE_SIZE as u64;
        let read = read_full(self.storage.as_ref(), &mut data, offset)
            .map_err(|error| IndexFault::Io(StorageError::io_at(&self.path, "read", offset, error)))?;
        if read < data.len() {
            return Err(IndexFault::Corrupt(format!("it ends at byte {}, within a page", offset + read as u64)));
        }
        let mut data_len = 0;
        for i in 0..count {
            let page = data.get(i * PAGE_SIZE..(i + 1) * PAGE_SIZE).unwrap_or_default();
            let (bytes, checksum) = page.split_at_checked(PAGE_DATA_SIZE).unwrap_or_default();
            let number = first + i as u64;
            let (stored, computed) = (u32_at(checksum, 0).unwrap_or_default(), page_checksum(number, bytes));
            if stored != computed {
                let at = number * PAGE_SIZE as u64;
                return Err(IndexFault::Corrupt(format!(
                    "the page at offset {at} has the checksum {stored:08x}; its bytes give {computed:08x}"
                )));
            }
            data.copy_within(i * PAGE_SIZE..i * PAGE_SIZE + PAGE_DATA_SIZE, data_len);
            data_len += PAGE_DATA_SIZE;
        }
        data.truncate(skip + len);
        data.drain(..skip);
        Ok(data)
    }
}

/// Writes sections to the pages of an index file, one page after the other.
pub(super) struct PageWriter<'f> {
    storage: &'f dyn Storage,
    path: &'f Path,
    page: Vec<u8>,
    page_number: u64,
    batch: Vec<u8>,
    section: IndexExtent,
}

impl<'f> PageWriter<'f> {
    /// Complete pages are collected up to this many bytes before they are written.
    const BATCH: usize = 1 << 20;

    /// Creates a writer whose first page has this number.
    pub(super) fn new(storage: &'f dyn Storage, path: &'f Path, number: u64) -> Self {
        let section = IndexExtent { first_page: number, bytes: 0, rows: 0 };
        Self { storage, path, page: Vec::with_capacity(PAGE_SIZE), page_number: number, batch: Vec::new(), section }
    }

    /// The number of bytes in the current section.
    pub(super) const fn section_bytes(&self) -> u64 {
        self.section.bytes
    }

    /// Adds to the row count of the current section.
    pub(super) const fn add_rows(&mut self, rows: u64) {
        self.section.rows += rows;
    }

    /// Appends bytes to the current section.
    pub(super) fn put(&mut self, mut bytes: &[u8]) -> Result<(), StorageError> {
        self.section.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let (fitting, rest) = bytes.split_at(bytes.len().min(PAGE_DATA_SIZE - self.page.len()));
            self.page.extend_from_slice(fitting);
            bytes = rest;
            if self.page.len() == PAGE_DATA_SIZE {
                self.close_page()?;
            }
        }
        Ok(())
    }

    /// Ends the current section and returns its extent. The next section starts on a new page.
    pub(super) fn finish_section(&mut self) -> Result<IndexExtent, StorageError> {
        if !self.page.is_empty() {
            self.page.resize(PAGE_DATA_SIZE, 0);
            self.close_page()?;
        }
        let done = self.section;
        self.section = IndexExtent { first_page: self.page_number, bytes: 0, rows: 0 };
        Ok(done)
    }

    /// Writes the collected pages to the file.
    pub(super) fn flush(&mut self) -> Result<(), StorageError> {
        append_all(self.storage, &self.batch).map_err(|error| StorageError::io(self.path, "write", error))?;
        self.batch.clear();
        Ok(())
    }

    /// Adds the checksum to the current page and starts the next page.
    fn close_page(&mut self) -> Result<(), StorageError> {
        let checksum = page_checksum(self.page_number, &self.page);
        self.batch.append(&mut self.page);
        self.batch.extend_from_slice(&checksum.to_be_bytes());
        self.page_number += 1;
        if self.batch.len() >= Self::BATCH { self.flush() } else { Ok(()) }
    }
}
