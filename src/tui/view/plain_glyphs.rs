//! Replaces every character outside ASCII on a drawn screen, for terminals that cannot show them.

use ratatui::buffer::Buffer;

/// The glyphs of the screen, each with the ASCII character that replaces it.
const REPLACEMENTS: [(char, char); 49] = [
    ('─', '-'),
    ('│', '|'),
    ('┌', '+'),
    ('┐', '+'),
    ('└', '+'),
    ('┘', '+'),
    ('├', '+'),
    ('┤', '+'),
    ('┬', '+'),
    ('┴', '+'),
    ('┼', '+'),
    ('━', '='),
    ('┭', '+'),
    ('┮', '+'),
    ('┥', '+'),
    ('■', '#'),
    ('▬', '='),
    ('□', 'o'),
    ('░', '.'),
    ('▒', '%'),
    ('×', 'x'),
    ('◆', '@'),
    ('→', '>'),
    ('←', '<'),
    ('↑', '^'),
    ('↓', 'v'),
    ('▲', '^'),
    ('▼', 'v'),
    ('▸', '>'),
    ('▾', 'v'),
    ('…', '~'),
    ('‹', '<'),
    ('›', '>'),
    ('•', '*'),
    ('·', '.'),
    ('–', '-'),
    ('µ', 'u'),
    ('−', '-'),
    ('▏', '|'),
    ('▕', '|'),
    ('█', '#'),
    ('▇', '#'),
    ('▆', '*'),
    ('▅', '+'),
    ('▄', '='),
    ('▃', '-'),
    ('▂', '.'),
    ('▁', '_'),
    ('\u{a0}', ' '),
];

/// The signs of limits, each with the two characters that replace it and the blank after it.
const LIMIT_SIGNS: [(&str, [char; 2]); 2] = [("≤", ['<', '=']), ("≥", ['>', '='])];

/// Replaces the known glyphs by similar characters, and every other character outside ASCII by a question mark.
pub(in crate::tui) fn replace(buffer: &mut Buffer) {
    replace_limit_signs(buffer);
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if !symbol.is_ascii() {
            let known = REPLACEMENTS.iter().find(|(glyph, _)| symbol.chars().eq([*glyph]));
            cell.set_char(known.map_or('?', |(_, plain)| *plain));
        }
    }
}

/// Replaces the signs of limits, which are written before a blank or a no-break space. A sign alone would state another number.
fn replace_limit_signs(buffer: &mut Buffer) {
    for at in 0..buffer.content.len().saturating_sub(1) {
        let (_, rest) = buffer.content.split_at_mut(at);
        let [sign, blank, ..] = rest else { continue };
        let Some((_, pair)) = LIMIT_SIGNS.iter().find(|(glyph, _)| *glyph == sign.symbol()) else { continue };
        if matches!(blank.symbol(), " " | "\u{a0}") {
            sign.set_char(pair[0]);
            blank.set_char(pair[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::tui::strip::StripCell;

    #[test]
    fn a_limit_keeps_its_meaning() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
        buffer.set_string(0, 0, "≤ 1 given up − ≥\u{a0}7", Style::new());
        replace(&mut buffer);
        let text: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text.trim_end(), "<=1 given up - >=7");
    }

    #[test]
    fn the_states_of_the_strip_stay_different() {
        let cells = [
            StripCell::Damaged,
            StripCell::Gap,
            StripCell::NotIndexed,
            StripCell::Verified,
            StripCell::VerifiedEarlier,
            StripCell::Unscanned,
        ];
        let plain = |cell: &StripCell| REPLACEMENTS.iter().find(|(glyph, _)| *glyph == cell.glyph()).unwrap().1;
        let found: std::collections::HashSet<char> = cells.iter().map(plain).collect();
        assert_eq!(found.len(), cells.len(), "{found:?}");
    }
}
