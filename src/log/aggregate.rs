//! One aggregate's events, through the index, each verified against the frame it is said to be.

use super::EventLog;
use crate::StorageError;
use crate::format::{EventView, StoredEvent, gap};
use crate::index::IndexFault;
use crate::inspect::LogView;

/// The events of one aggregate, in order. A frame that the index knows to be the aggregate's and that is damaged, fenced
/// off or another's is an error item, and the iterator goes on.
#[derive(Debug)]
pub struct AggregateEvents {
    view: LogView,
    id: u64,
    offsets: std::vec::IntoIter<u64>,
    buf: Vec<u8>,
}

impl EventLog {
    /// All events of an aggregate, in order; none when there is no such aggregate.
    ///
    /// Costs the reads of its own frames where the index covers the log, and one pass over the rest.
    ///
    /// # Errors
    /// `LostEvent` naming the first frame known to be the aggregate's that is damaged or fenced off; as
    /// [`EventLog::index`].
    pub fn load_aggregate(&mut self, id: u64) -> Result<Vec<StoredEvent>, StorageError> {
        self.aggregate_events(id)?.collect()
    }

    /// The same as an iterator, which tells such a frame and goes on.
    ///
    /// # Errors
    /// As [`EventLog::index`].
    pub fn aggregate_events(&mut self, id: u64) -> Result<AggregateEvents, StorageError> {
        let offsets = match self.aggregate_offsets(id) {
            Err(IndexFault::Io(error)) => return Err(error),
            Err(IndexFault::Corrupt(reason)) => {
                // Found broken only now, behind its head: the log itself answers.
                self.view.mark_index_corrupt(reason);
                self.rebuild_index_from(0)?;
                self.aggregate_offsets(id).map_err(|fault| fault.into_error(self.view.index_path()))?
            }
            answer => answer.map_err(|fault| fault.into_error(self.view.index_path()))?,
        };
        Ok(AggregateEvents { view: self.view.clone(), id, offsets: offsets.into_iter(), buf: Vec::new() })
    }

    fn aggregate_offsets(&mut self, id: u64) -> Result<Vec<u64>, IndexFault> {
        let index = self.index().map_err(IndexFault::Io)?;
        index.offsets(id)?.collect()
    }
}

impl AggregateEvents {
    fn read_event(&mut self, offset: u64) -> Result<StoredEvent, StorageError> {
        let log = self.view.log();
        let found = match log.read_frame_at(offset, &mut self.buf)? {
            Some(frame) => match EventView::parse(frame.payload(), log.version()) {
                Ok(event) if event.aggregate_id() == Some(self.id) => return Ok(event.to_stored(offset)),
                Ok(event) => match event.aggregate_id() {
                    Some(other) => format!("an event of aggregate {other}"),
                    None => "an event of no aggregate".into(),
                },
                Err(_) if gap::is_gap(frame.payload()) => "a gap: it was fenced off".into(),
                Err(invalid) => format!("a frame that is no event ({})", invalid.reason),
            },
            None => "no valid frame: it is damaged".into(),
        };
        Err(StorageError::IndexedEventMissing { path: log.path().to_owned(), aggregate: self.id, offset, found })
    }
}

impl Iterator for AggregateEvents {
    type Item = Result<StoredEvent, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offsets.next()?;
        Some(self.read_event(offset))
    }
}
