//! Tests segments whose files are missing: written again from a donor, given up without one, undone, killed at every call.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use chronicle::repair::{
    ApplyOptions, FixFinder, LogPaths, Plan, RepairAction, RepairOptions, apply, plan_repair, plan_undo, recover,
};
use chronicle::storage::Disk;
use chronicle::{EventLog, Finding, LogId, NewLogFormat, OpenOptions, StorageError};

use super::sim_disk::{DiskFault, SimDisk};
use super::support::{event, open_options, random_choices};

pub(super) const LOG: &str = "/data/accounts";
pub(super) const COPY: &str = "/data/copy";
pub(super) const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

pub(super) fn options(disk: &SimDisk) -> OpenOptions {
    open_options(disk).format(NewLogFormat::V2(ID)).segment_size(1024)
}

/// Creates a log of `events` events in segments of about a kibibyte, with indexes, and a copy of it. Returns the offsets.
pub(super) fn new_log(events: usize) -> (SimDisk, Vec<u64>) {
    let disk = SimDisk::default();
    let mut log = options(&disk).create(LOG).unwrap();
    let offsets = (0..events).map(|n| log.append(&event(1 + n as u64 % 3, n)).unwrap()).collect();
    log.close().unwrap();
    disk.create_log_folder(Path::new(COPY)).unwrap();
    disk.sync_folder(Path::new("/data")).unwrap();
    for name in names(&disk, LOG) {
        disk.put(&format!("{COPY}/{name}"), &disk.get(&format!("{LOG}/{name}")).unwrap());
    }
    (disk, offsets)
}

/// Returns the names of the files in a folder.
pub(super) fn names(disk: &SimDisk, folder: &str) -> Vec<String> {
    let inside = disk.names().into_iter().filter(|name| Path::new(name).parent() == Some(Path::new(folder)));
    inside.map(|name| name[folder.len() + 1..].to_owned()).collect()
}

pub(super) fn bases(disk: &SimDisk) -> Vec<u64> {
    names(disk, LOG).iter().filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect()
}

/// Returns the segments and the settings of the log.
pub(super) fn contents(disk: &SimDisk) -> BTreeMap<String, Vec<u8>> {
    let files = names(disk, LOG)
        .into_iter()
        .filter(|name| !name.contains(".idx") && (name.contains(".log") || name == "log.json"));
    files.map(|name| (name.clone(), disk.get(&format!("{LOG}/{name}")).unwrap())).collect()
}

pub(super) fn segment(base: u64) -> String {
    format!("{LOG}/{base:020}.log")
}

pub(super) fn remove(disk: &SimDisk, path: &str) {
    disk.remove(Path::new(path)).unwrap();
    disk.sync_folder(Path::new(path).parent().unwrap()).unwrap();
}

pub(super) fn read_only(disk: &SimDisk) -> EventLog {
    options(disk).open_read_only(LOG).unwrap()
}

pub(super) fn paths(disk: &SimDisk) -> LogPaths {
    options(disk).log_paths(Path::new(LOG)).unwrap()
}

pub(super) fn findings(disk: &SimDisk) -> Vec<(&'static str, u64, u64)> {
    let found = read_only(disk).verify().unwrap().findings;
    found.iter().map(|Finding { kind, start, end, .. }| (kind.name(), *start, *end)).collect()
}

/// Returns the offsets of the events, and the ranges of the `Lost` items of a replay from `from` on.
fn replay(disk: &SimDisk, from: u64) -> (Vec<u64>, Vec<(u64, u64)>) {
    let (mut events, mut lost) = (Vec::new(), Vec::new());
    for item in read_only(disk).replay(from).unwrap() {
        match item {
            Ok(event) => events.push(event.offset()),
            Err(StorageError::Lost { start, end, given_up_at_ms, .. }) => {
                assert!(given_up_at_ms >= super::support::START_MS);
                lost.push((start, end));
            }
            Err(error) => panic!("{error}"),
        }
    }
    (events, lost)
}

