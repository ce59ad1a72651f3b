//! Histories of operations on a simulated disk, with a crash or an error at every call. After each one, an oracle compares
//! the disk with a model of the log: which events must be readable, which bytes a repair or an undo leaves, what the index
//! gives, and which offsets are free.
//!
//! By default a part of the enumeration runs: every crash whose number is divisible by a stride. `CHRONICLE_HISTORY_STRIDE=1`
//! runs all of it, and `tests/histories/run` does so in release mode. `CHRONICLE_HISTORY_SEED=N` repeats one random history.

mod check;
mod explorer;
mod model;
mod operation;
mod random;
mod run;
mod start;

use std::ops::Range;

use chronicle::NewLogFormat;

use self::explorer::Explorer;
use self::random::run_seed;
use self::start::{Start, V2};

const OPERATIONS: u32 = 3;
const DEFAULT_STRIDE: usize = 193;
const DEFAULT_SEEDS: Range<u64> = 0..150;

fn environment_number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn explore(start: Start) {
    let stride = environment_number("CHRONICLE_HISTORY_STRIDE").map_or(DEFAULT_STRIDE, |stride| stride as usize);
    let mut explorer = Explorer::new(stride);
    explorer.explore_from(start, OPERATIONS);
    eprintln!("{start:?}, every {stride}th crash: {:?}", explorer.statistics);
    assert!(explorer.failures.is_empty(), "{} failures:\n{}", explorer.failures.len(), explorer.failures.join("\n"));
    let statistics = explorer.statistics;
    assert!(statistics.crashes > 0 && statistics.errors > 0 && statistics.faults_in_recovery > 0, "{statistics:?}");
}

#[test]
fn every_short_history_of_an_empty_log_keeps_its_promises() {
    explore(Start::Empty(NewLogFormat::V1));
}

#[test]
fn every_short_history_of_a_healthy_log_keeps_its_promises() {
    explore(Start::Healthy(NewLogFormat::V1));
}

#[test]
fn every_short_history_of_an_indexed_log_keeps_its_promises() {
    explore(Start::Indexed(NewLogFormat::V1));
}

#[test]
fn every_short_history_of_a_damaged_log_keeps_its_promises() {
    explore(Start::Damaged(NewLogFormat::V1));
}

#[test]
fn every_short_history_of_a_torn_log_keeps_its_promises() {
    explore(Start::Torn(NewLogFormat::V1));
}

#[test]
fn every_short_history_of_a_cut_log_keeps_its_promises() {
    explore(Start::Cut(NewLogFormat::V1));
}

#[test]
fn every_short_history_of_an_empty_log_of_version_2_keeps_its_promises() {
    explore(Start::Empty(V2));
}

#[test]
fn every_short_history_of_a_healthy_log_of_version_2_keeps_its_promises() {
    explore(Start::Healthy(V2));
}

#[test]
fn every_short_history_of_an_indexed_log_of_version_2_keeps_its_promises() {
    explore(Start::Indexed(V2));
}

#[test]
fn every_short_history_of_a_damaged_log_of_version_2_keeps_its_promises() {
    explore(Start::Damaged(V2));
}

#[test]
fn every_short_history_of_a_torn_log_of_version_2_keeps_its_promises() {
    explore(Start::Torn(V2));
}

#[test]
fn every_short_history_of_a_cut_log_of_version_2_keeps_its_promises() {
    explore(Start::Cut(V2));
}

#[test]
fn every_short_history_of_a_log_of_version_0_keeps_its_promises() {
    explore(Start::Version0);
}

#[test]
fn long_random_histories_keep_their_promises() {
    let seeds = match environment_number("CHRONICLE_HISTORY_SEED") {
        Some(seed) => seed..seed + 1,
        None => match environment_number("CHRONICLE_HISTORY_SEEDS") {
            Some(seeds) => 0..seeds,
            None => DEFAULT_SEEDS,
        },
    };
    let (mut operations, mut faults) = (0, 0);
    for seed in seeds.clone() {
        let (seed_operations, seed_faults) =
            run_seed(seed).unwrap_or_else(|error| panic!("{error}\nRepeat it with CHRONICLE_HISTORY_SEED={seed}"));
        operations += seed_operations;
        faults += seed_faults;
    }
    eprintln!("seeds {seeds:?}: {operations} operations, {faults} crashes and errors");
    assert!(operations > 4);
}
