//! Tests of repairs and copies with a donor: options take precedence, the ranges of the donor are offered, and notes
//! give the reason where the donor is not used.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use chronicle::StorageError;
use chronicle::inspect::LogView;
use chronicle::internal::format::frame;
use chronicle::repair::{
    ApplyOptions, CandidateChoice, Certainty, CopyOptions, CopySummary, FindingSelector, Fix, Plan, RepairOptions,
    StepWrite, apply, recover, salvage,
};

use super::repairs::{action_names, log_paths, plan, plan_from_donor, undo};
use super::sim_disk::{DiskFault, SimDisk};
use super::support::{
    INDEX, LOG, disk_with_indexed_log, disk_with_log, finding_ranges, log_bytes, open_read_only, survey_log,
};

const DONOR: &str = "/data/donor.log";
const ENOSPC: i32 = 28;

fn plan_with_donor(disk: &SimDisk, repair_options: &RepairOptions) -> Result<Plan, StorageError> {
    plan_from_donor(disk, repair_options, Some(DONOR))
}

fn with_other_creation_time(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[15] ^= 1;
    bytes
}

/// Builds a log with two adjacent damaged frames that each have a likely fix, and its donor. Returns the disk, the
/// intact bytes, and the offsets of the two frames.
fn log_with_two_likely_fixes(donor: impl Fn(&[u8]) -> Vec<u8>) -> (SimDisk, Vec<u8>, u64, u64) {
    let (whole, offsets) = log_bytes(12);
    let mut bytes = whole.clone();
    for at in [offsets[4], offsets[5]] {
        bytes[at as usize + 100] ^= 0x14;
        bytes[at as usize + 101] ^= 0x05;
    }
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &donor(&whole))]);
    let without_donor = plan(&disk, &RepairOptions::new()).unwrap();
    let certainties: Vec<_> = without_donor.unrepaired.iter().map(|range| range.alternatives[0].certainty).collect();
    assert_eq!(certainties, [Some(Certainty::Likely); 2], "the test is about likely fixes");
    (disk, whole, offsets[4], offsets[5])
}

/// Returns action, start and new end of each step, and the starts of the findings left unrepaired.
fn plan_outline(plan: &Plan) -> (Vec<(&str, u64, u64)>, Vec<u64>) {
    let steps = plan.steps.iter().map(|step| (step.action.name(), step.start, step.new_end)).collect();
    (steps, plan.unrepaired.iter().map(|range| range.piece.start).collect())
}

/// Returns the action of each fix, and the choice that selects its first candidate.
fn offered_choices(fixes: &[Fix]) -> Vec<(&'static str, Option<CandidateChoice>)> {
    fixes.iter().map(|fix| (fix.action.name(), fix.choice)).collect()
}

