//! Search: the next event whose stored JSON holds a text, or matches a pattern.

use std::ops::ControlFlow;

use super::block_pruner::BlockPruner;
use super::filter::{Filter, FilterError};
use super::log_reader::LogReader;
use super::page::Direction;
use super::row_scanner::{ProgressMeter, RowFilter};
use super::text_matcher::TextMatcher;
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// What is searched for. Smart case: all in lower case, it matches any case.
#[derive(Debug, Clone)]
pub struct SearchPattern {
    matcher: TextMatcher,
    text: String,
}

impl SearchPattern {
    /// Reads what was typed: a plain text, or a regular expression between slashes, `/am.unt/`.
    ///
    /// # Errors
    /// An empty text, or an expression that is none.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let error = |reason| FilterError { word: text.to_owned(), at: 0, reason };
        let pattern = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty());
        let needle = match pattern {
            Some(pattern) => TextMatcher::from_pattern(pattern),
            None if text.is_empty() => Err("expected a text, or /a pattern/".into()),
            None => TextMatcher::from_text(text),
        };
        Ok(Self { matcher: needle.map_err(error)?, text: text.to_owned() })
    }

    /// As typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when it is in `bytes`.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.matcher.is_match(bytes)
    }
}

/// The start of the nearest event that matches and that `filter` shows: forward the first that reaches behind `from`,
/// backward the last that ends at or before it; `None` when there is none.
///
/// Streams, passing over the blocks that `index` rules out by the filter, and tells `on` where it is about every mebibyte.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
pub fn find_match(
    view: &LogView,
    index: Option<&AggregateIndex>,
    pattern: &SearchPattern,
    filter: &Filter,
    from: u64,
    direction: Direction,
    on_progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<u64>, StorageError> {
    let row_filter = RowFilter { filter, pattern: Some(pattern) };
    let mut meter = ProgressMeter::new(on_progress);
    let pruner = BlockPruner::new(view.log(), index, filter);
    let reader = LogReader::new(view, row_filter)?.with_pruner(&pruner);
    let found = match direction {
        Direction::Forward => reader.read_forward(from, 1, &mut meter)?,
        Direction::Backward => reader.read_backward(from, view.log().first_frame_offset(), 1, &mut meter)?,
    };
    Ok(found.rows.front().map(|row| row.start))
}