pub(super) fn plan(disk: &SimDisk, options: &RepairOptions) -> Plan {
    let plan = plan_repair(read_only(disk).view(), options, &mut |_| ControlFlow::Continue(())).unwrap();
    // A saved plan does the same.
    assert_eq!(Plan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    plan
}

pub(super) fn actions(plan: &Plan) -> Vec<RepairAction> {
    plan.steps.iter().map(|step| step.action).collect()
}

pub(super) fn repair(disk: &SimDisk, options: &RepairOptions) -> Plan {
    let plan = plan(disk, options);
    assert_eq!(plan.unrepaired.len(), 0, "{:?}", plan.unrepaired);
    apply(&paths(disk), &plan, ApplyOptions::new().full_check()).unwrap();
    plan
}

pub(super) fn undo(disk: &SimDisk) {
    apply(&paths(disk), &plan_undo(&paths(disk), None).unwrap(), ApplyOptions::default()).unwrap();
}

pub(super) fn donor() -> RepairOptions {
    RepairOptions::new().donor(COPY)
}

/// Returns lists of segments to remove: the first, one and two in the middle, and the last one.
fn removals(bases: &[u64]) -> Vec<Vec<u64>> {
    let last = bases.len() - 1;
    vec![vec![bases[0]], vec![bases[2]], vec![bases[2], bases[3]], vec![bases[last]], vec![bases[1], bases[last]]]
}

/// Returns the adjacent ranges of removed segments, in a log that ends at `end`.
fn missing_ranges(all: &[u64], removed: &[u64], end: u64) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for base in removed {
        let next = all.iter().copied().find(|other| other > base).unwrap_or(end);
        match ranges.last_mut() {
            Some(last) if last.1 == *base => last.1 = next,
            _ => ranges.push((*base, next)),
        }
    }
    ranges
}

#[test]
fn a_missing_segment_is_written_again_as_its_own_file_from_a_copy() {
    let (good, offsets) = new_log(40);
    for removed in removals(&bases(&good)) {
        let disk = good.next_process();
        for base in &removed {
            remove(&disk, &segment(*base));
        }
        let before = contents(&disk);
        assert!(findings(&disk).iter().all(|(kind, ..)| *kind == "truncated"));
        let plan = repair(&disk, &donor());
        assert_eq!(actions(&plan), vec![RepairAction::RestoreSegment; removed.len()], "{removed:?}");
        assert_eq!(plan.restored_events() as usize, offsets.len() - replay_of(&before).len());
        assert_eq!(contents(&disk), contents(&good), "{removed:?}");
        assert_eq!(findings(&disk), []);
        read_only(&disk).save_index().unwrap();
        assert_eq!(read_only(&disk).view().index_state().name(), "fresh");
        undo(&disk);
        assert_eq!(contents(&disk), before, "{removed:?}");
        assert!(findings(&disk).iter().all(|(kind, ..)| *kind == "truncated") && !findings(&disk).is_empty());
        repair(&disk, &donor());
        assert_eq!(contents(&disk), contents(&good), "{removed:?}");
    }
}

/// Counts the events in the segments of `contents`.
fn replay_of(contents: &BTreeMap<String, Vec<u8>>) -> Vec<u64> {
    let disk = SimDisk::default();
    disk.create_log_folder(Path::new(LOG)).unwrap();
    for (name, bytes) in contents {
        disk.put(&format!("{LOG}/{name}"), bytes);
    }
    read_only(&disk).replay(0).unwrap().filter_map(|item| item.ok().map(|event| event.offset())).collect()
}

