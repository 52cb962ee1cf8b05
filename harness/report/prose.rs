//! Words and figures that every format shares.

use std::borrow::Cow;

use crate::model::{
    Coverage, Evidence, Finding, Outcome, Report, Share, Stage, Verdict,
    event::{Direction, Figure},
    report::ScenarioReport,
};

/// A whole number with thousands separators: `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of a thing: `1 row`, `2 rows`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A time in milliseconds: `340 ms`, `1.2 s`, `12 min 3 s`, `2 h 5 min`.
pub fn duration(ms: u64) -> String {
    // Rounded to what is shown before the unit is chosen, so that 59,960 ms is a minute and not 60.0 s.
    let [tenths, seconds, minutes] = [100, 1000, 60_000].map(|unit| (ms + unit / 2) / unit);
    match ms {
        0..=999 => format!("{ms} ms"),
        _ if tenths < 600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ if seconds < 3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", count(minutes / 60), minutes % 60),
    }
}

/// Rows per second: `12,345 rows/s`. `None` where there is nothing to divide.
pub fn rate(rows: u64, ms: u64) -> Option<String> {
    let per_second = u128::from(rows) * 1000 / u128::from(ms.max(1));
    (rows > 0 && ms > 0).then(|| format!("{} rows/s", count(per_second.try_into().unwrap_or(u64::MAX))))
}

/// A step's own figure, its unit taken from the end of its name: `export: 12,345 rows/s`.
pub fn figure(figure: &Figure) -> String {
    let whole = figure.value.round().max(0.0) as u64;
    let is_whole = figure.value >= 0.0 && figure.value.fract() == 0.0;
    let plain = if is_whole { count(whole) } else { format!("{:.1}", figure.value) };
    let units: [(&str, String); 4] = [
        ("_rows_per_second", format!("{} rows/s", count(whole))),
        ("_ms", duration(whole)),
        ("_rows", plural(whole, "row", "rows")),
        ("_bytes", plural(whole, "byte", "bytes")),
    ];
    let (name, value) = units
        .into_iter()
        .find_map(|(unit, value)| Some((figure.name.strip_suffix(unit)?, value)))
        .unwrap_or((&figure.name, plain));
    visible(&format!("{}: {value}", name.replace('_', " "))).into_owned()
}

/// Whether a character shows nothing, moves the cursor, or turns the reading direction: none of them may reach a
/// terminal, and a reader has to see that they are there.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// The text on one line, with every hidden character written out as in Rust: `\u{1b}`, `\n`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Like [`visible`], but line breaks stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_hidden(c))
}

/// A share: `418/420`.
pub fn share(share: Share) -> String {
    format!("{}/{}", count(share.checked), count(share.total))
}

/// The figures of the coverage line by name, without those of which there is nothing to check. A report of several
/// rehearsals, or of one that was skipped, opens with how many of them ran to their end.
pub fn shares(report: &Report) -> Vec<(&'static str, Share)> {
    let total = report.scenarios.len() as u64;
    let ended = report.scenarios.iter().filter(|scenario| scenario.finished && scenario.skipped.is_none()).count();
    let scenarios = Share::new(ended as u64, total);
    let told = total != 1 || !scenarios.is_whole();
    told.then_some(("scenarios", scenarios)).into_iter().chain(scenario_shares(&report.coverage)).collect()
}

/// The figures of one rehearsal.
pub fn scenario_shares(coverage: &Coverage) -> Vec<(&'static str, Share)> {
    coverage.shares().into_iter().filter(|(_, share)| share.total > 0).collect()
}

/// The first line of every report: `rows 67/67, columns 112/112, catalogue objects 418/420`.
pub fn coverage_line(report: &Report) -> String {
    let mut line = figures(&shares(report));
    if report.scenarios.is_empty() {
        "nothing".clone_into(&mut line);
    } else if scenario_shares(&report.coverage).is_empty() {
        line.push_str(", and nothing in them");
    }
    if !report.run.finished {
        line.push_str("; this is so far: the journal ends before the run did");
    }
    line
}

