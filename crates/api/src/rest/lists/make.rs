//! A new list: its file is read and judged here, outside of the core, and kept as a whole or not at all.

use super::super::Api;
use super::super::problem::Problem;
use super::shapes::RefusalShape;
use super::{ListShape, ask};
use clock::{Mono, Now, Wall};
use dialing::{Number, Places, Policy};
use exchange::lists::{Ground, ListAnswer, ListAsking, NewList, ROWS, SKIPPED, Shared};
use lists::work::{Preview, Settings};
use lists::{Judging, Mapping, Reading, Sheet};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Octets of a file.
pub(crate) const OCTETS: usize = 32 * 1024 * 1024;
/// Files that are judged at once: each may take a few times its size.
const AT_ONCE: usize = 2;

static ROOM: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(AT_ONCE);

/// How the rows of a new list are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListSettings {
    /// Keys by commas, as in `priority,slot,-city`; the order of the file if it is left out.
    #[schema(nullable = false)]
    pub order: Option<String>,
    /// Calls for each row whose list says nothing else.
    #[schema(nullable = false, minimum = 1)]
    pub attempts: Option<u16>,
    /// Seconds before a callee is called again.
    #[schema(nullable = false)]
    pub interval_s: Option<u32>,
    /// `agreed`, `requested` or `contract`, and what proves it, where the list says nothing.
    #[schema(nullable = false)]
    pub consent: Option<String>,
    /// The country code of numbers that say none; that of the office if it is left out.
    #[schema(nullable = false)]
    pub country: Option<String>,
    /// Digits of the longest number inside the office; 6 if it is left out.
    #[schema(nullable = false)]
    pub inside: Option<usize>,
    /// Headers that are not known and their meanings, as in `Rufnummer=number,Anrede=name`.
    #[schema(nullable = false)]
    pub mapping: Option<String>,
    /// Keep nothing, only tell.
    pub preview: bool,
}

/// What is made of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JudgedShape {
    /// Its rows.
    pub rows: usize,
    /// Those that will be called.
    pub taken: usize,
    /// Those of them that might be called now.
    pub now: usize,
    /// Those that wait, by the reason: `window`, `not_before`, `per_day`, …
    pub later: BTreeMap<String, usize>,
    /// Those that are skipped, by the reason: `do_not_call`, `emergency`, `consent`, `bad_number`, `twice`, …
    pub skipped: BTreeMap<String, usize>,
    /// The first of these.
    pub refusals: Vec<RefusalShape>,
    /// The list, unless this is a preview.
    pub list: Option<ListShape>,
}

/// Judges a file, and keeps its list unless only that was wanted.
pub(crate) async fn make(
    api: &Api,
    name: &str,
    by: &str,
    bytes: Vec<u8>,
    settings: &ListSettings,
) -> Result<JudgedShape, Problem> {
    if bytes.len() > OCTETS {
        return Err(Problem::nonsense(format!(
            "The file has {} octets; at most {OCTETS} are taken.",
            bytes.len()
        )));
    }
    let ListAnswer::Ground(ground) = ask(api, ListAsking::Ground, name).await? else {
        return Err(Problem::gone());
    };
    let (reading, meant) = meant(settings, &ground)?;
    let key = u32::from_le_bytes(api.door().random()[..4].try_into().unwrap_or_default());
    let now = Now { mono: Mono(0), wall: Wall(api.now()) };
    let _place = ROOM.acquire().await.map_err(|_| Problem::gone())?;
    let judged = tokio::task::spawn_blocking(move || judge(now, bytes, &reading, &meant, *ground, key));
    let (text, sheet, preview) = judged.await.map_err(|_| Problem::gone())?.map_err(Problem::nonsense)?;
    let mut shape = shape(&preview);
    if settings.preview {
        return Ok(shape);
    }
    let refusal = |refusal: &lists::Refusal| (refusal.line, refusal.why.to_string().into());
    let new = NewList {
        key,
        name: name.into(),
        by: by.into(),
        text: text.into(),
        sheet: Shared(Arc::new(sheet)),
        skipped: u32::try_from(preview.skipped.values().sum::<usize>()).unwrap_or(u32::MAX),
        refusals: preview.refusals.iter().take(SKIPPED).map(refusal).collect(),
    };
    let ListAnswer::Row(row) = ask(api, ListAsking::Make(Box::new(new)), "").await? else {
        return Err(Problem::gone());
    };
    shape.list = Some(ListShape::of(&row));
    Ok(shape)
}

fn judge(
    now: Now,
    bytes: Vec<u8>,
    reading: &Reading,
    settings: &Settings,
    ground: Ground,
    key: u32,
) -> Result<(Vec<u8>, Sheet, Preview), String> {
    let places = Places::new(&ground.background.zone).ok_or("the office's time zone is none")?;
    let emergency = ground.emergency;
    let policy = Policy::new(Box::new(move |number: Number| {
        let text = number.to_string();
        emergency.iter().any(|known| **known == *text || Some(&**known) == text.strip_prefix('+'))
    }));
    let judging = Judging { settings, policy, places, forbidden: &ground.forbidden, most: ROWS };
    let told = |why: &dyn std::fmt::Display| super::super::problem::sentence(&why.to_string());
    let (text, preview) = Sheet::judge(now, bytes, reading, judging, key).map_err(|why| told(&why))?;
    let sheet = Sheet::read(&text).map_err(|why| told(&why))?;
    Ok((text, sheet, preview))
}

/// The settings as the rows are judged by.
fn meant(settings: &ListSettings, ground: &Ground) -> Result<(Reading, Settings), Problem> {
    let wrong = |why: String| Problem::nonsense(super::super::problem::sentence(&why));
    // The same checks as for a phone's assignment, with the same words.
    let checked = lists::Assignment {
        order: settings.order.clone().unwrap_or_default(),
        consent: settings.consent.clone().unwrap_or_default(),
        country: settings.country.clone().unwrap_or_else(|| ground.numbering.country.to_string()),
        national: ground.numbering.national.to_string(),
        international: ground.numbering.international.to_string(),
        inside: settings.inside.unwrap_or(6),
        zone: ground.background.zone.to_string(),
        ..lists::Assignment::default()
    };
    let rules = checked.rules("").map_err(|why| wrong(why.to_string()))?;
    let mut mapping = Mapping::new();
    for pair in
        settings.mapping.iter().flat_map(|text| text.split(',')).filter(|pair| !pair.trim().is_empty())
    {
        let (header, meaning) = pair
            .split_once('=')
            .ok_or_else(|| wrong(format!("\"{pair}\" is no pair as in Rufnummer=number")))?;
        mapping.insert(header.trim().into(), meaning.trim().into());
    }
    let meant = Settings {
        order: rules.settings.order,
        numbering: rules.settings.numbering,
        consent: rules.settings.consent,
        attempts: settings.attempts.map(|most| most.max(1)),
        interval: settings.interval_s,
        ..Settings::default()
    };
    Ok((Reading { mapping, agent: None }, meant))
}

fn shape(preview: &Preview) -> JudgedShape {
    let named = |counts: &BTreeMap<&'static str, usize>| {
        let short = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
        counts.iter().map(|(key, count)| (short(key), *count)).collect()
    };
    let refusal =
        |refusal: &lists::Refusal| RefusalShape { line: refusal.line, why: refusal.why.to_string() };
    JudgedShape {
        rows: preview.rows,
        taken: preview.taken.len(),
        now: preview.now,
        later: named(&preview.later),
        skipped: named(&preview.skipped),
        refusals: preview.refusals.iter().take(SKIPPED).map(refusal).collect(),
        list: None,
    }
}
