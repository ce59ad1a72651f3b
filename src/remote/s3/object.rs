//! [`S3Object`]: an open object, which is read by ranges as long as it does not change.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::block_cache::{BLOCK_LEN, BlockCache};
use super::client::{ObjectState, S3Client};
use crate::changed_file::ChangedFile;
use crate::file::{FileIdentity, ReadOnlyContent};

/// How many blocks are read before they are needed, when an object is read in order.
const BLOCKS_AHEAD: u64 = 2;
/// Largest number of threads that read such blocks.
const MAX_THREADS_AHEAD: usize = 4;
/// The device number of all objects. No device of a file system has it.
const S3_DEVICE: u64 = u64::MAX;

/// The number of threads that read blocks ahead.
static THREADS_AHEAD: AtomicUsize = AtomicUsize::new(0);

/// An object as it was when it was opened.
#[derive(Debug, Clone)]
pub(super) struct S3Object {
    pub(super) client: Arc<S3Client>,
    pub(super) cache: Arc<BlockCache>,
    pub(super) key: Arc<str>,
    pub(super) state: ObjectState,
    /// The number that identifies the object and its tag.
    pub(super) number: u64,
}

impl S3Object {
    /// Returns the identity of an object with this number.
    pub(super) const fn identity_of(number: u64) -> FileIdentity {
        FileIdentity::new(S3_DEVICE, number)
    }

    /// Reads a block into the cache, and returns it. When the block before it is there too, the next ones are read by other threads.
    fn block(&self, at: u64) -> io::Result<Arc<Vec<u8>>> {
        if at.checked_sub(1).is_some_and(|before| self.cache.has((self.number, before))) {
            (at + 1..=at + BLOCKS_AHEAD).for_each(|next| self.read_ahead(next));
        }
        self.cache.block((self.number, at), || self.read_block(at))
    }

    fn read_block(&self, at: u64) -> io::Result<Vec<u8>> {
        let offset = at * BLOCK_LEN;
        let len = BLOCK_LEN.min(self.state.bytes.saturating_sub(offset));
        let len = usize::try_from(len).unwrap_or_default();
        self.client.read_range(&self.key, &self.state.etag, offset, len).map_err(|error| {
            let found = match error.kind() {
                ErrorKind::StaleNetworkFileHandle => format!("the tag {error}"),
                ErrorKind::NotFound => "no object".into(),
                _ => return error,
            };
            io::Error::other(ChangedFile { expected: format!("the object with the tag {}", self.state.etag), found })
        })
    }

    /// Starts to read a block, unless it is in the cache or enough threads do so.
    pub(super) fn read_ahead(&self, at: u64) {
        let is_inside = at.checked_mul(BLOCK_LEN).is_some_and(|offset| offset < self.state.bytes);
        if !is_inside || self.cache.has((self.number, at)) {
            return;
        }
        if THREADS_AHEAD.fetch_add(1, Ordering::AcqRel) >= MAX_THREADS_AHEAD {
            THREADS_AHEAD.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        let object = self.clone();
        let read = move || {
            // An error is reported to the thread that needs the block.
            let _ = object.cache.block((object.number, at), || object.read_block(at));
            THREADS_AHEAD.fetch_sub(1, Ordering::AcqRel);
        };
        if std::thread::Builder::new().name("s3-read-ahead".into()).spawn(read).is_err() {
            THREADS_AHEAD.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl ReadOnlyContent for S3Object {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.bytes)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.state.bytes || buf.is_empty() {
            return Ok(0);
        }
        let block = self.block(offset / BLOCK_LEN)?;
        let start = usize::try_from(offset % BLOCK_LEN).unwrap_or_default();
        let rest = block.get(start..).unwrap_or_default();
        let len = rest.len().min(buf.len());
        buf.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Ok(len)
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(Self::identity_of(self.number))
    }

    fn refusal(&self) -> io::Error {
        read_only()
    }
}

fn read_only() -> io::Error {
    io::Error::new(ErrorKind::ReadOnlyFilesystem, "a log on a server can only be read")
}
