//! Tests of naming the pieces of a damaged range: a case for each row of the table in docs/format.md, adjacent damaged
//! frames, and hostile ranges.

use std::ops::ControlFlow;

use chronicle::inspect::{LogView, SurveyOptions, survey};
use chronicle::internal::format::{frame, gap};

use super::sim_disk::SimDisk;
use super::support::{
    LOG, event, finding_ranges, large_event, log_bytes, open_options, open_read_only, readable_offsets, survey_log,
};

/// Builds a log of `events` events, applies `damage` to it, and returns kind and range of each finding.
fn findings_after(events: usize, damage: impl FnOnce(&mut Vec<u8>, &[u64])) -> Vec<(&'static str, u64, u64)> {
    let (mut bytes, offsets) = log_bytes(events);
    damage(&mut bytes, &offsets);
    finding_ranges(&survey_log(&SimDisk::with_files(&[(LOG, &bytes)])))
}

#[test]
fn each_of_several_adjacent_damaged_frames_is_named() {
    let (whole, offsets) = log_bytes(6);
    let [a, b, c, d] = [offsets[1], offsets[2], offsets[3], offsets[4]];
    let findings = findings_after(6, |bytes, _| {
        bytes[a as usize + 60] ^= 8; // a payload
        bytes[b as usize + 2] ^= 1; // a length
        bytes[c as usize..c as usize + 4].copy_from_slice(&[0xFF; 4]); // a length out of range
    });
    assert_eq!(findings, [("checksum", a, b), ("length", b, c), ("length", c, d)]);
    assert_eq!(whole.len() as u64, offsets[5] + (offsets[1] - offsets[0]), "all frames are of one size");
}

#[test]
fn a_damaged_frame_before_an_invalid_length_is_recognised_by_its_braces() {
    let (_, offsets) = log_bytes(4);
    let [a, b, c] = [offsets[1], offsets[2], offsets[3]];
    let findings = findings_after(4, |bytes, _| {
        bytes[a as usize + 60] ^= 8;
        bytes[b as usize..b as usize + 4].copy_from_slice(&[0xFF; 4]);
    });
    assert_eq!(findings, [("checksum", a, b), ("length", b, c)]);
}

#[test]
fn a_last_frame_whose_end_is_zeroed_is_a_torn_tail() {
    let (whole, offsets) = log_bytes(3);
    let findings = findings_after(3, |bytes, offsets| bytes[offsets[2] as usize + 80..].fill(0));
    assert_eq!(findings, [("torn_tail", offsets[2], whole.len() as u64)]);
}

#[test]
fn an_end_that_changes_between_two_reads_is_in_flight_and_not_a_finding() {
    let (bytes, offsets) = log_bytes(3);
    let last = offsets[2] as usize;
    for (early_len, damage) in [(last + 60, None), (bytes.len(), Some(last + 60))] {
        let mut early = bytes[..early_len].to_vec();
        if let Some(at) = damage {
            early[at] ^= 1;
        }
        let disk = SimDisk::with_files(&[(LOG, &early)]);
        disk.change_while_waiting(&bytes);
        let survey = survey_log(&disk);
        assert_eq!(finding_ranges(&survey), []);
        // The end of the survey was fixed before the change. A frame that ends before it is an event; a frame that ends
        // after it is in flight.
        let whole = early_len == bytes.len();
        assert_eq!(survey.events, if whole { 3 } else { 2 });
        assert_eq!(survey.in_flight, if whole { None } else { Some(last as u64..early_len as u64) });
    }
}

#[test]
fn a_gap_whose_length_is_damaged_is_recognised_by_its_checksum() {
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
fn a_zeroed_last_frame_followed_by_zeros_is_one_torn_tail() {
    let (_, offsets) = log_bytes(3);
    let findings = findings_after(3, |bytes, offsets| {
        let half = offsets[2] as usize + 80;
        bytes[half..].fill(0);
        bytes.extend_from_slice(&[0; 512]);
    });
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].0, findings[0].1), ("torn_tail", offsets[2]));
}

#[test]
fn a_damaged_frame_before_trailing_zeros_is_a_checksum_and_a_zeros_finding() {
    let (_, offsets) = log_bytes(3);
    let end = offsets[2] + (offsets[1] - offsets[0]);
    let findings = findings_after(3, |bytes, offsets| {
        bytes[offsets[2] as usize + 60] ^= 1;
        bytes.extend_from_slice(&[0; 100]);
    });
    assert_eq!(findings, [("checksum", offsets[2], end), ("zeros", end, end + 100)]);
}

#[test]
fn fewer_than_four_zeros_at_the_end_are_a_torn_length() {
    for zeros in 1..4u64 {
        let findings = findings_after(2, |bytes, _| bytes.extend(vec![0; zeros as usize]));
        assert_eq!((findings[0].0, findings[0].2 - findings[0].1), ("torn_tail", zeros));
    }
    assert_eq!(findings_after(2, |bytes, _| bytes.extend([0; 4]))[0].0, "zeros");
}

