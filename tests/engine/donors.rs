//! Another copy of a log given to a repair: wishes come first, what it has is offered, and where it does not help that is
//! said.

use chronicle::StorageError;
use chronicle::repair::{ApplyOptions, Certainty, FindingSelector, Fix, Plan, RepairOptions, apply};

use super::repairs::{action_names, log_paths, plan, plan_from_donor};
use super::sim_disk::SimDisk;
use super::support::{INDEX, LOG, disk_with_log, finding_ranges, log_bytes, open_read_only, survey_log};

const DONOR: &str = "/data/donor.log";

fn plan_with_donor(disk: &SimDisk, repair_options: &RepairOptions) -> Result<Plan, StorageError> {
    plan_from_donor(disk, repair_options, Some(DONOR))
}

fn with_other_creation_time(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[15] ^= 1;
    bytes
}

/// A log with two adjacent frames that each have a likely fix of their own, a donor of it, and where the frames stand.
fn log_with_two_likely_fixes(donor: impl Fn(&[u8]) -> Vec<u8>) -> (SimDisk, Vec<u8>, u64, u64) {
    let (whole, offsets) = log_bytes(12);
    let mut bytes = whole.clone();
    for at in [offsets[4], offsets[5]] {
        bytes[at as usize + 100] ^= 0x14;
        bytes[at as usize + 101] ^= 0x05;
    }
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &donor(&whole))]);
    let alone = plan(&disk, &RepairOptions::default()).unwrap();
    let how: Vec<_> = alone.unrepaired.iter().map(|left| left.alternatives[0].certainty).collect();
    assert_eq!(how, [Some(Certainty::Likely); 2], "the test is about likely fixes");
    (disk, whole, offsets[4], offsets[5])
}

/// What the steps do, and where; and where something is left.
fn plan_outline(plan: &Plan) -> (Vec<(&str, u64, u64)>, Vec<u64>) {
    let steps = plan.steps.iter().map(|step| (step.action.name(), step.start, step.new_end)).collect();
    (steps, plan.unrepaired.iter().map(|left| left.piece.start).collect())
}

/// The choices a plan offers at a place: the action, and what takes its first candidate.
fn offered_choices(fixes: &[Fix]) -> Vec<(&'static str, Option<(u64, usize)>)> {
    fixes.iter().map(|fix| (fix.action.name(), fix.choice)).collect()
}

