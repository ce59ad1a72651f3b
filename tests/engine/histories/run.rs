//! Runs one operation of a history, without a fault or with one, and checks the result against the model.

use std::path::Path;
use std::sync::Arc;

use chronicle::internal::format::Version;
use chronicle::repair::recover;

use super::check::{Contents, Survivors, check_and_adopt, check_no_litter, check_reads, is_truncated, read_events};
use super::model::{EventState, Model, ModelEvent, RepairImages};
use super::operation::{COPY, Operation, Outcome, paths};
use super::start::Node;
use crate::engine::call_order::{CallKind, order_violations};
use crate::engine::sim_disk::{DiskFault, SimDisk};
use crate::engine::support::{INDEX, LOG, random_choices, survey_log};

/// A fault at one call of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Injection {
    pub(super) call: usize,
    pub(super) fault: DiskFault,
}

/// What happens after the process with the fault has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The next process finds everything that the system has accepted.
    NextProcess,
    /// A power cut loses all unsynced sectors and names for the seed 0, and otherwise those that the seed chooses.
    PowerCut(u64),
}

impl Ending {
    fn apply(self, disk: &SimDisk) -> SimDisk {
        match self {
            Self::NextProcess => disk.next_process(),
            Self::PowerCut(0) => disk.power_cut(|| false),
            Self::PowerCut(seed) => disk.power_cut(random_choices(seed)),
        }
    }
}

/// An operation that ran without a fault.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) next: Node,
    pub(super) calls: usize,
    log: Vec<u8>,
    copy: Option<Vec<u8>>,
    repaired: Option<u32>,
}

/// An operation that ran with a fault, before its process ended.
#[derive(Debug)]
pub(super) struct Faulted {
    operation: Operation,
    disk: SimDisk,
    outcome: Outcome,
    /// The model with the events that were acknowledged before the fault.
    model: Model,
    survivors: Survivors,
}

/// A disk after a crash, as it was found, and after recovery.
#[derive(Debug)]
pub(super) struct Crash {
    pub(super) found: Node,
    pub(super) recovered: Node,
}

/// Runs an operation without a fault, and checks what it reports and writes.
pub(super) fn execute(node: &Node, operation: Operation) -> Result<Executed, String> {
    let probe = node.disk.next_process();
    let outcome = operation.run(&probe, node.model.next_number);
    let (before, log, calls) = (log_bytes(&node.disk), log_bytes(&probe), probe.calls());
    check_outcome(node, operation, &outcome, &probe)?;
    let mut model = acknowledge(node, operation, &outcome, (&probe, Survivors::Acknowledged))?;
    let is_ok = outcome.error.is_none();
    if is_ok {
        let violations = order_violations(&probe.recorded_calls(), Path::new(LOG));
        if !violations.is_empty() {
            return Err(format!("{operation:?}: {violations:?}"));
        }
    }
    if let Some(number) = outcome.repaired {
        model.repairs.push(Arc::new(RepairImages { number, before, after: log.clone() }));
    }
    let disk = probe.next_process();
    let mut model = check_and_adopt(&disk, &model, Survivors::Acknowledged, Contents::Cached)?;
    if is_ok && (operation.syncs_log() || operation == Operation::Undo || outcome.repaired.is_some()) {
        model.mark_synced(log.len() as u64);
    }
    if is_ok && operation == Operation::Undo {
        model.repairs.retain(|images| Some(images.number) != outcome.undoes);
    }
    if is_ok && operation == Operation::Recover {
        check_no_litter(&disk, INDEX)?;
    }
    let copy = disk.get(COPY);
    Ok(Executed { next: Node { disk, model }, calls, log, copy, repaired: outcome.repaired })
}

