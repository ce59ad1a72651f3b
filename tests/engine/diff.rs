//! Tests of comparing two copies of a log: the kinds and ranges of differences, and that every differing byte is
//! reported.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::{Comparison, LogView, diff};

use super::sim_disk::SimDisk;
use super::support::{LOG, large_event, log_bytes, open_options};

const COPY: &str = "/data/b.log";

fn compare_disk(disk: &SimDisk) -> Comparison {
    let view = |path| LogView::open(Arc::new(disk.clone()), Path::new(path), None).unwrap();
    diff(&view(LOG), &view(COPY), &mut |_| ControlFlow::Continue(())).unwrap()
}

fn compare_bytes(a: &[u8], b: &[u8]) -> Comparison {
    compare_disk(&SimDisk::with_files(&[(LOG, a), (COPY, b)]))
}

fn difference_ranges(comparison: &Comparison) -> Vec<(&'static str, u64, u64)> {
    comparison.differences.iter().map(|d| (d.kind.name(), d.start, d.end)).collect()
}

#[test]
fn a_log_and_its_copy_are_identical() {
    let (bytes, _) = log_bytes(9);
    let comparison = compare_bytes(&bytes, &bytes);
    assert!(comparison.is_identical());
    assert_eq!(
        (comparison.identical_to, (comparison.a_bytes, comparison.b_bytes)),
        (bytes.len() as u64, (bytes.len() as u64, bytes.len() as u64))
    );
}

#[test]
fn every_flipped_bit_is_one_difference_in_its_frame() {
    let (bytes, offsets) = log_bytes(3);
    let ends: Vec<u64> = offsets[1..].iter().copied().chain([bytes.len() as u64]).collect();
    for bit in 64..bytes.len() * 8 {
        let mut copy = bytes.clone();
        copy[bit / 8] ^= 1 << (bit % 8);
        let expected = match ends.iter().position(|end| *end > bit as u64 / 8) {
            _ if bit < 16 * 8 => ("header", 0, 16),
            Some(hit) => ("only_in_a", offsets[hit], ends[hit]),
            None => ("", 0, 0),
        };
        let comparison = compare_bytes(&bytes, &copy);
        assert_eq!(difference_ranges(&comparison), [expected], "bit {bit}");
        assert_eq!(comparison.identical_to, bit as u64 / 8, "bit {bit}");
        let swapped = difference_ranges(&compare_bytes(&copy, &bytes));
        assert_eq!(swapped, [(expected.0.replace("_a", "_b").as_str(), expected.1, expected.2)], "bit {bit}");
    }
}

#[test]
fn each_kind_of_difference_has_its_name() {
    let (bytes, offsets) = log_bytes(6);
    let end = bytes.len() as u64;
    let damaged = |frame: usize, with: &[u8]| {
        let at = offsets[frame] as usize + 8;
        let mut copy = bytes.clone();
        copy[at..at + with.len()].copy_from_slice(with);
        copy
    };
    // The same frame is damaged in both copies, with different bytes.
    let comparison = compare_bytes(&damaged(2, b"xxxx"), &damaged(2, b"xyzx"));
    assert_eq!(difference_ranges(&comparison), [("bytes", offsets[2] + 9, offsets[2] + 11)]);
    assert!(compare_bytes(&damaged(2, b"xxxx"), &damaged(2, b"xxxx")).is_identical());
    // The second copy ends at the end of a frame.
    assert_eq!(
        difference_ranges(&compare_bytes(&bytes, &bytes[..offsets[4] as usize])),
        [("only_a_goes_on", offsets[4], end)]
    );
    // The last frame of the shorter copy is cut. It is reported once, whether or not its first bytes are equal.
    let (cut, cut_and_damaged) = (&bytes[..offsets[5] as usize - 20], &damaged(4, b"x")[..offsets[5] as usize - 20]);
    for short in [cut, cut_and_damaged] {
        let expected = [("only_in_b", offsets[4], offsets[5]), ("only_b_goes_on", offsets[5], end)];
        assert_eq!(difference_ranges(&compare_bytes(short, &bytes)), expected);
    }
    assert_eq!(difference_ranges(&compare_bytes(&bytes, &bytes[..end as usize - 1])), [("only_in_a", offsets[5], end)]);
    // Two valid frames that differ at the same offset, followed by equal frames.
    let mut other = bytes.clone();
    let (one, two) = (offsets[1] as usize..offsets[2] as usize, offsets[2] as usize..offsets[3] as usize);
    let swapped = [&bytes[two], &bytes[one]].concat();
    other[offsets[1] as usize..offsets[3] as usize].copy_from_slice(&swapped);
    let comparison = compare_bytes(&bytes, &other);
    assert!(difference_ranges(&comparison).contains(&(
        "frame",
        offsets[1],
        offsets[2].max(offsets[1] + offsets[3] - offsets[2])
    )));
    assert!(comparison.differences.iter().all(|d| d.start < offsets[3]));
}

