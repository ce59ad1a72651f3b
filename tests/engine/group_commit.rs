//! Runs the steps of threads that append to one log in every order, without threads, on the simulated disk: with no fault, with
//! a fault at every call, and with a power cut after every step.
//!
//! After a power cut, every event that a call has acknowledged as synced is read back at its offset, and no event is there twice.

use std::collections::BTreeMap;

use chronicle::internal::log::{CommitState, SyncJob, SyncStep, SyncTicket, commit_state};
use chronicle::{Durability, LogId, NewLogFormat, OpenOptions, StorageError};

use super::call_order::CallKind;
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{LOG, event, open_options, random_choices};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What a thread does, one call after the other.
type Calls = &'static [Durability];

const APPEND: Durability = Durability::Buffered;
const SYNC: Durability = Durability::Synced;

/// The threads of a history.
const HISTORIES: [&[Calls]; 6] = [
    &[&[SYNC, SYNC], &[SYNC]],
    &[&[SYNC], &[SYNC], &[SYNC]],
    &[&[SYNC, APPEND], &[APPEND, SYNC]],
    &[&[APPEND, SYNC], &[SYNC], &[APPEND]],
    &[&[SYNC, SYNC], &[SYNC, SYNC]],
    &[&[APPEND, APPEND, APPEND], &[SYNC, SYNC]],
];

/// A log before the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Version1,
    Version2,
    /// A log in segments of the smallest size, whose last segment has room for a few events.
    Segments,
}

impl Start {
    fn options(self, disk: &SimDisk) -> OpenOptions {
        let options = open_options(disk);
        match self {
            Self::Version1 => options,
            Self::Version2 | Self::Segments => options.format(NewLogFormat::V2(LogId::from_bytes([7; 16]))),
        }
    }

    fn create(self) -> SimDisk {
        let disk = SimDisk::default();
        let options = self.options(&disk);
        let options = if self == Self::Segments { options.segment_size(1024) } else { options };
        let mut log = options.create(LOG).unwrap();
        for n in 0..if self == Self::Segments { 5 } else { 2 } {
            log.append_sync(&event(9, 100 + n)).unwrap();
        }
        drop(log);
        disk
    }

    fn open(self, disk: &SimDisk) -> Option<CommitState> {
        let options = self.options(disk);
        let options = if self == Self::Segments { options.segment_size(1024) } else { options };
        options.open(LOG).ok().and_then(commit_state)
    }
}

/// Where a thread is in its call.
#[derive(Debug)]
enum Place {
    BetweenCalls,
    /// The thread was woken, or has just written its event.
    Ready(Written),
    /// The thread waits until it is woken.
    Asleep(Written),
    /// The thread leads, and has not started its sync.
    Leading(Written),
    Syncing(Written, SyncJob),
    Synced(Written, SyncJob, std::io::Result<()>),
}

/// An event that a call has written, and its place among the syncs.
#[derive(Debug, Clone, Copy)]
struct Written {
    number: usize,
    offset: u64,
    ticket: SyncTicket,
}

/// What the calls have returned.
#[derive(Debug, Default)]
struct Outcome {
    /// The offsets of the events that were acknowledged, by the number of the event.
    buffered: BTreeMap<usize, u64>,
    synced: BTreeMap<usize, u64>,
    errors: Vec<StorageError>,
}

/// A run of a history in one order.
struct Run<'a> {
    disk: &'a SimDisk,
    threads: &'a [Calls],
    places: Vec<Place>,
    /// The number of calls that each thread has begun.
    begun: Vec<usize>,
    outcome: Outcome,
    /// The leader of this sync, counted from 0, panics in it.
    panics_in_sync: Option<usize>,
    syncs: usize,
}

impl<'a> Run<'a> {
    fn new(disk: &'a SimDisk, threads: &'a [Calls], panics_in_sync: Option<usize>) -> Self {
        let places = threads.iter().map(|_| Place::BetweenCalls).collect();
        let begun = vec![0; threads.len()];
        Self { disk, threads, places, begun, outcome: Outcome::default(), panics_in_sync, syncs: 0 }
    }

