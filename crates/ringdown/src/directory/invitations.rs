//! Invitations that nobody has used, each in a file that is named by the hash of its one-time key.

use super::folder::{hex, random, write};
use crate::Failure;
use clock::Wall;
use directory::Named;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// How long an invitation works.
const INVITED_FOR: i64 = 24 * 3_600_000;

/// Those of one kind, in a folder of their own.
pub(crate) struct Invitations {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    /// Who is let in, or in whose name.
    whom: String,
    /// In milliseconds since 1970.
    until: i64,
}

impl Invitations {
    /// In a folder that is there.
    pub(crate) fn within(folder: &Path) -> Invitations {
        Invitations { folder: folder.to_owned() }
    }

    /// A one-time key.
    pub(crate) fn invite(&self, whom: &impl Named, now: Wall) -> Result<String, Failure> {
        let key = hex(&random::<16>()?);
        let invitation = Invitation { whom: whom.as_str().to_owned(), until: now.0 + INVITED_FOR };
        write(&self.file(&key), &serde_json::to_vec(&invitation)?)?;
        Ok(key)
    }

    /// Whom a one-time key invites. Whoever removes the file has it: of two who try, one.
    pub(crate) fn redeem<T: Named>(&self, key: &str, now: Wall) -> Result<T, Failure> {
        let unknown = || "this invitation is unknown, or was used";
        let path = self.file(key);
        let text = fs::read(&path).map_err(|_| unknown())?;
        fs::remove_file(&path).map_err(|_| unknown())?;
        let invitation: Invitation = serde_json::from_slice(&text)?;
        match invitation.until < now.0 {
            true => Err("this invitation has expired: each works for 24 hours".into()),
            false => Ok(T::parse(&invitation.whom)?),
        }
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{}.json", sip::bearer::TokenHash::of(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use directory::AccountName;

    #[test]
    fn an_invitation_works_once_and_for_a_day() {
        let folder = std::env::temp_dir().join(format!("ringdown-invitations-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (now, anna) = (Wall(1_800_000_000_000), AccountName::parse("anna/1").unwrap());
        let invitations = Invitations::within(&folder);
        let key = invitations.invite(&anna, now).unwrap();
        assert_eq!(invitations.redeem::<AccountName>(&key, now).unwrap(), anna);
        let refused = |key: &str, now| invitations.redeem::<AccountName>(key, now).unwrap_err().to_string();
        assert!(refused(&key, now).contains("was used"));
        let late = invitations.invite(&anna, now).unwrap();
        assert!(refused(&late, Wall(now.0 + INVITED_FOR + 1)).contains("expired"));
        assert!(refused("../../signing-key", now).contains("unknown"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
