//! Pages: some rows around a place, from the log or through the index, and the row at a place.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::blocks::Blocks;
use super::filter::Filter;
use super::known::Known;
use super::look::{Found, Look};
use super::row::{Page, Row};
use super::walk::{Meter, Sight};
use crate::StorageError;
use crate::index::{AggregateIndex, IndexFault};
use crate::inspect::LogView;

/// Which rows a page is to have.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The place they lie around, in bytes of the file; any number. The row that covers it counts as lying behind it.
    pub from: u64,
    /// Where they lie.
    pub direction: Direction,
    /// How many there may be.
    pub limit: usize,
    /// Which are shown.
    pub filter: &'a Filter,
}

/// Where rows lie, seen from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Those that start at or after it, and the one that it lies in.
    Forward,
    /// All others: those that end at or before it.
    Backward,
}

/// The rows nearest to a place.
///
/// Without a filter it costs the reading around the place, and 250 ms more where the page reaches an end of the log that
/// is damaged or unfinished: it is looked at twice. With a filter the log is scanned until the page is full, and `on` is
/// told the place about every mebibyte; where the filter names aggregates, `index` leads to their events as far as it
/// covers the log, and where it names types, namespaces, schemas, times or offsets, blocks that `index` rules out are
/// passed over. An index knows the damage that was there when it was built.
///
/// Forward and backward from one place, every row is on one page: the row without bytes, at the end of a log that lost
/// its end without a trace, lies behind that end. `at_start` and `at_end` are false also where it is not known, under a
/// filter, and backward from that end.
///
/// # Errors
/// `Stopped` when `on` breaks; `Io`, `Changed`, `Memory` when the log cannot be read, or `Io` its index.
pub fn page(
    view: &LogView,
    index: Option<&AggregateIndex>,
    ask: &Ask,
    on: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Page, StorageError> {
    if ask.limit == 0 {
        return Ok(Page::default());
    }
    let sight = Sight { filter: ask.filter, pattern: None };
    let look = Look::at(view, sight)?;
    let mut meter = Meter::new(on);
    if let Some(index) = index
        && let Some(known) = Known::of(look, index)?
    {
        match ask_known(&look, &known, ask, &mut meter) {
            Ok(page) => return Ok(page),
            Err(IndexFault::Io(error)) => return Err(error),
            // Found broken only now, behind its head: the log itself answers.
            Err(_) => {}
        }
    }
    let blocks = Blocks::of(view.log(), index, ask.filter);
    let look = look.but_for(&blocks);
    match ask.direction {
        Direction::Forward => forward(&look, ask, |limit| look.forth(ask.from, limit, &mut meter)),
        Direction::Backward => {
            let floor = view.log().first_frame();
            backward(&look, ask, |limit| look.back(ask.from, floor, limit, &mut meter))
        }
    }
}

/// The row that covers `offset`; at the end of a log that lost its end, the one that says so.
///
/// # Errors
/// As [`page`].
pub fn row_at(view: &LogView, offset: u64) -> Result<Option<Row>, StorageError> {
    let ask = Ask { from: offset, direction: Direction::Forward, limit: 1, filter: &Filter::default() };
    let page = page(view, None, &ask, &mut |_| ControlFlow::Continue(()))?;
    Ok(page.rows.into_iter().next())
}

pub(super) fn ask_known(look: &Look, known: &Known, ask: &Ask, meter: &mut Meter) -> Result<Page, IndexFault> {
    match ask.direction {
        Direction::Forward => forward(look, ask, |limit| known.forth(ask.from, limit, meter)),
        Direction::Backward => backward(look, ask, |limit| known.back(ask.from, limit, meter)),
    }
}

/// The header where it belongs, and behind it the rows that `rest` finds, as many as it is told.
fn forward<E>(look: &Look, ask: &Ask, rest: impl FnOnce(usize) -> Result<Found, E>) -> Result<Page, E> {
    let header = look.header();
    let first = header.as_ref().map_or(look.view.log().first_frame(), |row| row.start);
    let mut rows: Vec<Row> = header.into_iter().filter(|row| ask.from < row.end).collect();
    let found = rest(ask.limit - rows.len())?;
    let at_start = ask.from <= first || !rows.is_empty();
    rows.extend(found.rows);
    Ok(Page { rows, at_start, at_end: found.complete })
}

/// The rows that `rest` finds, and before them the header where there is room for it.
fn backward<E>(look: &Look, ask: &Ask, rest: impl FnOnce(usize) -> Result<Found, E>) -> Result<Page, E> {
    let Found { mut rows, complete } = rest(ask.limit)?;
    let header = look.header().filter(|row| row.end <= ask.from);
    let fits = rows.len() < ask.limit;
    let at_start = complete && (header.is_none() || fits);
    if let Some(header) = header.filter(|_| complete && fits) {
        rows.push_front(header);
    }
    let rows: Vec<Row> = VecDeque::into(rows);
    let at_end = ask.from > look.end || (ask.from == look.end && !look.is_cut());
    Ok(Page { rows, at_start, at_end })
}
