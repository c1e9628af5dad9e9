//! Show 5 of the directory, made small: `make sim` plays 1,000,000 calls between 50 exchanges.

use testkit::designations::{Scale, designations};

#[test]
fn show_5_no_number_has_two_owners_no_ticket_works_twice_and_nobody_is_let_in_who_is_not_named() {
    for seed in 1..=4 {
        let scale = Scale { exchanges: 12, accounts: 400, calls: 5_000 };
        let outcome = designations(seed, scale).unwrap_or_else(|broken| panic!("{broken}"));
        for (what, least) in [
            ("calls by C1", 300),
            ("calls by C2", 1_000),
            ("calls by C3", 300),
            ("calls within an exchange", 50),
            ("tickets redeemed", 2_000),
            ("tickets refused", 300),
            ("restarts", 2),
            ("messages lost", 1),
            ("devices that may sleep on", 10),
        ] {
            assert!(
                outcome.count(what) >= least,
                "seed {seed}: {what} are too few to mean anything: {outcome}"
            );
        }
    }
}
