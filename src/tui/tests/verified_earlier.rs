//! A log that was verified when its index was saved: how the screen reports the part that was not read since, and how
//! damage in that part is reported to the scan.

use std::fs;
use std::ops::{ControlFlow, Range};

use super::{TestScreen, clean_log, frame_starts};
use crate::inspect::{SurveyOptions, survey};
use crate::log::EventLog;
use crate::repair::{FixFinder, ProposedFix};
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::ScanState;

/// Returns a screen over a log that was damaged after its index had verified all of it, and the offset of the damage.
/// The scan has skipped the ranges that the index has verified.
fn verified_earlier_screen() -> (TestScreen, u64) {
    let mut bytes = clean_log(60);
    let damaged_at = frame_starts(&bytes)[20];
    let mut screen = TestScreen::new(&bytes, (120, 30));
    EventLog::open_read_only(&screen.path).unwrap().save_index().unwrap();
    bytes[damaged_at + 40] ^= 1;
    let end = bytes.len() as u64;
    fs::write(&screen.path, bytes).unwrap();
    screen.poll_log();
    screen.send_update(BackgroundUpdate::ScanProgress { from: 0, to: 16, end });
    screen.send_update(BackgroundUpdate::ScanProgress { from: end, to: end, end });
    screen.send_update(BackgroundUpdate::ScanDone);
    (screen, damaged_at as u64)
}

impl TestScreen {
    /// Scans the ranges that the screen has requested to be scanned again, and returns them.
    fn scan_requested_ranges(&mut self) -> Vec<Range<u64>> {
        let effects = std::mem::take(&mut self.unhandled_effects);
        let requested: Vec<_> = effects
            .into_iter()
            .filter_map(|effect| if let Effect::RescanRange(range) = effect { Some(range) } else { None })
            .collect();
        let view = self.shared.view();
        for range in &requested {
            let options = SurveyOptions::new().from(range.start).until(range.end);
            let result = survey(&view, &options, None, &mut |_| ControlFlow::Continue(())).unwrap();
            for finding in result.findings {
                let mut fix_finder = FixFinder::new(&view).unwrap();
                let proposed = fix_finder.push(&finding).unwrap();
                for proposed in proposed.into_iter().chain(fix_finder.finish()) {
                    self.send_update(BackgroundUpdate::Finding(Box::new(proposed)));
                }
            }
        }
        requested
    }
}

#[test]
fn a_part_that_was_only_verified_earlier_is_not_reported_as_free_of_damage() {
    let (mut screen, _) = verified_earlier_screen();
    screen.assert_shows("no damage found; verified earlier on 20");
    screen.press(&[Key::Char('e')]);
    screen.assert_shows("No damage found after this point; last verified on 20");
    screen.press(&[Key::Char('3')]);
    screen.assert_shows("last verified on 20");
    screen.assert_shows("not read since");
    screen.assert_shows("`:scan go` reads it now");
    // Planning a repair reads the whole log.
    screen.press(&[Key::Char('X')]);
    screen.assert_shows("correct bits");
    screen.press(&[Key::Esc, Key::Char(':')]);
    screen.type_text("scan go");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.scan.state, ScanState::Running);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::ResumeScan)));
    screen.run_scan();
    assert!(screen.shows("× 1 damaged") && !screen.shows("so far"), "{}", screen.screen_text());
}

#[test]
fn damage_that_a_page_shows_is_reported_to_the_scan_once() {
    let (mut screen, damaged_at) = verified_earlier_screen();
    screen.unhandled_effects.clear();
    screen.press(&[Key::Char('f')]);
    screen.type_text("is:damaged");
    screen.press(&[Key::Enter]);
    let requested: Vec<_> = screen.scan_requested_ranges().iter().map(|range| range.start).collect();
    assert_eq!(requested, [damaged_at]);
    screen.assert_shows("× 1 damaged");
    screen.assert_shows("Findings: 1 damaged");
    screen.press(&[Key::Backspace, Key::Char('g'), Key::Char('e')]);
    assert_eq!(screen.model.list.selected_offset(), damaged_at);
    screen.press(&[Key::Char('G'), Key::Char('g')]);
    assert!(screen.scan_requested_ranges().is_empty(), "the damage is known");
    assert_eq!(screen.model.scan.damage_count(), 1);
}

#[test]
fn a_rebuild_of_the_index_verifies_the_log_and_reports_its_damage() {
    let (mut screen, damaged_at) = verified_earlier_screen();
    screen.press(&[Key::Char('R')]);
    screen.press(&[Key::Right, Key::Enter]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::RestartScan)), "{}", screen.screen_text());
    screen.poll_log();
    let end = screen.model.log_info.bytes;
    screen.send_update(BackgroundUpdate::RescanFrom(0));
    screen.send_update(BackgroundUpdate::ScanProgress { from: end, to: end, end });
    screen.send_update(BackgroundUpdate::ScanDone);
    assert!(screen.model.skipped_note().is_none());
    let text = screen.screen_text();
    let strip = text.lines().nth(1).unwrap().split(" ▬ ").next().unwrap();
    assert!(!strip.contains('▬'), "{text}");
    // The scan has not read the log, so the finding comes from the rebuild.
    assert_eq!(screen.model.scan.damage_after(0).map(|finding| finding.start), Some(damaged_at));
    assert!(screen.shows("× 1 damaged") && !screen.shows("so far"), "{text}");
}

#[test]
fn a_truncated_log_counts_the_events_that_it_still_has() {
    let bytes = clean_log(60);
    let mut screen = TestScreen::new(&bytes, (120, 30));
    EventLog::open_read_only(&screen.path).unwrap().save_index().unwrap();
    fs::write(&screen.path, &bytes[..frame_starts(&bytes)[50] + 7]).unwrap();
    screen.poll_log();
    screen.assert_shows("events not counted");
    let view = screen.shared.view();
    let result = survey(&view, &SurveyOptions::new(), None, &mut |_| ControlFlow::Continue(())).unwrap();
    let finding = result.findings[0].clone();
    screen.send_update(BackgroundUpdate::Finding(Box::new(ProposedFix { finding, fix: None })));
    screen.assert_shows("50 events");
}
