//! Chronicle, with an index that is kept up to date while the log is open.

use std::ops::ControlFlow;
use std::path::Path;
use std::thread;

use chronicle::{Durability, Event, EventLog, SurveyOptions, survey};

use crate::record::Record;
use crate::store::{Store, Support, Sync, Visit};

struct Log(EventLog);

pub(crate) fn open(folder: &Path) -> Box<dyn Store> {
    Box::new(Log(EventLog::open_or_create(folder.join("events.log")).unwrap()))
}

impl Store for Log {
    fn append(&mut self, records: &[Record], batch: usize, sync: Sync) -> Support {
        if batch == 1 {
            for record in records {
                match sync {
                    Sync::No => self.0.append(&record.event).unwrap(),
                    Sync::Yes => self.0.append_sync(&record.event).unwrap(),
                };
            }
            return Support::Yes;
        }
        let durability = if sync == Sync::Yes { Durability::Synced } else { Durability::Buffered };
        let events: Vec<Event> = records.iter().map(|record| record.event.clone()).collect();
        for part in events.chunks(batch) {
            self.0.append_batch(part, durability).unwrap();
        }
        Support::Yes
    }

    fn append_sync_from_threads(&mut self, parts: &[&[Record]]) -> Support {
        thread::scope(|scope| {
            for part in parts {
                let writer = self.0.shared_writer().unwrap();
                scope.spawn(move || {
                    for record in *part {
                        writer.append_sync(&record.event).unwrap();
                    }
                });
            }
        });
        Support::Yes
    }

    fn replay(&mut self, visit: &mut Visit) -> Support {
        let mut replay = self.0.replay(0).unwrap();
        while let Some(event) = replay.next_event() {
            visit(event.unwrap().event.json().as_bytes());
        }
        Support::Yes
    }

    fn aggregate(&mut self, id: u64, visit: &mut Visit) -> Support {
        for event in self.0.load_aggregate(id).unwrap() {
            visit(event.json().as_bytes());
        }
        Support::Yes
    }

    fn verify(&mut self) -> Support {
        let found = survey(self.0.view(), &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(found.damage_total, 0);
        Support::Yes
    }
}
