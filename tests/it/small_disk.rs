//! A disk that is soon full.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// A small disk in memory; only root may mount one.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of this size (`160m`) on a new folder; `None` if that is not allowed here.
    pub fn mount(path: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&path).unwrap();
        let options = format!("size={size},mode=0711");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "rehearse-test"]).arg(&path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Fills it up to so many free bytes.
    pub fn fill_up_to(&self, free: u64) {
        let found = statvfs(&self.0).unwrap();
        let filler = fs::File::create(self.0.join("filler")).unwrap();
        fallocate(&filler, FallocateFlags::empty(), 0, found.f_bavail * found.f_frsize - free).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
