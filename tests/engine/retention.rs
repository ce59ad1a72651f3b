//! Tests retention: plans, removal, undo, purge, readers meanwhile, crashes and hostile files.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chronicle::repair::{ApplyOptions, RepairOptions, RetentionLimit, apply, plan_repair};
use chronicle::{EventLog, LogId, NewLogFormat, OpenOptions, SegmentRemoval, StorageError, StoredEvent};
use proptest::prelude::*;

use super::sim_disk::{DiskFault, SimDisk};
use super::support::{event, open_options, random_choices};

pub(super) const FOLDER: &str = "/data/accounts";
pub(super) const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

/// A log on a simulated disk, and what it should contain.
struct Model {
    disk: SimDisk,
    /// Every event that was ever appended: its offset and number.
    appended: Vec<(u64, usize)>,
    /// The first offset of the log.
    start: u64,
    /// The starts that an undo can bring back, the last one on top; each with the start that it was replaced by.
    undoable: Vec<(u64, u64)>,
}

pub(super) fn options(disk: &SimDisk) -> OpenOptions {
    open_options(disk).format(NewLogFormat::V2(ID)).segment_size(1024)
}

pub(super) fn open(disk: &SimDisk) -> EventLog {
    options(disk).open(FOLDER).unwrap()
}

pub(super) fn read_only(disk: &SimDisk) -> EventLog {
    options(disk).open_read_only(FOLDER).unwrap()
}

/// Returns the bases of the segments in a folder of the disk.
pub(super) fn bases(disk: &SimDisk, folder: &str) -> Vec<u64> {
    let in_folder = |name: &String| Path::new(name).parent() == Some(Path::new(folder));
    let names = disk.names().into_iter().filter(in_folder);
    names.filter_map(|name| name[folder.len() + 1..].strip_suffix(".log")?.parse().ok()).collect()
}

impl Model {
    /// Creates a log of `events` events in segments of about a kibibyte, with indexes.
    fn new(events: usize) -> Self {
        let disk = SimDisk::default();
        options(&disk).create(FOLDER).unwrap().close().unwrap();
        let mut model = Self { disk, appended: Vec::new(), start: 0, undoable: Vec::new() };
        model.append(events);
        model
    }

    fn append(&mut self, events: usize) {
        let mut log = open(&self.disk);
        for _ in 0..events {
            let n = self.appended.len();
            self.appended.push((log.append_sync(&event(1 + n as u64 % 3, n)).unwrap(), n));
        }
        log.close().unwrap();
    }

    fn bases(&self) -> Vec<u64> {
        bases(&self.disk, FOLDER)
    }

    /// Returns the start of the log that removing the segments before `offset` gives.
    fn start_before(&self, offset: u64) -> u64 {
        let bases = self.bases();
        bases.iter().skip(1).rfind(|base| **base <= offset).copied().unwrap_or(self.start)
    }

    fn kept(&self) -> Vec<u64> {
        offsets_from(&self.appended, self.start)
    }

