//! `report`: the content of the page, hostile content, limits, existing files, and the page in a browser.

use std::fs;
use std::process::Command;

use chronicle::{Event, EventLog};

use super::shell::Shell;

const HOSTILE: &str = "<script>document.title='changed'</script>\u{202e}\"'&";
const HOSTILE_ESCAPED: &str = "&lt;script&gt;document.title=&#39;changed&#39;&lt;/script&gt;‹U+202E›&quot;&#39;&amp;";
/// The sections of the page, in their order.
const SECTIONS: [&str; 8] = [
    "The log",
    "Integrity map",
    "Findings",
    "What can be done",
    "Repair history",
    "Events over time",
    "Events by type",
    "This report",
];

/// Writes the report of a log, and returns the page.
fn report(shell: &Shell, log: &str) -> String {
    shell.run_ok(&format!("report {log} -o page.html --force"));
    let page = fs::read_to_string(shell.path("page.html")).unwrap();
    assert_page_is_sound(&page);
    page
}

fn assert_shows(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "the page lacks {text}");
    }
}

/// Checks what holds for every page: the sections, nothing from the network, no script, and tables with headings.
fn assert_page_is_sound(page: &str) {
    let mut at = 0;
    for section in SECTIONS {
        let heading = format!("<h2>{section}</h2>");
        at += page[at..].find(&heading).unwrap_or_else(|| panic!("no {heading} after byte {at}"));
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    for forbidden in ["<script", "src=", "http:", "https:", "url(", "@import", " onload", "javascript:", "<link"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let policy = "http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; ";
    assert!(page.contains(policy), "a browser must load nothing and run no script");
    let tables = page.matches("<table").count();
    assert_eq!((page.matches("<caption>").count(), page.matches("</table>").count()), (tables, tables));
    assert!(page.matches("<th scope=").count() >= tables && !page.contains("<th>"));
    let pictures = page.matches("role=\"img\"").count();
    assert_eq!(page.matches("role=\"img\"><title>").count(), pictures);
    for c in page.chars() {
        assert!(!c.is_control() || c == '\n', "{c:?}");
    }
}

#[test]
fn the_page_of_a_damaged_log_has_findings_bytes_plan_and_commands() {
    let shell = Shell::with_log();
    let planted = shell.plant_damage("checksum", "bad.log");
    let before = fs::read(shell.path("bad.log")).unwrap();
    let outcome = shell.run_ok("report bad.log -o page.html");
    assert!(outcome.stdout.starts_with("page.html: 299 events; 1 damaged: 1 checksum; "), "{outcome:?}");
    assert_eq!(fs::read(shell.path("bad.log")).unwrap(), before);
    let page = report(&shell, "bad.log");
    let start = planted["start"].as_u64().unwrap();
    let path = shell.path("bad.log").canonicalize().unwrap().display().to_string();
    for expected in [
        "<h1>bad.log</h1>",
        "1 damaged range",
        &format!("(0x{start:08X})"),
        "<span class=\"kind damage\">checksum</span>",
        "In the log",
        "rect class=\"damaged\"",
        "rect class=\"verified\"",
        &format!("chronicle repair {path} --dry-run"),
        &format!("chronicle show {path} {start}"),
        "chronicle report bad.log -o page.html",
        concat!("chronicle ", env!("CARGO_PKG_VERSION")),
        "No repairs. Journals would be in ",
    ] {
        assert_shows(&page, &[expected]);
    }
}

#[test]
fn a_fix_shows_the_bytes_before_and_after_with_marks() {
    let shell = Shell::with_log();
    shell.plant_damage("checksum_byte", "bad.log");
    let finding = &shell.run("verify bad.log --json").stdout_json()["findings"][0];
    let change = &finding["fix"]["candidates"][0]["changes"][0];
    let (before, after) = (change["before"].as_str().unwrap(), change["after"].as_str().unwrap());
    let page = report(&shell, "bad.log");
    assert!(page.contains(&format!("<mark class=\"old\">{before}</mark>")), "{before}");
    assert!(page.contains(&format!("<mark class=\"new\">{after}</mark>")), "{after}");
    // Each differing byte is marked in hex and as text, and no other byte is.
    assert_eq!(page.matches("<mark ").count(), before.len() + after.len());
    assert!(page.contains("1 damaged range, all restorable") && page.contains("<header class=\"warn\">"));
    shell.run_ok("repair bad.log --yes --accept likely");
    let page = report(&shell, "bad.log");
    assert!(page.contains("<header class=\"good\">") && page.contains("1 correct_bits: 1 event restored"));
    assert!(page.contains("There is nothing to repair.") && !page.contains("class=\"damaged\""));
}

#[test]
fn gaps_an_unreadable_plan_and_a_log_without_events_have_their_words() {
    let shell = Shell::with_log();
    shell.plant_damage("garbage", "bad.log");
    assert_eq!(shell.run("repair bad.log --yes").exit_code, 3);
    let page = report(&shell, "bad.log");
    assert!(page.contains("rect class=\"gap\"") && page.contains("Original bytes in "));
    shell.run_ok("create empty.log");
    let page = report(&shell, "empty.log");
    assert_eq!(page.matches("The log has no events.").count(), 2);
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/v0-invalid-event-and-length.log");
    fs::copy(fixture, shell.path("old.log")).unwrap();
    let page = report(&shell, "old.log");
    assert!(page.contains("No repair is planned: ") && page.contains("old.log -o NEW"));
    assert!(page.contains("version 0 has no checksums"));
}

#[test]
fn a_lost_end_is_a_part_of_the_map() {
    let shell = Shell::with_log();
    shell.run_ok("index update a.log");
    let length = fs::metadata(shell.path("a.log")).unwrap().len();
    fs::OpenOptions::new().write(true).open(shell.path("a.log")).unwrap().set_len(length / 2).unwrap();
    let page = report(&shell, "a.log");
    assert!(page.contains("rect class=\"lost\"") && page.contains("<span class=\"swatch lost\""));
}

fn create_hostile_log(shell: &Shell, name: &str) {
    let mut log = EventLog::create(shell.path(name)).unwrap();
    for payload in [format!("{{\"k\":\"{}\"}}", HOSTILE.replace('"', "\\\"")), "{}".into()] {
        let event = Event::builder()
            .event_type(HOSTILE)
            .namespace(HOSTILE)
            .schema_id("s".repeat(5000))
            .schema_version(1)
            .payload_json(payload)
            .build()
            .unwrap();
        log.append(&event).unwrap();
    }
    log.close().unwrap();
}

#[cfg(unix)]
#[test]
fn hostile_names_and_bytes_stay_text() {
    let shell = Shell::new();
    let name = "<script>x\u{202e}\n.log";
    create_hostile_log(&shell, name);
    // The damaged payload is quoted in the bytes of the finding.
    shell.flip_bit(name, 40);
    let outcome = shell.command("report").arg(name).args(["-o", "page.html"]).output().unwrap();
    assert!(outcome.status.success(), "{outcome:?}");
    let page = fs::read_to_string(shell.path("page.html")).unwrap();
    assert_page_is_sound(&page);
    assert!(page.contains(HOSTILE_ESCAPED));
    assert!(page.contains(r"<h1>$&#39;&lt;script&gt;x\342\200\256\n.log&#39;</h1>"));
}

#[test]
fn the_number_of_findings_and_the_length_of_names_are_bounded() {
    let shell = Shell::new();
    shell.run_ok("generate a.log --events 700 --aggregates 20");
    let mut writer = EventLog::open(shell.path("a.log")).unwrap();
    // Values of this length are counted together.
    let long = Event::builder().event_type("é".repeat(1 << 20)).namespace("n").schema_id("s").schema_version(1);
    for _ in 0..2 {
        writer.append(&long.clone().payload_json("{}").build().unwrap()).unwrap();
    }
    for number in 0..40 {
        writer.append(&long.clone().event_type(format!("Rare{number}")).payload_json("{}").build().unwrap()).unwrap();
    }
    writer.close().unwrap();
    let offsets: Vec<u64> = shell
        .run_ok("cat a.log")
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["offset"].as_u64().unwrap())
        .collect();
    for offset in offsets.iter().step_by(2).take(250) {
        shell.flip_bit("a.log", *offset as usize + 60);
    }
    let page = report(&shell, "a.log");
    assert_eq!(page.matches("<article ").count(), 200);
    assert!(page.contains("50 more findings not listed here"));
    assert_shows(&page, &["(other values)", " more types)"]);
    assert!(page.len() < 1 << 20, "{}", page.len());
}

#[test]
fn the_page_replaces_a_file_only_with_force_and_never_its_log() {
    let shell = Shell::with_log();
    fs::write(shell.path("page.html"), "kept").unwrap();
    assert_eq!(shell.run("report a.log -o page.html").exit_code, 6);
    assert_eq!(fs::read_to_string(shell.path("page.html")).unwrap(), "kept");
    let before = fs::read(shell.path("a.log")).unwrap();
    assert_eq!(shell.run("report a.log -o a.log --force").exit_code, 6);
    assert_eq!(fs::read(shell.path("a.log")).unwrap(), before);
    fs::write(shell.path("text"), "no log\n").unwrap();
    assert_eq!(shell.run("report text -o new.html").exit_code, 1);
    assert!(!shell.path("new.html").exists());
    let json = shell.run_ok("report a.log -o new.html --json").stdout_json();
    assert_eq!(json["bytes"].as_u64(), Some(fs::metadata(shell.path("new.html")).unwrap().len()));
}

/// Returns the page as the browser has it after running every script; `None` without a browser.
fn page_in_browser(shell: &Shell, page: &str) -> Option<String> {
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--virtual-time-budget=2000"]);
    command.arg(format!("--user-data-dir={}", shell.path("browser").display()));
    let outcome = command.arg(format!("file://{}", shell.path(page).display())).output().ok()?;
    let dom = String::from_utf8_lossy(&outcome.stdout).into_owned();
    dom.contains("</html>").then_some(dom)
}

#[test]
fn a_browser_shows_the_page_and_runs_nothing_of_the_log() {
    let shell = Shell::new();
    create_hostile_log(&shell, "a.log");
    report(&shell, "a.log");
    // The browser must be able to run a script, otherwise the test proves nothing.
    fs::write(shell.path("probe.html"), "<title>a</title><script>document.title='ran'</script>").unwrap();
    let Some(probe) = page_in_browser(&shell, "probe.html") else {
        eprintln!("skipped: chromium is not installed, or does not run here");
        return;
    };
    assert!(probe.contains("<title>ran</title>"), "{probe}");
    let dom = page_in_browser(&shell, "page.html").unwrap();
    assert!(dom.contains("<title>a.log: Chronicle report</title>") && !dom.contains("<script"), "{dom}");
    for section in SECTIONS {
        assert!(dom.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    // What the browser has is what was written: no tag was left open or closed twice.
    let count = |text: &str, tag: &str| text.matches(tag).count();
    let page = fs::read_to_string(shell.path("page.html")).unwrap();
    for tag in ["<section", "<table", "<tr", "<td", "<rect", "<svg", "<h3", "<div"] {
        assert_eq!(count(&dom, tag), count(&page, tag), "{tag}");
    }
}
