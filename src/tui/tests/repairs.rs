//! Repairs on the screen: planned without writing, shown before anything is done, carried out as shown, taken back.

use std::fs;

use super::{Bench, clean, damaged};
use crate::file::Seen;
use crate::format::{Finding, Kind};
use crate::query::What;
use crate::repair::{Action, Candidate, Certainty, Change, Fix, Plan, Proposed, Record, RecordState};
use crate::tui::effect::{Ask, Effect, Lane};
use crate::tui::keys::Key;
use crate::tui::message::{Message, Moment, News, Told};
use crate::tui::model::{Access, Choice, Esc, Layer, Offer, Question, Tab, Then, Wanted};
use crate::tui::update;

impl Bench {
    /// The question that is open.
    pub(super) fn question(&self) -> Option<&Question> {
        match self.model.layers.last() {
            Some(Layer::Question(question)) => Some(question),
            _ => None,
        }
    }

    /// The plan that is shown.
    pub(super) fn offer(&self) -> Option<&Offer> {
        match &self.question()?.then {
            Then::Apply(offer) => Some(offer),
            _ => None,
        }
    }

    /// Takes the plan that is shown, about a log that has the same place in every run.
    pub(super) fn take_offer(&mut self) -> Offer {
        let mut offer = self.offer().unwrap().clone();
        offer.plan.log.path = "/logs/accounts.log".into();
        self.model.layers.clear();
        offer
    }

    /// Lets a plan come as if it had been asked for.
    pub(super) fn plan_comes(&mut self, offer: Offer) {
        let generation = self.model.generations.next(Lane::Write);
        self.send(Message::Answer(Lane::Write, generation, Told::Planned(Box::new(offer))));
    }

    /// A key whose wishes are not granted: what was asked for then.
    fn asks(&mut self, key: Key) -> Vec<Ask> {
        self.send(Message::Drawn(Moment(self.clock)));
        self.clock += std::time::Duration::from_millis(10);
        update::update(&mut self.model, Message::Key(key, Moment(self.clock)));
        let wishes = std::mem::take(&mut self.model.effects);
        wishes
            .into_iter()
            .filter_map(|wish| if let Effect::Ask(_, _, ask) = wish { Some(*ask) } else { None })
            .collect()
    }
}

fn bench() -> Bench {
    let mut bench = Bench::new(&damaged(), (120, 40));
    bench.scan();
    bench
}

/// Two ways in which the first finding may have come about.
pub(super) fn choice(finding: Finding) -> Proposed {
    let change = |offset, before, after| Change { offset, before: vec![before], after: vec![after] };
    let start = finding.start;
    let candidates = vec![
        Candidate { expected: 0.0312, changes: vec![change(start + 40, 0x23, 0x22)] },
        Candidate { expected: 0.4, changes: vec![change(start + 52, b'o', b'n'), change(start + 54, b'a', b'b')] },
    ];
    let fix = Fix {
        action: Action::CorrectBits,
        certainty: Some(Certainty::Choice),
        candidates,
        unsearched: None,
        choose: None,
    };
    Proposed { finding, fix: Some(fix) }
}

/// Entries of a medical record: a repair, and what took it back.
pub(super) fn history(plan: &Plan) -> Vec<Record> {
    let record = |number: u32, plan: Plan, undone_by| Record {
        number,
        journal: format!("/logs/accounts.log.repairs/{number:04}-repair.journal").into(),
        begun_ms: 1_795_165_200_000 + u64::from(number) * 60_000,
        state: RecordState::Applied,
        undone_by,
        plan,
    };
    let undo = Plan { undoes: Some(1), ..plan.clone() };
    vec![record(1, plan.clone(), Some(2)), record(2, undo, None), record(3, plan.clone(), None)]
}

#[test]
fn a_plan_opens_on_cancel_and_looking_at_it_writes_nothing() {
    let mut bench = bench();
    bench.press(&[Key::Char('e'), Key::Char('x')]);
    assert_eq!(bench.question().unwrap().choice, Choice::Cancel);
    let screen = bench.screen();
    for said in ["repair at 646?", "1 event restored", "accounts.log.repairs", "lock is held", "--only 646 --yes"] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    bench.press(&[Key::Enter]);
    assert!(bench.model.layers.is_empty());
    assert_eq!(fs::read(&bench.path).unwrap(), damaged());
    assert_eq!(fs::read_dir(bench.path.parent().unwrap()).unwrap().count(), 1, "nothing stands beside the log");
}