#[test]
fn a_header_is_composed_where_only_the_frames_are_known() {
    let (disk, _) = new_log(40);
    let all = bases(&disk);
    // The copy has the frames of the missing segment in the one before it, as after a repair by an older version.
    let header = &disk.get(&segment(all[2])).unwrap()[..64].to_vec();
    remove(&disk, &segment(all[2]));
    remove(&disk, &format!("{}.idx", segment(all[2])));
    let mut joined = disk.get(&format!("{COPY}/{:020}.log", all[1])).unwrap();
    joined.extend(disk.get(&format!("{COPY}/{:020}.log", all[2])).unwrap());
    remove(&disk, &format!("{COPY}/{:020}.log", all[2]));
    disk.put(&format!("{COPY}/{:020}.log", all[1]), &joined);
    let plan = repair(&disk, &donor());
    assert_eq!(actions(&plan), [RepairAction::RestoreSegment]);
    assert_eq!(findings(&disk), []);
    let written = disk.get(&segment(all[2])).unwrap();
    // The creation time is that of the first event; everything else follows from the other segments.
    assert_eq!((&written[..8], &written[16..60]), (&header[..8], &header[16..60]));
}

#[test]
fn without_a_copy_the_range_is_given_up_and_stays_known_as_lost() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    let end = read_only(&good).len().unwrap();
    for removed in removals(&all) {
        let disk = good.next_process();
        for base in &removed {
            remove(&disk, &segment(*base));
        }
        let before = contents(&disk);
        let ranges = missing_ranges(&all, &removed, end);
        let plan = repair(&disk, &RepairOptions::new());
        assert_eq!(actions(&plan), vec![RepairAction::GiveUp; ranges.len()], "{removed:?}");
        // The indexes that the segments have left show how many events are given up, and of which aggregates.
        let lost_events =
            offsets.iter().filter(|at| ranges.iter().any(|(start, end)| (*start..*end).contains(at))).count();
        let loss = plan.total_loss();
        assert_eq!((loss.at_least, loss.at_most), (lost_events as u64, lost_events as u64), "{removed:?}");
        assert_eq!(loss.aggregates, [1, 2, 3]);
        let expected: Vec<_> = ranges.iter().map(|(start, end)| ("lost", *start, *end)).collect();
        assert_eq!(findings(&disk), expected);
        let is_left = |offset: &u64| !ranges.iter().any(|(start, end)| (*start..*end).contains(offset));
        let left: Vec<u64> = offsets.iter().copied().filter(is_left).collect();
        assert_eq!(replay(&disk, 0), (left.clone(), ranges.clone()), "{removed:?}");
        // A look-up in the range says that it is lost.
        let (start, stop) = ranges[0];
        assert_eq!(replay(&disk, u64::midpoint(start, stop)).1.first(), Some(&(start, stop)));
        let known = read_only(&disk).view().lost_ranges();
        assert_eq!(known.iter().map(|range| (range.start, range.end)).collect::<Vec<_>>(), ranges);
        assert_eq!(
            plan_repair(read_only(&disk).view(), &RepairOptions::new(), &mut |_| ControlFlow::Continue(()))
                .unwrap()
                .steps,
            []
        );
        // The indexes join over the range, and the log goes on.
        read_only(&disk).save_index().unwrap();
        let log = read_only(&disk);
        assert_eq!(log.view().index_state().name(), "fresh");
        assert_eq!(log.view().index_coverage().unwrap().events, left.len() as u64);
        let of_one = log.load_aggregate(1).unwrap().len();
        drop(log);
        assert_eq!(
            of_one,
            left.iter().filter(|at| offsets.iter().position(|other| other == *at).unwrap() % 3 == 0).count()
        );
        undo(&disk);
        assert_eq!(contents(&disk), before, "{removed:?}");
        assert!(findings(&disk).iter().all(|(kind, ..)| *kind == "truncated"));
        repair(&disk, &RepairOptions::new());
        let next = options(&disk).open(LOG).unwrap().append_sync(&event(1, 1)).unwrap();
        assert!(next >= end, "{removed:?}: {next}");
        assert_eq!(findings(&disk), expected);
    }
}

