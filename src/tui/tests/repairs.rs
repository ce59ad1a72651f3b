//! Repairs on the screen: planned without writing, shown before anything is done, carried out as shown, taken back.

use std::fs;

use super::{TestScreen, clean_log, damaged_log};
use crate::file::WriterPresence;
use crate::format::{DamageKind, Finding};
use crate::query::RowContent;
use crate::repair::{
    ByteChange, Candidate, Certainty, Fix, Plan, ProposedFix, RepairAction, RepairRecord, RepairState,
};
use crate::tui::effect::{Effect, Request, WorkerKind};
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, Message, Response, SessionTime};
use crate::tui::model::{
    Access, ConfirmDialog, ConfirmedAction, DialogButton, EscBehavior, Overlay, PlanPreview, PlanRequest, Tab,
};
use crate::tui::update;

impl TestScreen {
    /// The question that is open.
    pub(super) fn question(&self) -> Option<&ConfirmDialog> {
        match self.model.overlays.last() {
            Some(Overlay::Confirm(question)) => Some(question),
            _ => None,
        }
    }

    /// The plan that is shown.
    pub(super) fn shown_plan(&self) -> Option<&PlanPreview> {
        match &self.question()?.on_confirm {
            ConfirmedAction::ApplyPlan(offer) => Some(offer),
            _ => None,
        }
    }

    /// Takes the plan that is shown, about a log that has the same place in every run.
    pub(super) fn take_shown_plan(&mut self) -> PlanPreview {
        let mut offer = self.shown_plan().unwrap().clone();
        offer.plan.log.path = "/logs/accounts.log".into();
        self.model.overlays.clear();
        offer
    }

    /// Lets a plan come as if it had been asked for.
    pub(super) fn deliver_plan(&mut self, offer: PlanPreview) {
        let generation = self.model.generations.advance(WorkerKind::Write);
        self.send(Message::Response(WorkerKind::Write, generation, Response::Planned(Box::new(offer))));
    }

    /// A key whose wishes are not granted: what was asked for then.
    fn requests_of_key(&mut self, key: Key) -> Vec<Request> {
        self.send(Message::Drawn(SessionTime(self.clock)));
        self.clock += std::time::Duration::from_millis(10);
        update::update(&mut self.model, Message::Key(key, SessionTime(self.clock)));
        let wishes = std::mem::take(&mut self.model.effects);
        wishes
            .into_iter()
            .filter_map(|wish| if let Effect::Request(_, _, ask) = wish { Some(*ask) } else { None })
            .collect()
    }
}

fn damaged_screen() -> TestScreen {
    let mut bench = TestScreen::new(&damaged_log(), (120, 40));
    bench.run_scan();
    bench
}

/// Two ways in which the first finding may have come about.
pub(super) fn ambiguous_fix(finding: Finding) -> ProposedFix {
    let change = |offset, before, after| ByteChange { offset, before: vec![before], after: vec![after] };
    let start = finding.start;
    let candidates = vec![
        Candidate { expected_false_positives: 0.0312, changes: vec![change(start + 40, 0x23, 0x22)] },
        Candidate {
            expected_false_positives: 0.4,
            changes: vec![change(start + 52, b'o', b'n'), change(start + 54, b'a', b'b')],
        },
    ];
    let fix = Fix {
        action: RepairAction::CorrectBits,
        certainty: Some(Certainty::Choice),
        candidates,
        unsearched: None,
        choice: None,
    };
    ProposedFix { finding, fix: Some(fix) }
}

/// Entries of a medical record: a repair, and what took it back.
pub(super) fn sample_records(plan: &Plan) -> Vec<RepairRecord> {
    let record = |number: u32, plan: Plan, undone_by| RepairRecord {
        number,
        journal: format!("/logs/accounts.log.repairs/{number:04}-repair.journal").into(),
        begun_ms: 1_795_165_200_000 + u64::from(number) * 60_000,
        state: RepairState::Applied,
        undone_by,
        plan,
    };
    let undo = Plan { undoes: Some(1), ..plan.clone() };
    vec![record(1, plan.clone(), Some(2)), record(2, undo, None), record(3, plan.clone(), None)]
}

#[test]
fn a_plan_opens_on_cancel_and_looking_at_it_writes_nothing() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e'), Key::Char('x')]);
    assert_eq!(bench.question().unwrap().selected, DialogButton::Cancel);
    let screen = bench.screen_text();
    for said in ["repair at 646?", "1 event restored", "accounts.log.repairs", "lock is held", "--only 646 --yes"] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    bench.press(&[Key::Enter]);
    assert!(bench.model.overlays.is_empty());
    assert_eq!(fs::read(&bench.path).unwrap(), damaged_log());
    assert_eq!(fs::read_dir(bench.path.parent().unwrap()).unwrap().count(), 1, "nothing stands beside the log");
}

