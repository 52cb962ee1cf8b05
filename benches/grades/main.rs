//! Two tables of some million rows compared, against the limits that this project sets itself, all in the same run.
//!
//! `cargo bench --bench grades` starts servers, makes the table `grades` of an education system and variants of it, and
//! compares them, each comparison in a process of its own. L is what the same driver needs to read both sides to
//! nowhere at the same time. It prints a table of medians and ends with 1 if a limit is passed.

#[path = "../arguments.rs"]
mod arguments;
mod audit;
#[path = "../board.rs"]
mod board;
mod compare;
mod drain;
#[path = "../memory.rs"]
mod memory;
mod others;
#[path = "../server.rs"]
mod server;
mod table;
#[path = "../watch.rs"]
mod watch;

use std::process::ExitCode;

use clap::Parser;
use rehearse::{
    model::{Address, Cause, FindingKind},
    report::prose::count,
};

use arguments::Common;
use board::Board;
use compare::Compared;
use server::Started;

/// Limits in L.
const EQUAL_LIMIT: f64 = 1.15;
const FEW_LIMIT: f64 = 1.4;
const HALF_LIMIT: f64 = 2.5;
/// Limit in the slower side's own scan.
const ENGINES_LIMIT: f64 = 1.3;
/// Peaks of memory in MiB: of equal tables, and of any.
const EQUAL_MEMORY_LIMIT: f64 = 64.0;
const MEMORY_LIMIT: f64 = 256.0;
/// How much more memory ten times the rows may take.
const GROWTH_LIMIT: f64 = 1.1;
/// Tables without rows on each side, and the seconds that they may take.
const EMPTY_TABLES: u32 = 1000;
const EMPTY_LIMIT: f64 = 10.0;

const HOUR: i64 = 3_600_000_000;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Compares the table `grades` with itself and with variants, and holds that against limits.
#[derive(Parser)]
struct Args {
    /// Rows of the table.
    #[arg(long, default_value_t = 3_209_747)]
    rows: u64,
    /// Also ten times the rows, for the peak of memory.
    #[arg(long)]
    large: bool,
    /// How often everything is measured; medians count.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    times: u64,
    /// Parts to measure, in place of all.
    #[arg(long, value_delimiter = ',', value_parser = PARTS)]
    parts: Vec<String>,
    /// Compare two databases, whose addresses come by standard input.
    #[arg(long, hide = true)]
    compare: bool,
    #[command(flatten)]
    common: Common,
}

const PARTS: [&str; 9] = ["empty", "equal", "audit", "few", "half", "others", "sqlite", "mariadb", "two"];

impl Args {
    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|one| one == part)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if args.compare {
        return match compare::child().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:?}");
                ExitCode::from(2)
            }
        };
    }
    arguments::ended(run(&args)).await
}

async fn run(args: &Args) -> Result<Board, Error> {
    let mut bench = Bench { args, board: Board::new(), worst: 0.0, equal_mib: None };
    let provider = &args.common.provider;
    server::on_postgres(provider, async |server| {
        bench.on_one(server).await?;
        if args.has("two") { bench.on_two(server).await } else { Ok(()) }
    })
    .await?;
    if args.large {
        server::on_postgres(provider, async |server| bench.large(server).await).await?;
    }
    bench.board.bounded("peak memory of any", bench.worst, "MiB", MEMORY_LIMIT);
    Ok(bench.board)
}

struct Bench<'a> {
    args: &'a Args,
    board: Board,
    /// The largest peak of memory so far.
    worst: f64,
    /// The peak of memory of equal tables.
    equal_mib: Option<f64>,
}

/// What a comparison is held against, in the same minute: a machine is not always as fast.
#[derive(Clone, Copy)]
enum Yardstick<'a> {
    /// Both sides read to nowhere at the same time.
    Both(&'a Address, &'a Address),
    /// The slower one of both sides, each read to nowhere alone.
    Slower(&'a Address, &'a Address),
}

impl Yardstick<'_> {
    async fn seconds(self) -> Result<f64, Error> {
        match self {
            Self::Both(source, target) => drain::both(source, target).await,
            Self::Slower(source, target) => Ok(drain::one(source).await?.max(drain::one(target).await?)),
        }
    }
}

/// Medians of several measurements.
struct Measured {
    /// Times the yardstick.
    times: f64,
    peak_mib: f64,
    last: Compared,
}