#[test]
fn differences_are_found_between_long_identical_ranges() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let offsets: Vec<u64> = (0..200).map(|n| log.append(&large_event(n, 100_000)).unwrap()).collect();
    drop(log);
    let mut copy = disk.get(LOG).unwrap();
    for frame in [3, 4, 100, 199] {
        copy[offsets[frame] as usize + 50_000] ^= 4;
    }
    disk.put(COPY, &copy);
    let comparison = compare_disk(&disk);
    let starts: Vec<u64> = comparison.differences.iter().map(|d| d.start).collect();
    assert_eq!(starts, [3, 4, 100, 199].map(|frame: usize| offsets[frame]));
    assert_eq!(comparison.identical_to, offsets[3] + 50_000);
}

#[test]
fn every_differing_byte_is_in_a_reported_range() {
    let (bytes, _) = log_bytes(12);
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..400 {
        let mut copies = [bytes.clone(), bytes.clone()];
        for copy in &mut copies {
            for _ in 0..random(4) {
                let (from, len) = (16 + random(copy.len() - 16), random(300));
                let to = (from + len).min(copy.len());
                let value = [0, b'x', b'{'][random(3)];
                copy[from..to].fill(value);
            }
            let keep = copy.len() - random(3) / 2 * random(500);
            copy.truncate(keep);
        }
        let [a, b] = copies;
        let comparison = compare_bytes(&a, &b);
        let at = |bytes: &[u8], at| bytes.get(at).copied();
        for offset in (0..a.len().max(b.len())).filter(|offset| at(&a, *offset) != at(&b, *offset)) {
            let covered = comparison.differences.iter().any(|d| (d.start..d.end).contains(&(offset as u64)));
            assert!(covered, "round {round}: byte {offset} is not reported: {:?}", difference_ranges(&comparison));
            assert!(comparison.identical_to <= offset as u64, "round {round}");
        }
        assert_eq!(comparison.is_identical(), a == b, "round {round}");
        assert!(
            comparison.differences.is_sorted_by_key(|d| d.start),
            "round {round}: {:?}",
            difference_ranges(&comparison)
        );
    }
}

#[test]
fn unreadable_bytes_are_not_reported_as_identical() {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    for n in 0..40 {
        log.append(&large_event(n, 1000)).unwrap();
    }
    drop(log);
    disk.put(COPY, &disk.get(LOG).unwrap());
    disk.refuse_reads(8192..12288);
    let comparison = compare_disk(&disk);
    assert!(!comparison.is_identical());
    assert!(comparison.identical_to <= 8192);
    assert!(
        difference_ranges(&comparison).contains(&("unreadable", 8192, 12288)),
        "{:?}",
        difference_ranges(&comparison)
    );
}

#[test]
fn a_comparison_can_be_stopped_and_versions_are_not_mixed() {
    let (bytes, _) = log_bytes(3);
    let older = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0-clean.log")).unwrap();
    let disk = SimDisk::with_files(&[(LOG, &bytes), (COPY, &older)]);
    let view = |path| LogView::open(Arc::new(disk.clone()), Path::new(path), None).unwrap();
    let mixed = diff(&view(LOG), &view(COPY), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(mixed, Err(StorageError::Refused { .. })), "{mixed:?}");
    let stopped = diff(&view(LOG), &view(LOG), &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StorageError::Cancelled)), "{stopped:?}");
}
