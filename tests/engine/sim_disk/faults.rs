//! The faults of a simulated disk: which call fails or kills the process, and which one did.

use std::io;

use crate::engine::call_order::CallKind;

const ENOSPC: i32 = 28;

/// A fault of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DiskFault {
    /// The process is killed: a write of this call takes half of its bytes, and all later calls do nothing.
    Kill,
    /// The call fails with this error number and does nothing.
    Error(i32),
    /// A write takes only half of its bytes; other calls fail.
    ShortWrite,
}

/// Which later calls fail as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum FaultRepetition {
    #[default]
    Once,
    /// Every later call of the same kind.
    SameKind,
    /// Every later call.
    AllCalls,
}

/// Whether a test fails when its scheduled fault does not occur.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum FaultExpectation {
    #[default]
    MustOccur,
    /// The call may come after the last one of the test.
    MayOccur,
}

/// The scheduled fault, and the number of calls so far. A scheduled fault that must occur and did not occur fails the test
/// when the disk is dropped, because the test has then shown nothing.
#[derive(Debug, Default)]
pub(super) struct FaultSchedule {
    calls: usize,
    scheduled: Option<(usize, DiskFault)>,
    expectation: FaultExpectation,
    pub(super) repetition: FaultRepetition,
    pub(super) faulted_call: Option<CallKind>,
    pub(super) error_after_short: Option<i32>,
    killed: bool,
}

impl FaultSchedule {
    pub(super) const fn calls(&self) -> usize {
        self.calls
    }

    pub(super) const fn is_killed(&self) -> bool {
        self.killed
    }

    /// Schedules a fault for the `n`th call from now on, counted from 0.
    pub(super) fn schedule(&mut self, n: usize, fault: DiskFault, expectation: FaultExpectation) {
        self.check_occurred();
        (self.scheduled, self.expectation, self.faulted_call) = (Some((self.calls + n, fault)), expectation, None);
    }

    fn check_occurred(&self) {
        if let Some((number, fault)) = self.scheduled {
            assert!(
                self.faulted_call.is_some() || self.expectation == FaultExpectation::MayOccur,
                "{fault:?} at call {number} did not occur: there were {} calls",
                self.calls
            );
        }
    }

    /// Counts a call, and returns the fault that occurs in it, or an error for a call that fails as a whole.
    pub(super) fn count_call(&mut self, kind: CallKind) -> io::Result<Option<DiskFault>> {
        if self.killed {
            return Err(io::Error::other("killed"));
        }
        if self.faulted_call.is_some()
            && let Some(number) = self.error_after_short.take()
        {
            return Err(io::Error::from_raw_os_error(number));
        }
        let number = self.calls;
        self.calls += 1;
        let is_repeated = match self.repetition {
            FaultRepetition::Once => false,
            FaultRepetition::SameKind => self.faulted_call == Some(kind),
            FaultRepetition::AllCalls => self.faulted_call.is_some(),
        };
        let Some((_, fault)) = self.scheduled.filter(|(at, _)| *at == number || is_repeated) else {
            return Ok(None);
        };
        self.faulted_call = Some(kind);
        match fault {
            DiskFault::Kill => {
                self.killed = true;
                Ok(Some(fault))
            }
            DiskFault::Error(number) => Err(io::Error::from_raw_os_error(number)),
            DiskFault::ShortWrite => Ok(Some(fault)),
        }
    }

    /// Counts a call that has no partial effect: with a fault it fails as a whole.
    pub(super) fn count_whole_call(&mut self, kind: CallKind) -> io::Result<()> {
        match self.count_call(kind)? {
            None => Ok(()),
            Some(DiskFault::Kill) => Err(io::Error::other("killed")),
            Some(_) => Err(io::Error::from_raw_os_error(ENOSPC)),
        }
    }
}

impl Drop for FaultSchedule {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_occurred();
        }
    }
}

#[test]
#[should_panic(expected = "did not occur")]
fn a_fault_that_does_not_occur_fails_the_test() {
    let mut faults = FaultSchedule::default();
    faults.schedule(1, DiskFault::Kill, FaultExpectation::MustOccur);
    faults.count_call(CallKind::Sync).unwrap();
}
