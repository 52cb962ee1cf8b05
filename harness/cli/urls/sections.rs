//! Files of sections (`[name]`) and lines (`key=value`), as service and option files are.

/// A line of a section.
pub(super) struct Line<'t> {
    /// Its number, from 1.
    pub number: usize,
    /// What stands before the equals sign.
    pub key: &'t str,
    /// What stands behind it; `None` without one.
    pub value: Option<&'t str>,
}

/// The lines of a section; `None` if there is no such section. Comments and empty lines are left out.
pub(super) fn section<'t>(text: &'t str, name: &str) -> Option<Vec<Line<'t>>> {
    let (mut inside, mut found) = (false, None);
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = header == name;
            if inside {
                found.get_or_insert_with(Vec::new);
            }
        } else if inside && !line.is_empty() && !line.starts_with(['#', ';']) {
            let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
            let line = Line { number: at + 1, key: key.trim_end(), value: value.map(str::trim_start) };
            found.get_or_insert_with(Vec::new).push(line);
        }
    }
    found
}