    /// Returns the threads that can take a step.
    fn runnable(&self) -> Vec<usize> {
        let can_run = |thread: &usize| match &self.places[*thread] {
            Place::BetweenCalls => self.begun[*thread] < self.threads[*thread].len(),
            Place::Asleep(_) => false,
            _ => true,
        };
        (0..self.threads.len()).filter(can_run).collect()
    }

    fn wake_all(&mut self) {
        for place in &mut self.places {
            if let Place::Asleep(written) = *place {
                *place = Place::Ready(written);
            }
        }
    }

    /// Takes one step of a thread, which the engine takes under one hold of the mutex, or without it.
    fn step(&mut self, thread: usize, commit: &mut CommitState) {
        let place = std::mem::replace(&mut self.places[thread], Place::BetweenCalls);
        self.places[thread] = match place {
            Place::BetweenCalls => self.begin_call(thread, commit),
            Place::Ready(written) => self.continue_call(written, commit),
            Place::Leading(written) => {
                if let Some(job) = commit.start_sync() {
                    Place::Syncing(written, job)
                } else {
                    self.wake_all();
                    self.continue_call(written, commit)
                }
            }
            Place::Syncing(written, job) => {
                let nth = self.syncs;
                self.syncs += 1;
                if self.panics_in_sync == Some(nth) {
                    commit.abandon_sync();
                    self.wake_all();
                    // The thread is gone.
                    self.begun[thread] = self.threads[thread].len();
                    Place::BetweenCalls
                } else {
                    let result = job.run();
                    Place::Synced(written, job, result)
                }
            }
            Place::Synced(written, job, result) => {
                commit.finish_sync(&job, result);
                self.wake_all();
                self.continue_call(written, commit)
            }
            Place::Asleep(_) => unreachable!("a thread that sleeps takes no step"),
        };
    }

    fn begin_call(&mut self, thread: usize, commit: &mut CommitState) -> Place {
        let nth = self.begun[thread];
        self.begun[thread] += 1;
        let number = 10 * thread + nth;
        match commit.append(&[event(thread as u64, number)], self.threads[thread][nth], |_| {}) {
            Ok(appended) => {
                if let Some(ticket) = appended.ticket {
                    self.continue_call(Written { number, offset: appended.offset, ticket }, commit)
                } else {
                    self.outcome.buffered.insert(number, appended.offset);
                    Place::BetweenCalls
                }
            }
            Err(error) => {
                self.outcome.errors.push(error);
                Place::BetweenCalls
            }
        }
    }

    fn continue_call(&mut self, written: Written, commit: &mut CommitState) -> Place {
        match commit.next_step(written.ticket) {
            Ok(SyncStep::Return) => {
                self.outcome.synced.insert(written.number, written.offset);
                Place::BetweenCalls
            }
            Ok(SyncStep::Wait) => Place::Asleep(written),
            Ok(SyncStep::Lead) => Place::Leading(written),
            Err(error) => {
                self.outcome.errors.push(error);
                Place::BetweenCalls
            }
        }
    }

    /// Runs the history to its end, in the order that `choose` selects from the runnable threads. Calls `after_return` after each
    /// call that has returned.
    fn run(
        mut self,
        mut commit: CommitState,
        choose: &mut dyn FnMut(usize) -> usize,
        after_return: &mut dyn FnMut(&SimDisk, &Outcome),
    ) -> Outcome {
        loop {
            let runnable = self.runnable();
            if runnable.is_empty() {
                break;
            }
            let acknowledged = self.outcome.synced.len();
            self.step(runnable[choose(runnable.len())], &mut commit);
            if self.outcome.synced.len() > acknowledged {
                after_return(self.disk, &self.outcome);
            }
        }
        let asleep = self.places.iter().filter(|place| !matches!(place, Place::BetweenCalls)).count();
        assert_eq!(asleep, 0, "threads that no call wakes: {:?}", self.places);
        self.outcome
    }
}

/// Enumerates the orders of a history: each is the list of choices between the threads that can take the next step.
#[derive(Debug, Default)]
struct Orders {
    /// The choices of the current order, and the number of options that each had.
    choices: Vec<(usize, usize)>,
    position: usize,
}

