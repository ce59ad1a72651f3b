//! Tests of valid frames that are not those that the index, or a donor, has in their place: the checksum of a frame does not
//! depend on its position, so only these show that a block of other bytes was written over events.

use std::ops::ControlFlow;

use chronicle::repair::{ApplyOptions, CopyOptions, Plan, RepairOptions, apply, salvage};

use super::repairs::{damaged_log, log_paths, plan, plan_from_donor, undo};
use super::sim_disk::SimDisk;
use super::support::{
    INDEX, LOG, append_frame, disk_with_indexed_log, frame_payloads, open_read_only, open_view, readable_offsets,
    survey_log,
};

const DONOR: &str = "/data/donor.log";

fn is_noted(plan: &Plan) -> bool {
    plan.notes.iter().any(|note| note.contains("that the index has not recorded"))
}

/// Returns the log of 60 events with `len` bytes at `to` replaced by those at `from`.
fn with_stale_block(whole: &[u8], from: usize, to: usize, len: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes.copy_within(from..from + len, to);
    bytes
}

#[test]
fn events_that_a_stale_block_replaced_are_counted_as_lost() {
    let (disk, offsets) = disk_with_indexed_log(60);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let mut replaced = 0;
    for (from, to, len) in
        [(1024, 6144, 1024), (512, 4096, 2048), (7000, 3001, 700), (16, 5060, 4096), (2000, 2512, 3000)]
    {
        let case = format!("{len} bytes from {from} at {to}");
        let bytes = with_stale_block(&whole, from, to, len);
        let disk = SimDisk::with_files(&[(LOG, &bytes), (INDEX, &index)]);
        let is_whole = |at: &&u64| {
            let start = **at as usize;
            let end = offsets.iter().find(|next| *next > *at).map_or(whole.len(), |next| *next as usize);
            bytes[start..end] == whole[start..end]
        };
        let lost = (offsets.len() - offsets.iter().filter(is_whole).count()) as u64;
        let plan = plan(&disk, &RepairOptions::new().gap_undecided()).unwrap();
        let total = plan.total_loss();
        assert_eq!((total.at_least, total.at_most), (lost, lost), "{case}: {:?}", plan.notes);
        assert!(is_noted(&plan), "{case}: {:?}", plan.notes);
        replaced += plan.replaced_loss.at_most;
        // Without the index, nothing shows which events the block replaced.
        let alone = SimDisk::with_files(&[(LOG, &bytes)]);
        assert!(!is_noted(&super::repairs::plan(&alone, &RepairOptions::new()).unwrap()), "{case}");
        // A plan that allows no loss is refused, and one that allows it can be applied and undone.
        let strict = RepairOptions::new().gap_undecided().max_lost_events(lost - 1);
        assert!(super::repairs::plan(&disk, &strict).is_err(), "{case}");
        apply(&log_paths(&disk), &plan, ApplyOptions::new().full_check()).unwrap();
        undo(&disk).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), bytes, "{case}");
    }
    assert!(replaced > 10, "{replaced} events are at offsets inside of valid frames");
}

#[test]
fn a_cell_of_the_index_whose_first_frame_is_another_one_is_compared() {
    let (disk, offsets) = disk_with_indexed_log(300);
    let whole = disk.get(LOG).unwrap();
    let len = |nth: usize| (offsets[nth + 1] - offsets[nth]) as usize;
    // The second cell of the index starts with this frame. Another frame of the same length replaces it.
    let nth = offsets.partition_point(|at| *at < 16 << 10);
    let other = (0..250).find(|other| len(*other) == len(nth) && other % 3 != nth % 3).unwrap();
    let bytes = with_stale_block(&whole, offsets[other] as usize, offsets[nth] as usize, len(nth));
    disk.overwrite(LOG, &bytes);
    assert_eq!(survey_log(&disk).damage_total, 0, "every checksum matches");
    let plan = plan(&disk, &RepairOptions::new()).unwrap();
    assert!(plan.steps.is_empty() && is_noted(&plan), "{plan:?}");
    assert_eq!((plan.replaced_loss.at_least, plan.replaced_loss.aggregates.len()), (1, 1));
    let note = format!("{}..{}: ", offsets[nth], offsets[nth + 1]);
    assert!(plan.notes[0].starts_with(&note), "{:?}", plan.notes);
}

#[test]
fn one_frame_over_several_recorded_events_lists_each_aggregate_once() {
    let (disk, offsets) = disk_with_indexed_log(60);
    let mut bytes = disk.get(LOG).unwrap();
    let hidden = offsets[10] as usize..offsets[17] as usize;
    let event = String::from_utf8(frame_payloads(&bytes).remove(11)).unwrap();
    let padding = " ".repeat(hidden.len() - event.len() - 8);
    let mut frame = Vec::new();
    append_frame(&mut frame, 1, &format!("{{{padding}{}", &event[1..]));
    bytes[hidden].copy_from_slice(&frame);
    bytes[offsets[20] as usize + 60] ^= 0x55;
    disk.overwrite(LOG, &bytes);
    let plan = plan(&disk, &RepairOptions::new().gap_undecided()).unwrap();
    let counted =
        plan.notes.iter().any(|note| note.contains("1 valid frame that") && note.contains("7 events of 3 aggregates"));
    assert!(counted, "{:?}", plan.notes);
    assert_eq!((plan.replaced_loss.at_most, &plan.replaced_loss.aggregates[..]), (7, &[1, 2, 3][..]));
}