#[test]
fn neither_a_paste_nor_keys_typed_before_a_plan_was_drawn_agree_to_it() {
    let mut bench = bench();
    bench.press(&[Key::Char('X')]);
    let before = Moment(bench.clock);
    for key in [Key::Tab, Key::Enter] {
        bench.send(Message::Key(key, before));
    }
    bench.send(Message::Drawn(before));
    for key in [Key::Tab, Key::Enter] {
        bench.send(Message::Key(key, before));
    }
    assert_eq!(bench.question().unwrap().choice, Choice::Cancel);
    bench.send(Message::Paste("\t\n\r".into()));
    assert!(bench.offer().is_some());
    assert_eq!(fs::read(&bench.path).unwrap(), damaged());
}

#[test]
fn exactly_the_plan_that_was_shown_is_carried_out_and_not_stopped_half_way() {
    let mut bench = bench();
    bench.press(&[Key::Char('X')]);
    let shown = bench.offer().unwrap().plan.clone();
    bench.press(&[Key::Tab]);
    let asked = bench.asks(Key::Enter);
    let applied = asked.iter().find_map(|ask| if let Ask::Apply(plan) = ask { Some(plan.as_ref()) } else { None });
    assert_eq!(applied, Some(&shown));
    assert_eq!(bench.model.job(Lane::Write).map(|job| job.esc), Some(Esc::Waits));
    bench.press(&[Key::Esc]);
    assert!(bench.waits_for(Lane::Write), "and it stays the newest, so that its answer counts");
    assert!(!bench.wishes.iter().any(|wish| matches!(wish, Effect::Cancel(Lane::Write))));
}

#[test]
fn a_plan_that_was_asked_for_again_is_dropped_when_it_comes_late() {
    let mut bench = bench();
    bench.press(&[Key::Char('X')]);
    let offer = bench.take_offer();
    let late = bench.model.generations.next(Lane::Write);
    bench.model.generations.next(Lane::Write);
    bench.send(Message::Answer(Lane::Write, late, Told::Planned(Box::new(offer.clone()))));
    assert!(bench.model.layers.is_empty());
    // Nor is one shown over what somebody is typing in.
    bench.press(&[Key::Char('a')]);
    bench.plan_comes(offer);
    assert!(bench.offer().is_none());
}

#[test]
fn what_is_repaired_is_looked_at_anew_and_u_brings_back_the_identical_log() {
    let mut bench = bench();
    bench.press(&[Key::Char('r'), Key::Char('G')]);
    bench.press(&[Key::Char('X'), Key::Tab, Key::Enter]);
    let screen = bench.screen();
    assert!(screen.contains("repair 1 is done, u takes it back"), "{screen}");
    assert!(bench.model.notice.as_ref().unwrap().text.contains("index caught up"));
    assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::RestartScan)));
    assert_ne!(fs::read(&bench.path).unwrap(), damaged());
    bench.scan();
    assert_eq!(bench.model.scan.damaged(), 0);
    assert_eq!(bench.model.repairs.records.len(), 1);

    // The gap says where its bytes are kept.
    let gap = bench.model.scan.findings.iter().find(|finding| finding.kind == Kind::Gap).unwrap().start;
    bench.press(&[Key::Char(':')]);
    bench.type_in(&gap.to_string());
    bench.press(&[Key::Enter, Key::Char(']'), Key::Char(']')]);
    assert!(matches!(bench.model.list.current().unwrap().what, What::Finding(_)));
    assert!(bench.screen().contains("bytes kept in"), "{}", bench.screen());

    bench.press(&[Key::Char('5'), Key::Char('u')]);
    assert_eq!(bench.offer().unwrap().wanted, Wanted::Undo(Some(1)));
    assert!(bench.screen().contains("undo repair 1?"));
    bench.press(&[Key::Tab, Key::Enter]);
    assert_eq!(fs::read(&bench.path).unwrap(), damaged());
    assert!(bench.screen().contains("undone by 2"), "{}", bench.screen());
    bench.press(&[Key::Char('k'), Key::Char('j'), Key::Enter]);
    assert_eq!((bench.model.tab, bench.model.list.offset()), (Tab::Events, 646));
}

