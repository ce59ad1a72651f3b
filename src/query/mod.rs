//! What to show: the filter language, search, jumps, and pages of rows around a place, through the index where it can.
//!
//! Never holds more than a page, and never lets the index decide what an event says: each is read from the log.

mod aggregate_history;
mod block_pruner;
mod filter;
mod filter_completion;
mod filter_path;
mod filter_term;
mod filter_terms;
mod filter_word;
mod hits;
mod index_merge;
mod indexed_reader;
mod json_tokens;
mod jump;
mod log_reader;
mod nearest_keyword;
mod offset_input;
mod offset_list;
mod page;
mod progress_meter;
mod read_plan;
mod row;
mod row_details;
mod row_filter;
mod row_fix;
mod row_scanner;
mod search;
mod search_pattern;
mod syntax_error;
mod text_matcher;
mod time_input;

pub use aggregate_history::{AggregateHistory, HistoryEntry, PayloadDifference, read_aggregate_history};
pub use block_pruner::BlockPruner;
pub use filter::Filter;
#[cfg(feature = "app")]
pub(crate) use filter_completion::{FilterCompletion, complete_filter};
pub use filter_terms::{FILTER_TERMS, FilterTermSpec, IndexUse};
pub use hits::{Hits, MAX_HITS};
#[cfg(feature = "app")]
pub(crate) use json_tokens::JsonTokens;
pub use jump::{JumpTarget, resolve_jump, resolve_jump_or_last_row};
#[cfg(feature = "app")]
pub(crate) use offset_input::parse_offset;
pub use page::{PageRequest, read_page, read_row_at};
pub use read_plan::ReadPlan;
pub use row::{Direction, EventSummary, LogRow, RowContent, RowPage};
pub use row_details::{
    FieldSpan, FrameDetails, HeaderDecodeState, HeaderDetails, IndexEntryStatus, RowDetails, read_row_details,
};
pub use row_fix::find_fix;
pub use search::find_match;
pub use search_pattern::SearchPattern;
pub use syntax_error::QuerySyntaxError;
