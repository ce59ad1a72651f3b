//! Tests of erasing events, undoing it, and making it final, with a kill or a failure at every disk call.

use std::ops::ControlFlow;
use std::path::Path;

use chronicle::internal::format::frame::encode_at;
use chronicle::internal::format::gap::{ErasedRecord, gap_content, is_gap};
use chronicle::internal::format::{FrameFormat, frame};
use chronicle::repair::{
    ApplyOptions, EraseOptions, KnownCopyKind, Plan, RepairOptions, RepairState, apply, known_copies, plan_erase,
    plan_purge, plan_repair, plan_undo, read_repair_history, recover,
};
use chronicle::{Event, LogHeader, LogId, NewLogFormat, StorageError};

use super::repairs::{assert_atomic, log_paths, repair, undo};
use super::retention::{FOLDER, options as segments_options};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, START_MS, disk_with_indexed_log, event, finding_ranges, open_options, open_read_only, open_view,
    random_choices, readable_offsets, survey_log,
};

const EIO: i32 = 5;
const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");
/// The aggregate of the secret events: its bytes are in no other number of the test logs.
const SECRET_ID: u64 = 0x5EC1_23E7_1D5E_C123;
const SECRET: &str = "Quetzalcoatl 1883-07";

fn plan_at(disk: &SimDisk, offsets: &[u64]) -> Result<Plan, StorageError> {
    let options = EraseOptions::new(offsets.iter().copied()).reason("request 17").at(START_MS);
    plan_erase(&open_view(disk)?, &options, &mut |_| ControlFlow::Continue(()))
}

fn erase(disk: &SimDisk, offsets: &[u64]) -> Result<Plan, StorageError> {
    let plan = plan_at(disk, offsets)?;
    apply(&log_paths(disk), &plan, ApplyOptions::new()).map(|_| plan)
}

fn plan_to_purge(disk: &SimDisk, number: Option<u32>) -> Result<Plan, StorageError> {
    plan_purge(&log_paths(disk), number, &mut |_| ControlFlow::Continue(()))
}

fn purge(disk: &SimDisk, number: Option<u32>) -> Result<Plan, StorageError> {
    let plan = plan_to_purge(disk, number)?;
    apply(&log_paths(disk), &plan, ApplyOptions::new()).map(|_| plan)
}

fn secret_event(n: usize) -> Event {
    Event::builder()
        .event_type("Xylograph")
        .namespace("accounts")
        .schema_id("Person")
        .schema_version(1)
        .aggregate_id(SECRET_ID)
        .payload_json(format!(r#"{{"n":{n},"born":"{SECRET}"}}"#))
        .build()
        .unwrap()
}

/// Returns a disk with a log of ten events, of which 2, 5 and 6 are secret, and its index.
fn disk_with_secrets(format: NewLogFormat) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).format(format).create(LOG).unwrap();
    let is_secret = |n: usize| [2, 5, 6].contains(&n);
    let events = (0..10).map(|n| if is_secret(n) { secret_event(n) } else { event(1 + n as u64 % 3, n) });
    let offsets = events.map(|event| log.append_sync(&event).unwrap()).collect();
    log.save_index().unwrap();
    (disk, offsets)
}

fn secret_offsets(offsets: &[u64]) -> [u64; 3] {
    [offsets[2], offsets[5], offsets[6]]
}