#[test]
fn frames_that_a_repair_wrote_or_left_are_the_recorded_ones() {
    let (disk, _) = damaged_log();
    let check = |when: &str| {
        let noted = plan(&disk, &RepairOptions::new()).unwrap();
        assert!(!is_noted(&noted) && noted.replaced_loss.is_zero(), "{when}: {:?}", noted.notes);
    };
    check("before the repair");
    let repair = plan(&disk, &RepairOptions::new().gap_undecided()).unwrap();
    apply(&log_paths(&disk), &repair, ApplyOptions::new()).unwrap();
    check("after the repair");
    open_read_only(&disk).save_index().unwrap();
    check("after the index was caught up");
    undo(&disk).unwrap();
    check("after the undo");
    open_read_only(&disk).save_index().unwrap();
    check("after the index was saved over the damage");
    let repair = plan(&disk, &RepairOptions::new()).unwrap();
    apply(&log_paths(&disk), &repair, ApplyOptions::new()).unwrap();
    check("after a repair of frames that the index does not have");
    // A frame that was damaged when the index was built, and whose bytes are back, is not known to the index.
    let (disk, offsets) = disk_with_indexed_log(12);
    let whole = disk.get(LOG).unwrap();
    let damaged_at = |frame: usize| {
        let mut bytes = whole.clone();
        bytes[offsets[frame] as usize + 40..offsets[frame] as usize + 90].fill(b'#');
        bytes
    };
    disk.put(LOG, &damaged_at(3));
    disk.put(INDEX, b"");
    open_read_only(&disk).save_index().unwrap();
    disk.overwrite(LOG, &damaged_at(5));
    let noted = plan(&disk, &RepairOptions::new()).unwrap();
    assert!(!is_noted(&noted) && noted.steps.len() == 1, "{noted:?}");
}

#[test]
fn a_frame_that_replaces_another_one_in_an_intact_cell_of_the_index_is_seen_with_a_donor() {
    let (disk, offsets) = disk_with_indexed_log(60);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let mut event = String::from_utf8(frame_payloads(&whole).remove(10)).unwrap();
    event = event.replacen("accounts", "accountz", 1);
    let mut frame = Vec::new();
    append_frame(&mut frame, 1, &event);
    let replaced = offsets[10]..offsets[11];
    let mut bytes = whole.clone();
    bytes[replaced.start as usize..replaced.end as usize].copy_from_slice(&frame);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (INDEX, &index), (DONOR, &whole)]);
    assert_eq!(survey_log(&disk).damage_total, 0);
    assert_eq!(plan(&disk, &RepairOptions::new()).unwrap().notes, Vec::<String>::new());
    let note = format!("{}..{}: the log has 1 valid frame where {DONOR} has", replaced.start, replaced.end);
    let planned = plan_from_donor(&disk, &RepairOptions::new(), Some(DONOR)).unwrap().notes;
    let salvaged = salvage_notes(&disk);
    for notes in [planned, salvaged] {
        assert!(notes.len() == 1 && notes[0].starts_with(&note), "{notes:?}");
    }
}

fn salvage_notes(disk: &SimDisk) -> Vec<String> {
    let options = CopyOptions::new("/data/new.log").donor(DONOR).replace();
    salvage(&open_view(disk).unwrap(), &options, &mut |_| ControlFlow::Continue(())).unwrap().notes
}

#[test]
fn frames_that_differ_from_those_of_a_donor_are_noted() {
    let (disk, offsets) = disk_with_indexed_log(60);
    let whole = disk.get(LOG).unwrap();
    let note_of = |log: &[u8], donor: &[u8]| {
        let disk = SimDisk::with_files(&[(LOG, log), (DONOR, donor)]);
        let before = readable_offsets(&disk);
        let plan = plan_from_donor(&disk, &RepairOptions::new(), Some(DONOR)).unwrap();
        assert_eq!(readable_offsets(&disk), before);
        let compared = plan.notes.iter().filter(|note| note.contains("has other valid frames"));
        assert_eq!(salvage_notes(&disk), compared.cloned().collect::<Vec<String>>());
        plan.notes.into_iter().find(|note| note.contains("has other valid frames"))
    };
    let stale = with_stale_block(&whole, 1024, 6144, 1024);
    let frames = {
        let disk = SimDisk::with_files(&[(LOG, &stale)]);
        readable_offsets(&disk).into_iter().filter(|at| !offsets.contains(at)).count()
    };
    let noted = note_of(&stale, &whole).unwrap();
    assert!(noted.contains(&format!("the log has {frames} valid frames")), "{noted}");
    let noted = note_of(&whole, &stale).unwrap();
    assert!(noted.contains("valid frames where /data/donor.log has other valid frames"), "{noted}");
    // Frames that only one of the copies has are no contradiction.
    let mut damaged = whole.clone();
    damaged[offsets[5] as usize + 50..offsets[8] as usize + 9].fill(b'#');
    assert_eq!(note_of(&damaged, &whole), None);
    assert_eq!(note_of(&whole, &damaged), None);
    assert_eq!(note_of(&whole, &whole[..offsets[30] as usize]), None);
    let mut damaged_later = whole.clone();
    damaged_later[offsets[20] as usize + 50..offsets[23] as usize + 9].fill(b'#');
    assert_eq!(note_of(&damaged, &damaged_later), None);
    assert_eq!(note_of(&damaged_later, &damaged), None);
}
