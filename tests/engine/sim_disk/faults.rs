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

/// The scheduled fault, and the number of calls so far.
#[derive(Debug, Default)]
pub(super) struct FaultSchedule {
    calls: usize,
    scheduled: Option<(usize, DiskFault)>,
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
    pub(super) fn schedule(&mut self, n: usize, fault: DiskFault) {
        self.scheduled = Some((self.calls + n, fault));
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