#[test]
fn candidates_are_chosen_by_their_number_and_what_was_decided_stays_decided() {
    let mut bench = bench();
    bench.press(&[Key::Char('e')]);
    let finding = bench.model.scan.findings[0].clone();
    let start = finding.start;
    bench.send(Message::News(News::Found(Box::new(choice(finding)))));
    bench.press(&[Key::Char('x')]);
    let planned = |asked: Vec<Ask>| {
        asked.into_iter().find_map(|ask| match ask {
            Ask::Plan(Wanted::Repair { wishes, undecided }) => Some((wishes, undecided)),
            _ => None,
        })
    };
    assert!(planned(bench.asks(Key::Char('3'))).is_none(), "there is no third");
    let (wishes, undecided) = planned(bench.asks(Key::Char('2'))).unwrap();
    assert_eq!((wishes.at, wishes.choices.as_slice()), (Some(start), [(start, 2)].as_slice()));
    // The plan that no longer holds is gone, and keys that are typed meanwhile do nothing to what lies behind.
    assert_eq!(bench.question().unwrap().then, Then::Plan);
    let (tab, wishes_before) = (bench.model.tab, bench.wishes.len());
    for key in [Key::Char('1'), Key::Char('g'), Key::Enter, Key::Tab, Key::Enter] {
        bench.press(&[key]);
    }
    assert_eq!((bench.model.tab, bench.wishes.len()), (tab, wishes_before));
    assert_eq!(bench.question().unwrap().then, Then::Plan);
    let plan = Plan { steps: Vec::new(), ..shown_everything() };
    bench.plan_comes(Offer::new(Wanted::Repair { wishes, undecided }, plan));
    let question = bench.question().unwrap();
    assert!(question.lines.iter().any(|line| line.starts_with("2 [x]")), "{:?}", question.lines);
    assert!(question.lines.iter().any(|line| line.contains(&format!("--choose {start}=2"))), "{:?}", question.lines);
    // A plan that does nothing can only be closed.
    bench.press(&[Key::Tab]);
    assert_eq!(bench.question().unwrap().choice, Choice::Cancel);
    assert!(bench.screen().contains("[> Close <]"));
    let (wishes, undecided) = planned(bench.asks(Key::Char('l'))).unwrap();
    assert!(wishes.accept_likely && wishes.choices == [(start, 2)]);
    bench.plan_comes(Offer::new(Wanted::Repair { wishes, undecided }, shown_everything()));
    let (wishes, _) = planned(bench.asks(Key::Char('g'))).unwrap();
    assert!(wishes.fence_undecided && wishes.accept_likely);
}

#[test]
fn every_candidate_that_is_offered_has_a_key() {
    let mut bench = bench();
    bench.press(&[Key::Char('e')]);
    let mut proposed = choice(bench.model.scan.findings[0].clone());
    let start = proposed.finding.start;
    let fix = proposed.fix.as_mut().unwrap();
    fix.candidates = fix.candidates.iter().cycle().take(16).cloned().collect();
    bench.send(Message::News(News::Found(Box::new(proposed))));
    bench.press(&[Key::Char('x')]);
    let lines = bench.question().unwrap().lines.clone();
    for (nth, key) in (1..=16).zip("1234567890ABCDEF".chars()) {
        let changed = start + if nth % 2 == 1 { 40 } else { 52 };
        let line = format!("{key} [ ] take candidate {nth} at {start}: 1 byte at offset {changed}, ");
        assert!(lines.iter().any(|said| said.starts_with(&line)), "{line}: {lines:?}");
    }
    let asked = bench.asks(Key::Char('F'));
    let chosen = asked
        .iter()
        .any(|ask| matches!(ask, Ask::Plan(Wanted::Repair { wishes, .. }) if wishes.choices == [(start, 16)]));
    assert!(chosen, "{asked:?}");
}

