//! Names of calls, and whom an event concerns.

use super::*;
use crate::events::CallName;

#[test]
fn a_calls_name_is_read_as_it_is_written() {
    let name = CallName {
        session_id: "0123456789abcdef0123456789abcdef".into(),
        call: CallId::of_number(0x1_0000_0007),
    };
    assert_eq!(name.to_string(), "0123456789abcdef0123456789abcdef-100000007");
    assert_eq!(name.to_string().parse(), Ok(name.clone()));
    assert_eq!(name.to_string().to_uppercase().parse(), Ok(name));
    for wrong in ["", "-", "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef-x", "12-1"] {
        assert!(wrong.parse::<CallName>().is_err(), "{wrong}");
    }
}

#[test]
fn sec_11_an_event_concerns_the_accounts_that_it_names_and_no_others() {
    let audience = Audience::all(vec!["ada".into(), "bob".into()]);
    assert!(audience.has("ada") && audience.has("bob"));
    assert!(!audience.has("eve") && !audience.has("") && !audience.has("ad"));
    assert!(!Audience::all(Vec::new()).has(""));
}