fn refusal_reason(result: Result<Plan, StorageError>) -> String {
    match result {
        Err(StorageError::Refused { reason, .. }) => reason,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_donor_is_used_only_for_the_selected_findings() {
    let (disk, whole, a, b) = log_with_two_likely_fixes(<[u8]>::to_vec);
    let only = |at| RepairOptions::new().only(FindingSelector::Start(at));
    let except = |at| RepairOptions::new().except(FindingSelector::Start(at));
    let end = |at: u64| if at == a { b } else { b + (b - a) };
    for (options, repaired, unrepaired) in [(only(b), b, a), (except(b), a, b), (only(a), a, b), (except(a), b, a)] {
        let plan = plan_with_donor(&disk, &options).unwrap();
        assert_eq!(
            plan_outline(&plan),
            (vec![("take_from_donor", repaired, end(repaired))], vec![unrepaired]),
            "{options:?}"
        );
        assert_eq!(plan.steps[0].certainty, Some(Certainty::Proven));
        let disk = disk.next_process();
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        assert_eq!(finding_ranges(&survey_log(&disk)), [("checksum", unrepaired, end(unrepaired))]);
    }
    let all = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(
        plan_outline(&all),
        (vec![("take_from_donor", a, end(b))], vec![]),
        "adjacent ranges are copied in one step"
    );
    apply(&log_paths(&disk), &all, ApplyOptions::new()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);
}

#[test]
fn a_donor_of_certainty_choice_replaces_no_likely_fix_and_every_offer_has_a_number() {
    let (disk, _, a, b) = log_with_two_likely_fixes(with_other_creation_time);
    let accept = RepairOptions::new().accept_likely();
    let with = plan_with_donor(&disk, &accept).unwrap();
    assert_eq!(action_names(&with), ["correct_bits"; 2]);
    assert_eq!(with.steps[0].certainty, Some(Certainty::Likely));
    let undecided = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(plan_outline(&undecided), (vec![], vec![a, b]));
    for (range, at) in undecided.unrepaired.iter().zip([a, b]) {
        let offered = [
            ("correct_bits", Some(CandidateChoice::new(at, 1))),
            ("take_from_donor", Some(CandidateChoice::new(at, 2))),
        ];
        assert_eq!(offered_choices(&range.alternatives), offered);
        assert!(range.reason.contains(&format!("--choose {at}=N")), "{}", range.reason);
    }
    assert!(undecided.notes[0].contains("may not be a copy of this log"), "{:?}", undecided.notes);
    // Every printed choice is applied, and the other finding is left unrepaired.
    for (at, number, action) in
        [(a, 1, "correct_bits"), (a, 2, "take_from_donor"), (b, 1, "correct_bits"), (b, 2, "take_from_donor")]
    {
        let plan = plan_with_donor(&disk, &RepairOptions::new().choose(CandidateChoice::new(at, number))).unwrap();
        let other = if at == a { b } else { a };
        assert_eq!((action_names(&plan), plan.steps[0].start, plan.unrepaired.len()), (vec![action], at, 1));
        assert_eq!(plan.unrepaired[0].piece.start, other);
    }
    let both = plan_with_donor(
        &disk,
        &RepairOptions::new().choose(CandidateChoice::new(a, 1)).choose(CandidateChoice::new(b, 2)),
    )
    .unwrap();
    assert_eq!(action_names(&both), ["correct_bits", "take_from_donor"]);
    let with_gaps = RepairOptions::new().gap_undecided();
    assert_eq!(action_names(&plan_with_donor(&disk, &with_gaps).unwrap()), ["gap"]);
}

#[test]
fn a_choice_that_does_not_fit_the_findings_is_refused() {
    let (disk, _, a, b) = log_with_two_likely_fixes(with_other_creation_time);
    let with = |choices: &[(u64, usize)], except: &[u64], only: &[u64]| {
        let options = choices.iter().fold(RepairOptions::new(), |options, (start, number)| {
            options.choose(CandidateChoice::new(*start, *number))
        });
        let options = except.iter().fold(options, |options, start| options.except(FindingSelector::Start(*start)));
        let options = only.iter().fold(options, |options, start| options.only(FindingSelector::Start(*start)));
        refusal_reason(plan_with_donor(&disk, &options))
    };
    assert!(with(&[(a, 1), (b, 1), (a, 2)], &[], &[]).contains("only one of them"));
    assert!(with(&[(a, 1)], &[a], &[]).contains("not among those to be repaired"));
    assert!(with(&[(a, 1)], &[], &[b]).contains("not among those to be repaired"));
    assert!(with(&[(a, 3)], &[], &[]).contains("3 is not one of the 2 candidates"));
    assert!(with(&[(a, 0)], &[], &[]).contains("0 is not one of the 2 candidates"));
    assert!(with(&[(a + 1, 1)], &[], &[]).contains("no damage starts"));
}

#[test]
fn a_donor_frame_across_several_pieces_is_taken_whole_or_not_at_all() {
    let (whole, offsets) = log_bytes(12);
    let (a, b) = (offsets[4] as usize, offsets[5] as usize);
    let mut bytes = whole.clone();
    // Bytes that look like a short frame, followed by the rest of a longer one.
    let short = (b - a) as u32 / 2;
    bytes[a..a + 4].copy_from_slice(&(short - 8).to_be_bytes());
    bytes[a + short as usize - 5] = b'}';
    let next = a + short as usize;
    bytes[next..next + 5].copy_from_slice(&[0, 0, 0, 40, b'{']);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &with_other_creation_time(&whole))]);
    let pieces = finding_ranges(&survey_log(&disk));
    assert_eq!(pieces.iter().map(|piece| piece.1).collect::<Vec<_>>(), [a as u64, next as u64], "{pieces:?}");
    let undecided = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(plan_outline(&undecided), (vec![], vec![a as u64, next as u64]));
    assert_eq!(
        offered_choices(&undecided.unrepaired[0].alternatives).last(),
        Some(&("take_from_donor", Some(CandidateChoice::new(a as u64, 1))))
    );
    assert!(undecided.unrepaired[1].reason.contains("the damage before it"), "{}", undecided.unrepaired[1].reason);
    let chosen = plan_with_donor(&disk, &RepairOptions::new().choose(CandidateChoice::new(a as u64, 1))).unwrap();
    assert_eq!(plan_outline(&chosen), (vec![("take_from_donor", a as u64, b as u64)], vec![]));
    let except = RepairOptions::new().except(FindingSelector::Start(next as u64));
    let with_exception = plan_with_donor(&disk, &except).unwrap();
    assert_eq!(with_exception.unrepaired.len() + with_exception.steps.len(), 2);
    assert!(with_exception.steps.iter().all(|step| step.action.name() == "gap"), "{:?}", plan_outline(&with_exception));
    disk.put(DONOR, &whole);
    assert_eq!(action_names(&plan_with_donor(&disk, &RepairOptions::new()).unwrap()), ["take_from_donor"]);
}

