//! [`SyncRounds`]: which sync of a log covers which call, for calls of several threads that share syncs. It contains no thread
//! and no file.
//!
//! Syncs have numbers and follow each other. A call that has written its events takes a ticket with the number of syncs that
//! were started until then, and is done when a sync with a higher number has succeeded. When no sync is running, one of the
//! waiting calls leads: it runs the next sync for all of them.

/// The syncs of a log, and the calls that wait for them.
#[derive(Debug, Default)]
pub(super) struct SyncRounds {
    /// The number of syncs that were started.
    started: u64,
    /// The number of the last sync that succeeded.
    completed: u64,
    phase: SyncPhase,
    /// The number of calls that wait for the next sync to start.
    joined: usize,
    /// The number of calls that the last sync was started for.
    last_joined: usize,
    /// The number of calls that have a ticket and have not returned.
    open_calls: usize,
}

/// What the call that leads does now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum SyncPhase {
    /// No call leads.
    #[default]
    Idle,
    /// A call leads, and has not started its sync yet. Other calls still join it.
    Preparing,
    /// A sync is running. Calls that join now wait for the next one.
    Running,
}

/// The place of a call among the syncs of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncTicket {
    started_before: u64,
}

/// What a call that waits for a sync does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncStep {
    /// The call returns: its events are on stable storage.
    Return,
    /// The call waits until the call that leads has ended its sync.
    Wait,
    /// The call runs the next sync.
    Lead,
}

impl SyncRounds {
    /// Gives a ticket to a call whose events are written.
    pub(super) fn join(&mut self) -> SyncTicket {
        self.joined += 1;
        self.open_calls += 1;
        SyncTicket { started_before: self.started }
    }

    /// Records that a call with a ticket returns.
    pub(super) fn leave(&mut self) {
        self.open_calls = self.open_calls.saturating_sub(1);
    }

    /// True while calls with tickets have not returned.
    pub(super) const fn has_open_calls(&self) -> bool {
        self.open_calls > 0
    }

    /// Returns what a call does next. After [`SyncStep::Lead`], the call leads.
    pub(super) fn next_step(&mut self, ticket: SyncTicket) -> SyncStep {
        if self.completed > ticket.started_before {
            return SyncStep::Return;
        }
        match self.phase {
            SyncPhase::Idle => {
                self.phase = SyncPhase::Preparing;
                SyncStep::Lead
            }
            SyncPhase::Preparing | SyncPhase::Running => SyncStep::Wait,
        }
    }

    /// True when as many calls have joined as were part of the last sync, so that the next one need not wait for more.
    pub(super) const fn has_expected_calls(&self) -> bool {
        self.joined >= self.last_joined
    }

    /// Records that the call that leads starts its sync.
    pub(super) fn start(&mut self) {
        self.started += 1;
        self.phase = SyncPhase::Running;
        self.last_joined = std::mem::take(&mut self.joined);
    }

    /// Records that the running sync has succeeded.
    pub(super) fn complete(&mut self) {
        self.completed = self.started;
        self.phase = SyncPhase::Idle;
    }

    /// Records that the call that leads gives up, or that its sync has failed.
    pub(super) fn fail(&mut self) {
        self.phase = SyncPhase::Idle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_joins_while_a_sync_runs_waits_for_the_next_one() {
        let mut rounds = SyncRounds::default();
        let (first, second) = (rounds.join(), rounds.join());
        assert_eq!(rounds.next_step(first), SyncStep::Lead);
        assert_eq!(rounds.next_step(second), SyncStep::Wait);
        let third = rounds.join();
        rounds.start();
        let late = rounds.join();
        rounds.complete();
        for ticket in [first, second, third] {
            assert_eq!(rounds.next_step(ticket), SyncStep::Return, "{ticket:?}");
        }
        assert_eq!(rounds.next_step(late), SyncStep::Lead);
    }

    #[test]
    fn a_sync_waits_for_as_many_calls_as_the_last_one_had() {
        let mut rounds = SyncRounds::default();
        let first = rounds.join();
        assert!(rounds.has_expected_calls(), "a single call never waits for others");
        rounds.join();
        assert_eq!(rounds.next_step(first), SyncStep::Lead);
        rounds.start();
        rounds.complete();
        let next = rounds.join();
        assert_eq!(rounds.next_step(next), SyncStep::Lead);
        assert!(!rounds.has_expected_calls());
        rounds.join();
        assert!(rounds.has_expected_calls());
    }

    #[test]
    fn a_log_has_open_calls_until_each_has_returned() {
        let mut rounds = SyncRounds::default();
        rounds.join();
        rounds.join();
        rounds.leave();
        assert!(rounds.has_open_calls());
        rounds.leave();
        assert!(!rounds.has_open_calls());
    }
}
