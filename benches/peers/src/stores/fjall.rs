//! fjall, a tree of sorted files with a journal. The events have their number as key, and those of an aggregate are found
//! through a second partition.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use fjall::{Config, Keyspace, PartitionCreateOptions, PartitionHandle, PersistMode};

use crate::record::Record;
use crate::store::{Store, Support, Sync, Visit};

struct Tree {
    keyspace: Keyspace,
    events: PartitionHandle,
    aggregates: PartitionHandle,
    next: AtomicU64,
}

pub(crate) fn open(folder: &Path) -> Box<dyn Store> {
    let keyspace = Config::new(folder.join("fjall")).open().unwrap();
    let partition = |name| keyspace.open_partition(name, PartitionCreateOptions::default()).unwrap();
    let (events, aggregates) = (partition("events"), partition("aggregates"));
    let last = events.last_key_value().unwrap();
    let next = last.map_or(0, |(key, _)| u64::from_be_bytes(key[..].try_into().unwrap()) + 1);
    Box::new(Tree { keyspace, events, aggregates, next: AtomicU64::new(next) })
}

impl Tree {
    fn insert(&self, records: &[Record], sync: Sync) {
        let mut batch = self.keyspace.batch();
        for record in records {
            let number = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            batch.insert(&self.events, number, record.json.as_bytes());
            batch.insert(&self.aggregates, [record.aggregate.to_be_bytes(), number].concat(), []);
        }
        let mode = if sync == Sync::Yes { PersistMode::SyncData } else { PersistMode::Buffer };
        batch.durability(Some(mode)).commit().unwrap();
    }
}

impl Store for Tree {
    fn append(&mut self, records: &[Record], batch: usize, sync: Sync) -> Support {
        records.chunks(batch).for_each(|part| self.insert(part, sync));
        Support::Yes
    }

    fn append_sync_from_threads(&mut self, parts: &[&[Record]]) -> Support {
        let tree = &*self;
        thread::scope(|scope| {
            for part in parts {
                scope.spawn(move || part.chunks(1).for_each(|record| tree.insert(record, Sync::Yes)));
            }
        });
        Support::Yes
    }

    fn replay(&mut self, visit: &mut Visit) -> Support {
        self.events.iter().for_each(|entry| visit(&entry.unwrap().1));
        Support::Yes
    }

    fn aggregate(&mut self, id: u64, visit: &mut Visit) -> Support {
        for entry in self.aggregates.prefix(id.to_be_bytes()) {
            visit(&self.events.get(&entry.unwrap().0[8..]).unwrap().unwrap());
        }
        Support::Yes
    }
}