#[test]
fn neither_a_paste_nor_keys_typed_before_a_plan_was_drawn_agree_to_it() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('X')]);
    let before = SessionTime(bench.clock);
    for key in [Key::Tab, Key::Enter] {
        bench.send(Message::Key(key, before));
    }
    bench.send(Message::Drawn(before));
    for key in [Key::Tab, Key::Enter] {
        bench.send(Message::Key(key, before));
    }
    assert_eq!(bench.question().unwrap().selected, DialogButton::Cancel);
    bench.send(Message::Paste("\t\n\r".into()));
    assert!(bench.shown_plan().is_some());
    assert_eq!(fs::read(&bench.path).unwrap(), damaged_log());
}

#[test]
fn exactly_the_plan_that_was_shown_is_carried_out_and_not_stopped_half_way() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('X')]);
    let shown = bench.shown_plan().unwrap().plan.clone();
    bench.press(&[Key::Tab]);
    let asked = bench.requests_of_key(Key::Enter);
    let applied = asked.iter().find_map(|ask| if let Request::Apply(plan) = ask { Some(plan.as_ref()) } else { None });
    assert_eq!(applied, Some(&shown));
    assert_eq!(bench.model.job(WorkerKind::Write).map(|job| job.on_esc), Some(EscBehavior::Ignored));
    bench.press(&[Key::Esc]);
    assert!(bench.is_waiting_for(WorkerKind::Write), "and it stays the newest, so that its answer counts");
    assert!(!bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::Cancel(WorkerKind::Write))));
}

#[test]
fn a_plan_that_was_asked_for_again_is_dropped_when_it_comes_late() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('X')]);
    let offer = bench.take_shown_plan();
    let late = bench.model.generations.advance(WorkerKind::Write);
    bench.model.generations.advance(WorkerKind::Write);
    bench.send(Message::Response(WorkerKind::Write, late, Response::Planned(Box::new(offer.clone()))));
    assert!(bench.model.overlays.is_empty());
    // Nor is one shown over what somebody is typing in.
    bench.press(&[Key::Char('a')]);
    bench.deliver_plan(offer);
    assert!(bench.shown_plan().is_none());
}

#[test]
fn what_is_repaired_is_looked_at_anew_and_u_brings_back_the_identical_log() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('r'), Key::Char('G')]);
    bench.press(&[Key::Char('X'), Key::Tab, Key::Enter]);
    let screen = bench.screen_text();
    assert!(screen.contains("repair 1 is done, u takes it back"), "{screen}");
    assert!(bench.model.notice.as_ref().unwrap().text.contains("index caught up"));
    assert!(bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::RestartScan)));
    assert_ne!(fs::read(&bench.path).unwrap(), damaged_log());
    bench.run_scan();
    assert_eq!(bench.model.scan.damage_count(), 0);
    assert_eq!(bench.model.repairs.records.len(), 1);

    // The gap says where its bytes are kept.
    let gap = bench.model.scan.findings.iter().find(|finding| finding.kind == DamageKind::Gap).unwrap().start;
    bench.press(&[Key::Char(':')]);
    bench.type_text(&gap.to_string());
    bench.press(&[Key::Enter, Key::Char(']'), Key::Char(']')]);
    assert!(matches!(bench.model.list.selected_row().unwrap().content, RowContent::Finding(_)));
    assert!(bench.screen_text().contains("original bytes in"), "{}", bench.screen_text());

    bench.press(&[Key::Char('5'), Key::Char('u')]);
    assert_eq!(bench.shown_plan().unwrap().request, PlanRequest::Undo(Some(1)));
    assert!(bench.screen_text().contains("undo repair 1?"));
    bench.press(&[Key::Tab, Key::Enter]);
    assert_eq!(fs::read(&bench.path).unwrap(), damaged_log());
    assert!(bench.screen_text().contains("undone by 2"), "{}", bench.screen_text());
    bench.press(&[Key::Char('k'), Key::Char('j'), Key::Enter]);
    assert_eq!((bench.model.tab, bench.model.list.selected_offset()), (Tab::Events, 646));
}