#[test]
fn every_payload_length_is_replaced_by_a_gap_of_its_size_and_all_other_bytes_stay() {
    for format in [FrameFormat::V1, FrameFormat::of_log(ID)] {
        let header = if format == FrameFormat::V1 { LogHeader::new(7) } else { LogHeader::of_log(ID, 7) };
        let mut bytes = header.encode().to_vec();
        let mut frames = Vec::new();
        let mut append = |payload: &str| {
            let start = bytes.len() as u64;
            encode_at(format, start, payload.as_bytes(), &mut bytes);
            frames.push((start, payload.len()));
        };
        let event = |padding: usize| {
            let padding = "x".repeat(padding);
            format!(
                r#"{{"write_timestamp_ms":7,"event_type":"E","namespace":"n","schema_id":"s","schema_version":1,"payload":"{padding}"}}"#
            )
        };
        append(&event(0));
        // Frames that are no events can be shorter than every event.
        for len in 2..120 {
            append(&"7".repeat(len));
            append(&event(len));
        }
        for (nth, (start, len)) in frames.iter().copied().enumerate() {
            let disk = SimDisk::with_files(&[(LOG, &bytes)]);
            let plan = erase(&disk, &[start]).unwrap();
            let now = disk.get(LOG).unwrap();
            let end = start as usize + len + 8;
            assert!(now[..start as usize] == bytes[..start as usize] && now[end..] == bytes[end..], "frame {nth}");
            assert_eq!(plan.changed_bytes(), len as u64 + 8);
            let frame::DecodeResult::Complete(gap) = frame::decode(&now[start as usize..], format, start) else {
                panic!("no frame at {start}");
            };
            assert_eq!(gap.payload().len(), len);
            assert!(is_gap(gap.payload()));
            let record = gap_content(gap.payload()).and_then(ErasedRecord::from_content);
            let (at_ms, reason) = (Some(START_MS), Some("request 17".to_owned()));
            let whole = ErasedRecord { at_ms, reason };
            let expected = match len {
                0..22 => None,
                22..40 => Some(ErasedRecord::default()),
                _ if len < whole.payload_len() => Some(ErasedRecord { reason: None, ..whole }),
                _ => Some(whole),
            };
            assert_eq!(record, expected, "{len} bytes");
            let has_note = plan.notes.iter().any(|note| note.contains("too short for the reason"));
            assert_eq!(has_note, record.is_none_or(|record| record.reason.is_none()), "{len} bytes: {:?}", plan.notes);
            undo(&disk).unwrap();
            assert!(disk.get(LOG).unwrap() == bytes, "frame {nth} is restored");
        }
        // All of them at once, as one range.
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let all: Vec<u64> = frames.iter().map(|(start, _)| *start).collect();
        let plan = erase(&disk, &all).unwrap();
        assert_eq!((plan.steps.len(), plan.erases.as_ref().unwrap().events), (1, frames.len() as u64));
        assert_eq!(survey_log(&disk).gaps, frames.len() as u64);
        assert_eq!(survey_log(&disk).damage_total, 0);
        let found: Vec<u64> = finding_ranges(&survey_log(&disk)).into_iter().map(|(_, start, _)| start).collect();
        assert_eq!(found, all);
        undo(&disk).unwrap();
        assert!(disk.get(LOG).unwrap() == bytes);
    }
}

