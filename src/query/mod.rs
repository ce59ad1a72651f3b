//! Queries on a log: filters, search, jumps, pages of rows, the details of one row, the history and the state of an
//! aggregate, statistics and timelines.
//!
//! Start with [`Filter::parse`] and [`read_page`]. A page is read from the log itself; an index only shows which parts of
//! the log need not be read. Memory use is one page, the offsets of [`Hits`] when they are collected, and a bounded number of
//! groups and intervals for [`Statistics`] and [`Timeline`].
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("accounts.log");
//! use std::ops::ControlFlow;
//!
//! use chronicle::query::{Filter, PageRequest, ReadStart, read_page};
//! use chronicle::{Event, EventLog};
//!
//! let mut log = EventLog::create(&path)?;
//! for (kind, id) in [("Created", 42), ("Created", 7), ("Updated", 42)] {
//!     let event = Event::builder().event_type(kind).namespace("accounts").schema_id("Person").schema_version(1);
//!     log.append(&event.aggregate_id(id).payload_json("{}").build()?)?;
//! }
//! let filter = Filter::parse("agg:42 type:Updated", 0)?;
//! let request = PageRequest::new(&filter, ReadStart::forward(0), 10);
//! let page = read_page(log.view(), None, &request, &mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(page.rows.len(), 1);
//! # Ok(())
//! # }
//! ```

mod aggregate_history;
mod aggregate_state;
mod block_conditions;
mod block_pruner;
mod counted_blocks;
mod event_fold;
mod event_numbers;
mod event_selection;
mod event_tally;
mod event_times;
mod filter;
mod filter_completion;
mod filter_operators;
mod filter_parser;
mod filter_path;
mod filter_term;
mod filter_terms;
mod filter_values;
mod filter_word;
mod group_by;
mod group_table;
#[cfg(feature = "app")]
mod highlight;
mod hits;
mod index_merge;
mod indexed_reader;
mod json_tokens;
mod jump;
mod known_names;
mod listed_hits;
mod log_reader;
mod merge_patch;
mod name_pattern;
mod nearest_keyword;
mod number_set;
mod offset_input;
mod offset_list;
mod page;
mod payload_excerpt;
mod payload_path;
mod progress_meter;
mod quotes;
mod read_plan;
mod row;
mod row_details;
mod row_filter;
mod row_fix;
mod row_scanner;
mod search;
mod search_pattern;
mod slashed_pattern;
mod statistics;
#[cfg(feature = "app")]
mod stored_value;
mod syntax_error;
mod term_value;
mod text_matcher;
mod time_histogram;
mod time_input;
mod time_series;
mod timeline;
mod timeline_interval;
mod timeline_totals;
mod word_fault;

#[cfg(feature = "app")]
pub(crate) use aggregate_history::MAX_TOKEN_CHARS;
#[cfg(feature = "app")]
pub(crate) use aggregate_history::diff_payloads;
pub use aggregate_history::{AggregateHistory, HistoryEntry, PayloadDifference, read_aggregate_history};
pub use aggregate_state::{AggregateState, read_aggregate_state};
pub use block_pruner::BlockPruner;
#[cfg(feature = "app")]
pub(crate) use event_numbers::events_before;
pub use event_numbers::number_events;
pub use event_selection::{SelectedOffsets, select_events};
pub use event_tally::EventTally;
pub use event_times::EventTimes;
pub use filter::{Filter, FindingRows};
#[cfg(feature = "app")]
pub(crate) use filter_completion::{FilterCompletion, complete_filter};
pub use filter_operators::{FILTER_OPERATORS, FilterOperatorSpec};
pub use filter_terms::{FILTER_TERMS, FilterTermSpec, IndexUse};
pub use group_by::{GroupBy, GroupKey, time_span_words, written_since_word};
#[cfg(feature = "app")]
pub(crate) use highlight::Highlighter;
pub use hits::{Hits, MAX_HITS};
#[cfg(feature = "app")]
pub(crate) use json_tokens::JsonTokens;
pub use jump::{JumpTarget, resolve_jump, resolve_jump_or_last_row};
#[cfg(feature = "app")]
pub(crate) use known_names::{KnownNames, UnknownName};
#[cfg(feature = "app")]
pub(crate) use nearest_keyword::nearest_keyword;
#[cfg(feature = "app")]
pub(crate) use offset_input::parse_offset;
pub use page::{PageRequest, read_page, read_row_at};
pub use payload_excerpt::{ExcerptRequest, PayloadExcerpt};
pub use payload_path::PayloadPath;
#[cfg(feature = "app")]
pub(crate) use read_plan::PlannedRange;
pub use read_plan::ReadPlan;
pub use row::{Direction, EventSummary, LogRow, ReadStart, RowContent, RowPage};
pub use row_details::{
    DamagedPayload, FieldSpan, FrameDetails, HeaderDecodeState, HeaderDetails, IndexEntryStatus, RowDetails,
    read_row_details,
};
pub use row_fix::find_fix;
pub use search::{SearchRequest, find_match};
pub use search_pattern::SearchPattern;
pub use statistics::{Statistics, StatisticsDetail, StatisticsGroup, StatisticsOptions, collect_statistics};
#[cfg(feature = "app")]
pub(crate) use stored_value::{StoredValue, unescape_token};
pub use syntax_error::QuerySyntaxError;
pub use time_histogram::TimeHistogram;
pub use time_input::TimeContext;
#[cfg(feature = "app")]
pub(crate) use time_input::parse_span_ms;
#[cfg(feature = "app")]
pub(crate) use timeline::readable_width;
pub use timeline::{Timeline, TimelineOptions, extend_timeline, read_timeline};
pub use timeline_interval::TimelineInterval;
