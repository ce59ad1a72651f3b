//! Counters for the hits of the filter and of the search, which run in the background, and the requests that wait for
//! their hits.

use super::{Follow, Model, ScanState};
use crate::query::{Direction, Filter, Hits, SearchPattern};
use crate::report::units::{format_count, format_number};
use crate::tui::request::{Request, WorkerKind};
use crate::tui::session_time::SessionTime;

/// Bytes of the log that one request searches for hits. The screen shows the hits found so far after each request.
pub(crate) const DEFAULT_HIT_SLICE_BYTES: u64 = 16 << 20;

/// Counts the hits of a filter, or of a search among the rows of a filter.
#[derive(Debug, Clone)]
pub(crate) struct HitCounter {
    /// The filter whose rows are counted or searched.
    pub(crate) filter: Filter,
    /// The search pattern; `None` when the hits are those of the filter itself.
    pub(crate) pattern: Option<SearchPattern>,
    /// Hits counted so far.
    pub(crate) hits: Hits,
    /// The state of the counting.
    pub(crate) state: HitCounterState,
    /// The time at which the counting was started.
    pub(crate) started: SessionTime,
}

/// The state of a hit counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HitCounterState {
    /// No slice is being searched. The next one is requested when there is more to search.
    Ready,
    /// A slice is being searched.
    InProgress,
    /// The last request found nothing further to search in a log of this many bytes.
    Idle(u64),
    /// The user has stopped the counting, or reading the log has failed.
    Stopped,
}

/// A request that is sent once a hit counter can answer it.
#[derive(Debug, Clone)]
pub(crate) struct DeferredRequest {
    /// The worker to which it will be sent.
    pub(crate) worker: WorkerKind,
    /// The request to send.
    pub(crate) request: Request,
}

/// Whether a request can be answered without reading ranges that a hit counter is about to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HitReadiness {
    /// The request can be sent.
    Ready,
    /// The request has to wait for further hits.
    NotYet,
}

/// The hit counters, and the requests that wait for them.
#[derive(Debug, Clone)]
pub(crate) struct HitCounters {
    /// The counters of the filter and of the search, in the order in which they were started.
    pub(crate) counters: Vec<HitCounter>,
    /// Requests that wait for hits, at most one for each worker.
    pub(crate) deferred_requests: Vec<DeferredRequest>,
    /// Bytes of the log that one request searches.
    pub(crate) slice_bytes: u64,
}

impl HitCounter {
    /// Returns whether a log of `log_bytes` bytes has ranges that this counter still has to search.
    pub(crate) fn has_more(&self, log_bytes: u64) -> bool {
        self.state != HitCounterState::Stopped
            && self.state != HitCounterState::Idle(log_bytes)
            && !self.hits.is_full()
            && !self.hits.is_complete(log_bytes)
    }

    /// Returns whether a request for hits in a direction from an offset need not wait: the hits are known, or the
    /// counter has nothing further to search.
    pub(crate) fn can_answer(&self, from: u64, direction: Direction, log_bytes: u64) -> bool {
        !self.has_more(log_bytes) || self.hits.can_answer(from, direction, log_bytes)
    }

    /// Formats the number of hits, with the position of the hit at an offset: `3 of 20 hits so far`.
    pub(crate) fn summary(&self, offset: u64, log_bytes: u64) -> String {
        let nth = self.hits.ordinal(offset).map(|nth| format_number(nth) + " of ").unwrap_or_default();
        let hits = format_count(self.hits.len(), "hit");
        if self.hits.is_full() {
            format!("{nth}the first {hits}")
        } else if self.hits.is_complete(log_bytes) {
            format!("{nth}{hits}")
        } else {
            let stopped = if self.state == HitCounterState::Stopped { ", stopped" } else { "" };
            format!("{nth}{hits} so far{stopped}")
        }
    }

    /// Returns the name of the counting job.
    pub(crate) fn job_name(&self) -> String {
        match &self.pattern {
            Some(pattern) => format!("counting {}", pattern.text()),
            None => format!("filtering {}", self.filter.text()),
        }
    }
}

