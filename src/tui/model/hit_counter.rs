//! What is gathered behind the screen: hits of the filter and of the search, and the questions that wait for them.

use super::Model;
use super::ScanState;
use crate::query::{Direction, Filter, Hits, SearchPattern};
use crate::report::units::{format_count, format_number};
use crate::tui::effect::{Request, WorkerKind};
use crate::tui::message::SessionTime;

/// Bytes of the log that the hits worker reads between two updates of the screen, unless the options say otherwise.
pub(crate) const DEFAULT_HIT_SLICE_BYTES: u64 = 16 << 20;

/// Hits that are being gathered.
#[derive(Debug, Clone)]
pub(crate) struct HitCounter {
    /// Of what is shown,
    pub(crate) filter: Filter,
    /// or searched among that.
    pub(crate) pattern: Option<SearchPattern>,
    /// Those that are known.
    pub(crate) hits: Hits,
    /// How it stands.
    pub(crate) state: HitCounterState,
    /// When it was started.
    pub(crate) started: SessionTime,
}

/// How gathering stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HitCounterState {
    /// It goes on when there is more to look at.
    Ready,
    /// A slice is being looked at.
    InProgress,
    /// A slice had nothing new in a log of so many bytes.
    Idle(u64),
    /// The user stopped it, or the log cannot be read.
    Stopped,
}

/// Hits of the filter and of the search, and who waits for them.
#[derive(Debug, Clone)]
pub(crate) struct HitCounters {
    /// The filter's, and the search's, the one that was started last at the end.
    pub(crate) counters: Vec<HitCounter>,
    /// Questions that they are about to answer, at most one in a lane.
    pub(crate) deferred: Vec<(WorkerKind, Request)>,
    /// Bytes of the log that the hits worker reads between two updates of the screen.
    pub(crate) slice_bytes: u64,
}

impl HitCounter {
    /// True when a log of `bytes` has more to look at.
    pub(crate) fn has_more(&self, bytes: u64) -> bool {
        self.state != HitCounterState::Stopped
            && self.state != HitCounterState::Idle(bytes)
            && !self.hits.is_full()
            && !self.hits.is_complete(bytes)
    }

    /// True when what lies that way can be asked for: it is known, or will not be in a moment.
    pub(crate) fn can_answer(&self, from: u64, direction: Direction, bytes: u64) -> bool {
        !self.has_more(bytes) || self.hits.can_answer(from, direction, bytes)
    }

    /// True when all was looked at and nothing found.
    pub(crate) fn has_no_hits(&self, bytes: u64) -> bool {
        self.hits.is_complete(bytes) && self.hits.len() == 0
    }

    /// How many there are and the number of the one at a place, in words.
    pub(crate) fn summary(&self, place: u64, bytes: u64) -> String {
        let nth = self.hits.ordinal(place).map(|nth| format_number(nth) + " of ").unwrap_or_default();
        let hits = format_count(self.hits.len(), "hit");
        if self.hits.is_full() {
            format!("{nth}{hits} kept, more behind")
        } else if self.hits.is_complete(bytes) {
            format!("{nth}{hits}")
        } else {
            let stopped = if self.state == HitCounterState::Stopped { ", stopped" } else { "" };
            format!("{nth}{hits} so far{stopped}")
        }
    }

    /// What it is called.
    pub(crate) fn job_name(&self) -> String {
        match &self.pattern {
            Some(pattern) => format!("counting {}", pattern.text()),
            None => format!("filtering {}", self.filter.text()),
        }
    }
}

impl HitCounters {
    /// No counters yet; each request to the worker reads up to `slice_bytes`.
    pub(crate) const fn new(slice_bytes: u64) -> Self {
        Self { counters: Vec::new(), deferred: Vec::new(), slice_bytes }
    }

    /// The hits of what a filter shows and a pattern matches.
    pub(crate) fn find(&self, filter: &Filter, pattern: Option<&SearchPattern>) -> Option<&HitCounter> {
        self.counters.iter().find(|gather| gather.hits.matches_query(filter, pattern))
    }
}

impl Model {
    /// True when the log may be read where nobody looks: what stops the scan stops this too.
    pub(crate) fn can_read_in_background(&self) -> bool {
        !matches!(self.scan.state, ScanState::Off | ScanState::Stopped)
    }

    /// The hits that are gathered for the filter.
    pub(crate) fn filter_counter(&self) -> Option<&HitCounter> {
        self.hit_counters.find(&self.list.filter, None)
    }

    /// The hits that are gathered for the search.
    pub(crate) fn search_counter(&self) -> Option<&HitCounter> {
        let (_, pattern) = self.search.as_ref()?;
        self.hit_counters.find(&self.list.filter, Some(pattern))
    }
}
