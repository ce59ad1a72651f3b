//! Search: the next event whose stored JSON holds a text, or matches a pattern.

use std::ops::ControlFlow;

use super::blocks::Blocks;
use super::filter::{Filter, FilterError};
use super::look::Look;
use super::page::Direction;
use super::text::Needle;
use super::walk::{Meter, Sight};
use crate::StorageError;
use crate::index::AggregateIndex;
use crate::inspect::LogView;

/// What is searched for. Smart case: all in lower case, it matches any case.
#[derive(Debug, Clone)]
pub struct Pattern {
    needle: Needle,
    text: String,
}

impl Pattern {
    /// Reads what was typed: a plain text, or a regular expression between slashes, `/am.unt/`.
    ///
    /// # Errors
    /// An empty text, or an expression that is none.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let error = |reason| FilterError { word: text.to_owned(), at: 0, reason };
        let pattern = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|inner| !inner.is_empty());
        let needle = match pattern {
            Some(pattern) => Needle::pattern(pattern),
            None if text.is_empty() => Err("expected a text, or /a pattern/".into()),
            None => Needle::text(text),
        };
        Ok(Self { needle: needle.map_err(error)?, text: text.to_owned() })
    }

    /// As typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when it is in `bytes`.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.needle.is_in(bytes)
    }
}

/// The start of the nearest event that matches and that `filter` shows: forward the first that reaches behind `from`,
/// backward the last that ends at or before it; `None` when there is none.
///
/// Streams, passing over the blocks that `index` rules out by the filter, and tells `on` where it is about every mebibyte.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read.
pub fn find(
    view: &LogView,
    index: Option<&AggregateIndex>,
    pattern: &Pattern,
    filter: &Filter,
    from: u64,
    direction: Direction,
    on: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Option<u64>, StorageError> {
    let sight = Sight { filter, pattern: Some(pattern) };
    let mut meter = Meter::new(on);
    let blocks = Blocks::of(view.log(), index, filter);
    let look = Look::at(view, sight)?.but_for(&blocks);
    let found = match direction {
        Direction::Forward => look.forth(from, 1, &mut meter)?,
        Direction::Backward => look.back(from, view.log().first_frame(), 1, &mut meter)?,
    };
    Ok(found.rows.front().map(|row| row.start))
}