/// Shares in one line.
pub fn figures(shares: &[(&str, Share)]) -> String {
    if shares.is_empty() {
        return "nothing".to_owned();
    }
    shares.iter().map(|(name, of)| format!("{name} {}", share(*of))).collect::<Vec<_>>().join(", ")
}

/// What the verdict means in this report, as a sentence.
pub fn verdict_sentence(report: &Report) -> &'static str {
    let whole = |scenario: &ScenarioReport| scenario.coverage.is_whole() && scenario.unchecked.is_empty();
    match report.verdict {
        Verdict::Fail if is_audit(report) => "The target is not what the source says it should be.",
        Verdict::Fail => "Something is wrong with the migration or its rollback.",
        Verdict::Inconclusive => "No proof: not everything could be checked.",
        Verdict::Pass if report.scenarios.iter().any(expects_failure) => {
            "Everything ended as the scenario expects; what failed below was meant to fail."
        }
        Verdict::Pass if report.scenarios.iter().all(whole) => "Everything was checked, and nothing is wrong.",
        Verdict::Pass => "Nothing is wrong; what was not checked is waived, and named below.",
    }
}

/// Whether nothing was migrated, and two databases were looked at as they stood.
pub fn is_audit(report: &Report) -> bool {
    let acts = |scenario: &ScenarioReport| scenario.steps.iter().any(|step| step.direction != Direction::Setup);
    !report.scenarios.is_empty()
        && report.scenarios.iter().all(|one| one.skipped.is_none() && !one.checks.is_empty() && !acts(one))
        && report.findings().all(|(check, _)| check.stage == Stage::Migrated)
}

/// Whether a rehearsal passed because it expected the failures that it had.
pub fn expects_failure(scenario: &ScenarioReport) -> bool {
    let outcomes =
        scenario.steps.iter().map(|step| &step.outcome).chain(scenario.checks.iter().map(|check| &check.outcome));
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. } | Outcome::Broken { .. });
    scenario.verdict == Verdict::Pass && outcomes.into_iter().any(failed)
}

/// What made the verdict worse than pass; where several rehearsals ran, each reason with the rehearsal's name.
pub fn reasons(report: &Report) -> Vec<String> {
    let named = report.scenarios.len() > 1;
    let reasons =
        report.scenarios.iter().flat_map(|scenario| scenario.reasons.iter().map(move |text| (scenario, text)));
    let mut reasons: Vec<String> = reasons
        .map(|(scenario, text)| if named { format!("{}: {text}", scenario.name) } else { text.clone() })
        .collect();
    if reasons.is_empty() && report.verdict != Verdict::Pass {
        reasons
            .push(if report.run.finished { "no reason was recorded" } else { "the run did not come to an end" }.into());
    }
    reasons
}

/// An outcome with its reason: `skipped: no rights to read it`.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome.reason() {
        Some(reason) => format!("{}: {reason}", outcome.word()),
        None => outcome.word().to_owned(),
    }
}

/// A finding in one line: `target users.email: rows hold NULL where it should not be (3 in all, expected 0, found 3)`.
pub fn finding(finding: &Finding) -> String {
    let (subject, sentence) = (finding.subject.to_string(), finding.kind.sentence());
    let lead = if subject.is_empty() { sentence.to_owned() } else { format!("{subject}: {sentence}") };
    let total = is_counted(finding).then(|| format!("{} in all", count(finding.total)));
    let sides = [("expected", &finding.expected), ("found", &finding.found)];
    let sides = sides.iter().filter_map(|(word, text)| Some(format!("{word} {}", text.as_ref()?)));
    let amounts: Vec<String> = total.into_iter().chain(sides).collect();
    let amounts = if amounts.is_empty() { String::new() } else { format!(" ({})", amounts.join(", ")) };
    visible(&format!("{lead}{amounts}")).into_owned()
}

/// Whether the finding's total tells something: one of several rows does, one object that is named anyway does not.
pub fn is_counted(finding: &Finding) -> bool {
    let sentence = finding.kind.sentence();
    finding.total != 1 || sentence.starts_with("rows ") || sentence.starts_with("values ")
}

