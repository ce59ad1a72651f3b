//! What the screen shows agrees with the log: bytes that change, the row of the detail pane, counts, dates and cuts.

use std::fs;

use super::{TestScreen, clean_log, damaged_log, frame_starts};
use crate::format::{DamageKind, Evidence, Finding};
use crate::query::RowContent;
use crate::repair::ProposedFix;
use crate::tui::effect::Effect;
use crate::tui::keys::Key;
use crate::tui::message::{BackgroundUpdate, LogChange};
use crate::tui::model::{DetailView, Pane, Tab};
use crate::tui::request::WorkerKind;

#[test]
fn an_event_whose_bytes_changed_is_reported_as_soon_as_it_is_read() {
    let mut bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.run_scan();
    screen.assert_shows("no damage");
    bytes[starts[1] + 40] ^= 1;
    fs::write(&screen.path, &bytes).unwrap();
    screen.press(&[Key::Char('j'), Key::Char('j')]);
    let row = screen.model.selected_row().unwrap();
    assert!(row.start == starts[1] as u64 && matches!(row.content, RowContent::Finding(_)), "{row:?}");
    screen.assert_shows("changed after they were read");
    assert!(screen.has_effect(|effect| matches!(effect, Effect::RescanRange(range) if range.start == row.start)));
    screen.assert_shows("checksum");
}

#[test]
fn an_event_that_was_replaced_by_another_event_is_reported_too() {
    let bytes = clean_log(60);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.run_scan();
    // The frames of another log have the same sizes and other types.
    let starts = frame_starts(&bytes);
    let mut swapped = bytes.clone();
    let length = starts[2] - starts[1];
    assert_eq!(length, starts[3] - starts[2]);
    swapped.copy_within(starts[2]..starts[3], starts[1]);
    fs::write(&screen.path, &swapped).unwrap();
    screen.press(&[Key::Char('j'), Key::Char('j')]);
    screen.assert_shows("changed after they were read");
    screen.assert_shows("\"n\": 2");
}

#[test]
fn rows_are_read_again_once_when_the_contents_always_arrive_before_the_rows() {
    let mut bytes = clean_log(60);
    let starts = frame_starts(&bytes);
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.run_scan();
    bytes[starts[1] + 40] ^= 1;
    fs::write(&screen.path, &bytes).unwrap();
    for key in [Key::Char('j'), Key::Char('j'), Key::Char('v')] {
        screen.press_unhandled(key);
        let mut windows = 0;
        while !screen.model.effects.is_empty() {
            let is_request =
                |effect: &Effect, worker| matches!(effect, Effect::Request { worker: of, .. } if *of == worker);
            windows += screen.model.effects.iter().filter(|effect| is_request(effect, WorkerKind::List)).count();
            assert!(windows < 10, "{key}: the rows are requested again and again");
            if let Some(detail) = screen.model.effects.iter().position(|effect| is_request(effect, WorkerKind::Detail))
            {
                screen.model.effects.swap(0, detail);
            }
            screen.handle_next_effect();
        }
    }
    let row = screen.model.selected_row().unwrap();
    assert!(row.start == starts[1] as u64 && matches!(row.content, RowContent::Finding(_)), "{row:?}");
    let details = &screen.model.detail.contents.as_ref().unwrap().details;
    assert!(details.row == row && !details.is_changed, "{details:?}");
}

#[test]
fn the_whole_log_is_verified_again_on_request() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('V')]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::VerifyAll)));
    screen.assert_shows("no damage so far");
    assert_eq!(screen.model.verified_bytes(), 0);
    screen.run_scan();
    screen.assert_shows("× 4 damaged");
    assert!(!screen.shows("so far"), "{}", screen.screen_text());
    screen.unhandled_effects.clear();
    screen.press(&[Key::Char(':')]);
    screen.type_text("scan go");
    screen.press(&[Key::Enter]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::VerifyAll)), "a finished scan reads everything again");
    let before = screen.model.list.selected_offset();
    screen.press(&[Key::Char('v')]);
    screen.assert_shows("Reading rows 0..");
    assert_eq!(screen.model.list.selected_offset(), before);
}

