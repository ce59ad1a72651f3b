//! A log of which much was only verified earlier: what the screen says of that, and how it learns of damage there.

use super::*;
use crate::log::EventLog;

/// A screen over a log whose index has seen all of it, damaged since; the scan has read what it has to.
fn earlier() -> (Bench, usize) {
    let bytes = clean(60);
    let at = starts(&bytes)[20];
    let mut bench = Bench::new(&bytes, (120, 30));
    EventLog::open_read_only(&bench.path).unwrap().save_index().unwrap();
    let mut bytes = bytes;
    bytes[at + 40] ^= 1;
    let end = bytes.len() as u64;
    fs::write(&bench.path, bytes).unwrap();
    bench.look();
    for news in [News::Scanned { from: 0, at: 16, end }, News::Scanned { from: end, at: end, end }, News::ScanDone] {
        bench.send(Message::News(news));
    }
    (bench, at)
}

impl Bench {
    /// Where the scan was told to look, and what it tells of that.
    fn look_where_told(&mut self) -> Vec<std::ops::Range<u64>> {
        let told: Vec<_> = std::mem::take(&mut self.wishes)
            .into_iter()
            .filter_map(|wish| if let Effect::LookAt(range) = wish { Some(range) } else { None })
            .collect();
        let view = self.shared.view();
        for range in &told {
            let wish = Wish { from: Some(range.start), until: Some(range.end), ..Wish::default() };
            let seen = survey(&view, &wish, None, &mut |_| ControlFlow::Continue(())).unwrap();
            for finding in seen.findings {
                let mut proposer = Proposer::new(&view).unwrap();
                let decided = proposer.push(&finding).unwrap();
                for found in decided.into_iter().chain(proposer.finish()) {
                    self.send(Message::News(News::Found(Box::new(found))));
                }
            }
        }
        told
    }

    fn says(&self, text: &str) -> bool {
        self.screen().contains(text)
    }
}

#[test]
fn where_much_was_only_verified_earlier_the_screen_does_not_call_it_sound() {
    let (mut bench, _) = earlier();
    assert!(bench.says("no damage found; verified earlier on 20"), "{}", bench.screen());
    bench.press(&[Key::Char('e')]);
    assert!(bench.says("none found behind this place; verified earlier, on 20"), "{}", bench.screen());
    bench.press(&[Key::Char('3')]);
    assert!(bench.says("none found; verified earlier, on 20"), "{}", bench.screen());
    assert!(bench.says("and not read since ") && bench.says(":scan go reads it"), "{}", bench.screen());
    // A plan reads the whole log.
    bench.press(&[Key::Char('X')]);
    assert!(bench.says("correct_bits") || bench.says("one bit"), "{}", bench.screen());
    bench.press(&[Key::Esc, Key::Char(':')]);
    bench.type_in("scan go");
    bench.press(&[Key::Enter]);
    assert_eq!(bench.model.scan.state, ScanState::Running);
    assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::StartScan)));
    // Once all is read it is sound, or it is not.
    bench.scan();
    assert!(bench.says("× 1 damaged") && !bench.says("so far"), "{}", bench.screen());
}

#[test]
fn damage_that_a_page_meets_is_told_to_the_scan_once() {
    let (mut bench, at) = earlier();
    bench.wishes.clear();
    bench.press(&[Key::Char('f')]);
    bench.type_in("is:damaged");
    bench.press(&[Key::Enter]);
    let told = bench.look_where_told();
    assert_eq!(told.iter().map(|range| range.start).collect::<Vec<_>>(), [at as u64]);
    assert!(bench.says("× 1 damaged so far"), "{}", bench.screen());
    assert!(bench.says("Findings 1"), "{}", bench.screen());
    bench.press(&[Key::Backspace, Key::Char('g'), Key::Char('e')]);
    assert_eq!(bench.model.list.offset(), at as u64);
    bench.press(&[Key::Char('G'), Key::Char('g')]);
    assert!(bench.look_where_told().is_empty(), "it is known");
    assert_eq!(bench.model.scan.damaged(), 1);
}

#[test]
fn what_was_rebuilt_from_here_was_read_just_now() {
    let (mut bench, at) = earlier();
    bench.press(&[Key::Char('R')]);
    bench.press(&[Key::Right, Key::Enter]);
    assert!(bench.wishes.iter().any(|wish| matches!(wish, Effect::RestartScan)), "{}", bench.screen());
    bench.look();
    let end = bench.model.facts.bytes;
    bench.send(Message::News(News::Rescan(0)));
    bench.send(Message::News(News::Scanned { from: end, at: end, end }));
    bench.send(Message::News(News::ScanDone));
    assert!(bench.model.left_out().is_none());
    assert!(!bench.screen().lines().nth(1).unwrap().split(" ▬ ").next().unwrap().contains('▬'), "{}", bench.screen());
    // What the rebuilding has met is told: the scan did not read it.
    assert_eq!(bench.model.scan.damage_after(0).map(|finding| finding.start), Some(at as u64));
    assert!(bench.says("× 1 damaged") && !bench.says("so far"), "{}", bench.screen());
}

#[test]
fn a_log_that_lost_its_end_counts_the_events_that_are_there() {
    let bytes = clean(60);
    let mut bench = Bench::new(&bytes, (120, 30));
    EventLog::open_read_only(&bench.path).unwrap().save_index().unwrap();
    fs::write(&bench.path, &bytes[..starts(&bytes)[50] + 7]).unwrap();
    bench.look();
    assert!(bench.says("events not counted"), "{}", bench.screen());
    let view = bench.shared.view();
    let seen = survey(&view, &Wish::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
    let finding = seen.findings[0].clone();
    bench.send(Message::News(News::Found(Box::new(crate::repair::Proposed { finding, fix: None }))));
    assert!(bench.says("50 events"), "{}", bench.screen());
}
