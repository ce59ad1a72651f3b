//! Reading and migrating a log of version 0: nothing changes it, and the migrated log has every readable event.

use std::ops::ControlFlow;

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use super::readers::{check_readers, read_events, survey_log};
use super::sample_logs::{LOG, LOG_ID, SampleVersion, open_read_only, open_view, options, sample_log};
use crate::StorageError;
use crate::format::event::upgrade_v0_timestamp_key;
use crate::format::{NewLogFormat, Version};
use crate::inspect::SurveyOptions;
use crate::repair::{CopyOptions, RepairOptions, migrate, plan_repair};

const COPY: &str = "/data/copy.log";

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let settings = input.byte();
    let bytes = match settings % 3 {
        0 => input.rest().to_vec(),
        1 => framed_log(&mut input),
        _ => {
            let mut bytes = sample_log(SampleVersion::V1).version_0.clone();
            input.edit(&mut bytes);
            bytes
        }
    };
    let disk = MemoryDisk::with_files(&[(LOG, &bytes)]);
    check_readers(&disk, 1, 1 << 10);
    let Ok(log) = open_read_only(&disk) else { return };
    if log.view().log().version() != Version::V0 {
        return;
    }
    let refused = plan_repair(log.view(), &RepairOptions::new(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(StorageError::Version0ReadOnly { .. })), "{refused:?}");
    let refused = options(&disk).open(LOG);
    assert!(matches!(refused, Err(StorageError::Version0ReadOnly { .. })), "{refused:?}");
    let mut copy_options = CopyOptions::new(COPY);
    copy_options.accept_likely = settings & 0x80 != 0;
    if settings & 0x40 != 0 {
        copy_options = copy_options.format(NewLogFormat::V2(LOG_ID));
    }
    let summary = migrate(log.view(), &copy_options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(disk.get(LOG).unwrap(), bytes, "the log of version 0 is only read");
    let copied = options(&disk).open_read_only(COPY).unwrap();
    let (events, others) = read_events(&copied);
    assert_eq!((events.len() as u64, others), (summary.events_kept + summary.events_restored, 0));
    assert_eq!(survey_log(&open_view(&disk, COPY).unwrap(), &SurveyOptions::new()).damage_total, 0);
    let mut unmatched = events.iter();
    for event in read_events(&log).0 {
        let json = upgrade_v0_timestamp_key(event.json());
        assert!(unmatched.any(|copy| copy.json() == json), "the copy lacks the event at {}", event.offset());
    }
}

/// Builds a log of version 0 from frames that the input describes.
fn framed_log(input: &mut FuzzInput) -> Vec<u8> {
    let mut log = Vec::new();
    while !input.is_empty() {
        let kind = input.byte();
        let payload = match kind % 3 {
            0 => input.chunk().to_vec(),
            kind => event_json(kind == 1, input.byte(), input.chunk()),
        };
        let length = if (kind / 3).is_multiple_of(8) { u32::from(input.byte()) } else { payload.len() as u32 };
        log.extend_from_slice(&length.to_be_bytes());
        log.extend_from_slice(&payload);
    }
    log
}

/// Returns the JSON of an event with these bytes as its payload, and with the time as `timestamp_ms` if `is_oldest`.
fn event_json(is_oldest: bool, time: u8, payload: &[u8]) -> Vec<u8> {
    let name = if is_oldest { "timestamp_ms" } else { "write_timestamp_ms" };
    let head = format!(
        r#"{{"{name}":{time},"event_type":"T","namespace":"n","schema_id":"s","schema_version":1,"aggregate_id":{},"payload":"#,
        time % 5,
    );
    [head.as_bytes(), payload, b"}"].concat()
}
