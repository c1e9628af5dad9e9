//! Brings a database to the newest form, each step in a transaction; a newer one than we know is refused.

use crate::failpoint;
use sqlx::{Connection as _, Executor as _, SqliteConnection};

/// The steps, in order; the database's `user_version` is the number of those that were taken.
pub(crate) const STEPS: &[&str] = &[
    include_str!("../migrations/0001_office.sql"),
    include_str!("../migrations/0002_outside.sql"),
    include_str!("../migrations/0003_open_calls.sql"),
    include_str!("../migrations/0004_access.sql"),
    include_str!("../migrations/0005_badges.sql"),
    include_str!("../migrations/0006_seats.sql"),
    include_str!("../migrations/0007_tasks.sql"),
    include_str!("../migrations/0008_agents.sql"),
    include_str!("../migrations/0009_platforms.sql"),
    include_str!("../migrations/0010_messages.sql"),
    include_str!("../migrations/0011_callbacks.sql"),
    include_str!("../migrations/0012_lists.sql"),
    include_str!("../migrations/0013_desks.sql"),
];

pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), String> {
    let (version,): (i64,) = sqlx::query_as("PRAGMA user_version")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| error.to_string())?;
    let taken = usize::try_from(version).unwrap_or(usize::MAX);
    if taken > STEPS.len() {
        return Err(format!(
            "was written by a newer Ringdown (form {version}, we know {}); use that one, or restore a backup",
            STEPS.len()
        ));
    }
    for (index, step) in STEPS.iter().enumerate().skip(taken) {
        failpoint::reach("migrate.before_step");
        take(connection, index + 1, step).await.map_err(|error| format!("step {}: {error}", index + 1))?;
        failpoint::reach("migrate.after_step");
    }
    Ok(())
}

async fn take(
    connection: &mut SqliteConnection,
    number: usize,
    step: &'static str,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    transaction.execute(step).await?;
    transaction.execute(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {number}"))).await?;
    transaction.commit().await
}
