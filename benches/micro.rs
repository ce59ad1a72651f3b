//! Criterion benchmarks of the work that the engine does for every frame. Run them with `cargo bench --bench micro`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark may panic when it fails, and has no public documentation"
)]

use std::fs;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chronicle::internal::file::{LogFile, OpenMode, OsDisk, Scanner};
use chronicle::internal::format::frame::decode;
use chronicle::internal::format::{FrameFormat, Version, crc};
use chronicle::internal::sample::{GeneratorOptions, LogLength, generate};
use chronicle::storage::Disk;
use chronicle::{EventLog, EventView, LogHeader};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const HEADER_LEN: usize = 16;

criterion_group!(benches, frames, noise, lookups);
criterion_main!(benches);

fn frames(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = generate_log(folder.path(), 1);
    let bytes = fs::read(path).unwrap();
    let frame = &bytes[HEADER_LEN..];
    let payload = &frame[4..frame.len() - 4];
    let mut group = criterion.benchmark_group("frame");
    group.throughput(Throughput::Bytes(frame.len() as u64));
    group.bench_function("decode", |bench| bench.iter(|| decode(black_box(frame), FrameFormat::V1, 16)));
    group.throughput(Throughput::Bytes(payload.len() as u64));
    group.bench_function("parse", |bench| bench.iter(|| EventView::parse(black_box(payload), Version::V1).unwrap()));
    let bytes_300 = [b'x'; 300];
    group.throughput(Throughput::Bytes(bytes_300.len() as u64));
    group.bench_function("crc, 300 bytes", |bench| bench.iter(|| crc::checksum(black_box(&bytes_300))));
    group.finish();
}

/// Scans one MiB of random bytes, in which there is no frame.
fn noise(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.log");
    let mut bytes = LogHeader::new(0).encode().to_vec();
    let mut random = 1u64;
    bytes.extend((0..1 << 20).map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    }));
    fs::write(&path, &bytes).unwrap();
    let disk: Arc<dyn Disk> = Arc::new(OsDisk);
    let log = Arc::new(LogFile::open(&disk, &path, OpenMode::Read).unwrap());
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("1 MiB of random bytes", |bench| {
        bench.iter(|| {
            let mut scanner = Scanner::new(Arc::clone(&log), HEADER_LEN as u64..bytes.len() as u64);
            while let Some(item) = scanner.next_item().unwrap() {
                black_box(item.span());
            }
        });
    });
    group.finish();
}

fn lookups(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = generate_log(folder.path(), 100_000);
    let mut log = EventLog::open_read_only(&path).unwrap();
    log.save_index().unwrap();
    let index = log.index().unwrap();
    let ids: Vec<u64> = index.iter().map(|row| row.unwrap().id).collect();
    let mut next = ids.iter().cycle();
    criterion.bench_function("index, offsets of an aggregate", |bench| {
        bench.iter(|| index.offsets(*next.next().unwrap()).unwrap().count());
    });
}

/// Generates a log of `events` events, and returns its path.
fn generate_log(folder: &Path, events: u64) -> PathBuf {
    let path = folder.join("generated.log");
    let options =
        GeneratorOptions { length: LogLength::Events(events), aggregates: 10_000, ..GeneratorOptions::default() };
    generate(&OsDisk, &path, &options, &mut |_| ControlFlow::Continue(())).unwrap();
    path
}
