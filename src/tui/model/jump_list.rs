//! The places that jumps have left, in order, and the marks that the user has set.

use std::collections::BTreeMap;

use super::{Model, Pane, Tab};
use crate::query::Filter;

/// Largest number of places that are kept.
const MAX_PLACES: usize = 100;

/// A place on the screen that can be returned to.
#[derive(Debug, Clone)]
pub(crate) struct JumpPlace {
    /// The tab.
    pub(crate) tab: Tab,
    /// The pane that had the focus.
    pub(crate) focus: Pane,
    /// The filter of the events.
    pub(crate) filter: Filter,
    /// Offset of the row that was selected in the events.
    pub(crate) offset: u64,
}

/// The places that jumps have left, and the position among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct JumpList {
    places: Vec<JumpPlace>,
    /// Number of places before the present one. Places from there on were left by going back.
    position: usize,
    /// The marks that the user has set.
    pub(crate) marks: BTreeMap<char, JumpPlace>,
}

impl JumpPlace {
    /// Returns whether two places are the same tab, filter and row. The focus may differ.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.tab == other.tab && self.offset == other.offset && self.filter.is_same(&other.filter)
    }
}

impl JumpList {
    /// Records the place that a jump leaves. The places that were left by going back are dropped.
    pub(crate) fn record(&mut self, place: JumpPlace) {
        self.places.truncate(self.position);
        self.push(place);
    }

    fn push(&mut self, place: JumpPlace) {
        if self.places.last().is_none_or(|last| !last.is_same(&place)) {
            self.places.push(place);
        }
        if self.places.len() > MAX_PLACES {
            self.places.remove(0);
        }
        self.position = self.places.len();
    }

    /// Returns the place before the present one, and makes it the present one. `current` is kept to go forward to.
    pub(crate) fn go_back(&mut self, current: JumpPlace) -> Option<JumpPlace> {
        let is_newest = self.position == self.places.len();
        let mut target = self.position.checked_sub(1)?;
        // The place that the last jump left may be the present one.
        if is_newest && self.places.get(target).is_some_and(|place| place.is_same(&current)) {
            target = target.checked_sub(1)?;
        } else if is_newest {
            self.push(current);
            target = self.places.len().checked_sub(2)?;
        }
        self.position = target;
        self.places.get(target).cloned()
    }

    /// Returns the place after the present one, and makes it the present one.
    pub(crate) fn go_forward(&mut self) -> Option<JumpPlace> {
        let place = self.places.get(self.position + 1).cloned()?;
        self.position += 1;
        Some(place)
    }
}

impl Model {
    /// Records the present place before a jump leaves it.
    pub(crate) fn record_place(&mut self) {
        let place = self.current_place();
        self.jump_list.record(place);
    }

    /// Returns the place that is shown, or the one that is about to be shown.
    pub(crate) fn current_place(&self) -> JumpPlace {
        JumpPlace {
            tab: self.tab,
            focus: self.focus,
            filter: self.list.filter.clone(),
            offset: self.list.target_offset().unwrap_or_else(|| self.list.selected_offset()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: u64) -> JumpPlace {
        JumpPlace { tab: Tab::Events, focus: Pane::Main, filter: Filter::default(), offset }
    }

    /// Returns a list of the jumps 0 → 10 → 20, which is now at 30.
    fn three_jumps() -> JumpList {
        let mut list = JumpList::default();
        for offset in [0, 10, 20] {
            list.record(place(offset));
        }
        list
    }

    fn offset(place: Option<JumpPlace>) -> Option<u64> {
        place.map(|place| place.offset)
    }

    #[test]
    fn going_back_and_forward_walks_the_places_in_order() {
        let mut list = three_jumps();
        assert_eq!(offset(list.go_forward()), None);
        for (from, to) in [(30, Some(20)), (20, Some(10)), (10, Some(0)), (0, None)] {
            assert_eq!(offset(list.go_back(place(from))), to);
        }
        for to in [Some(10), Some(20), Some(30), None] {
            assert_eq!(offset(list.go_forward()), to);
        }
        assert_eq!(offset(list.go_back(place(30))), Some(20));
    }

    #[test]
    fn a_jump_after_going_back_drops_the_places_after_it() {
        let mut list = three_jumps();
        assert_eq!(offset(list.go_back(place(30))), Some(20));
        assert_eq!(offset(list.go_back(place(20))), Some(10));
        list.record(place(10));
        assert_eq!(offset(list.go_forward()), None);
        assert_eq!(offset(list.go_back(place(99))), Some(10));
        assert_eq!(offset(list.go_back(place(10))), Some(0));
    }

    #[test]
    fn a_place_is_not_listed_twice_in_a_row_and_the_list_is_bounded() {
        let mut list = JumpList::default();
        list.record(place(5));
        list.record(place(5));
        assert_eq!(list.places.len(), 1);
        assert_eq!(offset(list.go_back(place(5))), None, "the only place is the present one");
        (0..1000).for_each(|offset| list.record(place(offset)));
        assert_eq!(list.places.len(), MAX_PLACES);
        assert_eq!(offset(list.go_back(place(1000))), Some(999));
    }
}
