//! The order of a list: as in the file, or by priority, by slot, or by any field, several of them (S3.6 to S3.9).

use crate::columns::Columns;
use crate::list::{Entry, List};
use std::cmp::{Ordering, Reverse};
use std::fmt;

/// Keys of one order.
pub const KEYS: usize = 4;

/// By what rows are put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// The higher priority first (S3.7).
    Priority,
    /// The slot that ends sooner first (S3.8).
    Slot,
    /// By a field of this header: as numbers where both are numbers, else as text (S3.9).
    Field {
        /// The header, or the name of its meaning.
        column: Box<str>,
        /// The largest first.
        falling: bool,
    },
}

/// The order of the calls; rows that are equal stay as in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    keys: Vec<SortKey>,
}

/// A key that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoOrder {
    /// No column of this list is called so.
    Column(Box<str>),
    /// More keys than are taken.
    Keys,
}

impl fmt::Display for NoOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoOrder::Column(name) => write!(f, "this list has no column \"{name}\" to be put in order by"),
            NoOrder::Keys => write!(f, "more than {KEYS} keys"),
        }
    }
}

impl Order {
    /// As in `priority,slot,-city`: keys by commas, a minus before one whose largest comes first; `file`, or nothing, is
    /// the order of the file.
    ///
    /// # Errors
    /// When there are too many keys.
    pub fn parse(text: &str) -> Result<Order, NoOrder> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "file");
        let keys: Vec<SortKey> = names
            .map(|name| match name {
                "priority" => SortKey::Priority,
                "slot" => SortKey::Slot,
                _ => SortKey::Field {
                    column: name.strip_prefix('-').unwrap_or(name).into(),
                    falling: name.starts_with('-'),
                },
            })
            .collect();
        if keys.len() > KEYS { Err(NoOrder::Keys) } else { Ok(Order { keys }) }
    }

    /// Whether it is that of the file.
    #[must_use]
    pub fn is_of_file(&self) -> bool {
        self.keys.is_empty()
    }

    /// The places of all rows, the first to be called first; nothing for the order of the file.
    ///
    /// # Errors
    /// When a key names no column.
    pub fn of(&self, list: &List) -> Result<Option<Vec<u32>>, NoOrder> {
        if self.is_of_file() {
            return Ok(None);
        }
        let keys = self.resolved(list.columns())?;
        let mut places: Vec<u32> = (0..u32::try_from(list.len()).unwrap_or(u32::MAX)).collect();
        let entry = |place: u32| list.entry(place as usize);
        places.sort_by(|left, right| match (entry(*left), entry(*right)) {
            (Some(left), Some(right)) => compared(&keys, &left, &right),
            _ => Ordering::Equal,
        });
        Ok(Some(places))
    }

    /// Why a row is where it is, in words: the values that the keys look at.
    #[must_use]
    pub fn because(&self, entry: &Entry<'_>) -> String {
        let columns = entry.columns();
        let words = self.keys.iter().map(|key| match key {
            SortKey::Priority => format!("priority {}", entry.priority()),
            SortKey::Slot => {
                entry.slot().span().map_or_else(|| "no slot".to_owned(), |span| format!("slot {span}"))
            }
            SortKey::Field { column, .. } => {
                let value = columns.named(column).map_or("", |place| entry.field(place));
                format!("{column} {value}")
            }
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { format!("line {} of the file", entry.line()) } else { words.join(", ") }
    }

    fn resolved(&self, columns: &Columns) -> Result<Vec<Resolved>, NoOrder> {
        let resolved = self.keys.iter().map(|key| match key {
            SortKey::Priority => Ok(Resolved::Priority),
            SortKey::Slot => Ok(Resolved::Slot),
            SortKey::Field { column, falling } => {
                let place = columns.named(column).ok_or_else(|| NoOrder::Column(column.clone()))?;
                Ok(Resolved::Field { place, falling: *falling })
            }
        });
        resolved.collect()
    }
}

enum Resolved {
    Priority,
    Slot,
    Field { place: usize, falling: bool },
}

fn compared(keys: &[Resolved], left: &Entry<'_>, right: &Entry<'_>) -> Ordering {
    let by = |key: &Resolved| match key {
        Resolved::Priority => Reverse(left.priority()).cmp(&Reverse(right.priority())),
        Resolved::Slot => left.slot().cmp(&right.slot()),
        Resolved::Field { place, falling } => {
            let order = values(left.field(*place), right.field(*place));
            if *falling { order.reverse() } else { order }
        }
    };
    keys.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Numbers before texts; what is empty last, so that the order is one whatever is in a column.
fn values(left: &str, right: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.total_cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.is_empty().cmp(&right.is_empty()).then_with(|| left.cmp(right)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Format, Reading, read};

    const TEXT: &str = "number,name,slot,priority,debt\n\
        1,e,,1,90\n2,d,9-12,3,100\n3,c,9-11,3,\n4,b,14-15,2,unknown\n5,a,8-11,3,-5\n";

    fn list() -> List {
        read(TEXT.as_bytes().to_vec(), Format::Csv, &Reading::default()).unwrap()
    }

    fn order(keys: &str) -> Vec<usize> {
        let list = list();
        let places = Order::parse(keys).unwrap().of(&list).unwrap();
        places.map_or_else(
            || (1..=list.len()).collect(),
            |all| all.iter().map(|place| *place as usize + 1).collect(),
        )
    }

    #[test]
    fn s3_6_to_s3_9_the_order_is_that_of_the_file_or_of_any_keys() {
        for (keys, wanted) in [
            ("", [1, 2, 3, 4, 5]),
            ("file", [1, 2, 3, 4, 5]),
            ("priority", [2, 3, 5, 4, 1]),
            ("slot", [5, 3, 2, 4, 1]),
            ("priority, slot", [5, 3, 2, 4, 1]),
            ("name", [5, 4, 3, 2, 1]),
            ("debt", [5, 1, 2, 4, 3]),
            ("-debt", [3, 4, 2, 1, 5]),
        ] {
            assert_eq!(order(keys), wanted, "{keys}");
        }
    }

    #[test]
    fn it_says_why_and_what_it_does_not_know() {
        let list = list();
        let entry = list.entry(1).unwrap();
        let because = |keys: &str| Order::parse(keys).unwrap().because(&entry);
        assert_eq!(because("priority,slot,-debt"), "priority 3, slot 09:00-12:00, debt 100");
        assert_eq!(because(""), "line 3 of the file");
        let unknown = Order::parse("colour").unwrap().of(&list).unwrap_err();
        assert_eq!(unknown.to_string(), "this list has no column \"colour\" to be put in order by");
        assert_eq!(Order::parse("a,b,c,d,e"), Err(NoOrder::Keys));
    }
}
