//! One row of the table, and how what was measured is printed: rates, times, bytes, shares.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Runs of a measurement; the best counts, because everything else on a machine only makes it slower.
const RUNS: usize = 5;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Figure {
    /// So many bytes in that time. Of rates alone, more is better.
    Rate(u64, Duration),
    Time(Duration),
    Bytes(u64),
    /// Of one core.
    Share(f64),
    /// This system does not tell.
    Unknown,
}

/// An operation beside its yardstick.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    operation: &'a str,
    figure: Figure,
    yardstick: Option<(&'a str, Figure)>,
    target: &'a str,
}

impl<'a> Row<'a> {
    pub(crate) const HEAD: &'static str =
        "| operation | figure | yardstick | ratio | target |\n| --- | --- | --- | --- | --- |";

    pub(crate) const fn new(operation: &'a str, figure: Figure) -> Self {
        Self { operation, figure, yardstick: None, target: "" }
    }

    pub(crate) const fn beside(self, what: &'a str, figure: Figure) -> Self {
        Self { yardstick: Some((what, figure)), ..self }
    }

    pub(crate) const fn target(self, target: &'a str) -> Self {
        Self { target, ..self }
    }

    pub(crate) fn print(&self) {
        println!("{self}");
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, figure, target, .. } = self;
        write!(f, "| {operation} | {figure} |")?;
        match &self.yardstick {
            Some((what, yardstick)) => write!(f, " {what}: {yardstick} | {} |", Ratio(*figure, *yardstick))?,
            None => write!(f, " | |")?,
        }
        if target.is_empty() { write!(f, " |") } else { write!(f, " {target} |") }
    }
}

impl Figure {
    fn number(self) -> Option<f64> {
        match self {
            Self::Rate(bytes, time) => Some(bytes as f64 / time.as_secs_f64()),
            Self::Time(time) => Some(time.as_secs_f64()),
            Self::Bytes(bytes) => Some(bytes as f64),
            Self::Share(share) => Some(share),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(bytes, time) => write!(f, "{:.0} MB/s", *bytes as f64 / 1e6 / time.as_secs_f64()),
            Self::Time(time) => write!(f, "{time:.2?}"),
            Self::Bytes(bytes) => write!(f, "{:.1} MiB", *bytes as f64 / f64::from(1 << 20)),
            Self::Share(share) => write!(f, "{:.2} %", share * 100.0),
            Self::Unknown => write!(f, "not measured here"),
        }
    }
}

/// A figure as a multiple of another.
struct Ratio(Figure, Figure);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.number(), self.1.number()) {
            (Some(ours), Some(theirs)) if ours < theirs / 100.0 => write!(f, "under 0.01"),
            (Some(ours), Some(theirs)) => write!(f, "{:.2}", ours / theirs),
            _ => Ok(()),
        }
    }
}

/// The shortest of some runs.
pub(crate) fn best<T>(run: impl FnMut() -> T) -> Duration {
    best_of(RUNS, run)
}

/// The shortest of so many runs, where one is long.
pub(crate) fn best_of<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    (0..runs).map(|_| timed(&mut run)).min().unwrap()
}

/// How long one run took.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(run());
    start.elapsed()
}