#[test]
fn candidates_are_chosen_by_their_number_and_what_was_decided_stays_decided() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e')]);
    let finding = bench.model.scan.findings[0].clone();
    let start = finding.start;
    bench.send(Message::Background(BackgroundUpdate::Finding(Box::new(ambiguous_fix(finding)))));
    bench.press(&[Key::Char('x')]);
    let planned = |asked: Vec<Request>| {
        asked.into_iter().find_map(|ask| match ask {
            Request::Plan(PlanRequest::Repair { options: wishes, undecided }) => Some((wishes, undecided)),
            _ => None,
        })
    };
    assert!(planned(bench.requests_of_key(Key::Char('3'))).is_none(), "there is no third");
    let (wishes, undecided) = planned(bench.requests_of_key(Key::Char('2'))).unwrap();
    assert_eq!((wishes.damage_offset, wishes.choices.as_slice()), (Some(start), [(start, 2)].as_slice()));
    // The plan that no longer holds is gone, and keys that are typed meanwhile do nothing to what lies behind.
    assert_eq!(bench.question().unwrap().on_confirm, ConfirmedAction::AwaitPlan);
    let (tab, wishes_before) = (bench.model.tab, bench.unhandled_effects.len());
    for key in [Key::Char('1'), Key::Char('g'), Key::Enter, Key::Tab, Key::Enter] {
        bench.press(&[key]);
    }
    assert_eq!((bench.model.tab, bench.unhandled_effects.len()), (tab, wishes_before));
    assert_eq!(bench.question().unwrap().on_confirm, ConfirmedAction::AwaitPlan);
    let plan = Plan { steps: Vec::new(), ..full_plan() };
    bench.deliver_plan(PlanPreview::new(PlanRequest::Repair { options: wishes, undecided }, plan));
    let question = bench.question().unwrap();
    assert!(question.lines.iter().any(|line| line.starts_with("2 [x]")), "{:?}", question.lines);
    assert!(question.lines.iter().any(|line| line.contains(&format!("--choose {start}=2"))), "{:?}", question.lines);
    // A plan that does nothing can only be closed.
    bench.press(&[Key::Tab]);
    assert_eq!(bench.question().unwrap().selected, DialogButton::Cancel);
    assert!(bench.screen_text().contains("[> Close <]"));
    let (wishes, undecided) = planned(bench.requests_of_key(Key::Char('l'))).unwrap();
    assert!(wishes.accept_likely && wishes.choices == [(start, 2)]);
    bench.deliver_plan(PlanPreview::new(PlanRequest::Repair { options: wishes, undecided }, full_plan()));
    let (wishes, _) = planned(bench.requests_of_key(Key::Char('g'))).unwrap();
    assert!(wishes.gap_undecided && wishes.accept_likely);
}

#[test]
fn every_candidate_that_is_offered_has_a_key() {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('e')]);
    let mut proposed = ambiguous_fix(bench.model.scan.findings[0].clone());
    let start = proposed.finding.start;
    let fix = proposed.fix.as_mut().unwrap();
    fix.candidates = fix.candidates.iter().cycle().take(16).cloned().collect();
    bench.send(Message::Background(BackgroundUpdate::Finding(Box::new(proposed))));
    bench.press(&[Key::Char('x')]);
    let lines = bench.question().unwrap().lines.clone();
    for (nth, key) in (1..=16).zip("1234567890ABCDEF".chars()) {
        let changed = start + if nth % 2 == 1 { 40 } else { 52 };
        let line = format!("{key} [ ] take candidate {nth} at {start}: 1 byte at offset {changed}, ");
        assert!(lines.iter().any(|said| said.starts_with(&line)), "{line}: {lines:?}");
    }
    let asked = bench.requests_of_key(Key::Char('F'));
    let chosen = asked.iter().any(
        |ask| matches!(ask, Request::Plan(PlanRequest::Repair { options, .. }) if options.choices == [(start, 16)]),
    );
    assert!(chosen, "{asked:?}");
}

