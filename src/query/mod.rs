//! What to show: the filter language, search, jumps, and pages of rows around a place, through the index where it can.
//!
//! Never holds more than a page, and never lets the index decide what an event says: each is read from the log.

mod row;

pub use row::{EventSummary, Page, Row, What};
