//! redb, a tree in one file. The events have their number as key, and those of an aggregate are found through a second table.

use std::path::Path;
use std::thread;

use redb::{Database, Durability, ReadableTable, TableDefinition};

use crate::record::Record;
use crate::store::{Store, Support, Sync, Visit};

const EVENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("events");
const AGGREGATES: TableDefinition<(u64, u64), ()> = TableDefinition::new("aggregates");

struct Tree(Database);

pub(crate) fn open(folder: &Path) -> Box<dyn Store> {
    let database = Database::create(folder.join("events.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(EVENTS).unwrap();
    transaction.open_table(AGGREGATES).unwrap();
    transaction.commit().unwrap();
    Box::new(Tree(database))
}

impl Tree {
    fn insert(&self, records: &[Record], sync: Sync) {
        let mut transaction = self.0.begin_write().unwrap();
        transaction.set_durability(if sync == Sync::Yes { Durability::Immediate } else { Durability::None });
        {
            let mut events = transaction.open_table(EVENTS).unwrap();
            let mut aggregates = transaction.open_table(AGGREGATES).unwrap();
            let mut number = events.last().unwrap().map_or(0, |(key, _)| key.value() + 1);
            for record in records {
                events.insert(number, record.json.as_bytes()).unwrap();
                aggregates.insert((record.aggregate, number), ()).unwrap();
                number += 1;
            }
        }
        transaction.commit().unwrap();
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
        let events = self.0.begin_read().unwrap().open_table(EVENTS).unwrap();
        events.iter().unwrap().for_each(|entry| visit(entry.unwrap().1.value()));
        Support::Yes
    }

    fn aggregate(&mut self, id: u64, visit: &mut Visit) -> Support {
        let transaction = self.0.begin_read().unwrap();
        let (events, aggregates) =
            (transaction.open_table(EVENTS).unwrap(), transaction.open_table(AGGREGATES).unwrap());
        for entry in aggregates.range((id, 0)..=(id, u64::MAX)).unwrap() {
            visit(events.get(entry.unwrap().0.value().1).unwrap().unwrap().value());
        }
        Support::Yes
    }

    fn verify(&mut self) -> Support {
        // The answer is false after commits that were not synced, which it repairs.
        self.0.check_integrity().unwrap();
        Support::Yes
    }
}