#[test]
fn a_killed_repair_that_another_one_ends_first_is_told() {
    for key in ['X', 'u'] {
        let mut bench = damaged_screen();
        bench.press(&[Key::Char('e'), Key::Char('x'), Key::Tab, Key::Enter]);
        assert!(bench.screen_text().contains("repair 1 is done"), "{}", bench.screen_text());
        let journal = bench.path.with_extension("log.repairs");
        let journal = fs::read_dir(journal).unwrap().next().unwrap().unwrap().path();
        if key == 'u' {
            // Planned, and killed meanwhile.
            bench.press(&[Key::Char('u')]);
        }
        // The last that a journal says is that the repair is done.
        let bytes = fs::read(&journal).unwrap();
        let done = bytes.windows(8).rposition(|window| window == br#"{"state""#).unwrap() - 4;
        fs::write(&journal, &bytes[..done]).unwrap();
        if key == 'u' {
            // None of it stands in the log: the plan to undo it rests on bytes that are not there.
            fs::write(&bench.path, damaged_log()).unwrap();
        } else {
            bench.run_scan();
            bench.press(&[Key::Char('X')]);
        }
        bench.unhandled_effects.clear();
        bench.press(&[Key::Tab, Key::Enter]);
        let told = bench.model.notice.as_ref().unwrap().text.clone();
        let ended = "repair 1 was killed before it was done";
        let did = if key == 'u' { "taken back" } else { "repair 2 is done" };
        assert!(told.contains(ended) && told.contains(did), "{told}");
        assert!(
            bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::RestartScan)),
            "{:?}",
            bench.unhandled_effects
        );
    }
}

fn full_plan() -> Plan {
    let mut bench = damaged_screen();
    bench.press(&[Key::Char('X')]);
    bench.take_shown_plan().plan
}

#[test]
fn a_repair_that_cannot_be_made_says_why() {
    let mut bench = damaged_screen();
    let refused = |bench: &mut TestScreen, key, why: &str| {
        bench.press(&[Key::Char(key)]);
        assert!(bench.model.overlays.is_empty() && bench.screen_text().contains(why), "{key}: {}", bench.screen_text());
    };
    refused(&mut bench, 'x', "no damage is under the cursor");
    refused(&mut bench, 'u', "undo");
    bench.model.access = Access::ReadOnly;
    for key in ['x', 'X', 'u'] {
        refused(&mut bench, key, "--read-only");
    }
    bench.model.access = Access::ReadWrite;
    for (seen, why) in
        [(WriterPresence::HoldsLock(812), "lock, pid 812"), (WriterPresence::HasFileOpen(9), "open for writing, pid 9")]
    {
        bench.model.log_info.writer = seen;
        refused(&mut bench, 'X', why);
    }
    let mut bench = self::damaged_screen();
    bench.press(&[Key::Char('e')]);
    let unreadable = ProposedFix { finding: Finding::new(DamageKind::Unreadable, 4096..8192), fix: None };
    bench.send(Message::Background(BackgroundUpdate::Finding(Box::new(unreadable))));
    refused(&mut bench, 'x', "the device refuses to read 4096..8192");
    let mut bench = TestScreen::new(&clean_log(5), (120, 40));
    bench.run_scan();
    refused(&mut bench, 'X', "nothing is damaged");
    bench.press(&[Key::Char('5')]);
    assert!(bench.screen_text().contains("this log was never repaired"), "{}", bench.screen_text());
    bench.model.log_info.read_only_reason = Some("a log of version 0 is never written to".into());
    refused(&mut bench, 'u', "never written to");
}

#[test]
fn a_plan_longer_than_the_screen_scrolls_to_its_end_and_no_further() {
    let mut bench = damaged_screen();
    bench.resize(60, 10);
    bench.press(&[Key::Char('X')]);
    assert!(bench.screen_text().contains("j: "), "{}", bench.screen_text());
    bench.press(&[Key::PageDown; 9]);
    let screen = bench.screen_text();
    assert!(screen.contains("--yes") && screen.contains("k: back") && screen.contains("[> Cancel <]"), "{screen}");
    bench.press(&[Key::Char('k')]);
    assert!(bench.screen_text().contains("j: 1 more"), "{}", bench.screen_text());
    bench.press(&[Key::Home]);
    assert_eq!(bench.question().unwrap().top, 0);
    bench.press(&[Key::End]);
    assert!(
        bench.screen_text().contains("--yes") && bench.screen_text().contains("k: back"),
        "{}",
        bench.screen_text()
    );
}

#[test]
fn a_plan_that_cannot_be_seen_is_not_agreed_to() {
    let mut bench = damaged_screen();
    let bytes = fs::read(&bench.path).unwrap();
    bench.press(&[Key::Char('X')]);
    bench.resize(20, 5);
    bench.press(&[Key::Tab]);
    assert_eq!(bench.question().unwrap().selected, DialogButton::Cancel);
    assert!(bench.screen_text().contains("enlarge"), "{}", bench.screen_text());
    bench.press(&[Key::Enter]);
    assert_eq!(fs::read(&bench.path).unwrap(), bytes);
}
