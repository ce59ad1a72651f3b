//! Measures correction from the checksum: damages frames in several ways, and counts how often the proposed correction
//! is right, wrong, undecided or missing.
//!
//! `benches/correction` runs it and describes its options. It fails when more corrections are wrong than
//! docs/correction.md promises; [`exceeded_limits`] contains the limits.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark may panic when it fails, and prints its result"
)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, fs};

use chronicle::repair::{Candidate, Certainty, NeighbourTimes, find_correction};
use serde::{Deserialize, Serialize};

/// Sizes of the damaged frames, in bytes.
const FRAME_SIZES: [usize; 5] = [200, 1 << 10, 4 << 10, 16 << 10, 64 << 10];
/// Number of damaged copies of one frame.
const DAMAGES_PER_FRAME: u64 = 16;
/// Number of frames between two saves of the tally, which take about a minute.
const FRAMES_PER_ROUND: u64 = 10_000;
/// Size in bytes of the length field before the payload, and of the checksum field after it.
const FIELD_LEN: usize = 4;

const DAMAGE_METHODS: [DamageMethod; 10] = [
    DamageMethod::Bits(1),
    DamageMethod::Bits(2),
    DamageMethod::Noise(1),
    DamageMethod::Text(1),
    DamageMethod::Noise(2),
    DamageMethod::Text(2),
    DamageMethod::Noise(3),
    DamageMethod::Text(3),
    DamageMethod::Noise(4),
    DamageMethod::Text(4),
];

/// A way to damage a frame, at a random position in its payload or checksum field.
#[derive(Debug, Clone, Copy)]
enum DamageMethod {
    /// Flips this many bits at independent positions.
    Bits(usize),
    /// Replaces this many adjacent bytes by random other bytes.
    Noise(usize),
    /// Replaces this many adjacent bytes by random other printable ASCII characters.
    Text(usize),
}

impl fmt::Display for DamageMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, unit, content) = match self {
            Self::Bits(n) => (n, "bit", ""),
            Self::Noise(n) => (n, "byte", ", noise"),
            Self::Text(n) => (n, "byte", ", text"),
        };
        write!(f, "{n} {unit}{}{content}", if *n == 1 { "" } else { "s" })
    }
}

impl DamageMethod {
    fn apply(self, frame: &mut [u8], random: &mut SplitMix64) {
        match self {
            Self::Bits(n) => {
                let mut bits: Vec<usize> = Vec::new();
                while bits.len() < n {
                    let bit = 8 * FIELD_LEN + random.below(8 * (frame.len() - FIELD_LEN));
                    if !bits.contains(&bit) {
                        bits.push(bit);
                        frame[bit / 8] ^= 1 << (bit % 8);
                    }
                }
            }
            Self::Noise(n) => replace_bytes(frame, n, random, 0, 256),
            Self::Text(n) => replace_bytes(frame, n, random, 0x20, 0x7f - 0x20),
        }
    }

    /// Returns true for damage that must never lead to a correction that is proven and wrong.
    fn forbids_wrong_proof(self) -> bool {
        matches!(self, Self::Bits(_) | Self::Noise(1) | Self::Text(1))
    }
}

fn replace_bytes(frame: &mut [u8], n: usize, random: &mut SplitMix64, first: u8, count: usize) {
    let at = FIELD_LEN + random.below(frame.len() - FIELD_LEN - n + 1);
    for byte in &mut frame[at..at + n] {
        let old = *byte;
        while *byte == old {
            *byte = first + random.below(count) as u8;
        }
    }
}

/// The random number generator `SplitMix64` (G. L. Steele, D. Lea, C. H. Flood, 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    /// Returns a random number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * bound as u128) >> 64) as usize
    }
}

const WORDS: [&str; 24] = [
    "order", "invoice", "paid", "on", "the", "Žofie", "Pérez", "street", "東京", "without", "a", "reply", "2nd", "of",
    "March", "naïve", "customer", "asked", "for", "refund", "because", "it", "arrived", "😀",
];