impl Bench<'_> {
    async fn on_one(&mut self, server: &Started) -> Result<(), Error> {
        if self.args.has("empty") {
            self.empty(server).await?;
        }
        if PARTS[1..].iter().all(|part| !self.args.has(part)) {
            return Ok(());
        }
        table::make(server, self.args.rows).await?;
        let [grades, equal, few, half] =
            ["grades", "equal", "few", "half"].map(|database| server.address(Some(database)));
        let yardstick = Yardstick::Both(&grades, &equal);
        let bound = self.limit("L, both sides read to nowhere", yardstick).await?;
        if self.args.has("equal") {
            let measured = self.measure(&grades, &equal, yardstick).await?;
            self.is_equal(&measured.last)?;
            self.board.bounded("equal tables", measured.times, "L", EQUAL_LIMIT);
            self.equal_mib = Some(measured.peak_mib);
            self.board.bounded("equal tables, peak memory", measured.peak_mib, "MiB", EQUAL_MEMORY_LIMIT);
        }
        if self.args.has("audit") {
            let audited = audit::audit(&grades, &equal).await?;
            let rows = audited.check("checksum");
            let all = format!("{:.2} L, of it rows {:.2} L", audited.seconds / bound, rows / bound);
            self.board.plain("rehearse audit of equal tables, all checks", &all);
            self.board.bounded("rehearse audit, peak memory", audited.peak_mib, "MiB", EQUAL_MEMORY_LIMIT);
            self.worst = self.worst.max(audited.peak_mib);
        }
        if self.args.has("few") {
            let measured = self.measure(&grades, &few, yardstick).await?;
            let kinds = [FindingKind::MissingRow, FindingKind::ExtraneousRow, FindingKind::ChangedRow];
            let found = kinds.map(|kind| measured.last.total(kind));
            expect(found == [3, 3, 4] && measured.last.named() as u64 == table::FEW, "ten rows", &measured.last)?;
            self.board.bounded("ten differing rows, all named", measured.times, "L", FEW_LIMIT);
        }
        if self.args.has("half") {
            let shifted = table::shifted(server).await?;
            let measured = self.measure(&grades, &half, yardstick).await?;
            let by_hour = measured.last.caused_by(&Cause::Shifted { micros: Some(HOUR) });
            let found = (measured.last.total(FindingKind::ChangedRow), by_hour);
            expect(found == (shifted, shifted), "half of the rows", &measured.last)?;
            let figure = format!("{} rows an hour late, with their cause", count(shifted));
            self.board.bounded(&figure, measured.times, "L", HALF_LIMIT);
            self.board.bounded("of it peak memory", measured.peak_mib, "MiB", MEMORY_LIMIT);
        }
        if self.args.has("others") {
            others::measure(&mut self.board, &grades, &few, bound, self.args.times).await;
        }
        if self.args.has("sqlite") || self.args.has("mariadb") {
            self.engines(server, &grades).await?;
        }
        Ok(())
    }

    /// The same table on two servers.
    async fn on_two(&mut self, server: &Started) -> Result<(), Error> {
        let provider = &self.args.common.provider;
        let grades = server.address(Some("grades"));
        server::on_postgres(provider, async |other| self.two(&grades, other).await).await
    }

    async fn two(&mut self, grades: &Address, other: &Started) -> Result<(), Error> {
        table::make_one(other, self.args.rows).await?;
        let target = other.address(Some("grades"));
        let yardstick = Yardstick::Both(grades, &target);
        self.limit("L with two servers", yardstick).await?;
        let measured = self.measure(grades, &target, yardstick).await?;
        self.is_equal(&measured.last)?;
        self.board.bounded("equal tables on two servers", measured.times, "L", EQUAL_LIMIT);
        Ok(())
    }

    async fn engines(&mut self, server: &Started, grades: &Address) -> Result<(), Error> {
        let file = table::make_file(server, server.home()).await?;
        if self.args.has("sqlite") {
            self.against("SQLite", &file, grades).await?;
        }
        if self.args.has("mariadb") {
            match Started::new("mariadb", "container").await {
                Ok(mariadb) => {
                    let done = async {
                        table::make_mariadb(&mariadb, &file).await?;
                        self.against("MariaDB", &mariadb.address(Some("grades")), grades).await
                    };
                    let done = done.await;
                    mariadb.release().await?;
                    done?;
                }
                Err(error) => self.board.plain("MariaDB against PostgreSQL", &format!("not measured: {error}")),
            }
        }
        Ok(())
    }

    /// Equal tables of two engines, held against the slower one's own scan.
    async fn against(&mut self, engine: &str, source: &Address, target: &Address) -> Result<(), Error> {
        let yardstick = Yardstick::Slower(source, target);
        let figure = format!("the slower one of {engine}'s own scan and PostgreSQL's");
        self.limit(&figure, yardstick).await?;
        let measured = self.measure(source, target, yardstick).await?;
        self.is_equal(&measured.last)?;
        let figure = format!("{engine} against PostgreSQL, equal tables");
        self.board.bounded(&figure, measured.times, "scans", ENGINES_LIMIT);
        Ok(())
    }

    async fn empty(&mut self, server: &Started) -> Result<(), Error> {
        for name in ["empty_source", "empty_target"] {
            table::make_empty(server, name, EMPTY_TABLES).await?;
        }
        let [source, target] = ["empty_source", "empty_target"].map(|database| server.address(Some(database)));
        let mut seconds = Vec::new();
        for _ in 0..self.args.times {
            seconds.push(audit::audit(&source, &target).await?.seconds);
        }
        let figure = format!("rehearse audit, {EMPTY_TABLES} empty tables against as many");
        self.board.bounded(&figure, median(seconds), "s", EMPTY_LIMIT);
        Ok(())
    }

    /// Ten times the rows, once.
    async fn large(&mut self, server: &Started) -> Result<(), Error> {
        let rows = self.args.rows * 10;
        table::make_large(server, rows).await?;
        let [grades, equal, half] = ["grades", "equal", "half"].map(|database| server.address(Some(database)));
        let bound = drain::both(&grades, &equal).await?;
        self.board.plain(&format!("L of {} rows", count(rows)), &format!("{bound:.2} s"));
        let compared = self.once(&grades, &equal).await?;
        let figure = format!("{} rows, equal tables", count(rows));
        self.board.bounded(&figure, compared.seconds / bound, "L", EQUAL_LIMIT);
        self.board.bounded(&format!("{figure}, peak memory"), compared.peak_mib, "MiB", EQUAL_MEMORY_LIMIT);
        if let Some(usual) = self.equal_mib {
            let figure = "peak memory of equal tables, ten times the rows";
            self.board.bounded(figure, compared.peak_mib / usual, "x", GROWTH_LIMIT);
        }
        let compared = self.once(&grades, &half).await?;
        let figure = format!("{} rows, half an hour late", count(rows));
        self.board.bounded(&figure, compared.seconds / bound, "L", HALF_LIMIT);
        self.board.bounded(&format!("{figure}, peak memory"), compared.peak_mib, "MiB", MEMORY_LIMIT);
        Ok(())
    }

    async fn limit(&mut self, figure: &str, yardstick: Yardstick<'_>) -> Result<f64, Error> {
        // The first reading warms the server's and the system's caches.
        yardstick.seconds().await?;
        let mut seconds = Vec::new();
        for _ in 0..self.args.times {
            seconds.push(yardstick.seconds().await?);
        }
        let bound = median(seconds);
        self.board.plain(figure, &format!("{bound:.2} s"));
        Ok(bound)
    }

    async fn measure(
        &mut self,
        source: &Address,
        target: &Address,
        yardstick: Yardstick<'_>,
    ) -> Result<Measured, Error> {
        let (mut bounds, mut seconds, mut peaks, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
        for _ in 0..self.args.times {
            bounds.push(yardstick.seconds().await?);
            let compared = self.once(source, target).await?;
            seconds.push(compared.seconds);
            peaks.push(compared.peak_mib);
            last = Some(compared);
        }
        let last = last.ok_or("nothing was measured")?;
        Ok(Measured { times: median(seconds) / median(bounds), peak_mib: median(peaks), last })
    }

    async fn once(&mut self, source: &Address, target: &Address) -> Result<Compared, Error> {
        let compared = compare::compare(source, target).await?;
        eprintln!("  {:.2} s, {:.0} MiB", compared.seconds, compared.peak_mib);
        self.worst = self.worst.max(compared.peak_mib);
        Ok(compared)
    }

    fn is_equal(&self, compared: &Compared) -> Result<(), Error> {
        expect(compared.rows == 2 * self.args.rows && compared.findings.is_empty(), "equal rows", compared)
    }
}

/// A fast answer that is wrong is no measurement.
fn expect(is_so: bool, what: &str, compared: &Compared) -> Result<(), Error> {
    if is_so && compared.unchecked == 0 {
        return Ok(());
    }
    let findings = serde_json::to_string_pretty(&compared.findings)?;
    Err(format!("{what} were not found as they are: {} rows, {findings}", compared.rows).into())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