/// Checks that an operation without a fault fails only where it has to, and that it has its effect.
fn check_outcome(node: &Node, operation: Operation, outcome: &Outcome, after: &SimDisk) -> Result<(), String> {
    let is_version_0 = node.model.version == Version::V0;
    let (old, new) = (log_bytes(&node.disk), log_bytes(after));
    let must_succeed = match operation {
        Operation::Append | Operation::AppendSync | Operation::Batch => !is_version_0 && !is_truncated(&node.disk),
        Operation::SaveIndex | Operation::CatchUp | Operation::MigrateToVersion2 | Operation::Recover => true,
        Operation::Repair | Operation::Salvage => !is_version_0,
        Operation::Migrate => is_version_0,
        Operation::Undo => return check_undo(&node.model, outcome, &old, &new),
    };
    match &outcome.error {
        Some(error) if must_succeed => return Err(format!("{operation:?} fails: {error}")),
        None if !must_succeed => return Err(format!("{operation:?} is not refused")),
        Some(error) if old != new => return Err(format!("{operation:?} changes the log and fails: {error}")),
        Some(_) => return Ok(()),
        None => {}
    }
    match operation {
        Operation::Repair if survey_log(after).damage_total > 0 => Err("damage is left after a repair".into()),
        _ if operation.is_copy() => check_copy(node, after),
        _ => Ok(()),
    }
}

/// Checks that an undo restores the bytes from before the repair and keeps what was appended after it.
fn check_undo(model: &Model, outcome: &Outcome, old: &[u8], new: &[u8]) -> Result<(), String> {
    let last = model.repairs.last().filter(|last| old == last.after);
    if let (Some(error), Some(last)) = (&outcome.error, last) {
        return Err(format!("repair {} cannot be undone: {error}", last.number));
    }
    if outcome.error.is_some() {
        return if old == new { Ok(()) } else { Err("an undo that was refused has changed the log".into()) };
    }
    let images = model.repairs.iter().find(|images| Some(images.number) == outcome.undoes);
    if let Some(images) = images.filter(|images| old.starts_with(&images.after))
        && new != [images.before.as_slice(), &old[images.after.len()..]].concat()
    {
        return Err(format!("the undo of repair {} is not exact", images.number));
    }
    Ok(())
}

/// Checks that a copy has every readable event in order.
fn check_copy(node: &Node, after: &SimDisk) -> Result<(), String> {
    let copy = SimDisk::with_files(&[(LOG, &after.get(COPY).unwrap_or_default())]);
    let (source, mut copied) = (read_events(&node.disk)?, read_events(&copy)?.into_iter());
    let rename_key = |json: &str| json.replacen("{\"timestamp_ms\"", "{\"write_timestamp_ms\"", 1);
    match source.iter().find(|event| !copied.any(|found| found.json == rename_key(&event.json))) {
        Some(event) => Err(format!("the copy lacks the event at {}", event.offset)),
        None => check_no_litter(after, COPY),
    }
}

