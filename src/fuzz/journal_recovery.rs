//! Recovery from a killed repair: a recovery changes only bytes in the ranges of the repair, and only to what they were
//! before it or after it, whatever the journal contains.

use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use super::sample_logs::{
    INDEX, LOG, SampleLog, SampleVersion, log_paths, open_read_only, open_view, options, sample_log,
};
use crate::format::FrameFormat;
use crate::format::frame::{DecodeResult, decode, encode};
use crate::format::journal::HEADER_LEN;
use crate::repair::{ApplyOptions, RepairOptions, apply, plan_repair, plan_undo, read_repair_history, recover};

const DONOR: &str = "/data/donor.log";

/// A repair that was applied, with the files before and after it.
#[derive(Debug)]
struct RepairCase {
    before: Vec<u8>,
    after: Vec<u8>,
    index_before: Option<Vec<u8>>,
    index_after: Option<Vec<u8>>,
    journal_path: String,
    journal: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

/// Returns repairs of several kinds, of both versions: corrected bits and a gap, bytes from a donor, and an end that is set
/// aside.
fn cases() -> &'static [RepairCase] {
    static CASES: OnceLock<Vec<RepairCase>> = OnceLock::new();
    CASES.get_or_init(|| {
        let flip: fn(&mut Vec<u8>) = |log| log[90] ^= 4;
        let overwrite: fn(&mut Vec<u8>) = |log| log[600..640].fill(0xA5);
        let tear: fn(&mut Vec<u8>) = |log| log.truncate(log.len() - 20);
        let gaps = RepairOptions::new().gap_undecided();
        let donor = RepairOptions::new().donor(DONOR);
        let of_version = |version| {
            let sample = sample_log(version);
            [
                repair_case(sample, &[flip, overwrite], Some(&sample.index), &gaps),
                repair_case(sample, &[overwrite], None, &donor),
                repair_case(sample, &[tear], None, &gaps),
            ]
        };
        [SampleVersion::V1, SampleVersion::V2].into_iter().flat_map(of_version).collect()
    })
}

fn repair_case(
    sample: &SampleLog,
    damages: &[fn(&mut Vec<u8>)],
    index: Option<&[u8]>,
    repair_options: &RepairOptions,
) -> RepairCase {
    let mut before = sample.log.clone();
    for damage in damages {
        damage(&mut before);
    }
    let disk = MemoryDisk::with_files(&[(LOG, &before), (DONOR, &sample.log)]);
    if let Some(index) = index {
        disk.put(INDEX, index);
    }
    let index_before = disk.get(INDEX);
    let plan =
        plan_repair(&open_view(&disk, LOG).unwrap(), repair_options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(!plan.steps.is_empty(), "there is something to repair");
    let repair = apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
    let journal_path = repair.journal.display().to_string();
    let journal = disk.get(&journal_path).unwrap();
    let ranges = plan.steps.iter().map(|step| step.start as usize..step.end.max(step.new_end) as usize).collect();
    let (after, index_after) = (disk.get(LOG).unwrap(), disk.get(INDEX));
    RepairCase { before, after, index_before, index_after, journal_path, journal, ranges }
}

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let settings = input.byte();
    let case = &cases()[usize::from(settings) % cases().len()];
    let mut found = half_repaired_log(case, &mut input);
    let frames = frames_without_last_state(&case.journal);
    let journal_change = settings / 4 % 4;
    let journal = match journal_change {
        0 => journal_of(case, &frames),
        1 => {
            let mut journal = journal_of(case, &frames);
            input.edit(&mut journal);
            journal
        }
        2 => forged_journal(case, frames, &mut input),
        _ => {
            input.edit(&mut found);
            journal_of(case, &frames)
        }
    };
    let disk = MemoryDisk::with_files(&[(LOG, &found), (&case.journal_path, &journal)]);
    let index = if settings & 0x40 != 0 { &case.index_before } else { &case.index_after };
    if let Some(index) = index {
        disk.put(INDEX, index);
    }
    if let Ok(log) = open_read_only(&disk) {
        let _ = (log.pending_repair().unwrap(), log.side_file_notices());
    }
    let outcome = recover(&log_paths(&disk));
    let recovered = disk.get(LOG).unwrap();
    check_recovered(case, &found, &recovered);
    if outcome.is_ok() {
        let again = recover(&log_paths(&disk));
        assert!(matches!(again, Ok(None)), "a recovery leaves nothing to recover: {outcome:?}, then {again:?}");
    }
    if journal_change == 0 {
        assert!(matches!(outcome, Ok(Some(_))), "the journal of a killed repair is used: {outcome:?}");
        assert!([&case.before, &case.after].contains(&&recovered));
    }
    let _ = read_repair_history(&log_paths(&disk));
    check_undo(case, &disk, settings);
    let _ = options(&disk).open(LOG);
}