#[test]
fn a_later_copy_brings_a_lost_range_back() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    for removed in removals(&all) {
        let disk = good.next_process();
        for base in &removed {
            remove(&disk, &segment(*base));
        }
        repair(&disk, &RepairOptions::new());
        let lost = contents(&disk);
        let plan = repair(&disk, &donor());
        assert_eq!(actions(&plan), vec![RepairAction::RestoreSegment; removed.len()], "{removed:?}");
        assert_eq!((findings(&disk), replay(&disk, 0).1), (vec![], vec![]));
        assert!(!String::from_utf8(contents(&disk)["log.json"].clone()).unwrap().contains("lost"));
        // The repair that gave the range up is undone after the one that restored it.
        let refused = plan_undo(&paths(&disk), Some(1)).unwrap_err().to_string();
        assert!(refused.contains("repair 2 has changed"), "{refused}");
        undo(&disk);
        assert_eq!(contents(&disk), lost, "{removed:?}");
        undo(&disk);
        assert!(findings(&disk).iter().all(|(kind, ..)| *kind == "truncated"));
    }
}

#[test]
fn a_lost_end_that_was_given_up_is_not_undone_after_an_append() {
    let (disk, _) = new_log(40);
    let last = *bases(&disk).last().unwrap();
    let end = read_only(&disk).len().unwrap();
    remove(&disk, &segment(last));
    repair(&disk, &RepairOptions::new());
    assert_eq!(options(&disk).open(LOG).unwrap().append_sync(&event(1, 1)).unwrap(), end + 64);
    let refused = plan_undo(&paths(&disk), None).unwrap_err();
    assert!(matches!(&refused, StorageError::Refused { reason, .. } if reason.contains("were appended")), "{refused}");
}

#[test]
fn lost_ranges_are_a_finding_again_without_settings_and_believed_only_where_no_segment_is() {
    let (good, offsets) = new_log(40);
    let all = bases(&good);
    let (base, next) = (all[2], all[3]);
    remove(&good, &segment(base));
    let settings = format!("{LOG}/log.json");
    let intact = good.get(&settings).unwrap();
    let flipped: Vec<u8> = intact.iter().map(|byte| if *byte == b'1' { b'2' } else { *byte }).collect();
    for content in [None, Some(flipped), Some(b"{".to_vec()), Some(vec![0xff; 3000])] {
        let disk = good.next_process();
        repair(&disk, &RepairOptions::new());
        assert_eq!(findings(&disk), [("lost", base, next)]);
        let lost = disk.get(&settings).unwrap();
        remove(&disk, &settings);
        if let Some(bytes) = content {
            disk.put(&settings, &bytes);
        }
        assert_eq!(findings(&disk), [("truncated", base, next)]);
        let before = contents(&disk);
        repair(&disk, &RepairOptions::new());
        assert_eq!(findings(&disk), [("lost", base, next)]);
        undo(&disk);
        assert_eq!(contents(&disk), before);
        // Settings with ranges of real segments, and beyond the end, say nothing about those.
        disk.put(&settings, &lost);
        assert_eq!(findings(&disk), [("lost", base, next)]);
    }
    let disk = good.next_process();
    for hostile in [(0, u64::MAX), (base - 100, next + 100), (0, base), (next, u64::MAX)] {
        disk.put(&settings, settings_with(&[hostile]).as_bytes());
        let covers = hostile.0 <= base && next <= hostile.1;
        assert_eq!(findings(&disk), [(if covers { "lost" } else { "truncated" }, base, next)], "{hostile:?}");
        let left: Vec<u64> = offsets.iter().copied().filter(|offset| !(base..next).contains(offset)).collect();
        let read: Vec<u64> =
            read_only(&disk).replay(0).unwrap().filter_map(|item| item.ok().map(|event| event.offset())).collect();
        assert_eq!(read, left);
    }
    // A repair leaves only what is true.
    let many: Vec<(u64, u64)> = (0..900).map(|n| (2 * n, 2 * n + 1)).collect();
    disk.put(&settings, settings_with(&many).as_bytes());
    repair(&disk, &RepairOptions::new());
    let lost = read_only(&disk).view().lost_ranges();
    assert_eq!(lost.iter().map(|lost| (lost.start, lost.end)).collect::<Vec<_>>(), [(base, next)]);
    let json = String::from_utf8(disk.get(&settings).unwrap()).unwrap();
    assert_eq!(json.matches("\"start\"").count(), 1, "{json}");
    let too_many: Vec<(u64, u64)> = (0..1001).map(|n| (2 * n, 2 * n + 1)).collect();
    disk.put(&settings, settings_with(&too_many).as_bytes());
    assert_eq!(findings(&disk), [("truncated", base, next)]);
}

