//! How much memory a process took.

/// `VmHWM` of a process, by its number or as `self`, in MiB; no number if it is gone.
pub fn peak_mib(process: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.parse().ok());
    kib.map_or(f64::NAN, |kib: f64| kib / 1024.0)
}
