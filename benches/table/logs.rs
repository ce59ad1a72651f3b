//! The logs that are measured. They are generated unless an earlier run has left them, and each has a fresh index.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chronicle::EventLog;
use chronicle::inspect::{LogView, Progress, SurveyOptions, survey};
use chronicle::internal::sample::{GeneratorOptions, LogLength, generate};
use chronicle::storage::OsDisk;

use crate::row::{Measurement, measure_time};

/// Offset of the first frame.
pub(crate) const HEADER_LEN: u64 = 16;
/// Size of the vast log. It is a sparse file: all but one MiB at each end is a hole.
const VAST_BYTES: u64 = 100 << 30;

/// The paths of the logs. For the same size their bytes are always the same.
pub(crate) struct BenchLogs {
    pub(crate) folder: PathBuf,
    /// A log of 1 MiB, the baseline of operations that cost the same at any size.
    pub(crate) small: PathBuf,
    /// A log of the requested size.
    pub(crate) big: PathBuf,
    /// A sparse log of [`VAST_BYTES`].
    pub(crate) vast: PathBuf,
    /// The worst case of resynchronisation: every second byte could start a frame of up to 16 MiB, and none does.
    pub(crate) hostile: PathBuf,
}

impl BenchLogs {
    pub(crate) fn open_or_create(folder: PathBuf, mib: u64) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let [small, big] = [1, mib].map(|mib| folder.join(format!("bench-{mib}.log")));
        let (vast, hostile) = (folder.join("vast.log"), folder.join("hostile.log"));
        make_log(&small, 1 << 20);
        make_log(&big, mib << 20);
        make_vast(&vast, &small);
        make_hostile(&hostile);
        Self { folder, small, big, vast, hostile }
    }

    /// Returns a path in the folder at which no file exists.
    pub(crate) fn unused_path(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        // The file exists when an earlier run has left it.
        let _ = fs::remove_file(&path);
        path
    }
}

pub(crate) fn file_size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn make_log(path: &Path, bytes: u64) {
    if fs::metadata(path).is_ok_and(|found| found.len() * 100 >= bytes * 99) {
        return EventLog::open_read_only(path).unwrap().save_index().unwrap();
    }
    let _ = fs::remove_file(path);
    let options =
        GeneratorOptions { length: LogLength::Bytes(bytes), aggregates: 100_000, ..GeneratorOptions::default() };
    let on_progress = &mut |_: Progress| ControlFlow::Continue(());
    let time = measure_time(|| generate(&OsDisk, path, &options, on_progress).unwrap());
    println!("{}: generated at {}", path.display(), Measurement::Rate(file_size(path), time));
    EventLog::open_read_only(path).unwrap().save_index().unwrap();
}

/// Creates a log of the small log's bytes, a hole, and the small log's frames again.
///
/// The index is built by surveys that skip the hole, because reading it would take minutes. Opening a log does not read
/// it.
fn make_vast(path: &Path, small: &Path) {
    let bytes = fs::read(small).unwrap();
    let frames = &bytes[HEADER_LEN as usize..];
    let second_copy = VAST_BYTES - frames.len() as u64;
    let mut file = File::create(path).unwrap();
    file.write_all(&bytes).unwrap();
    file.seek(SeekFrom::Start(second_copy)).unwrap();
    file.write_all(frames).unwrap();
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let mut index = view.empty_index();
    let before_hole = SurveyOptions::new().until(bytes.len() as u64);
    let after_hole = SurveyOptions::new().from(second_copy);
    for options in [before_hole, after_hole] {
        survey(&view, &options, Some(&mut index), &mut |_| ControlFlow::Continue(())).unwrap();
    }
    chronicle::internal::index::save(&OsDisk, view.index_path(), view.log(), &index).unwrap();
}

fn make_hostile(path: &Path) {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path).unwrap();
    let mut random = 1u64;
    let mut byte = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if random >> 63 == 0 { 0x00 } else { 0xff }
    };
    let bytes: Vec<u8> = (0..32 << 20).map(|_| byte()).collect();
    file.write_all(&chronicle::LogHeader::new(0).encode()).unwrap();
    file.write_all(&bytes).unwrap();
}
