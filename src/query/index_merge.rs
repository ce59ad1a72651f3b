//! Merges the offsets and ranges that an index lists into ascending order.

use std::iter::{self, Peekable};

use crate::index::{AggregateIndex, IndexFault};

/// Ascending items that are read from an index. Items after the first error must not be used.
pub(super) type IndexIterator<'a, T> = Box<dyn Iterator<Item = Result<T, IndexFault>> + 'a>;

/// Returns the offsets of an aggregate's events, ascending. When they cannot be read, the only item is the error.
pub(super) fn aggregate_offsets(index: &AggregateIndex, aggregate: u64) -> IndexIterator<'_, u64> {
    match index.offsets(aggregate) {
        Ok(offsets) => Box::new(offsets),
        Err(fault) => Box::new(iter::once(Err(fault))),
    }
}

/// Merges sources that are ascending by `start` into one. An error comes before the items of the other sources.
pub(super) fn merge_ascending<'a, T: 'a>(
    sources: Vec<IndexIterator<'a, T>>,
    start: impl Fn(&T) -> u64 + 'a,
) -> IndexIterator<'a, T> {
    let mut sources: Vec<_> = sources.into_iter().map(Iterator::peekable).collect();
    Box::new(iter::from_fn(move || {
        let next_start = |source: &mut Peekable<IndexIterator<'a, T>>| Some(source.peek()?.as_ref().map_or(0, &start));
        let heads = sources.iter_mut().filter_map(|source| Some((next_start(source)?, source)));
        heads.min_by_key(|(start, _)| *start)?.1.next()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_merged_in_order_and_an_error_comes_first() {
        let source = |items: &'static [u64]| -> IndexIterator<'static, u64> { Box::new(items.iter().copied().map(Ok)) };
        let sources = vec![source(&[2, 7]), source(&[]), source(&[1, 2, 9])];
        let merged: Vec<u64> = merge_ascending(sources, |item| *item).map(Result::unwrap).collect();
        assert_eq!(merged, [1, 2, 2, 7, 9]);
        let broken: IndexIterator<u64> = Box::new(iter::once(Err(IndexFault::Missing)));
        assert!(merge_ascending(vec![source(&[1]), broken], |item| *item).next().unwrap().is_err());
    }
}