#[test]
fn a_torn_tail_without_an_index_is_offered_from_the_donor_with_all_later_frames() {
    let (whole, offsets) = log_bytes(8);
    let cut = &whole[..offsets[5] as usize + 60];
    let disk = SimDisk::with_files(&[(LOG, cut), (DONOR, &whole)]);
    let undecided = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(plan_outline(&undecided), (vec![("set_aside_tail", offsets[5], offsets[5])], vec![]));
    let offered = [("take_from_donor", Some(CandidateChoice::new(offsets[5], 1)))];
    assert_eq!(offered_choices(&undecided.steps[0].alternatives), offered);
    assert_eq!(undecided.steps[0].alternatives[0].certainty, Some(Certainty::Choice));
    assert!(undecided.notes[0].contains("no frame after the range to compare"), "{:?}", undecided.notes);
    let with_gaps = RepairOptions::new().gap_undecided();
    assert_eq!(action_names(&plan_with_donor(&disk, &with_gaps).unwrap()), ["set_aside_tail"]);
    let chosen = plan_with_donor(&disk, &RepairOptions::new().choose(CandidateChoice::new(offsets[5], 1))).unwrap();
    assert_eq!((chosen.restored_events(), chosen.steps[0].new_end), (3, whole.len() as u64));
    apply(&log_paths(&disk), &chosen, ApplyOptions::new()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);

    let mut other = whole.clone();
    other[offsets[5] as usize + 30] ^= 1;
    other.truncate(cut.len());
    let disk = SimDisk::with_files(&[(LOG, &other), (DONOR, &whole)]);
    let notes = plan_with_donor(&disk, &RepairOptions::new()).unwrap().notes;
    assert!(notes[0].contains("end of the log differ"), "{notes:?}");
    let disk = SimDisk::with_files(&[(LOG, cut), (DONOR, &whole[..offsets[5] as usize + 90])]);
    let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(action_names(&plan), ["set_aside_tail"]);
    assert!(plan.notes[0].contains("nothing is taken from the donor"), "{:?}", plan.notes);
}

#[test]
fn a_donor_that_is_not_a_copy_is_noted_or_refused() {
    let (whole, offsets) = log_bytes(8);
    let mut bytes = whole.clone();
    bytes[offsets[3] as usize..offsets[4] as usize + 50].fill(b'#');
    let other = disk_with_log(3).0.get(LOG).unwrap();
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &with_other_creation_time(&other))]);
    let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(action_names(&plan), ["gap"]);
    assert!(plan.notes[0].contains("may not be a copy of this log"), "{:?}", plan.notes);
    assert!(plan.notes[1].starts_with(&format!("{}..", offsets[3])), "{:?}", plan.notes);
    assert!(refusal_reason(plan_from_donor(&disk, &RepairOptions::new(), Some(LOG))).contains("the log itself"));
    disk.put(DONOR, b"\0\0\0\x02{}");
    assert!(plan_with_donor(&disk, &RepairOptions::new()).is_err());
}

