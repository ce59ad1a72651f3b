//! One row of the table, and how what was measured is printed: rates, times, bytes, shares.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Runs of a measurement; the best counts, because everything else on a machine only makes it slower.
const RUNS: usize = 5;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measurement {
    /// So many bytes in that time. Of rates alone, more is better.
    Rate(u64, Duration),
    Time(Duration),
    Bytes(u64),
    /// Of one core.
    CpuShare(f64),
    /// This system does not tell.
    Unknown,
}

/// An operation beside its yardstick.
#[derive(Debug)]
pub(crate) struct TableRow<'a> {
    operation: &'a str,
    measurement: Measurement,
    baseline: Option<(&'a str, Measurement)>,
    target: &'a str,
}

impl<'a> TableRow<'a> {
    pub(crate) const TABLE_HEAD: &'static str =
        "| operation | figure | yardstick | ratio | target |\n| --- | --- | --- | --- | --- |";

    pub(crate) const fn new(operation: &'a str, figure: Measurement) -> Self {
        Self { operation, measurement: figure, baseline: None, target: "" }
    }

    pub(crate) const fn with_baseline(self, what: &'a str, figure: Measurement) -> Self {
        Self { baseline: Some((what, figure)), ..self }
    }

    pub(crate) const fn with_target(self, target: &'a str) -> Self {
        Self { target, ..self }
    }

    pub(crate) fn print(&self) {
        println!("{self}");
    }
}

impl fmt::Display for TableRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, measurement: figure, target, .. } = self;
        write!(f, "| {operation} | {figure} |")?;
        match &self.baseline {
            Some((what, yardstick)) => write!(f, " {what}: {yardstick} | {} |", Ratio(*figure, *yardstick))?,
            None => write!(f, " | |")?,
        }
        if target.is_empty() { write!(f, " |") } else { write!(f, " {target} |") }
    }
}

impl Measurement {
    fn as_number(self) -> Option<f64> {
        match self {
            Self::Rate(bytes, time) => Some(bytes as f64 / time.as_secs_f64()),
            Self::Time(time) => Some(time.as_secs_f64()),
            Self::Bytes(bytes) => Some(bytes as f64),
            Self::CpuShare(share) => Some(share),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(bytes, time) => write!(f, "{:.0} MB/s", *bytes as f64 / 1e6 / time.as_secs_f64()),
            Self::Time(time) => write!(f, "{time:.2?}"),
            Self::Bytes(bytes) => write!(f, "{:.1} MiB", *bytes as f64 / f64::from(1 << 20)),
            Self::CpuShare(share) => write!(f, "{:.2} %", share * 100.0),
            Self::Unknown => write!(f, "not measured here"),
        }
    }
}

/// A figure as a multiple of another.
struct Ratio(Measurement, Measurement);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_number(), self.1.as_number()) {
            (Some(ours), Some(theirs)) if ours < theirs / 100.0 => write!(f, "under 0.01"),
            (Some(ours), Some(theirs)) => write!(f, "{:.2}", ours / theirs),
            _ => Ok(()),
        }
    }
}

/// The shortest of some runs.
pub(crate) fn best_time<T>(run: impl FnMut() -> T) -> Duration {
    best_time_of(RUNS, run)
}

/// The shortest of so many runs, where one is long.
pub(crate) fn best_time_of<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    (0..runs).map(|_| measure_time(&mut run)).min().unwrap()
}

/// How long one run took.
pub(crate) fn measure_time<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(run());
    start.elapsed()
}
