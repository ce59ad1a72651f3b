//! The columns of the integrity strip: the range of bytes that each represents, and the state of that range.

use std::ops::Range;

use ratatui::layout::Rect;

use super::model::{LogInfo, Model};
use crate::format::DamageKind;

/// Columns of the text after a wide strip.
pub(crate) const WIDE_TEXT_COLUMNS: u16 = 30;

/// The state of a column of the strip, which is the worst state of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StripCell {
    /// The column contains a damaged range.
    Damaged,
    /// The column contains a gap and no damage.
    Gap,
    /// The column was verified in this session, and the index file does not cover it.
    NotIndexed,
    /// The column was verified in this session.
    Verified,
    /// The column was verified when the index was saved, and has not been read since.
    VerifiedEarlier,
    /// The column has not been verified completely.
    Unscanned,
}

impl StripCell {
    /// Returns the glyph of the state.
    pub(crate) const fn glyph(self) -> char {
        match self {
            Self::Verified => '■',
            Self::VerifiedEarlier => '▬',
            Self::NotIndexed => '□',
            Self::Unscanned => '░',
            Self::Gap => '▒',
            Self::Damaged => '×',
        }
    }
}

/// Returns whether the strip has room for the speed of the scan, or for the date of an earlier verification.
pub(crate) const fn is_wide(area: Rect) -> bool {
    area.width >= 100
}

/// Returns whether the strip has room for the share of the log that is verified.
pub(crate) const fn has_text(area: Rect) -> bool {
    area.width >= 60
}

/// Returns the columns that represent bytes: between the bars at both ends, and before the text.
pub(crate) fn strip_columns(area: Rect) -> Range<u16> {
    let text_width = match area.width {
        _ if is_wide(area) => WIDE_TEXT_COLUMNS + 1,
        _ if has_text(area) => 24,
        _ => 0,
    };
    area.x + 1..(area.x + area.width).saturating_sub(1 + text_width).max(area.x + 1)
}

/// Returns the range that column `nth` of `count` represents, in a file of `log_bytes` bytes. `nth` counts from 0.
pub(crate) fn column_bytes(nth: u16, count: u16, log_bytes: u64) -> Range<u64> {
    let boundary = |n: u16| (u128::from(log_bytes) * u128::from(n) / u128::from(count.max(1))) as u64;
    boundary(nth)..boundary(nth + 1).max(boundary(nth) + 1)
}

/// Returns the offset that a click on a column selects; `None` on a bar or on the text.
pub(crate) fn offset_at(area: Rect, column: u16, log_info: &LogInfo) -> Option<u64> {
    let columns = strip_columns(area);
    let count = columns.end - columns.start;
    columns.contains(&column).then(|| column_bytes(column - columns.start, count, log_info.bytes).start)
}

/// Returns the state of the column that represents a range.
pub(crate) fn cell_for_range(model: &Model, range: &Range<u64>) -> StripCell {
    let log_bytes = model.log_info.bytes;
    // A truncated file has its damage after its last byte. That damage belongs to the last column.
    let is_last = range.end >= log_bytes;
    let health = model.scan.health_map.range_health(range.start..range.end + u64::from(is_last));
    // Findings are ordered by offset and do not overlap, so those in the range are adjacent.
    let findings = &model.scan.findings;
    let first = findings.partition_point(|finding| finding.end.max(finding.start + 1) <= range.start);
    let following = findings.get(first..).unwrap_or_default();
    let in_range = || following.iter().take_while(|finding| finding.start < range.end + u64::from(is_last));
    let has_damage = in_range().any(|finding| finding.kind.is_damage());
    let has_gap = || in_range().any(|finding| matches!(finding.kind, DamageKind::Gap | DamageKind::Lost));
    let is_verified = |from: u64| model.scan.health_map.range_health(from..range.end.min(log_bytes)).verified;
    // The health map is coarser than the findings, so it is used only when findings were dropped.
    let has_dropped = model.scan.dropped_findings > 0;
    if has_damage || (has_dropped && health.damaged) {
        StripCell::Damaged
    } else if has_gap() || (has_dropped && health.gap) {
        StripCell::Gap
    } else if !is_verified(range.start) {
        // The part that was verified earlier may end within the column, and this session may have verified the rest.
        let verified_to = model.earlier_verification().map_or(0, |mark| mark.verified_to);
        if range.start < verified_to && (range.end.min(log_bytes) <= verified_to || is_verified(verified_to)) {
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
    fn columns_cover_all_bytes() {
        for (count, log_bytes) in [(80u16, 155_209u64), (3, 10), (100, 7), (1, u64::MAX)] {
            let mut covered_to = 0;
            for nth in 0..count {
                let range = column_bytes(nth, count, log_bytes);
                assert!(range.start <= covered_to && range.end > range.start, "{nth} of {count} in {log_bytes}");
                covered_to = covered_to.max(range.end);
            }
            assert!(covered_to >= log_bytes);
        }
    }

    #[test]
    fn only_the_columns_between_bars_and_text_represent_bytes() {
        let columns = |width| strip_columns(Rect::new(0, 1, width, 1));
        assert_eq!((columns(59), columns(60), columns(99)), (1..58, 1..35, 1..74));
        assert_eq!(columns(100), 1..68, "the speed of the scan, or a date, needs more room");
    }
}
