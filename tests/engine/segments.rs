//! Tests logs in a folder of segments.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use chronicle::repair::{ApplyOptions, RepairOptions, apply, plan_repair, plan_undo};
use chronicle::{EventLog, Finding, LogId, NewLogFormat, OpenOptions, StorageError, StoredEvent};

use super::support::event;

const ID: LogId = LogId::from_bytes(*b"0123456789abcdef");

fn options() -> OpenOptions {
    OpenOptions::new().format(NewLogFormat::V2(ID)).segment_size(2048)
}

/// Creates a log of segments of about two kibibytes. Returns the offsets of its events.
fn create(path: &Path, events: usize) -> Vec<u64> {
    let mut log = options().create(path).unwrap();
    let offsets = (0..events).map(|n| log.append(&event(1 + n as u64 % 3, n)).unwrap()).collect();
    log.close().unwrap();
    offsets
}

/// Creates a log of 60 events in a new folder. Returns the folder, the path of the log, and the offsets of the events.
fn new_log() -> (tempfile::TempDir, PathBuf, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create(&path, 60);
    (folder, path, offsets)
}

/// Returns the bytes of all segments, in order.
fn segment_bytes(path: &Path) -> Vec<Vec<u8>> {
    segment_files(path).iter().map(|name| fs::read(path.join(name)).unwrap()).collect()
}

fn bases(path: &Path) -> Vec<u64> {
    segment_files(path).iter().map(|name| name[..20].parse().unwrap()).collect()
}

fn segment_path(path: &Path, base: u64) -> PathBuf {
    path.join(format!("{base:020}.log"))
}

/// Changes the file of the segment that starts at `base`.
fn change(path: &Path, base: u64, change: impl FnOnce(&mut Vec<u8>)) {
    let file = segment_path(path, base);
    let mut bytes = fs::read(&file).unwrap();
    change(&mut bytes);
    fs::write(&file, bytes).unwrap();
}

/// Verifies a log with one thread and with three, which must agree. Returns kind and range of each finding.
fn findings(path: &Path) -> Vec<(&'static str, u64, u64)> {
    let verify = |threads| OpenOptions::new().threads(threads).open_read_only(path).unwrap().verify().unwrap().findings;
    let found = verify(1);
    assert_eq!(verify(3), found);
    found.iter().map(|Finding { kind, start, end, .. }| (kind.name(), *start, *end)).collect()
}

/// Returns the offsets of the events that a replay yields, and the ranges of its error items.
fn replay(path: &Path) -> (Vec<u64>, Vec<(u64, u64)>) {
    let (mut events, mut errors) = (Vec::new(), Vec::new());
    for item in EventLog::open_read_only(path).unwrap().replay(0).unwrap() {
        match item {
            Ok(event) => events.push(event.offset()),
            Err(StorageError::Damaged { finding, .. }) => errors.push((finding.start, finding.end)),
            Err(StorageError::Gap { start, end, .. } | StorageError::Lost { start, end, .. }) => {
                errors.push((start, end));
            }
            Err(error) => panic!("{error}"),
        }
    }
    (events, errors)
}

fn repair(path: &Path, options: &RepairOptions) {
    let paths = OpenOptions::new().log_paths(path).unwrap();
    let log = EventLog::open_read_only(path).unwrap();
    let plan = plan_repair(log.view(), options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(plan.unrepaired.len(), 0, "{:?}", plan.unrepaired);
    apply(&paths, &plan, ApplyOptions::default()).unwrap();
}

fn undo(path: &Path) {
    let paths = OpenOptions::new().log_paths(path).unwrap();
    apply(&paths, &plan_undo(&paths, None).unwrap(), ApplyOptions::default()).unwrap();
}

fn segment_files(path: &Path) -> Vec<String> {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> =
        names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "log")).collect();
    names.sort();
    names
}

#[test]
fn events_are_read_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let offsets = create(&path, 100);
    assert!(segment_files(&path).len() > 5);
    let log = EventLog::open_read_only(&path).unwrap();
    let read: Vec<_> = log.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
    assert_eq!(read, offsets);
    assert_eq!(log.verify().unwrap().findings, []);
    let two: Vec<_> = log.load_aggregate(2).unwrap().iter().map(StoredEvent::offset).collect();
    assert_eq!(two, offsets.iter().skip(1).step_by(3).copied().collect::<Vec<_>>());
    assert_eq!(log.view().index_state().name(), "fresh");
}

