//! What is kept of a callback beside its task: where they stood, and in which language they are spoken to.

use clock::Wall;
use media::Tongue;

/// A place in a queue that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// The queue.
    pub(crate) queue: Box<str>,
    /// Before others when less.
    pub(crate) rank: u8,
    /// Since when they wait.
    pub(crate) since: Wall,
    /// The language that they heard.
    pub(crate) tongue: Tongue,
}

/// No account has a space in its name.
const OWNER: &str = "queue ";

/// The name under which a queue owns tasks.
pub(crate) fn owner_of(queue: &str) -> String {
    format!("{OWNER}{queue}")
}

/// Whether the owner of a task is a queue.
pub(crate) fn is_queue(owner: &str) -> bool {
    owner.starts_with(OWNER)
}

impl Wish {
    /// As it stands in the task: the number to dial, then the place, then whose wish it is if they have an account.
    pub(crate) fn data(&self, number: &str, account: &str) -> Box<str> {
        let tongue = match self.tongue {
            Tongue::En => "en",
            Tongue::Zh => "zh",
        };
        format!("{number} {} {} {tongue} {account}", self.since.0, self.rank).into()
    }

    /// The wish of a task that a queue owns, with the number to dial and the account.
    pub(crate) fn read(owner: &str, data: &str) -> Option<(Wish, Box<str>, Box<str>)> {
        let queue = owner.strip_prefix(OWNER)?;
        let mut parts = data.split(' ');
        let mut next = || parts.next();
        let (number, since, rank, tongue) = (next()?, next()?, next()?, next()?);
        let wish = Wish {
            queue: queue.into(),
            rank: rank.parse().ok()?,
            since: Wall(since.parse().ok()?),
            tongue: if tongue == "zh" { Tongue::Zh } else { Tongue::En },
        };
        Some((wish, number.into(), next().unwrap_or_default().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_read_as_it_is_written() {
        let wish =
            Wish { queue: "sales".into(), rank: 1, since: Wall(1_768_464_000_000), tongue: Tongue::Zh };
        for account in ["bob", ""] {
            let data = wish.data("+8613800138000", account);
            let read = Wish::read(&owner_of("sales"), &data);
            assert_eq!(read, Some((wish.clone(), "+8613800138000".into(), account.into())));
        }
        assert!(is_queue(&owner_of("sales")) && !is_queue("sales"));
        for (owner, data) in [("bob", "200 1 1 en "), ("queue sales", "200"), ("queue sales", "200 x 1 en ")]
        {
            assert_eq!(Wish::read(owner, data), None, "{owner} {data}");
        }
    }
}