#[test]
fn erased_events_are_gaps_in_replay_and_in_no_look_up() {
    for format in [NewLogFormat::V1, NewLogFormat::V2(ID)] {
        let (disk, offsets) = disk_with_secrets(format);
        let (before, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
        let plan = erase(&disk, &secret_offsets(&offsets)).unwrap();
        let erasure = plan.erases.as_ref().unwrap();
        assert_eq!((erasure.events, erasure.emptied.count, &erasure.emptied.ids[..]), (3, 1, &[SECRET_ID][..]));
        let times = erasure.times_ms.unwrap();
        assert!(times.0 < times.1);
        assert_eq!(plan.steps.len(), 2, "adjacent events are one range");
        assert_eq!(disk.get(LOG).unwrap().len(), before.len());
        let log = open_read_only(&disk);
        assert_eq!(log.load_aggregate(SECRET_ID).unwrap(), []);
        assert_eq!(log.index().unwrap().coverage().events, 7);
        assert!(log.index().unwrap().iter().all(|aggregate| aggregate.unwrap().id != SECRET_ID));
        let gaps: Vec<_> = log.replay(0).unwrap().filter_map(Result::err).collect();
        assert_eq!(gaps.len(), 3);
        for gap in gaps {
            let StorageError::Gap { content, journal, .. } = &gap else { panic!("{gap:?}") };
            let record = ErasedRecord::from_content(content.as_deref().unwrap()).unwrap();
            assert_eq!((record.at_ms, record.reason.as_deref()), (Some(START_MS), Some("request 17")));
            assert!(journal.as_ref().is_some_and(|path| path.ends_with("0001-erase.journal")), "{journal:?}");
        }
        let undone = undo(&disk).unwrap();
        assert_eq!(undone.undoes, Some(1));
        assert!(disk.get(LOG).unwrap() == before && disk.get(INDEX).unwrap() == index);
        let error = purge(&disk, None).unwrap_err();
        assert!(matches!(error, StorageError::Refused { .. }), "what was undone is not made final: {error}");
    }
}

#[test]
fn an_aggregate_that_keeps_an_event_is_not_reported_as_emptied() {
    let (indexed, offsets) = disk_with_secrets(NewLogFormat::V1);
    let without_index = SimDisk::with_files(&[(LOG, &indexed.get(LOG).unwrap())]);
    // The index does not cover the last event, which belongs to the same aggregate.
    let behind = SimDisk::with_files(&[(LOG, &indexed.get(LOG).unwrap()), (INDEX, &indexed.get(INDEX).unwrap())]);
    open_options(&behind).open(LOG).unwrap().append_sync(&secret_event(9)).unwrap();
    behind.overwrite(INDEX, &indexed.get(INDEX).unwrap());
    for (disk, selected, expected) in [
        (&indexed, &secret_offsets(&offsets)[..], 1),
        (&indexed, &secret_offsets(&offsets)[..2], 0),
        (&without_index, &secret_offsets(&offsets)[..], 1),
        (&without_index, &secret_offsets(&offsets)[1..], 0),
        (&behind, &secret_offsets(&offsets)[..], 0),
    ] {
        let plan = plan_at(disk, selected).unwrap();
        assert_eq!(plan.erases.unwrap().emptied.count, expected, "{selected:?}");
    }
}

#[test]
fn an_offset_without_an_event_is_refused_with_what_is_there() {
    let (disk, offsets) = disk_with_secrets(NewLogFormat::V1);
    let mut bytes = disk.get(LOG).unwrap();
    bytes[offsets[4] as usize + 30] ^= 0xff;
    disk.overwrite(LOG, &bytes);
    erase(&disk, &[offsets[2]]).unwrap();
    let end = bytes.len() as u64;
    for (offset, expected) in [
        (3, "in the header"),
        (offsets[3] + 5, "inside the frame at"),
        (offsets[4], "is damaged"),
        (offsets[2], "there is a gap"),
        (end, "the log ends at"),
        (end + 100, "the log ends at"),
        (u64::MAX, "the log ends at"),
    ] {
        let error = plan_at(&disk, &[offset]).unwrap_err();
        assert!(
            matches!(error, StorageError::Refused { .. }) && error.to_string().contains(expected),
            "{offset}: {error}"
        );
    }
    let too_many = EraseOptions::new(vec![offsets[0]; EraseOptions::MAX_EVENTS + 1]);
    let long_reason = EraseOptions::new([offsets[0]]).reason("x".repeat(1001));
    for options in [too_many, long_reason] {
        let planned = plan_erase(&open_view(&disk).unwrap(), &options, &mut |_| ControlFlow::Continue(()));
        assert!(matches!(planned, Err(StorageError::Refused { .. })));
    }
    assert!(plan_at(&disk, &[]).unwrap().is_empty());
}

#[test]
fn an_erasure_that_is_killed_or_fails_is_applied_or_rolled_back() {
    for format in [NewLogFormat::V1, NewLogFormat::V2(ID)] {
        let (disk, offsets) = disk_with_secrets(format);
        let before = disk.get(LOG).unwrap();
        let erased = disk.next_process();
        erase(&erased, &secret_offsets(&offsets)).unwrap();
        assert_atomic(&disk, &before, &erased.get(LOG).unwrap(), |disk| erase(disk, &secret_offsets(&offsets)));
        if format == NewLogFormat::V1 {
            assert_atomic(&erased, &erased.get(LOG).unwrap(), &before, undo);
        }
    }
}

#[test]
fn the_first_event_of_a_log_can_be_erased_and_restored_at_every_call() {
    let (disk, offsets) = disk_with_indexed_log(4);
    let before = disk.get(LOG).unwrap();
    let erased = disk.next_process();
    erase(&erased, &offsets[..1]).unwrap();
    assert_atomic(&disk, &before, &erased.get(LOG).unwrap(), |disk| erase(disk, &offsets[..1]));
    erase(&disk, &offsets).unwrap();
    assert_eq!(survey_log(&disk).gaps, 4, "a log of gaps alone");
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), before);
}