/// A sample row's key: `id = 7, line = #0badcafe (3 B)`.
pub fn key(evidence: &Evidence) -> String {
    let parts = evidence.key.iter().map(|part| format!("{} = {}", part.column, part.value));
    visible(&parts.collect::<Vec<_>>().join(", ")).into_owned()
}

/// A sample row in one line: `id = 7: email source "a", target NULL`.
pub fn evidence(evidence: &Evidence) -> String {
    let sides = [("source", &evidence.source), ("target", &evidence.target)];
    let sides = sides.iter().filter_map(|(side, value)| Some(format!("{side} {}", value.as_ref()?)));
    let sides = sides.collect::<Vec<_>>().join(", ");
    let values: Vec<String> = evidence.column.iter().cloned().chain((!sides.is_empty()).then_some(sides)).collect();
    let row = if evidence.key.is_empty() { "a row without key".to_owned() } else { key(evidence) };
    let line = if values.is_empty() { row } else { format!("{row}: {}", values.join(" ")) };
    visible(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, FindingKind, Shown, Side, Subject, TableName, finding::KeyPart};

    #[test]
    fn figures_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        let shown = [0, 999, 1_000, 1_249, 59_949, 59_950, 723_000, 3_599_600, 7_500_000].map(duration);
        let expected =
            ["0 ms", "999 ms", "1.0 s", "1.2 s", "59.9 s", "1 min 0 s", "12 min 3 s", "1 h 0 min", "2 h 5 min"];
        assert_eq!(shown, expected);
        assert_eq!(rate(67, 212).as_deref(), Some("316 rows/s"));
        assert_eq!((rate(0, 5), rate(5, 0)), (None, None));
    }

    #[test]
    fn figures_of_steps_take_their_unit_from_their_name() {
        let told = |name: &str, value| figure(&Figure { name: name.to_owned(), value });
        assert_eq!(told("export_rows_per_second", 12_345.6), "export: 12,346 rows/s");
        assert_eq!(told("import_ms", 1_249.0), "import: 1.2 s");
        assert_eq!(told("batches", 1_000.0), "batches: 1,000");
        assert_eq!(told("ratio", 0.25), "ratio: 0.2");
    }

    #[test]
    fn hidden_characters_become_visible_and_others_stay() {
        assert_eq!(visible("\u{1b}[2J a\tb\n\u{9b}\u{202e}x\u{7f}"), r"\u{1b}[2J a\tb\n\u{9b}\u{202e}x\u{7f}");
        assert_eq!(visible_lines("a\r\nb"), "a\\r\nb");
        assert!(matches!(visible("Łódź 日本 😀"), Cow::Borrowed("Łódź 日本 😀")));
    }

    #[test]
    fn findings_in_one_line() {
        let users = TableName::new("users");
        let null = Finding::error(
            FindingKind::NullValue,
            Subject::columns(Side::Target, &users, &["email".to_owned()]),
            1_000,
        );
        assert_eq!(
            finding(&null.clone().because("0", "1,000")),
            "target users.email: rows hold NULL where it should not be (1,000 in all, expected 0, found 1,000)"
        );
        let lost = Finding::error(FindingKind::ObjectMissing, Subject::object(Side::Target, "index:i"), 1);
        assert_eq!(finding(&lost), "target index:i: the target lacks an object of the source");
    }

    #[test]
    fn sample_rows_in_one_line() {
        let key = vec![KeyPart { column: "id".to_owned(), value: Shown::Value("7".to_owned()) }];
        let mut row = Evidence { key, column: None, source: None, target: None };
        assert_eq!(evidence(&row), "id = \"7\"");
        row.column = Some("full name".to_owned());
        row.source = Some(Shown::Null);
        row.target = Some(Shown::Redacted { digest: "0badcafe".to_owned(), bytes: 3 });
        assert_eq!(evidence(&row), "id = \"7\": full name source NULL, target #0badcafe (3 B)");
    }
}
