//! Tests of salvage with a donor that has the frames of the log at other offsets: after a transfer in text mode, in
//! concatenated files, and in copies without some of the frames.

use std::ops::{ControlFlow, Range};

use chronicle::repair::{CopyOptions, CopySummary, salvage};

use super::sim_disk::SimDisk;
use super::support::{LOG, append_frame, frame_payloads, open_view};

const NEW: &str = "/data/new.log";
const MAP: &str = "/data/new.csv";
const DONOR: &str = "/data/donor.log";

/// The result of a salvage: its summary, the bytes of the new log, and its map.
struct Salvaged {
    summary: CopySummary,
    bytes: Vec<u8>,
    map: Vec<String>,
}

fn salvage_with_donor(log: &[u8], donor: &[u8]) -> Salvaged {
    let disk = SimDisk::with_files(&[(LOG, log), (DONOR, donor)]);
    let options = CopyOptions::new(NEW).map(MAP).donor(DONOR);
    let view = open_view(&disk).unwrap();
    let summary = salvage(&view, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    let map = String::from_utf8(disk.get(MAP).unwrap()).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(disk.get(LOG).unwrap(), log);
    Salvaged { summary, bytes: disk.get(NEW).unwrap(), map }
}

/// Builds a log of version 1 whose events have every length from 200 to 299 bytes, some with a line end, and the offsets of
/// the frames. The length of one of them is 0a.
fn log_with_line_ends(created_at_ms: u64, name: &str) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = [b"CHRN\0\x01\0\0".as_slice(), &created_at_ms.to_be_bytes()].concat();
    let offsets = (0..100).map(|n: usize| {
        let space = if n % 7 == 3 { "\n" } else { " " };
        let event = format!(
            r#"{{"write_timestamp_ms":{},"event_type":"E","namespace":"{name}","schema_id":"s","schema_version":1,{space}"payload":{n}"#,
            created_at_ms + n as u64
        );
        let padding = " ".repeat(199 + n - event.len());
        append_frame(&mut bytes, 1, &format!("{event}{padding}}}")) as u64
    });
    let offsets = offsets.collect();
    (bytes, offsets)
}

fn translated(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect()
}

/// The offset of a byte of a log after its line ends were translated.
fn translated_offset(bytes: &[u8], offset: u64) -> usize {
    translated(&bytes[..offset as usize]).len()
}

fn frame_of(bytes: &[u8], offsets: &[u64], nth: usize) -> Range<usize> {
    let end = offsets.get(nth + 1).map_or(bytes.len(), |end| *end as usize);
    offsets[nth] as usize..end
}

/// Returns the file without some of its frames.
fn without_frames(bytes: &[u8], offsets: &[u64], frames: Range<usize>) -> Vec<u8> {
    let (from, to) = (offsets[frames.start] as usize, offsets[frames.end] as usize);
    [&bytes[..from], &bytes[to..]].concat()
}

#[test]
fn a_transfer_in_text_mode_is_reversed_with_the_original() {
    // The creation time of the second log contains 0a, which moves the bytes of the header.
    for created_at_ms in [1_767_225_600_000, 0x019B_0A77_0A01] {
        let (whole, offsets) = log_with_line_ends(created_at_ms, "accounts");
        let text = translated(&whole);
        assert!(text.len() > whole.len() + 15);
        let salvaged = salvage_with_donor(&text, &whole);
        let Salvaged { summary, bytes, map } = salvaged;
        assert!(bytes == whole, "{created_at_ms}: {:?}", summary.omitted);
        assert!(summary.events_restored >= 15, "{summary:?}");
        assert_eq!((summary.events_kept + summary.events_restored, summary.damage_total), (100, 0));
        let lines = offsets.iter().map(|new| (translated_offset(&whole, *new), new));
        let expected: Vec<String> = lines.map(|(old, new)| format!("{old},{new},")).collect();
        assert!(map[1..].iter().zip(&expected).all(|(line, start)| line.starts_with(start)), "{map:?}");
    }
}