/// Builds a frame of exactly `size` bytes that holds an event with numbers, lists and words of several alphabets.
fn build_frame(size: usize, random: &mut SplitMix64) -> Vec<u8> {
    let kind = ["Created", "Updated", "Closed"][random.below(3)];
    let time = 1_766_718_274_106 + random.below(100_000_000);
    let id = random.below(100_000);
    let mut event = format!(
        r#"{{"write_timestamp_ms":{time},"event_type":"{kind}","namespace":"accounts","schema_id":"Person","schema_version":1,"aggregate_id":{id},"payload":{{"rows":["#
    );
    let end = size - 2 * FIELD_LEN;
    loop {
        let mut row = format!(
            r#"{{"id":{},"amount":{}.{:02},"note":""#,
            random.below(9_999_999),
            random.below(9999),
            random.below(100)
        );
        for _ in 0..3 + random.below(12) {
            row.push_str(WORDS[random.below(WORDS.len())]);
            row.push(' ');
        }
        row.push_str(r#"","tags":["new",true,null]},"#);
        if event.len() + row.len() + 40 > end {
            break;
        }
        event.push_str(&row);
    }
    event.push_str(r#"0],"code":""#);
    while event.len() + 3 < end {
        event.push(char::from(b'a' + random.below(26) as u8));
    }
    event.push_str("\"}}");
    assert_eq!(event.len(), end, "{event}");
    let mut frame = (end as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(event.as_bytes());
    let checksum = crc32fast::hash(&frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
    frame
}

/// The number of damages with each outcome, for one row of the table.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct OutcomeCounts {
    proven: u64,
    likely: u64,
    /// A choice that contains the original bytes.
    choice: u64,
    /// A choice that does not contain the original bytes.
    #[serde(rename = "choice_without")]
    choice_without_truth: u64,
    /// No correction was proposed.
    refused: u64,
    proven_wrong: u64,
    likely_wrong: u64,
}

impl OutcomeCounts {
    fn record_outcome(&mut self, original: &[u8], damaged: &[u8]) {
        let found = find_correction(damaged, NeighbourTimes::default());
        let restores_original = |candidate: &Candidate| {
            let mut frame = damaged.to_vec();
            for change in &candidate.changes {
                let at = change.offset as usize;
                assert_eq!(frame[at..at + change.before.len()], change.before);
                frame[at..at + change.after.len()].copy_from_slice(&change.after);
            }
            frame == original
        };
        let is_right = found.candidates.iter().any(restores_original);
        *match (found.certainty, is_right) {
            (Some(Certainty::Proven), true) => &mut self.proven,
            (Some(Certainty::Proven), false) => &mut self.proven_wrong,
            (Some(Certainty::Likely), true) => &mut self.likely,
            (Some(Certainty::Likely), false) => &mut self.likely_wrong,
            (Some(Certainty::Choice), true) => &mut self.choice,
            (Some(Certainty::Choice), false) => &mut self.choice_without_truth,
            (None, _) => &mut self.refused,
        } += 1;
    }

    fn add(&mut self, other: Self) {
        self.proven += other.proven;
        self.likely += other.likely;
        self.choice += other.choice;
        self.choice_without_truth += other.choice_without_truth;
        self.refused += other.refused;
        self.proven_wrong += other.proven_wrong;
        self.likely_wrong += other.likely_wrong;
    }

    fn total(self) -> u64 {
        let right = self.proven + self.likely + self.choice;
        right + self.choice_without_truth + self.refused + self.proven_wrong + self.likely_wrong
    }
}

/// A row of the table: the outcomes of one damage method for frames of one size.
#[derive(Debug, Clone, Copy)]
struct OutcomeRow {
    method: DamageMethod,
    size: usize,
    counts: OutcomeCounts,
}

impl OutcomeRow {
    /// Returns the probability that a random checksum difference is explained by a single bit of the frame.
    fn single_bit_chance(&self) -> f64 {
        8.0 * self.size as f64 / 4_294_967_296.0
    }

    /// Returns true when more corrections are proven and wrong than the documented probability and four standard
    /// deviations explain.
    fn is_proven_wrong_too_often(&self) -> bool {
        let expected = self.single_bit_chance() * self.counts.total() as f64;
        let limit = if self.method.forbids_wrong_proof() { 0.0 } else { expected + 4.0 * expected.sqrt() + 1.0 };
        self.counts.proven_wrong as f64 > limit
    }
}

/// Returns a sentence for each documented limit that the rows exceed.
fn exceeded_limits(rows: &[OutcomeRow]) -> Vec<String> {
    let proven = rows.iter().filter(|row| row.is_proven_wrong_too_often());
    let proven =
        proven.map(|row| format!("{} in {} B: too many corrections are proven and wrong", row.method, row.size));
    // The rows of one method are adjacent.
    let likely = rows.chunks(FRAME_SIZES.len()).filter_map(|of_method| {
        let mut counts = OutcomeCounts::default();
        for row in of_method {
            counts.add(row.counts);
        }
        let too_often = counts.likely_wrong > 0 && counts.likely_wrong * 100 >= counts.total();
        too_often.then(|| format!("{}: at least 1 in 100 corrections is likely and wrong", of_method[0].method))
    });
    proven.chain(likely).collect()
}

impl fmt::Display for OutcomeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (counts, total) = (self.counts, self.counts.total() as f64);
        let size = if self.size < 1024 { format!("{} B", self.size) } else { format!("{} KiB", self.size >> 10) };
        write!(f, "| {} | {size}", self.method)?;
        let shares = [counts.proven, counts.likely, counts.choice, counts.choice_without_truth, counts.refused];
        for count in shares {
            write!(f, " | {:.2}", 100.0 * count as f64 / total)?;
        }
        let wrong = 100.0 * counts.likely_wrong as f64 / total;
        write!(f, " | {} | {wrong:.3} | {:.1e} |", counts.proven_wrong, self.single_bit_chance())
    }
}

/// The progress of a run. An interrupted run continues from its saved tally.
#[derive(Debug, Serialize, Deserialize)]
struct BenchTally {
    /// Frames damaged so far.
    frames: u64,
    /// Time taken so far.
    #[serde(rename = "took")]
    elapsed: Duration,
    /// The outcomes, row by row.
    counts: Vec<OutcomeCounts>,
}

impl BenchTally {
    /// Loads the tally from the file that `CHRONICLE_BENCH_TALLY` names; an empty tally if no file exists.
    fn load() -> (Option<PathBuf>, Self) {
        let path = std::env::var_os("CHRONICLE_BENCH_TALLY").map(PathBuf::from);
        let no_counts = vec![OutcomeCounts::default(); DAMAGE_METHODS.len() * FRAME_SIZES.len()];
        let text = path.as_ref().filter(|path| path.exists()).map(|path| fs::read(path).unwrap());
        let tally = text.map(|text| serde_json::from_slice(&text).unwrap());
        (path, tally.unwrap_or(Self { frames: 0, elapsed: Duration::ZERO, counts: no_counts }))
    }

    /// Replaces the saved tally with this one.
    fn save(&self, path: &PathBuf) {
        let new = path.with_extension("new");
        fs::write(&new, serde_json::to_vec(self).unwrap()).unwrap();
        fs::rename(&new, path).unwrap();
    }
}

fn main() -> ExitCode {
    let damages = std::env::var("CHRONICLE_BENCH_DAMAGES").ok().map(|text| text.replace('_', ""));
    let damages: u64 = damages.map_or(50_000, |text| text.parse().unwrap());
    let (path, mut tally) = BenchTally::load();
    let frames_per_row = damages.div_ceil(DAMAGES_PER_FRAME * tally.counts.len() as u64).max(1);
    let frames = frames_per_row * tally.counts.len() as u64;
    while tally.frames < frames {
        let start = Instant::now();
        let count = (frames - tally.frames).min(FRAMES_PER_ROUND);
        measure(&mut tally, count);
        tally.elapsed += start.elapsed();
        if let Some(path) = &path {
            tally.save(path);
        }
    }
    let cells = DAMAGE_METHODS.iter().flat_map(|method| FRAME_SIZES.map(|size| (*method, size)));
    let rows: Vec<OutcomeRow> =
        cells.zip(&tally.counts).map(|((method, size), counts)| OutcomeRow { method, size, counts: *counts }).collect();
    let total: u64 = rows.iter().map(|row| row.counts.total()).sum();
    println!(
        "{total} damages, {} per row, in {:.0?}. Values are per cent; proven and wrong is a count.\n",
        total / rows.len() as u64,
        tally.elapsed
    );
    println!(
        "| damage | frame | proven | likely | choice with the true bytes | choice without them | refused | proven and wrong | likely and wrong | bits / 2^32 |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for row in &rows {
        println!("{row}");
    }
    let exceeded = exceeded_limits(&rows);
    println!(
        "\n{}",
        if exceeded.is_empty() {
            "All results are within the documented limits.".to_owned()
        } else {
            exceeded.join("\n")
        }
    );
    if exceeded.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures the next `count` frames on all cores, one for each row in turn.
///
/// The number of a frame determines its contents and its damage, so the table does not depend on the number of threads.
fn measure(tally: &mut BenchTally, count: u64) {
    let (next, end) = (AtomicU64::new(tally.frames), tally.frames + count);
    let counts = Mutex::new(&mut tally.counts);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end {
                return;
            }
            let row = (number % (DAMAGE_METHODS.len() * FRAME_SIZES.len()) as u64) as usize;
            let outcomes = count_outcomes(
                DAMAGE_METHODS[row / FRAME_SIZES.len()],
                FRAME_SIZES[row % FRAME_SIZES.len()],
                SplitMix64(number << 20),
            );
            counts.lock().unwrap()[row].add(outcomes);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    tally.frames = end;
}

/// Damages a frame of `size` bytes [`DAMAGES_PER_FRAME`] times, each time from the original, and counts the outcomes.
fn count_outcomes(method: DamageMethod, size: usize, mut random: SplitMix64) -> OutcomeCounts {
    let original = build_frame(size, &mut random);
    let mut counts = OutcomeCounts::default();
    for _ in 0..DAMAGES_PER_FRAME {
        let mut damaged = original.clone();
        method.apply(&mut damaged, &mut random);
        counts.record_outcome(&original, &damaged);
    }
    counts
}
