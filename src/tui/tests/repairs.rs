//! Repairs on the screen: a plan is made without writing, shown, applied as shown, and undone.

use std::fs;
use std::ops::ControlFlow;

use super::{TestScreen, clean_log, damaged_log};
use crate::file::WriterPresence;
use crate::format::{DamageKind, Finding};
use crate::query::RowContent;
use crate::repair::{
    ByteChange, Candidate, CandidateChoice, Certainty, ChangesInLog, Fix, Plan, ProposedFix, RepairAction,
    RepairRecord, RepairState,
};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, Message, RequestFailure, Response};
use crate::tui::model::{Access, EscBehavior, PlanDialog, PlanFocus, PlanPreview, Tab};
use crate::tui::request::{PlanRequest, Request, WorkerKind};
use crate::tui::session_time::SessionTime;
use crate::tui::worker::{WorkerCache, handle_request};

impl TestScreen {
    /// Returns the topmost overlay when it is the dialog of a plan.
    pub(super) fn plan_dialog(&self) -> Option<&PlanDialog> {
        self.model.plan_dialog()
    }

    /// Returns the plan in the topmost dialog.
    pub(super) fn shown_plan(&self) -> Option<&PlanPreview> {
        Some(&self.plan_dialog()?.preview)
    }

    /// Closes the topmost dialog and returns its plan, with a path that is the same in every run.
    pub(super) fn take_shown_plan(&mut self) -> PlanPreview {
        let mut preview = self.shown_plan().unwrap().clone();
        preview.plan.log.path = "/logs/accounts.log".into();
        self.model.overlays.clear();
        preview
    }

    /// Delivers a plan as if it had just been requested.
    pub(super) fn deliver_plan(&mut self, preview: PlanPreview) {
        self.respond(WorkerKind::Write, Response::Planned(Box::new(preview)));
    }

    /// Presses a key, and returns its requests without handling them.
    pub(super) fn requests_of_key(&mut self, key: Key) -> Vec<Request> {
        self.send(Message::Drawn(SessionTime(self.clock)));
        self.clock += std::time::Duration::from_millis(10);
        self.press_unhandled(key);
        let effects = std::mem::take(&mut self.model.effects);
        effects
            .into_iter()
            .filter_map(|effect| if let Effect::Request { request, .. } = effect { Some(*request) } else { None })
            .collect()
    }
}

pub(super) fn damaged_screen() -> TestScreen {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen
}

/// Returns a finding whose fix has two candidates, neither of them proven.
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

/// Returns a repair history of a repair, its undo, and another repair.
pub(super) fn sample_records(plan: &Plan) -> Vec<RepairRecord> {
    let record = |number: u32, plan: Plan, undone_by| RepairRecord {
        number,
        journal: format!("/logs/accounts.log.repairs/{number:04}-repair.journal").into(),
        begun_ms: 1_795_165_200_000 + u64::from(number) * 60_000,
        state: RepairState::Applied,
        undone_by,
        in_log: ChangesInLog::All,
        plan,
    };
    let undo = Plan { undoes: Some(1), ..plan.clone() };
    vec![record(1, plan.clone(), Some(2)), record(2, undo, None), record(3, plan.clone(), None)]
}

#[test]
fn the_dialog_of_a_plan_opens_on_its_rows_and_writes_nothing() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e'), Key::Char('x')]);
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Rows);
    for text in ["Repair the damage at 646?", "total: 1 range", "accounts.log.repairs", "--only 646 --yes"] {
        screen.assert_shows(text);
    }
    // Enter shows the bytes, and the first Esc closes them.
    screen.press(&[Key::Enter, Key::Esc]);
    assert!(screen.shown_plan().is_some());
    screen.press(&[Key::Esc]);
    assert!(screen.model.overlays.is_empty());
    assert_eq!(fs::read(&screen.path).unwrap(), damaged_log());
    assert_eq!(fs::read_dir(screen.path.parent().unwrap()).unwrap().count(), 1, "the log has no other file next to it");
}

#[test]
fn neither_a_paste_nor_keys_typed_before_the_plan_was_drawn_confirm_it() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    let before = SessionTime(screen.clock);
    for key in [Key::Right, Key::Enter] {
        screen.send(Message::Key(key, before));
    }
    screen.send(Message::Drawn(before));
    for key in [Key::Right, Key::Enter] {
        screen.send(Message::Key(key, before));
    }
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Rows);
    screen.send(Message::Paste("\t\n\r".into()));
    assert!(screen.shown_plan().is_some());
    assert_eq!(fs::read(&screen.path).unwrap(), damaged_log());
}

