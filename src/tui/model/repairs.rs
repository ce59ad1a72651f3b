//! The log's medical record, as the Repairs tab shows it.

use super::tables::{Cursor, Source};
use crate::repair::Record;

/// The medical record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Repairs {
    /// The cursor in the records, the newest of which is the first line.
    pub(crate) cursor: Cursor,
    /// The records, oldest first.
    pub(crate) records: Vec<Record>,
    /// About files in the folder that are no journals of this log.
    pub(crate) notices: Vec<String>,
    /// Whether they were asked for.
    pub(crate) source: Source,
}

impl Repairs {
    /// Takes the record in.
    pub(crate) fn set(&mut self, records: Vec<Record>, notices: Vec<String>) {
        (self.records, self.notices, self.source) = (records, notices, Source::There);
        self.cursor.move_by(0, self.records.len());
    }

    /// The record of a line.
    pub(crate) fn at(&self, line: usize) -> Option<&Record> {
        self.records.iter().rev().nth(line)
    }
}