/// Asserts that no file has any 8 bytes of the secret payload, its type or its aggregate.
fn assert_no_secret(disk: &SimDisk, context: &str) {
    let secret_parts = SECRET.as_bytes().windows(8).step_by(4).map(<[u8]>::to_vec);
    let others = [b"Xylograph".to_vec(), SECRET_ID.to_be_bytes().to_vec(), SECRET_ID.to_string().into_bytes()];
    for name in disk.names() {
        let bytes = disk.get(&name).unwrap();
        for secret in secret_parts.clone().chain(others.clone()) {
            let found = memchr::memmem::find(&bytes, &secret);
            assert_eq!(found, None, "{context}: {name} has {}", secret.escape_ascii());
        }
    }
}

/// Returns a disk with three repairs of a log with secret events: a bit of a secret event was corrected, an erasure was
/// undone, and the events are erased.
fn disk_with_history(format: NewLogFormat) -> (SimDisk, Vec<u64>) {
    let (disk, offsets) = disk_with_secrets(format);
    for damaged in [offsets[8], offsets[5]] {
        let mut bytes = disk.get(LOG).unwrap();
        bytes[damaged as usize + 60] ^= 4;
        disk.overwrite(LOG, &bytes);
        assert_eq!(repair(&disk).unwrap().restored_events(), 1);
        open_read_only(&disk).save_index().unwrap();
    }
    erase(&disk, &secret_offsets(&offsets)).unwrap();
    undo(&disk).unwrap();
    erase(&disk, &secret_offsets(&offsets)).unwrap();
    (disk, offsets)
}

#[test]
fn after_a_purge_nothing_of_the_events_is_in_any_file_and_undo_says_why() {
    for format in [NewLogFormat::V1, NewLogFormat::V2(ID)] {
        let (disk, offsets) = disk_with_history(format);
        let erased = disk.get(LOG).unwrap();
        assert!(disk.has_bytes_anywhere(SECRET.as_bytes()));
        let plan = purge(&disk, None).unwrap();
        assert_eq!(plan.purges.as_ref().unwrap().erasures, [5]);
        assert_eq!(disk.get(LOG).unwrap(), erased, "the log stays as it is");
        assert_no_secret(&disk, "after the purge");
        assert!(!disk.has_bytes_anywhere(SECRET.as_bytes()), "also in no file whose name was removed");
        let history = read_repair_history(&log_paths(&disk)).unwrap();
        assert_eq!(history.notices, Vec::<String>::new());
        let states: Vec<_> =
            history.records.iter().map(|record| (record.number, record.state, record.undone_by)).collect();
        let purged = RepairState::Purged;
        assert_eq!(
            states,
            [
                (1, RepairState::Applied, None),
                (2, purged, None),
                (3, purged, Some(4)),
                (4, purged, None),
                (5, purged, None),
                (6, RepairState::Applied, None),
            ]
        );
        for (number, expected) in [
            (Some(5), "erasure 5 cannot be undone: the bytes from before it were destroyed by a purge"),
            (Some(2), "repair 2 cannot be undone: the bytes from before it were destroyed by a purge"),
            (Some(6), "6 is a purge, which cannot be undone"),
        ] {
            let error = plan_undo(&log_paths(&disk), number).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let error = purge(&disk, Some(5)).unwrap_err();
        assert!(error.to_string().contains("erasure 5 is final already"), "{error}");
        // The repair that has nothing to do with the events can still be undone.
        let plan = plan_undo(&log_paths(&disk), None).unwrap();
        assert_eq!(plan.undoes, Some(1));
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        assert_no_secret(&disk, "after an undo");
        assert_eq!(finding_ranges(&survey_log(&disk))[3], ("checksum", offsets[8], offsets[9]));
        // The index is built from the log as it is.
        let mut log = open_options(&disk).open(LOG).unwrap();
        log.append_sync(&event(1, 11)).unwrap();
        log.close().unwrap();
        assert_eq!(open_read_only(&disk).load_aggregate(SECRET_ID).unwrap(), []);
        assert_no_secret(&disk, "after an append");
    }
}

#[test]
fn a_purge_that_is_killed_or_fails_is_not_begun_or_completed_by_the_next_recovery() {
    let (disk, offsets) = disk_with_history(NewLogFormat::V1);
    let log = disk.get(LOG).unwrap();
    let probe = disk.next_process();
    let at = probe.calls();
    purge(&probe, None).unwrap();
    let calls = probe.calls() - at;
    assert!(calls > 20, "{calls} calls");
    let (mut undone, mut completed) = (0, 0);
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(EIO)] {
            for seed in 0..3u64 {
                let disk = disk.next_process();
                disk.fail(call, fault);
                let result = purge(&disk, None);
                for (cut, after) in [(false, disk.next_process()), (true, disk.power_cut(random_choices(seed)))] {
                    let context = format!("{fault:?} at call {call} ({:?}), power cut: {cut}", disk.faulted_call());
                    let is_pending = open_read_only(&after).pending_repair().unwrap().is_some();
                    // The first recovery is killed too.
                    after.fail_if_reached(seed as usize * 3, DiskFault::Kill);
                    let _ = recover(&log_paths(&after));
                    let after = after.next_process();
                    recover(&log_paths(&after)).unwrap_or_else(|error| panic!("{context}: {error}"));
                    assert_eq!(open_read_only(&after).pending_repair().unwrap(), None, "{context}");
                    assert_eq!(after.get(LOG).unwrap(), log, "{context}");
                    let records = read_repair_history(&log_paths(&after)).unwrap().records;
                    let erasure = records.iter().find(|record| record.number == 5).unwrap();
                    if erasure.state == RepairState::Purged {
                        completed += 1;
                        assert_no_secret(&after, &context);
                        assert_eq!(
                            records.iter().filter(|record| record.state == RepairState::Purged).count(),
                            4,
                            "{context}"
                        );
                    } else {
                        undone += 1;
                        assert!(result.is_err() && !is_pending, "{context}");
                        let plan = plan_undo(&log_paths(&after), Some(5)).unwrap();
                        apply(&log_paths(&after), &plan, ApplyOptions::new()).unwrap();
                        assert!(readable_offsets(&after).contains(&offsets[5]), "{context}");
                    }
                }
            }
        }
    }
    assert!(undone > 0 && completed > 0, "{undone} not begun, {completed} completed");
}

