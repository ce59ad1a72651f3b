//! Tests of comparing two copies of a log: the kinds and ranges of differences, and that every differing byte is
//! reported.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::{
    Comparison, CopyContent, DiffListing, DiffUpdate, DifferenceKind, LogDifference, LogView, MAX_DIFFERENCES, diff,
};
use chronicle::internal::format::frame::encode;
use chronicle::repair::{RepairOptions, plan_repair};

use super::sim_disk::SimDisk;
use super::support::{LOG, event, large_event, log_bytes, open_options};

const COPY: &str = "/data/b.log";

fn compare_disk(disk: &SimDisk) -> Comparison {
    let view = |path| LogView::open(Arc::new(disk.clone()), Path::new(path), None).unwrap();
    diff(&view(LOG), &view(COPY), DiffListing::First, &mut |_| ControlFlow::Continue(())).unwrap()
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
    let mixed = diff(&view(LOG), &view(COPY), DiffListing::First, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(mixed, Err(StorageError::Refused { .. })), "{mixed:?}");
    let stopped = diff(&view(LOG), &view(LOG), DiffListing::First, &mut |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(StorageError::Cancelled)), "{stopped:?}");
}

/// Returns the contents of both copies at each difference, events as type and aggregate.
fn contents(comparison: &Comparison) -> Vec<(String, String)> {
    let text = |content: &CopyContent| match content {
        CopyContent::Event(label) => format!("{} {}", label.event_type, label.aggregate_id.unwrap_or_default()),
        other => other.name().to_owned(),
    };
    comparison.differences.iter().map(|d| (text(&d.a), text(&d.b))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// Returns the bytes of a frame with a payload.
fn frame(payload: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(payload.as_bytes(), &mut bytes);
    bytes
}

#[test]
fn both_sides_of_each_difference_are_named() {
    let (bytes, offsets) = log_bytes(6);
    let range = |n: usize| offsets[n] as usize..offsets[n + 1] as usize;
    let mut copy = bytes.clone();
    copy[range(1).start + 20] ^= 1;
    let comparison = compare_bytes(&bytes, &copy);
    assert_eq!(contents(&comparison), pairs(&[("Updated 2", "damage")]));
    let CopyContent::Event(label) = &comparison.differences[0].a else { panic!("{comparison:?}") };
    assert!(label.time_ms > 1_766_718_274_106);
    assert_eq!(contents(&compare_bytes(&copy, &bytes)), pairs(&[("damage", "Updated 2")]));
    // Another event of the same length.
    let text = String::from_utf8(bytes[range(2)].to_vec()[4..range(2).len() - 4].to_vec()).unwrap();
    let mut copy = bytes.clone();
    copy[range(2)].copy_from_slice(&frame(&text.replace("Deleted", "Renamed")));
    assert_eq!(contents(&compare_bytes(&bytes, &copy)), pairs(&[("Deleted 3", "Renamed 3")]));
    // A gap over two events: the second one is covered by the gap, where no frame starts.
    let gap_len = range(1).len() + range(2).len();
    let with_gap_payload = |prefix: &str, suffix: &str| {
        let fill = gap_len - 8 - prefix.len() - suffix.len();
        let mut copy = bytes.clone();
        copy[range(1).start..range(2).end].copy_from_slice(&frame(&format!("{prefix}{}{suffix}", " ".repeat(fill))));
        contents(&compare_bytes(&bytes, &copy))
    };
    assert_eq!(
        with_gap_payload("{\"not\":\"an event\"", "}"),
        pairs(&[("Updated 2", "invalid_event"), ("Deleted 3", "invalid_event")])
    );
}

#[test]
fn the_rest_of_the_longer_copy_is_counted() {
    let (bytes, offsets) = log_bytes(7);
    let comparison = compare_bytes(&bytes[..offsets[3] as usize], &bytes);
    let [difference] = comparison.differences.as_slice() else { panic!("{comparison:?}") };
    assert_eq!((difference.kind, &difference.a), (DifferenceKind::BIsLonger, &CopyContent::End));
    let CopyContent::Rest(rest) = &difference.b else { panic!("{difference:?}") };
    assert_eq!((rest.events, rest.other_ranges), (4, 0));
    let (first, last) = (rest.first.clone().unwrap(), rest.last.clone().unwrap());
    assert_eq!((&*first.event_type, &*last.event_type), ("Created", "Created"));
    // All logs share the clock, so other tests can advance it between two events.
    assert!(last.time_ms >= first.time_ms + 3000, "{first:?} to {last:?}");
    let one = compare_bytes(&bytes[..offsets[6] as usize], &bytes);
    let CopyContent::Rest(rest) = &one.differences[0].b else { panic!("{one:?}") };
    assert_eq!((rest.events, rest.last.is_none()), (1, true));
    // Damage in the rest is counted, and no event of it.
    let mut torn = bytes.clone();
    torn.truncate(bytes.len() - 5);
    let comparison = compare_bytes(&bytes[..offsets[3] as usize], &torn);
    let CopyContent::Rest(rest) = &comparison.differences[0].b else { panic!("{comparison:?}") };
    assert_eq!((rest.events, rest.other_ranges), (3, 1));
}

/// Returns the bytes of a log that is no copy of another: other events, and another creation time.
fn other_log(events: usize) -> Vec<u8> {
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    for n in 0..events {
        log.append_sync(&event(100 + n as u64, n + 1)).unwrap();
    }
    drop(log);
    disk.get(LOG).unwrap()
}

#[test]
fn logs_that_share_no_event_are_unrelated() {
    let (bytes, _) = log_bytes(300);
    for events in [1, 5, 300] {
        let comparison = compare_bytes(&bytes, &other_log(events));
        let unrelated = comparison.unrelated.clone().unwrap_or_else(|| panic!("{events} events: {comparison:?}"));
        assert!(!comparison.is_identical());
        assert_eq!((comparison.total(), comparison.differences.len()), (0, 0), "{events} events");
        assert_ne!(unrelated.a.created_at_ms, unrelated.b.created_at_ms);
        let types = [unrelated.a, unrelated.b].map(|start| start.first_event.unwrap().event_type.to_string());
        assert_eq!(types, ["Created", "Updated"]);
    }
    // Logs that were created in the same millisecond.
    let other = [&bytes[..16], &other_log(40)[16..]].concat();
    assert!(compare_bytes(&bytes, &other).unrelated.is_some());
}

#[test]
fn unrelated_logs_are_not_read_to_their_ends() {
    let disk = SimDisk::default();
    for (path, aggregate) in [(LOG, 1), (COPY, 2)] {
        let mut log = open_options(&disk).create(path).unwrap();
        for n in 0..60 {
            log.append(&large_event(aggregate, 100_000 + n)).unwrap();
        }
    }
    let view = |path| LogView::open(Arc::new(disk.clone()), Path::new(path), None).unwrap();
    let mut read_to = 0;
    let comparison = diff(&view(LOG), &view(COPY), DiffListing::First, &mut |update| match update {
        DiffUpdate::Progress(progress) => {
            read_to = progress.position;
            ControlFlow::Continue(())
        }
        other => panic!("{other:?}"),
    });
    assert!(comparison.unwrap().unrelated.is_some());
    assert!(read_to < 2_000_000, "{read_to}");
}

#[test]
fn copies_with_damage_or_another_header_are_not_unrelated() {
    let (bytes, offsets) = log_bytes(40);
    let mut other_time = bytes.clone();
    other_time[10] ^= 1;
    assert_eq!(difference_ranges(&compare_bytes(&bytes, &other_time)), [("header", 0, 16)]);
    // All events but the last are lost, and the header was written with another time.
    other_time[16..offsets[39] as usize].fill(b'#');
    let comparison = compare_bytes(&bytes, &other_time);
    assert_eq!((comparison.unrelated.is_none(), comparison.total()), (true, 40));
    let mut lost = bytes.clone();
    lost[16..].fill(0);
    let comparison = compare_bytes(&bytes, &lost);
    assert_eq!((comparison.unrelated.is_none(), comparison.total()), (true, 40));
    assert_eq!(comparison.diverged_at, None, "lost events do not differ");
    // Copies that start with different events and have the same header are listed.
    let mut small = bytes[..offsets[1] as usize].to_vec();
    let text = String::from_utf8(small[20..small.len() - 4].to_vec()).unwrap();
    small.truncate(16);
    small.extend(frame(&text.replace("Created", "Renamed")));
    let comparison = compare_bytes(&bytes[..offsets[1] as usize], &small);
    assert_eq!(contents(&comparison), pairs(&[("Created 1", "Renamed 1")]));
}

#[test]
fn the_offset_from_which_copies_have_diverged_is_reported() {
    let (bytes, offsets) = log_bytes(30);
    let mut fork = bytes[..offsets[20] as usize].to_vec();
    fork.extend(&other_log(10)[16..]);
    assert_eq!(compare_bytes(&bytes, &fork).diverged_at, Some(offsets[20]));
    // The same events follow one event that differs.
    let range = offsets[20] as usize..offsets[21] as usize;
    let text = String::from_utf8(bytes[range.start + 4..range.end - 4].to_vec()).unwrap();
    let mut copy = bytes.clone();
    copy[range].copy_from_slice(&frame(&text.replace("Žofie", "Sofia ")));
    let comparison = compare_bytes(&bytes, &copy);
    assert_eq!((comparison.diverged_at, comparison.total()), (None, 1));
}

#[test]
fn long_damage_without_a_shared_frame_is_reported_in_order() {
    let events = MAX_DIFFERENCES + 50;
    let disk = SimDisk::default();
    let mut log = open_options(&disk).create(LOG).unwrap();
    let mut offsets = Vec::new();
    for n in 0..events {
        offsets.push(log.append(&event(1, n)).unwrap());
    }
    drop(log);
    let mut copy = disk.get(LOG).unwrap();
    copy[16..].fill(b'#');
    disk.put(COPY, &copy);
    let view = |path| LogView::open(Arc::new(disk.clone()), Path::new(path), None).unwrap();
    let mut starts = Vec::new();
    let mut unlisted = Vec::new();
    let comparison = diff(&view(LOG), &view(COPY), DiffListing::First, &mut |update| {
        match update {
            DiffUpdate::Difference(difference) => starts.push(difference.start),
            DiffUpdate::Unlisted(difference) => unlisted.push(difference.clone()),
            _ => {}
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!((comparison.differences.len(), comparison.total()), (MAX_DIFFERENCES, events as u64));
    assert_eq!((starts.len(), unlisted.len()), (MAX_DIFFERENCES, 50));
    starts.extend(unlisted.iter().map(|difference| difference.start));
    assert!(starts.is_sorted());
    assert!(unlisted.iter().all(|d| (&d.a, &d.b) == (&CopyContent::UnreadFrame, &CopyContent::Damage)));
    // Where the copies diverge is known after the last listed difference too.
    let bytes = disk.get(LOG).unwrap();
    let fork_at = bytes.len() - 5000;
    let fork_at = offsets.iter().copied().find(|offset| *offset > fork_at as u64).unwrap();
    copy.truncate(fork_at as usize);
    copy.extend(&other_log(20)[16..]);
    disk.put(COPY, &copy);
    let forked = compare_disk(&disk);
    assert_eq!((forked.diverged_at, forked.differences.len()), (Some(fork_at), MAX_DIFFERENCES + 1));
    let last = forked.differences.last().map(|difference| difference.kind);
    assert!(matches!(last, Some(DifferenceKind::AIsLonger | DifferenceKind::BIsLonger)), "{last:?}");
}

/// Compares both copies with a listing, and returns the comparison and all reported differences.
fn compare_listed(a: &[u8], b: &[u8], listing: DiffListing) -> (Comparison, Vec<LogDifference>) {
    let disk = SimDisk::with_files(&[(LOG, a), (COPY, b)]);
    let view = |path| LogView::open(Arc::new(disk.clone()), Path::new(path), None).unwrap();
    let mut reported = Vec::new();
    let comparison = diff(&view(LOG), &view(COPY), listing, &mut |update| {
        if let DiffUpdate::Difference(difference) | DiffUpdate::Unlisted(difference) = update {
            reported.push(difference.clone());
        }
        ControlFlow::Continue(())
    });
    (comparison.unwrap(), reported)
}

#[test]
fn copies_that_have_diverged_are_counted_to_the_end_and_listed_at_the_start() {
    const LISTED: usize = 1000;
    let (bytes, offsets) = log_bytes(3000);
    let other = &other_log(3000)[16..];
    let fork_at = offsets[500] as usize;
    // The copies diverge, and then have the same events again at the same offsets.
    let rejoin_at = offsets[2900] as usize;
    let forked = [&bytes[..fork_at], &other[..rejoin_at - fork_at - 40], &[0; 40], &bytes[rejoin_at..]].concat();
    let mut rejoined = forked.clone();
    rejoined[offsets[2950] as usize + 30] ^= 1;
    for (copy, after) in [(forked[..rejoin_at - 40].to_vec(), 1), (rejoined, 1)] {
        let (first, reported) = compare_listed(&bytes, &copy, DiffListing::First);
        let (all, every) = compare_listed(&bytes, &copy, DiffListing::All);
        assert_eq!((first.counts, first.identical_to), (all.counts, all.identical_to));
        assert_eq!((first.diverged_at, first.total()), (all.diverged_at, every.len() as u64));
        let places = |differences: &[LogDifference]| -> Vec<_> {
            differences.iter().map(|d| (d.kind.name(), d.start, d.end)).collect()
        };
        assert_eq!(places(&reported), places(&every));
        // The events are named until the copies have diverged for certain, and again after an event that is the same in both.
        assert_eq!(first.differences.len(), LISTED + after);
        assert_eq!(first.differences[..LISTED], all.differences[..LISTED]);
        assert_eq!(first.differences.last(), all.differences.last());
        assert!(all.differences.len() > 2 * LISTED);
        // The payloads of the others are not read; only where a copy has other bytes than a frame there is nothing to read.
        let is_unread = |d: &&LogDifference| [&d.a, &d.b].contains(&&CopyContent::UnreadFrame);
        let unlisted = reported.len() - first.differences.len();
        assert!(reported.iter().filter(is_unread).count() + 2 > unlisted, "{unlisted} are not listed");
    }
}

#[test]
fn a_donor_with_the_same_header_and_other_events_is_no_copy() {
    let (mut bytes, offsets) = log_bytes(1100);
    let donor = [&bytes[..16], &other_log(1100)[16..]].concat();
    bytes[offsets[1050] as usize + 30] ^= 1;
    let disk = SimDisk::with_files(&[(LOG, &bytes), (COPY, &donor)]);
    let view = LogView::open(Arc::new(disk), Path::new(LOG), None).unwrap();
    let plan = plan_repair(&view, &RepairOptions::new().donor(COPY), &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(plan.notes.iter().any(|note| note.contains("it is no copy of this log")), "{:?}", plan.notes);
}
