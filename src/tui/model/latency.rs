//! Formats the latencies of appends as a histogram.

use std::time::Duration;

use crate::report::units::format_duration;

/// Columns of a line that the duration and the count take.
const LABEL_COLUMNS: usize = 20;
/// Exponent of the largest bucket, in powers of two of a microsecond: about 12 days.
const MAX_EXPONENT: u32 = 40;

/// The number of latencies up to an upper bound and above the bound of the previous bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LatencyBucket {
    upper_bound: Duration,
    count: usize,
}

/// Counts latencies in buckets of 1, 2, 4, ... µs. Empty buckets at both ends are left out.
fn latency_histogram(latencies: &[Duration]) -> Vec<LatencyBucket> {
    let exponent = |latency: &Duration| {
        let micros = latency.as_nanos().div_ceil(1000).max(1) as u64;
        u64::BITS - (micros - 1).leading_zeros()
    };
    let exponents: Vec<u32> = latencies.iter().map(exponent).collect();
    let (Some(first), Some(last)) = (exponents.iter().min(), exponents.iter().max()) else {
        return Vec::new();
    };
    (*first..=*last)
        .map(|power| LatencyBucket {
            upper_bound: Duration::from_micros(1 << power.min(MAX_EXPONENT)),
            count: exponents.iter().filter(|exponent| **exponent == power).count(),
        })
        .collect()
}

/// Formats a histogram of latencies as one bar per line, at most `width` columns wide.
pub(crate) fn histogram_bars(latencies: &[Duration], width: usize) -> Vec<String> {
    let buckets = latency_histogram(latencies);
    let largest_count = buckets.iter().map(|bucket| bucket.count).max().unwrap_or_default().max(1);
    let available = width.saturating_sub(LABEL_COLUMNS).max(1);
    buckets
        .into_iter()
        .map(|LatencyBucket { upper_bound, count }| {
            // A bucket that is not empty has a bar of at least one column.
            let columns = if count == 0 { 0 } else { (count * available / largest_count).max(1) };
            format!("≤ {:>8} {:>6} {}", format_duration(upper_bound), count, "■".repeat(columns))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_counted_by_powers_of_two() {
        let latencies: Vec<_> = [1, 2, 3, 4, 5, 1000].map(Duration::from_micros).into();
        let buckets = latency_histogram(&latencies);
        let bucket = |micros, count| LatencyBucket { upper_bound: Duration::from_micros(micros), count };
        assert_eq!(buckets.first(), Some(&bucket(1, 1)));
        assert_eq!(buckets.get(2), Some(&bucket(4, 2)));
        assert_eq!(buckets.last(), Some(&bucket(1024, 1)));
        assert_eq!(buckets.iter().map(|bucket| bucket.count).sum::<usize>(), 6);
        assert!(latency_histogram(&[]).is_empty());
    }
}
