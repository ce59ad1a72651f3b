//! Naming pieces: a case for each line of docs/format.md's table, neighbours damaged together, and hostile ranges.

use std::ops::ControlFlow;

use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::internal::format::{frame, gap};

use super::sim_disk::SimDisk;
use super::support::{
    LOG, event, finding_ranges, large_event, log_bytes, open_options, open_read_only, readable_offsets, survey_log,
};

/// A log of some events with what `damage` makes of it; kind and range of each finding.
fn findings_after(events: usize, damage: impl FnOnce(&mut Vec<u8>, &[u64])) -> Vec<(&'static str, u64, u64)> {
    let (mut bytes, offsets) = log_bytes(events);
    damage(&mut bytes, &offsets);
    finding_ranges(&survey_log(&SimDisk::with_files(&[(LOG, &bytes)])))
}

#[test]
fn each_of_several_neighbours_damaged_together_is_named() {
    let (whole, offsets) = log_bytes(6);
    let [a, b, c, d] = [offsets[1], offsets[2], offsets[3], offsets[4]];
    let found = findings_after(6, |bytes, _| {
        bytes[a as usize + 60] ^= 8; // a payload
        bytes[b as usize + 2] ^= 1; // a length
        bytes[c as usize..c as usize + 4].copy_from_slice(&[0xFF; 4]); // a length out of range
    });
    assert_eq!(found, [("checksum", a, b), ("length", b, c), ("length", c, d)]);
    assert_eq!(whole.len() as u64, offsets[5] + (offsets[1] - offsets[0]), "all frames are of one size");
}

#[test]
fn a_damaged_frame_before_one_whose_length_is_out_of_range_is_known_by_its_braces() {
    let (_, offsets) = log_bytes(4);
    let [a, b, c] = [offsets[1], offsets[2], offsets[3]];
    let found = findings_after(4, |bytes, _| {
        bytes[a as usize + 60] ^= 8;
        bytes[b as usize..b as usize + 4].copy_from_slice(&[0xFF; 4]);
    });
    assert_eq!(found, [("checksum", a, b), ("length", b, c)]);
}

#[test]
fn size_written_to_the_byte_and_data_not_is_a_torn_tail() {
    let (whole, offsets) = log_bytes(3);
    let found = findings_after(3, |bytes, offsets| bytes[offsets[2] as usize + 80..].fill(0));
    assert_eq!(found, [("torn_tail", offsets[2], whole.len() as u64)]);
}

#[test]
fn an_end_that_moves_between_two_looks_is_in_flight_and_no_finding() {
    let (bytes, offsets) = log_bytes(3);
    let last = offsets[2] as usize;
    for (kept, damage) in [(last + 60, None), (bytes.len(), Some(last + 60))] {
        let mut early = bytes[..kept].to_vec();
        if let Some(at) = damage {
            early[at] ^= 1;
        }
        let disk = SimDisk::with_files(&[(LOG, &early)]);
        disk.change_while_waiting(&bytes);
        let seen = survey_log(&disk);
        assert_eq!(finding_ranges(&seen), []);
        // Its end was fixed before: a frame that was whole within it is an event, one that goes past it is not yet.
        let whole = kept == bytes.len();
        assert_eq!(seen.events, if whole { 3 } else { 2 });
        assert_eq!(seen.in_flight, if whole { None } else { Some(last as u64..kept as u64) });
    }
}

#[test]
fn a_gap_whose_length_is_damaged_is_known_by_its_checksum() {
    let (mut bytes, _) = log_bytes(2);
    let start = bytes.len() as u64;
    frame::encode(&gap::build_gap_payload(50, r#"{"repair":1}"#), &mut bytes);
    let end = bytes.len() as u64;
    let (more, _) = log_bytes(1);
    bytes.extend_from_slice(&more[16..]);
    bytes[start as usize + 3] = 0;
    assert_eq!(finding_ranges(&survey_log(&SimDisk::with_files(&[(LOG, &bytes)])))[0], ("length", start, end));
}

#[test]
fn size_written_and_data_not_is_a_torn_tail_and_never_garbage() {
    let (_, offsets) = log_bytes(3);
    let found = findings_after(3, |bytes, offsets| {
        let half = offsets[2] as usize + 80;
        bytes[half..].fill(0);
        bytes.extend_from_slice(&[0; 512]);
    });
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1), ("torn_tail", offsets[2]));
}

