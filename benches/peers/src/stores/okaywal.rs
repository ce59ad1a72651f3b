//! okaywal, a write-ahead log. Each commit is synced, and threads share syncs.

use std::io;
use std::path::Path;
use std::thread;

use okaywal::{Configuration, Entry, EntryId, LogManager, SegmentReader, WriteAheadLog};

use crate::record::Record;
use crate::store::{Store, Support, Sync, Visit};

struct Log(WriteAheadLog);

pub(crate) fn open(folder: &Path) -> Box<dyn Store> {
    // No entry is removed by a checkpoint while it is measured.
    let configuration = Configuration::default_for(folder.join("okaywal")).checkpoint_after_bytes(u64::MAX);
    Box::new(Log(configuration.open(Manager).unwrap()))
}

impl Store for Log {
    fn append(&mut self, records: &[Record], batch: usize, sync: Sync) -> Support {
        if sync == Sync::No {
            return Support::No;
        }
        for part in records.chunks(batch) {
            let mut entry = self.0.begin_entry().unwrap();
            for record in part {
                entry.write_chunk(record.json.as_bytes()).unwrap();
            }
            entry.commit().unwrap();
        }
        Support::Yes
    }

    fn append_sync_from_threads(&mut self, parts: &[&[Record]]) -> Support {
        let wal = &self.0;
        thread::scope(|scope| {
            for part in parts {
                scope.spawn(|| {
                    for record in *part {
                        let mut entry = wal.begin_entry().unwrap();
                        entry.write_chunk(record.json.as_bytes()).unwrap();
                        entry.commit().unwrap();
                    }
                });
            }
        });
        Support::Yes
    }

    /// The entries are read only while the log is recovered, and not after a clean end.
    fn replay(&mut self, _visit: &mut Visit) -> Support {
        Support::No
    }
}

/// Keeps no entry of a log that is opened.
#[derive(Debug)]
struct Manager;

impl LogManager for Manager {
    fn recover(&mut self, _entry: &mut Entry<'_>) -> io::Result<()> {
        Ok(())
    }

    fn checkpoint_to(&mut self, _last: EntryId, _entries: &mut SegmentReader, _wal: &WriteAheadLog) -> io::Result<()> {
        Ok(())
    }
}
