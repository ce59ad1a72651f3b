//! Settings of the screen: keys, themes, pictures and the bell.

use super::readme_pictures::undecided_log;
use super::*;
use ratatui::layout::Position;

use crate::file::OsDisk;
use crate::format::{DamageKind, Finding};
use crate::repair::ProposedFix;
use crate::tui::actions::{ActionId, KeyMap, ReboundAction};
use crate::tui::config::ScreenConfig;
use crate::tui::message::BackgroundUpdate;
use crate::tui::model::{Bell, DetailView, Glyphs, Pane, Tab};
use crate::tui::picture::save_screenshot;
use crate::tui::theme::Theme;

fn screen_with(config: &str) -> TestScreen {
    let mut screen = TestScreen::new(&damaged_log(), (120, 40));
    screen.run_scan();
    screen.model.keys = ScreenConfig::parse(config).unwrap().keys;
    screen
}

#[test]
fn a_configured_key_runs_its_action_and_is_shown() {
    let mut screen = screen_with("[keys]\nnext-damage = [\"D\", \"ctrl-n\"]\nhelp = \"f2\"\n");
    let start = screen.model.list.selected_offset();
    screen.press(&[Key::Char('e')]);
    screen.assert_shows("e has no action; F2 lists the keys");
    assert_eq!(screen.model.list.selected_offset(), start);
    screen.press(&[Key::Ctrl('n')]);
    assert_ne!(screen.model.list.selected_offset(), start);
    screen.assert_shows("D next damage");
    screen.press(&[Key::F(2)]);
    screen.type_text("next damage");
    screen.assert_shows("D Ctrl-n");
    screen.press(&[Key::Esc, Key::Char(':')]);
    screen.type_text("next dam");
    assert!(screen.screen_text().lines().any(|line| line.contains("next damage") && line.contains(" D ")));
}

#[test]
fn messages_and_dialogs_name_the_configured_keys() {
    let config = r#"keys = { search = "ctrl-s", go-to-a-mark = "B", back = "f9", accept-likely = "ctrl-y" }"#;
    let mut screen = TestScreen::new(&undecided_log(), (120, 40));
    screen.run_scan();
    screen.model.keys = ScreenConfig::parse(config).unwrap().keys;
    screen.press(&[Key::Char('n')]);
    screen.assert_shows("no search yet; Ctrl-s starts one");
    screen.press(&[Key::Char('m'), Key::Char('a')]);
    screen.assert_shows("B a returns to it");
    screen.press(&[Key::Char('m')]);
    screen.assert_shows("F9 cancel");
    screen.press(&[Key::F(9)]);
    assert!(screen.model.overlays.is_empty() && screen.model.notice.is_none(), "the key of `back` cancels too");
    screen.press(&[Key::Char('X')]);
    screen.assert_shows("Ctrl-y [ ] accept likely fixes");
}

#[test]
fn the_dialog_of_a_plan_has_the_configured_keys() {
    let config = r#"keys = { cancel = "f9", scroll-up = "f7", explain-the-plan = "f5", copy-the-command = "f6" }"#;
    let mut screen = TestScreen::new(&damaged_log(), (60, 15));
    screen.run_scan();
    screen.model.keys = ScreenConfig::parse(config).unwrap().keys;
    screen.press(&[Key::Char('X'), Key::Char('j'), Key::Char('j'), Key::F(7)]);
    assert_eq!(screen.plan_dialog().unwrap().cursor.line, 1, "the key of `scroll up` moves up");
    screen.press(&[Key::F(5)]);
    screen.assert_shows("Words of the plan");
    screen.press(&[Key::F(9)]);
    screen.assert_shows("Repair all damage");
    screen.press(&[Key::F(5), Key::F(5)]);
    screen.assert_shows("Repair all damage");
    screen.press(&[Key::Char(' ')]);
    screen.resize(24, 15);
    screen.assert_shows("F6: copy");
    screen.press(&[Key::F(9)]);
    assert!(screen.model.overlays.is_empty());
}

#[test]
fn a_key_that_types_text_is_typed_in_a_prompt_whatever_it_does_elsewhere() {
    let mut screen = screen_with("[keys]\nredraw = \"L\"\nsuspend = \"f8\"\n");
    screen.press(&[Key::Char('/'), Key::Char('L')]);
    screen.assert_shows("/L");
    assert!(!screen.has_effect(|effect| matches!(effect, Effect::Redraw)));
    screen.press(&[Key::F(8)]);
    assert!(screen.has_effect(|effect| matches!(effect, Effect::Suspend)), "it works in every overlay");
}

#[test]
fn the_theme_is_changed_from_the_palette() {
    let mut screen = screen_with("");
    screen.press(&[Key::Char(':')]);
    screen.type_text("theme lihgt");
    screen.press(&[Key::Enter]);
    screen.assert_shows("the nearest is `light`");
    screen.press(&[Key::Ctrl('u')]);
    screen.type_text("theme high");
    screen.assert_shows("high-contrast-light");
    screen.press(&[Key::Enter]);
    assert_eq!(screen.model.theme, Theme::HighContrastDark, "the marked suggestion");
    screen.assert_shows("Theme high-contrast-dark: blue and orange on black");
    screen.press(&[Key::Char(':')]);
    screen.type_text("theme");
    screen.press(&[Key::Enter, Key::Tab, Key::Tab, Key::Enter]);
    assert_eq!(screen.model.theme, Theme::Dark, "the action opens the palette with its word");
}

