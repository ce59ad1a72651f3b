//! SQLite with a write-ahead log, one table and an index of its aggregates.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::record::Record;
use crate::store::{Store, Support, Sync, Visit};

const INSERT: &str = "insert into events (aggregate, json) values (?1, ?2)";

struct Table {
    connection: Connection,
    path: PathBuf,
}

pub(crate) fn open(folder: &Path) -> Box<dyn Store> {
    let path = folder.join("events.sqlite");
    let connection = connect(&path);
    let schema = "create table if not exists events (number integer primary key, aggregate integer, json text);
                  create index if not exists aggregates on events (aggregate);";
    connection.execute_batch(schema).unwrap();
    Box::new(Table { connection, path })
}

fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    connection.pragma_update(None, "journal_mode", "wal").unwrap();
    connection
}

fn set_sync(connection: &Connection, sync: Sync) {
    let level = if sync == Sync::Yes { "full" } else { "off" };
    connection.pragma_update(None, "synchronous", level).unwrap();
}

fn insert(connection: &Connection, records: &[Record], batch: usize) {
    for part in records.chunks(batch) {
        let transaction = connection.unchecked_transaction().unwrap();
        for record in part {
            let mut statement = transaction.prepare_cached(INSERT).unwrap();
            statement.execute((record.aggregate.cast_signed(), &record.json)).unwrap();
        }
        transaction.commit().unwrap();
    }
}

impl Table {
    fn visit_rows(&self, query: &str, parameters: impl rusqlite::Params, visit: &mut Visit) {
        let mut statement = self.connection.prepare_cached(query).unwrap();
        let mut rows = statement.query(parameters).unwrap();
        while let Some(row) = rows.next().unwrap() {
            visit(row.get_ref(0).unwrap().as_bytes().unwrap());
        }
    }
}

impl Store for Table {
    fn append(&mut self, records: &[Record], batch: usize, sync: Sync) -> Support {
        set_sync(&self.connection, sync);
        insert(&self.connection, records, batch);
        Support::Yes
    }

    fn append_sync_from_threads(&mut self, parts: &[&[Record]]) -> Support {
        thread::scope(|scope| {
            for part in parts {
                scope.spawn(|| {
                    let connection = connect(&self.path);
                    set_sync(&connection, Sync::Yes);
                    insert(&connection, part, 1);
                });
            }
        });
        Support::Yes
    }

    fn replay(&mut self, visit: &mut Visit) -> Support {
        self.visit_rows("select json from events order by number", (), visit);
        Support::Yes
    }

    fn aggregate(&mut self, id: u64, visit: &mut Visit) -> Support {
        self.visit_rows("select json from events where aggregate = ?1 order by number", (id.cast_signed(),), visit);
        Support::Yes
    }

    fn verify(&mut self) -> Support {
        let found: String = self.connection.query_row("pragma integrity_check", (), |row| row.get(0)).unwrap();
        assert_eq!(found, "ok");
        Support::Yes
    }
}
