//! What the columns of a list mean: by their names in English and Chinese, or by a mapping where they differ (S3.2).

use crate::limits;
use crate::refusal::{Fault, FaultKind};
use std::collections::BTreeMap;

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// The name of the task; results carry it.
    Id,
    /// The callee's number.
    Number,
    /// Their name.
    Name,
    /// Their given and family names, when they stand apart.
    GivenName,
    /// See [`Column::GivenName`].
    FamilyName,
    /// What it is about.
    Service,
    /// What was talked about before.
    History,
    /// The time of day that was suggested, by the callee's clock.
    Slot,
    /// The callee's time zone.
    Zone,
    /// Where they are.
    Region,
    /// Higher comes first.
    Priority,
    /// No call before.
    NotBefore,
    /// No call at or after.
    Until,
    /// Attempts that were made elsewhere.
    Attempts,
    /// Whose task it is.
    Agent,
    /// On what ground they may be called, and what proves that.
    Consent,
    /// Attempts that may be made for this row.
    Most,
    /// Seconds before this callee is called again.
    Interval,
    /// Shown, and to be sorted by.
    Other,
}

/// The names by which a column is known, in small letters and without blanks, hyphens and underscores.
const NAMES: [(Column, &[&str]); 18] = [
    (Column::Id, &["id", "taskid", "task", "accountnumber", "编号", "任务编号", "客户编号"]),
    (
        Column::Number,
        &[
            "number",
            "phone",
            "phonenumber",
            "telephone",
            "phone1",
            "mobile",
            "callee",
            "号码",
            "电话",
            "电话号码",
            "被叫号码",
            "手机",
            "手机号",
            "手机号码",
            "联系电话",
        ],
    ),
    (
        Column::Name,
        &["name", "fullname", "customer", "contact", "姓名", "名称", "客户姓名", "客户名称", "联系人"],
    ),
    (Column::GivenName, &["firstname", "givenname", "名"]),
    (Column::FamilyName, &["lastname", "familyname", "surname", "姓"]),
    (
        Column::Service,
        &["service", "serviceinformation", "subject", "业务", "业务信息", "服务", "服务信息", "事由"],
    ),
    (Column::History, &["history", "callhistory", "历史", "通话历史", "呼叫历史", "历史记录"]),
    (
        Column::Slot,
        &["slot", "timeslot", "calltime", "plannedtime", "时段", "时间段", "计划时段", "呼叫时段"],
    ),
    (Column::Zone, &["zone", "timezone", "时区"]),
    (Column::Region, &["region", "area", "city", "地区", "区域", "城市"]),
    (Column::Priority, &["priority", "优先级", "优先"]),
    (Column::NotBefore, &["notbefore", "dialtime", "callbackdatetime", "最早时间", "预约时间"]),
    (Column::Until, &["until", "deadline", "截止时间", "截止"]),
    (Column::Attempts, &["attempts", "attemptsmade", "已呼次数", "呼叫次数"]),
    (Column::Agent, &["agent", "agentid", "坐席", "座席", "坐席工号", "工号"]),
    (Column::Consent, &["consent", "basis", "授权", "同意", "授权依据", "同意依据"]),
    (Column::Most, &["mostattempts", "maxattempts", "最多次数", "最大呼叫次数"]),
    (Column::Interval, &["interval", "retryinterval", "重拨间隔", "呼叫间隔"]),
];

impl Column {
    /// By the name that a header has.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Column> {
        let plain = plain(name);
        NAMES.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(column, _)| *column)
    }

    /// Its own name, in English.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(column, _)| *column == self)
            .and_then(|(_, names)| names.first())
            .map_or("other", |name| name)
    }
}

fn plain(name: &str) -> String {
    let letters = name.trim().chars().filter(|letter| !matches!(letter, ' ' | '_' | '-' | '　'));
    letters.flat_map(char::to_lowercase).collect()
}

/// What an administrator says of headers that we do not know: header to the name of a column.
pub type Mapping = BTreeMap<Box<str>, Box<str>>;