#[test]
fn a_log_that_was_written_without_growing_is_judged_again() {
    let mut screen = TestScreen::new(&clean_log(30), (120, 40));
    screen.run_scan();
    let info = Box::new(screen.shared.log_info().unwrap());
    screen.send_update(BackgroundUpdate::LogChanged(info, LogChange::Written));
    screen.assert_shows("reading it all again");
    screen.assert_shows("no damage so far");
    assert_eq!(screen.model.verified_bytes(), 0);
}

#[test]
fn the_detail_pane_shows_the_row_of_the_list_that_had_the_focus_last() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char('j')]);
    for view in DetailView::ALL {
        let mut shown = Vec::new();
        for _ in 0..6 {
            let selected = screen.model.selected_row().unwrap();
            let contents = screen.model.detail.contents.as_ref().unwrap();
            assert_eq!(contents.details.row.start, selected.start, "{view:?}, focus on {:?}", screen.model.focus);
            shown.push((screen.model.focus, selected.start));
            screen.press(&[Key::Tab]);
        }
        let of = |focus| shown.iter().filter(|(pane, _)| *pane == focus).map(|(_, start)| *start).collect::<Vec<_>>();
        let (list, findings) = (screen.model.list.selected_offset(), screen.model.scan.findings[0].start);
        assert_ne!(list, findings);
        assert_eq!(of(Pane::Main), [list; 2]);
        assert_eq!(of(Pane::Findings), [findings; 2]);
        assert_eq!(of(Pane::Detail), [list; 2], "the detail pane keeps the row of the pane before it");
        assert_eq!(screen.model.focus, Pane::Main);
        screen.press(&[Key::BackTab, Key::BackTab]);
        let contents = screen.model.detail.contents.as_ref().unwrap();
        assert_eq!((screen.model.focus, contents.details.row.start), (Pane::Detail, findings), "{view:?}");
        screen.press(&[Key::BackTab]);
        screen.press(&[Key::Char(']')]);
    }
    screen.press(&[Key::Char('3')]);
    assert_eq!(screen.model.detail.contents.as_ref().unwrap().details.row.start, screen.model.scan.findings[0].start);
    screen.press(&[Key::Char('1')]);
    assert_eq!(screen.model.detail.contents.as_ref().unwrap().details.row.start, screen.model.list.selected_offset());
}

#[test]
fn an_event_with_an_earlier_time_still_belongs_to_its_aggregate() {
    let bytes = clean_log(30);
    let start = frame_starts(&bytes)[4] as u64;
    let end = frame_starts(&bytes)[5] as u64;
    let mut screen = TestScreen::new(&bytes, (120, 40));
    screen.run_scan();
    let evidence = Evidence { time_ms: Some(1000), previous_time_ms: Some(2000), ..Evidence::default() };
    let finding = Finding::new(DamageKind::Clock, start..end).with_evidence(evidence);
    screen.send_update(BackgroundUpdate::Finding(Box::new(ProposedFix { finding, fix: None })));
    screen.press(&[Key::BackTab, Key::Char('['), Key::BackTab]);
    assert_eq!((screen.model.detail.view, screen.model.focus), (DetailView::Aggregate, Pane::Detail));
    let contents = screen.model.detail.contents.as_ref().unwrap();
    assert_eq!(contents.details.row.start, start);
    assert!(contents.history.as_ref().is_some_and(|history| history.history.entries.len() > 1));
    screen.press(&[Key::Char('[')]);
    assert_eq!(screen.model.detail.view, DetailView::Frame);
    screen.assert_shows("time before");
    screen.assert_shows("1970-01-01 00:00:02.000Z");
    screen.assert_shows("checksum computed");
}