#[test]
fn damage_in_any_segment_is_found_repaired_and_restored_by_undo() {
    let (_folder, path, offsets) = new_log();
    let good = segment_bytes(&path);
    let all = bases(&path);
    for base in &all {
        let at = offsets.iter().position(|offset| offset > base).unwrap();
        change(&path, *base, |bytes| bytes[(offsets[at] - base) as usize + 30] ^= 4);
        let end =
            offsets.get(at + 1).copied().filter(|next| !all.iter().any(|base| (offsets[at]..*next).contains(base)));
        let end = end.unwrap_or_else(|| *all.iter().find(|base| **base > offsets[at]).unwrap());
        assert_eq!(findings(&path), [("checksum", offsets[at], end)]);
        let damaged = segment_bytes(&path);
        // An index that is built now does not have the damaged event, and must not hide it after the repair.
        fs::remove_file(path.join(format!("{base:020}.log.idx"))).unwrap();
        EventLog::open_read_only(&path).unwrap().save_index().unwrap();
        repair(&path, &RepairOptions::default());
        assert_eq!(segment_bytes(&path), good);
        let events: usize =
            (1..4).map(|id| EventLog::open_read_only(&path).unwrap().load_aggregate(id).unwrap().len()).sum();
        assert_eq!(events, offsets.len());
        undo(&path);
        assert_eq!(segment_bytes(&path), damaged);
        repair(&path, &RepairOptions::default());
        assert_eq!(EventLog::open_read_only(&path).unwrap().load_aggregate(1).unwrap().len(), 20);
    }
    assert!(path.join("repairs").is_dir());
}

#[test]
fn a_sealed_segment_that_was_cut_is_truncated_up_to_the_next_one() {
    let (folder, path, offsets) = new_log();
    let good = folder.path().join("copy");
    copy_folder(&path, &good);
    let (base, next) = (bases(&path)[1], bases(&path)[2]);
    let cut = *offsets.iter().rev().find(|offset| **offset < next).unwrap();
    // Within a frame, and at the boundary of a frame, which no other log shows without an index.
    for removed in [cut + 7, cut] {
        change(&path, base, |bytes| bytes.truncate((removed - base) as usize));
        assert_eq!(findings(&path), [("truncated", cut, next)]);
        let (events, errors) = replay(&path);
        assert_eq!(events, offsets.iter().copied().filter(|offset| *offset != cut).collect::<Vec<_>>());
        assert_eq!(errors, [(cut, next)]);
        repair(&path, &RepairOptions::new().donor(good.clone()));
        assert_eq!(segment_bytes(&path), segment_bytes(&good));
    }
    change(&path, base, |bytes| bytes.truncate((cut - base) as usize));
    repair(&path, &RepairOptions::default());
    assert_eq!(findings(&path), [("gap", cut, next)]);
}

#[test]
fn a_missing_segment_is_truncated_and_comes_back_from_a_copy() {
    let (folder, path, offsets) = new_log();
    let good = folder.path().join("copy");
    copy_folder(&path, &good);
    let (base, next) = (bases(&path)[2], bases(&path)[3]);
    fs::remove_file(segment_path(&path, base)).unwrap();
    assert_eq!(findings(&path), [("truncated", base, next)]);
    let (events, errors) = replay(&path);
    assert_eq!(events, offsets.iter().copied().filter(|offset| !(base..next).contains(offset)).collect::<Vec<_>>());
    assert_eq!(errors, [(base, next)]);
    repair(&path, &RepairOptions::new().donor(good.clone()));
    assert_eq!(replay(&path).0, offsets);
    assert_eq!(findings(&path), []);
    assert_eq!(segment_bytes(&path), segment_bytes(&good));
}

#[test]
fn the_first_segment_is_missed() {
    let (_folder, path, offsets) = new_log();
    let next = bases(&path)[1];
    fs::remove_file(segment_path(&path, 0)).unwrap();
    assert_eq!(findings(&path), [("truncated", 0, next)]);
    let (events, errors) = replay(&path);
    assert_eq!(events, offsets.iter().copied().filter(|offset| *offset > next).collect::<Vec<_>>());
    assert_eq!(errors, [(0, next)]);
}

