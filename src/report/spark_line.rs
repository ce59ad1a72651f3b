//! Draws numbers as a line of small bars, one character each.

/// The bars, from the smallest to the largest. An empty interval is a blank.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Draws one bar for each number. The largest number has the largest bar, and every number above 0 has a bar.
pub(crate) fn spark_line(numbers: impl IntoIterator<Item = u64>) -> String {
    let numbers: Vec<u64> = numbers.into_iter().collect();
    let largest = numbers.iter().copied().max().unwrap_or_default().max(1);
    numbers.into_iter().map(|number| bar(number, largest)).collect()
}

fn bar(number: u64, largest: u64) -> char {
    if number == 0 {
        return ' ';
    }
    let step = (u128::from(number) * BARS.len() as u128 - 1) / u128::from(largest);
    BARS.get(step as usize).copied().unwrap_or(' ')
}

/// Returns the parts of a bar that is up to `rows` lines high, from its top line to its bottom line.
pub(crate) fn bar_rows(number: u64, largest: u64, rows: usize) -> impl Iterator<Item = char> {
    let steps = BARS.len() as u128;
    let height = (u128::from(number) * steps * rows as u128).div_ceil(u128::from(largest.max(1)));
    (0..rows as u128).rev().map(move |row| match height.saturating_sub(row * steps) {
        0 => ' ',
        step => BARS.get(step.min(steps) as usize - 1).copied().unwrap_or(' '),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_above_zero_has_a_bar() {
        assert_eq!(spark_line([0, 1, 50, 100]), " ▁▄█");
        assert_eq!(spark_line([u64::MAX, 1]), "█▁");
        assert_eq!(spark_line([1, 2, 3]), "▃▆█");
        assert_eq!(spark_line([]), "");
    }

    #[test]
    fn a_high_bar_fills_its_lines_from_the_bottom() {
        let bar = |number, rows| bar_rows(number, 100, rows).collect::<String>();
        assert_eq!(
            (bar(100, 2), bar(75, 2), bar(50, 2), bar(1, 3)),
            ("██".into(), "▄█".into(), " █".into(), "  ▁".into())
        );
        assert_eq!((bar(0, 2), bar(100, 0)), ("  ".into(), String::new()));
        assert_eq!(bar_rows(u64::MAX, u64::MAX, 1).collect::<String>(), "█");
        assert_eq!(bar_rows(0, 0, 1).collect::<String>(), " ");
    }
}