#[test]
fn a_frame_in_its_place_before_zeros_is_a_checksum_and_the_zeros_are_zeros() {
    let (_, offsets) = log_bytes(3);
    let end = offsets[2] + (offsets[1] - offsets[0]);
    let found = findings_after(3, |bytes, offsets| {
        bytes[offsets[2] as usize + 60] ^= 1;
        bytes.extend_from_slice(&[0; 100]);
    });
    assert_eq!(found, [("checksum", offsets[2], end), ("zeros", end, end + 100)]);
}

#[test]
fn fewer_than_four_zeros_at_the_end_are_a_torn_length() {
    for zeros in 1..4u64 {
        let found = findings_after(2, |bytes, _| bytes.extend(vec![0; zeros as usize]));
        assert_eq!((found[0].0, found[0].2 - found[0].1), ("torn_tail", zeros));
    }
    assert_eq!(findings_after(2, |bytes, _| bytes.extend([0; 4]))[0].0, "zeros");
}

#[test]
fn bytes_put_in_between_are_garbage_and_nothing_behind_them_is_lost() {
    let (whole, offsets) = log_bytes(4);
    for foreign in [&b"!"[..], b"some foreign bytes", &[0xFF; 300], b"{\"a\":1}"] {
        let (mut bytes, _) = log_bytes(4);
        let at = offsets[2] as usize;
        bytes.splice(at..at, foreign.iter().copied());
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let len = foreign.len() as u64;
        let seen = finding_ranges(&survey_log(&disk));
        assert_eq!((seen[0].0, seen[0].1, seen[0].2), ("garbage", offsets[2], offsets[2] + len));
        assert_eq!(readable_offsets(&disk).len(), 4);
        assert_eq!(bytes.len(), whole.len() + foreign.len());
    }
}

#[test]
fn a_huge_and_plausible_length_swallows_nothing() {
    let (_, offsets) = log_bytes(5);
    for length in [0x00FF_FFFFu32, 0x0000_0200, 0x0000_0001] {
        let (mut bytes, _) = log_bytes(5);
        let at = offsets[1] as usize;
        bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        assert_eq!(finding_ranges(&survey_log(&disk)), [("length", offsets[1], offsets[2])], "{length:08x}");
        assert_eq!(readable_offsets(&disk).len(), 4, "{length:08x}");
    }
}

#[test]
fn the_search_for_lengths_stops_where_the_ends_tried_pass_sixteen_times_the_range() {
    // A frame whose payload is damaged, for which every end up to the range's is tried in vain, then two whose length
    // is, and so on. The sum is taken here as docs/format.md words it: ends are tried up to the one that is found.
    let end_frame = 160;
    let (_, offsets) = log_bytes(end_frame + 1);
    let (first, end) = (offsets[1], offsets[end_frame]);
    let found = findings_after(end_frame + 1, |bytes, _| {
        for (i, start) in offsets[1..end_frame].iter().enumerate() {
            match i % 3 {
                0 => bytes[*start as usize + 60] ^= 8,
                _ => bytes[*start as usize..*start as usize + 4].fill(0xFF),
            }
        }
    });
    let mut expected = Vec::new();
    let mut tried = 0;
    for i in 1..end_frame {
        let (start, next) = (offsets[i], offsets[i + 1]);
        if i % 3 == 1 {
            tried += end - start - 8;
            expected.push(("checksum", start, next));
        } else {
            let more = next - start - 8;
            if tried > 16 * (end - first) || tried + more > 16 * (end - first) {
                expected.push(("garbage", start, end));
                break;
            }
            tried += more;
            expected.push(("length", start, next));
        }
    }
    assert_eq!(expected.last().map(|last| last.0), Some("garbage"), "the bound is met");
    assert_eq!(found, expected);
}

#[test]
fn the_next_frame_is_found_behind_any_number_of_zeros() {
    let (bytes, offsets) = log_bytes(4);
    for zeros in 1..40 {
        let mut bytes = bytes.clone();
        let at = offsets[2] as usize;
        bytes.splice(at..at, vec![0; zeros]);
        assert_eq!(readable_offsets(&SimDisk::with_files(&[(LOG, &bytes)])).len(), 4, "{zeros} zeros");
    }
}

