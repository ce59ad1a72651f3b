//! Enumerates every history of a few operations, with a fault at every call, and with a second fault at every call of
//! the recovery that follows.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use chronicle::internal::format::Version;

use super::operation::Operation;
use super::run::{Crash, Ending, Executed, Injection, end_process, execute, run_with_fault};
use super::start::{Node, Start};
use crate::engine::sim_disk::DiskFault;

const EIO: i32 = 5;
const FAULTS: [DiskFault; 3] = [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::ShortWrite];
const ENDINGS: [Ending; 4] = [Ending::NextProcess, Ending::PowerCut(0), Ending::PowerCut(1), Ending::PowerCut(2)];
/// Number of failures after which an exploration stops.
const MAX_FAILURES: usize = 5;

/// Which cases of an enumeration are tried: every `stride`th one.
#[derive(Debug)]
pub(super) struct Sampler {
    stride: usize,
    cases: usize,
}

impl Sampler {
    pub(super) const fn every(stride: usize) -> Self {
        Self { stride, cases: 0 }
    }

    fn selects_next(&mut self) -> bool {
        self.cases += 1;
        self.cases.is_multiple_of(self.stride)
    }
}

/// What was tried.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Statistics {
    pub(super) histories: u64,
    pub(super) states: u64,
    pub(super) crashes: u64,
    pub(super) errors: u64,
    pub(super) recoveries: u64,
    pub(super) faults_in_recovery: u64,
}

/// Whether the operations of a history are tried with faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum FaultPolicy {
    AtEveryCall,
    None,
}

/// One step of the history that is being tried.
#[derive(Debug, Clone, Copy)]
struct Step {
    #[expect(dead_code, reason = "shown when a check fails")]
    operation: Operation,
    #[expect(dead_code, reason = "shown when a check fails")]
    fault: Option<(Injection, Ending)>,
}

#[derive(Debug)]
pub(super) struct Explorer {
    crash_sampler: Sampler,
    recovery_sampler: Sampler,
    pub(super) statistics: Statistics,
    pub(super) failures: Vec<String>,
    /// States that need not be tried again, because equal states continue equally.
    explored: HashSet<u64>,
    history: Vec<Step>,
}

impl Explorer {
    /// Creates an explorer that tries every `stride`th crash, and as many second faults during recovery.
    pub(super) fn new(stride: usize) -> Self {
        Self {
            crash_sampler: Sampler::every(stride),
            recovery_sampler: Sampler::every(stride),
            statistics: Statistics::default(),
            failures: Vec::new(),
            explored: HashSet::new(),
            history: Vec::new(),
        }
    }

    /// Tries every history of up to `operations` operations that begins with the log `start`.
    pub(super) fn explore_from(&mut self, start: Start, operations: u32) {
        let branches = Operation::ALL.len() as u64;
        self.statistics.histories += (1..=operations).map(|length| branches.pow(length)).sum::<u64>();
        self.explore(&start.node(), operations, FaultPolicy::AtEveryCall);
    }

    fn explore(&mut self, node: &Node, operations: u32, policy: FaultPolicy) {
        if operations == 0 || !self.is_new(node, (operations, policy)) {
            return;
        }
        self.statistics.states += 1;
        for operation in Operation::ALL {
            if self.failures.len() >= MAX_FAILURES {
                return;
            }
            self.history.push(Step { operation, fault: None });
            if let Some(executed) = self.record(execute(node, operation)) {
                if policy == FaultPolicy::AtEveryCall {
                    self.inject_faults(node, operation, &executed, operations);
                    self.history.pop();
                    self.history.push(Step { operation, fault: None });
                }
                self.explore(&executed.next, operations - 1, policy);
            }
            self.history.pop();
        }
    }

    /// Tries an operation with every fault at every call, and a crash after its last call.
    fn inject_faults(&mut self, node: &Node, operation: Operation, executed: &Executed, operations: u32) {
        for call in 0..=executed.calls {
            for fault in FAULTS {
                if call == executed.calls && fault != DiskFault::Kill {
                    continue;
                }
                let selected: Vec<Ending> = ENDINGS.into_iter().filter(|_| self.crash_sampler.selects_next()).collect();
                if selected.is_empty() {
                    continue;
                }
                let injection = Injection { call, fault };
                let faulted = run_with_fault(node, operation, injection);
                let Some(faulted) = self.record(faulted).flatten() else { continue };
                let mut found = HashSet::new();
                for ending in selected {
                    self.history.pop();
                    self.history.push(Step { operation, fault: Some((injection, ending)) });
                    self.count_fault(fault);
                    let crash = end_process(node, executed, &faulted, ending);
                    let Some(crash) = self.record(crash) else { continue };
                    if found.insert(crash.found.disk.fingerprint()) {
                        self.explore_recovery(&crash);
                        self.explore(&crash.recovered, operations - 1, FaultPolicy::None);
                    }
                }
            }
        }
    }

    /// Tries the recovery after a crash with every fault at every call; the recovery after that has to succeed.
    fn explore_recovery(&mut self, crash: &Crash) {
        let found = &crash.found;
        if !self.is_new(found, Operation::Recover) {
            return;
        }
        self.statistics.recoveries += 1;
        let copy = if found.model.version == Version::V0 { Operation::Migrate } else { Operation::Salvage };
        let executed = execute(found, Operation::Recover);
        let Some(executed) = self.record(executed) else { return };
        let copied = execute(&executed.next, copy);
        self.record(copied);
        for call in 0..executed.calls {
            for fault in [DiskFault::Kill, DiskFault::Error(EIO)] {
                for ending in [Ending::NextProcess, Ending::PowerCut(0), Ending::PowerCut(3)] {
                    if !self.recovery_sampler.selects_next() {
                        continue;
                    }
                    self.statistics.faults_in_recovery += 1;
                    let injection = Injection { call, fault };
                    self.history.push(Step { operation: Operation::Recover, fault: Some((injection, ending)) });
                    let recovered = recover_twice(found, &executed, injection, ending);
                    self.record(recovered);
                    self.history.pop();
                }
            }
        }
    }

    const fn count_fault(&mut self, fault: DiskFault) {
        match fault {
            DiskFault::Kill => self.statistics.crashes += 1,
            DiskFault::Error(_) | DiskFault::ShortWrite => self.statistics.errors += 1,
        }
    }

    /// Returns true for a state that was not explored for this purpose.
    fn is_new(&mut self, node: &Node, purpose: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        (node.disk.fingerprint(), &node.model, purpose).hash(&mut hasher);
        self.explored.insert(hasher.finish())
    }

    /// Returns the value of a check, or records its failure with the history.
    fn record<T>(&mut self, result: Result<T, String>) -> Option<T> {
        result.map_err(|error| self.failures.push(format!("{error}\n    after {:?}", self.history))).ok()
    }
}

/// Recovers with a fault, and then without one.
fn recover_twice(found: &Node, executed: &Executed, injection: Injection, ending: Ending) -> Result<(), String> {
    let Some(faulted) = run_with_fault(found, Operation::Recover, injection)? else { return Ok(()) };
    let crash = end_process(found, executed, &faulted, ending)?;
    execute(&crash.found, Operation::Recover).map(|_| ())
}
