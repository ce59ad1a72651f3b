//! Compares `docs/format.md` with the code: tables of fields, damage kinds, fixes, certainties, index states,
//! constants.

use std::fs;
use std::path::Path;

use chronicle::internal::format::gap::{self, ErasedRecord};
use chronicle::internal::format::{FieldSpec, Version, crc, frame, header, index, journal, json};
use chronicle::repair::{Certainty, RepairAction};
use chronicle::storage::{SideFileOrigin, UntrustedFile};
use chronicle::{DamageKind, IndexState};

fn read_format_document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/format.md")).unwrap()
}

/// Returns the cells of one row of a table.
fn cells(line: &str) -> Vec<String> {
    let row = line.trim().trim_start_matches('|').trim_end_matches('|');
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Returns the rows of every table with the columns `offset | bytes | field`, in the order of the document.
fn field_tables(text: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut in_table = false;
    for line in text.lines() {
        if line == "| offset | bytes | field |" {
            tables.push(Vec::new());
            in_table = true;
        } else if !line.starts_with('|') {
            in_table = false;
        } else if in_table && !line.contains("---") {
            tables.last_mut().unwrap().push(cells(line));
        }
    }
    tables
}

/// Returns the rows of the table between the markers `<!-- name -->` and `<!-- /name -->`, without its two lines of
/// heading.
fn marked_table(text: &str, name: &str) -> Vec<Vec<String>> {
    let (start, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let table = text.split_once(&start).unwrap().1.split_once(&end).unwrap().0;
    table.trim().lines().skip(2).map(cells).collect()
}

fn field_rows(fields: &[FieldSpec]) -> Vec<Vec<String>> {
    fields.iter().map(|field| vec![field.offset.to_string(), field.len.to_string(), field.name.to_owned()]).collect()
}

fn as_code(name: &str) -> String {
    format!("`{name}`")
}

#[test]
fn the_field_tables_match_the_code() {
    // The document writes N for the length of the payload. A length that appears nowhere else takes its place here.
    let n = 7777;
    let frame = field_rows(&frame::fields(n, Version::V1)).into_iter().map(|row| {
        let with_n = row.into_iter().map(|cell| match cell.parse::<usize>() {
            Ok(number) if number == n => "N".to_owned(),
            Ok(number) if number > n => format!("{} + N", number - n),
            _ => cell,
        });
        with_n.collect()
    });
    let expected = [
        field_rows(&header::HEADER_FIELDS),
        frame.collect(),
        field_rows(&header::HEADER_FIELDS_2),
        field_rows(&index::INDEX_HEADER_FIELDS),
        field_rows(&index::DIRECTORY_FIELDS),
        field_rows(&index::ANCHOR_FIELDS),
        field_rows(&index::DAMAGE_FIELDS),
        field_rows(&journal::HEADER_FIELDS),
    ];
    assert_eq!(field_tables(&read_format_document()), expected);
}

#[test]
fn the_table_of_damage_kinds_matches_the_code() {
    let rows = DamageKind::ALL.map(|kind| {
        let severity = if kind.is_damage() { "damage" } else { "information" };
        vec![as_code(kind.name()), severity.to_owned(), kind.meaning().to_owned()]
    });
    assert_eq!(marked_table(&read_format_document(), "damage kinds"), rows);
}

#[test]
fn the_kinds_that_can_be_set_aside_match_the_code() {
    let text = read_format_document();
    let section = text.split_once("### Setting the end of a log aside").unwrap().1.split_once("\n#").unwrap().0;
    let sentence = section.split_once("its kind is").unwrap().1.split_once("and it does not start").unwrap().0;
    for kind in DamageKind::ALL {
        assert_eq!(sentence.contains(&as_code(kind.name())), kind.can_set_aside(), "{}", kind.name());
    }
}

#[test]
fn the_table_of_pieces_names_damage_kinds_only() {
    let rows = marked_table(&read_format_document(), "pieces");
    let kinds: Vec<_> = rows.iter().map(|row| DamageKind::from_name(row[0].trim_matches('`')).unwrap()).collect();
    let expected = [
        DamageKind::Zeros,
        DamageKind::Checksum,
        DamageKind::Length,
        DamageKind::TornTail,
        DamageKind::Checksum,
        DamageKind::Garbage,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn the_tables_of_fixes_and_certainties_match_the_code() {
    let text = read_format_document();
    let fixes = marked_table(&text, "fixes");
    let documented: Vec<_> = fixes.iter().map(|row| (row[0].clone(), row[1] != "null")).collect();
    let in_code = RepairAction::ALL.map(|action| (as_code(action.name()), action.can_restore()));
    assert_eq!(documented, in_code);

    let certainties: Vec<_> = marked_table(&text, "certainties").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(
        certainties,
        [Certainty::Proven, Certainty::Likely, Certainty::Choice].map(|certainty| as_code(certainty.name()))
    );
    for row in &fixes {
        let words = row[1].split([' ', ',', ';']).filter(|word| !["or", "in", "version", "0", ""].contains(word));
        for word in words.filter(|word| *word != "null") {
            assert!(certainties.contains(&as_code(word)), "{word} in {row:?}");
        }
    }
}

#[test]
fn the_table_of_index_states_matches_the_code() {
    let states = [
        IndexState::Missing,
        IndexState::Untrusted {
            found: UntrustedFile { reason: String::new(), remedy: "", origin: SideFileOrigin::NoRecord },
        },
        IndexState::Unreadable { reason: String::new() },
        IndexState::Unsupported { version: 2 },
        IndexState::Corrupt { reason: String::new() },
        IndexState::Foreign { reason: String::new() },
        IndexState::Ahead { bytes: 1 },
        IndexState::Fresh,
        IndexState::Behind { bytes: 1 },
    ];
    let documented: Vec<_> =
        marked_table(&read_format_document(), "index states").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(documented, states.map(|state| as_code(state.name())));
}

#[test]
fn the_forms_of_the_record_of_an_erasure_match_the_code() {
    let whole = ErasedRecord { at_ms: Some(1_766_718_274_106), reason: Some("request 17".into()) };
    let without_reason = ErasedRecord { reason: None, ..whole.clone() };
    let mut forms: Vec<(String, usize)> = [whole.clone(), without_reason, ErasedRecord::default()]
        .map(|form| (form.to_content(), form.payload_len()))
        .into();
    forms.push(("{}".into(), 11));
    for (content, len) in &forms {
        let contents: Vec<_> = [*len, len - 1]
            .map(|len| gap::gap_content(&gap::build_gap_payload(len, &whole.to_content())).map(str::to_owned))
            .into();
        assert_eq!(contents[0].as_ref(), Some(content), "{len} bytes are enough");
        assert_ne!(contents[1].as_ref(), Some(content), "{len} bytes are needed");
    }
    let rows = forms.into_iter().map(|(content, len)| vec![as_code(&content), len.to_string()]);
    assert_eq!(marked_table(&read_format_document(), "erased record"), rows.collect::<Vec<_>>());
    assert_eq!(gap::MAX_ERASED_REASON, 1000);
}

#[test]
fn the_constants_match_the_code() {
    let text = read_format_document();
    let hex = |bytes: [u8; 4]| bytes.map(|byte| format!("{byte:02X}")).join(" ");
    for magic in [header::MAGIC, index::MAGIC, journal::MAGIC] {
        assert!(text.contains(&hex(magic)), "{}", hex(magic));
    }
    for constant in
        ["16 777 215", "127 levels", "pages of 4096 bytes", "4092 bytes", "32 768", "16 KiB", "every 32nd row"]
    {
        assert!(text.contains(constant), "{constant}");
    }
    assert_eq!(frame::MAX_PAYLOAD, 16_777_215);
    assert_eq!((index::PAGE_SIZE, index::PAGE_DATA_SIZE), (4096, 4092));
    assert_eq!(index::ROWS_PER_GUIDE_ENTRY, 32);
    assert_eq!(json::MAX_LEVELS, 127);
    assert_eq!(crc::checksum(b"123456789"), 0xCBF4_3926);
}