#[test]
fn frames_of_a_donor_after_the_end_of_the_log_are_noted() {
    let (whole, offsets) = log_bytes(8);
    let cut = &whole[..offsets[5] as usize];
    let disk = SimDisk::with_files(&[(LOG, cut), (DONOR, &whole)]);
    let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert!(plan.is_empty() && plan.unrepaired.is_empty());
    let bytes = whole.len() - cut.len();
    assert_eq!(plan.notes.len(), 1);
    assert!(plan.notes[0].contains(&format!("{bytes} bytes, 3 events")), "{:?}", plan.notes);
    for donor in [cut.to_vec(), with_other_creation_time(cut)] {
        disk.put(DONOR, &donor);
        let notes = plan_with_donor(&disk, &RepairOptions::new()).unwrap().notes;
        assert!(notes.iter().all(|note| !note.contains("continues")), "{notes:?}");
    }
}

/// Returns a valid frame with one letter of its event changed.
fn with_changed_event(frame: &[u8]) -> Vec<u8> {
    let payload = std::str::from_utf8(&frame[4..frame.len() - 4]).unwrap().replacen("accounts", "bccounts", 1);
    assert_ne!(payload.as_bytes(), &frame[4..frame.len() - 4]);
    let mut bytes = Vec::new();
    chronicle::internal::format::frame::encode(payload.as_bytes(), &mut bytes);
    bytes
}

#[test]
fn a_lost_end_from_a_donor_is_proven_by_the_last_indexed_frame_even_after_a_rebuild() {
    let (disk, offsets) = disk_with_indexed_log(8);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let cut = &whole[..offsets[5] as usize];
    for remaining in [offsets[5], offsets[5] - 30] {
        let disk = SimDisk::with_files(&[(LOG, &cut[..remaining as usize]), (INDEX, &index), (DONOR, &whole)]);
        assert_eq!(action_names(&plan_with_donor(&disk, &RepairOptions::new()).unwrap()), ["take_from_donor"]);
        let mut log = open_read_only(&disk);
        log.reindex_from(0).unwrap();
        log.save_index().unwrap();
        let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
        assert_eq!((action_names(&plan), plan.unrepaired.len()), (vec!["take_from_donor"], 0));
        // A donor with another last event of the same length is not proven.
        let mut other = whole.clone();
        let last = *offsets.last().unwrap() as usize;
        let frame = with_changed_event(&other[last..]);
        other.splice(last.., frame);
        disk.put(DONOR, &other);
        let choice = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
        assert!(choice.steps.is_empty() && choice.notes[0].contains("its last frame differs"), "{choice:?}");
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap_err();
        disk.put(DONOR, &whole);
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), whole);
        assert_eq!(finding_ranges(&survey_log(&disk)), []);
        disk.put(LOG, &cut[..remaining as usize]);
        disk.put(DONOR, &whole[..whole.len() - 1]);
        let notes = plan_with_donor(&disk, &RepairOptions::new()).unwrap().notes;
        assert!(notes[0].contains("it does not have the last frame that the index has seen"), "{notes:?}");
        assert!(notes.last().unwrap().contains("ends at 1479, 1 bytes before 1480"), "{notes:?}");
    }
}

fn salvage_with_donor(disk: &SimDisk, donor: &str) -> Result<CopySummary, StorageError> {
    let view = LogView::open(Arc::new(disk.clone()), Path::new(LOG), None)?;
    let options = CopyOptions::new("/data/new.log").donor(donor).replace();
    salvage(&view, &options, &mut |_| ControlFlow::Continue(()))
}

/// Changes bytes of a frame so that its checksum still matches: adds the generator polynomial of CRC-32 to its payload.
fn change_without_checksum(bytes: &mut [u8], frame: u64) {
    for (byte, polynomial) in bytes[frame as usize + 40..].iter_mut().zip(0x0001_DB71_0641_u64.to_le_bytes()) {
        *byte ^= polynomial;
    }
}

