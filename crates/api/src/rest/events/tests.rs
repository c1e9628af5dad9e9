//! The ring: places, gaps, bounds; and who hears what.

use super::hub::{ITEMS, Ring};
use super::item::Draft;
use crate::rest::SessionEnded;
use clock::Wall;
use exchange::{Audience, Event, Happened, Role};

fn draft() -> Draft {
    let what = Happened::NumberChanged { number: "200".into(), account: "bob".into() };
    Draft::of(Event { at: Wall(0), audience: Audience { staff: true, accounts: vec!["bob".into()] }, what })
}

fn numbers(ring: &Ring, place: &mut u64) -> (u64, Vec<u64>) {
    let taken = ring.after(place);
    (taken.missed, taken.items.iter().map(|item| item.number).collect())
}

#[test]
fn s4_an_event_of_another_exchange_is_heard_as_it_was_told() {
    let told = Draft::of_another(&draft().for_another()).expect("it makes sense");
    assert_eq!(told.numbered("e", 7).text, draft().numbered("e", 7).text);
    let told = Draft::of_another(&draft().for_another()).expect("it makes sense").numbered("e", 7);
    assert!(told.is_for(Role::Agent, "bob", None), "it is about bob");
    assert!(!told.is_for(Role::Agent, "ada", None), "who may not hear it there may not here");
    for wrong in ["", "{}", "[]", &draft().for_another().replace("manager", "king")] {
        assert!(Draft::of_another(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn b_a_reader_goes_on_where_it_was_and_hears_of_each_gap() {
    let mut ring = Ring::new("e".into());
    for _ in 0..3 {
        ring.push(draft());
    }
    let mut place = ring.place_of("e-1").expect("known");
    assert_eq!(numbers(&ring, &mut place), (0, vec![2, 3]));
    assert_eq!(numbers(&ring, &mut place), (0, vec![]));
    ring.skip(2);
    ring.push(draft());
    assert_eq!(numbers(&ring, &mut place), (2, vec![6]));
    ring.skip(4);
    assert_eq!(numbers(&ring, &mut place), (4, vec![]), "a gap is told before anything comes after it");
    assert_eq!(numbers(&ring, &mut place), (0, vec![]));
    for id in ["e-99", "f-1", "1", "", "e-", "e--1", "e-x"] {
        assert_eq!(ring.place_of(id), None, "{id}: of another life, or of none");
    }
}

#[test]
fn b_the_ring_is_bounded_and_a_slow_reader_misses_what_it_did_not_take() {
    let mut ring = Ring::new("e".into());
    for _ in 0..ITEMS as u64 + 100 {
        ring.push(draft());
    }
    let mut place = 0;
    let (missed, first) = numbers(&ring, &mut place);
    assert_eq!((missed, first[0]), (100, 101));
    let mut heard = first.len();
    while place < ITEMS as u64 + 100 {
        let (missed, items) = numbers(&ring, &mut place);
        assert_eq!(missed, 0);
        heard += items.len();
    }
    assert_eq!(heard, ITEMS);
}

#[test]
fn sec_11_who_hears_an_event_is_decided_by_role_account_and_scope() {
    let item = draft().numbered("e", 1);
    assert!(item.is_for(Role::Manager, "ada", None));
    assert!(item.is_for(Role::Agent, "bob", None), "it is about bob");
    assert!(!item.is_for(Role::Agent, "ada", None));
    let scopes = |list: &[&str]| list.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
    assert!(item.is_for(Role::Manager, "ada", Some(&scopes(&["events:read", "people:read"]))));
    assert!(!item.is_for(Role::Administrator, "ada", Some(&scopes(&["events:read", "calls:read"]))));
    let ended = SessionEnded { session: "s1".into(), account: "bob".into() };
    let item = Draft::of_session(0, ended).numbered("e", 2);
    assert!(item.is_for(Role::Agent, "bob", None) && item.is_for(Role::Administrator, "ada", None));
    assert!(!item.is_for(Role::Manager, "ada", None));
    assert!(item.text.contains("\"id\":\"e-2\"") && item.text.contains("session.ended"), "{}", item.text);
}