#[test]
fn bytes_after_the_end_of_a_sealed_segment_are_kept_in_the_journal_and_cut() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    let disk = good.next_process();
    for (nth, base) in all[..3].iter().enumerate() {
        let mut bytes = disk.get(&segment(*base)).unwrap();
        bytes.extend(vec![nth as u8 * 7; 100 + 3000 * nth]);
        disk.put(&segment(*base), &bytes);
    }
    // Other damage in the segments keeps its order.
    let mut bytes = disk.get(&segment(all[1])).unwrap();
    bytes[100] ^= 1;
    disk.put(&segment(all[1]), &bytes);
    let before = contents(&disk);
    assert_eq!(findings(&disk).iter().filter(|(kind, ..)| *kind == "garbage").count(), 3);
    let plan = repair(&disk, &RepairOptions::new());
    assert_eq!(actions(&plan).iter().filter(|action| **action == RepairAction::CutExcess).count(), 3);
    assert_eq!(contents(&disk), contents(&good));
    undo(&disk);
    assert_eq!(contents(&disk), before);
    repair(&disk, &donor());
    assert_eq!(contents(&disk), contents(&good));
}

#[test]
fn a_file_in_the_way_of_a_missing_segment_is_named_and_kept() {
    let (disk, _) = new_log(40);
    let base = bases(&disk)[2];
    let mut foreign = disk.get(&segment(base)).unwrap();
    foreign[16..32].fill(7);
    let crc = chronicle::internal::format::crc::checksum(&foreign[..60]);
    foreign[60..64].copy_from_slice(&crc.to_be_bytes());
    disk.put(&segment(base), &foreign);
    let fixes = |disk: &SimDisk| {
        let log = read_only(disk);
        let mut finder = FixFinder::new(log.view()).unwrap();
        let findings = log.verify().unwrap().findings;
        let mut fixes: Vec<_> = findings.iter().flat_map(|finding| finder.push(finding).unwrap()).collect();
        fixes.append(&mut finder.finish());
        fixes.into_iter().map(|proposed| proposed.fix.map(|fix| fix.action)).collect::<Vec<_>>()
    };
    // A verification offers what the plan would do: nothing, until the file is moved away.
    assert_eq!(fixes(&disk), [None]);
    let without = disk.next_process();
    remove(&without, &segment(base));
    assert_eq!(fixes(&without), [Some(RepairAction::GiveUp)]);
    for options in [donor(), RepairOptions::new()] {
        let plan = plan(&disk, &options);
        assert_eq!(plan.steps, []);
        assert_eq!(plan.unrepaired[0].alternatives, []);
        assert!(plan.unrepaired[0].reason.contains(&format!("{base:020}.log is no segment")), "{plan:?}");
    }
    assert_eq!(disk.get(&segment(base)).unwrap(), foreign);
}

