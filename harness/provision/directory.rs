//! Directories of a run's own files.

use std::{io, path::Path};

use super::ProvisionError;

/// Every directory that may be released begins with this, so that a damaged journal cannot name somebody else's.
pub const PREFIX: &str = "rehearse-";

/// Deletes a run's directory and everything in it; one that is not there (any more) is no error.
///
/// # Errors
/// If its name does not begin with [`PREFIX`], or it cannot be deleted.
pub async fn release(path: &Path) -> Result<(), ProvisionError> {
    let is_ours = path.is_absolute()
        && path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    if !is_ours {
        return Err(failed(path, io::Error::other(format!("its name does not begin with `{PREFIX}`"))));
    }
    remove(path).await
}

/// Deletes a directory, or only the link if it is one, without following any link inside it.
pub(super) async fn remove(path: &Path) -> Result<(), ProvisionError> {
    match tokio::fs::remove_dir_all(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, source: io::Error) -> ProvisionError {
    ProvisionError::Failed { doing: format!("remove directory {}", path.display()), source: source.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_our_own_directories_are_deleted() {
        let scratch = tempfile::tempdir().unwrap();
        let (ours, theirs) = (scratch.path().join("rehearse-1"), scratch.path().join("photos"));
        std::fs::create_dir_all(ours.join("inside")).unwrap();
        std::fs::create_dir(&theirs).unwrap();

        release(&ours).await.unwrap();
        assert!(!ours.exists());
        release(&ours).await.unwrap();
        assert!(release(&theirs).await.is_err());
        assert!(theirs.exists());
    }
}
