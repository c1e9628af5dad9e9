//! What the measured processes, and we ourselves, have used: time of all threads and resident memory, from /proc.

use std::fs;

/// A reading.
pub(crate) struct Used {
    /// Of all threads of all processes, in nanoseconds.
    pub(crate) cpu_ns: u64,
    pub(crate) own_ns: u64,
    pub(crate) resident_kib: u64,
}

/// Reads now.
pub(crate) fn read(processes: &[u32]) -> Used {
    Used {
        cpu_ns: processes.iter().map(|pid| cpu_ns(&pid.to_string())).sum(),
        own_ns: cpu_ns("self"),
        resident_kib: processes.iter().map(|pid| resident_kib(*pid)).sum(),
    }
}

/// The first field of schedstat is the thread's time on a core; it is finer than the ticks of `stat`.
fn cpu_ns(process: &str) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    let of_task = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    tasks.flatten().filter_map(of_task).sum()
}

fn resident_kib(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