#[test]
fn a_last_segment_of_which_only_the_index_is_left_is_missed() {
    let (_folder, path, offsets) = new_log();
    let end = EventLog::open_read_only(&path).unwrap().len().unwrap();
    let base = *bases(&path).last().unwrap();
    fs::remove_file(segment_path(&path, base)).unwrap();
    let last = *offsets.iter().rev().find(|offset| **offset < base).unwrap();
    assert_eq!(findings(&path), [("truncated", base, base)]);
    let refused = EventLog::open(&path).unwrap_err();
    assert!(matches!(refused, StorageError::Truncated { log_end_offset, .. } if log_end_offset == end), "{refused}");
    assert_eq!(replay(&path).0.last(), Some(&last));
    repair(&path, &RepairOptions::default());
    assert_eq!(findings(&path), [("lost", base, end)]);
    assert_eq!(EventLog::open(&path).unwrap().append(&event(1, 1)).unwrap(), end + 64);
}

#[test]
fn every_bit_of_the_header_of_a_segment_is_corrected() {
    let (_folder, path, _) = new_log();
    let base = bases(&path)[2];
    let good = segment_bytes(&path);
    for bit in 0..512 {
        change(&path, base, |bytes| bytes[bit / 8] ^= 0x80 >> (bit % 8));
        if bit % 37 == 0 {
            assert_eq!(findings(&path), [("header", base, base + 64)], "bit {bit}");
            repair(&path, &RepairOptions::default());
        } else {
            change(&path, base, |bytes| bytes[bit / 8] ^= 0x80 >> (bit % 8));
        }
        assert_eq!(segment_bytes(&path), good);
    }
}

#[test]
fn a_lost_header_of_a_segment_follows_from_the_other_segments() {
    let (_folder, path, offsets) = new_log();
    let good = segment_bytes(&path);
    for (at, base) in bases(&path).into_iter().enumerate() {
        let _ = fs::remove_file(path.join(format!("{base:020}.log.idx")));
        // The creation time stays.
        change(&path, base, |bytes| (0..64).filter(|at| !(8..16).contains(at)).for_each(|at| bytes[at] = 0xEE));
        assert_eq!(findings(&path), [("header", base, base + 64)]);
        assert_eq!(replay(&path).0, offsets);
        repair(&path, &RepairOptions::new().accept_likely());
        assert_eq!(segment_bytes(&path)[at], good[at]);
    }
}

#[test]
fn a_segment_of_another_version_of_the_log_is_noticed() {
    let (folder, path, _) = new_log();
    let other = folder.path().join("other");
    let mut log = options().clock(|| 1_766_718_274_107).create(&other).unwrap();
    for n in 0..60 {
        log.append(&event(2, n)).unwrap();
    }
    log.close().unwrap();
    let base = bases(&path)[3];
    assert_eq!(bases(&other)[3], base, "events have the same sizes");
    fs::copy(segment_path(&other, base), segment_path(&path, base)).unwrap();
    let found = findings(&path);
    assert!(found.contains(&("header", base, base + 64)), "{found:?}");
}

#[test]
fn a_file_of_another_log_is_not_read_as_a_segment() {
    let (folder, path, offsets) = new_log();
    let other = folder.path().join("other");
    let log = options().format(NewLogFormat::V2(LogId::from_bytes([7; 16]))).create(&other).unwrap();
    log.close().unwrap();
    let end = EventLog::open_read_only(&path).unwrap().len().unwrap();
    for base in [end, end + 1000] {
        fs::copy(segment_path(&other, 0), segment_path(&path, base)).unwrap();
        assert_eq!(replay(&path), (offsets.clone(), Vec::new()));
        assert_eq!(findings(&path), []);
        fs::remove_file(segment_path(&path, base)).unwrap();
    }
    let base = bases(&path)[2];
    fs::copy(segment_path(&other, 0), segment_path(&path, base)).unwrap();
    assert_eq!(findings(&path), [("truncated", base, bases(&path)[3])]);
}