#[test]
fn exactly_the_shown_plan_is_applied_and_esc_asks_it_to_stop() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    let shown = screen.shown_plan().unwrap().plan.clone();
    screen.press(&[Key::Right]);
    let requests = screen.requests_of_key(Key::Enter);
    let applied =
        requests.iter().find_map(|request| if let Request::Apply(plan) = request { Some(plan.as_ref()) } else { None });
    assert_eq!(applied, Some(&shown));
    assert_eq!(screen.model.job(WorkerKind::Write).map(|job| job.on_esc), Some(EscBehavior::AsksToStop));
    screen.press(&[Key::Esc]);
    assert!(screen.has_job(WorkerKind::Write), "the job runs until its response arrives");
    assert!(!screen.has_effect(|effect| matches!(effect, Effect::Cancel(WorkerKind::Write))));
    assert!(screen.has_effect(|effect| matches!(effect, Effect::AskToStop(WorkerKind::Write))));
    screen.assert_shows("Stopping: repairing");
    screen.respond(WorkerKind::Write, Response::Failed(RequestFailure::Cancelled));
    screen.assert_shows("Stopped before the first byte of the log was changed");
    assert!(!screen.has_job(WorkerKind::Write));
}

#[test]
fn a_repair_is_stopped_only_before_it_changes_the_log() {
    let (mut stopped, mut finished) = (0, 0);
    for reports in 0.. {
        let mut screen = damaged_screen();
        screen.press(&[Key::Char('X'), Key::Right]);
        let requests = screen.requests_of_key(Key::Enter);
        let request = requests.into_iter().find(|request| matches!(request, Request::Apply(_))).unwrap();
        let mut left = reports;
        let mut on_progress = |_| {
            left -= 1;
            if left < 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let applied = handle_request(&screen.shared, request, &mut WorkerCache::default(), &mut on_progress);
        let is_unchanged = fs::read(&screen.path).unwrap() == damaged_log();
        let is_stopping = left < 0;
        if is_stopping {
            screen.press(&[Key::Esc]);
        }
        match applied {
            Err(crate::StorageError::Cancelled) => {
                stopped += 1;
                assert!(is_unchanged, "after {reports} reports");
            }
            Ok(response) => {
                finished += 1;
                assert!(!is_unchanged, "after {reports} reports");
                screen.respond(WorkerKind::Write, response);
                assert_eq!(screen.shows("Esc did not stop it"), is_stopping, "{}", screen.screen_text());
                if !is_stopping {
                    break;
                }
            }
            Err(other) => panic!("after {reports} reports: {other}"),
        }
    }
    assert!(stopped > 3 && finished > 1, "{stopped} stopped, {finished} finished");
}

#[test]
fn a_plan_of_an_older_request_is_dropped() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    let preview = screen.take_shown_plan();
    let generation = screen.model.generations.advance(WorkerKind::Write);
    screen.model.generations.advance(WorkerKind::Write);
    let response = Response::Planned(Box::new(preview.clone()));
    screen.send(Message::Response { worker: WorkerKind::Write, generation, response });
    assert!(screen.model.overlays.is_empty());
    // A plan is not shown over another overlay either.
    screen.press(&[Key::Char('a')]);
    screen.deliver_plan(preview);
    assert!(screen.shown_plan().is_none());
}

