//! [`AggregateEvents`]: the events of one aggregate, found through the index and checked against the frames in the log.

use super::EventLog;
use crate::StorageError;
use crate::file::FrameReader;
use crate::format::StoredEvent;
use crate::index::{IndexFault, IndexState};
use crate::inspect::{FrameContent, LogView, classify_frame};

/// Iterates over the events of one aggregate, in log order.
///
/// An item is an error when the index lists an event of the aggregate at an offset and the log no longer has that
/// event: its frame is damaged, or a repair has replaced it with a gap. The iterator then continues with the next
/// event.
#[derive(Debug)]
pub struct AggregateEvents {
    view: LogView,
    id: u64,
    offsets: std::vec::IntoIter<u64>,
    frames: FrameReader,
}

impl EventLog {
    /// Loads all events of an aggregate, in log order. The result is empty when the log has no such aggregate.
    ///
    /// In the part of the log that the index covers, only the frames of the aggregate are read. The part that it does
    /// not cover is read once, and [`EventLog::index`] keeps the result in memory.
    ///
    /// # Errors
    /// `IndexedEventMissing` for the first event of the aggregate that is damaged or was replaced with a gap; the
    /// errors of [`EventLog::index`].
    pub fn load_aggregate(&self, id: u64) -> Result<Vec<StoredEvent>, StorageError> {
        self.aggregate_events(id)?.collect()
    }

    /// Iterates over the events of an aggregate, in log order. An event that is damaged or was replaced with a gap is
    /// an `IndexedEventMissing` item, after which the iterator continues.
    ///
    /// The iterator does not borrow the log. It yields the events that were in the log when the iterator was created.
    ///
    /// # Errors
    /// The errors of [`EventLog::index`].
    pub fn aggregate_events(&self, id: u64) -> Result<AggregateEvents, StorageError> {
        let offsets = match self.aggregate_offsets(id) {
            Err(fault @ IndexFault::Corrupt(_)) => {
                // Opening the log checked only the header of the index file. The index is corrupt elsewhere, so it is
                // rebuilt from the log.
                self.mark_index_unusable(IndexState::from_fault(fault));
                self.reindex_from(0)?;
                self.aggregate_offsets(id)
            }
            // The index of a segment was saved again or removed by another process.
            Err(fault) if fault.is_stale() => {
                self.forget_index();
                self.aggregate_offsets(id)
            }
            offsets => offsets,
        };
        let offsets = offsets.map_err(|fault| fault.into_error(self.view.index_path()))?;
        Ok(AggregateEvents {
            view: self.view.clone(),
            id,
            offsets: offsets.into_iter(),
            frames: FrameReader::default(),
        })
    }

    fn aggregate_offsets(&self, id: u64) -> Result<Vec<u64>, IndexFault> {
        self.index()?.offsets(id)?.collect()
    }
}

impl AggregateEvents {
    fn read_event(&mut self, offset: u64) -> Result<StoredEvent, StorageError> {
        let log = self.view.log();
        let found = match self.frames.read(log, offset, self.offsets.as_slice())? {
            Some(frame) => match classify_frame(&frame, log.version()) {
                FrameContent::Event(event) => match event.aggregate_id() {
                    Some(id) if id == self.id => return Ok(event.to_stored(offset)),
                    Some(other) => format!("an event of aggregate {other}"),
                    None => "an event of no aggregate".into(),
                },
                FrameContent::Gap => "a gap: a repair has replaced the event".into(),
                FrameContent::InvalidEvent(error) => format!("a frame that is no event ({})", error.reason),
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