    /// Compares everything that a reader sees with the model.
    fn check(&self) {
        let log = read_only(&self.disk);
        assert_eq!(replayed(&log), self.kept());
        assert_eq!(log.verify().unwrap().findings, []);
        for (offset, n) in &self.appended {
            match log.replay(*offset) {
                Ok(mut replay) => {
                    let found = replay.next().unwrap().unwrap();
                    assert!(*offset >= self.start && found.payload().starts_with(&format!(r#"{{"n":{n},"#)));
                }
                Err(error) => assert_removed(&error, (*offset, self.start)),
            }
        }
        let of_two: Vec<u64> = log.load_aggregate(2).unwrap().iter().map(StoredEvent::offset).collect();
        let kept = self.appended.iter().filter(|(offset, n)| *offset >= self.start && n % 3 == 1);
        assert_eq!(of_two, kept.map(|(offset, _)| *offset).collect::<Vec<_>>());
    }
}

fn offsets_from(appended: &[(u64, usize)], start: u64) -> Vec<u64> {
    appended.iter().map(|(offset, _)| *offset).filter(|offset| *offset >= start).collect()
}

pub(super) fn replayed(log: &EventLog) -> Vec<u64> {
    log.replay(0).unwrap().map(|event| event.unwrap().offset()).collect()
}

fn assert_removed(error: &StorageError, expected: (u64, u64)) {
    match error {
        StorageError::Removed { offset, first, .. } => assert_eq!((*offset, *first), expected),
        other => panic!("{other}"),
    }
}

/// One operation of the model test.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Append(usize),
    RemoveBefore(u8),
    KeepBytes(u16),
    Undo,
    Purge,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        (1usize..12).prop_map(Operation::Append),
        any::<u8>().prop_map(Operation::RemoveBefore),
        (0u16..6000).prop_map(Operation::KeepBytes),
        Just(Operation::Undo),
        Just(Operation::Purge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn random_operations_leave_what_a_model_has(operations in prop::collection::vec(operation(), 1..10)) {
        let mut model = Model::new(12);
        for operation in operations {
            match operation {
                Operation::Append(events) => model.append(events),
                Operation::RemoveBefore(share) => {
                    let offset = model.appended[model.appended.len() * usize::from(share) / 256].0;
                    let expected = model.start_before(offset);
                    let start = open(&model.disk).remove_before(offset).unwrap();
                    prop_assert_eq!(start, expected);
                    model.record_start(start);
                }
                Operation::KeepBytes(bytes) => {
                    let mut log = open(&model.disk);
                    let expected = model.start_before(log.len().unwrap().saturating_sub(u64::from(bytes)));
                    let plan = log.plan_retention(&[RetentionLimit::KeepBytes(u64::from(bytes))]).unwrap();
                    prop_assert_eq!(plan.new_start, expected);
                    log.apply_retention(&plan).unwrap();
                    model.record_start(expected);
                }
                Operation::Undo => {
                    let undone = open(&model.disk).undo_removal();
                    match model.undoable.pop() {
                        Some((old, new)) => {
                            let record = undone.unwrap();
                            prop_assert_eq!((record.old_start, record.new_start), (old, new));
                            model.start = old;
                        }
                        None => prop_assert!(undone.is_err(), "there is nothing to undo"),
                    }
                }
                Operation::Purge => {
                    let purged = open(&model.disk).purge_removed().unwrap();
                    prop_assert_eq!(purged.segments > 0, !model.undoable.is_empty());
                    prop_assert_eq!(bases(&model.disk, "/data/accounts/.removed"), Vec::<u64>::new());
                    model.undoable.clear();
                }
            }
            model.check();
        }
    }
}

impl Model {
    fn record_start(&mut self, start: u64) {
        if start != self.start {
            self.undoable.push((self.start, start));
            self.start = start;
        }
    }
}

#[test]
fn a_plan_names_segments_events_times_and_what_stays() {
    let model = Model::new(40);
    let bases = model.bases();
    assert!(bases.len() > 5, "{bases:?}");
    let log = read_only(&model.disk);
    let plan = |limit| log.plan_retention(&[limit]).unwrap();
    let before = plan(RetentionLimit::BeforeOffset(bases[3] + 100));
    assert_eq!((before.old_start, before.new_start), (0, bases[3]));
    assert_eq!(before.segments.iter().map(|segment| segment.base).collect::<Vec<_>>(), bases[..3]);
    assert_eq!((before.bytes(), before.kept_segments), (bases[3], bases.len() as u64 - 3));
    let events = model.appended.iter().filter(|(offset, _)| *offset < bases[3]).count();
    assert_eq!(before.events(), events as u64);
    let times: Vec<u64> = log.replay(0).unwrap().map(|event| event.unwrap().write_timestamp_ms()).collect();
    assert_eq!(before.times_ms(), Some((times[0], times[events - 1])));
    assert_eq!((before.active_over_limit, before.emptied.as_ref().unwrap().count), (0, 0));
    // Everything is over the limit, and the last segment stays.
    let all = plan(RetentionLimit::KeepBytes(0));
    assert_eq!(all.new_start, *bases.last().unwrap());
    let active = model.appended.iter().filter(|(offset, _)| offset > bases.last().unwrap()).count();
    assert_eq!(all.active_over_limit, active as u64);
    let nothing = plan(RetentionLimit::KeepBytes(1 << 30));
    assert_eq!((nothing.new_start, nothing.segments.len(), nothing.active_over_limit), (0, 0, 0));
    // A segment is as old as the next one, whatever its events say.
    let sealed = before.segments[1].sealed_at_ms.unwrap();
    assert_eq!(plan(RetentionLimit::BeforeTime(sealed)).new_start, bases[2]);
    assert_eq!(plan(RetentionLimit::BeforeTime(sealed - 1)).new_start, bases[1]);
}

#[test]
fn a_plan_without_indexes_reads_the_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create_folder_log(&path, 40);
    let log = EventLog::open_read_only(&path).unwrap();
    let limit = [RetentionLimit::BeforeOffset(offsets[20])];
    let indexed = log.plan_retention(&limit).unwrap();
    assert!(indexed.emptied.is_some());
    for entry in fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_some_and(|extension| extension == "idx") {
            fs::remove_file(entry).unwrap();
        }
    }
    let read = EventLog::open_read_only(&path).unwrap().plan_retention(&limit).unwrap();
    assert_eq!(read.emptied, None);
    assert_eq!((read.segments, read.new_start), (indexed.segments, indexed.new_start));
}

/// Creates a log in a folder of segments of about a kibibyte. Returns the offsets of its events.
fn create_folder_log(path: &Path, events: usize) -> Vec<u64> {
    let mut log = OpenOptions::new().format(NewLogFormat::V2(ID)).segment_size(1024).create(path).unwrap();
    let offsets = (0..events).map(|n| log.append(&event(1 + n as u64 % 3, n)).unwrap()).collect();
    log.close().unwrap();
    offsets
}

#[test]
fn an_aggregate_whose_last_event_goes_is_named() {
    let disk = SimDisk::default();
    let mut log = options(&disk).create(FOLDER).unwrap();
    for n in 0..30 {
        log.append(&event(if n < 3 { 77 } else { 1 }, n)).unwrap();
    }
    log.close().unwrap();
    // An event that no index has yet keeps its aggregate.
    let second = bases(&disk, FOLDER)[2];
    let limit = [RetentionLimit::BeforeOffset(second)];
    let emptied = read_only(&disk).plan_retention(&limit).unwrap().emptied.unwrap();
    assert_eq!((emptied.count, emptied.ids), (1, vec![77]));
    let mut log = open(&disk);
    log.append_sync(&event(77, 31)).unwrap();
    drop(log);
    assert_eq!(read_only(&disk).plan_retention(&limit).unwrap().emptied.unwrap().count, 0);
}

#[test]
fn a_plan_for_another_state_of_the_log_is_not_applied() {
    let model = Model::new(40);
    let offset = model.bases()[3];
    let plan = read_only(&model.disk).plan_retention(&[RetentionLimit::BeforeOffset(offset)]).unwrap();
    let mut log = open(&model.disk);
    log.remove_before(model.bases()[1]).unwrap();
    assert!(matches!(log.apply_retention(&plan), Err(StorageError::Changed { .. })));
    drop(log);
    assert!(matches!(read_only(&model.disk).remove_before(offset), Err(StorageError::ReadOnly { .. })));
    let file = SimDisk::default();
    let mut log = open_options(&file).create("/data/a.log").unwrap();
    assert!(matches!(log.remove_before(100), Err(StorageError::Refused { .. })));
    assert!(matches!(log.purge_removed(), Err(StorageError::Refused { .. })));
}

/// What a change of the test of faults does to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Retain,
    Undo,
    Purge,
}

