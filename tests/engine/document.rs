//! The format document against the code: every table of offsets is the code's own.

use std::fs;
use std::path::Path;

use chronicle::internal::format::{FieldSpec, Version, frame, header, index, journal};

fn read_format_document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/format/FORMAT.md")).unwrap()
}

/// The rows of every table headed `offset | bytes | field`, in order of appearance.
fn offset_tables(text: &str) -> Vec<Vec<[String; 3]>> {
    let mut tables: Vec<Vec<[String; 3]>> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line == "| offset | bytes | field |" {
            tables.push(Vec::new());
            inside = true;
        } else if !line.starts_with('|') {
            inside = false;
        } else if inside && !line.contains("---") {
            let cells: Vec<String> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
            tables.last_mut().unwrap().push([cells[1].clone(), cells[2].clone(), cells[3].clone()]);
        }
    }
    tables
}

fn field_rows(fields: &[FieldSpec]) -> Vec<[String; 3]> {
    fields.iter().map(|field| [field.offset.to_string(), field.len.to_string(), field.name.to_owned()]).collect()
}

#[test]
fn every_table_of_the_document_is_the_codes_own() {
    // The frame's table has N for its length: a payload of a number that stands nowhere else takes its place.
    let n = 7777;
    let frame = field_rows(&frame::fields(n, Version::V1)).into_iter().map(|row| {
        row.map(|cell| match cell.parse::<usize>() {
            Ok(number) if number == n => "N".to_owned(),
            Ok(number) if number > n => format!("{} + N", number - n),
            _ => cell,
        })
    });
    let code = [
        field_rows(&header::HEADER_FIELDS),
        frame.collect(),
        field_rows(&index::INDEX_HEADER_FIELDS),
        field_rows(&index::DIRECTORY_FIELDS),
        field_rows(&index::ANCHOR_FIELDS),
        field_rows(&index::DAMAGE_FIELDS),
        field_rows(&journal::HEADER_FIELDS),
    ];
    assert_eq!(offset_tables(&read_format_document()), code);
}

#[test]
fn the_constants_of_the_document_are_the_codes_own() {
    let text = read_format_document();
    let hex = |bytes: [u8; 4]| bytes.map(|byte| format!("{byte:02X}")).join(" ");
    for magic in [header::MAGIC, index::MAGIC, journal::MAGIC] {
        assert!(text.contains(&hex(magic)), "{}", hex(magic));
    }
    for number in
        ["16 777 215", "127 levels", "pages of 4096 bytes", "4092 bytes", "32 768", "16 KiB", "every 32nd row"]
    {
        assert!(text.contains(number), "{number}");
    }
    assert_eq!(frame::MAX_PAYLOAD, 16_777_215);
    assert_eq!((index::PAGE_SIZE, index::PAGE_DATA_SIZE), (4096, 4092));
    assert_eq!(chronicle::internal::format::json::MAX_LEVELS, 127);
    assert_eq!(chronicle::internal::format::crc::checksum(b"123456789"), 0xCBF4_3926);
}