#[test]
fn a_repaired_log_is_read_again_and_undo_restores_the_identical_bytes() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('r'), Key::Char('G')]);
    screen.press(&[Key::Char('X'), Key::Right, Key::Enter]);
    screen.assert_shows("Repair 1 done; u undoes it");
    assert!(screen.model.notice.as_ref().unwrap().text.contains("Index caught up"));
    assert!(screen.has_effect(|effect| matches!(effect, Effect::RestartScan)));
    assert_ne!(fs::read(&screen.path).unwrap(), damaged_log());
    screen.run_scan();
    assert_eq!(screen.model.scan.damage_count(), 0);
    assert_eq!(screen.model.repairs.records.len(), 1);

    // The details of a gap name the journal with the original bytes.
    let gap = screen.model.scan.findings.iter().find(|finding| finding.kind == DamageKind::Gap).unwrap().start;
    screen.press(&[Key::Char(':')]);
    screen.type_text(&gap.to_string());
    screen.press(&[Key::Enter]);
    assert!(matches!(screen.model.list.selected_row().unwrap().content, RowContent::Finding(_)));
    screen.assert_shows("original bytes in");

    screen.press(&[Key::Char('5'), Key::Char('u')]);
    assert_eq!(screen.shown_plan().unwrap().request, PlanRequest::Undo(Some(1)));
    screen.assert_shows("Undo repair 1?");
    screen.press(&[Key::Right, Key::Enter]);
    assert_eq!(fs::read(&screen.path).unwrap(), damaged_log());
    screen.assert_shows("undone by 2");
    screen.press(&[Key::Char('k'), Key::Char('j'), Key::Enter]);
    assert_eq!((screen.model.tab, screen.model.list.selected_offset()), (Tab::Events, 646));

    // Undoing an undo is a redo.
    screen.press(&[Key::Char('5'), Key::Char('g'), Key::Char('u')]);
    screen.assert_shows("Redo repair 1?");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("Repair 1 redone (recorded as 3)");
    assert_ne!(fs::read(&screen.path).unwrap(), damaged_log());
}

#[test]
fn candidates_are_chosen_by_number_and_decisions_are_kept() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e')]);
    let finding = screen.model.scan.findings[0].clone();
    let start = finding.start;
    screen.send_update(BackgroundUpdate::Finding(Box::new(ambiguous_fix(finding))));
    screen.press(&[Key::Char('x')]);
    let planned = |requests: Vec<Request>| {
        requests.into_iter().find_map(|request| match request {
            Request::Plan(PlanRequest::Repair { options, undecided }) => Some((options, undecided)),
            _ => None,
        })
    };
    assert!(planned(screen.requests_of_key(Key::Char('3'))).is_none(), "there is no third candidate");
    let (options, undecided) = planned(screen.requests_of_key(Key::Char('2'))).unwrap();
    assert_eq!(
        (options.damage_offset, options.choices.as_slice()),
        (Some(start), [CandidateChoice::new(start, 2)].as_slice())
    );
    // The dialog shows the decision at once. Until the plan arrives, there is nothing to confirm.
    let shown = screen.screen_text();
    assert!(shown.contains("2 [x]") && shown.contains(&format!("--choose {start}=2")), "{shown}");
    screen.press(&[Key::Right, Key::Enter]);
    screen.assert_shows("not ready yet");
    assert!(!screen.has_effect(
        |effect| matches!(effect, Effect::Request { request, .. } if matches!(**request, Request::Apply(_)))
    ));
    let plan = Plan { steps: Vec::new(), ..full_plan() };
    screen.deliver_plan(PlanPreview::new(PlanRequest::Repair { options, undecided }, plan));
    let shown = screen.screen_text();
    assert!(shown.contains("2 [x]") && shown.contains(&format!("--choose {start}=2")), "{shown}");
    // A plan without steps can only be closed.
    screen.press(&[Key::Right]);
    assert_eq!(screen.plan_dialog().unwrap().focus, PlanFocus::Cancel);
    screen.assert_shows("[> Close <]");
    let (options, undecided) = planned(screen.requests_of_key(Key::Char('l'))).unwrap();
    assert!(options.accept_likely && options.choices == [CandidateChoice::new(start, 2)]);
    screen.deliver_plan(PlanPreview::new(PlanRequest::Repair { options, undecided }, full_plan()));
    let (options, _) = planned(screen.requests_of_key(Key::Char('g'))).unwrap();
    assert!(options.gap_undecided && options.accept_likely);
}

