//! A drawn screen as an SVG picture, for the README: the program's own cells, one run of like cells a piece of text.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Size of a cell, and where text stands in it.
const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: f32 = 18.0;
const BASELINE: f32 = 13.5;
const MARGIN: f32 = 12.0;
const DEFAULT_FOREGROUND: &str = "#d4d4d4";
const DEFAULT_BACKGROUND: &str = "#16181d";

pub(super) fn render_svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let width = f32::from(area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f32::from(area.height) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1} {height:.1}" font-size="14""#));
    line(r#" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" xml:space="preserve">"#.into());
    line(format!(r#"<rect width="100%" height="100%" rx="8" fill="{DEFAULT_BACKGROUND}"/>"#));
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let style = buffer[(x, y)].style();
            let start = x;
            let mut text = String::new();
            while x < area.width && buffer[(x, y)].style() == style {
                text.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            let (foreground, background) = foreground_and_background(style);
            let (left, top) = (MARGIN + f32::from(start) * CELL_WIDTH, MARGIN + f32::from(y) * CELL_HEIGHT);
            let span = f32::from(x - start) * CELL_WIDTH;
            if background != DEFAULT_BACKGROUND {
                let size = format!(r#"width="{span:.1}" height="{CELL_HEIGHT}""#);
                line(format!(r#"<rect x="{left:.1}" y="{top:.1}" {size} fill="{background}"/>"#));
            }
            if !text.trim().is_empty() {
                let weight = if style.add_modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
                let place = format!(r#"x="{left:.1}" y="{:.1}" textLength="{span:.1}""#, top + BASELINE);
                line(format!(r#"<text {place} fill="{foreground}"{weight}>{}</text>"#, escape_xml(&text)));
            }
        }
    }
    line("</svg>".into());
    out
}

/// The ink and the paper of a style.
fn foreground_and_background(style: Style) -> (&'static str, &'static str) {
    let ink = style.fg.map_or(DEFAULT_FOREGROUND, |colour| colour_hex(colour, DEFAULT_FOREGROUND));
    let paper = style.bg.map_or(DEFAULT_BACKGROUND, |colour| colour_hex(colour, DEFAULT_BACKGROUND));
    let ink = if style.add_modifier.contains(Modifier::DIM) && ink == DEFAULT_FOREGROUND { "#8a8f98" } else { ink };
    if style.add_modifier.contains(Modifier::REVERSED) { (paper, ink) } else { (ink, paper) }
}

fn colour_hex(colour: Color, otherwise: &'static str) -> &'static str {
    match colour {
        Color::Black => "#16181d",
        Color::Red | Color::LightRed => "#f47067",
        Color::Green | Color::LightGreen => "#8ddb8c",
        Color::Yellow | Color::LightYellow => "#f2cc60",
        Color::Blue | Color::LightBlue => "#6cb6ff",
        Color::Magenta | Color::LightMagenta => "#dcbdfb",
        Color::Cyan | Color::LightCyan => "#76e3ea",
        Color::Gray | Color::White => "#e6e6e6",
        Color::DarkGray => "#6e7681",
        _ => otherwise,
    }
}

fn escape_xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => {
                write!(out, "{c}").unwrap();
            }
        }
    }
    out
}