/// Returns a log that has a part of the repair's changes: those before a position that the input chooses.
fn half_repaired_log(case: &RepairCase, input: &mut FuzzInput) -> Vec<u8> {
    let (first, last) = (case.ranges[0].start, case.ranges[case.ranges.len() - 1].end);
    let position = first + input.below(last - first + 1);
    let (written, rest) = if input.flag() { (&case.after, &case.before) } else { (&case.before, &case.after) };
    let cut = position.min(written.len());
    [&written[..cut], rest.get(cut..).unwrap_or_default()].concat()
}

/// Returns the payloads of the journal's frames, without the last one, which records that the repair is complete.
fn frames_without_last_state(journal: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut frames) = (&journal[HEADER_LEN..], Vec::new());
    while let DecodeResult::Complete(frame) = decode(rest, FrameFormat::V1, 0) {
        frames.push(frame.payload().to_vec());
        rest = &rest[frame.len() as usize..];
    }
    frames.pop();
    frames
}

fn journal_of(case: &RepairCase, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut journal = case.journal[..HEADER_LEN].to_vec();
    for frame in frames {
        encode(frame, &mut journal);
    }
    journal
}

/// Changes, removes or repeats frames of a journal, with right checksums.
fn forged_journal(case: &RepairCase, mut frames: Vec<Vec<u8>>, input: &mut FuzzInput) -> Vec<u8> {
    let at = input.below(frames.len());
    match input.byte() % 4 {
        0 => drop(frames.remove(at)),
        1 => frames.insert(at, frames[at].clone()),
        2 => frames.insert(at, input.bytes(64).to_vec()),
        _ => input.edit(&mut frames[at]),
    }
    frames.retain(|frame| !frame.is_empty());
    journal_of(case, &frames)
}

/// Checks that a recovery has changed bytes only in the ranges of the repair, to what they were before it or after it.
fn check_recovered(case: &RepairCase, found: &[u8], recovered: &[u8]) {
    let lengths = [found.len(), case.before.len(), case.after.len()];
    assert!(lengths.contains(&recovered.len()), "{} bytes, expected one of {lengths:?}", recovered.len());
    for (at, byte) in recovered.iter().enumerate() {
        let is_in_range = case.ranges.iter().any(|range| range.contains(&at));
        let is_planned = is_in_range && [case.before.get(at), case.after.get(at)].contains(&Some(byte));
        assert!(found.get(at) == Some(byte) || is_planned, "byte {at} is {byte:02X}");
    }
}

/// Undoes the last repair, if there is one, and checks that only bytes in its ranges change.
fn check_undo(case: &RepairCase, disk: &MemoryDisk, settings: u8) {
    let found = disk.get(LOG).unwrap();
    if let Ok(undo) = plan_undo(&log_paths(disk), None)
        && settings & 0x80 != 0
    {
        let _ = apply(&log_paths(disk), &undo, ApplyOptions::new());
        check_recovered(case, &found, &disk.get(LOG).unwrap());
    }
}