#[test]
fn the_selected_event_is_at_a_third_of_the_aggregate_view_with_its_difference() {
    let mut screen = TestScreen::new(&clean_log(400), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char(':')]);
    screen.type_text("50%");
    screen.press(&[Key::Enter, Key::Char('[')]);
    let detail = &screen.model.detail;
    let history = detail.contents.as_ref().unwrap().history.as_ref().unwrap();
    let line = history.line_of_offset(screen.model.list.selected_offset());
    assert_eq!(line - detail.cursor.top, detail.cursor.height / 3);
    let entry = history.entry_at(line).unwrap();
    let last = (0..history.lines().len()).rfind(|line| history.entry_at(*line) == Some(entry)).unwrap();
    assert!(last > line && last < detail.cursor.top + detail.cursor.height);
    screen.press(&[Key::Char('j')]);
    let detail = &screen.model.detail;
    let history = detail.contents.as_ref().unwrap().history.as_ref().unwrap();
    assert_eq!(
        history.line_of_offset(screen.model.list.selected_offset()) - detail.cursor.top,
        detail.cursor.height / 3
    );
}

#[test]
fn damage_and_information_are_counted_alike_everywhere() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    let gap = Finding::new(DamageKind::Gap, 16..40);
    screen.send_update(BackgroundUpdate::Finding(Box::new(ProposedFix { finding: gap, fix: None })));
    screen.assert_shows("× 4 damaged");
    screen.assert_shows("3 Findings ×4");
    screen.assert_shows("Findings: 4 damaged; 1 gap ");
    assert!(!screen.shows("so far"), "everything was read: {}", screen.screen_text());
    screen.press(&[Key::Char('3')]);
    screen.assert_shows("Findings: 4 damaged; 1 gap ");
    screen.resize(260, 40);
    screen.press(&[Key::Char('5')]);
    screen.assert_shows("has 1 gap, which earlier repairs left; tab 3 lists them");
    assert_eq!(screen.model.tab, Tab::Repairs);
}

#[test]
fn the_date_is_shown_at_the_top_and_where_it_changes() {
    let mut bytes = clean_log(3);
    let starts = frame_starts(&bytes);
    let end = bytes.len();
    // The same events two days later.
    let later = String::from_utf8(bytes[starts[1] + 4..starts[2] - 4].to_vec()).unwrap();
    let time =
        later.split("\"write_timestamp_ms\":").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
    let two_days = (time.parse::<u64>().unwrap() + 2 * 86_400_000).to_string();
    crate::format::frame::encode(later.replace(time, &two_days).as_bytes(), &mut bytes);
    assert!(bytes.len() > end);
    let mut screen = TestScreen::new(&bytes, (80, 24));
    screen.run_scan();
    let text = screen.screen_text();
    assert!(text.contains("2026-11-20 Z"), "{text}");
    assert!(text.lines().any(|line| line.contains("11-22 ") && line.contains('…')), "{text}");
    assert_eq!(text.matches("11-22 ").count(), 1, "{text}");
}

#[test]
fn an_aggregate_id_that_does_not_fit_ends_in_an_ellipsis() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ids.log");
    let mut log = crate::log::OpenOptions::new().create(&path).unwrap();
    for n in 1..=6 {
        let event = crate::format::Event::builder()
            .event_type("Created")
            .namespace("accounts")
            .schema_id("Person")
            .schema_version(1)
            .aggregate_id(1_766_718_274_106_000_000 + n)
            .payload_json("{}")
            .build()
            .unwrap();
        log.append(&event).unwrap();
    }
    drop(log);
    let mut screen = TestScreen::new(&fs::read(&path).unwrap(), (80, 24));
    let mut lines_with_id = 0;
    for width in 30..=140 {
        screen.resize(width, 24);
        let text = screen.screen_text();
        for line in text.lines().filter(|line| line.contains("17667")) {
            lines_with_id += 1;
            let id = line.split("17667").nth(1).unwrap();
            let rest: String = id.chars().take_while(|c| !c.is_whitespace() && *c != '│').collect();
            assert!(rest.ends_with('…') || rest.trim_end_matches(',').len() == 14, "{width}: {line}");
        }
    }
    assert!(lines_with_id > 100, "{lines_with_id}");
}