fn refusal_reason(answer: Result<Plan, StorageError>) -> String {
    match answer {
        Err(StorageError::Refused { reason: why, .. }) => why,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_donor_gives_what_was_wished_for_and_nothing_beside_it() {
    let (disk, whole, a, b) = log_with_two_likely_fixes(<[u8]>::to_vec);
    let only = |at| RepairOptions { only: vec![FindingSelector::Start(at)], ..RepairOptions::default() };
    let except = |at| RepairOptions { except: vec![FindingSelector::Start(at)], ..RepairOptions::default() };
    let end = |at: u64| if at == a { b } else { b + (b - a) };
    for (wishes, taken, left) in [(only(b), b, a), (except(b), a, b), (only(a), a, b), (except(a), b, a)] {
        let plan = plan_with_donor(&disk, &wishes).unwrap();
        assert_eq!(plan_outline(&plan), (vec![("take_from_donor", taken, end(taken))], vec![left]), "{wishes:?}");
        assert_eq!(plan.steps[0].certainty, Some(Certainty::Proven));
        let disk = disk.next_process();
        apply(&log_paths(&disk), &plan, ApplyOptions::default()).unwrap();
        assert_eq!(finding_ranges(&survey_log(&disk)), [("checksum", left, end(left))]);
    }
    let all = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert_eq!(plan_outline(&all), (vec![("take_from_donor", a, end(b))], vec![]), "what is taken of both is one step");
    apply(&log_paths(&disk), &all, ApplyOptions::default()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);
}

#[test]
fn a_choice_of_a_donor_makes_no_likely_fix_worse_and_every_offer_has_its_number() {
    let (disk, _, a, b) = log_with_two_likely_fixes(with_other_creation_time);
    let accept = RepairOptions { accept_likely: true, ..RepairOptions::default() };
    let with = plan_with_donor(&disk, &accept).unwrap();
    assert_eq!(action_names(&with), ["correct_bits"; 2]);
    assert_eq!(with.steps[0].certainty, Some(Certainty::Likely));
    let left = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert_eq!(plan_outline(&left), (vec![], vec![a, b]));
    for (left, at) in left.unrepaired.iter().zip([a, b]) {
        let offered = [("correct_bits", Some((at, 1))), ("take_from_donor", Some((at, 2)))];
        assert_eq!(offered_choices(&left.alternatives), offered);
        assert!(left.reason.contains(&format!("--choose {at}=N")), "{}", left.reason);
    }
    assert!(left.notes[0].contains("may not be a copy of this log"), "{:?}", left.notes);
    // What is printed is what is done, and at the other place nothing.
    for (at, number, action) in
        [(a, 1, "correct_bits"), (a, 2, "take_from_donor"), (b, 1, "correct_bits"), (b, 2, "take_from_donor")]
    {
        let plan =
            plan_with_donor(&disk, &RepairOptions { choices: vec![(at, number)], ..RepairOptions::default() }).unwrap();
        let other = if at == a { b } else { a };
        assert_eq!((action_names(&plan), plan.steps[0].start, plan.unrepaired.len()), (vec![action], at, 1));
        assert_eq!(plan.unrepaired[0].piece.start, other);
    }
    let both =
        plan_with_donor(&disk, &RepairOptions { choices: vec![(a, 1), (b, 2)], ..RepairOptions::default() }).unwrap();
    assert_eq!(action_names(&both), ["correct_bits", "take_from_donor"]);
    let fenced = RepairOptions { gap_undecided: true, ..RepairOptions::default() };
    assert_eq!(action_names(&plan_with_donor(&disk, &fenced).unwrap()), ["gap"]);
}

#[test]
fn a_choice_that_cannot_be_meant_is_refused() {
    let (disk, _, a, b) = log_with_two_likely_fixes(with_other_creation_time);
    let with = |choices: &[(u64, usize)], except: &[u64], only: &[u64]| {
        let of = |starts: &[u64]| starts.iter().map(|at| FindingSelector::Start(*at)).collect();
        let wishes =
            RepairOptions { choices: choices.to_vec(), except: of(except), only: of(only), ..RepairOptions::default() };
        refusal_reason(plan_with_donor(&disk, &wishes))
    };
    assert!(with(&[(a, 1), (b, 1), (a, 2)], &[], &[]).contains("only one of them"));
    assert!(with(&[(a, 1)], &[a], &[]).contains("not among those to be repaired"));
    assert!(with(&[(a, 1)], &[], &[b]).contains("not among those to be repaired"));
    assert!(with(&[(a, 3)], &[], &[]).contains("3 is not one of the 2 candidates"));
    assert!(with(&[(a, 0)], &[], &[]).contains("0 is not one of the 2 candidates"));
    assert!(with(&[(a + 1, 1)], &[], &[]).contains("no damage starts"));
}

#[test]
fn frames_of_a_donor_that_lie_across_pieces_are_taken_as_a_whole_or_not_at_all() {
    let (whole, offsets) = log_bytes(12);
    let (a, b) = (offsets[4] as usize, offsets[5] as usize);
    let mut bytes = whole.clone();
    // Something that looks like a short frame in front of what is left of a longer one.
    let short = (b - a) as u32 / 2;
    bytes[a..a + 4].copy_from_slice(&(short - 8).to_be_bytes());
    bytes[a + short as usize - 5] = b'}';
    let next = a + short as usize;
    bytes[next..next + 5].copy_from_slice(&[0, 0, 0, 40, b'{']);
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &with_other_creation_time(&whole))]);
    let pieces = finding_ranges(&survey_log(&disk));
    assert_eq!(pieces.iter().map(|piece| piece.1).collect::<Vec<_>>(), [a as u64, next as u64], "{pieces:?}");
    let left = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert_eq!(plan_outline(&left), (vec![], vec![a as u64, next as u64]));
    assert_eq!(
        offered_choices(&left.unrepaired[0].alternatives).last(),
        Some(&("take_from_donor", Some((a as u64, 1))))
    );
    assert!(left.unrepaired[1].reason.contains("the damage before it"), "{}", left.unrepaired[1].reason);
    let chosen =
        plan_with_donor(&disk, &RepairOptions { choices: vec![(a as u64, 1)], ..RepairOptions::default() }).unwrap();
    assert_eq!(plan_outline(&chosen), (vec![("take_from_donor", a as u64, b as u64)], vec![]));
    let except = RepairOptions { except: vec![FindingSelector::Start(next as u64)], ..RepairOptions::default() };
    let apart = plan_with_donor(&disk, &except).unwrap();
    assert_eq!(apart.unrepaired.len() + apart.steps.len(), 2);
    assert!(apart.steps.iter().all(|step| step.action.name() == "gap"), "{:?}", plan_outline(&apart));
    disk.put(DONOR, &whole);
    assert_eq!(action_names(&plan_with_donor(&disk, &RepairOptions::default()).unwrap()), ["take_from_donor"]);
}

