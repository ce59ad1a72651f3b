//! A log of which much was only verified earlier: what the screen says of that, and how it learns of damage there.

use super::*;
use crate::log::EventLog;

/// A screen over a log whose index has seen all of it, damaged since; the scan has read what it has to.
fn verified_earlier_screen() -> (TestScreen, usize) {
    let bytes = clean_log(60);
    let at = frame_starts(&bytes)[20];
    let mut bench = TestScreen::new(&bytes, (120, 30));
    EventLog::open_read_only(&bench.path).unwrap().save_index().unwrap();
    let mut bytes = bytes;
    bytes[at + 40] ^= 1;
    let end = bytes.len() as u64;
    fs::write(&bench.path, bytes).unwrap();
    bench.poll_log();
    for news in [
        BackgroundUpdate::ScanProgress { from: 0, at: 16, end },
        BackgroundUpdate::ScanProgress { from: end, at: end, end },
        BackgroundUpdate::ScanDone,
    ] {
        bench.send(Message::Background(news));
    }
    (bench, at)
}

impl TestScreen {
    /// Where the scan was told to look, and what it tells of that.
    fn scan_requested_ranges(&mut self) -> Vec<std::ops::Range<u64>> {
        let told: Vec<_> = std::mem::take(&mut self.unhandled_effects)
            .into_iter()
            .filter_map(|wish| if let Effect::RescanRange(range) = wish { Some(range) } else { None })
            .collect();
        let view = self.shared.view();
        for range in &told {
            let wish = SurveyOptions { from: Some(range.start), until: Some(range.end), ..SurveyOptions::default() };
            let seen = survey(&view, &wish, None, &mut |_| ControlFlow::Continue(())).unwrap();
            for finding in seen.findings {
                let mut proposer = FixFinder::new(&view).unwrap();
                let decided = proposer.push(&finding).unwrap();
                for found in decided.into_iter().chain(proposer.finish()) {
                    self.send(Message::Background(BackgroundUpdate::Finding(Box::new(found))));
                }
            }
        }
        told
    }

    fn shows(&self, text: &str) -> bool {
        self.screen_text().contains(text)
    }
}

#[test]
fn where_much_was_only_verified_earlier_the_screen_does_not_call_it_sound() {
    let (mut bench, _) = verified_earlier_screen();
    assert!(bench.shows("no damage found; verified earlier on 20"), "{}", bench.screen_text());
    bench.press(&[Key::Char('e')]);
    assert!(bench.shows("none found behind this place; verified earlier, on 20"), "{}", bench.screen_text());
    bench.press(&[Key::Char('3')]);
    assert!(bench.shows("none found; verified earlier, on 20"), "{}", bench.screen_text());
    assert!(bench.shows("and not read since ") && bench.shows(":scan go reads it"), "{}", bench.screen_text());
    // A plan reads the whole log.
    bench.press(&[Key::Char('X')]);
    assert!(bench.shows("correct_bits") || bench.shows("one bit"), "{}", bench.screen_text());
    bench.press(&[Key::Esc, Key::Char(':')]);
    bench.type_text("scan go");
    bench.press(&[Key::Enter]);
    assert_eq!(bench.model.scan.state, ScanState::Running);
    assert!(bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::StartScan)));
    // Once all is read it is sound, or it is not.
    bench.run_scan();
    assert!(bench.shows("× 1 damaged") && !bench.shows("so far"), "{}", bench.screen_text());
}

#[test]
fn damage_that_a_page_meets_is_told_to_the_scan_once() {
    let (mut bench, at) = verified_earlier_screen();
    bench.unhandled_effects.clear();
    bench.press(&[Key::Char('f')]);
    bench.type_text("is:damaged");
    bench.press(&[Key::Enter]);
    let told = bench.scan_requested_ranges();
    assert_eq!(told.iter().map(|range| range.start).collect::<Vec<_>>(), [at as u64]);
    assert!(bench.shows("× 1 damaged so far"), "{}", bench.screen_text());
    assert!(bench.shows("Findings 1"), "{}", bench.screen_text());
    bench.press(&[Key::Backspace, Key::Char('g'), Key::Char('e')]);
    assert_eq!(bench.model.list.selected_offset(), at as u64);
    bench.press(&[Key::Char('G'), Key::Char('g')]);
    assert!(bench.scan_requested_ranges().is_empty(), "it is known");
    assert_eq!(bench.model.scan.damage_count(), 1);
}

#[test]
fn what_was_rebuilt_from_here_was_read_just_now() {
    let (mut bench, at) = verified_earlier_screen();
    bench.press(&[Key::Char('R')]);
    bench.press(&[Key::Right, Key::Enter]);
    assert!(bench.unhandled_effects.iter().any(|wish| matches!(wish, Effect::RestartScan)), "{}", bench.screen_text());
    bench.poll_log();
    let end = bench.model.log_info.bytes;
    bench.send(Message::Background(BackgroundUpdate::RescanFrom(0)));
    bench.send(Message::Background(BackgroundUpdate::ScanProgress { from: end, at: end, end }));
    bench.send(Message::Background(BackgroundUpdate::ScanDone));
    assert!(bench.model.skipped_note().is_none());
    assert!(
        !bench.screen_text().lines().nth(1).unwrap().split(" ▬ ").next().unwrap().contains('▬'),
        "{}",
        bench.screen_text()
    );
    // What the rebuilding has met is told: the scan did not read it.
    assert_eq!(bench.model.scan.damage_after(0).map(|finding| finding.start), Some(at as u64));
    assert!(bench.shows("× 1 damaged") && !bench.shows("so far"), "{}", bench.screen_text());
}

#[test]
fn a_log_that_lost_its_end_counts_the_events_that_are_there() {
    let bytes = clean_log(60);
    let mut bench = TestScreen::new(&bytes, (120, 30));
    EventLog::open_read_only(&bench.path).unwrap().save_index().unwrap();
    fs::write(&bench.path, &bytes[..frame_starts(&bytes)[50] + 7]).unwrap();
    bench.poll_log();
    assert!(bench.shows("events not counted"), "{}", bench.screen_text());
    let view = bench.shared.view();
    let seen = survey(&view, &SurveyOptions::default(), None, &mut |_| ControlFlow::Continue(())).unwrap();
    let finding = seen.findings[0].clone();
    bench.send(Message::Background(BackgroundUpdate::Finding(Box::new(crate::repair::ProposedFix {
        finding,
        fix: None,
    }))));
    assert!(bench.shows("50 events"), "{}", bench.screen_text());
}
