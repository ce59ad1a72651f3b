//! Runs a fuzz target of the crate with a limit of the memory in use.

use std::alloc::System;

use cap::Cap;
use chronicle::internal::fuzz::FuzzTarget;

/// Largest number of bytes in use at any time, with the files of the simulated disk. An allocation over it ends the run.
const MEMORY_LIMIT: usize = 128 << 20;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, MEMORY_LIMIT);

/// Checks one input.
pub fn run(target: FuzzTarget, data: &[u8]) {
    (target.check)(data);
    // The limit is the one of the allocator that is in use.
    assert!(ALLOCATOR.allocated() > 0);
}
