//! [`BlockCache`]: blocks of objects that were read, with a bound on their memory.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// The size of every block of an object except the last one, in bytes.
pub(super) const BLOCK_LEN: u64 = 8 << 20;
/// Most memory that the blocks take, in bytes. Blocks that are being read or copied can be above it.
const MAX_BYTES: usize = 128 << 20;

/// A block of an object: the number that identifies the object and its tag, and the position of the block.
type BlockKey = (u64, u64);

/// A block that is read by the first thread that needs it, while others wait.
type Slot = Arc<Mutex<Option<Arc<Vec<u8>>>>>;

/// The blocks, and when each was used last.
#[derive(Debug, Default)]
struct CachedBlocks {
    slots: HashMap<BlockKey, (Slot, u64)>,
    bytes: HashMap<BlockKey, usize>,
    clock: u64,
}

/// A cache of blocks, shared by all objects.
#[derive(Debug, Default)]
pub(super) struct BlockCache(Mutex<CachedBlocks>);

impl BlockCache {
    /// Returns a block, which `read` reads when it is not in the cache. Two threads never read the same block at once.
    ///
    /// # Errors
    /// Those of `read`. The block is then read again by the next caller.
    pub(super) fn block(&self, key: BlockKey, read: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Arc<Vec<u8>>> {
        let slot = self.slot(key);
        let mut content = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = &*content {
            return Ok(block.clone());
        }
        let block = Arc::new(read()?);
        *content = Some(block.clone());
        drop(content);
        self.record(key, block.len());
        Ok(block)
    }

    /// True when a block is in the cache, or is being read.
    pub(super) fn has(&self, key: BlockKey) -> bool {
        self.lock().slots.contains_key(&key)
    }

    fn slot(&self, key: BlockKey) -> Slot {
        let mut blocks = self.lock();
        blocks.clock += 1;
        let now = blocks.clock;
        let (slot, used) = blocks.slots.entry(key).or_default();
        *used = now;
        slot.clone()
    }

    /// Counts the memory of a block, and drops those that were used longest ago. A block without counted memory is being read.
    fn record(&self, key: BlockKey, len: usize) {
        let mut blocks = self.lock();
        if blocks.slots.contains_key(&key) {
            blocks.bytes.insert(key, len);
        }
        while blocks.bytes.values().sum::<usize>() > MAX_BYTES {
            let used = |key: &BlockKey| blocks.slots.get(key).map_or(0, |(_, used)| *used);
            let Some(oldest) = blocks.bytes.keys().copied().min_by_key(used) else { return };
            blocks.slots.remove(&oldest);
            blocks.bytes.remove(&oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, CachedBlocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_block_is_read_once_by_many_threads_and_again_after_an_error() {
        let (cache, reads) = (BlockCache::default(), AtomicUsize::new(0));
        assert!(cache.block((1, 0), || Err(io::ErrorKind::TimedOut.into())).is_err());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let read = || {
                        reads.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(5));
                        Ok(vec![7; 3])
                    };
                    assert_eq!(*cache.block((1, 0), read).unwrap(), [7; 3]);
                });
            }
        });
        assert_eq!(reads.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn memory_is_bounded_and_the_block_that_was_used_last_stays() {
        let cache = BlockCache::default();
        let block = || Ok(vec![0; BLOCK_LEN as usize]);
        for at in 0..40 {
            cache.block((1, at), block).unwrap();
            cache.block((1, 0), || panic!("block 0 was used last")).unwrap();
        }
        let total: usize = cache.lock().bytes.values().sum();
        assert!(total <= MAX_BYTES && cache.lock().slots.len() == MAX_BYTES / BLOCK_LEN as usize);
        assert!(!cache.has((1, 1)) && cache.has((1, 39)));
    }
}
