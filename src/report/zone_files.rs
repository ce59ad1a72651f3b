//! Reads the rules of one time zone from its file.
//!
//! jiff's database of zones first lists all of its folders, to find names in any case. That takes longer than the rest of a short
//! command; one zone with its exact name needs one file.

use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use jiff::tz::TimeZone;

/// Where systems keep their zones.
const ZONE_FOLDERS: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// The link to the file of this machine's zone, or a copy of the file.
const LOCAL_ZONE_FILE: &str = "/etc/localtime";

/// Returns the zone that `TZ` names, or that of this machine; UTC when there is none.
pub(super) fn local_zone() -> TimeZone {
    let name = match env::var_os("TZ") {
        Some(zone) => zone.to_str().map(str::to_owned),
        None => linked_name(Path::new(LOCAL_ZONE_FILE)),
    };
    name.and_then(|name| zone_of_exact_name(&name)).unwrap_or_else(TimeZone::system)
}

/// Returns the zone with a name, in any case.
///
/// # Errors
/// The reason, when this machine has no such zone.
pub(super) fn zone_named(name: &str) -> Result<TimeZone, jiff::Error> {
    zone_of_exact_name(name).map_or_else(|| TimeZone::get(name), Ok)
}

/// Returns the zone whose file has this name; `None` for other names and other forms of `TZ`, which jiff interprets.
fn zone_of_exact_name(name: &str) -> Option<TimeZone> {
    let is_plain = !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_plain {
        return None;
    }
    let folders = env::var_os("TZDIR").map(PathBuf::from).into_iter().chain(ZONE_FOLDERS.map(PathBuf::from));
    let rules = folders.map(|folder| folder.join(name)).find_map(|path| fs::read(path).ok())?;
    TimeZone::tzif(name, &rules).ok()
}

/// Returns the name of the zone that a link leads to.
fn linked_name(link: &Path) -> Option<String> {
    let target = fs::read_link(link).ok()?;
    let (_, name) = target.to_str()?.rsplit_once("zoneinfo/")?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The instants around the changes of a year, by which two zones are compared.
    fn offsets(zone: &TimeZone) -> Vec<jiff::tz::Offset> {
        (0..366)
            .map(|day| zone.to_offset(jiff::Timestamp::from_second(1_767_225_600 + day * 86_400).unwrap()))
            .collect()
    }

    #[test]
    fn a_zone_from_its_file_is_that_of_the_database() {
        for name in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/UTC"] {
            let (Some(zone), Ok(expected)) = (zone_of_exact_name(name), TimeZone::get(name)) else { continue };
            assert_eq!((zone.iana_name(), offsets(&zone)), (Some(name), offsets(&expected)));
            assert_eq!(offsets(&zone_named(&name.to_lowercase()).unwrap()), offsets(&expected));
        }
    }

    #[test]
    fn only_names_of_zones_are_read_as_files() {
        for name in
            ["", "/etc/passwd", "../../../etc/passwd", "Europe/../Europe/Berlin", ":Europe/Berlin", "CET-1CEST", "."]
        {
            assert!(zone_of_exact_name(name).is_none(), "{name}");
        }
        assert!(zone_named("Europe/Nowhere").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn a_link_into_the_folder_of_zones_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("localtime");
        std::os::unix::fs::symlink("../usr/share/zoneinfo/Europe/Berlin", &link).unwrap();
        assert_eq!(linked_name(&link), Some("Europe/Berlin".into()));
        assert_eq!(linked_name(folder.path()), None);
    }
}
