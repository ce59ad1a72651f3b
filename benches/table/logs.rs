//! The logs that are measured, made when they are not there from an earlier run, each with a fresh index beside it.

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

/// Where the first frame stands.
pub(crate) const HEADER_LEN: u64 = 16;
/// The size of the vast log. All of it but a mebibyte at each end is a hole in a sparse file.
const VAST_BYTES: u64 = 100 << 30;

/// The logs of the measurements: always the same bytes for the same size.
pub(crate) struct BenchLogs {
    pub(crate) folder: PathBuf,
    /// 1 MiB, the yardstick of what costs the same at any size.
    pub(crate) small: PathBuf,
    /// Of the size that was asked for.
    pub(crate) big: PathBuf,
    pub(crate) vast: PathBuf,
    /// What no log recovers from quickly: each other byte begins the length of a frame of up to 16 MiB, and none is one.
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

    /// A path in the folder at which nothing stands.
    pub(crate) fn unused_path(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        // There from an earlier run, or not.
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
    let recipe =
        GeneratorOptions { length: LogLength::Bytes(bytes), aggregates: 100_000, ..GeneratorOptions::default() };
    let go = &mut |_: Progress| ControlFlow::Continue(());
    let time = measure_time(|| generate(&OsDisk, path, &recipe, go).unwrap());
    println!("{}: generated at {}", path.display(), Measurement::Rate(file_size(path), time));
    EventLog::open_read_only(path).unwrap().save_index().unwrap();
}

/// The small log, a hole, and the small log's frames again. The index is the engine's own, over passes that leave the
/// hole out: reading it would take minutes, and opening does not ask what lies there.
fn make_vast(path: &Path, small: &Path) {
    let bytes = fs::read(small).unwrap();
    let frames = &bytes[HEADER_LEN as usize..];
    let again = VAST_BYTES - frames.len() as u64;
    let mut file = File::create(path).unwrap();
    file.write_all(&bytes).unwrap();
    file.seek(SeekFrom::Start(again)).unwrap();
    file.write_all(frames).unwrap();
    let view = LogView::open(Arc::new(OsDisk), path, None).unwrap();
    let mut index = view.empty_index();
    let before = SurveyOptions { until: Some(bytes.len() as u64), ..SurveyOptions::default() };
    let behind = SurveyOptions { from: Some(again), ..SurveyOptions::default() };
    for wish in [before, behind] {
        survey(&view, &wish, Some(&mut index), &mut |_| ControlFlow::Continue(())).unwrap();
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
