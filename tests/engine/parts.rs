//! Tests that a log read in parts gives the same findings and the same index, byte for byte, for any size of the parts
//! and any number of threads.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::inspect::{LogView, Progress, SurveyOptions, SurveyUpdate, survey};
use chronicle::internal::format::frame::encode;
use chronicle::internal::index::{SpillOptions, empty_index, run_events, save};
use proptest::prelude::*;

use super::index::{offsets_by_aggregate, replayed_offsets};
use super::sim_disk::SimDisk;
use super::support::{LOG, event, finding_ranges, large_event, log_bytes, open_options, open_read_only};

/// The complete result of a pass: reported findings, numbers, and the bytes of the index.
#[derive(Debug, PartialEq)]
struct SurveyOutcome {
    findings: Vec<String>,
    counts: [u64; 5],
    in_flight: Option<std::ops::Range<u64>>,
    map: chronicle::inspect::HealthMap,
    index: Vec<u8>,
}

fn survey_in_parts(disk: &SimDisk, part: u64, threads: usize, memory: u64) -> SurveyOutcome {
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap().with_threads(threads);
    let spill_options = SpillOptions { disk: Arc::new(disk.clone()), spill_folder: None, max_memory: memory };
    let mut index = empty_index(&view, spill_options);
    let options = SurveyOptions::new().part_bytes(part);
    let mut reported = Vec::new();
    let mut last = 0;
    let survey = survey(&view, &options, Some(&mut index), &mut |step| {
        match step {
            SurveyUpdate::Finding(finding) => reported.push(format!("{finding:?}")),
            SurveyUpdate::Progress(Progress { position: at, .. }) => {
                assert!(at >= last, "progress decreases from {last} to {at}");
                last = at;
            }
            other => unreachable!("{other:?}"),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(survey.findings.iter().map(|finding| format!("{finding:?}")).collect::<Vec<_>>(), reported);
    let path = "/data/built.idx";
    save(disk, Path::new(path), view.log(), &index).unwrap();
    SurveyOutcome {
        findings: reported,
        counts: [survey.findings_total, survey.damage_total, survey.events, survey.gaps, survey.scanned_to],
        in_flight: survey.in_flight,
        map: survey.map,
        index: disk.get(path).unwrap(),
    }
}

/// Builds a log of events, gaps and other frames whose payloads contain valid frames, which a part may take for its
/// start.
fn log_with_nested_frames(rounds: usize) -> Vec<u8> {
    let (mut bytes, offsets) = log_bytes(6);
    let events = bytes[offsets[0] as usize..].to_vec();
    for round in 0..rounds {
        let mut inner = Vec::new();
        encode(format!("{{\"n\":{round}}}").as_bytes(), &mut inner);
        encode(&[&events[..], &inner].concat(), &mut bytes);
        encode(format!("{{\"$gap\":{{}}}}{}", " ".repeat(round * 7 % 90)).as_bytes(), &mut bytes);
        bytes.extend_from_slice(&events);
    }
    bytes
}

#[test]
fn frames_inside_payloads_do_not_mislead_parallel_parts() {
    let disk = SimDisk::with_files(&[(LOG, &log_with_nested_frames(4))]);
    let whole = survey_in_parts(&disk, u64::MAX, 1, u64::MAX);
    assert_eq!((whole.counts[2], whole.counts[3]), (6 + 4 * 6, 4));
    for part in [1, 50, 117, 300, 1000, 2500, 6000] {
        for threads in [1, 2, 5] {
            assert_eq!(survey_in_parts(&disk, part, threads, u64::MAX), whole, "parts of {part}, {threads} threads");
        }
    }
}

#[test]
fn large_frames_and_damage_are_scanned_in_order() {
    let (small, offsets) = log_bytes(40);
    let (disk, large) = (SimDisk::default(), 3 << 20);
    let mut log = open_options(&disk).create(LOG).unwrap();
    log.append(&large_event(7, large)).unwrap();
    drop(log);
    let large = disk.get(LOG).unwrap()[16..].to_vec();
    let events = &small[offsets[0] as usize..];
    let noise: Vec<u8> = (0..5u64 << 19).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    let (cut, zeros) = (&large[..large.len() - 100], vec![0; 3 << 20]);
    let parts = [&small, &large, events, &noise, events, cut, events, &zeros, events, &large, &noise, events];
    let bytes = parts.map(<[u8]>::to_vec).concat();
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let whole = survey_in_parts(&disk, u64::MAX, 1, u64::MAX);
    assert_eq!(whole.counts[2], 6 * 40 + 2);
    for (part, threads) in [(100_000, 3), (1 << 20, 2), (4 << 20, 2)] {
        assert_eq!(survey_in_parts(&disk, part, threads, u64::MAX), whole, "parts of {part}, {threads} threads");
    }
}

#[test]
fn several_threads_read_a_long_damaged_range_little_more_than_once() {
    let (bytes, offsets) = log_bytes(40);
    let (events, range_len) = (&bytes[offsets[0] as usize..], 24 << 20);
    let log = [&bytes, &vec![0; range_len], events].concat();
    let len = log.len() as u64;
    let read_by = |threads: usize, refused: bool| {
        let disk = SimDisk::with_files(&[(LOG, &log)]);
        if refused {
            disk.refuse_reads(bytes.len() + 9000..bytes.len() + range_len - 9000);
        }
        let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap().with_threads(threads);
        let before = disk.bytes_read();
        let options = SurveyOptions::new().part_bytes(8 << 20);
        let survey = survey(&view, &options, None, &mut |_| ControlFlow::Continue(())).unwrap();
        (disk.bytes_read() - before, finding_ranges(&survey))
    };
    let (by_one, found) = read_by(1, false);
    assert_eq!(found.iter().map(|found| found.0).collect::<Vec<_>>(), ["zeros", "clock"]);
    assert!(by_one > len);
    let (by_two, same) = read_by(2, false);
    // Each of the four parts is read by a thread for two mebibytes at most, and a mebibyte ahead.
    assert!(by_two <= by_one + 4 * (3 << 20), "two threads read {by_two} bytes, and one {by_one}");
    assert_eq!(same, found);
    assert_eq!(read_by(2, true).1, read_by(1, true).1, "a device that refuses reads");
}

#[test]
fn an_index_over_false_lengths_reads_at_most_twice_what_a_verification_reads() {
    let (bytes, offsets) = log_bytes(40);
    // Each four bytes are the length of a frame, and no frame is valid.
    let false_lengths = 5u32.to_be_bytes().repeat(1 << 18);
    let log = [&bytes, &false_lengths, &bytes[offsets[0] as usize..]].concat();
    let disk = SimDisk::with_files(&[(LOG, &log)]);
    let read_by = |run: &dyn Fn()| {
        let before = disk.bytes_read();
        run();
        disk.bytes_read() - before
    };
    let by_verification = read_by(&|| assert_eq!(open_read_only(&disk).verify().unwrap().damage_total, 1));
    let by_index = read_by(&|| open_read_only(&disk).save_index().unwrap());
    assert!(by_verification >= log.len() as u64, "{by_verification}");
    assert!(by_index <= 2 * by_verification, "{by_index} bytes, and {by_verification} by a verification");
    assert!(by_verification <= 4 * log.len() as u64, "{by_verification} bytes of a log of {}", log.len());
}

#[test]
fn an_index_that_spills_to_a_file_has_equal_bytes() {
    let disk = SimDisk::with_files(&[(LOG, &log_bytes(400).0)]);
    let whole = survey_in_parts(&disk, u64::MAX, 1, u64::MAX);
    for memory in [0, 100, 1500] {
        assert_eq!(survey_in_parts(&disk, 2000, 2, memory), whole, "{memory} bytes");
    }
}

#[test]
fn a_cancelled_pass_keeps_the_parts_that_were_joined() {
    let (mut bytes, _) = log_bytes(400);
    bytes[40_000] ^= 1;
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None).unwrap();
    for threads in [1, 3] {
        let view = view.clone().with_threads(threads);
        let mut index = empty_index(&view, SpillOptions::default());
        let options = SurveyOptions::new().part_bytes(4000);
        let stopped = survey(&view, &options, Some(&mut index), &mut |step| match step {
            SurveyUpdate::Finding(_) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        assert!(matches!(stopped, Err(chronicle::StorageError::Cancelled)));
        let covered_to = index.coverage().covered_to;
        assert!((36_000..=40_000).contains(&covered_to), "{covered_to}");
        let rest = options.from(covered_to);
        survey(&view, &rest, Some(&mut index), &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(offsets_by_aggregate(&index), replayed_offsets(&disk));
    }
}

#[test]
fn repeated_catch_up_keeps_few_runs_and_every_event() {
    let disk = SimDisk::default();
    open_options(&disk).create(LOG).unwrap().close().unwrap();
    let mut n = 0;
    for round in 0..40usize {
        let mut log = open_options(&disk).open(LOG).unwrap();
        for _ in 0..=(round * 37 % 90) {
            log.append(&event(n as u64 * 7 % 23, n)).unwrap();
            n += 1;
        }
        log.close().unwrap();
        let log = open_read_only(&disk);
        let runs = run_events(log.view().persisted_index().unwrap());
        assert_eq!(runs.iter().sum::<u64>(), n as u64);
        assert!(runs.windows(2).all(|pair| pair[0] >= 4 * pair[1]), "{runs:?}");
        assert_eq!(log.view().persisted_index().unwrap().check().map_err(|fault| format!("{fault:?}")), Ok(()));
        assert_eq!(offsets_by_aggregate(&log.index().unwrap()), replayed_offsets(&disk), "round {round}");
    }
    assert!(n > 1000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn parts_of_a_damaged_log_join_to_the_result_of_one_scan(
        events in 1usize..80,
        damage in proptest::collection::vec((0usize..22_000, 1usize..900, any::<u8>(), any::<bool>()), 0..7),
        cut in 0usize..600,
        part in prop_oneof![1u64..400, 400u64..9000],
        threads in 1usize..6,
        shuffled in any::<bool>(),
    ) {
        let mut bytes = if shuffled { log_with_nested_frames(events / 8) } else { log_bytes(events).0 };
        let len = bytes.len().saturating_sub(cut).max(16);
        bytes.truncate(len);
        for (at, len, fill, noise) in damage {
            let (at, end) = ((16 + at).min(bytes.len()), (16 + at + len).min(bytes.len()));
            for (i, byte) in bytes[at..end].iter_mut().enumerate() {
                *byte = if noise { (i as u8).wrapping_mul(fill).wrapping_add(fill) } else { fill };
            }
        }
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let whole = survey_in_parts(&disk, u64::MAX, 1, u64::MAX);
        prop_assert_eq!(&survey_in_parts(&disk, part, threads, u64::MAX), &whole);
        prop_assert_eq!(&survey_in_parts(&disk, part, threads, 300), &whole);
    }
}
