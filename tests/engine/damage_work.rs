//! The work on damage that was made to cost much: the bytes that are read grow with the log, and not with its square.

use std::ops::ControlFlow;

use chronicle::inspect::{LogView, SurveyOptions, SurveyUpdate, survey};
use chronicle::internal::format::frame::encode_at;
use chronicle::repair::{FixFinder, RepairOptions, plan_repair};
use chronicle::{LogId, NewLogFormat};

use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, event, large_event, open_options, open_read_only, open_view};

const FORMATS: [NewLogFormat; 2] = [NewLogFormat::V1, NewLogFormat::V2(LogId::from_bytes(*b"0123456789abcdef"))];
/// Number of bytes of a log.
const LOG_LEN: usize = 256 << 10;
/// Largest number of times that a command may read each byte.
const MAX_READS: u64 = 16;

fn empty_log(format: NewLogFormat) -> Vec<u8> {
    let disk = SimDisk::default();
    drop(open_options(&disk).format(format).create(LOG).unwrap());
    disk.get(LOG).unwrap()
}

/// Returns a log that consists of `unit`, which looks like the start of a frame, again and again.
fn log_of_false_lengths(format: NewLogFormat, unit: &[u8]) -> Vec<u8> {
    let mut log = empty_log(format);
    while log.len() < LOG_LEN {
        log.extend_from_slice(unit);
    }
    log
}

/// Finds every finding with its fix, as `verify` does. Returns the number of findings.
fn find_fixes(view: &LogView) -> u64 {
    let mut fix_finder = FixFinder::new(view).unwrap();
    let mut on_update = |update: SurveyUpdate| {
        if let SurveyUpdate::Finding(finding) = update {
            fix_finder.push(finding).unwrap();
        }
        ControlFlow::Continue(())
    };
    survey(view, &SurveyOptions::new(), None, &mut on_update).unwrap().findings_total
}

/// Returns the number of times that `work` reads each byte of the log on average.
fn count_reads(disk: &SimDisk, work: impl FnOnce(&SimDisk)) -> u64 {
    let before = disk.bytes_read();
    work(disk);
    (disk.bytes_read() - before) / disk.get(LOG).unwrap().len() as u64
}

#[test]
fn false_lengths_make_no_command_read_a_log_many_times() {
    // A length of 256, of 64 KiB, and of almost 4 KiB, which the search checks in another way.
    for unit in [&b"\x00\x00\x01\x00{\"a\""[..], b"\x00\x01\x00\x00{\"a\"", b"\x00\x00\x0f\xff{\"a\":1}"] {
        for format in FORMATS {
            let disk = SimDisk::with_files(&[(LOG, &log_of_false_lengths(format, unit))]);
            let mut findings = 0;
            let verify = count_reads(&disk, |disk| findings = find_fixes(&open_view(disk).unwrap()));
            let update = count_reads(&disk, |disk| open_read_only(disk).save_index().unwrap());
            let plan = count_reads(&disk, |disk| {
                let options = RepairOptions::new().gap_undecided().accept_large_gap();
                plan_repair(&open_view(disk).unwrap(), &options, &mut |_| ControlFlow::Continue(())).map(drop).unwrap();
            });
            assert!(disk.get(INDEX).is_some());
            assert!(
                verify <= MAX_READS && update <= MAX_READS && plan <= MAX_READS,
                "{unit:?}, {format:?}, {findings} findings: verify {verify}, index update {update}, repair plan {plan}"
            );
        }
    }
}

#[test]
fn damaged_frames_in_a_row_are_corrected_without_reading_the_log_again_for_each() {
    for format in FORMATS {
        let disk = SimDisk::default();
        let mut log = open_options(&disk).format(format).create(LOG).unwrap();
        // The frames next to the damage are large: they are read for their times.
        log.append(&large_event(1, 32 << 10)).unwrap();
        let damaged: Vec<u64> = (0..400).map(|n| log.append(&event(1, n)).unwrap()).collect();
        log.append(&large_event(1, 32 << 10)).unwrap();
        log.close().unwrap();
        let mut bytes = disk.get(LOG).unwrap();
        for offset in &damaged {
            bytes[*offset as usize + 40] ^= 4;
        }
        disk.put(LOG, &bytes);
        let plan = |disk: &SimDisk| {
            let view = open_view(disk).unwrap();
            let plan = plan_repair(&view, &RepairOptions::new(), &mut |_| ControlFlow::Continue(())).unwrap();
            assert_eq!(plan.restored_events(), damaged.len() as u64);
        };
        let reads = count_reads(&disk, plan);
        assert!(reads <= MAX_READS, "{format:?}: each byte is read {reads} times");
    }
}

#[test]
fn a_frame_that_claims_to_be_a_copy_of_a_large_one_does_not_make_it_read() {
    let format = FORMATS[1];
    let disk = SimDisk::default();
    let mut log = open_options(&disk).format(format).create(LOG).unwrap();
    let large = log.append(&large_event(1, 64 << 10)).unwrap();
    log.append(&event(1, 0)).unwrap();
    let frame_format = log.view().log().format();
    log.close().unwrap();
    let mut bytes = disk.get(LOG).unwrap();
    // Frames with the checksum that they would have at the offset of the large one.
    for n in 0..400 {
        encode_at(frame_format, large, event(1, n).payload().as_bytes(), &mut bytes);
    }
    disk.put(LOG, &bytes);
    let reads = count_reads(&disk, |disk| assert!(find_fixes(&open_view(disk).unwrap()) >= 400));
    assert!(reads <= MAX_READS, "each byte is read {reads} times");
}