#[test]
fn every_candidate_has_a_key() {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e')]);
    let mut proposed = ambiguous_fix(screen.model.scan.findings[0].clone());
    let start = proposed.finding.start;
    let fix = proposed.fix.as_mut().unwrap();
    fix.candidates = fix.candidates.iter().cycle().take(16).cloned().collect();
    screen.send_update(BackgroundUpdate::Finding(Box::new(proposed)));
    screen.press(&[Key::Char('x')]);
    let lines = screen.plan_dialog().unwrap().request().candidate_lines(start);
    for (nth, key) in (1..=16).zip("1234567890ABCDEF".chars()) {
        let changed = start + if nth % 2 == 1 { 40 } else { 52 };
        let expected = format!("{key} [ ] use candidate {nth} at {start}: 1 byte at offset {changed}, ");
        assert!(lines.iter().any(|line| line.starts_with(&expected)), "{expected}: {lines:?}");
    }
    let requests = screen.requests_of_key(Key::Char('F'));
    let is_chosen = requests.iter().any(|request| {
        matches!(request, Request::Plan(PlanRequest::Repair { options, .. }) if options.choices == [CandidateChoice::new(start, 16)])
    });
    assert!(is_chosen, "{requests:?}");
}

#[test]
fn the_recovery_of_a_killed_repair_is_reported() {
    for key in ['X', 'u'] {
        let mut screen = damaged_screen();
        screen.press(&[Key::Char('e'), Key::Char('x'), Key::Right, Key::Enter]);
        screen.assert_shows("Repair 1 done");
        let journal = screen.path.with_extension("log.repairs");
        let journal = fs::read_dir(journal).unwrap().next().unwrap().unwrap().path();
        if key == 'u' {
            // The undo is planned before the repair is made to look killed.
            screen.press(&[Key::Char('u')]);
        }
        // The last record of the journal marks the repair as done. Without that record the repair looks killed.
        let bytes = fs::read(&journal).unwrap();
        let last_record = bytes.windows(8).rposition(|window| window == br#"{"state""#).unwrap() - 4;
        fs::write(&journal, &bytes[..last_record]).unwrap();
        if key == 'u' {
            // The log holds no change of the repair, so the bytes that the undo expects are missing.
            fs::write(&screen.path, damaged_log()).unwrap();
        } else {
            screen.run_scan();
            screen.press(&[Key::Char('X')]);
        }
        screen.unhandled_effects.clear();
        screen.press(&[Key::Right, Key::Enter]);
        let notice = screen.model.notice.as_ref().unwrap().text.clone();
        assert!(notice.contains("epair 1 was interrupted"), "{notice}");
        if key == 'u' {
            assert_eq!(fs::read(&screen.path).unwrap(), damaged_log());
        } else {
            assert!(notice.contains("Repair 2 done"), "{notice}");
        }
        assert!(screen.has_effect(|effect| matches!(effect, Effect::RestartScan)), "{:?}", screen.unhandled_effects);
    }
}

pub(super) fn full_plan() -> Plan {
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('X')]);
    screen.take_shown_plan().plan
}

#[test]
fn a_disabled_repair_reports_its_reason() {
    let mut screen = damaged_screen();
    let assert_refused = |screen: &mut TestScreen, key, reason: &str| {
        screen.press(&[Key::Char(key)]);
        assert!(screen.model.overlays.is_empty(), "{key}");
        screen.assert_shows(reason);
    };
    assert_refused(&mut screen, 'x', "no damage is selected");
    assert_refused(&mut screen, 'u', "undo");
    screen.model.access = Access::ReadOnly;
    for key in ['x', 'X', 'u'] {
        assert_refused(&mut screen, key, "--read-only");
    }
    screen.model.access = Access::ReadWrite;
    for (writer, reason) in
        [(WriterPresence::HoldsLock(812), "lock, pid 812"), (WriterPresence::HasFileOpen(9), "open for writing, pid 9")]
    {
        screen.model.log_info.writer = writer;
        assert_refused(&mut screen, 'X', reason);
    }
    let mut screen = damaged_screen();
    screen.press(&[Key::Char('e')]);
    let unreadable = ProposedFix { finding: Finding::new(DamageKind::Unreadable, 4096..8192), fix: None };
    screen.send_update(BackgroundUpdate::Finding(Box::new(unreadable)));
    assert_refused(&mut screen, 'x', "the device cannot read 4096..8192");
    let mut screen = TestScreen::new(&clean_log(5), (120, 40));
    screen.run_scan();
    assert_refused(&mut screen, 'X', "the log has no damage");
    screen.press(&[Key::Char('5')]);
    screen.assert_shows("No repairs yet");
    screen.model.log_info.read_only_reason = Some("a log of version 0 is never written to".into());
    assert_refused(&mut screen, 'u', "never written to");
}
