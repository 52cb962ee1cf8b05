//! `http`: a request, as to a health endpoint, of which status, text and time count.
//!
//! A redirect is an answer and is not followed: what is asked is the system itself. An answer has a deadline and a size; one
//! beyond either is none.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use ureq::{Agent, Body, RequestExt, http};

use super::{Answer, Asked, ProbeKind};
use crate::{
    document::{Fields, Located, Problem},
    model::Side,
};

/// A request.
pub(super) struct Http;

/// The most bytes that an answer may have.
const MOST_BYTES: u64 = 1 << 20;
/// How long an answer may take, where nothing else is said, in seconds.
const DEADLINE_S: f64 = 10.0;
/// The longest that may be said.
const LONGEST_S: f64 = 3600.0;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Settings {
    url: String,
    method: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    deadline_s: f64,
    /// What comes out.
    expected: Option<Expected>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Expected {
    status: Option<u16>,
    contains: Option<String>,
}

#[async_trait]
impl ProbeKind for Http {
    fn keys(&self) -> &'static [&'static str] {
        &["http"]
    }

    fn configure(&self, fields: &mut Fields<'_>) -> Json {
        let url = fields.required_str("http");
        let is_one =
            |text: &str| text.parse().is_ok_and(|uri: http::Uri| matches!(uri.scheme_str(), Some("http" | "https")));
        if let Some(url) = url.as_ref().filter(|url| !is_one(&url.value)) {
            let problem = Problem::new(&url.place, format!("`{}` is no address of a web server", url.value));
            fields.problem(problem.expected("`http://127.0.0.1:8000/health` or the like"));
        }
        let method = fields.optional_one_of("method", "method", &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
        let mut headers = BTreeMap::new();
        for (name, entry) in fields.table("headers").map(|mut fields| fields.named()).unwrap_or_default() {
            let Some(value) = entry.str() else { continue };
            if let Some(problem) = unfit(&name, &value) {
                fields.problem(problem);
            }
            headers.insert(name.value, value.value);
        }
        let body = fields.optional_str("body").map(|body| body.value);
        let status = fields.optional_u64("status").and_then(|status| {
            let code = u16::try_from(status.value).ok().filter(|code| (100..600).contains(code));
            if code.is_none() {
                let problem = Problem::new(&status.place, format!("`{}` is no status", status.value));
                fields.problem(problem.expected("100 to 599"));
            }
            code
        });
        let contains = fields.optional_str("contains").map(|text| text.value);
        let deadline = fields.optional_f64("deadline_s");
        if let Some(deadline) = deadline.as_ref().filter(|one| !(one.value > 0.0 && one.value <= LONGEST_S)) {
            let problem = Problem::new(&deadline.place, format!("`{}` is no deadline", deadline.value));
            fields.problem(problem.expected("seconds above 0, an hour at most"));
        }
        let settings = Settings {
            url: url.map(|url| url.value).unwrap_or_default(),
            method: method.map_or("GET", |method| method.value).to_owned(),
            headers,
            body,
            deadline_s: deadline.map_or(DEADLINE_S, |deadline| deadline.value),
            expected: (status.is_some() || contains.is_some()).then_some(Expected { status, contains }),
        };
        serde_json::to_value(settings).unwrap_or_default()
    }

    fn asks(&self, _config: &Json, _side: Side) -> bool {
        true
    }

    async fn ask(&self, config: &Json, _asked: &mut Asked<'_>) -> Result<Answer, String> {
        let settings: Settings = serde_json::from_value(config.clone()).map_err(|error| error.to_string())?;
        // The client waits; its own deadline ends it.
        let request = tokio::task::spawn_blocking(move || ask(&settings));
        request.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

/// What is wrong with a header.
fn unfit(name: &Located<String>, value: &Located<String>) -> Option<Problem> {
    if http::HeaderName::try_from(name.value.as_str()).is_err() {
        let problem = Problem::new(&name.place, format!("`{}` is no name of a header", name.value));
        return Some(problem.expected("letters, digits and `-`"));
    }
    // It may be a password: the value is not told.
    let is_wrong = http::HeaderValue::try_from(value.value.as_str()).is_err();
    is_wrong.then(|| Problem::new(&value.place, "is no value of a header").expected("one line of visible characters"))
}

fn ask(settings: &Settings) -> Result<Answer, String> {
    let agent: Agent = Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        // What is probed is what the scenario names, whatever the environment says about a way there.
        .proxy(None)
        .timeout_global(Some(Duration::from_secs_f64(settings.deadline_s)))
        .build()
        .into();
    let request = settings.headers.iter().fold(
        http::Request::builder().method(settings.method.as_str()).uri(&settings.url),
        |request, (name, value)| request.header(name, value),
    );
    let request = request.body(settings.body.clone().unwrap_or_default()).map_err(|error| error.to_string())?;
    let mut response = request.with_agent(&agent).run().map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = read(response.body_mut()).map_err(|problem| format!("status {status}, and then: {problem}"))?;
    let unmet = settings.expected.as_ref().and_then(|expected| expected.unmet(status, &body));
    let mut hasher = blake3::Hasher::new();
    hasher.update(&status.to_le_bytes()).update(&body);
    let told = format!("status {status}, {} bytes", body.len());
    Ok(Answer { told, digest: hasher.finalize().to_hex().to_string(), unmet })
}

fn read(body: &mut Body) -> Result<Vec<u8>, String> {
    body.with_config().limit(MOST_BYTES).read_to_vec().map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(most) => format!("more than the {most} bytes that a probe reads"),
        other => other.to_string(),
    })
}

impl Expected {
    /// What was expected, where that is not what came.
    fn unmet(&self, status: u16, body: &[u8]) -> Option<String> {
        let is_other = self.status.is_some_and(|expected| expected != status);
        let text = String::from_utf8_lossy(body);
        let lacks = self.contains.as_ref().is_some_and(|expected| !text.contains(expected.as_str()));
        let wanted = [
            self.status.map(|status| format!("status {status}")),
            self.contains.as_ref().map(|text| format!("a body with `{text}`")),
        ];
        (is_other || lacks).then(|| wanted.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
