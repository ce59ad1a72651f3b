//! Tests of the library, through its public interface and `chronicle::internal`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    missing_docs,
    reason = "a failed test panics, and a skipped check prints the reason"
)]

mod engine {
    mod aggregate_events;
    mod aggregate_states;
    mod blocks;
    mod call_order;
    mod compactions;
    mod copies;
    mod crash;
    mod creations;
    mod cut_logs;
    mod damage;
    mod damage_work;
    mod diff;
    mod document;
    mod donor_headers;
    mod donors;
    mod erasures;
    mod examples;
    mod failed_repairs;
    mod file_start;
    mod fixtures;
    mod folder_creations;
    mod free_space;
    mod group_commit;
    mod header;
    mod histories;
    mod hits;
    mod import_cycles;
    mod imports;
    mod index;
    mod journals;
    mod key_names;
    mod library;
    mod log;
    mod lost_segments;
    mod manifest;
    mod many_segments;
    mod misnamed_segments;
    mod module_layers;
    mod moved_frames;
    mod moving_end;
    mod parts;
    mod pieces;
    mod query;
    mod reads;
    #[cfg(all(feature = "app", target_os = "linux"))]
    mod real_calls;
    mod repair_history;
    mod repair_properties;
    mod repaired_meanwhile;
    mod repairs;
    mod retention;
    mod rolling;
    mod samples;
    mod saved_plans;
    mod seen_end;
    mod segment_headers;
    mod segment_readers;
    mod segment_repair_properties;
    mod segments;
    mod shared_writer;
    mod sim_disk;
    mod soak;
    mod source_text;
    mod statistics;
    mod support;
    mod timelines;
    mod unrecorded_frames;
    mod version_2;
    mod vocabulary;
}