/// The columns of one list, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    headers: Vec<Box<str>>,
    meanings: Vec<Column>,
    /// Where each meaning stands, but those of [`Column::Other`].
    places: [Option<u8>; NAMES.len()],
}

impl Columns {
    /// By the names of a header.
    ///
    /// # Errors
    /// When none has numbers, two mean the same, or there are too many.
    pub fn of<'a>(
        headers: impl IntoIterator<Item = &'a str>,
        mapping: &Mapping,
        line: u32,
    ) -> Result<Columns, Fault> {
        let mut columns = Columns::default();
        for header in headers {
            columns.add(header, mapping).map_err(|kind| Fault { line: Some(line), kind })?;
        }
        if columns.place(Column::Number).is_none() {
            let there = columns.headers.join(", ").chars().take(300).collect::<String>();
            return Err(Fault { line: Some(line), kind: FaultKind::NoNumbers(there.into()) });
        }
        Ok(columns)
    }

    /// Adds a column to the right; tells its place.
    pub(crate) fn add(&mut self, header: &str, mapping: &Mapping) -> Result<usize, FaultKind> {
        if self.headers.len() >= limits::COLUMNS || header.len() > limits::HEADER {
            return Err(FaultKind::Columns);
        }
        let said = mapping.get(header.trim()).map_or(header, |name| name);
        let meaning = Column::by_name(said).unwrap_or(Column::Other);
        let place = self.headers.len();
        if meaning != Column::Other {
            let known = &mut self.places[meaning as usize];
            if known.is_some() {
                return Err(FaultKind::SameColumn(meaning.name().into()));
            }
            *known = u8::try_from(place).ok();
        }
        self.headers.push(header.trim().into());
        self.meanings.push(meaning);
        Ok(place)
    }

    /// Where a meaning stands.
    #[must_use]
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places.get(column as usize).copied().flatten().map(usize::from)
    }

    /// Where a column stands, by its header or by the name of its meaning.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<usize> {
        let by_header = self.headers.iter().position(|header| **header == *name);
        by_header.or_else(|| self.place(Column::by_name(name)?))
    }

    /// The headers, and what each means.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Column)> {
        self.headers.iter().map(|header| &**header).zip(self.meanings.iter().copied())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.headers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_known_in_both_languages_and_by_a_mapping() {
        let mapping = Mapping::from([("Rufnummer".into(), "number".into())]);
        for (headers, number) in [
            (&["Name", "Phone Number"][..], 1),
            (&["姓名", "电话号码", "时段"], 1),
            (&["Rufnummer", "Anrede"], 0),
            (&["time_slot", "MOBILE"], 1),
        ] {
            let columns = Columns::of(headers.iter().copied(), &mapping, 1).unwrap();
            assert_eq!(columns.place(Column::Number), Some(number), "{headers:?}");
        }
        let columns = Columns::of(["号码", "业务信息", "Farbe"], &mapping, 1).unwrap();
        let meanings: Vec<Column> = columns.iter().map(|(_, meaning)| meaning).collect();
        assert_eq!(meanings, [Column::Number, Column::Service, Column::Other]);
        assert_eq!((columns.named("Farbe"), columns.named("service")), (Some(2), Some(1)));
    }

    #[test]
    fn a_header_without_numbers_or_with_two_is_refused_with_its_words() {
        let refused = |headers: &[&str]| {
            Columns::of(headers.iter().copied(), &Mapping::new(), 1).unwrap_err().to_string()
        };
        assert_eq!(
            refused(&["Name", "Farbe"]),
            "line 1: no column is called \"number\"; there are: Name, Farbe"
        );
        assert_eq!(refused(&["phone", "号码"]), "line 1: a second column means \"number\"");
        assert_eq!(refused(&["x"; 65]), "line 1: more than 64 columns");
    }
    #[test]
    fn every_meaning_has_a_place_and_no_name_is_given_twice() {
        let mut all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        for (index, (column, names)) in NAMES.iter().enumerate() {
            assert_eq!(*column as usize, index, "in the order of the meanings");
            assert_eq!(Column::by_name(names[0]), Some(*column));
        }
    }
}