impl Orders {
    fn choose(&mut self, options: usize) -> usize {
        if self.position == self.choices.len() {
            self.choices.push((0, options));
        }
        let (chosen, known) = self.choices[self.position];
        assert_eq!(known, options, "a history in the same order is the same");
        self.position += 1;
        chosen
    }

    /// Moves on to the next order. Returns false after the last one.
    fn advance(&mut self) -> bool {
        self.position = 0;
        while let Some((chosen, options)) = self.choices.pop() {
            if chosen + 1 < options {
                self.choices.push((chosen + 1, options));
                return true;
            }
        }
        false
    }
}

/// Returns the events that can be read, as pairs of the number in the payload and the offset.
fn stored_events(disk: &SimDisk) -> Vec<(usize, u64)> {
    let log = open_options(disk).open_read_only(LOG).unwrap();
    let events = log.replay(0).unwrap().filter_map(Result::ok);
    let number = |payload: &str| {
        let value: serde_json::Value = serde_json::from_str(payload).unwrap();
        value["n"].as_u64().unwrap() as usize
    };
    events.map(|event| (number(event.payload()), event.offset())).filter(|(n, _)| *n < 100).collect()
}

/// Checks that the acknowledged events are on a disk, and that no event is there twice.
fn check_stored<'a>(disk: &SimDisk, acknowledged: impl Iterator<Item = (&'a usize, &'a u64)>, context: &str) {
    let stored = stored_events(disk);
    for (number, offset) in acknowledged {
        assert!(stored.contains(&(*number, *offset)), "{context}: event {number} at {offset} of {stored:?}");
    }
    let unique: BTreeMap<_, _> = stored.iter().copied().collect();
    assert_eq!(unique.len(), stored.len(), "{context}: {stored:?}");
}

/// Runs a history in every order. Returns the number of orders.
fn in_every_order(start: Start, mut run: impl FnMut(SimDisk, CommitState, &mut dyn FnMut(usize) -> usize)) -> usize {
    let template = start.create();
    let (mut orders, mut count) = (Orders::default(), 0);
    loop {
        let disk = template.next_process();
        let commit = start.open(&disk).unwrap();
        let mut choose = |options| orders.choose(options);
        run(disk, commit, &mut choose);
        count += 1;
        if !orders.advance() {
            return count;
        }
    }
}

#[test]
fn in_every_order_each_call_returns_and_what_it_acknowledges_survives_a_power_cut() {
    let (mut shared_syncs, mut total) = (0, 0);
    for start in [Start::Version1, Start::Version2, Start::Segments] {
        // Segments cost several times as much, and the smaller histories roll too.
        let histories = if start == Start::Version1 { &HISTORIES[..] } else { &HISTORIES[..4] };
        for threads in histories {
            total += in_every_order(start, |disk, commit, choose| {
                let calls: usize = threads.iter().map(|calls| calls.len()).sum();
                let before = disk.recorded_calls().len();
                let outcome = Run::new(&disk, threads, None).run(commit, choose, &mut |disk, outcome| {
                    check_stored(&disk.power_cut(|| false), outcome.synced.iter(), "a power cut at a return");
                });
                assert!(outcome.errors.is_empty(), "{start:?} {threads:?}: {:?}", outcome.errors);
                assert_eq!(outcome.buffered.len() + outcome.synced.len(), calls, "{start:?} {threads:?}");
                let all = outcome.buffered.iter().chain(&outcome.synced);
                check_stored(&disk.next_process(), all, "a kill at the end");
                let syncs = disk.recorded_calls()[before..].iter().filter(|call| call.kind == CallKind::Sync).count();
                shared_syncs += usize::from(start == Start::Version1 && syncs < outcome.synced.len());
            });
        }
    }
    assert!(shared_syncs > 100 && total > 1000, "{shared_syncs} of {total} orders share a sync");
    eprintln!("{total} orders, {shared_syncs} with a shared sync");
}

/// The histories that are tried with faults in every order. The others are tried in random orders.
const SMALL_HISTORIES: [&[Calls]; 2] = [&[&[SYNC], &[SYNC]], &[&[SYNC], &[APPEND]]];