#[test]
fn a_reader_sees_the_segments_that_a_writer_adds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let mut log = options().create(&path).unwrap();
    let reader = EventLog::open_read_only(&path).unwrap();
    let mut offsets = Vec::new();
    for n in 0..60 {
        offsets.push(log.append(&event(1, n)).unwrap());
        let read: Vec<_> = reader.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
        assert_eq!(read, offsets);
        assert_eq!(reader.load_aggregate(1).unwrap().len(), offsets.len());
    }
    assert!(bases(&path).len() > 3);
    assert!(matches!(EventLog::open(&path), Err(StorageError::Locked { .. })));
    drop(log);
    let mut log = EventLog::open(&path).unwrap();
    log.append(&event(1, 60)).unwrap();
}

#[test]
fn one_segment_is_readable_by_itself_and_not_writable() {
    let (_folder, path, offsets) = new_log();
    let (base, next) = (bases(&path)[1], bases(&path)[2]);
    let segment = segment_path(&path, base);
    let expected: Vec<_> = offsets.into_iter().filter(|offset| (base..next).contains(offset)).collect();
    assert_eq!(replay(&segment), (expected.clone(), Vec::new()));
    assert_eq!(findings(&segment), []);
    let event = EventLog::open_read_only(&segment).unwrap().replay(expected[1]).unwrap().next().unwrap().unwrap();
    assert_eq!(event.offset(), expected[1]);
    let error = EventLog::open(&segment).unwrap_err();
    assert!(matches!(error, StorageError::SegmentOfLog { number: 1, .. }), "{error}");
}

#[test]
fn bytes_after_the_end_of_a_sealed_segment_are_garbage() {
    let (_folder, path, offsets) = new_log();
    let (base, next) = (bases(&path)[1], bases(&path)[2]);
    change(&path, base, |bytes| bytes.extend_from_slice(&[7; 100]));
    assert_eq!(findings(&path), [("garbage", next, next)]);
    assert_eq!(replay(&path), (offsets, Vec::new()));
    let before = segment_bytes(&path);
    repair(&path, &RepairOptions::default());
    assert_eq!(findings(&path), []);
    undo(&path);
    assert_eq!(segment_bytes(&path), before);
}