#[test]
fn an_undo_of_a_repair_in_a_removed_segment_is_refused() {
    let (good, _) = new_log(40);
    let all = bases(&good);
    let disk = good.next_process();
    remove(&disk, &segment(all[1]));
    repair(&disk, &donor());
    options(&disk).open(LOG).unwrap().remove_before(all[3]).unwrap();
    let before = contents(&disk);
    let refused = plan_undo(&paths(&disk), Some(1)).unwrap_err();
    let StorageError::Refused { reason, alternative, .. } = &refused else { panic!("{refused}") };
    assert!(reason.contains(&format!("{:020}.log", all[1])) && reason.contains("retention has removed"), "{reason}");
    assert!(alternative.contains("chronicle undo LOG"), "{alternative}");
    assert_eq!(contents(&disk), before);
    options(&disk).open(LOG).unwrap().undo_removal().unwrap();
    undo(&disk);
    assert!(!bases(&disk).contains(&all[1]));
    repair(&disk, &donor());
    let mut log = options(&disk).open(LOG).unwrap();
    log.remove_before(all[3]).unwrap();
    log.purge_removed().unwrap();
    drop(log);
    let StorageError::Refused { alternative, .. } = plan_undo(&paths(&disk), Some(3)).unwrap_err() else { panic!() };
    assert!(alternative.contains("deleted for good"), "{alternative}");
}

