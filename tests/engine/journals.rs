//! Tests of journals that Chronicle did not write: nothing of them reaches the log unless it agrees with their own plan
//! and with the log.

use std::path::Path;

use chronicle::StorageError;
use chronicle::internal::format::frame::encode;
use chronicle::internal::format::journal::{HEADER_LEN, JournalSection, PLAN_LETTER, encode_section};
use chronicle::repair::{Plan, recover};

use super::sim_disk::{DiskFault, SimDisk};
use super::support::{LOG, frame_payloads, log_bytes, open_options, open_read_only};

/// Returns a disk on which setting a tail aside was killed after its journal was complete, and the path of the journal.
fn disk_with_pending_repair() -> (SimDisk, String) {
    let (bytes, _) = log_bytes(4);
    let disk = SimDisk::with_files(&[(LOG, &bytes[..bytes.len() - 20])]);
    (0..)
        .find_map(|call| {
            let killed = disk.next_process();
            killed.fail_if_reached(call, DiskFault::Kill);
            drop(open_options(&killed).open(LOG));
            let after = killed.next_process();
            open_read_only(&after)
                .pending_repair()
                .unwrap()
                .map(|pending| (after, pending.journal.display().to_string()))
        })
        .unwrap()
}

/// Returns the payload of a section frame.
fn section(section: JournalSection, offset: u64, bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_section(section, offset, bytes, &mut frame);
    frame_payloads(&[&[0; HEADER_LEN][..], &frame].concat()).remove(0)
}

/// Builds a journal of these frames, all of them with correct checksums.
fn journal_of(header: &[u8], payloads: &[Vec<u8>]) -> Vec<u8> {
    let mut journal = header[..HEADER_LEN].to_vec();
    for payload in payloads {
        encode(payload, &mut journal);
    }
    journal
}

/// Returns the frames of a journal with another plan.
fn with_plan(frames: &[Vec<u8>], change: impl FnOnce(&mut Plan)) -> Vec<Vec<u8>> {
    let (plans, others): (Vec<_>, Vec<_>) = frames.iter().partition(|payload| payload[0] == PLAN_LETTER);
    let text: Vec<u8> = plans.iter().flat_map(|payload| payload[1..].to_vec()).collect();
    let mut plan = Plan::from_json(std::str::from_utf8(&text).unwrap()).unwrap();
    change(&mut plan);
    let json = plan.to_json().unwrap();
    let mut metadata: serde_json::Value = serde_json::from_slice(others[0]).unwrap();
    metadata["plan_bytes"] = json.len().into();
    let plan = [&[PLAN_LETTER][..], json.as_bytes()].concat();
    [vec![metadata.to_string().into_bytes(), plan], others.into_iter().skip(1).cloned().collect()].concat()
}

#[test]
fn a_journal_that_contradicts_its_plan_or_the_log_is_never_applied() {
    let (disk, path) = disk_with_pending_repair();
    let (log, journal) = (disk.get(LOG).unwrap(), disk.get(&path).unwrap());
    let frames = frame_payloads(&journal);
    let before = frames.iter().position(|payload| payload[0] == JournalSection::BeforeImage.letter()).unwrap();
    let start = u64::from_be_bytes(frames[before][1..9].try_into().unwrap());
    let saved = frames[before][9..].to_vec();
    let insert = |payload: Vec<u8>| {
        let mut frames = frames.clone();
        frames.insert(before, payload);
        frames
    };
    let replace = |payload: Vec<u8>| {
        let mut frames = frames.clone();
        frames[before] = payload;
        frames
    };
    let image = JournalSection::BeforeImage;
    let altered = [
        ("a byte before the range", insert(section(image, 20, b"X"))),
        ("bytes at 2^38", insert(section(image, 1 << 38, b"X"))),
        ("bytes at the end of all offsets", insert(section(image, u64::MAX, b"XX"))),
        ("the same bytes twice", insert(section(image, start, &saved))),
        ("bytes of an index with a hole", insert(section(JournalSection::IndexBeforeImage, 4096, b"X"))),
        ("bytes that no step copies", insert(section(JournalSection::AfterImage, start, b"X"))),
        ("other bytes", replace(section(image, start, &vec![b'X'; saved.len()]))),
        ("fewer bytes", replace(section(image, start, &saved[1..]))),
        ("more bytes", replace(section(image, start, &[&saved[..], b"X"].concat()))),
        ("an earlier offset", replace(section(image, start - 1, &saved))),
        ("no bytes", replace(section(image, start, b""))),
        ("a step before the range", with_plan(&frames, |plan| plan.steps[0].start -= 1)),
        ("a step after the end", with_plan(&frames, |plan| plan.steps[0].end = u64::MAX)),
        ("a longer log", with_plan(&frames, |plan| plan.log.bytes = 1 << 60)),
        ("a log that grows", with_plan(&frames, |plan| plan.steps[0].new_end = 1 << 60)),
        ("an inverted step", with_plan(&frames, |plan| plan.steps[0].start = plan.steps[0].end + 1)),
        ("another hash", with_plan(&frames, |plan| plan.steps[0].before_sha256[0] ^= 1)),
        ("another hash of the result", with_plan(&frames, |plan| plan.steps[0].after_sha256[0] ^= 1)),
        ("another header", with_plan(&frames, |plan| plan.log.header[9] ^= 1)),
        ("another first frame", with_plan(&frames, |plan| plan.log.first_checksum = Some(1))),
    ];
    for (case, frames) in altered {
        let disk = disk.next_process();
        disk.overwrite(&path, &journal_of(&journal, &frames));
        let paths = open_options(&disk).log_paths(Path::new(LOG)).unwrap();
        assert_eq!(open_read_only(&disk).pending_repair().unwrap(), None, "{case}");
        assert_eq!(recover(&paths).unwrap(), None, "{case}");
        assert!(disk.get(LOG).unwrap() == log, "{case}");
        let history = chronicle::repair::read_repair_history(&paths).unwrap();
        let notices = [history.notices, open_read_only(&disk).side_file_notices()].concat();
        assert!(notices.iter().any(|notice| notice.contains(&path)), "{case}: {notices:?}");
        // The next writer goes on without the journal.
        drop(open_options(&disk).open(LOG).unwrap());
        assert!(log.starts_with(&disk.get(LOG).unwrap()), "{case}");
    }
    // The same journal without a change is recovered.
    disk.overwrite(&path, &journal_of(&journal, &frames));
    let paths = open_options(&disk).log_paths(Path::new(LOG)).unwrap();
    assert!(recover(&paths).unwrap().is_some());
}