#[test]
fn large_frames_are_found_behind_damage_whatever_stands_between() {
    for bytes in [900, 1016, 1024, 5000, 70_000, 1 << 20, 3 << 20, 16_777_000] {
        let disk = SimDisk::default();
        let mut log = open_options(&disk).create(LOG).unwrap();
        let first = log.append(&event(1, 1)).unwrap();
        let large = log.append(&large_event(2, bytes)).unwrap();
        let last = log.append(&event(3, 3)).unwrap();
        drop(log);
        let mut bytes = disk.get(LOG).unwrap();
        // Noise that announces frames of every size, and then the large frame itself.
        let noise: Vec<u8> = (0..3000u32).map(|i| if i % 3 == 0 { 0 } else { ((i * 37) >> 3) as u8 }).collect();
        bytes.splice(large as usize..large as usize, noise.iter().copied());
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let moved = noise.len() as u64;
        assert_eq!(readable_offsets(&disk), [first, large + moved, last + moved]);
    }
}

#[test]
fn a_start_inside_damage_larger_than_any_window_is_led_to_its_start() {
    let (bytes, offsets) = log_bytes(200);
    let (from, to) = (offsets[90] as usize, offsets[110] as usize);
    let mut bytes = bytes;
    bytes.splice(from..to, vec![b'#'; 300_000]);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    for inside in [0, 1, 70_000, 150_000, 299_999] {
        let mut replay = open_read_only(&disk).replay(from as u64 + inside).unwrap();
        assert_eq!(replay.next().unwrap().unwrap_err().offset(), Some(from as u64), "{inside} bytes inside");
        assert_eq!(replay.next().unwrap().unwrap().offset(), from as u64 + 300_000);
    }
}

#[test]
fn a_megabyte_of_candidates_is_one_range_with_the_next_frame_behind_it() {
    // Every third byte starts a length of up to 16 MiB: each has to be checked, none may be read for itself.
    let (whole, offsets) = log_bytes(3);
    let at = offsets[1] as usize;
    let mut bytes = whole[..at].to_vec();
    bytes.extend([0u8, 0x0F, 0xFF].iter().copied().cycle().take(1 << 20));
    let resumes = bytes.len() as u64;
    bytes.extend_from_slice(&whole[at..]);
    bytes.extend(vec![b' '; 2 << 20]);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let seen = survey_log(&disk);
    assert_eq!(seen.findings[0].evidence.resumes_at, Some(resumes));
    assert_eq!(readable_offsets(&disk).len(), 3);
}

#[test]
fn a_frame_inside_the_payload_of_one_that_is_no_event_comes_to_light_only_with_it() {
    let (bytes, _) = log_bytes(1);
    let inner = bytes[16..].to_vec();
    let mut outer = bytes.clone();
    let start = outer.len() as u64;
    frame::encode(&inner, &mut outer);
    assert_eq!(
        finding_ranges(&survey_log(&SimDisk::with_files(&[(LOG, &outer)]))),
        [("invalid_event", start, outer.len() as u64)]
    );
    let last = outer.len() - 1;
    outer[last] ^= 1;
    assert_eq!(readable_offsets(&SimDisk::with_files(&[(LOG, &outer)])).len(), 2);
}

#[test]
fn what_the_device_refuses_to_read_is_named_and_the_rest_is_read() {
    let (bytes, offsets) = log_bytes(100);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    disk.refuse_reads(8192..12_288);
    let whole = |offset: &&u64| **offset + 400 < 8192 || **offset >= 12_288;
    let there = readable_offsets(&disk);
    assert!(offsets.iter().filter(whole).all(|offset| there.contains(offset)));
    let seen = finding_ranges(&survey_log(&disk));
    assert!(seen.contains(&("unreadable", 8192, 12_288)), "{seen:?}");
    let around = seen.iter().all(|(_, start, end)| *start > 8192 - 400 && *end < 12_288 + 400);
    assert!(around, "{seen:?}");
    // Single frames are read up to the refused bytes, and through the index.
    let log = open_read_only(&disk);
    for item in log.aggregate_events(1).unwrap() {
        match item {
            Ok(event) => assert!(there.contains(&event.offset())),
            Err(error) => assert!(error.is_corruption(), "{error}"),
        }
    }
}

#[test]
fn frames_only_leaves_the_payloads_out() {
    let (mut bytes, _) = log_bytes(2);
    frame::encode(b"no event", &mut bytes);
    frame::encode(&gap::build_gap_payload(30, "{}"), &mut bytes);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let view = LogView::open(std::sync::Arc::new(disk), LOG.as_ref(), None).unwrap();
    let wish = SurveyOptions { frames_only: true, ..SurveyOptions::default() };
    let seen = survey(&view, &wish, None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((seen.events, seen.gaps, seen.damage_total), (3, 1, 0));
    let all = survey(&view, &SurveyOptions::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((all.events, all.gaps, all.damage_total), (2, 1, 1));
}