impl HitCounters {
    /// Creates an empty set of counters.
    pub(super) const fn new(slice_bytes: u64) -> Self {
        Self { counters: Vec::new(), deferred_requests: Vec::new(), slice_bytes }
    }

    /// Returns the counter of a filter, or of a search among its rows.
    pub(crate) fn find(&self, filter: &Filter, pattern: Option<&SearchPattern>) -> Option<&HitCounter> {
        self.counters.iter().find(|counter| counter.hits.matches_query(filter, pattern))
    }

    /// Returns the counter for which a slice is being searched.
    pub(crate) fn in_progress(&mut self) -> Option<&mut HitCounter> {
        self.counters.iter_mut().find(|counter| counter.state == HitCounterState::InProgress)
    }

    /// Stops the counter for which a slice is being searched.
    pub(crate) fn mark_stopped(&mut self) {
        if let Some(counter) = self.in_progress() {
            counter.state = HitCounterState::Stopped;
        }
    }

    /// Returns whether a request to a worker waits for hits.
    pub(crate) fn has_deferred(&self, worker: WorkerKind) -> bool {
        self.deferred_requests.iter().any(|deferred| deferred.worker == worker)
    }

    /// Drops the request to a worker that waits for hits.
    pub(crate) fn drop_deferred(&mut self, worker: WorkerKind) {
        self.deferred_requests.retain(|deferred| deferred.worker != worker);
    }
}

impl Model {
    /// Returns whether the log may be read in the background. Stopping the scan stops counting hits too.
    pub(crate) fn can_read_in_background(&self) -> bool {
        !matches!(self.scan.state, ScanState::Off | ScanState::Stopped)
    }

    /// Returns the counter of the filter.
    pub(crate) fn filter_counter(&self) -> Option<&HitCounter> {
        self.hit_counters.find(&self.list.filter, None)
    }

    /// Returns the counter of the filter, when pages are read at its hits. The index lists the events of an aggregate, so
    /// their pages never wait for hits.
    pub(crate) fn paging_counter(&self) -> Option<&HitCounter> {
        self.filter_counter().filter(|counter| counter.filter.aggregate_ids().is_none())
    }

    /// Returns the counter of the search.
    pub(crate) fn search_counter(&self) -> Option<&HitCounter> {
        self.hit_counters.find(&self.list.filter, Some(&self.search.as_ref()?.pattern))
    }

    /// Returns the offset from which a new counter searches: the end of the log in follow mode, else the selected row.
    pub(crate) fn counting_start(&self) -> u64 {
        match self.follow {
            Follow::Yes => u64::MAX,
            Follow::No | Follow::Paused(_) => self.list.selected_offset().min(self.log_info.bytes),
        }
    }

    /// Adds the hits counted so far to a request, and returns whether they suffice to answer it.
    pub(crate) fn attach_hits(&self, request: &mut Request) -> HitReadiness {
        let (counter, hits, from, direction) = match request {
            Request::RowsAround { offset, hits, .. } => (self.paging_counter(), hits, *offset, Direction::Forward),
            Request::LastRows { hits, .. } => (self.paging_counter(), hits, u64::MAX, Direction::Backward),
            Request::MoreRows { from, direction, hits, .. } => (self.paging_counter(), hits, *from, *direction),
            Request::FindMatch { from, direction, hits, .. } => (self.search_counter(), hits, *from, *direction),
            _ => return HitReadiness::Ready,
        };
        *hits = counter.map(|counter| counter.hits.clone());
        let Some(counter) = counter.filter(|_| self.can_read_in_background()) else { return HitReadiness::Ready };
        let can_answer = |direction| counter.can_answer(from, direction, self.log_info.bytes);
        let is_ready = if matches!(request, Request::RowsAround { .. }) {
            // Without a hit after the offset, the rows around it are the hits before it.
            let has_hit_after = counter.hits.has_hit(from, Direction::Forward);
            can_answer(Direction::Forward) && (has_hit_after || can_answer(Direction::Backward))
        } else {
            can_answer(direction)
        };
        if is_ready { HitReadiness::Ready } else { HitReadiness::NotYet }
    }
}
