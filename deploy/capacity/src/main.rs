//! `make capacity`: runs every policy through every load curve, prints what it found, and puts tables and
//! plots into the folder of documents that is its argument.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use capacity::catalogue::{self, Curve};
use capacity::experiment::{self, Task};
use capacity::machine::Size;
use capacity::outcome::Outcome;
use capacity::policy::Policy;
use capacity::work::{self, Work};
use capacity::{delays, load::Load, plots, prices, tables};

/// Of every run; other seeds give other figures in the last digit.
const SEED: u64 = 1;

/// The policies that are drawn, by their place in the catalogue.
const DRAWN: [usize; 5] = [1, 2, 5, 7, 9];

/// Processor uses that headroom is compared at.
const HEADROOMS: [f64; 8] = [0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1];

fn main() -> ExitCode {
    let begun = Instant::now();
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: capacity FOLDER, where the tables (FOLDER/capacity.md) and plots go");
        return ExitCode::from(2);
    };
    match run(&folder) {
        Ok(()) => {
            eprintln!("{:.0} s", begun.elapsed().as_secs_f64());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("capacity: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let page = folder.join("capacity.md");
    let work = Work::measured(&std::fs::read_to_string(work::PERFORMANCE)?)?;
    let (curves, policies) = (catalogue::curves(&work), catalogue::policies());

    let mut tasks = Vec::new();
    for curve in &curves {
        for policy in &policies {
            tasks.push(Task { scenario: curve.scenario.clone(), policy: policy.clone(), runs: curve.runs });
        }
    }
    let (of_headroom, headroom) = headroom_tasks(&curves);
    let sensitivity = sensitivity_tasks(&work, &curves[1]);
    let jobs = jobs_tasks(&work);
    let counts = [tasks.len(), headroom.len(), sensitivity.len()];
    tasks.extend(headroom);
    tasks.extend(sensitivity.iter().map(|(_, task)| task.clone()));
    tasks.extend(jobs.iter().map(|(_, task)| task.clone()));
    let outcomes = experiment::run(&tasks, SEED);
    let (compared, rest) = outcomes.split_at(counts[0]);
    let (headroom, rest) = rest.split_at(counts[1]);
    let (sensitive, throughputs) = rest.split_at(counts[2]);

    let mut text = format!(
        "An image takes {:.1} ms of a processor on average. Requests to S3 and SQS cost ${:.2} for a million images, \
         under every policy; the tables have what machines cost.\n\n",
        work.mean() * 1e3,
        prices::requests_million()
    );
    for (curve, outcomes) in curves.iter().zip(compared.chunks(policies.len())) {
        text += &curve_table(curve, &policies, outcomes);
        draw(folder, curve, &policies, outcomes)?;
    }
    text += &headroom_table(folder, &of_headroom, headroom)?;
    let lines: Vec<tables::Line> =
        sensitivity.iter().zip(sensitive).map(|((name, _), outcome)| (name.as_str(), 0, outcome)).collect();
    text += &tables::table(
        "The recommended policy in the surge, if something is otherwise",
        "what is otherwise",
        &lines,
    );
    text += &jobs_table(&jobs, throughputs);

    print!("{text}");
    std::fs::write(&page, tables::placed(&std::fs::read_to_string(&page)?, &text)?)?;
    Ok(())
}

fn curve_table(curve: &Curve, policies: &[Policy], outcomes: &[Outcome]) -> String {
    let lines: Vec<tables::Line> = policies
        .iter()
        .zip(outcomes)
        .map(|(policy, outcome)| (policy.name.as_str(), policy.warm_pool, outcome))
        .collect();
    tables::table(&capitalised(curve.title), "policy", &lines)
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn draw(
    folder: &Path,
    curve: &Curve,
    policies: &[Policy],
    outcomes: &[Outcome],
) -> Result<(), Box<dyn std::error::Error>> {
    let lines: Vec<plots::Line> =
        DRAWN.iter().map(|drawn| (policies[*drawn].name.as_str(), &outcomes[*drawn])).collect();
    let file = folder.join(format!("capacity-{}.svg", curve.name));
    plots::over_time(&file, &format!("Time to thumbnails: {}", curve.title), &lines, curve.span)
}

/// The surge and the steady load under each headroom, without and with a warm pool.
fn headroom_tasks(curves: &[Curve]) -> (Vec<(f64, usize)>, Vec<Task>) {
    let of: Vec<(f64, usize)> =
        [0, 20].iter().flat_map(|pool| HEADROOMS.map(|target| (target, *pool))).collect();
    let tasks = of.iter().flat_map(|(target, pool)| {
        let policy = catalogue::with_headroom(*target, *pool);
        [&curves[0], &curves[1]].map(|curve| Task {
            scenario: curve.scenario.clone(),
            policy: policy.clone(),
            runs: curve.runs,
        })
    });
    (of.clone(), tasks.collect())
}

fn headroom_table(
    folder: &Path,
    of: &[(f64, usize)],
    outcomes: &[Outcome],
) -> Result<String, Box<dyn std::error::Error>> {
    let mut text = "### What headroom buys\n\n\
        | processor use held | p99 in the surge | worst minute's p99 | the same with a warm pool of 20 | \
        machines at 20/s | $ a million at 20/s |\n| ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let mut series = [("no warm pool", Vec::new()), ("warm pool of 20", Vec::new())];
    let pairs: Vec<(&Outcome, &Outcome)> = outcomes.chunks(2).map(|pair| (&pair[0], &pair[1])).collect();
    for ((target, pool), (steady, surge)) in of.iter().zip(&pairs) {
        series[usize::from(*pool > 0)].1.push(plots::Point {
            label: format!("{:.0} %", target * 100.0),
            dollars: prices::machines_million(steady, *pool),
            wait: surge.worst_minute(),
        });
    }
    let (cold, warm) = pairs.split_at(HEADROOMS.len());
    for ((target, (steady, surge)), (_, with_pool)) in HEADROOMS.iter().zip(cold).zip(warm) {
        text += &format!(
            "| {:.0} % | {:.1} s | {:.1} s | {:.1} s | {:.1} | {:.2} |\n",
            target * 100.0,
            surge.percentile(0.99),
            surge.worst_minute(),
            with_pool.worst_minute(),
            steady.machines(),
            prices::machines_million(steady, 0)
        );
    }
    let title = "What headroom buys: ten times as many uploads in a minute";
    plots::frontier(&folder.join("capacity-headroom.svg"), title, &series)?;
    text.push('\n');
    Ok(text)
}

/// The recommended policy in the surge, with one thing otherwise each.
fn sensitivity_tasks(work: &Work, surge: &Curve) -> Vec<(String, Task)> {
    let task = |change: &dyn Fn(&mut Task)| {
        let (scenario, policy) = (surge.scenario.clone(), catalogue::recommended());
        let mut task = Task { scenario, policy, runs: surge.runs };
        change(&mut task);
        task
    };
    let rate = |of: f64| {
        move |task: &mut Task| {
            if let Load::Surge { rate, .. } = &mut task.scenario.load {
                *rate = of;
            }
            task.scenario.machines = (of / 5.0).ceil() as usize;
        }
    };
    let heavy = work.scaled(2.0);
    vec![
        ("nothing".to_owned(), task(&|_| ())),
        ("2 uploads/s to 20/s".to_owned(), task(&rate(2.0))),
        ("100 uploads/s to 1000/s".to_owned(), task(&rate(100.0))),
        ("S3 answers in 20 to 60 ms".to_owned(), task(&|task| task.scenario.requests.store = (0.02, 0.06))),
        ("EC2 takes twice as long".to_owned(), task(&|task| task.scenario.launch = double(delays::LAUNCH))),
        ("the machine's image takes 20 s to boot".to_owned(), task(&|task| task.scenario.boot = 20.0)),
        (
            "the ten-second metric is judged after 20 s".to_owned(),
            task(&|task| task.policy.rules[1].delay += 10.0),
        ),
        (
            "an image takes twice the processor time".to_owned(),
            task(&|task| task.scenario.work = heavy.clone()),
        ),
        (
            "twenty times as many uploads".to_owned(),
            task(&|task| {
                if let Load::Surge { times, .. } = &mut task.scenario.load {
                    *times = 20.0;
                }
            }),
        ),
    ]
}

fn double((least, most): (f64, f64)) -> (f64, f64) {
    (2.0 * least, 2.0 * most)
}

/// One machine with more work than it can do, by `SHARER_JOBS`.
fn jobs_tasks(work: &Work) -> Vec<((usize, &'static str), Task)> {
    let only = Policy { name: String::new(), minimum: 1, warm_pool: 0, rules: Vec::new() };
    let mut tasks = Vec::new();
    for (name, store) in [("100 to 200 ms", delays::S3_REQUEST), ("20 to 60 ms", (0.02, 0.06))] {
        for jobs in [1, 2, 4, 8, 12, 16, 24] {
            let mut scenario = catalogue::scenario(work, Load::Steady { rate: 40.0 }, 600.0);
            scenario.size = Size::of_worker(1, jobs);
            scenario.requests.store = store;
            scenario.machines = 1;
            (scenario.until, scenario.from) = (scenario.until - scenario.from, capacity::time::Time::ZERO);
            tasks.push(((jobs, name), Task { scenario, policy: only.clone(), runs: 1 }));
        }
    }
    tasks
}

fn jobs_table(of: &[((usize, &str), Task)], outcomes: &[Outcome]) -> String {
    let mut text = "### Images a second of one core\n\n| `SHARER_JOBS` | S3 answers in 100 to 200 ms | in 20 to 60 ms |\n\
                    | ---: | ---: | ---: |\n"
        .to_owned();
    let half = of.len() / 2;
    for (number, ((jobs, _), _)) in of[..half].iter().enumerate() {
        let rates = [&outcomes[number], &outcomes[half + number]].map(Outcome::done_a_second);
        text += &format!("| {jobs} | {:.1} | {:.1} |\n", rates[0], rates[1]);
    }
    text
}
