//! The bytes that a fix would change, before and after, in blocks that are laid out side by side where they fit.

use super::offset_base::OffsetBase;
use crate::format::hex;
use crate::repair::{ByteChange, Candidate, Fix};
use crate::report::{fix_label, format_expected_by_chance};

/// Largest number of bytes of a change that are shown.
const MAX_BYTES_SHOWN: usize = 8;
/// Largest number of changes of a candidate that are shown.
const MAX_CHANGES_SHOWN: usize = 3;
/// Columns between two blocks of a row.
const BLOCK_SPACING: usize = 3;

/// Formats the changes that a fix would make: a headline, and the candidates side by side as far as `width` columns
/// permit.
///
/// ```text
///     choice of 2: correct bits; all of them may be wrong
///     1  chance alone offers 0.0003   2  chance alone offers 0.2000
///     8090  6f → 6e  o → n            8091  22 → 23  " → #
/// ```
pub(crate) fn fix_preview_lines(fix: &Fix, width: usize, base: OffsetBase) -> Vec<String> {
    let mut lines = vec![fix_label(fix)];
    if let (Some(first), true) = (lines.first_mut(), fix.candidates.len() > 1) {
        first.push_str("; all of them may be wrong");
    }
    let blocks: Vec<Vec<String>> = fix
        .candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| candidate_lines(fix, index + 1, candidate, base))
        .collect();
    let block_width = blocks.iter().flatten().map(|line| line.chars().count()).max().unwrap_or_default();
    let blocks_per_row = ((width + BLOCK_SPACING) / (block_width + BLOCK_SPACING)).max(1);
    for row in blocks.chunks(blocks_per_row) {
        let height = row.iter().map(Vec::len).max().unwrap_or_default();
        for line_number in 0..height {
            let cells = row.iter().map(|block| block.get(line_number).map_or("", String::as_str));
            let line: Vec<String> = cells.map(|cell| format!("{cell:<block_width$}")).collect();
            lines.push(line.join(&" ".repeat(BLOCK_SPACING)).trim_end().to_owned());
        }
    }
    lines
}

/// Formats the block of lines about the candidate with this number.
fn candidate_lines(fix: &Fix, number: usize, candidate: &Candidate, base: OffsetBase) -> Vec<String> {
    let changes = &candidate.changes;
    let mut lines = Vec::new();
    if fix.is_undecided() {
        lines.push(format!(
            "{number}  chance alone offers {}",
            format_expected_by_chance(candidate.expected_false_positives)
        ));
    }
    lines.extend(changes.iter().take(MAX_CHANGES_SHOWN).map(|change| format_change(change, base)));
    if changes.len() > MAX_CHANGES_SHOWN {
        lines.push(format!("and {} more", changes.len() - MAX_CHANGES_SHOWN));
    }
    lines
}

fn format_change(change: &ByteChange, base: OffsetBase) -> String {
    let more = if change.after.len() > MAX_BYTES_SHOWN { "…" } else { "" };
    let digits = |bytes: &[u8]| hex::encode_spaced(bytes.get(..MAX_BYTES_SHOWN).unwrap_or(bytes));
    let letter = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '·' };
    let letters = |bytes: &[u8]| bytes.iter().take(MAX_BYTES_SHOWN).map(letter).collect::<String>();
    let ByteChange { offset, before, after } = change;
    let offset = base.format(*offset);
    format!("{offset}  {}{more} → {}{more}  {} → {}", digits(before), digits(after), letters(before), letters(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repair::{Certainty, RepairAction};

    #[test]
    fn candidates_are_side_by_side_where_they_fit_and_below_each_other_otherwise() {
        let change = |offset, before, after| ByteChange { offset, before: vec![before], after: vec![after] };
        let candidates = vec![
            Candidate { expected_false_positives: 0.0003, changes: vec![change(8090, b'o', b'n')] },
            Candidate { expected_false_positives: 0.2, changes: vec![change(8091, 0x22, 0x23)] },
        ];
        let certainty = Some(Certainty::Choice);
        let fix = Fix { action: RepairAction::CorrectBits, certainty, candidates, unsearched: None, choice: None };
        assert_eq!(
            fix_preview_lines(&fix, 70, OffsetBase::Decimal),
            [
                "choice of 2: correct bits; all of them may be wrong",
                "1  chance alone offers 0.0003   2  chance alone offers 0.2000",
                "8090  6f → 6e  o → n            8091  22 → 23  \" → #",
            ]
        );
        let narrow = fix_preview_lines(&fix, 40, OffsetBase::Decimal);
        assert_eq!(narrow.len(), 5);
        assert_eq!(narrow[3], "2  chance alone offers 0.2000");
        assert_eq!(
            fix_preview_lines(&Fix::without_candidates(RepairAction::Gap), 40, OffsetBase::Decimal),
            ["replace with a gap"]
        );
    }
}
