//! What is measured of each store.

use std::path::Path;

use crate::record::Record;

/// A function that opens a store in a folder, or creates it there.
pub(crate) type OpenStore = fn(&Path) -> Box<dyn Store>;

/// Receives the bytes of each event that is read.
pub(crate) type Visit<'v> = dyn FnMut(&[u8]) + 'v;

/// Whether an append returns before or after the event is on stable storage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    No,
    Yes,
}

/// Whether a store can do what was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Support {
    Yes,
    No,
}

/// A store of events. It is closed when it is dropped.
pub(crate) trait Store {
    /// Appends the events in batches of `batch`.
    fn append(&mut self, records: &[Record], batch: usize, sync: Sync) -> Support;

    /// Appends and syncs each event alone, from as many threads as there are slices.
    fn append_sync_from_threads(&mut self, parts: &[&[Record]]) -> Support;

    /// Reads all events in order.
    fn replay(&mut self, visit: &mut Visit) -> Support;

    /// Reads the events of one aggregate.
    fn aggregate(&mut self, id: u64, visit: &mut Visit) -> Support {
        let _ = (id, visit);
        Support::No
    }

    /// Checks all bytes.
    fn verify(&mut self) -> Support {
        Support::No
    }
}
