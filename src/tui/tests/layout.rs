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
    assert_eq!(heavy(&screen), [false, true, false]);
    screen.assert_shows("━┥");
    screen.press(&[Key::Tab]);
    assert_eq!(heavy(&screen), [false, false, true]);
    screen.assert_shows("─┮━");
    screen.press(&[Key::Char('a')]);
    assert_eq!(heavy(&screen), [false, false, false]);
}