#[test]
fn damage_in_a_file_after_a_transfer_in_text_mode_is_restored_where_its_neighbours_or_checksums_prove_it() {
    let (whole, offsets) = log_with_line_ends(1_767_225_600_000, "accounts");
    let text = translated(&whole);
    let at = |nth: usize| translated_offset(&whole, offsets[nth]);
    // The payloads of frames are damaged, one of them moved; then three whole frames; then the end is cut.
    let mut changed = text.clone();
    changed[at(3) + 80] ^= 0x55;
    changed[at(4) + 80..at(4) + 90].fill(b'#');
    changed[at(40) - 1..=at(43)].fill(0);
    let salvaged = salvage_with_donor(&changed, &whole);
    assert!(salvaged.bytes == whole, "{:?}", salvaged.summary.omitted);
    let cut = at(95) + 30;
    let salvaged = salvage_with_donor(&changed[..cut], &whole);
    assert!(salvaged.bytes == whole[..offsets[95] as usize], "{:?}", salvaged.summary.omitted);
    assert_eq!((salvaged.summary.omitted_total, salvaged.summary.omitted[0].finding.start), (1, at(95) as u64));
    // Bytes were removed from a lost frame, so that only the frames next to it are in their places.
    let shorter = [&text[..at(52) + 40], &text[at(52) + 50..]].concat();
    let salvaged = salvage_with_donor(&shorter, &whole);
    assert!(salvaged.bytes == without_frames(&whole, &offsets, 52..53), "{:?}", salvaged.summary.omitted);
    let reason = salvaged.summary.omitted[0].donor_refusal;
    assert!(reason.is_some_and(|reason| reason.contains("are not in the damaged bytes")), "{reason:?}");
}

#[test]
fn a_damaged_donor_restores_the_frames_that_it_has_at_other_offsets() {
    let (whole, offsets) = log_with_line_ends(1_767_225_600_000, "accounts");
    let text = translated(&whole);
    let mut damaged = whole.clone();
    damaged[frame_of(&whole, &offsets, 10)][100] ^= 0x55;
    // The 11th event contains a line end, so the file after the transfer does not have it either.
    let lost =
        usize::from(translated(&whole[frame_of(&whole, &offsets, 10)]).len() > frame_of(&whole, &offsets, 10).len());
    let salvaged = salvage_with_donor(&text, &damaged);
    assert_eq!((lost, salvaged.summary.omitted_total), (1, 1), "{:?}", salvaged.summary.omitted);
    assert!(salvaged.bytes == without_frames(&whole, &offsets, 10..11));
}

#[test]
fn frames_are_found_in_copies_without_some_frames_and_in_concatenated_copies() {
    let (whole, offsets) = log_with_line_ends(1_767_225_600_000, "accounts");
    let (other, _) = log_with_line_ends(1_767_000_000_000, "orders");
    let mut damaged = whole.clone();
    damaged[frame_of(&whole, &offsets, 30).start + 5..frame_of(&whole, &offsets, 32).start + 60].fill(b'#');
    let compacted = without_frames(&whole, &offsets, 5..8);
    let salvaged = salvage_with_donor(&damaged, &compacted);
    assert!(salvaged.bytes == whole, "a copy without earlier frames: {:?}", salvaged.summary.omitted);
    let salvaged = salvage_with_donor(&damaged, &[other.clone(), whole.clone()].concat());
    assert!(salvaged.bytes == whole, "a copy after another log: {:?}", salvaged.summary.omitted);
    let salvaged = salvage_with_donor(&without_frames(&damaged, &offsets, 5..8), &whole);
    assert!(salvaged.bytes == compacted, "a log without earlier frames: {:?}", salvaged.summary.omitted);
    // The file contains two logs, and the donor is one of them. The header of the second is omitted.
    let second = other.len();
    let mut both = [other, damaged].concat();
    let salvaged = salvage_with_donor(&both, &whole);
    let events = |bytes: &[u8]| frame_payloads(bytes).len();
    assert_eq!((events(&salvaged.bytes), salvaged.summary.damage_total), (200, 1), "{:?}", salvaged.summary.omitted);
    // No header of the donor is in the file, so nothing shows that the donor is a copy of a part of it.
    both[second + 12] ^= 1;
    let salvaged = salvage_with_donor(&both, &whole);
    assert_eq!(salvaged.summary.events_restored, 0, "{:?}", salvaged.summary.omitted);
}

#[test]
fn frames_at_other_offsets_are_taken_only_next_to_frames_that_the_donor_has_once() {
    let (whole, offsets) = log_with_line_ends(1_767_225_600_000, "accounts");
    let mut damaged = whole.clone();
    let lost = frame_of(&whole, &offsets, 30).start..frame_of(&whole, &offsets, 32).start;
    damaged[lost.clone()].fill(b'#');
    let compacted = without_frames(&whole, &offsets, 5..8);
    let restored = |donor: &[u8]| salvage_with_donor(&damaged, donor).summary.events_restored;
    assert_eq!(restored(&compacted), 2);
    let neighbour = |nth: usize| whole[frame_of(&whole, &offsets, nth)].to_vec();
    for nth in [29, 32] {
        let twice = [compacted.clone(), neighbour(nth)].concat();
        assert_eq!(restored(&twice), 0, "frame {nth} is there twice");
    }
    // The neighbours are there, and another number of bytes between them, whose checksums the log does not have.
    let at = lost.start - (offsets[8] - offsets[5]) as usize;
    let mut diverged = compacted.clone();
    diverged.splice(at..at, neighbour(70));
    assert_eq!(restored(&diverged), 0, "other frames between the neighbours");
}