#[test]
fn repair_and_salvage_accept_and_refuse_the_same_donors() {
    let (whole, offsets) = log_bytes(9);
    let (start, end) = (offsets[3] as usize, offsets[5] as usize);
    let mut damaged = whole.clone();
    damaged[start + 5..offsets[4] as usize + 60].fill(b'#');
    let mut other_before = whole.clone();
    change_without_checksum(&mut other_before, offsets[2]);
    let mut other_after = whole.clone();
    change_without_checksum(&mut other_after, offsets[5]);
    // A valid frame that fills the range and holds no event.
    let mut no_event = Vec::new();
    frame::encode(&vec![b' '; end - start - 8], &mut no_event);
    let mut without_event = whole.clone();
    without_event.splice(start..end, no_event);
    for (donor, reason) in [
        (&whole, None),
        (&other_before, Some("its frame before the range differs")),
        (&other_after, Some("its frame after the range differs")),
        (&without_event, Some("it has a frame there that is not a valid event")),
    ] {
        let disk = SimDisk::with_files(&[(LOG, &damaged), (DONOR, donor)]);
        let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
        assert_eq!(action_names(&plan).contains(&"take_from_donor"), reason.is_none(), "{reason:?}: {:?}", plan.notes);
        assert!(reason.is_none_or(|reason| plan.notes[0].contains(reason)), "{reason:?}: {:?}", plan.notes);
        let copied = salvage_with_donor(&disk, DONOR).unwrap();
        assert_eq!(copied.events_restored, if reason.is_none() { 2 } else { 0 }, "{reason:?}");
        assert!(copied.omitted.iter().all(|omitted| omitted.donor_refusal == reason), "{:?}", copied.omitted);
    }
    let disk = SimDisk::with_files(&[(LOG, &damaged), (DONOR, b"\0\0\0\x02{}")]);
    for donor in [LOG, DONOR] {
        assert!(plan_from_donor(&disk, &RepairOptions::new(), Some(donor)).is_err(), "{donor}");
        assert!(salvage_with_donor(&disk, donor).is_err(), "{donor}");
    }
}

/// Overwrites the frames with these numbers with bytes that no fix restores.
fn overwrite(bytes: &mut [u8], offsets: &[u64], frames: Range<usize>) {
    bytes[offsets[frames.start] as usize + 2..offsets[frames.end] as usize - 2].fill(b'#');
}

/// Applies a plan, checks that the log then has no damage but gaps, and that the undo restores every byte. Returns the
/// log as it was repaired.
fn apply_and_undo(disk: &SimDisk, plan: &Plan) -> Vec<u8> {
    let before = disk.get(LOG).unwrap();
    let disk = disk.next_process();
    apply(&log_paths(&disk), plan, ApplyOptions::new().full_check()).unwrap();
    let repaired = disk.get(LOG).unwrap();
    assert!(survey_log(&disk).findings.iter().all(|finding| !finding.kind.is_damage()));
    undo(&disk).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), before);
    repaired
}

#[test]
fn a_gap_replaces_only_the_frames_that_no_donor_has() {
    let (whole, offsets) = log_bytes(30);
    let mut bytes = whole.clone();
    overwrite(&mut bytes, &offsets, 5..20);
    let mut damaged_donor = whole.clone();
    damaged_donor[offsets[12] as usize + 50] ^= 0xff;
    let mut fenced = damaged_donor.clone();
    let mut gap = Vec::new();
    frame::encode(&gap_payload((offsets[13] - offsets[12]) as usize - 8), &mut gap);
    fenced.splice(offsets[12] as usize..offsets[13] as usize, gap);
    for donor in [&damaged_donor, &fenced] {
        let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, donor)]);
        let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
        let steps = [
            ("take_from_donor", offsets[5], offsets[12]),
            ("gap", offsets[12], offsets[13]),
            ("take_from_donor", offsets[13], offsets[20]),
        ];
        assert_eq!(plan_outline(&plan), (steps.to_vec(), vec![]));
        assert_eq!((plan.restored_events(), plan.total_loss().at_most), (14, 1), "{:?}", plan.notes);
        let mut expected = apply_and_undo(&disk, &plan);
        expected[offsets[12] as usize..offsets[13] as usize]
            .copy_from_slice(&whole[offsets[12] as usize..offsets[13] as usize]);
        assert_eq!(expected, whole);
        let copied = salvage_with_donor(&disk, DONOR).unwrap();
        assert_eq!((copied.events_restored, copied.damage_total), (14, 1));
    }
}

