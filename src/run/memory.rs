//! How many bytes a plan needs while it runs, and how many there are: what does not fit is refused before it is allocated.
//!
//! It allocates nothing itself. Sizes that overflow are as large as can be said, and so never fit.

use std::fmt;

use super::record::most_rows;
use crate::check::messages::human_bytes;
use crate::plan::unit::{Plan, SweepPlan, Unit};

/// The bytes of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Recorded rows.
    pub traces: u64,
    /// Parameters and states of the cells that run at the same time, and their next values.
    pub states: u64,
    /// Columns of data, once more in the order in which runs read them.
    pub data: u64,
}

impl Needs {
    /// Of all sweeps together, on so many threads.
    pub(super) fn of(plan: &Plan, threads: usize) -> Needs {
        let mut needs = Needs::default();
        for sweep in &plan.sweeps {
            let traced: u64 = sweep.traced.iter().map(|&quantity| sweep.quantities[quantity].len() as u64).fold(0, u64::saturating_add);
            let cells = cells(sweep);
            for (unit, cells) in sweep.units.iter().zip(cells) {
                let rows = most_rows(sweep.pace.counting(unit), unit.budget);
                needs.traces = needs.traces.saturating_add(bytes(traced.saturating_mul(rows)).saturating_mul(cells));
                let at_once = cells.min(threads as u64 * 8);
                needs.states = needs.states.max(bytes(state(unit).saturating_mul(2)).saturating_mul(at_once));
                let columns = unit.columns.iter().map(|(_, column)| column.len() as u64).fold(0, u64::saturating_add);
                needs.data = needs.data.saturating_add(bytes(columns));
            }
        }
        needs
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.traces.saturating_add(self.states).saturating_add(self.data)
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("traces", self.traces), ("parameters and states", self.states), ("data", self.data)];
        let parts: Vec<String> =
            parts.iter().filter(|part| part.1 > 0).map(|(what, bytes)| format!("{what} {}", human_bytes(*bytes as f64))).collect();
        write!(f, "{} ({})", human_bytes(self.total() as f64), parts.join(", "))
    }
}

fn bytes(numbers: u64) -> u64 {
    numbers.saturating_mul(8)
}

/// Cells of each unit.
fn cells(sweep: &SweepPlan) -> Vec<u64> {
    let mut cells = vec![0; sweep.units.len()];
    for design in sweep.designs.iter() {
        cells[design.unit] += 1;
    }
    cells
}

/// Elements of parameters and states, and of what is drawn for a step.
fn state(unit: &Unit) -> u64 {
    let elements = |shape| unit.rows.count(shape).map_or(u64::MAX, |count| count as u64);
    let slots = unit.params.iter().chain(&unit.states).map(|slot| elements(unit.graph.shape(slot.input)));
    slots.chain(unit.noise.iter().map(|noise| elements(&unit.graph.input_info(noise.input).shape))).fold(0, u64::saturating_add)
}

/// Bytes that this process can still get, where the system says: what is free, and what its control group may take.
pub(super) fn available() -> Option<u64> {
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| free_of(&text));
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let left = folders(&groups).into_iter().filter_map(|folder| left_in(&folder)).min();
    free.into_iter().chain(left).min()
}

/// `MemAvailable` of `/proc/meminfo`.
fn free_of(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Where the control groups of a process may tell their limits: its own folder and all above it.
fn folders(groups: &str) -> Vec<String> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(kinds), Some(mut path)) = (fields.next(), fields.next()) else { continue };
        let root = match kinds {
            "" => "/sys/fs/cgroup",
            kinds if kinds.split(',').any(|kind| kind == "memory") => "/sys/fs/cgroup/memory",
            _ => continue,
        };
        loop {
            folders.push(format!("{root}{}", path.trim_end_matches('/')));
            match path.rfind('/') {
                Some(at) if path.len() > 1 => path = if at == 0 { "/" } else { &path[..at] },
                _ => break,
            }
        }
    }
    folders
}

/// What a control group has left, in either version of their files. Pages of files that it has read count as used, but are given back when asked for.
fn left_in(folder: &str) -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).ok();
    let number = |name: &str| read(name)?.trim().parse::<u64>().ok();
    let left = |limit: &str, used: &str, cached: [&str; 2]| {
        let (limit, used) = (number(limit)?, number(used)?);
        let cached = read("memory.stat").map_or(0, |text| sum_of(&text, cached));
        Some(limit.saturating_sub(used.saturating_sub(cached)))
    };
    left("memory.max", "memory.current", ["active_file", "inactive_file"])
        .or_else(|| left("memory.limit_in_bytes", "memory.usage_in_bytes", ["total_active_file", "total_inactive_file"]))
}

/// The sum of some lines `name number`.
fn sum_of(text: &str, names: [&str; 2]) -> u64 {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(name, _)| names.contains(name)).filter_map(|(_, number)| number.trim().parse::<u64>().ok()).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read() {
        assert_eq!(free_of("MemTotal:  100 kB\nMemAvailable:   23891 kB\nBuffers: 1 kB\n"), Some(23891 * 1024));
        assert_eq!(free_of("MemTotal: 100 kB\n"), None);
        assert_eq!(
            folders("0::/user.slice/a.scope\n"),
            ["/sys/fs/cgroup/user.slice/a.scope", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"]
        );
        assert_eq!(folders("5:cpu:/x\n4:hugetlb,memory:/\n"), ["/sys/fs/cgroup/memory"]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert_eq!(left_in(path), None);
        std::fs::write(folder.path().join("memory.max"), "max\n").unwrap();
        std::fs::write(folder.path().join("memory.current"), "300\n").unwrap();
        assert_eq!(left_in(path), None);
        std::fs::write(folder.path().join("memory.max"), "1000\n").unwrap();
        assert_eq!(left_in(path), Some(700));
        std::fs::write(folder.path().join("memory.stat"), "anon 100\nfile 200\ninactive_file 150\nactive_file 40\n").unwrap();
        assert_eq!(left_in(path), Some(890));
    }
}
