//! Long histories that a seed chooses: the log, the operations, and the faults.

use std::fmt::Write as _;

use super::operation::Operation;
use super::run::{Ending, Injection, end_process, execute, run_with_fault};
use super::start::Start;
use crate::engine::sim_disk::DiskFault;

/// Largest number of operations of a history.
const MAX_OPERATIONS: usize = 14;

/// A generator of pseudorandom numbers.
struct Choices(u64);

impl Choices {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit as u64) as usize
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

/// Runs the history of a seed. Returns the number of operations and of faults.
pub(super) fn run_seed(seed: u64) -> Result<(usize, usize), String> {
    let mut choices = Choices::new(seed);
    let start = choices.pick(&Start::ALL);
    let mut history = format!("{start:?}");
    let (operations, mut faults) = (4 + choices.below(MAX_OPERATIONS - 3), 0);
    let mut node = start.node();
    let all = [Operation::ALL.as_slice(), &[Operation::Recover]].concat();
    for _ in 0..operations {
        let operation = choices.pick(&all);
        let _ = write!(history, ", {operation:?}");
        let context = |error: String| format!("{error}\n    after {history}");
        let executed = execute(&node, operation).map_err(context)?;
        if choices.below(2) == 0 {
            node = executed.next;
            continue;
        }
        let fault = choices.pick(&[DiskFault::Kill, DiskFault::Error(5), DiskFault::ShortWrite]);
        let injection = Injection { call: choices.below(executed.calls + 1), fault };
        let ending = match choices.below(3) {
            0 => Ending::NextProcess,
            1 => Ending::PowerCut(0),
            _ => Ending::PowerCut(choices.below(1 << 20) as u64),
        };
        let _ = write!(history, " with {injection:?}, {ending:?}");
        let context = |error: String| format!("{error}\n    after {history}");
        let Some(faulted) = run_with_fault(&node, operation, injection).map_err(context)? else { continue };
        faults += 1;
        let crash = end_process(&node, &executed, &faulted, ending).map_err(context)?;
        // The next operation finds the disk as the crash left it when it recovers by itself.
        node = if choices.below(2) == 0 {
            crash.recovered
        } else {
            execute(&crash.found, Operation::Recover).map_err(context)?.next
        };
    }
    Ok((operations, faults))
}
