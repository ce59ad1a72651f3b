//! The areas of the panes on screens of every size.

use ratatui::layout::Size;

use super::{TestScreen, clean_log, damaged_log};
use crate::tui::keys::Key;
use crate::tui::layout::{compute_areas, focusable_panes};
use crate::tui::model::{Tab, Zoom};

/// Sizes on both sides of every limit at which parts appear.
const WIDTHS: [u16; 9] = [1, 20, 35, 36, 99, 100, 109, 110, 200];
const HEIGHTS: [u16; 14] = [1, 2, 3, 5, 7, 8, 9, 10, 15, 19, 20, 29, 30, 60];

/// Every cell of the screen belongs to exactly one part of it, so that no row is covered and a click has one meaning.
#[test]
fn the_areas_cover_the_screen_without_overlap() {
    let mut filtered = TestScreen::new(&damaged_log(), (120, 40));
    filtered.run_scan();
    filtered.press(&[Key::Char('f')]);
    filtered.type_text("type:Updated");
    filtered.press(&[Key::Enter]);
    let clean = TestScreen::new(&clean_log(3), (120, 40));
    for mut screen in [filtered, clean] {
        let model = &mut screen.model;
        for (tab, zoom) in Tab::ALL.into_iter().flat_map(|tab| [(tab, Zoom::In), (tab, Zoom::Out)]) {
            (model.tab, model.zoom) = (tab, zoom);
            for (width, height) in WIDTHS.into_iter().flat_map(|width| HEIGHTS.map(|height| (width, height))) {
                model.size = Size::new(width, height);
                for pane in focusable_panes(model) {
                    model.focus = pane;
                    let areas = compute_areas(model);
                    let parts = [
                        areas.status,
                        areas.strip,
                        areas.main,
                        areas.note,
                        areas.divider,
                        areas.detail,
                        areas.findings,
                        areas.footer,
                    ];
                    let covered: u32 = parts.iter().map(|part| part.area()).sum();
                    assert_eq!(covered, u32::from(width) * u32::from(height), "{tab:?} {pane:?}: {areas:?}");
                    for (nth, part) in parts.iter().enumerate() {
                        assert!(parts[nth + 1..].iter().all(|other| !part.intersects(*other)), "{areas:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_focused_pane_has_a_heavy_rule_and_an_open_dialog_takes_it() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    let heavy = |screen: &TestScreen| {
        let areas = compute_areas(&screen.model);
        let buffer = screen.render();
        [areas.main, areas.findings, areas.detail].map(|pane| buffer[(pane.x, pane.y)].symbol() == "━")
    };
    assert_eq!(heavy(&screen), [true, false, false]);
    screen.press(&[Key::Tab]);
    assert_eq!(heavy(&screen), [false, false, true]);
    screen.assert_shows("─┮━");
    screen.press(&[Key::Tab]);
    assert_eq!(heavy(&screen), [false, true, false]);
    screen.assert_shows("━┥");
    screen.press(&[Key::Char('a')]);
    assert_eq!(heavy(&screen), [false, false, false]);
}

#[test]
fn every_tab_has_its_name_from_120_columns_on_and_the_chosen_one_everywhere() {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    for tab in ['1', '3', '7'] {
        screen.press(&[Key::Char(tab)]);
        for name in ["1 Events", "2 Agg", "3 Findings ×4", "4 Index", "5 Repairs", "6 Stats", "7 Compare"] {
            screen.assert_shows(name);
        }
    }
    screen.resize(100, 30);
    screen.assert_shows("[7 Compare]");
    screen.press(&[Key::Char('2')]);
    screen.assert_shows("[2 Aggregates]");
}

#[test]
fn a_list_without_lines_takes_the_space_of_the_detail_pane() {
    let mut screen = TestScreen::new(&clean_log(3), (120, 40));
    screen.run_scan();
    for tab in ['3', '5', '7'] {
        screen.press(&[Key::Char(tab)]);
        let areas = compute_areas(&screen.model);
        assert_eq!((areas.main.width, areas.detail.width), (120, 0), "{tab}");
    }
}

#[test]
fn the_fields_are_named_above_the_bytes_where_their_lines_have_no_space() {
    let mut screen = TestScreen::new(&clean_log(60), (120, 40));
    screen.run_scan();
    screen.press(&[Key::Char('j'), Key::Char(']')]);
    screen.assert_shows("│ 16 length  20 payload  222 checksum");
    screen.press(&[Key::Char('O')]);
    screen.assert_shows("│ 0x10 length  0x14 payload  0xde checksum");
    let contents = screen.model.detail.contents.clone().unwrap();
    let names = |width| {
        let lines = screen.model.hex_field_lines(&contents, width).into_iter();
        lines.map(|line| line.into_iter().map(|field| field.text).collect::<String>()).collect::<Vec<_>>()
    };
    assert_eq!(names(30), ["0x10 length  0x14 payload  ", "0xde checksum  "], "no name is cut");
    // A pane that is too low for the names has its bytes.
    screen.press(&[Key::Tab]);
    screen.resize(36, 5);
    screen.assert_shows("0x10  00 00 00 ca");
    assert!(!screen.shows("0x10 length"), "{}", screen.screen_text());
    screen.resize(240, 60);
    screen.assert_shows("length");
    assert!(!screen.shows("0x14 payload"), "{}", screen.screen_text());
}