#[test]
fn adjacent_steps_over_zeros_are_undone_and_recovered_separately() {
    let (whole, offsets) = log_bytes(30);
    let mut bytes = whole.clone();
    bytes[offsets[5] as usize..offsets[20] as usize].fill(0);
    let mut donor = whole;
    donor[offsets[12] as usize + 50] ^= 0xff;
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &donor)]);
    let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    assert_eq!(action_names(&plan), ["take_from_donor", "gap", "take_from_donor"]);
    let repaired = apply_and_undo(&disk, &plan);
    let calls = {
        let disk = disk.next_process();
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        disk.calls()
    };
    for call in 0..calls {
        for fault in [DiskFault::Kill, DiskFault::Error(ENOSPC)] {
            let failing = disk.next_process();
            failing.fail(call, fault);
            let _ = apply(&log_paths(&failing), &plan, ApplyOptions::new());
            let next = failing.next_process();
            recover(&log_paths(&next)).unwrap();
            let now = next.get(LOG).unwrap();
            assert!(now == bytes || now == repaired, "{fault:?} at call {call}");
        }
    }
}

/// Returns the payload of a gap with this number of bytes.
fn gap_payload(len: usize) -> Vec<u8> {
    let mut payload = br#"{"$gap":{}}"#.to_vec();
    payload.resize(len, b' ');
    payload
}

#[test]
fn frames_between_two_damaged_places_of_a_donor_are_only_a_choice() {
    let (whole, offsets) = log_bytes(30);
    let mut bytes = whole.clone();
    overwrite(&mut bytes, &offsets, 5..20);
    let mut donor = whole.clone();
    for nth in [9, 14] {
        donor[offsets[nth] as usize + 50] ^= 0xff;
    }
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &donor)]);
    let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
    let taken = |from: usize, to: usize| ("take_from_donor", offsets[from], offsets[to]);
    let gap = |at: usize| ("gap", offsets[at], offsets[at + 1]);
    assert_eq!(plan_outline(&plan), (vec![taken(5, 9), gap(9), gap(14), taken(15, 20)], vec![offsets[10]]));
    assert!(plan.notes.iter().any(|note| note.contains("damaged on both sides")), "{:?}", plan.notes);
    assert!(plan.unrepaired[0].reason.contains(&format!("--choose {}=1", offsets[5])), "{:?}", plan.unrepaired);
    let choice = RepairOptions::new().choose(CandidateChoice::new(offsets[5], 1));
    let chosen = plan_with_donor(&disk, &choice).unwrap();
    assert_eq!(plan_outline(&chosen).0, [taken(5, 9), gap(9), taken(10, 14), gap(14), taken(15, 20)]);
    let with_gaps = plan_with_donor(&disk, &RepairOptions::new().gap_undecided()).unwrap();
    assert_eq!(plan_outline(&with_gaps).0, [taken(5, 9), ("gap", offsets[9], offsets[15]), taken(15, 20)]);
    for plan in [&chosen, &with_gaps] {
        apply_and_undo(&disk, plan);
    }
}

#[test]
fn several_donors_complete_each_other_and_the_first_one_wins() {
    let (whole, offsets) = log_bytes(30);
    let mut bytes = whole.clone();
    overwrite(&mut bytes, &offsets, 5..20);
    let (mut one, mut two) = (whole.clone(), whole.clone());
    overwrite(&mut one, &offsets, 8..10);
    overwrite(&mut two, &offsets, 9..13);
    let second = "/data/second.log";
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &one), (second, &two)]);
    let options = RepairOptions::new().donor(DONOR).donor(second);
    let plan = plan_from_donor(&disk, &options, None).unwrap();
    let sources: Vec<_> = plan
        .steps
        .iter()
        .map(|step| match &step.write {
            StepWrite::CopyFrom { from } => (from.to_str().unwrap(), step.start),
            _ => ("gap", step.start),
        })
        .collect();
    assert_eq!(sources, [(DONOR, offsets[5]), (second, offsets[8]), ("gap", offsets[9]), (DONOR, offsets[10])]);
    let repaired = apply_and_undo(&disk, &plan);
    assert_eq!(repaired[..offsets[9] as usize], whole[..offsets[9] as usize]);
}