impl Change {
    fn run(self, disk: &SimDisk, offset: u64) -> Result<(), StorageError> {
        let mut log = options(disk).open(FOLDER)?;
        match self {
            Self::Retain => log.remove_before(offset).map(drop),
            Self::Undo => log.undo_removal().map(drop),
            Self::Purge => log.purge_removed().map(drop),
        }
    }
}

#[test]
fn a_kill_or_an_error_at_every_call_leaves_the_old_or_the_new_log() {
    for change in [Change::Retain, Change::Undo, Change::Purge] {
        let mut model = Model::new(24);
        let offset = model.bases()[2];
        if change != Change::Retain {
            open(&model.disk).remove_before(offset).unwrap();
            model.start = offset;
        }
        let starts = match change {
            Change::Retain => [0, offset],
            Change::Undo => [offset, 0],
            Change::Purge => [offset, offset],
        };
        let complete = model.disk.next_process();
        let calls = complete.calls();
        change.run(&complete, offset).unwrap();
        let calls = complete.calls() - calls;
        assert!(calls > 5, "{change:?}: {calls}");
        for n in 0..calls {
            for fault in [DiskFault::Kill, DiskFault::Error(5), DiskFault::Error(28)] {
                let disk = model.disk.next_process();
                disk.fail(n, fault);
                let failed = change.run(&disk, offset);
                assert!(fault != DiskFault::Kill || failed.is_err() || n + 1 == calls, "{change:?} {n}");
                check_after_fault(&disk.next_process(), &model, (change, starts));
                check_after_fault(&disk.power_cut(random_choices(n as u64)), &model, (change, starts));
            }
        }
    }
}

