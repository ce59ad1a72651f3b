//! Tests exhaustive damage to a small log: every truncation, every flipped bit, every overwritten and swapped sector.

use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_indexed_log, finding_ranges, log_bytes, readable_offsets, survey_log};

fn disk_with(bytes: &[u8]) -> SimDisk {
    SimDisk::with_files(&[(LOG, bytes)])
}

#[test]
fn every_truncation_without_an_index_is_clean_or_a_torn_tail() {
    let (bytes, offsets) = log_bytes(4);
    let ends: Vec<u64> = offsets[1..].iter().copied().chain([bytes.len() as u64]).collect();
    for len in 16..=bytes.len() {
        let disk = disk_with(&bytes[..len]);
        let whole_frames = ends.iter().filter(|end| **end <= len as u64).count();
        let boundary = if whole_frames == 0 { 16 } else { ends[whole_frames - 1] };
        let expected = if boundary == len as u64 { vec![] } else { vec![("torn_tail", boundary, len as u64)] };
        assert_eq!(finding_ranges(&survey_log(&disk)), expected, "cut at {len}");
        assert_eq!(readable_offsets(&disk), offsets[..whole_frames], "cut at {len}");
    }
}

#[test]
fn every_truncation_that_the_index_covers_is_truncated() {
    let (whole_disk, offsets) = disk_with_indexed_log(4);
    let (bytes, index) = (whole_disk.get(LOG).unwrap(), whole_disk.get(INDEX).unwrap());
    let ends: Vec<u64> = offsets[1..].iter().copied().chain([bytes.len() as u64]).collect();
    for len in 0..bytes.len() {
        let disk = SimDisk::with_files(&[(LOG, &bytes[..len]), (INDEX, &index)]);
        let whole_frames = ends.iter().filter(|end| **end <= len as u64).count();
        let boundary = if whole_frames == 0 { len.min(16) as u64 } else { ends[whole_frames - 1] };
        let survey = survey_log(&disk);
        assert_eq!(finding_ranges(&survey), [("truncated", boundary, len as u64)], "cut at {len}");
        let evidence = &survey.findings[0].evidence;
        assert_eq!(evidence.bytes_missing, Some((bytes.len() - len) as u64), "cut at {len}");
        assert_eq!(evidence.events_missing, Some((offsets.len() - whole_frames) as u64), "cut at {len}");
        assert_eq!(readable_offsets(&disk), offsets[..whole_frames], "cut at {len}");
    }
}

#[test]
fn every_flipped_bit_is_found_and_no_other_frame_is_lost() {
    let (bytes, offsets) = log_bytes(4);
    let ends: Vec<u64> = offsets[1..].iter().copied().chain([bytes.len() as u64]).collect();
    for bit in 16 * 8..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let disk = disk_with(&bytes);
        let hit = ends.iter().filter(|end| **end <= bit as u64 / 8).count();
        let in_length = (bit as u64 / 8) < offsets[hit] + 4;
        let kind = if in_length { "length" } else { "checksum" };
        let survey = survey_log(&disk);
        assert_eq!(finding_ranges(&survey), [(kind, offsets[hit], ends[hit])], "bit {bit}");
        if in_length {
            let implied = ends[hit] - offsets[hit] - 8;
            assert_eq!(survey.findings[0].evidence.length_implied, Some(implied as u32), "bit {bit}");
        }
        let others: Vec<u64> = offsets.iter().copied().filter(|offset| *offset != offsets[hit]).collect();
        assert_eq!(readable_offsets(&disk), others, "bit {bit}");
    }
}

#[test]
fn every_flipped_bit_of_the_header_is_detected_by_the_index() {
    let (whole, offsets) = disk_with_indexed_log(3);
    let (bytes, index) = (whole.get(LOG).unwrap(), whole.get(INDEX).unwrap());
    for bit in 0..16 * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let disk = SimDisk::with_files(&[(LOG, &bytes), (INDEX, &index)]);
        assert_eq!(finding_ranges(&survey_log(&disk)), [("header", 0, 16)], "bit {bit}");
        assert_eq!(readable_offsets(&disk), offsets, "bit {bit}");
    }
}

#[test]
fn an_overwritten_sector_loses_only_the_frames_that_it_touches() {
    let (bytes, offsets) = log_bytes(40);
    let ends: Vec<u64> = offsets[1..].iter().copied().chain([bytes.len() as u64]).collect();
    for sector in 0..bytes.len() / 512 {
        for fill in [0u8, 0xFF, b'x'] {
            let mut bytes = bytes.clone();
            let hit = sector * 512..(sector + 1) * 512;
            bytes[hit.clone()].fill(fill);
            let disk = disk_with(&bytes);
            let untouched: Vec<u64> = offsets
                .iter()
                .zip(&ends)
                .filter(|(start, end)| **end <= hit.start as u64 || **start >= hit.end as u64)
                .map(|(start, _)| *start)
                .collect();
            let readable = readable_offsets(&disk);
            assert!(untouched.iter().all(|offset| readable.contains(offset)), "sector {sector} filled with {fill:02x}");
            let survey = survey_log(&disk);
            assert!(survey.damage_total > 0, "sector {sector} filled with {fill:02x}");
            assert!(
                survey
                    .findings
                    .iter()
                    .all(|f| f.start < hit.end as u64 + 512 && f.end > hit.start as u64 - hit.start.min(512) as u64),
                "sector {sector} filled with {fill:02x}: {:?}",
                finding_ranges(&survey)
            );
        }
    }
}

#[test]
fn swapped_sectors_lose_only_the_frames_that_they_touch() {
    let (bytes, offsets) = log_bytes(40);
    for sector in 1..bytes.len() / 512 - 1 {
        let mut bytes = bytes.clone();
        let (left, right) = bytes.split_at_mut((sector + 1) * 512);
        left[sector * 512..].swap_with_slice(&mut right[..512]);
        let disk = disk_with(&bytes);
        let hit = (sector * 512) as u64..((sector + 2) * 512) as u64;
        let ends = offsets[1..].iter().copied().chain([bytes.len() as u64]);
        let readable = readable_offsets(&disk);
        for (start, end) in offsets.iter().copied().zip(ends) {
            assert!(hit.start < end && start < hit.end || readable.contains(&start), "sector {sector}, event {start}");
        }
        assert!(survey_log(&disk).damage_total > 0, "sector {sector}");
    }
}
