//! A range of whole numbers: the values that a filter term accepts for an id, a version, a time, an offset or a size.

use super::filter_operators::FilterOperator;

/// A range of whole numbers that includes both ends, or no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberSet {
    first: u64,
    last: u64,
    is_empty: bool,
}

impl NumberSet {
    /// Creates the set of the numbers from `first` to `last`, both included; empty when `last` is less.
    pub(super) const fn new(first: u64, last: u64) -> Self {
        Self { first, last, is_empty: first > last }
    }

    /// Creates the set of the numbers that are in this relation to a value, which spans `first..=last`.
    ///
    /// `Greater` accepts the numbers after the whole value, and `Less` those before it.
    pub(super) const fn compared(operator: FilterOperator, first: u64, last: u64) -> Self {
        match operator {
            FilterOperator::Greater if last == u64::MAX => Self::EMPTY,
            FilterOperator::Less if first == 0 => Self::EMPTY,
            FilterOperator::Greater => Self::new(last + 1, u64::MAX),
            FilterOperator::GreaterOrEqual => Self::new(first, u64::MAX),
            FilterOperator::Less => Self::new(0, first - 1),
            FilterOperator::LessOrEqual => Self::new(0, last),
            _ => Self::new(first, last),
        }
    }

    /// Returns the numbers of this set that are not less than `first`.
    pub(super) const fn starting_at(self, first: u64) -> Self {
        if self.is_empty { self } else { Self::new(if first > self.first { first } else { self.first }, self.last) }
    }

    const EMPTY: Self = Self { first: 0, last: 0, is_empty: true };

    /// True when the number is in the set.
    pub(super) const fn contains(&self, number: u64) -> bool {
        self.overlaps(number, number)
    }

    /// True when a number from `first` to `last`, both included, is in the set.
    pub(super) const fn overlaps(&self, first: u64, last: u64) -> bool {
        !self.is_empty && self.first <= last && first <= self.last
    }

    /// True when every number from `first` to `last`, both included, is in the set.
    pub(super) const fn includes(&self, first: u64, last: u64) -> bool {
        !self.is_empty && self.first <= first && last <= self.last
    }

    /// Returns the first and the last number of the set; `None` when it is empty.
    pub(super) fn bounds(&self) -> Option<(u64, u64)> {
        (!self.is_empty).then_some((self.first, self.last))
    }

    /// Returns the number when the set contains exactly one.
    pub(super) fn single(&self) -> Option<u64> {
        (self.first == self.last && !self.is_empty).then_some(self.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_accepts_the_numbers_in_its_relation_to_the_whole_value() {
        let accepted = |operator| {
            let set = NumberSet::compared(operator, 4, 6);
            (0..10).filter(|number| set.contains(*number)).collect::<Vec<u64>>()
        };
        assert_eq!(accepted(FilterOperator::Is), [4, 5, 6]);
        assert_eq!(accepted(FilterOperator::Less), [0, 1, 2, 3]);
        assert_eq!(accepted(FilterOperator::LessOrEqual), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(accepted(FilterOperator::Greater), [7, 8, 9]);
        assert_eq!(accepted(FilterOperator::GreaterOrEqual), [4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn nothing_is_less_than_zero_or_greater_than_the_largest_number() {
        for set in [
            NumberSet::compared(FilterOperator::Less, 0, 0),
            NumberSet::compared(FilterOperator::Greater, u64::MAX, u64::MAX),
            NumberSet::new(5, 4),
        ] {
            assert!(!set.overlaps(0, u64::MAX) && set.single().is_none(), "{set:?}");
        }
        assert_eq!(NumberSet::new(7, 7).single(), Some(7));
    }

    #[test]
    fn a_set_includes_the_ranges_between_its_ends() {
        let set = NumberSet::new(4, 6);
        assert!(set.includes(4, 6) && set.includes(5, 5) && !set.includes(3, 5) && !set.includes(5, 7));
        assert_eq!((set.bounds(), NumberSet::EMPTY.bounds()), (Some((4, 6)), None));
        assert!(!NumberSet::EMPTY.includes(0, 0));
    }
}