/// Checks that the log has its old or its new start, that an opening for append completes the change, and that all of it is
/// undone or removed by further changes.
fn check_after_fault(disk: &SimDisk, model: &Model, (change, starts): (Change, [u64; 2])) {
    let log = read_only(disk);
    let found = replayed(&log);
    let start = log.view().segments().unwrap().log_start();
    assert!(starts.contains(&start), "{change:?}: {start}");
    assert_eq!(found, offsets_from(&model.appended, start), "{change:?}");
    assert_eq!(log.verify().unwrap().findings, [], "{change:?}");
    drop(log);
    let mut log = open(disk);
    assert_eq!(bases(disk, FOLDER).first().copied(), Some(start), "{change:?}");
    let last = log.append_sync(&event(1, 1)).unwrap();
    assert!(last > model.appended.last().unwrap().0);
    let removals = log.removals().unwrap().0;
    assert_eq!(removals.len(), usize::from(start > 0), "{change:?}");
    match log.undo_removal() {
        Ok(_) if start > 0 => {
            let mut expected = offsets_from(&model.appended, 0);
            expected.push(last);
            assert_eq!(replayed(&log), expected, "{change:?}");
            // The same segments can be removed again.
            assert_eq!(log.remove_before(start).unwrap(), start);
        }
        Err(StorageError::Refused { .. }) if start == 0 || change == Change::Purge => {}
        other => panic!("{change:?} {start}: {other:?}"),
    }
    log.purge_removed().unwrap();
    assert_eq!(bases(disk, "/data/accounts/.removed"), Vec::<u64>::new());
    let records = disk.names().into_iter().filter(|name| name.starts_with("/data/accounts/.removed/"));
    assert_eq!(
        records.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json")).count(),
        log.removals().unwrap().0.len(),
        "{change:?}"
    );
    assert!(matches!(log.undo_removal(), Err(StorageError::Refused { .. })));
    assert_eq!(replayed(&log), [offsets_from(&model.appended, start), vec![last]].concat());
}

/// Creates a log whose last segment has no event, because a retention has started it. Returns the log and its bases.
fn model_with_empty_last_segment() -> (Model, Vec<u64>) {
    let mut model = Model::new(40);
    model.start = open(&model.disk).remove_before(model.bases()[1]).unwrap();
    let bases = model.bases();
    let last = format!("{FOLDER}/{:020}.log", bases.last().unwrap());
    assert_eq!(model.disk.get(&last).unwrap().len(), 64);
    (model, bases)
}

