//! Renders a terminal buffer as an SVG picture. Adjacent cells of the same style become one text element.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Width of a cell, in SVG units.
const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: f32 = 18.0;
/// Distance from the top of a cell to the baseline of its text.
const BASELINE: f32 = 13.5;
const MARGIN: f32 = 12.0;
const DEFAULT_FOREGROUND: &str = "#d4d4d4";
const DIM_FOREGROUND: &str = "#8a8f98";
const DEFAULT_BACKGROUND: &str = "#16181d";

/// Renders a buffer as the text of an SVG file.
pub(crate) fn render_svg(buffer: &Buffer) -> String {
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
            let run_width = f32::from(x - start) * CELL_WIDTH;
            if background != DEFAULT_BACKGROUND {
                let size = format!(r#"width="{run_width:.1}" height="{CELL_HEIGHT}""#);
                line(format!(r#"<rect x="{left:.1}" y="{top:.1}" {size} fill="{background}"/>"#));
            }
            if !text.trim().is_empty() {
                let weight = if style.add_modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
                let position = format!(r#"x="{left:.1}" y="{:.1}" textLength="{run_width:.1}""#, top + BASELINE);
                line(format!(r#"<text {position} fill="{foreground}"{weight}>{}</text>"#, escape_xml(&text)));
            }
        }
    }
    line("</svg>".into());
    out
}

/// Returns the foreground and the background colour of a style.
fn foreground_and_background(style: Style) -> (&'static str, &'static str) {
    let foreground = style.fg.map_or(DEFAULT_FOREGROUND, |colour| colour_hex(colour, DEFAULT_FOREGROUND));
    let background = style.bg.map_or(DEFAULT_BACKGROUND, |colour| colour_hex(colour, DEFAULT_BACKGROUND));
    let is_dim = style.add_modifier.contains(Modifier::DIM) && foreground == DEFAULT_FOREGROUND;
    let foreground = if is_dim { DIM_FOREGROUND } else { foreground };
    let is_reversed = style.add_modifier.contains(Modifier::REVERSED);
    if is_reversed { (background, foreground) } else { (foreground, background) }
}

/// Returns the hex code of a terminal colour, and `default` for a colour that the theme does not use.
fn colour_hex(colour: Color, default: &'static str) -> &'static str {
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
        _ => default,
    }
}

fn escape_xml(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}