#[test]
fn a_killed_repair_that_another_one_ends_first_is_told() {
    for key in ['X', 'u'] {
        let mut bench = bench();
        bench.press(&[Key::Char('e'), Key::Char('x'), Key::Tab, Key::Enter]);
        assert!(bench.screen().contains("repair 1 is done"), "{}", bench.screen());
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
            fs::write(&bench.path, damaged()).unwrap();
        } else {
            bench.scan();
            bench.press(&[Key::Char('X')]);
        }
        bench.wishes.clear();
        bench.press(&[Key::Tab, Key::Enter]);
        let told = bench.model.notice.as_ref().unwrap().text.clone();
        let ended = "repair 1 was killed before it was done";
        let did = if key == 'u' { "taken back" } else { "repair 2 is done" };
        assert!(told.contains(ended) && told.contains(did), "{told}");
        assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::RestartScan)), "{:?}", bench.wishes);
    }
}

fn shown_everything() -> Plan {
    let mut bench = bench();
    bench.press(&[Key::Char('X')]);
    bench.take_offer().plan
}

#[test]
fn a_repair_that_cannot_be_made_says_why() {
    let mut bench = bench();
    let refused = |bench: &mut Bench, key, why: &str| {
        bench.press(&[Key::Char(key)]);
        assert!(bench.model.layers.is_empty() && bench.screen().contains(why), "{key}: {}", bench.screen());
    };
    refused(&mut bench, 'x', "no damage is under the cursor");
    refused(&mut bench, 'u', "undo");
    bench.model.access = Access::ReadOnly;
    for key in ['x', 'X', 'u'] {
        refused(&mut bench, key, "--read-only");
    }
    bench.model.access = Access::ReadWrite;
    for (seen, why) in [(Seen::Lock(812), "lock, pid 812"), (Seen::Open(9), "open for writing, pid 9")] {
        bench.model.facts.writer = seen;
        refused(&mut bench, 'X', why);
    }
    let mut bench = self::bench();
    bench.press(&[Key::Char('e')]);
    let unreadable = Proposed { finding: Finding::new(Kind::Unreadable, 4096..8192), fix: None };
    bench.send(Message::News(News::Found(Box::new(unreadable))));
    refused(&mut bench, 'x', "the device refuses to read 4096..8192");
    let mut bench = Bench::new(&clean(5), (120, 40));
    bench.scan();
    refused(&mut bench, 'X', "nothing is damaged");
    bench.press(&[Key::Char('5')]);
    assert!(bench.screen().contains("this log was never repaired"), "{}", bench.screen());
    bench.model.facts.closed = Some("a log of version 0 is never written to".into());
    refused(&mut bench, 'u', "never written to");
}

#[test]
fn a_plan_longer_than_the_screen_scrolls_to_its_end_and_no_further() {
    let mut bench = bench();
    bench.resize(60, 10);
    bench.press(&[Key::Char('X')]);
    assert!(bench.screen().contains("j: "), "{}", bench.screen());
    bench.press(&[Key::PageDown; 9]);
    let screen = bench.screen();
    assert!(screen.contains("--yes") && screen.contains("k: back") && screen.contains("[> Cancel <]"), "{screen}");
    bench.press(&[Key::Char('k')]);
    assert!(bench.screen().contains("j: 1 more"), "{}", bench.screen());
    bench.press(&[Key::Home]);
    assert_eq!(bench.question().unwrap().top, 0);
    bench.press(&[Key::End]);
    assert!(bench.screen().contains("--yes") && bench.screen().contains("k: back"), "{}", bench.screen());
}

#[test]
fn a_plan_that_cannot_be_seen_is_not_agreed_to() {
    let mut bench = bench();
    let bytes = fs::read(&bench.path).unwrap();
    bench.press(&[Key::Char('X')]);
    bench.resize(20, 5);
    bench.press(&[Key::Tab]);
    assert_eq!(bench.question().unwrap().choice, Choice::Cancel);
    assert!(bench.screen().contains("enlarge"), "{}", bench.screen());
    bench.press(&[Key::Enter]);
    assert_eq!(fs::read(&bench.path).unwrap(), bytes);
}