#[test]
fn a_retention_replaces_a_last_segment_without_an_event_instead_of_adding_one() {
    let (mut model, bases) = model_with_empty_last_segment();
    let reader = read_only(&model.disk);
    assert_eq!(replayed(&reader), model.kept());
    for (nth, base) in bases.iter().enumerate().skip(1).take(2) {
        model.start = open(&model.disk).remove_before(*base).unwrap();
        assert_eq!(model.bases(), bases[nth..], "no segment was added");
        model.check();
    }
    // The index of the replaced file, which has a copy of its header, goes with it.
    read_only(&model.disk).save_index().unwrap();
    let index = format!("{FOLDER}/{:020}.log.idx", bases.last().unwrap());
    assert!(model.disk.get(&index).is_some());
    model.start = open(&model.disk).remove_before(bases[3]).unwrap();
    assert_eq!(model.disk.get(&index), None);
    model.check();
    // A reader that had the replaced file open sees the new start, and new events.
    assert_eq!(replayed(&reader), model.kept());
    model.append(3);
    assert_eq!(replayed(&reader), model.kept());
    model.check();
    // An undo without an event since replaces the file too, and the same handle appends.
    let mut log = open(&model.disk);
    let start = log.remove_before(bases[5]).unwrap();
    let before = model.bases().len();
    assert_eq!(log.undo_removal().unwrap().new_start, start);
    assert_eq!(model.bases().len(), before + 2, "only the retention has added a segment");
    let last = log.append_sync(&event(1, 1)).unwrap();
    assert_eq!(replayed(&log), [model.kept(), vec![last]].concat());
    assert_eq!(log.verify().unwrap().findings, []);
    drop(log);
    assert_eq!(replayed(&reader), [model.kept(), vec![last]].concat());
}

#[test]
fn a_kill_or_an_error_at_every_call_leaves_an_empty_last_segment_with_the_old_or_the_new_start() {
    let (model, bases) = model_with_empty_last_segment();
    let complete = model.disk.next_process();
    let calls = complete.calls();
    Change::Retain.run(&complete, bases[2]).unwrap();
    let calls = complete.calls() - calls;
    for n in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(5), DiskFault::Error(28)] {
            let disk = model.disk.next_process();
            disk.fail(n, fault);
            let _ = Change::Retain.run(&disk, bases[2]);
            for disk in [disk.next_process(), disk.power_cut(random_choices(n as u64))] {
                let log = read_only(&disk);
                let start = log.view().segments().unwrap().log_start();
                assert!([model.start, bases[2]].contains(&start), "{n}: {start}");
                assert_eq!(replayed(&log), offsets_from(&model.appended, start), "{n}");
                assert_eq!(log.verify().unwrap().findings, [], "{n} {fault:?}");
                drop(log);
                let mut log = open(&disk);
                let last = log.append_sync(&event(1, 1)).unwrap();
                log.close().unwrap();
                assert_eq!(replayed(&read_only(&disk)), [offsets_from(&model.appended, start), vec![last]].concat());
                assert_eq!(read_only(&disk).verify().unwrap().findings, []);
            }
        }
    }
}

