//! How long a server has for what it does next.

use crate::limits;
use tokio::time::timeout;

pub(crate) async fn soon<T>(work: impl Future<Output = std::io::Result<T>>) -> Result<T, String> {
    match timeout(limits::ANSWER, work).await {
        Ok(done) => done.map_err(|error| format!("the connection broke: {error}")),
        Err(_) => Err(format!("no answer within {} s", limits::ANSWER.as_secs())),
    }
}
