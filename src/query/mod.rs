//! What to show: the filter language, search, jumps, and pages of rows around a place, through the index where it can.
//!
//! Never holds more than a page, and never lets the index decide what an event says: each is read from the log.

mod blocks;
mod filter;
mod filter_path;
mod filter_word;
mod hits;
mod jump;
mod known;
mod look;
mod page;
mod places;
mod reads;
mod row;
mod search;
mod text;
mod walk;
mod when;

pub use blocks::Blocks;
pub use filter::{Filter, FilterError};
pub use hits::{Hits, MAX_HITS};
pub use jump::{Jump, land, resolve};
pub use page::{Ask, Direction, page, row_at};
pub use reads::Reads;
pub use row::{EventSummary, Page, Row, What};
pub use search::{Pattern, find};
