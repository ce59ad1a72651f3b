//! The rows of the table, and the measurements in them: rates, times, sizes and CPU shares.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Number of runs of a measurement. The best run counts, because other work on the machine can only make a run slower.
const RUNS: usize = 5;

/// The result of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Measurement {
    /// Number of bytes processed in a time. A higher rate is better; for all other measurements, a lower value is
    /// better.
    Rate(u64, Duration),
    Time(Duration),
    Bytes(u64),
    /// The share of one core, from 0 to 1.
    CpuShare(f64),
    /// The operating system does not provide the figure.
    Unknown,
}

/// One row: an operation, its measurement, and a baseline to compare it with.
#[derive(Debug)]
pub(crate) struct TableRow<'a> {
    operation: &'a str,
    measurement: Measurement,
    baseline: Option<(&'a str, Measurement)>,
    target: &'a str,
}

impl<'a> TableRow<'a> {
    pub(crate) const TABLE_HEAD: &'static str =
        "| operation | figure | baseline | ratio | target |\n| --- | --- | --- | --- | --- |";

    pub(crate) const fn new(operation: &'a str, measurement: Measurement) -> Self {
        Self { operation, measurement, baseline: None, target: "" }
    }

    pub(crate) const fn with_baseline(self, name: &'a str, measurement: Measurement) -> Self {
        Self { baseline: Some((name, measurement)), ..self }
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
        let Self { operation, measurement, baseline, target } = self;
        write!(f, "| {operation} | {measurement} |")?;
        match baseline {
            Some((name, base)) => write!(f, " {name}: {base} | {} |", Ratio(*measurement, *base))?,
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

/// The first measurement divided by the second.
struct Ratio(Measurement, Measurement);

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_number(), self.1.as_number()) {
            (Some(measured), Some(base)) if measured < base / 100.0 => write!(f, "under 0.01"),
            (Some(measured), Some(base)) => write!(f, "{:.2}", measured / base),
            _ => Ok(()),
        }
    }
}

/// Returns the time of the best of [`RUNS`] runs.
pub(crate) fn best_time<T>(run: impl FnMut() -> T) -> Duration {
    best_time_of(RUNS, run)
}

/// Returns the time of the best of `runs` runs, for operations that take long.
pub(crate) fn best_time_of<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    (0..runs).map(|_| measure_time(&mut run)).min().unwrap()
}

/// Returns the time of one run.
pub(crate) fn measure_time<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(run());
    start.elapsed()
}