#[test]
fn inserted_bytes_are_garbage_and_every_later_event_is_readable() {
    let (whole, offsets) = log_bytes(4);
    for foreign in [&b"!"[..], b"some foreign bytes", &[0xFF; 300], b"{\"a\":1}"] {
        let (mut bytes, _) = log_bytes(4);
        let at = offsets[2] as usize;
        bytes.splice(at..at, foreign.iter().copied());
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let len = foreign.len() as u64;
        let survey = finding_ranges(&survey_log(&disk));
        assert_eq!((survey[0].0, survey[0].1, survey[0].2), ("garbage", offsets[2], offsets[2] + len));
        assert_eq!(readable_offsets(&disk).len(), 4);
        assert_eq!(bytes.len(), whole.len() + foreign.len());
    }
}

#[test]
fn a_plausible_wrong_length_hides_no_other_event() {
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
fn the_search_for_lengths_stops_after_checking_sixteen_times_the_range() {
    // One frame with a damaged payload, for which every end up to the end of the range is tried without success, then
    // two frames with a damaged length, and so on. The sum follows docs/format.md: ends are tried up to the one that is
    // found.
    let end_frame = 160;
    let (_, offsets) = log_bytes(end_frame + 1);
    let (first, end) = (offsets[1], offsets[end_frame]);
    let findings = findings_after(end_frame + 1, |bytes, _| {
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
    assert_eq!(expected.last().map(|last| last.0), Some("garbage"), "the limit is reached");
    assert_eq!(findings, expected);
}

#[test]
fn the_next_frame_is_found_after_any_number_of_zeros() {
    let (bytes, offsets) = log_bytes(4);
    for zeros in 1..40 {
        let mut bytes = bytes.clone();
        let at = offsets[2] as usize;
        bytes.splice(at..at, vec![0; zeros]);
        assert_eq!(readable_offsets(&SimDisk::with_files(&[(LOG, &bytes)])).len(), 4, "{zeros} zeros");
    }
}

#[test]
fn large_frames_are_found_after_noise_that_resembles_lengths() {
    for bytes in [900, 1016, 1024, 5000, 70_000, 1 << 20, 3 << 20, 16_777_000] {
        let disk = SimDisk::default();
        let mut log = open_options(&disk).create(LOG).unwrap();
        let first = log.append(&event(1, 1)).unwrap();
        let large = log.append(&large_event(2, bytes)).unwrap();
        let last = log.append(&event(3, 3)).unwrap();
        drop(log);
        let mut bytes = disk.get(LOG).unwrap();
        // Noise with plausible lengths of every size precedes the large frame.
        let noise: Vec<u8> = (0..3000u32).map(|i| if i % 3 == 0 { 0 } else { ((i * 37) >> 3) as u8 }).collect();
        bytes.splice(large as usize..large as usize, noise.iter().copied());
        let disk = SimDisk::with_files(&[(LOG, &bytes)]);
        let moved = noise.len() as u64;
        assert_eq!(readable_offsets(&disk), [first, large + moved, last + moved]);
    }
}

#[test]
fn a_replay_from_inside_long_damage_begins_with_that_damage() {
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
fn the_next_frame_is_found_after_a_mebibyte_of_candidate_lengths() {
    // Every third byte starts a length of up to 16 MiB. Each candidate must be checked without reading its own range.
    let (whole, offsets) = log_bytes(3);
    let at = offsets[1] as usize;
    let mut bytes = whole[..at].to_vec();
    bytes.extend([0u8, 0x0F, 0xFF].iter().copied().cycle().take(1 << 20));
    let resumes = bytes.len() as u64;
    bytes.extend_from_slice(&whole[at..]);
    bytes.extend(vec![b' '; 2 << 20]);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let survey = survey_log(&disk);
    assert_eq!(survey.findings[0].evidence.resumes_at, Some(resumes));
    assert_eq!(readable_offsets(&disk).len(), 3);
}

#[test]
fn a_nested_frame_is_found_only_if_the_outer_frame_is_damaged() {
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
fn an_unreadable_range_is_reported_and_the_rest_is_read() {
    let (bytes, offsets) = log_bytes(100);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    disk.refuse_reads(8192..12_288);
    let is_outside = |offset: &&u64| **offset + 400 < 8192 || **offset >= 12_288;
    let readable = readable_offsets(&disk);
    assert!(offsets.iter().filter(is_outside).all(|offset| readable.contains(offset)));
    let survey = finding_ranges(&survey_log(&disk));
    assert!(survey.contains(&("unreadable", 8192, 12_288)), "{survey:?}");
    let is_near = survey.iter().all(|(_, start, end)| *start > 8192 - 400 && *end < 12_288 + 400);
    assert!(is_near, "{survey:?}");
    // Single frames are read up to the refused bytes, and through the index.
    let log = open_read_only(&disk);
    for item in log.aggregate_events(1).unwrap() {
        match item {
            Ok(event) => assert!(readable.contains(&event.offset())),
            Err(error) => assert!(error.is_corruption(), "{error}"),
        }
    }
}

#[test]
fn frames_only_does_not_check_payloads() {
    let (mut bytes, _) = log_bytes(2);
    frame::encode(b"no event", &mut bytes);
    frame::encode(&gap::build_gap_payload(30, "{}"), &mut bytes);
    let disk = SimDisk::with_files(&[(LOG, &bytes)]);
    let view = LogView::open(std::sync::Arc::new(disk), LOG.as_ref(), None).unwrap();
    let options = SurveyOptions::new().frames_only();
    let frames = survey(&view, &options, None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((frames.events, frames.gaps, frames.damage_total), (3, 1, 0));
    let all = survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((all.events, all.gaps, all.damage_total), (2, 1, 1));
}
