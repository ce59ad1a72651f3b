//! The contrast of every pair of colours that the screen draws, on common palettes, light ones too.

use ratatui::style::{Color, Modifier, Style};

use crate::tui::theme::{Role, Theme};

/// Smallest accepted contrast (WCAG). Solarized itself keeps its colours only a little above it.
const MIN_CONTRAST: f64 = 2.3;

/// The colours of a terminal: its text, its background and its first 16 colours without black and white.
struct Palette {
    name: &'static str,
    text: u32,
    background: u32,
    /// Red, green, yellow, blue, magenta and cyan.
    normal: [u32; 6],
    /// The same colours as many terminals draw them in bold.
    bright: [u32; 6],
}

const SOLARIZED: [u32; 6] = [0x00dc_322f, 0x0085_9900, 0x00b5_8900, 0x0026_8bd2, 0x00d3_3682, 0x002a_a198];
const SOLARIZED_BRIGHT: [u32; 6] = [0x00cb_4b16, 0x0058_6e75, 0x0065_7b83, 0x0083_9496, 0x006c_71c4, 0x0093_a1a1];

const PALETTES: [Palette; 5] = [
    Palette {
        name: "VGA",
        text: 0x00aa_aaaa,
        background: 0,
        normal: [0x00aa_0000, 0x0000_aa00, 0x00aa_5500, 0x0000_00aa, 0x00aa_00aa, 0x0000_aaaa],
        bright: [0x00ff_5555, 0x0055_ff55, 0x00ff_ff55, 0x0055_55ff, 0x00ff_55ff, 0x0055_ffff],
    },
    Palette {
        name: "xterm",
        text: 0x00e5_e5e5,
        background: 0,
        normal: [0x00cd_0000, 0x0000_cd00, 0x00cd_cd00, 0x0000_00ee, 0x00cd_00cd, 0x0000_cdcd],
        bright: [0x00ff_0000, 0x0000_ff00, 0x00ff_ff00, 0x005c_5cff, 0x00ff_00ff, 0x0000_ffff],
    },
    Palette {
        name: "Solarized dark",
        text: 0x0083_9496,
        background: 0x0000_2b36,
        normal: SOLARIZED,
        bright: SOLARIZED_BRIGHT,
    },
    Palette {
        name: "Solarized light",
        text: 0x0065_7b83,
        background: 0x00fd_f6e3,
        normal: SOLARIZED,
        bright: SOLARIZED_BRIGHT,
    },
    Palette {
        name: "Tango light",
        text: 0x002e_3436,
        background: 0x00ff_ffff,
        normal: [0x00cc_0000, 0x004e_9a06, 0x00c4_a000, 0x0034_65a4, 0x0075_507b, 0x0006_989a],
        // This terminal draws bold text in its normal colour.
        bright: [0x00cc_0000, 0x004e_9a06, 0x00c4_a000, 0x0034_65a4, 0x0075_507b, 0x0006_989a],
    },
];

impl Palette {
    fn colour(&self, colour: Option<Color>, modifier: Modifier) -> u32 {
        let colours = if modifier.contains(Modifier::BOLD) { &self.bright } else { &self.normal };
        match colour {
            None | Some(Color::Reset) => self.text,
            Some(Color::Red) => colours[0],
            Some(Color::Green) => colours[1],
            Some(Color::Yellow) => colours[2],
            Some(Color::Blue) => colours[3],
            Some(Color::Magenta) => colours[4],
            Some(Color::Cyan) => colours[5],
            Some(other) => panic!("{other:?} is invisible on some palette: use an attribute"),
        }
    }

    /// Returns the contrast of a style.
    fn contrast(&self, style: Style) -> f64 {
        assert_eq!(style.bg, None, "the theme uses the background of the terminal");
        let mut text = self.colour(style.fg, style.add_modifier);
        if style.add_modifier.contains(Modifier::DIM) {
            // Terminals draw dim text with about two thirds of its colour.
            text = blend(text, self.background);
        }
        contrast(text, self.background)
    }
}

fn blend(text: u32, background: u32) -> u32 {
    let channel = |shift: u32| ((text >> shift & 0xff) * 2 + (background >> shift & 0xff)) / 3;
    channel(16) << 16 | channel(8) << 8 | channel(0)
}

fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: u32) -> f64 {
    let linear = |shift: u32| {
        let value = f64::from(colour >> shift & 0xff) / 255.0;
        if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(16) + 0.7152 * linear(8) + 0.0722 * linear(0)
}

fn indexed(colour: Color) -> u32 {
    match colour {
        Color::Black => 0,
        Color::White => 0x00ff_ffff,
        Color::Indexed(grey @ 232..) => (u32::from(grey) - 232) * 0x000a_0a0a + 0x0008_0808,
        Color::Indexed(cube @ 16..) => {
            let level = |n: u32| if n == 0 { 0 } else { 55 + 40 * n };
            let n = u32::from(cube) - 16;
            level(n / 36) << 16 | level(n / 6 % 6) << 8 | level(n % 6)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_role_is_legible_on_common_palettes() {
    let themes = || Theme::ALL.into_iter().filter(|theme| theme.base().bg.is_none());
    assert_eq!(themes().count(), 2, "the other themes have their own background");
    for (palette, theme) in PALETTES.iter().flat_map(|palette| themes().map(move |theme| (palette, theme))) {
        for role in Role::ALL {
            let style = theme.style(role);
            let on_cursor = style.patch(theme.style(Role::Cursor));
            let unfocused = style.patch(theme.style(Role::CursorUnfocused));
            for (place, style) in [("plain", style), ("cursor", on_cursor), ("unfocused cursor", unfocused)] {
                let found = palette.contrast(style);
                assert!(found >= MIN_CONTRAST, "{role:?} in {theme:?}, {place}, on {}: {found:.2}", palette.name);
            }
        }
    }
}

#[test]
fn the_cursor_gives_every_cell_of_its_line_the_same_colours() {
    for theme in Theme::ALL {
        let cursor = theme.base().patch(theme.style(Role::Cursor));
        // A line has one cursor.
        for role in Role::ALL.into_iter().filter(|role| *role != Role::CursorUnfocused) {
            let cell = theme.base().patch(theme.style(role)).patch(theme.style(Role::Cursor));
            let plain = |style: Style| style.fg.unwrap_or(Color::Reset);
            assert_eq!((plain(cell), cell.bg), (plain(cursor), cursor.bg), "{role:?} in {theme:?}");
            assert!(!cell.add_modifier.contains(Modifier::DIM), "{role:?} in {theme:?}");
            let is_marked = cursor.bg != theme.base().bg || cell.add_modifier.contains(Modifier::REVERSED);
            assert!(is_marked, "{role:?} in {theme:?}");
        }
    }
}

#[test]
fn themes_with_their_own_background_have_a_high_contrast() {
    for theme in Theme::ALL.into_iter().filter(|theme| theme.base().bg.is_some()) {
        let base = theme.base();
        for role in Role::ALL {
            let plain = base.patch(theme.style(role));
            let unfocused = plain.patch(theme.style(Role::CursorUnfocused));
            let cursor = plain.patch(theme.style(Role::Cursor));
            for (place, style) in [("plain", plain), ("cursor", cursor), ("unfocused cursor", unfocused)] {
                let (text, background) = (indexed(style.fg.unwrap()), indexed(style.bg.unwrap()));
                assert!(!style.add_modifier.contains(Modifier::DIM), "{role:?} in {theme:?} depends on the terminal");
                let found = contrast(text, background);
                assert!(found >= 3.5, "{role:?} in {theme:?}, {place}: {found:.2}");
            }
        }
    }
}