#[test]
fn an_older_copy_of_a_cut_log_is_proven_up_to_the_last_frame_that_the_index_has_recorded() {
    let (disk, offsets) = disk_with_indexed_log(300);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let log_end = whole.len() as u64;
    // The index has recorded the first event of each 16 KiB.
    let anchor = *offsets.iter().find(|offset| **offset >= 2 << 14).unwrap();
    let after_anchor = offsets[offsets.partition_point(|offset| *offset <= anchor)];
    let (cut, older) = (offsets[100], offsets[220]);
    assert!(cut < anchor && after_anchor < older);
    for cut in [cut, cut + 70, 16, 7, 0] {
        let files = [(LOG, &whole[..cut as usize]), (INDEX, &index), (DONOR, &whole[..older as usize])];
        let disk = SimDisk::with_files(&files);
        let start = if cut > 16 { offsets[100].min(cut) } else { cut };
        let plan = plan_with_donor(&disk, &RepairOptions::new()).unwrap();
        assert_eq!(plan_outline(&plan), (vec![("take_from_donor", start, after_anchor)], vec![after_anchor, older]));
        // A salvage takes the same frames, and only those.
        let taken = offsets.iter().filter(|at| (start..after_anchor).contains(at)).count() as u64;
        let copied = salvage_with_donor(&disk, DONOR).unwrap();
        assert_eq!(copied.events_restored, taken, "{:?}", copied.omitted);
        let reach = format!("ends at {older}, {} bytes before {log_end}", log_end - older);
        assert!(plan.notes.iter().any(|note| note.contains(&reach)), "{:?}", plan.notes);
        // The choice takes the rest of the copy, and a gap replaces only what it does not have.
        let choice = RepairOptions::new().choose(CandidateChoice::new(start, 1));
        let chosen = plan_with_donor(&disk, &choice).unwrap();
        assert_eq!(plan_outline(&chosen), (vec![("take_from_donor", start, log_end)], vec![]));
        assert_eq!((chosen.total_loss().at_least, chosen.total_loss().at_most), (80, 80));
        // The text in the gap describes the range of the step, of which the gap is a part.
        let StepWrite::Parts { description, .. } = &chosen.steps[0].write else { panic!("{:?}", chosen.steps) };
        assert!(description.ends_with(&format!("\"start\":{start},\"end\":{log_end}}}")), "{description}");
        let repaired = apply_and_undo(&disk, &chosen);
        assert_eq!(repaired[..older as usize], whole[..older as usize]);
        assert_eq!(repaired.len(), whole.len());
        // The rest of a log whose proven part was restored is still known to be lost.
        let disk = disk.next_process();
        apply(&log_paths(&disk), &plan, ApplyOptions::new()).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), whole[..after_anchor as usize]);
        assert_eq!(finding_ranges(&survey_log(&disk)), [("truncated", after_anchor, after_anchor)]);
        let forget = RepairOptions::new().forget_lost_end();
        let forgotten = plan_with_donor(&disk, &forget).unwrap();
        assert_eq!(forgotten.forgotten_index_end, Some(log_end));
    }
}

#[test]
fn a_frame_of_a_donor_that_is_not_the_recorded_one_is_never_taken() {
    let (disk, offsets) = disk_with_indexed_log(300);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let nth = offsets.partition_point(|offset| *offset < 1 << 14);
    let mut bytes = whole.clone();
    overwrite(&mut bytes, &offsets, nth - 3..nth + 3);
    let mut donor = whole.clone();
    let frame = offsets[nth] as usize..offsets[nth + 1] as usize;
    let other = with_changed_event(&whole[frame.clone()]);
    donor.splice(frame, other);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (INDEX, &index), (DONOR, &donor)]);
    let choice = RepairOptions::new().choose(CandidateChoice::new(offsets[nth - 3], 1));
    let plan = plan_with_donor(&disk, &choice).unwrap();
    let taken = |from: usize, to: usize| ("take_from_donor", offsets[from], offsets[to]);
    let steps = [taken(nth - 3, nth), ("gap", offsets[nth], offsets[nth + 1]), taken(nth + 1, nth + 3)];
    assert_eq!(plan_outline(&plan), (steps.to_vec(), vec![]));
    assert!(plan.steps.iter().all(|step| step.certainty != Some(Certainty::Proven)));
    assert!(plan.notes.iter().any(|note| note.contains("not the one that the index has recorded")), "{:?}", plan.notes);
}
