//! Polls the folder of a log for segments that other processes remove, restore, or move into the folder or out of it.

use std::time::SystemTime;

use crate::file::SegmentSet;
use crate::format::base_of_segment_file;
use crate::inspect::LogView;
use crate::tui::message::LogChange;

/// The segments of a log whose files were in its folder at the last poll.
#[derive(Debug, Default)]
pub(super) struct FolderWatcher {
    /// When the folder was last changed before the last poll; `None` before the first one, and for a log in one file.
    changed_at: Option<SystemTime>,
    /// The bases of the files with the name of a segment, ascending.
    files: Vec<u64>,
}

impl FolderWatcher {
    /// Returns how the segments have changed since the last poll, other than by rolling. `log_start` is the start of the log as
    /// it was reported last. The folder is listed only after a name in it has changed.
    pub(super) fn poll(&mut self, view: &LogView, log_start: u64) -> Option<LogChange> {
        let segments = view.segments()?;
        let changed_at = folder_changed_at(view);
        let is_first = self.changed_at.is_none();
        let earlier = if changed_at == self.changed_at { None } else { Some(std::mem::take(&mut self.files)) };
        if let Some(earlier) = &earlier {
            self.changed_at = changed_at;
            self.files = list_segments(view, segments);
            if is_first {
                // The log has the segments that its opening has found, unless they have changed since.
                return None;
            }
            if segments.log_start() == log_start {
                let last = earlier.last().copied().unwrap_or_default();
                let is_sealed = |base: &&u64| (log_start..last).contains(*base);
                let is_same = earlier.iter().filter(is_sealed).eq(self.files.iter().filter(is_sealed));
                return (!is_same).then_some(LogChange::SegmentFilesChanged);
            }
        }
        match segments.log_start() {
            start if start > log_start => Some(LogChange::SegmentsRemoved(start)),
            start if start < log_start => Some(LogChange::SegmentsRestored(start)),
            _ => None,
        }
    }
}

/// Returns when a name in the folder of a log was last added, removed or replaced; `None` for a log in one file.
pub(super) fn folder_changed_at(view: &LogView) -> Option<SystemTime> {
    std::fs::metadata(view.segments()?.folder()).ok()?.modified().ok()
}

/// Returns the bases of the files with the name of a segment, ascending.
fn list_segments(view: &LogView, segments: &dyn SegmentSet) -> Vec<u64> {
    let files = view.disk().list(segments.folder()).unwrap_or_default();
    files.iter().filter_map(|path| base_of_segment_file(path)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::EventLog;
    use crate::file::OsDisk;
    use crate::format::Event;
    use crate::log::OpenOptions;

    /// A write can carry the time of the write before it, when both happen within one tick of the clock.
    fn age_folder(folder: &Path) {
        let file = fs::File::open(folder).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    fn append(log: &mut EventLog, events: u64) {
        let event = Event::builder().event_type("A").namespace("n").schema_id("S").schema_version(1);
        let event = event.payload_json("{}").no_aggregate().build().unwrap();
        for _ in 0..events {
            log.append(&event).unwrap();
        }
    }

    #[test]
    fn files_that_are_moved_and_segments_that_are_removed_are_reported_once_and_rolling_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = OpenOptions::new().segment_size(1024).create(&path).unwrap();
        append(&mut log, 60);
        let view = LogView::open(Arc::new(OsDisk), &path, None).unwrap();
        let mut watcher = FolderWatcher::default();
        let mut poll = |log_start: u64| {
            let changes = [watcher.poll(&view, log_start), watcher.poll(&view, log_start)];
            age_folder(&path);
            // The next poll lists the folder again, and finds nothing new.
            assert_eq!(watcher.poll(&view, view.segments().unwrap().log_start()), None);
            changes
        };
        age_folder(&path);
        assert_eq!(poll(0), [None, None]);
        append(&mut log, 60);
        view.log().len().unwrap();
        assert_eq!(poll(0), [None, None], "the log has rolled");
        let bases = view.segment_bases();
        let file = view.segments().unwrap().segment_path(bases[1]);
        let aside = folder.path().join("aside");
        fs::rename(&file, &aside).unwrap();
        assert_eq!(poll(0), [Some(LogChange::SegmentFilesChanged), None]);
        fs::rename(&aside, &file).unwrap();
        assert_eq!(poll(0), [Some(LogChange::SegmentFilesChanged), None]);
        log.remove_before(bases[2]).unwrap();
        view.log().len().unwrap();
        assert_eq!(poll(0)[0], Some(LogChange::SegmentsRemoved(bases[2])));
        log.undo_removal().unwrap();
        view.log().len().unwrap();
        assert_eq!(poll(bases[2])[0], Some(LogChange::SegmentsRestored(0)));
        drop(log);
    }
}