#[test]
fn a_torn_end_without_an_index_is_offered_from_the_donor_with_all_that_follows() {
    let (whole, offsets) = log_bytes(8);
    let cut = &whole[..offsets[5] as usize + 60];
    let disk = SimDisk::with_files(&[(LOG, cut), (DONOR, &whole)]);
    let left = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert_eq!(plan_outline(&left), (vec![], vec![offsets[5]]));
    let offered = [("set_aside_tail", None), ("take_from_donor", Some((offsets[5], 1)))];
    assert_eq!(offered_choices(&left.unrepaired[0].alternatives), offered);
    assert_eq!(left.unrepaired[0].alternatives[1].certainty, Some(Certainty::Choice));
    assert!(left.notes[0].contains("no frame after the range to compare"), "{:?}", left.notes);
    let fenced = RepairOptions { gap_undecided: true, ..RepairOptions::default() };
    assert_eq!(action_names(&plan_with_donor(&disk, &fenced).unwrap()), ["set_aside_tail"]);
    let chosen =
        plan_with_donor(&disk, &RepairOptions { choices: vec![(offsets[5], 1)], ..RepairOptions::default() }).unwrap();
    assert_eq!((chosen.restored_events(), chosen.steps[0].new_end), (3, whole.len() as u64));
    apply(&log_paths(&disk), &chosen, ApplyOptions::default()).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), whole);

    let mut other = whole.clone();
    other[offsets[5] as usize + 30] ^= 1;
    other.truncate(cut.len());
    let disk = SimDisk::with_files(&[(LOG, &other), (DONOR, &whole)]);
    let told = plan_with_donor(&disk, &RepairOptions::default()).unwrap().notes;
    assert!(told[0].contains("unfinished frame differ"), "{told:?}");
    let disk = SimDisk::with_files(&[(LOG, cut), (DONOR, &whole[..offsets[5] as usize + 90])]);
    let plan = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert_eq!(action_names(&plan), ["set_aside_tail"]);
    assert!(plan.notes[0].contains("nothing is taken from the donor"), "{:?}", plan.notes);
}

#[test]
fn a_donor_that_is_no_copy_is_told_or_refused() {
    let (whole, offsets) = log_bytes(8);
    let mut bytes = whole.clone();
    bytes[offsets[3] as usize..offsets[4] as usize + 50].fill(b'#');
    let other = disk_with_log(3, false).0.get(LOG).unwrap();
    let disk = SimDisk::with_files(&[(LOG, &bytes), (DONOR, &with_other_creation_time(&other))]);
    let plan = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert_eq!(action_names(&plan), ["gap"]);
    assert!(plan.notes[0].contains("may not be a copy of this log"), "{:?}", plan.notes);
    assert!(plan.notes[1].starts_with(&format!("{}..", offsets[3])), "{:?}", plan.notes);
    assert!(refusal_reason(plan_from_donor(&disk, &RepairOptions::default(), Some(LOG))).contains("the log itself"));
    disk.put(DONOR, b"\0\0\0\x02{}");
    assert!(plan_with_donor(&disk, &RepairOptions::default()).is_err());
}

