#![no_main]

use chronicle::internal::fuzz;

libfuzzer_sys::fuzz_target!(|data: &[u8]| chronicle_log_fuzz::run(fuzz::SEGMENTS, data));
