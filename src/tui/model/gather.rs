//! What is gathered behind the screen: hits of the filter and of the search, and the questions that wait for them.

use super::Model;
use super::ScanState;
use crate::query::{Direction, Filter, Hits, Pattern};
use crate::report::units::{count, exact};
use crate::tui::effect::{Ask, Lane};
use crate::tui::message::Moment;

/// Bytes of the log that are looked at between two showings; few in tests, whose logs are short.
pub(crate) const SLICE: u64 = if cfg!(test) { 1 << 20 } else { 16 << 20 };

/// Hits that are being gathered.
#[derive(Debug, Clone)]
pub(crate) struct Gather {
    /// Of what is shown,
    pub(crate) filter: Filter,
    /// or searched among that.
    pub(crate) pattern: Option<Pattern>,
    /// Those that are known.
    pub(crate) hits: Hits,
    /// How it stands.
    pub(crate) state: Gathering,
    /// When it was started.
    pub(crate) started: Moment,
}

/// How gathering stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gathering {
    /// It goes on when there is more to look at.
    Due,
    /// A slice is being looked at.
    Asked,
    /// A slice had nothing new in a log of so many bytes.
    Idle(u64),
    /// The user stopped it, or the log cannot be read.
    Stopped,
}

/// Hits of the filter and of the search, and who waits for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gathers {
    /// The filter's, and the search's, the one that was started last at the end.
    pub(crate) all: Vec<Gather>,
    /// Questions that they are about to answer, at most one in a lane.
    pub(crate) held: Vec<(Lane, Ask)>,
}

impl Gather {
    /// True when a log of `bytes` has more to look at.
    pub(crate) fn has_more(&self, bytes: u64) -> bool {
        self.state != Gathering::Stopped
            && self.state != Gathering::Idle(bytes)
            && !self.hits.is_full()
            && !self.hits.is_through(bytes)
    }

    /// True when what lies that way can be asked for: it is known, or will not be in a moment.
    pub(crate) fn is_ready(&self, from: u64, direction: Direction, bytes: u64) -> bool {
        !self.has_more(bytes) || self.hits.can_answer(from, direction, bytes)
    }

    /// True when all was looked at and nothing found.
    pub(crate) fn is_empty(&self, bytes: u64) -> bool {
        self.hits.is_through(bytes) && self.hits.len() == 0
    }

    /// How many there are and the number of the one at a place, in words.
    pub(crate) fn tally(&self, place: u64, bytes: u64) -> String {
        let nth = self.hits.ordinal(place).map(|nth| exact(nth) + " of ").unwrap_or_default();
        let hits = count(self.hits.len(), "hit");
        if self.hits.is_full() {
            format!("{nth}{hits} kept, more behind")
        } else if self.hits.is_through(bytes) {
            format!("{nth}{hits}")
        } else {
            let stopped = if self.state == Gathering::Stopped { ", stopped" } else { "" };
            format!("{nth}{hits} so far{stopped}")
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match &self.pattern {
            Some(pattern) => format!("counting {}", pattern.text()),
            None => format!("filtering {}", self.filter.text()),
        }
    }
}

impl Gathers {
    /// The hits of what a filter shows and a pattern matches.
    pub(crate) fn of(&self, filter: &Filter, pattern: Option<&Pattern>) -> Option<&Gather> {
        self.all.iter().find(|gather| gather.hits.are_of(filter, pattern))
    }
}

impl Model {
    /// True when the log may be read where nobody looks: what stops the scan stops this too.
    pub(crate) fn reads_behind(&self) -> bool {
        !matches!(self.scan.state, ScanState::Off | ScanState::Stopped)
    }

    /// The hits that are gathered for the filter.
    pub(crate) fn filter_hits(&self) -> Option<&Gather> {
        self.gathers.of(&self.list.filter, None)
    }

    /// The hits that are gathered for the search.
    pub(crate) fn search_hits(&self) -> Option<&Gather> {
        let (_, pattern) = self.search.as_ref()?;
        self.gathers.of(&self.list.filter, Some(pattern))
    }
}