#[test]
fn what_a_donor_has_behind_the_end_of_a_log_is_told() {
    let (whole, offsets) = log_bytes(8);
    let cut = &whole[..offsets[5] as usize];
    let disk = SimDisk::with_files(&[(LOG, cut), (DONOR, &whole)]);
    let plan = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
    assert!(plan.is_empty() && plan.unrepaired.is_empty());
    let bytes = whole.len() - cut.len();
    assert_eq!(plan.notes.len(), 1);
    assert!(plan.notes[0].contains(&format!("{bytes} bytes, 3 events")), "{:?}", plan.notes);
    for donor in [cut.to_vec(), with_other_creation_time(cut)] {
        disk.put(DONOR, &donor);
        let notes = plan_with_donor(&disk, &RepairOptions::default()).unwrap().notes;
        assert!(notes.iter().all(|note| !note.contains("continues")), "{notes:?}");
    }
}

/// A frame with one letter of its event changed, and valid.
fn with_changed_event(frame: &[u8]) -> Vec<u8> {
    let payload = std::str::from_utf8(&frame[4..frame.len() - 4]).unwrap().replacen("accounts", "bccounts", 1);
    assert_ne!(payload.as_bytes(), &frame[4..frame.len() - 4]);
    let mut bytes = Vec::new();
    chronicle::internal::format::frame::encode(payload.as_bytes(), &mut bytes);
    bytes
}

#[test]
fn a_lost_end_is_proven_by_the_last_frame_that_was_seen_when_its_index_was_built_anew_too() {
    let (disk, offsets) = disk_with_log(8, true);
    let (whole, index) = (disk.get(LOG).unwrap(), disk.get(INDEX).unwrap());
    let cut = &whole[..offsets[5] as usize];
    for left in [offsets[5], offsets[5] - 30] {
        let disk = SimDisk::with_files(&[(LOG, &cut[..left as usize]), (INDEX, &index), (DONOR, &whole)]);
        assert_eq!(action_names(&plan_with_donor(&disk, &RepairOptions::default()).unwrap()), ["take_from_donor"]);
        let mut log = open_read_only(&disk);
        log.rebuild_index_from(0).unwrap();
        log.save_index().unwrap();
        let plan = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
        assert_eq!((action_names(&plan), plan.unrepaired.len()), (vec!["take_from_donor"], 0));
        // Another history that has a frame's end there is none.
        let mut other = whole.clone();
        let last = *offsets.last().unwrap() as usize;
        let frame = with_changed_event(&other[last..]);
        other.splice(last.., frame);
        disk.put(DONOR, &other);
        let choice = plan_with_donor(&disk, &RepairOptions::default()).unwrap();
        assert!(choice.steps.is_empty() && choice.notes[0].contains("its last frame differs"), "{choice:?}");
        apply(&log_paths(&disk), &plan, ApplyOptions::default()).unwrap_err();
        disk.put(DONOR, &whole);
        apply(&log_paths(&disk), &plan, ApplyOptions::default()).unwrap();
        assert_eq!(disk.get(LOG).unwrap(), whole);
        assert_eq!(finding_ranges(&survey_log(&disk)), []);
        disk.put(LOG, &cut[..left as usize]);
        disk.put(DONOR, &whole[..whole.len() - 1]);
        let told = plan_with_donor(&disk, &RepairOptions::default()).unwrap().notes;
        assert!(told[0].contains("nothing is taken from the donor: it ends before the end of the range"), "{told:?}");
    }
}
