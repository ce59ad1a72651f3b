//! Measures appends of several threads to one log. The baseline is one thread, in runs that take turns with those of eight.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chronicle::storage::{Disk, FileIdentity, OpenMode, OsDisk, Ownership, PathEntry, Storage, WriterPresence};
use chronicle::{Durability, OpenOptions, SharedWriter};

use crate::logs::BenchLogs;
use crate::row::{Measurement, TableRow, measure_time};
use crate::writing::sample_event;

const THREADS: u32 = 8;
/// Number of runs of one thread and of eight, which take turns.
const RUNS: usize = 7;
/// Number of events that all threads of a run append without syncing.
const BUFFERED_APPENDS: u32 = 200_000;
/// Number of events that all threads of a run append and sync one by one.
const SYNCED_APPENDS: u32 = 400;
/// The time that a sync of the simulated disk sleeps.
const SYNC_TIME: Duration = Duration::from_micros(100);

pub(crate) fn measure(logs: &BenchLogs) {
    let os: Arc<dyn Disk> = Arc::new(OsDisk);
    let slow: Arc<dyn Disk> = Arc::new(SleepingDisk);
    measure_row("append, 8 threads", "1.0", logs, &os, Durability::Buffered);
    measure_row("append_sync, 8 threads", "0.2", logs, &os, Durability::Synced);
    measure_row("append_sync, 8 threads, a sync sleeps 100 µs", "0.2", logs, &slow, Durability::Synced);
}

/// Prints the time per event of eight threads beside that of one, and the lowest and the highest ratio of two runs in turn.
fn measure_row(operation: &str, target: &str, logs: &BenchLogs, disk: &Arc<dyn Disk>, durability: Durability) {
    let events = if durability == Durability::Synced { SYNCED_APPENDS } else { BUFFERED_APPENDS };
    let mut pairs: Vec<(Duration, Duration)> = (0..RUNS)
        .map(|_| (append_from(THREADS, events, logs, disk, durability), append_from(1, events, logs, disk, durability)))
        .collect();
    let ratio = |(eight, one): &(Duration, Duration)| eight.as_secs_f64() / one.as_secs_f64();
    pairs.sort_by(|first, second| ratio(first).total_cmp(&ratio(second)));
    let (lowest, highest) = (ratio(&pairs[0]), ratio(&pairs[RUNS - 1]));
    let (eight, one) = pairs[RUNS / 2];
    let baseline = format!("one thread ({RUNS} runs, ratios {lowest:.2} to {highest:.2})");
    TableRow::new(operation, Measurement::Time(eight / events))
        .with_baseline(&baseline, Measurement::Time(one / events))
        .with_target(target)
        .print();
}

/// Returns the time in which several threads append `events` events in all to a new log.
fn append_from(threads: u32, events: u32, logs: &BenchLogs, disk: &Arc<dyn Disk>, durability: Durability) -> Duration {
    let path = logs.unused_path("shared.log");
    let log = OpenOptions::new().disk(disk.clone()).create(&path).unwrap();
    let (writer, event) = (log.shared_writer().unwrap(), sample_event());
    let append = &|writer: &SharedWriter| match durability {
        Durability::Synced => writer.append_sync(&event),
        _ => writer.append(&event),
    };
    let time = measure_time(|| {
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let writer = writer.clone();
                scope.spawn(move || (0..events / threads).try_for_each(|_| append(&writer).map(|_| ())).unwrap());
            }
        });
    });
    drop((writer, log));
    fs::remove_file(path).unwrap();
    time
}

/// The disk of this machine, with a sync that only sleeps.
#[derive(Debug)]
struct SleepingDisk;

/// A file of [`SleepingDisk`].
#[derive(Debug)]
struct SleepingFile(Arc<dyn Storage>);

impl Disk for SleepingDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(SleepingFile(OsDisk.open(path, mode)?)))
    }

    fn create_anonymous_file(&self, folder: Option<&Path>) -> io::Result<Arc<dyn Storage>> {
        OsDisk.create_anonymous_file(folder)
    }

    fn identity(&self, path: &Path) -> io::Result<FileIdentity> {
        OsDisk.identity(path)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        OsDisk.resolve(path)
    }

    fn entry(&self, path: &Path) -> io::Result<PathEntry> {
        OsDisk.entry(path)
    }

    fn user(&self) -> Option<u32> {
        OsDisk.user()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        OsDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        OsDisk.remove(path)
    }

    fn create_folder(&self, path: &Path, permissions_from: &Path) -> io::Result<()> {
        OsDisk.create_folder(path, permissions_from)
    }

    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        OsDisk.list(folder)
    }
}

impl Storage for SleepingFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.append(bytes)
    }

    fn append_end(&self) -> io::Result<u64> {
        self.0.append_end()
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        std::thread::sleep(SYNC_TIME);
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.0.try_lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.0.unlock()
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        self.0.identity()
    }

    fn ownership(&self) -> io::Result<Option<Ownership>> {
        self.0.ownership()
    }

    fn detect_writer(&self) -> WriterPresence {
        self.0.detect_writer()
    }
}