/// Returns the model with the events that an operation has acknowledged. A failed sync loses those that were
/// not synced.
fn acknowledge(
    node: &Node,
    operation: Operation,
    outcome: &Outcome,
    (disk, survivors): (&SimDisk, Survivors),
) -> Result<Model, String> {
    let mut acknowledged = node.model.clone();
    let (before, now) = (log_bytes(&node.disk), log_bytes(disk));
    // Bytes that the operation has changed are on stable storage only after a sync.
    let unchanged = before.iter().zip(&now).take_while(|(old, new)| old == new).count() as u64;
    acknowledged.durable_end = acknowledged.durable_end.min(unchanged);
    if operation.new_events() > 0 {
        // A new frame can begin with the same bytes as a tail that it replaces.
        let first_offset = node.model.version.first_frame_offset();
        acknowledged.durable_end = acknowledged.durable_end.min(node.model.next_offset().max(first_offset));
    }
    acknowledged.first_tried_number = acknowledged.next_number;
    acknowledged.next_number += operation.new_events();
    if outcome.appended.is_empty() {
        return Ok(acknowledged);
    }
    let readable = read_events(disk)?;
    for (nth, offset) in outcome.appended.iter().enumerate() {
        if *offset < acknowledged.next_offset() {
            return Err(format!("the offset {offset} was given before {}", acknowledged.next_offset()));
        }
        let number = format!(r#""n":{},"#, node.model.next_number + nth);
        let event = readable.iter().find(|event| event.offset == *offset && event.json.contains(&number));
        let Some(event) = event else {
            if survivors == Survivors::Synced && operation == Operation::Batch {
                continue;
            }
            return Err(format!("the acknowledged event at {offset} is not there"));
        };
        let event = ModelEvent { offset: *offset, json: event.json.clone(), state: EventState::Buffered };
        acknowledged.events.push(event);
    }
    acknowledged.events.sort_by_key(|event| event.offset);
    if matches!(operation, Operation::AppendSync | Operation::Recover) {
        let end = acknowledged.next_offset();
        acknowledged.mark_synced(end);
    }
    Ok(acknowledged)
}

/// Runs an operation with a fault; `None` when the fault has the same effect as another one that is tried.
pub(super) fn run_with_fault(
    node: &Node,
    operation: Operation,
    injection: Injection,
) -> Result<Option<Faulted>, String> {
    let disk = node.disk.next_process();
    disk.fail_if_reached(injection.call, injection.fault);
    let outcome = operation.run(&disk, node.model.next_number);
    let faulted_call = disk.faulted_call();
    if injection.fault == DiskFault::ShortWrite && !matches!(faulted_call, Some(CallKind::Append | CallKind::WriteAt)) {
        return Ok(None);
    }
    let is_sync_failed = faulted_call == Some(CallKind::Sync) && injection.fault != DiskFault::Kill;
    let survivors = if is_sync_failed { Survivors::Synced } else { Survivors::Acknowledged };
    let model = acknowledge(node, operation, &outcome, (&disk, survivors))?;
    Ok(Some(Faulted { operation, disk, outcome, model, survivors }))
}

/// Ends the process of an operation with a fault, and checks what the next process finds, before and after recovery.
pub(super) fn end_process(
    node: &Node,
    executed: &Executed,
    faulted: &Faulted,
    ending: Ending,
) -> Result<Crash, String> {
    let operation = faulted.operation;
    let found = ending.apply(&faulted.disk);
    let (survivors, contents) = match ending {
        Ending::NextProcess => (faulted.survivors, Contents::Cached),
        Ending::PowerCut(_) => (Survivors::Synced, Contents::Durable),
    };
    check_reads(&found, &faulted.model, survivors).map_err(|error| format!("before recovery: {error}"))?;
    let disk = found.next_process();
    let recovery = recover(&paths(&disk)).map_err(|error| format!("recovery fails: {error}"))?;
    let mut model = check_and_adopt(&disk, &faulted.model, survivors, contents)
        .map_err(|error| format!("{error}; recovery: {recovery:?}"))?;
    let (before, log) = (log_bytes(&node.disk), log_bytes(&disk));
    if operation.new_events() == 0 {
        let is_durable = node.model.durable_end == before.len() as u64;
        let compared = if survivors == Survivors::Acknowledged || is_durable {
            usize::MAX
        } else {
            node.model.durable_end as usize
        };
        let start = |bytes: &[u8]| bytes[..bytes.len().min(compared)].to_vec();
        let is_done = start(&log) == start(&executed.log);
        if !is_done && (faulted.outcome.error.is_none() || start(&log) != start(&before)) {
            return Err(format!("the log is neither as before nor as after; reported: {:?}", faulted.outcome.error));
        }
        if is_done && log == executed.log && before != log {
            if let Some(number) = executed.repaired {
                model.repairs.push(Arc::new(RepairImages { number, before, after: log }));
            }
            if operation == Operation::Undo {
                model.repairs.clone_from(&executed.next.model.repairs);
            }
        }
    }
    check_copy_after_fault(node, executed, faulted, &disk)?;
    let found = Node { disk: found, model: model.clone() };
    Ok(Crash { found, recovered: Node { disk, model } })
}

/// Checks that the copy is the old file or the new one, and the new one when it was reported as complete.
fn check_copy_after_fault(node: &Node, executed: &Executed, faulted: &Faulted, disk: &SimDisk) -> Result<(), String> {
    let copy = disk.get(COPY);
    let is_new = copy == executed.copy;
    // A process that was killed earlier may have left a new file whose name is not on stable storage.
    let is_old = [node.disk.get(COPY), node.disk.power_cut(|| false).get(COPY)].contains(&copy);
    let is_copied = faulted.operation.is_copy() && faulted.outcome.error.is_none();
    if !is_new && (is_copied || !is_old) {
        return Err(format!("the copy is neither the old file nor the new one: {:?}", copy.map(|bytes| bytes.len())));
    }
    Ok(())
}

pub(super) fn log_bytes(disk: &SimDisk) -> Vec<u8> {
    disk.get(LOG).unwrap_or_default()
}