/// Returns settings with these lost ranges, with a correct checksum.
fn settings_with(lost: &[(u64, u64)]) -> String {
    let range =
        |(start, end): &(u64, u64)| format!(r#"{{"start":{start},"end":{end},"given_up_at_ms":1766718274106}}"#);
    let lost = lost.iter().map(range).collect::<Vec<_>>().join(",");
    let content = format!(r#"{{"log_id":"{ID}","segment_size":1024,"first_offset":0,"lost":[{lost}]}}"#);
    let checksum = chronicle::internal::format::crc::checksum(content.as_bytes());
    format!(r#"{{"settings":{content},"checksum":{checksum}}}"#)
}

/// A change of the test of faults.
#[derive(Debug, Clone, Copy)]
enum Change {
    Repair,
    Restore,
    Undo,
}

impl Change {
    fn run(self, disk: &SimDisk) -> Result<(), StorageError> {
        let paths = options(disk).log_paths(Path::new(LOG))?;
        let options = match self {
            Self::Repair => RepairOptions::new(),
            Self::Restore => donor(),
            Self::Undo => return apply(&paths, &plan_undo(&paths, None)?, ApplyOptions::default()).map(drop),
        };
        let log = open_options(disk).open_read_only(LOG)?;
        let plan = plan_repair(log.view(), &options, &mut |_| ControlFlow::Continue(()))?;
        drop(log);
        apply(&paths, &plan, ApplyOptions::default()).map(drop)
    }
}

#[test]
fn a_kill_or_an_error_at_every_call_leaves_the_log_before_or_after() {
    let (good, _) = new_log(24);
    let all = bases(&good);
    let mut damaged = Vec::new();
    for removed in [vec![all[1]], vec![all[0], *all.last().unwrap()]] {
        let disk = good.next_process();
        for base in removed {
            remove(&disk, &segment(base));
        }
        damaged.push(disk);
    }
    let excess = good.next_process();
    let bytes = [excess.get(&segment(all[1])).unwrap(), vec![9; 300]].concat();
    excess.put(&segment(all[1]), &bytes);
    damaged.push(excess);
    for disk in damaged {
        for change in [Change::Repair, Change::Restore] {
            let before = disk.next_process();
            check_every_call(&before, change);
            change.run(&before).unwrap();
            check_every_call(&before, Change::Undo);
        }
    }
}

fn check_every_call(start: &SimDisk, change: Change) {
    let complete = start.next_process();
    let calls = complete.calls();
    change.run(&complete).unwrap();
    let calls = complete.calls() - calls;
    assert!(calls > 5, "{change:?}: {calls}");
    for n in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(5), DiskFault::Error(28)] {
            let disk = start.next_process();
            disk.fail(n, fault);
            let _ = change.run(&disk);
            for disk in [disk.next_process(), disk.power_cut(random_choices(n as u64))] {
                recover(&paths(&disk)).unwrap();
                let found = without_times(contents(&disk));
                let is_one = [start, &complete].iter().any(|state| without_times(contents(state)) == found);
                let sizes: Vec<_> = found.iter().map(|(name, bytes)| (name, bytes.len())).collect();
                let settings = found.get("log.json").map(|bytes| String::from_utf8_lossy(bytes));
                assert!(is_one, "{change:?} {n} {fault:?}: {sizes:?} {settings:?}");
            }
        }
    }
}

/// Replaces the time at which a range was given up, and the checksum over it, in the settings.
fn without_times(mut contents: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    if let Some(bytes) = contents.get_mut("log.json") {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let keep = |part: &&str| !part.contains("given_up_at_ms") && !part.contains("checksum");
        *bytes = text.split(',').filter(keep).collect::<String>().into_bytes();
    }
    contents
}

#[test]
fn the_header_of_a_written_segment_is_that_of_its_index_or_of_the_copy() {
    let (good, _) = new_log(40);
    let base = bases(&good)[2];
    let copy = format!("{COPY}/{base:020}.log");
    // The segment was created before its first event, so its header cannot be composed from the frames.
    let mut original = good.get(&copy).unwrap();
    original[15] ^= 1;
    let checksum = crc32fast::hash(&original[..60]);
    original[60..64].copy_from_slice(&checksum.to_be_bytes());
    good.put(&segment(base), &original);
    good.put(&copy, &original);
    remove(&good, &format!("{}.idx", segment(base)));
    read_only(&good).save_index().unwrap();
    assert!(good.get(&format!("{}.idx", segment(base))).is_some());
    assert_eq!(findings(&good), []);
    // Only the index has the header.
    let disk = good.next_process();
    let mut bytes = disk.get(&copy).unwrap();
    bytes[..64].fill(0);
    disk.put(&copy, &bytes);
    remove(&disk, &segment(base));
    repair(&disk, &donor());
    assert_eq!(contents(&disk), contents(&good));
    // Only the copy has it.
    let disk = good.next_process();
    remove(&disk, &segment(base));
    remove(&disk, &format!("{}.idx", segment(base)));
    repair(&disk, &donor());
    assert_eq!(contents(&disk), contents(&good));
}

#[test]
fn a_plan_is_not_applied_to_other_settings_or_over_a_file_that_has_appeared() {
    let (good, _) = new_log(40);
    let base = bases(&good)[2];
    remove(&good, &segment(base));
    let disk = good.next_process();
    let given_up = plan(&disk, &RepairOptions::new());
    disk.put(&format!("{LOG}/log.json"), settings_with(&[]).replace("1024", "1024 ").as_bytes());
    let before = contents(&disk);
    let refused = apply(&paths(&disk), &given_up, ApplyOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("the settings in log.json"), "{refused}");
    assert_eq!(contents(&disk), before);
    let disk = good.next_process();
    let restored = plan(&disk, &donor());
    disk.put(&segment(base), b"another file");
    let before = contents(&disk);
    assert!(apply(&paths(&disk), &restored, ApplyOptions::default()).is_err());
    assert_eq!(contents(&disk), before);
}

#[test]
fn a_segment_that_is_moved_back_during_a_repair_is_kept() {
    let (good, _) = new_log(24);
    let base = bases(&good)[1];
    let original = good.get(&segment(base)).unwrap();
    // A frame of the copy is damaged, so that the repair writes another file than the one that was lost.
    let copy = format!("{COPY}/{base:020}.log");
    let mut bytes = good.get(&copy).unwrap();
    bytes[100] ^= 1;
    good.put(&copy, &bytes);
    remove(&good, &segment(base));
    let plan = plan(&good, &donor());
    let mut refused = 0;
    for look in 0.. {
        let disk = good.next_process();
        disk.create_before_look(look, &segment(base), &original);
        if apply(&paths(&disk), &plan, ApplyOptions::new()).is_ok() {
            break;
        }
        refused += 1;
        assert!(disk.get(&segment(base)) == Some(original.clone()), "moved back before look {look}");
    }
    assert!(refused >= 2, "{refused}");
}
