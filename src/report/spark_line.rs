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
}
