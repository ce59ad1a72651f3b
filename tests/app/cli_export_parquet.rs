//! `export` to Parquet files: columns, types, damage and gaps as rows, metadata, and another reader.

use std::fs::{self, File};
use std::process::Command;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::{Field, Row};

use super::shell::Shell;

/// Reads a file with the library's own reader.
fn open(shell: &Shell, name: &str) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(shell.path(name)).unwrap()).unwrap()
}

fn rows(shell: &Shell, name: &str) -> Vec<Row> {
    open(shell, name).get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

/// Returns the value of a column.
fn field(row: &Row, name: &str) -> Field {
    let found = row.get_column_iter().find(|(column, _)| *column == name);
    found.unwrap_or_else(|| panic!("no column {name} in {row}")).1.clone()
}

fn text(value: &str) -> Field {
    Field::Str(value.into())
}

#[test]
fn every_event_is_a_row_with_the_values_of_cat() {
    let shell = Shell::with_log();
    shell.run_ok("export a.log -o out.parquet");
    let rows = rows(&shell, "out.parquet");
    let lines = shell.run_ok("cat a.log").stdout;
    let events: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), events.len());
    for (row, line) in rows.iter().zip(&events) {
        let event = &line["event"];
        let string = |key: &str| text(event[key].as_str().unwrap());
        let expected = [
            ("offset", Field::Long(line["offset"].as_i64().unwrap())),
            ("end", Field::Null),
            ("kind", text("event")),
            ("finding", Field::Null),
            ("time", Field::TimestampMillis(event["write_timestamp_ms"].as_i64().unwrap())),
            ("write_timestamp_ms", Field::ULong(event["write_timestamp_ms"].as_u64().unwrap())),
            ("type", string("event_type")),
            ("namespace", string("namespace")),
            ("schema", string("schema_id")),
            ("version", Field::Long(event["schema_version"].as_i64().unwrap())),
            ("aggregate", event["aggregate_id"].as_u64().map_or(Field::Null, Field::ULong)),
        ];
        for (column, value) in expected {
            assert_eq!(field(row, column), value, "{column} of {row}");
        }
        let Field::Str(payload) = field(row, "payload") else { panic!("{row}") };
        assert_eq!(serde_json::from_str::<serde_json::Value>(&payload).unwrap(), event["payload"]);
    }
}

