//! Scanning and classifying a log of version 1 or 2: all readers agree on any bytes.

use super::fuzz_input::FuzzInput;
use super::memory_disk::MemoryDisk;
use super::readers::check_readers;
use super::sample_logs::{LOG, SampleVersion, framed_log, sample_log};

pub(super) fn check(data: &[u8]) {
    let mut input = FuzzInput::new(data);
    let settings = input.byte();
    let part_bytes = 1 + u64::from(input.byte());
    let sample = sample_log(SampleVersion::of_bit(settings & 0x20));
    let bytes = match settings % 3 {
        0 => input.rest().to_vec(),
        1 => framed_log(sample, &mut input),
        _ => {
            let mut bytes = sample.log.clone();
            input.edit(&mut bytes);
            bytes
        }
    };
    let threads = if settings & 0xC0 == 0xC0 { 2 } else { 1 };
    check_readers(&MemoryDisk::with_files(&[(LOG, &bytes)]), threads, part_bytes);
}
