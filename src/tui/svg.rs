//! Renders a terminal buffer as an SVG picture. Adjacent cells of the same style become one text element.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

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
    // The first cell has the background of the theme.
    let page =
        buffer.cell((area.x, area.y)).map_or_else(|| DEFAULT_BACKGROUND.to_owned(), |cell| background(cell.style()));
    line(format!(r#"<rect width="100%" height="100%" rx="8" fill="{page}"/>"#));
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let style = buffer[(x, y)].style();
            let start = x;
            let mut text = String::new();
            while x < area.width && buffer[(x, y)].style() == style {
                let symbol = buffer[(x, y)].symbol();
                text.push_str(symbol);
                // The cell after a wide character is a part of it.
                x += symbol.width().max(1) as u16;
            }
            let (foreground, background) = foreground_and_background(style);
            let (left, top) = (MARGIN + f32::from(start) * CELL_WIDTH, MARGIN + f32::from(y) * CELL_HEIGHT);
            let run_width = f32::from(x - start) * CELL_WIDTH;
            if background != page {
                let size = format!(r#"width="{run_width:.1}" height="{CELL_HEIGHT}""#);
                line(format!(r#"<rect x="{left:.1}" y="{top:.1}" {size} fill="{background}"/>"#));
            }
            if !text.trim().is_empty() || style.add_modifier.contains(Modifier::UNDERLINED) {
                let attributes = text_attributes(style.add_modifier);
                let position = format!(r#"x="{left:.1}" y="{:.1}" textLength="{run_width:.1}""#, top + BASELINE);
                line(format!(r#"<text {position} fill="{foreground}"{attributes}>{}</text>"#, escape_xml(&text)));
            }
        }
    }
    line("</svg>".into());
    out
}

/// Returns the foreground and the background colour of a style.
fn foreground_and_background(style: Style) -> (String, String) {
    let foreground =
        style.fg.map_or_else(|| DEFAULT_FOREGROUND.to_owned(), |color| color_hex(color, DEFAULT_FOREGROUND));
    let background = background(style);
    let is_dim = style.add_modifier.contains(Modifier::DIM) && foreground == DEFAULT_FOREGROUND;
    let foreground = if is_dim { DIM_FOREGROUND.to_owned() } else { foreground };
    let is_reversed = style.add_modifier.contains(Modifier::REVERSED);
    if is_reversed { (background, foreground) } else { (foreground, background) }
}

/// Returns the background colour of a style that is not reversed.
fn background(style: Style) -> String {
    style.bg.map_or_else(|| DEFAULT_BACKGROUND.to_owned(), |color| color_hex(color, DEFAULT_BACKGROUND))
}

/// Returns the attributes of a text element for the attributes of a style.
fn text_attributes(modifier: Modifier) -> String {
    let attributes = [
        (Modifier::BOLD, r#" font-weight="bold""#),
        (Modifier::ITALIC, r#" font-style="italic""#),
        (Modifier::UNDERLINED, r#" text-decoration="underline""#),
    ];
    attributes.into_iter().filter(|(flag, _)| modifier.contains(*flag)).map(|(_, text)| text).collect()
}

/// Returns the hex code of a terminal colour, and `default` for the default colour of a terminal.
fn color_hex(color: Color, default: &str) -> String {
    let hex = match color {
        Color::Black => "#16181d",
        Color::Red | Color::LightRed => "#f47067",
        Color::Green | Color::LightGreen => "#8ddb8c",
        Color::Yellow | Color::LightYellow => "#f2cc60",
        Color::Blue | Color::LightBlue => "#6cb6ff",
        Color::Magenta | Color::LightMagenta => "#dcbdfb",
        Color::Cyan | Color::LightCyan => "#76e3ea",
        Color::Gray => "#e6e6e6",
        Color::White => "#ffffff",
        Color::DarkGray => "#6e7681",
        Color::Indexed(index) => return indexed_hex(index).unwrap_or_else(|| default.to_owned()),
        Color::Rgb(red, green, blue) => return format!("#{red:02x}{green:02x}{blue:02x}"),
        Color::Reset => default,
    };
    hex.to_owned()
}

/// Returns the hex code of a colour of the 256-colour palette: the cube of 216 colours and the 24 greys, which are the same
/// on every terminal. `None` for the first 16 colours, which are not.
fn indexed_hex(index: u8) -> Option<String> {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let (red, green, blue) = match index {
        0..16 => return None,
        16..232 => {
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232.. => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    };
    Some(format!("#{red:02x}{green:02x}{blue:02x}"))
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

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn a_picture_has_the_colours_and_the_attributes_of_the_theme() {
        let base = Style::new().fg(Color::Indexed(235)).bg(Color::Indexed(255));
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_style(buffer.area, base);
        buffer.set_string(1, 0, "red", base.fg(Color::Indexed(160)).add_modifier(Modifier::UNDERLINED));
        buffer.set_string(5, 0, "日本", base.add_modifier(Modifier::ITALIC));
        let picture = render_svg(&buffer);
        assert!(picture.contains(r##"rx="8" fill="#eeeeee""##), "{picture}");
        assert!(picture.contains(r##"fill="#d70000" text-decoration="underline">red</text>"##), "{picture}");
        assert!(picture.contains(r##"textLength="33.6" fill="#262626" font-style="italic">日本</text>"##), "{picture}");
    }
}
