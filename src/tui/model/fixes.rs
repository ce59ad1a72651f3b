//! The bytes that a fix would change, before and after, in blocks that stand side by side where there is room.

use super::sheet::accidents;
use crate::repair::{Change, Fix};
use crate::report::fix_short;

/// Bytes shown of a change.
const BYTES: usize = 8;
/// Changes shown of a candidate.
const CHANGES: usize = 3;
/// Columns between two blocks.
const BETWEEN: usize = 3;

/// What a fix would change, in lines of so many columns: a headline, and the candidates side by side as far as they fit.
///
/// ```text
///     choice of 2: correct bits; the truth may be none of them
///     1  accidents expected: 0.0003   2  accidents expected: 0.2000
///     8090  6f → 6e  o → n            8091  22 → 23  " → #
/// ```
pub(crate) fn fix_lines(fix: &Fix, width: usize) -> Vec<String> {
    let mut lines = vec![fix_short(fix)];
    if let (Some(first), true) = (lines.first_mut(), fix.candidates.len() > 1) {
        first.push_str("; the truth may be none of them");
    }
    let blocks: Vec<Vec<String>> =
        fix.candidates.iter().enumerate().map(|(nth, of)| block(fix, nth, (of.expected, &of.changes))).collect();
    let column = blocks.iter().flatten().map(|line| line.chars().count()).max().unwrap_or_default();
    let beside = ((width + BETWEEN) / (column + BETWEEN)).max(1);
    for row in blocks.chunks(beside) {
        let height = row.iter().map(Vec::len).max().unwrap_or_default();
        for number in 0..height {
            let cells = row.iter().map(|block| block.get(number).map_or("", String::as_str));
            let line: Vec<String> = cells.map(|cell| format!("{cell:<column$}")).collect();
            lines.push(line.join(&" ".repeat(BETWEEN)).trim_end().to_owned());
        }
    }
    lines
}

fn block(fix: &Fix, nth: usize, (expected, changes): (f64, &[Change])) -> Vec<String> {
    let mut lines = Vec::new();
    if fix.is_undecided() {
        lines.push(format!("{}  accidents expected: {}", nth + 1, accidents(expected)));
    }
    lines.extend(changes.iter().take(CHANGES).map(change));
    if changes.len() > CHANGES {
        lines.push(format!("and {} more", changes.len() - CHANGES));
    }
    lines
}

fn change(of: &Change) -> String {
    let more = if of.after.len() > BYTES { "…" } else { "" };
    let digits =
        |bytes: &[u8]| bytes.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
    let letter = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '·' };
    let letters = |bytes: &[u8]| bytes.iter().take(BYTES).map(letter).collect::<String>();
    let (before, after) = (&of.before, &of.after);
    format!(
        "{}  {}{more} → {}{more}  {} → {}",
        of.offset,
        digits(before),
        digits(after),
        letters(before),
        letters(after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::{Action, Candidate, Certainty};

    #[test]
    fn candidates_stand_side_by_side_where_there_is_room_and_below_each_other_where_not() {
        let change = |offset, before, after| Change { offset, before: vec![before], after: vec![after] };
        let candidates = vec![
            Candidate { expected: 0.0003, changes: vec![change(8090, b'o', b'n')] },
            Candidate { expected: 0.2, changes: vec![change(8091, 0x22, 0x23)] },
        ];
        let certainty = Some(Certainty::Choice);
        let fix = Fix { action: Action::CorrectBits, certainty, candidates, unsearched: None, choose: None };
        assert_eq!(
            fix_lines(&fix, 70),
            [
                "choice of 2: correct bits; the truth may be none of them",
                "1  accidents expected: 0.0003   2  accidents expected: 0.2000",
                "8090  6f → 6e  o → n            8091  22 → 23  \" → #",
            ]
        );
        let narrow = fix_lines(&fix, 40);
        assert_eq!(narrow.len(), 5);
        assert_eq!(narrow[3], "2  accidents expected: 0.2000");
        assert_eq!(fix_lines(&Fix::plain(Action::Gap), 40), ["gap"]);
    }
}