#[test]
fn a_replay_goes_on_after_segments_were_removed() {
    let model = Model::new(60);
    let bases = model.bases();
    let at = |base: u64| model.appended.iter().position(|(offset, _)| *offset > base).unwrap();
    let reader = read_only(&model.disk);
    let mut replay = reader.replay(0).unwrap();
    let first = replay.next().unwrap().unwrap();
    assert_eq!(first.offset(), 64);
    let mut writer = open(&model.disk);
    writer.remove_before(bases[4]).unwrap();
    let (mut events, mut removed) = (vec![64], Vec::new());
    for item in replay {
        match item {
            Ok(event) => events.push(event.offset()),
            Err(StorageError::Removed { first, .. }) => removed.push(first),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(removed, [bases[4]], "one item for all removed segments");
    // What the replay had in its buffer stays readable.
    let next = events.iter().position(|offset| *offset > bases[4]).unwrap();
    assert_eq!(events[next..], offsets_from(&model.appended, bases[4]));
    assert_eq!(events[..next], offsets_from(&model.appended, 0)[..next]);
    assert!(next < at(bases[4]));
    // The same handle sees the new start and new events, and nothing is damage.
    assert_eq!(replayed(&reader), offsets_from(&model.appended, bases[4]));
    assert_eq!(reader.verify().unwrap().findings, []);
    let last = writer.append_sync(&event(1, 1)).unwrap();
    assert_eq!(replayed(&reader).last(), Some(&last));
    assert_removed(&reader.replay(64).unwrap_err(), (64, bases[4]));
    // An undo brings the events back for the same handle.
    writer.undo_removal().unwrap();
    assert_eq!(replayed(&reader), [offsets_from(&model.appended, 0), vec![last]].concat());
}

#[test]
fn a_reader_whose_last_segment_was_removed_finds_the_log_again() {
    let mut model = Model::new(20);
    let reader = read_only(&model.disk);
    assert_eq!(replayed(&reader), model.kept());
    model.append(60);
    let start = open(&model.disk).remove_before(model.appended[70].0).unwrap();
    model.start = start;
    assert!(start > model.appended[20].0);
    assert_eq!(replayed(&reader), model.kept());
    assert_eq!(reader.verify().unwrap().findings, []);
}

#[test]
fn hostile_records_and_settings_are_named_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create_folder_log(&path, 40);
    let start = EventLog::open(&path).unwrap().remove_before(offsets[20]).unwrap();
    let record = path.join(format!(".removed/{start:020}.json"));
    let good = fs::read_to_string(&record).unwrap();
    for wrong in ["", "{", "{}", "[]", r#"{"removal":{},"checksum":0}"#, &good.replace("\"bytes\":", "\"bytes\":1")] {
        fs::write(&record, wrong).unwrap();
        let mut log = EventLog::open(&path).unwrap();
        let (records, notices) = log.removals().unwrap();
        assert_eq!((records.len(), notices.len()), (0, 1), "{wrong}");
        assert!(notices[0].contains(&format!("{start:020}.json: not used: ")), "{notices:?}");
        assert!(matches!(log.undo_removal(), Err(StorageError::Refused { .. })), "{wrong}");
        assert_eq!(log.verify().unwrap().findings, []);
    }
    // A file with too many bytes is not read.
    fs::File::create(&record).unwrap().set_len(1 << 30).unwrap();
    assert!(EventLog::open(&path).unwrap().removals().unwrap().1[0].contains("expected at most"));
    fs::write(&record, &good).unwrap();
    for settings in ["", "{", r#"{"settings":{"first_offset":99999999},"checksum":1}"#] {
        fs::write(path.join("log.json"), settings).unwrap();
        let log = EventLog::open_read_only(&path).unwrap();
        let read: Vec<u64> = log.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
        assert_eq!(read, offsets.iter().copied().filter(|offset| *offset > start).collect::<Vec<_>>());
    }
    let restored: SegmentRemoval = EventLog::open(&path).unwrap().undo_removal().unwrap();
    assert_eq!(restored.new_start, start);
    assert!(fs::read_to_string(path.join("log.json")).unwrap().contains("\"first_offset\":0"));
    assert_eq!(replayed(&EventLog::open_read_only(&path).unwrap()), offsets);
}

#[test]
fn removed_segments_that_were_changed_are_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create_folder_log(&path, 40);
    let start = EventLog::open(&path).unwrap().remove_before(offsets[20]).unwrap();
    let first = path.join(".removed/00000000000000000000.log");
    let good = fs::read(&first).unwrap();
    let refused = |reason: &str| {
        let error = EventLog::open(&path).unwrap().undo_removal().unwrap_err().to_string();
        assert!(error.contains("refused: ") && error.contains(reason), "{error}");
        assert!(!path.join("00000000000000000000.log").exists());
    };
    fs::write(&first, &good[..good.len() - 1]).unwrap();
    refused("does not have the segment at offset 0");
    fs::remove_file(&first).unwrap();
    refused("does not have the segment at offset 0");
    // A segment of another log keeps its name, and is neither restored nor deleted.
    let mut other = good.clone();
    other[16..32].fill(7);
    let crc = chronicle::internal::format::crc::checksum(&other[..60]);
    other[60..64].copy_from_slice(&crc.to_be_bytes());
    fs::write(&first, &other).unwrap();
    refused("does not have the segment at offset 0");
    EventLog::open(&path).unwrap().purge_removed().unwrap();
    assert_eq!(fs::read(&first).unwrap(), other);
    refused("were deleted for good");
    assert_eq!(EventLog::open_read_only(&path).unwrap().view().segments().unwrap().log_start(), start);
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create_folder_log(&path, 40);
    let removed = path.join(".removed");
    fs::create_dir(&removed).unwrap();
    fs::set_permissions(&removed, fs::Permissions::from_mode(0o777)).unwrap();
    let mut log = EventLog::open(&path).unwrap();
    assert!(matches!(log.remove_before(offsets[20]), Err(StorageError::Refused { .. })));
    assert_eq!(replayed(&log), offsets);
    fs::remove_dir(&removed).unwrap();
    let elsewhere: PathBuf = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &removed).unwrap();
    assert!(log.remove_before(offsets[20]).is_err());
    assert_eq!((replayed(&log), fs::read_dir(&elsewhere).unwrap().count()), (offsets, 0));
}