#[test]
fn chosen_columns_have_types_and_values_of_another_type_are_counted() {
    let shell = Shell::new();
    shell.run_ok("create a.log");
    let input: String = [r#"{"x":1.5}"#, r#"{"x":"2"}"#, r#"{"x":null}"#, r#"{"y":true}"#, r#"{"x":7,"y":1}"#]
        .iter()
        .map(|payload| {
            format!(
                r#"{{"event_type":"A","namespace":"n","schema_id":"S","schema_version":2,"aggregate_id":18446744073709551615,"payload":{payload}}}"#
            ) + "\n"
        })
        .collect();
    assert_eq!(shell.run_with_input("append a.log", input.as_bytes()).exit_code, 0);
    let columns = "payload.x:double,payload.x:integer,payload.y:boolean,payload.x,agg";
    // Two columns cannot have one name.
    let twice = shell.run(&format!("export a.log -o out.parquet --columns {columns}"));
    assert!(twice.exit_code == 2 && twice.stderr.contains("payload.x"), "{twice:?}");
    let output = shell.run_ok("export a.log -o out.parquet --columns payload.x:double,payload.y:boolean,agg --json");
    assert_eq!(
        output.stdout_json()["left_out"],
        serde_json::json!([{"column": "payload.x", "values": 1}, {"column": "payload.y", "values": 1}])
    );
    let noted = shell.run_ok("export a.log -o out.parquet --force --columns payload.x:double");
    assert!(noted.stderr.contains("Column payload.x: 1 value that the type"), "{noted:?}");
    shell.run_ok("export a.log -o out.parquet --force --columns payload.x:double,payload.y:boolean,agg");
    let rows = rows(&shell, "out.parquet");
    let column = |name: &str| rows.iter().map(|row| field(row, name)).collect::<Vec<_>>();
    let (double, null) = (Field::Double, Field::Null);
    assert_eq!(column("payload.x"), [double(1.5), null.clone(), null.clone(), null.clone(), double(7.0)]);
    assert_eq!(column("payload.y"), [null.clone(), null.clone(), null.clone(), Field::Bool(true), null]);
    assert_eq!(column("aggregate")[0], Field::ULong(u64::MAX));
    let wrong = shell.run("export a.log -o wrong.parquet --columns payload.x:doubel");
    assert!(wrong.exit_code == 2 && wrong.stderr.contains("the nearest is `double`"), "{wrong:?}");
    let wrong = shell.run("export a.log -o wrong.csv --columns payload.x:double");
    assert!(wrong.exit_code == 2 && wrong.stderr.contains("--format parquet"), "{wrong:?}");
}

#[test]
fn damage_and_gaps_are_rows_and_the_file_records_its_origin() {
    let shell = Shell::with_log();
    let mut bytes = fs::read(shell.path("a.log")).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 0xff;
    fs::write(shell.path("a.log"), &bytes).unwrap();
    let finding = shell.run("verify a.log --json").stdout_json()["findings"][0].clone();
    let output = shell.run("export a.log -o out.parquet --filter type:Updated");
    assert_eq!(output.exit_code, 3, "{output:?}");
    let damage = rows(&shell, "out.parquet").pop().unwrap();
    let long = |key: &str| Field::Long(finding[key].as_i64().unwrap());
    assert_eq!((field(&damage, "offset"), field(&damage, "end")), (long("start"), long("end")));
    assert_eq!((field(&damage, "kind"), field(&damage, "finding")), (text("damage"), text("checksum")));
    assert_eq!((field(&damage, "type"), field(&damage, "payload")), (Field::Null, Field::Null));

    let file = open(&shell, "out.parquet");
    let metadata = file.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let value = |key: &str| metadata.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone()).unwrap();
    assert_eq!((value("chronicle.filter"), value("chronicle.damaged_ranges")), ("type:Updated".into(), "1".into()));
    assert_eq!(value("chronicle.range"), format!("16..{}", bytes.len()));
    assert_eq!(value("chronicle.format_version"), "1");

    // Nothing is proven about this range, so a repair puts a gap there.
    fs::write(shell.path("a.log"), [&bytes[..last - 40], &[0xee; 43]].concat()).unwrap();
    assert_eq!(shell.run("repair a.log --yes").exit_code, 3);
    shell.run_ok("export a.log -o gap.parquet");
    let kinds: Vec<Field> = rows(&shell, "gap.parquet").iter().map(|row| field(row, "kind")).collect();
    let counts = |kind: &str| kinds.iter().filter(|found| **found == text(kind)).count();
    assert_eq!((counts("damage"), counts("gap"), counts("event")), (0, 1, kinds.len() - 1));
}

/// Reads a file with Arrow's reader for Python, which shares no code with the library that writes it.
#[test]
fn another_reader_finds_the_same_rows() {
    let shell = Shell::with_log();
    shell.run_ok("export a.log -o out.parquet");
    let script = "import sys, pyarrow.parquet as p; t = p.read_table(sys.argv[1]); print(t.num_rows, t.schema.field('time').type, \
                  t.schema.field('aggregate').type, sum(t.column('offset').to_pylist()), p.read_metadata(sys.argv[1]).metadata[b'chronicle.events'].decode())";
    let python = std::env::var("CHRONICLE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_reader = Command::new(&python).args(["-c", "import pyarrow.parquet"]).output();
    if !has_reader.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no pyarrow");
        return;
    }
    let output = Command::new(&python).args(["-c", script]).arg(shell.path("out.parquet")).output().unwrap();
    let rows = rows(&shell, "out.parquet");
    let offsets: i64 =
        rows.iter().map(|row| if let Field::Long(offset) = field(row, "offset") { offset } else { 0 }).sum();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        format!("{0} timestamp[ms, tz=UTC] uint64 {offsets} {0}", rows.len()),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
