//! The integrity strip in columns: which bytes each stands for, and what is known of them.

use std::ops::Range;

use ratatui::layout::Rect;

use super::model::{LogInfo, Model};
use crate::format::DamageKind;

/// What a column of the strip shows; the worst of what its bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StripCell {
    /// Damage in it.
    Damaged,
    /// A gap in it.
    Gap,
    /// Looked at and sound, and not in the index.
    NotIndexed,
    /// Looked at and sound.
    Verified,
    /// Not looked at since, and verified when the index was saved.
    VerifiedEarlier,
    /// Not all of it looked at.
    Unscanned,
}

impl StripCell {
    /// Every part with its glyph and its word.
    pub(crate) const ALL: [(Self, char, &'static str); 6] = [
        (Self::Verified, '■', "verified"),
        (Self::VerifiedEarlier, '▬', "verified earlier"),
        (Self::NotIndexed, '□', "not in index"),
        (Self::Unscanned, '░', "unscanned"),
        (Self::Gap, '▒', "gap"),
        (Self::Damaged, '×', "damaged"),
    ];

    /// Its glyph.
    pub(crate) fn glyph(self) -> char {
        Self::ALL.iter().find(|(part, ..)| *part == self).map_or(' ', |(_, glyph, _)| *glyph)
    }
}

/// True where there is room for how fast the scan is, or the date of an earlier verification.
pub(crate) const fn is_wide(area: Rect) -> bool {
    area.width >= 100
}

/// The columns that stand for bytes, between the bars at both ends and before the words.
pub(crate) fn strip_columns(area: Rect) -> Range<u16> {
    let words = match area.width {
        _ if is_wide(area) => 31,
        60.. => 18,
        _ => 0,
    };
    area.x + 1..(area.x + area.width).saturating_sub(1 + words).max(area.x + 1)
}

/// The bytes that the `nth` of `count` columns stands for, in a file of `bytes`.
pub(crate) fn column_bytes(nth: u16, count: u16, bytes: u64) -> Range<u64> {
    let edge = |n: u16| (u128::from(bytes) * u128::from(n) / u128::from(count.max(1))) as u64;
    edge(nth)..edge(nth + 1).max(edge(nth) + 1)
}

/// The offset that a click on a column means.
pub(crate) fn offset_at(area: Rect, column: u16, facts: &LogInfo) -> Option<u64> {
    let columns = strip_columns(area);
    let count = columns.end - columns.start;
    columns.contains(&column).then(|| column_bytes(column - columns.start, count, facts.bytes).start)
}

/// What is known of a range.
pub(crate) fn cell_for_range(model: &Model, range: &Range<u64>) -> StripCell {
    // A file that lost its end has its damage behind its last byte, which belongs to the last column.
    let last = range.end >= model.log_info.bytes;
    let look = range.start..if last { range.end + 1 } else { range.end };
    let known = model.scan.health_map.range_health(look);
    // By place, and none reaches into another: those that touch the range stand together.
    let findings = &model.scan.findings;
    let first = findings.partition_point(|finding| finding.end.max(finding.start + 1) <= range.start);
    let behind = findings.get(first..).unwrap_or_default();
    let touching = || behind.iter().take_while(|finding| finding.start < range.end + u64::from(last));
    let damaged = touching().any(|finding| finding.kind.is_damage());
    let gap = || touching().any(|finding| finding.kind == DamageKind::Gap);
    let verified = |from: u64| model.scan.health_map.range_health(from..range.end.min(model.log_info.bytes)).verified;
    // The map is coarse where the file is small; the findings are exact as far as they are kept.
    let exact = model.scan.dropped_findings == 0;
    if damaged || (!exact && known.damaged) {
        StripCell::Damaged
    } else if gap() || (!exact && known.gap) {
        StripCell::Gap
    } else if !verified(range.start) {
        // What was verified earlier may end within the column, and what was since go on from there.
        let to = model.log_info.index.verified.map_or(0, |known| known.verified_to);
        if range.start < to && (range.end.min(model.log_info.bytes) <= to || verified(to)) {
            StripCell::VerifiedEarlier
        } else {
            StripCell::Unscanned
        }
    } else if range.end > model.log_info.index.covered_to().max(model.log_info.first_frame) {
        StripCell::NotIndexed
    } else {
        StripCell::Verified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_the_bytes_out_without_a_hole() {
        for (count, bytes) in [(80u16, 155_209u64), (3, 10), (100, 7), (1, u64::MAX)] {
            let mut at = 0;
            for nth in 0..count {
                let range = column_bytes(nth, count, bytes);
                assert!(range.start <= at && range.end > range.start, "{nth} of {count} in {bytes}");
                at = at.max(range.end);
            }
            assert!(at >= bytes);
        }
    }

    #[test]
    fn a_click_on_a_bar_or_the_words_goes_nowhere() {
        let columns = |width| strip_columns(Rect::new(0, 1, width, 1));
        assert_eq!((columns(59), columns(60), columns(99)), (1..58, 1..41, 1..80));
        assert_eq!(columns(100), 1..68, "the speed of the scan, or a date, takes its room");
    }
}