#[test]
fn the_settings_are_not_needed_to_read_or_append() {
    let (_folder, path, offsets) = new_log();
    for content in [None, Some("{"), Some("{}"), Some(r#"{"settings":{"log_id":"x"},"checksum":1}"#)] {
        fs::remove_file(path.join("log.json")).unwrap();
        if let Some(text) = content {
            fs::write(path.join("log.json"), text).unwrap();
        }
        assert_eq!(replay(&path).0[..60], offsets);
        EventLog::open(&path).unwrap().append(&event(1, 1)).unwrap();
        fs::write(path.join("log.json"), "").unwrap();
    }
}

#[test]
fn a_folder_with_files_is_not_made_a_log() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other"), "x").unwrap();
    assert!(matches!(options().create(folder.path()), Err(StorageError::AlreadyExists { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_copy_that_is_made_while_a_writer_appends_is_a_beginning_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let mut log = options().create(&path).unwrap();
    let mut offsets: Vec<u64> = (0..20).map(|n| log.append(&event(1, n)).unwrap()).collect();
    for (nth, cut) in [0, 1, 9, 200].into_iter().enumerate() {
        // The names are listed first; each file is copied after more events, some of them in new segments.
        let copy = folder.path().join(format!("copy-{nth}"));
        fs::create_dir(&copy).unwrap();
        for name in segment_files(&path) {
            offsets.extend((0..7).map(|n| log.append(&event(2, n)).unwrap()));
            fs::copy(path.join(&name), copy.join(&name)).unwrap();
        }
        let last = *bases(&copy).last().unwrap();
        change(&copy, last, |bytes| bytes.truncate(bytes.len().saturating_sub(cut).max(64)));
        let copied = EventLog::open(&copy).unwrap();
        let read: Vec<_> = copied.replay(0).unwrap().map(|event| event.unwrap().offset()).collect();
        assert!(read.len() > 20 && offsets.starts_with(&read), "{read:?}");
        assert_eq!(copied.verify().unwrap().findings, []);
    }
}

/// Damages a few random places of the segments: changed bits, zeros, cuts and removed files.
fn damage_at_random(path: &Path, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    let all = bases(path);
    for _ in 0..=below(4) {
        let base = all[below(all.len() as u64) as usize];
        if !segment_path(path, base).is_file() {
            continue;
        }
        let kind = below(10);
        if kind == 0 && base > 0 {
            fs::remove_file(segment_path(path, base)).unwrap();
            continue;
        }
        change(path, base, |bytes| {
            let at = below(bytes.len() as u64) as usize;
            match kind {
                0..6 => bytes[at] ^= 1 << below(8),
                6 | 7 => {
                    let end = (at + 1 + below(300) as usize).min(bytes.len());
                    bytes[at..end].fill(0);
                }
                _ => bytes.truncate(at.max(64)),
            }
        });
    }
}

#[test]
fn a_repair_of_random_damage_loses_no_readable_event_and_moves_no_offset() {
    let (folder, good, offsets) = new_log();
    for seed in 0..40 {
        let path = folder.path().join(format!("damaged-{seed}"));
        copy_folder(&good, &path);
        damage_at_random(&path, seed);
        let (damaged, before) = (findings(&path), segment_bytes(&path));
        let (readable, _) = replay(&path);
        assert!(readable.iter().all(|offset| offsets.contains(offset)), "seed {seed}");
        let paths = OpenOptions::new().log_paths(&path).unwrap();
        let log = EventLog::open_read_only(&path).unwrap();
        let options = RepairOptions::new().gap_undecided().accept_likely();
        let plan = plan_repair(log.view(), &options, &mut |_| ControlFlow::Continue(())).unwrap();
        drop(log);
        if plan.steps.is_empty() {
            continue;
        }
        apply(&paths, &plan, ApplyOptions::default()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let (repaired, _) = replay(&path);
        assert!(readable.iter().all(|offset| repaired.contains(offset)), "seed {seed}: {damaged:?}");
        assert!(repaired.iter().all(|offset| offsets.contains(offset)), "seed {seed}: {damaged:?}");
        undo(&path);
        assert_eq!(segment_bytes(&path), before, "seed {seed}");
        assert_eq!(replay(&path).0, readable, "seed {seed}");
    }
}

#[test]
fn a_folder_of_many_segments_is_opened_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accounts");
    let mut log = OpenOptions::new().segment_size(1024).create(&path).unwrap();
    let offsets: Vec<u64> = (0..2000).map(|n| log.append(&event(1 + n as u64 % 7, n)).unwrap()).collect();
    drop(log);
    assert!(bases(&path).len() > 200);
    let log = EventLog::open_read_only(&path).unwrap();
    assert_eq!(log.replay(0).unwrap().map(|event| event.unwrap().offset()).collect::<Vec<_>>(), offsets);
    assert_eq!(log.load_aggregate(3).unwrap().len(), offsets.iter().skip(2).step_by(7).count());
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn a_first_segment_with_the_name_of_another_one_is_missing_from_the_start_of_the_log() {
    let (_folder, path, offsets) = new_log();
    let created_at_ms = EventLog::open_read_only(&path).unwrap().header().unwrap().created_at_ms;
    let bases = bases(&path);
    let [first, second] = [bases[0], bases[1]].map(|base| segment_path(&path, base));
    fs::rename(&first, path.join("spare")).unwrap();
    fs::rename(&second, &first).unwrap();
    fs::rename(path.join("spare"), &second).unwrap();
    for name in bases.iter().map(|base| segment_path(&path, *base).with_extension("log.idx")) {
        fs::remove_file(name).unwrap();
    }
    let missing = [("truncated", 0, bases[1]), ("truncated", bases[1], bases[2])];
    assert_eq!(findings(&path), missing);
    let left: Vec<u64> = offsets.into_iter().filter(|offset| *offset > bases[2]).collect();
    assert_eq!(replay(&path), (left, vec![(0, bases[1]), (bases[1], bases[2])]));
    // The header is that of the first segment that is there.
    let header = EventLog::open_read_only(&path).unwrap().header().unwrap();
    assert!(header.created_at_ms >= created_at_ms && header.segment.unwrap().number == 2, "{header:?}");
}
