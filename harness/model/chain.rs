//! An error as one line.

use std::error::Error;

/// An error and its causes in one line. A cause that the line says already is left out: many drivers repeat the cause's
/// message in their own.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        #[source]
        cause: Option<Box<Link>>,
    }

    fn link(text: &'static str, cause: Option<Link>) -> Link {
        Link { text, cause: cause.map(Box::new) }
    }

    #[test]
    fn each_cause_is_told_once() {
        let error = link("failed: no", Some(link("no", Some(link("really", None)))));
        assert_eq!(chain(&error), "failed: no: really");
        assert_eq!(chain(&link("alone", None)), "alone");
    }
}
