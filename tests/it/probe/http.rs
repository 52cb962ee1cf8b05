//! Requests: what a web server may do, and what is made of it.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use rehearse::model::{FindingKind, Side, Stage, Verdict};

use super::{found, rehearse};

/// A web server that lives as long as the tests, and what it was asked.
struct Web {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, late) = (Arc::clone(&asked), Arc::new(AtomicU32::new(0)));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, late) = (Arc::clone(&log), Arc::clone(&late));
                thread::spawn(move || serve(stream.unwrap(), &log, &late));
            }
        });
        Self { port, asked }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// Answers one request and closes.
fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>, late: &AtomicU32) {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap_or(0) > 0 {}
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().unwrap().push(head);
    let answer = |status: &str, more: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nconnection: close\r\n{more}content-length: {length}\r\n\r\n{body}")
    };
    let text = match path.as_str() {
        "/health" => answer("200 OK", "", "all is ok"),
        "/moved" => answer("302 Found", "location: /health\r\n", ""),
        "/late" if late.fetch_add(1, Ordering::Relaxed) < 2 => answer("503 Service Unavailable", "", "not yet"),
        "/late" => answer("200 OK", "", "now"),
        "/hangs" => {
            thread::sleep(Duration::from_secs(30));
            return;
        }
        "/flood" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n");
            // Until nobody listens any more.
            while stream.write_all(&[b'x'; 65_536]).is_ok() {}
            return;
        }
        _ => answer("404 Not Found", "", ""),
    };
    let _ = stream.write_all(text.as_bytes());
}

#[test]
fn a_web_server_is_asked_and_waited_for() {
    let web = Web::start();
    let (ended, report) = rehearse(
        &format!(
            "[[probe]]\nname = \"health\"\nhttp = \"{}\"\nstatus = 200\ncontains = \"ok\"\nruns = 2\nequal = true\n\n\
             [[probe]]\nname = \"moved\"\nhttp = \"{}\"\nstatus = 302\n\n\
             [[probe]]\nname = \"late\"\nwhen = \"before\"\nhttp = \"{}\"\nmethod = \"POST\"\nbody = \"{{}}\"\nstatus = 200\n\
             retry_s = 20.0\nheaders.authorization = \"Bearer secret-token\"\n",
            web.url("/health"),
            web.url("/moved"),
            web.url("/late")
        ),
        None,
    );
    let report = report.unwrap();
    assert_eq!((ended.code, report.verdict), (0, Verdict::Pass), "{ended:?}");
    let probed = &report.scenarios[0].probed;
    let health = probed.iter().find(|one| one.name == "health").unwrap();
    assert_eq!((health.told.as_str(), health.times_ms.len()), ("status 200, 9 bytes", 2));
    assert_eq!(probed.iter().find(|one| one.name == "late").unwrap().attempts, 3);
    let asked = web.asked.lock().unwrap();
    let late = asked.iter().find(|head| head.starts_with("POST /late")).unwrap();
    assert!(late.to_lowercase().contains("authorization: bearer secret-token"), "{late}");
    // Its password is nobody's business.
    assert!(!ended.stdout.contains("secret-token") && !format!("{report:?}").contains("secret-token"));
}

#[test]
fn what_is_no_answer_is_told_in_time() {
    let web = Web::start();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = nobody.local_addr().unwrap().port();
    drop(nobody);
    let cases = [
        (web.url("/flood"), "status 200, and then: more than the 1048576 bytes that a probe reads"),
        (web.url("/hangs"), "timeout"),
        (format!("http://127.0.0.1:{free}/"), "onnection refused"),
    ];
    for (url, problem) in cases {
        let probe = format!("[[probe]]\nname = \"it\"\nwhen = \"after\"\nhttp = \"{url}\"\ndeadline_s = 2.0\n");
        let (ended, report) = rehearse(&probe, None);
        assert_eq!(ended.code, 1, "{url}: {ended:?}");
        let [(FindingKind::ProbeUnanswered, Some(Side::Target), told)] = &found(&report.unwrap(), Stage::Migrated)[..]
        else {
            panic!("{url}: {ended:?}")
        };
        assert!(told.contains(problem), "{url}: {told}");
    }
}

#[test]
fn another_status_or_text_is_a_finding() {
    let web = Web::start();
    for (path, expectation, told) in [
        ("/moved", "status = 200", "Some(\"status 200\") -> Some(\"status 302, 0 bytes\")"),
        ("/health", "contains = \"broken\"", "Some(\"a body with `broken`\") -> Some(\"status 200, 9 bytes\")"),
        (
            "/nowhere",
            "status = 200\ncontains = \"x\"",
            "Some(\"status 200, a body with `x`\") -> Some(\"status 404, 0 bytes\")",
        ),
    ] {
        let url = web.url(path);
        let (ended, report) =
            rehearse(&format!("[[probe]]\nname = \"it\"\nwhen = \"after\"\nhttp = \"{url}\"\n{expectation}\n"), None);
        assert_eq!(
            found(&report.unwrap(), Stage::Migrated),
            [(FindingKind::ProbeOtherwise, Some(Side::Target), told.to_owned())],
            "{ended:?}"
        );
    }
}

#[test]
fn requests_that_cannot_be_are_refused_with_their_line() {
    for (probe, problem) in [
        ("http = \"ftp://example.org\"", "`ftp://example.org` is no address of a web server"),
        ("http = \"localhost:8000\"", "`localhost:8000` is no address of a web server"),
        ("http = \"http://a/\"\nstatus = 99", "`99` is no status; expected 100 to 599"),
        ("http = \"http://a/\"\ndeadline_s = 0.0", "`0` is no deadline"),
        ("http = \"http://a/\"\nmethod = \"get\"", "unknown method `get`"),
        ("http = \"http://a/\"\nheaders.\"a b\" = \"c\"", "`a b` is no name of a header"),
        ("http = \"http://a/\"\nheaders.a = \"b\\nc\"", "is no value of a header"),
        ("http = \"http://a/\"\nsql = \"SELECT 1\"", "asks in several ways; expected one of `sql`, "),
    ] {
        let (ended, report) = rehearse(&format!("[[probe]]\nname = \"one\"\n{probe}\n"), None);
        assert_eq!((ended.code, report), (2, None), "{probe}: {ended:?}");
        assert!(ended.stderr.contains(problem), "{probe}: {}", ended.stderr);
    }
}
