//! Whose rows are whose: dealt out by agent, by share or by skill, and given to others later (S3.20).

use super::{AGENTS, CallList, ListChange};
use crate::exchange::Exchange;
use crate::people::Refusal;
use dialing::Number;
use lists::Column;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An agent, and how much of a list is theirs beside the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The account.
    pub account: Box<str>,
    /// Twice as much gets twice as many rows.
    pub weight: u32,
}

/// How rows that are nobody's are dealt out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deal {
    /// To the agent that the row names.
    Agent,
    /// Among these.
    Share(Vec<Share>),
    /// Among the members of the queue that a column of the list names.
    Skill(Box<str>),
}

/// Rows in turn to whoever has the least of their share so far; the same callee to the same agent.
struct Turn<'a> {
    shares: &'a [(u16, u32)],
    given: Vec<u64>,
    callees: BTreeMap<Number, u16>,
}

impl Turn<'_> {
    fn new(shares: &[(u16, u32)]) -> Turn<'_> {
        Turn { shares, given: vec![0; shares.len()], callees: BTreeMap::new() }
    }

    fn next(&mut self, number: Number) -> u16 {
        if let Some(agent) = self.callees.get(&number) {
            return *agent;
        }
        let after = |place: &usize| {
            let weight = u64::from(self.shares[*place].1.max(1));
            // What each would have of its share; in whole numbers, so that every machine deals alike.
            ((self.given[*place] + 1) * 1_000_000 / weight, *place)
        };
        let Some(place) = (0..self.shares.len()).min_by_key(after) else { return 0 };
        self.given[place] += 1;
        let agent = self.shares[place].0;
        self.callees.insert(number, agent);
        agent
    }
}

/// The agents of a list, which only grow.
struct Agents(Vec<Box<str>>);

impl Agents {
    fn place(&mut self, agent: &str) -> Result<u16, Refusal> {
        if let Some(place) = self.0.iter().position(|known| **known == *agent) {
            return Ok(u16::try_from(place + 1).unwrap_or(u16::MAX));
        }
        if self.0.len() >= AGENTS {
            return Err(Refusal::TooMany("agents"));
        }
        self.0.push(agent.into());
        Ok(u16::try_from(self.0.len()).unwrap_or(u16::MAX))
    }
}

impl Exchange {
    /// Deals out the rows that are nobody's; a row without an agent, or without one that there is, stays so.
    pub(super) fn deal(&self, name: &str, deal: &Deal) -> Result<Vec<ListChange>, Refusal> {
        let list = self.list_named(name)?;
        let mut agents = Agents(list.agents.to_vec());
        let mut owners = list.owners.to_vec();
        match deal {
            Deal::Share(shares) => {
                let shares = self.places(&mut agents, shares)?;
                let mut turn = Turn::new(&shares);
                for row in list.rows().filter(|row| list.is_open(*row)) {
                    if let (Some(0), Some(number)) = (owners.get(row as usize), list.number(row)) {
                        owners[row as usize] = turn.next(number);
                    }
                }
            }
            Deal::Agent => {
                for row in list.rows().filter(|row| list.is_open(*row) && list.owners[*row as usize] == 0) {
                    let entry = list.made.sheet.0.entry(row);
                    let agent = entry.map_or("", |entry| entry.get(Column::Agent));
                    if self.people.account(agent).is_some() {
                        owners[row as usize] = agents.place(agent)?;
                    }
                }
            }
            Deal::Skill(column) => self.deal_by_skill(list, column, &mut agents, &mut owners)?,
        }
        Ok(dealt(list, agents, owners))
    }

    fn deal_by_skill(
        &self,
        list: &CallList,
        column: &str,
        agents: &mut Agents,
        owners: &mut [u16],
    ) -> Result<(), Refusal> {
        let place = list.made.sheet.0.column(column);
        let place = place.ok_or_else(|| Refusal::Unknown("column", column.into()))?;
        let mut by_skill: BTreeMap<Box<str>, Vec<u32>> = BTreeMap::new();
        for row in list.rows().filter(|row| list.is_open(*row) && list.owners[*row as usize] == 0) {
            let skill = list.made.sheet.0.entry(row).map_or("", |entry| entry.field(place));
            if !skill.is_empty() {
                by_skill.entry(skill.into()).or_default().push(row);
            }
        }
        for (skill, rows) in by_skill {
            let Some(queue) = self.people.queue(&skill) else { continue };
            let members =
                queue.members.iter().map(|member| agents.place(&member.account).map(|place| (place, 1)));
            let shares: Vec<(u16, u32)> = members.collect::<Result<_, _>>()?;
            let mut turn = Turn::new(&shares);
            for row in rows {
                if let Some(number) = list.number(row) {
                    owners[row as usize] = turn.next(number);
                }
            }
        }
        Ok(())
    }

    /// Gives open rows to others: those of these lines of the file, or of one agent, or all; nobody named takes them back.
    pub(super) fn reassign(
        &self,
        name: &str,
        lines: Option<&BTreeSet<u32>>,
        from: Option<&str>,
        to: &[Share],
    ) -> Result<Vec<ListChange>, Refusal> {
        let list = self.list_named(name)?;
        let from = from.map(|from| {
            list.agent_place(from).ok_or_else(|| Refusal::Unknown("agent of this list", from.into()))
        });
        let from = from.transpose()?;
        let mut agents = Agents(list.agents.to_vec());
        let mut owners = list.owners.to_vec();
        let shares = if to.is_empty() { Vec::new() } else { self.places(&mut agents, to)? };
        let rows: Vec<u32> = match lines {
            Some(lines) => list.made.sheet.0.rows_of(lines),
            None => list.rows().collect(),
        };
        let mut turn = Turn::new(&shares);
        for row in rows.into_iter().filter(|row| list.is_open(*row)) {
            let owner = owners[row as usize];
            let meant = match from {
                Some(from) => owner == from,
                // Without lines, what was never dealt out stays so.
                None => owner != 0 || lines.is_some(),
            };
            if let (true, Some(number)) = (meant, list.number(row)) {
                owners[row as usize] = turn.next(number);
            }
        }
        Ok(dealt(list, agents, owners))
    }

    fn places(&self, agents: &mut Agents, shares: &[Share]) -> Result<Vec<(u16, u32)>, Refusal> {
        if shares.is_empty() {
            return Err(Refusal::Nonsense("name at least one agent".into()));
        }
        let place = |share: &Share| {
            if self.people.account(&share.account).is_none() {
                return Err(Refusal::Unknown("account", share.account.clone()));
            }
            Ok((agents.place(&share.account)?, share.weight))
        };
        shares.iter().filter(|share| share.weight > 0).map(place).collect()
    }

    pub(super) fn list_named(&self, name: &str) -> Result<&CallList, Refusal> {
        self.lists.named(name).ok_or_else(|| Refusal::Unknown("list", name.into()))
    }
}

fn dealt(list: &CallList, agents: Agents, owners: Vec<u16>) -> Vec<ListChange> {
    if owners == *list.owners {
        return Vec::new();
    }
    vec![ListChange::Dealt { key: list.key, agents: agents.0.into(), owners: Arc::from(owners) }]
}
