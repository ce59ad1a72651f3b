//! Replaces every character outside ASCII on a drawn screen, for terminals that cannot show them.

use ratatui::buffer::Buffer;

/// The glyphs of the screen, each with the ASCII character that replaces it.
const REPLACEMENTS: [(char, char); 50] = [
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
    ('≤', '<'),
    ('≥', '>'),
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

/// Replaces the known glyphs by similar characters, and every other character outside ASCII by a question mark.
pub(in crate::tui) fn replace(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if !symbol.is_ascii() {
            let known = REPLACEMENTS.iter().find(|(glyph, _)| symbol.chars().eq([*glyph]));
            cell.set_char(known.map_or('?', |(_, plain)| *plain));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::strip::StripCell;

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
