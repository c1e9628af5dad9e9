//! From a number to the region and the zones where it may ring.

mod table;

use crate::number::Number;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::collections::BTreeMap;

/// Sets of zones: those of the table, and one for each zone of the world that a task names.
pub const ZONE_SETS: usize = 2_048;

/// A set of zones in which a callee may be; only meaningful with the [`Places`] that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneSet(u16);

/// A region by its two letters (ISO 3166-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; 2]);

impl Region {
    /// The office itself, which is in no list of regions (a code that ISO leaves to its users).
    pub const OFFICE: Region = Region(*b"XO");

    /// By its two letters, in any case.
    #[must_use]
    pub fn new(code: &str) -> Option<Region> {
        let letters: [u8; 2] = code.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Region(letters.map(|letter| letter.to_ascii_uppercase())))
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", char::from(self.0[0]), char::from(self.0[1]))
    }
}

/// What is known of the world, and of the office's own place in it.
#[derive(Clone, Debug)]
pub struct Places {
    database: TimeZoneDatabase,
    prefixes: BTreeMap<u64, (Region, ZoneSet)>,
    regions: BTreeMap<Region, ZoneSet>,
    sets: Vec<Vec<TimeZone>>,
    known: BTreeMap<Box<str>, ZoneSet>,
    office: ZoneSet,
}

impl Places {
    /// The world, with an office in this zone; `None` when there is no such zone.
    ///
    /// The zones come with the program: whether the machine has any changes nothing, and no file is read.
    #[must_use]
    pub fn new(office: &str) -> Option<Places> {
        let mut places = Places {
            database: TimeZoneDatabase::bundled(),
            prefixes: BTreeMap::new(),
            regions: BTreeMap::new(),
            sets: Vec::new(),
            known: BTreeMap::new(),
            office: ZoneSet(0),
        };
        places.office = places.zone(office)?;
        for (region, zones, prefixes) in table::ROWS {
            let set = places.set(zones)?;
            let region = Region::new(region)?;
            // The first row of a region is the one that covers it whole.
            places.regions.entry(region).or_insert(set);
            for prefix in prefixes.split_ascii_whitespace() {
                places.prefixes.insert(marked(prefix)?, (region, set));
            }
        }
        Some(places)
    }

    /// The zone of this name alone; `None` when there is none, or when too many were asked for.
    pub fn zone(&mut self, name: &str) -> Option<ZoneSet> {
        if let Some(known) = self.known.get(name) {
            return Some(*known);
        }
        let set = self.set(&[name])?;
        self.known.insert(name.into(), set);
        Some(set)
    }

    /// All zones of a region.
    #[must_use]
    pub fn region(&self, region: Region) -> Option<ZoneSet> {
        self.regions.get(&region).copied()
    }

    /// Where a number may ring. A number inside is at the office; one that begins like none that we know, too, because
    /// nothing better is known.
    #[must_use]
    pub fn of(&self, number: Number) -> (Region, ZoneSet) {
        let office = (Region::OFFICE, self.office);
        if number.is_inside() {
            return office;
        }
        // 1 86 138 ... without its last digits, until it is a prefix: the longest first.
        let mut prefix = number.marked();
        while prefix > 1 {
            if let Some(found) = self.prefixes.get(&prefix) {
                return *found;
            }
            prefix /= 10;
        }
        office
    }

    /// The zones of a set.
    #[must_use]
    pub fn zones(&self, set: ZoneSet) -> &[TimeZone] {
        self.sets.get(usize::from(set.0)).map_or(&[], Vec::as_slice)
    }

    /// The name of the first zone of a set.
    #[must_use]
    pub fn name(&self, set: ZoneSet) -> &str {
        self.zones(set).first().and_then(TimeZone::iana_name).unwrap_or("UTC")
    }

    fn set(&mut self, names: &[&str]) -> Option<ZoneSet> {
        if self.sets.len() >= ZONE_SETS {
            return None;
        }
        let zones: Option<Vec<TimeZone>> = names.iter().map(|name| self.database.get(name).ok()).collect();
        let set = ZoneSet(u16::try_from(self.sets.len()).ok()?);
        self.sets.push(zones?);
        Some(set)
    }
}

fn marked(prefix: &str) -> Option<u64> {
    format!("1{prefix}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places::new("Asia/Shanghai").expect("bundled")
    }

    #[test]
    fn every_row_of_the_table_is_a_place() {
        let places = places();
        let rows: usize =
            table::ROWS.iter().map(|(_, _, prefixes)| prefixes.split_ascii_whitespace().count()).sum();
        assert_eq!(places.prefixes.len(), rows, "a prefix stands there twice");
        assert!(places.sets.len() < ZONE_SETS / 4);
    }

    #[test]
    fn the_zone_of_our_office_needs_no_files_of_the_machine() {
        let names: Vec<String> =
            TimeZoneDatabase::bundled().available().map(|name| name.as_str().to_owned()).collect();
        assert!(names.len() > 400);
        assert!(names.iter().any(|name| name == "Asia/Shanghai"));
        // What the configuration asks for goes by the database of the whole program.
        assert!(TimeZone::get("Asia/Shanghai").is_ok());
    }

    #[test]
    fn numbers_are_where_their_longest_prefix_says() {
        let places = places();
        for (number, region, zone, zones) in [
            ("+8613812345678", "CN", "Asia/Shanghai", 1),
            ("+12125550100", "US", "America/New_York", 1),
            ("+13105550100", "US", "America/Los_Angeles", 1),
            ("+14165550100", "CA", "America/Toronto", 1),
            ("+18005550100", "US", "America/New_York", 8),
            ("+18765550100", "JM", "America/Jamaica", 1),
            ("+61255501000", "AU", "Australia/Sydney", 1),
            ("+61491570006", "AU", "Australia/Sydney", 5),
            ("+442079460000", "GB", "Europe/London", 1),
            ("+74951234567", "RU", "Europe/Moscow", 1),
            ("+79161234567", "RU", "Europe/Kaliningrad", 5),
            ("+77271234567", "KZ", "Asia/Almaty", 1),
            ("+35312345678", "IE", "Europe/Dublin", 1),
            ("+999123456", "XO", "Asia/Shanghai", 1),
        ] {
            let (found, set) = places.of(Number::outside(number).expect("sound"));
            assert_eq!(found.to_string(), region, "{number}");
            assert_eq!((places.name(set), places.zones(set).len()), (zone, zones), "{number}");
        }
        let inside = places.of(Number::inside("2041").expect("sound"));
        assert_eq!(inside, (Region::OFFICE, places.office));
    }

    #[test]
    fn zones_and_regions_are_found_by_name() {
        let mut places = places();
        let tokyo = places.zone("Asia/Tokyo").expect("a zone");
        assert_eq!(places.zone("Asia/Tokyo"), Some(tokyo));
        assert_eq!(places.name(tokyo), "Asia/Tokyo");
        assert_eq!(places.zone("Asia/Atlantis"), None);
        let states = Region::new("us").and_then(|region| places.region(region)).expect("a region");
        assert_eq!(places.zones(states).len(), 8);
        assert_eq!((Region::new("U"), Region::new("12"), Region::new("中")), (None, None, None));
        assert!(Places::new("Asia/Atlantis").is_none());
    }
}