#[test]
fn a_purge_is_refused_when_its_journals_or_the_log_have_changed() {
    let (disk, offsets) = disk_with_history(NewLogFormat::V1);
    let plan = plan_to_purge(&disk, None).unwrap();
    // Another erasure has its own journal, with an index from before.
    erase(&disk, &[offsets[1]]).unwrap();
    let error = apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap_err();
    assert!(matches!(error, StorageError::Changed { .. }), "{error}");
    let plan = plan_to_purge(&disk, None).unwrap();
    assert_eq!(plan.purges.as_ref().unwrap().erasures, [5, 6]);
    // The bytes are back in the log: nothing is erased that a purge could make final.
    let (whole, _) = disk_with_secrets(NewLogFormat::V1);
    let mut bytes = disk.get(LOG).unwrap();
    let (start, end) = (offsets[5] as usize, offsets[7] as usize);
    bytes[start..end].copy_from_slice(&whole.get(LOG).unwrap()[start..end]);
    disk.overwrite(LOG, &bytes);
    for result in [apply(&log_paths(&disk), &plan, ApplyOptions::new()).map(drop), plan_to_purge(&disk, None).map(drop)]
    {
        assert!(matches!(result, Err(StorageError::Changed { .. })), "{result:?}");
    }
    let mut altered = plan;
    altered.purges.as_mut().unwrap().journals.clear();
    let error = apply(&log_paths(&disk), &altered, ApplyOptions::new()).unwrap_err();
    assert!(matches!(error, StorageError::Refused { .. }), "{error}");
    for (number, expected) in [(1, "is not an erasure"), (3, "was undone by 4"), (9, "there is no repair 9")] {
        let error = plan_to_purge(&disk, Some(number)).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_purge_names_the_copies_that_it_does_not_reach() {
    let (disk, offsets) = disk_with_secrets(NewLogFormat::V1);
    let log = disk.get(LOG).unwrap();
    let mut bytes = log.clone();
    bytes[offsets[8] as usize..offsets[9] as usize].fill(b'#');
    disk.overwrite(LOG, &bytes);
    disk.put("/mnt/replica.log", &log);
    disk.put("/data/a.log.bak", &log);
    disk.put("/data/old.idx", &disk.get(INDEX).unwrap());
    disk.put("/data/other.log", &LogHeader::new(1).encode());
    disk.put("/data/readme.txt", b"{\"plan");
    let options = chronicle::repair::RepairOptions::new();
    let from_donor = super::repairs::plan_from_donor(&disk, &options, Some("/mnt/replica.log")).unwrap();
    apply(&log_paths(&disk), &from_donor, ApplyOptions::new()).unwrap();
    let plan = erase(&disk, &secret_offsets(&offsets)).unwrap();
    disk.put("/data/erase.json", plan.to_json().unwrap().as_bytes());
    let copies: Vec<_> = known_copies(&log_paths(&disk))
        .unwrap()
        .into_iter()
        .map(|copy| (copy.path.display().to_string(), copy.kind))
        .collect();
    let expected = [
        ("/data/a.log.bak", KnownCopyKind::Log),
        ("/data/erase.json", KnownCopyKind::Plan),
        ("/data/old.idx", KnownCopyKind::Index),
        ("/mnt/replica.log", KnownCopyKind::Donor { repair: 1 }),
    ];
    assert_eq!(copies, expected.map(|(path, kind)| (path.to_owned(), kind)));
    let plan = plan_to_purge(&disk, None).unwrap();
    for (path, _) in expected {
        assert!(
            plan.notes.iter().any(|note| note.contains(path) && note.starts_with("not reached")),
            "{path}: {:?}",
            plan.notes
        );
    }
}

#[test]
fn a_purge_goes_on_when_a_journal_that_it_overwrites_is_gone() {
    let (disk, _) = disk_with_history(NewLogFormat::V1);
    let killed = (0..)
        .find_map(|call| {
            let disk = disk.next_process();
            disk.fail_if_reached(call, DiskFault::Kill);
            let _ = purge(&disk, None);
            let after = disk.next_process();
            open_read_only(&after).pending_repair().unwrap().map(|_| after)
        })
        .unwrap();
    let name = killed.names().into_iter().find(|name| name.contains("0003-")).unwrap();
    chronicle::storage::Disk::remove(&killed, Path::new(&name)).unwrap();
    assert!(recover(&log_paths(&killed)).unwrap().unwrap().completed);
    assert_no_secret(&killed, "after the recovery");
}

/// A command that changes a log on a disk.
type DiskChange<'c> = dyn Fn(&SimDisk) -> Result<(), StorageError> + 'c;

#[test]
fn an_erasure_in_a_log_of_segments_that_is_killed_or_fails_is_applied_or_rolled_back() {
    let disk = SimDisk::default();
    let mut log = segments_options(&disk).create(FOLDER).unwrap();
    let secret = [2, 11, 12, 20];
    let events = (0..24).map(|n| if secret.contains(&n) { secret_event(n) } else { event(1 + n as u64 % 3, n) });
    let offsets: Vec<u64> = events.map(|event| log.append_sync(&event).unwrap()).collect();
    let secret_offsets = secret.map(|n| offsets[n]);
    log.close().unwrap();
    let segments = |disk: &SimDisk| -> Vec<Vec<u8>> {
        let names = disk.names().into_iter().filter(|name| Path::new(name).extension().is_some_and(|end| end == "log"));
        names.map(|name| disk.get(&name).unwrap()).collect()
    };
    let paths = |disk: &SimDisk| segments_options(disk).log_paths(Path::new(FOLDER)).unwrap();
    let erase = |disk: &SimDisk| {
        let log = segments_options(disk).open_read_only(FOLDER)?;
        let options = EraseOptions::new(secret_offsets).reason("request 17").at(START_MS);
        let plan = plan_erase(log.view(), &options, &mut |_| ControlFlow::Continue(()))?;
        drop(log);
        apply(&paths(disk), &plan, ApplyOptions::new()).map(drop)
    };
    let undo = |disk: &SimDisk| {
        let plan = plan_undo(&paths(disk), None)?;
        apply(&paths(disk), &plan, ApplyOptions::new()).map(drop)
    };
    let erased = disk.next_process();
    erase(&erased).unwrap();
    let [before, after] = [&disk, &erased].map(segments);
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(before.len() >= 4 && changed >= 2, "{changed} of {} segments", before.len());
    let runs: [(&SimDisk, &DiskChange); 2] = [(&disk, &erase), (&erased, &undo)];
    for (disk, run) in runs {
        let complete = disk.next_process();
        run(&complete).unwrap();
        let (mut rolled_back, mut applied) = (0, 0);
        for call in 0..complete.calls() {
            for fault in [DiskFault::Kill, DiskFault::Error(EIO), DiskFault::ShortWrite] {
                let disk_now = disk.next_process();
                disk_now.fail(call, fault);
                let result = run(&disk_now);
                for found in [disk_now.next_process(), disk_now.power_cut(random_choices(call as u64))] {
                    let context = format!("{fault:?} at call {call} ({:?})", disk_now.faulted_call());
                    recover(&paths(&found)).unwrap_or_else(|error| panic!("{context}: {error}"));
                    let now = segments(&found);
                    assert!(now == before || now == after, "{context}");
                    assert!(result.is_err() || now == segments(&complete), "{context}");
                    let log =
                        segments_options(&found).open(FOLDER).unwrap_or_else(|error| panic!("{context}: {error}"));
                    let secret = log.load_aggregate(SECRET_ID).unwrap().len();
                    assert_eq!(secret, if now == before { 4 } else { 0 }, "{context}");
                    if now == segments(&complete) { applied += 1 } else { rolled_back += 1 }
                }
            }
        }
        assert!(rolled_back > 0 && applied > 0, "{rolled_back} rolled back, {applied} applied");
    }
}

#[test]
fn a_purge_destroys_copies_of_erased_events_in_all_journals_at_whichever_offset_they_are() {
    const FOLDER: &str = "/data/folder";
    let (disk, offsets) = disk_with_secrets(NewLogFormat::V2(ID));
    // A repair has replaced a copy of a secret frame at another offset: as the end of the log, and in the middle of it.
    let bytes = disk.get(LOG).unwrap();
    let secret = secret_offsets(&offsets)[0];
    let next = offsets[offsets.iter().position(|at| *at == secret).unwrap() + 1];
    let copy = bytes[secret as usize..next as usize].to_vec();
    let mut harmless = copy.clone();
    harmless[60..].fill(b'x');
    for (content, is_secret) in [(&copy, true), (&harmless, false)] {
        let disk = disk.next_process();
        disk.overwrite(LOG, &[bytes.as_slice(), &[0xEE; 3], content, b"torn"].concat());
        repair(&disk).unwrap();
        erase(&disk, &secret_offsets(&offsets)).unwrap();
        let plan = purge(&disk, None).unwrap();
        assert_eq!(plan.purges.unwrap().journals.len(), 1 + usize::from(is_secret));
        assert_eq!(plan_undo(&log_paths(&disk), Some(1)).is_err(), is_secret);
        if is_secret {
            assert_no_secret(&disk, "after a purge");
        }
    }
    // Bytes after the end of a sealed segment can be any part of an event.
    let disk = SimDisk::default();
    let options = open_options(&disk).format(NewLogFormat::V2(ID)).segment_size(1024);
    let mut log = options.clone().create(FOLDER).unwrap();
    let offsets: Vec<u64> =
        (0..20).map(|n| log.append(&if n % 5 == 2 { secret_event(n) } else { event(1, n) }).unwrap()).collect();
    log.close().unwrap();
    let first = format!("{FOLDER}/{:020}.log", 0);
    let sealed = disk.get(&first).unwrap();
    let start = offsets[2] as usize;
    disk.put(&first, &[sealed.as_slice(), &sealed[start + 20..offsets[3] as usize - 30]].concat());
    let paths = options.log_paths(Path::new(FOLDER)).unwrap();
    let view = || options.clone().open_read_only(FOLDER).unwrap();
    let plan = plan_repair(view().view(), &RepairOptions::new(), &mut |_| ControlFlow::Continue(())).unwrap();
    apply(&paths, &plan, ApplyOptions::new()).unwrap();
    assert_eq!(disk.get(&first).unwrap(), sealed);
    let erased: Vec<u64> = offsets.iter().copied().enumerate().filter(|(n, _)| n % 5 == 2).map(|(_, at)| at).collect();
    let plan =
        plan_erase(view().view(), &EraseOptions::new(erased).at(START_MS), &mut |_| ControlFlow::Continue(())).unwrap();
    apply(&paths, &plan, ApplyOptions::new()).unwrap();
    let plan = plan_purge(&paths, None, &mut |_| ControlFlow::Continue(())).unwrap();
    apply(&paths, &plan, ApplyOptions::new()).unwrap();
    assert_no_secret(&disk, "after a purge of a log in a folder");
    let error = plan_undo(&paths, Some(1)).unwrap_err();
    assert!(error.to_string().contains("were destroyed by a purge"), "{error}");
}