#[test]
fn a_fault_at_any_call_in_any_order_loses_no_acknowledged_event() {
    let random_orders = std::env::var("CHRONICLE_COMMIT_ORDERS").map_or(4, |text| text.parse().unwrap());
    let (mut runs, mut failures) = (0_u64, 0);
    for start in [Start::Version1, Start::Version2, Start::Segments] {
        let template = start.create();
        // Runs a history with a fault. Returns false when it has no such call.
        let mut run_with_fault = |threads: &[Calls], call, fault, choose: &mut dyn FnMut(usize) -> usize| {
            let disk = template.next_process();
            let commit = start.open(&disk).unwrap();
            disk.fail_if_reached(call, fault);
            let outcome = Run::new(&disk, threads, None).run(commit, choose, &mut |_, _| {});
            let faulted = disk.faulted_call().map(|kind| (kind, fault));
            runs += 1;
            failures += usize::from(!outcome.errors.is_empty());
            check_after_fault(&disk, &outcome, faulted, runs);
            faulted.is_some()
        };
        for fault in [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::Error(ENOSPC), DiskFault::ShortWrite] {
            for threads in SMALL_HISTORIES {
                let mut in_every_order = |call: &usize| {
                    let (mut orders, mut is_reached) = (Orders::default(), false);
                    loop {
                        is_reached |= run_with_fault(threads, *call, fault, &mut |options| orders.choose(options));
                        if !orders.advance() {
                            return is_reached;
                        }
                    }
                };
                let calls = (0..100).take_while(|call| in_every_order(call)).count();
                assert!(calls >= 2, "{calls} calls");
            }
            for threads in HISTORIES {
                let mut call = 0;
                while (0..random_orders).fold(false, |is_reached, seed| {
                    let mut random = random_choices(seed);
                    let choose =
                        &mut |options| (0..8).fold(0, |number, _| number * 2 + usize::from(random())) % options;
                    run_with_fault(threads, call, fault, choose) || is_reached
                }) {
                    call += 1;
                }
            }
        }
    }
    assert!(failures > 500, "{failures} of {runs} runs failed");
    eprintln!("{runs} runs with faults, {failures} with an error");
}

/// Checks the disk after a history in which a call of this kind had a fault.
fn check_after_fault(disk: &SimDisk, outcome: &Outcome, faulted: Option<(CallKind, DiskFault)>, seed: u64) {
    for (number, after) in [disk.power_cut(|| false), disk.power_cut(random_choices(seed))].iter().enumerate() {
        check_stored(after, outcome.synced.iter(), &format!("power cut {number} after {faulted:?}"));
    }
    assert!(
        faulted.is_none_or(|(kind, _)| kind != CallKind::Sync) || !outcome.errors.is_empty(),
        "a failed sync is reported"
    );
    let is_poisoned = |error: &StorageError| matches!(error, StorageError::Poisoned { .. });
    // When a new segment cannot be synced, the last one stays the last one.
    let is_creation = |error: &StorageError| matches!(error, StorageError::Io { action: "create", .. });
    match faulted {
        // A fault of a call that has no partial effect is an error.
        Some((CallKind::Sync, DiskFault::Error(_) | DiskFault::ShortWrite))
            if !outcome.errors.iter().all(is_creation) =>
        {
            assert!(outcome.errors.iter().all(is_poisoned), "{:?}", outcome.errors);
        }
        // A failed sync drops what was not synced. Otherwise the system has what it has accepted.
        _ => {
            let all = outcome.buffered.iter().chain(&outcome.synced);
            check_stored(&disk.next_process(), all, &format!("a kill after {faulted:?}"));
        }
    }
}

#[test]
fn a_panic_of_the_leading_call_fails_the_calls_that_wait_and_leaves_none_asleep() {
    for threads in &HISTORIES[..5] {
        for sync in 0..2 {
            in_every_order(Start::Version1, |disk, commit, choose| {
                let run = Run::new(&disk, threads, Some(sync));
                let outcome = run.run(commit, choose, &mut |_, _| {});
                check_stored(&disk.power_cut(|| false), outcome.synced.iter(), "a power cut after a panic");
                let is_poisoned = |error: &StorageError| matches!(error, StorageError::Poisoned { .. });
                assert!(outcome.errors.iter().all(is_poisoned), "{:?}", outcome.errors);
            });
        }
    }
}
