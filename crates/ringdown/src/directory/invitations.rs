//! Invitations that nobody has used, each under the hash of its one-time key.

use super::folder::{hex, random};
use super::home::{Home, Shelf};
use crate::Failure;
use clock::Wall;
use directory::Named;
use serde::{Deserialize, Serialize};

/// How long an invitation works.
const INVITED_FOR: i64 = 24 * 3_600_000;

/// Those of one kind.
pub(crate) struct Invitations<'a> {
    home: &'a Home,
    shelf: Shelf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    /// Who is let in, or in whose name.
    whom: String,
    /// In milliseconds since 1970.
    until: i64,
}

impl Invitations<'_> {
    pub(crate) fn of(home: &Home, shelf: Shelf) -> Invitations<'_> {
        Invitations { home, shelf }
    }

    /// A one-time key.
    pub(crate) fn invite(&self, whom: &impl Named, now: Wall) -> Result<String, Failure> {
        let key = hex(&random::<16>()?);
        let invitation = Invitation { whom: whom.as_str().to_owned(), until: now.0 + INVITED_FOR };
        self.home.keep(self.shelf, &[(&name_of(&key), &serde_json::to_string(&invitation)?)])?;
        Ok(key)
    }

    /// Whom a one-time key invites. Whoever takes it has it: of two who try, one.
    pub(crate) fn redeem<T: Named>(&self, key: &str, now: Wall) -> Result<T, Failure> {
        let text = self.home.take(self.shelf, &name_of(key))?;
        let text = text.ok_or("this invitation is unknown, or was used")?;
        let invitation: Invitation = serde_json::from_str(&text)?;
        match invitation.until < now.0 {
            true => Err("this invitation has expired: each works for 24 hours".into()),
            false => Ok(T::parse(&invitation.whom)?),
        }
    }
}

fn name_of(key: &str) -> String {
    format!("{}.json", sip::bearer::TokenHash::of(key))
}

#[cfg(test)]
mod tests {
    use super::super::home::tests::with_both;
    use super::*;
    use directory::AccountName;

    #[test]
    fn an_invitation_works_once_and_for_a_day() {
        with_both("invitations", |_, open| {
            let (now, anna) = (Wall(1_800_000_000_000), AccountName::parse("anna/1").unwrap());
            let home = open();
            let invitations = Invitations::of(&home, Shelf::AppInvitations);
            let key = invitations.invite(&anna, now).unwrap();
            assert_eq!(invitations.redeem::<AccountName>(&key, now).unwrap(), anna);
            let refused =
                |key: &str, now| invitations.redeem::<AccountName>(key, now).unwrap_err().to_string();
            assert!(refused(&key, now).contains("was used"));
            let late = invitations.invite(&anna, now).unwrap();
            assert!(refused(&late, Wall(now.0 + INVITED_FOR + 1)).contains("expired"));
            assert!(refused("../../signing-key", now).contains("unknown"));
        });
    }
}
