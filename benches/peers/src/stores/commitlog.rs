//! commitlog, a log of messages in segments.

use std::path::Path;

use commitlog::message::MessageSet;
use commitlog::{CommitLog, LogOptions, ReadLimit};

use crate::record::Record;
use crate::store::{Store, Support, Sync, Visit};

/// The number of bytes that are read at once.
const READ_BYTES: usize = 1 << 20;

struct Log(CommitLog);

pub(crate) fn open(folder: &Path) -> Box<dyn Store> {
    Box::new(Log(CommitLog::new(LogOptions::new(folder.join("commitlog"))).unwrap()))
}

impl Store for Log {
    /// `CommitLog::flush` does not wait for stable storage, so no append is synced.
    fn append(&mut self, records: &[Record], batch: usize, sync: Sync) -> Support {
        if batch > 1 || sync == Sync::Yes {
            return Support::No;
        }
        for record in records {
            self.0.append_msg(&record.json).unwrap();
        }
        Support::Yes
    }

    fn append_sync_from_threads(&mut self, _parts: &[&[Record]]) -> Support {
        Support::No
    }

    fn replay(&mut self, visit: &mut Visit) -> Support {
        let mut next = 0;
        while next < self.0.next_offset() {
            let messages = self.0.read(next, ReadLimit::max_bytes(READ_BYTES)).unwrap();
            for message in messages.iter() {
                visit(message.payload());
                next = message.offset() + 1;
            }
        }
        Support::Yes
    }
}