#[test]
fn a_damaged_header_of_the_last_segment_refuses_a_retention() {
    let model = Model::new(40);
    let last = *model.bases().last().unwrap();
    let name = format!("{FOLDER}/{last:020}.log");
    let mut bytes = model.disk.get(&name).unwrap();
    bytes[33] ^= 0xFF;
    model.disk.overwrite(&name, &bytes);
    let mut log = open(&model.disk);
    assert!(matches!(log.remove_before(model.bases()[2]), Err(StorageError::Refused { .. })));
    assert_eq!(log.removals().unwrap().0, []);
}

#[test]
fn removed_segments_are_not_lost_ones_when_the_header_of_the_last_segment_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create_folder_log(&path, 40);
    let start = EventLog::open(&path).unwrap().remove_before(offsets[20]).unwrap();
    let mut log = EventLog::open(&path).unwrap();
    log.append_sync(&event(1, 40)).unwrap();
    let last = *log.view().segments().unwrap().bases().last().unwrap();
    log.close().unwrap();
    let file = path.join(format!("{last:020}.log"));
    let mut bytes = fs::read(&file).unwrap();
    // Without its index, the header follows from the segment before it.
    let _ = fs::remove_file(file.with_extension("log.idx"));
    bytes[41..47].fill(0xA5);
    fs::write(&file, &bytes).unwrap();
    let log = EventLog::open_read_only(&path).unwrap();
    let found = log.verify().unwrap().findings;
    assert_eq!(
        found.iter().map(|finding| (finding.kind.name(), finding.start)).collect::<Vec<_>>(),
        [("header", last)]
    );
    let paths = OpenOptions::new().log_paths(&path).unwrap();
    let plan =
        plan_repair(log.view(), &RepairOptions::new().accept_likely(), &mut |_| ControlFlow::Continue(())).unwrap();
    drop(log);
    apply(&paths, &plan, ApplyOptions::default()).unwrap();
    let log = EventLog::open_read_only(&path).unwrap();
    assert_eq!(log.verify().unwrap().findings, []);
    assert_eq!(log.view().segments().unwrap().log_start(), start);
    assert_eq!(replayed(&log)[..], [offsets_after(&offsets, start), vec![last + 64]].concat());
}

fn offsets_after(offsets: &[u64], start: u64) -> Vec<u64> {
    offsets.iter().copied().filter(|offset| *offset > start).collect()
}