#[test]
fn a_screenshot_is_a_new_file_of_what_is_shown() {
    let mut screen = screen_with("");
    let folder = tempfile::tempdir().unwrap();
    for name in ["screen.txt", "screen.svg"] {
        let path = folder.path().join(name);
        screen.press(&[Key::Char(':')]);
        screen.type_text(&format!("screenshot {}", path.display()));
        screen.press(&[Key::Enter]);
        let effects = std::mem::take(&mut screen.unhandled_effects);
        let Some(Effect::SaveScreenshot(found)) = effects.last() else { panic!("{effects:?}") };
        assert_eq!(*found, path);
        save_screenshot(&OsDisk, &screen.model, found).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.starts_with("<svg"), name == "screen.svg");
        assert!(text.contains("Created") && !text.contains(":screenshot"), "{text}");
        let refusal = save_screenshot(&OsDisk, &screen.model, &path).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{refusal}");
        screen.send(Message::ScreenshotSaved { path, result: Err(refusal) });
        screen.assert_shows("Screen not written: ");
    }
}

#[test]
fn the_bell_rings_for_damage_after_the_first_scan_where_it_is_wanted() {
    let damage = |start: u64| {
        let finding = Finding::new(DamageKind::Checksum, start..start + 20);
        BackgroundUpdate::Finding(Box::new(ProposedFix { finding, fix: None }))
    };
    let rings = |screen: &TestScreen| screen.has_effect(|effect| matches!(effect, Effect::RingBell));
    let mut screen = TestScreen::new(&clean_log(5), (80, 24));
    screen.model.bell = Bell::OnNewDamage;
    screen.send_update(damage(20));
    assert!(!rings(&screen) && screen.model.notice.is_none(), "the first scan is still running");
    screen.run_scan();
    screen.send_update(damage(20));
    assert!(!rings(&screen), "it is known");
    screen.send_update(damage(60));
    assert!(rings(&screen));
    let mut screen = TestScreen::new(&clean_log(5), (80, 24));
    screen.run_scan();
    screen.send_update(damage(20));
    assert!(!rings(&screen), "it is off unless it is wanted");
    screen.assert_shows("New damage at 20: checksum; 3 lists all findings");
}

#[test]
fn keys_without_an_action_in_the_table_can_be_configured() {
    let mut screen = screen_with("");
    screen.model.keys = KeyMap::with_rebound(vec![ReboundAction::parse("mouse", &["f7"]).unwrap()]).unwrap();
    screen.press(&[Key::F(7)]);
    screen.assert_shows("Mouse off");
    assert_eq!(screen.model.keys.hint(ActionId::ToggleMouse), "F7");
}

#[test]
fn a_screen_of_ascii_has_no_other_character() {
    for size in [(120, 40), (80, 24), (60, 15), (10, 3)] {
        let mut screen = TestScreen::new(&damaged_log(), size);
        screen.run_scan();
        screen.model.glyphs = Glyphs::Ascii;
        assert!(screen.screen_text().is_ascii(), "{}", screen.screen_text());
        screen.press(&[Key::Char('?')]);
        assert!(screen.screen_text().is_ascii(), "{}", screen.screen_text());
    }
}

/// Clicks on the first occurrence of a text on the screen.
fn click(screen: &mut TestScreen, text: &str) {
    let shown = screen.screen_text();
    let (y, line) =
        shown.lines().enumerate().find(|(_, line)| line.contains(text)).unwrap_or_else(|| panic!("{shown}"));
    let x = line.split(text).next().unwrap().chars().count();
    screen.send(Message::Click(Position::new(x as u16, y as u16)));
}

#[test]
fn tabs_views_and_the_keys_of_the_footer_take_clicks() {
    for size in [(120, 40), (80, 24)] {
        let mut screen = TestScreen::new(&damaged_log(), size);
        screen.run_scan();
        for (label, tab) in [
            ("3 Findings", Tab::Findings),
            ("6 Stats", Tab::Statistics),
            ("7", Tab::Compare),
            ("1 Events", Tab::Events),
        ] {
            click(&mut screen, label);
            assert_eq!(screen.model.tab, tab, "{label}");
        }
        screen.press(&[Key::Char('j')]);
        click(&mut screen, " Hex ");
        assert_eq!((screen.model.detail.shown_view(), screen.model.focus), (DetailView::Hex, Pane::Detail));
        let start = screen.model.list.selected_offset();
        click(&mut screen, "e next damage");
        assert_ne!(screen.model.list.selected_offset(), start);
        screen.model.notice = None;
        click(&mut screen, "? help");
        assert!(!screen.model.overlays.is_empty());
    }
}
