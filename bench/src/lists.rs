//! `loadgen lists`: what reading a call list costs, beside a bare loop of the CSV library over the same octets.

use crate::Failure;
use crate::arguments::Arguments;
use ::lists::{Format, Order, Reading};
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// Both by turns, and the median of each, because a busy machine is busy for both.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let rows: usize = arguments.or("rows", 1_000_000)?;
    let text = file(rows);
    let (mut bare, mut ours, mut octets) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let counted = bare_loop(&text)?;
        bare.push(start.elapsed());
        // As it comes from a file: the octets are ours.
        let bytes = text.clone();
        let start = Instant::now();
        let list =
            ::lists::read(bytes, Format::Csv, &Reading::default()).map_err(|fault| fault.to_string())?;
        ours.push(start.elapsed());
        octets = list.octets();
        if list.len() != rows || counted != rows + 1 {
            return Err(
                format!("{} of {rows} rows were taken: {:?}", list.len(), list.refusals().first()).into()
            );
        }
        black_box(list);
    }
    let sorted = sorted(&text)?;
    let (bare, ours) = (median(&mut bare), median(&mut ours));
    println!(
        "{{\"bare_ms\":{:.1},\"ours_ms\":{:.1},\"ratio\":{:.2},\"octets_each\":{:.1},\"sort_ms\":{:.1}}}",
        1e3 * bare.as_secs_f64(),
        1e3 * ours.as_secs_f64(),
        ours.as_secs_f64() / bare.as_secs_f64(),
        octets as f64 / rows as f64,
        1e3 * sorted.as_secs_f64()
    );
    Ok(())
}

/// Eight columns, about 120 octets a row.
pub(crate) fn file(rows: usize) -> Vec<u8> {
    let mut text = "id,number,name,service,history,slot,region,priority\n".to_owned();
    for row in 0..rows {
        let _ = writeln!(
            text,
            "T{row:07},+86138{row:08},\"Customer, {row:07}\",renewal of contract {:04},called twice in October,{:02}:00-{:02}:30,Shanghai {:03},{}",
            row % 9_973,
            8 + row % 6,
            15 + row % 6,
            row % 311,
            row % 10
        );
    }
    text.into_bytes()
}

fn bare_loop(text: &[u8]) -> Result<usize, Failure> {
    let mut file = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    let (mut record, mut count) = (csv::ByteRecord::new(), 0);
    while file.read_byte_record(black_box(&mut record))? {
        count += 1;
    }
    Ok(count)
}

/// How long it takes to put all in order by two keys.
fn sorted(text: &[u8]) -> Result<Duration, Failure> {
    let list =
        ::lists::read(text.to_vec(), Format::Csv, &Reading::default()).map_err(|fault| fault.to_string())?;
    let order = Order::parse("priority,slot").map_err(|why| why.to_string())?;
    let start = Instant::now();
    let places = order.of(&list).map_err(|why| why.to_string())?;
    let took = start.elapsed();
    let places = places.ok_or("an order of two keys")?;
    let priority = |place: Option<&u32>| {
        place.and_then(|place| list.entry(*place as usize)).map(|entry| entry.priority())
    };
    if priority(places.first()) < priority(places.last()) {
        return Err("the highest priority is not first".into());
    }
    Ok(took)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