#[test]
fn a_journal_of_another_version_may_hide_a_pending_repair_and_no_write_goes_past_it() {
    let (disk, path) = disk_with_pending_repair();
    let (log, journal) = (disk.get(LOG).unwrap(), disk.get(&path).unwrap());
    let mut newer = journal.clone();
    newer[5] += 1;
    let frames = frame_payloads(&journal);
    let newer_plan = with_plan(&frames, |plan| plan.layout_version += 1);
    let mut other_fields = frames;
    other_fields[0] = br#"{"plan_bytes":10}"#.to_vec();
    other_fields[1] = [&[PLAN_LETTER][..], br#"{"plan":2}"#].concat();
    let cases = [
        ("its journal version", newer),
        ("its plan layout", journal_of(&journal, &newer_plan)),
        ("a plan with other fields", journal_of(&journal, &other_fields)),
    ];
    for (case, bytes) in cases {
        let disk = disk.next_process();
        disk.overwrite(&path, &bytes);
        let paths = open_options(&disk).log_paths(Path::new(LOG)).unwrap();
        let errors = [recover(&paths).unwrap_err(), open_options(&disk).open(LOG).unwrap_err()];
        for error in errors {
            let StorageError::Refused { path: refused, reason, alternative } = &error else {
                panic!("{case}: {error:?}")
            };
            assert_eq!(refused.to_str(), Some(path.as_str()), "{case}");
            assert!(reason.contains("this program supports"), "{case}: {reason}");
            assert!(alternative.contains("the version of Chronicle that wrote it"), "{case}: {alternative}");
        }
        assert!(disk.get(LOG).unwrap() == log && disk.get(&path).unwrap() == bytes, "{case}");
        // A log that is only read is readable, and a notice names the journal.
        let reading = open_read_only(&disk);
        assert_eq!(reading.pending_repair().unwrap(), None, "{case}");
        let notices = reading.side_file_notices();
        assert!(notices.iter().filter(|notice| notice.contains(&path)).count() == 1, "{case}: {notices:?}");
    }
}

#[test]
fn an_altered_journal_is_not_undone() {
    let (bytes, _) = log_bytes(4);
    let disk = SimDisk::with_files(&[(LOG, &bytes[..bytes.len() - 20])]);
    let log = open_options(&disk).open(LOG).unwrap();
    let path = log.set_aside_tail().unwrap().journal.display().to_string();
    drop(log);
    let (log, journal) = (disk.get(LOG).unwrap(), disk.get(&path).unwrap());
    let mut frames = frame_payloads(&journal);
    frames.insert(2, section(JournalSection::BeforeImage, 20, b"X"));
    disk.overwrite(&path, &journal_of(&journal, &frames));
    let paths = open_options(&disk).log_paths(Path::new(LOG)).unwrap();
    let error = chronicle::repair::plan_undo(&paths, Some(1)).unwrap_err();
    assert!(error.to_string().contains(&path), "{error}");
    assert!(disk.get(LOG).unwrap() == log);
}
