//! What is counted, and how it is written.

use super::*;

fn written(write: impl FnOnce(&mut Page)) -> String {
    let mut page = Page::default();
    write(&mut page);
    page.into_text()
}

#[test]
fn a_family_has_help_type_and_samples_whose_labels_cannot_break_out() {
    let text = written(|page| {
        page.family("a_total", Kind::Counter, "What it is.")
            .sample(&[], 7)
            .sample(&[("x", "1"), ("y", "\"\\\n")], 0.5);
    });
    let expected = "# HELP a_total What it is.\n# TYPE a_total counter\na_total 7\n\
                    a_total{x=\"1\",y=\"\\\"\\\\\\n\"} 0.5\n";
    assert_eq!(text, expected);
}

#[test]
fn a_histogram_counts_each_value_in_every_bucket_that_holds_it() {
    let histogram = Histogram::of_durations();
    for micros in [0, 5_000, 5_001, 2_000_000, u64::from(u32::MAX)] {
        histogram.add(micros);
    }
    let text = written(|page| {
        page.family("t_seconds", Kind::Histogram, "Time.").histogram(&[("s", "a")], &histogram);
    });
    for line in [
        "t_seconds_bucket{s=\"a\",le=\"0.005\"} 2",
        "t_seconds_bucket{s=\"a\",le=\"0.01\"} 3",
        "t_seconds_bucket{s=\"a\",le=\"2.5\"} 4",
        "t_seconds_bucket{s=\"a\",le=\"300\"} 4",
        "t_seconds_bucket{s=\"a\",le=\"+Inf\"} 5",
        "t_seconds_count{s=\"a\"} 5",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
    }
    assert!(text.contains("t_seconds_sum{s=\"a\"} 4296.9"), "{text}");
}

#[test]
fn bounds_are_written_as_people_write_them() {
    for (histogram, bounds) in [
        (Histogram::of_durations(), "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 60 300 inf"),
        (Histogram::of_lengths(), "16384 65536 262144 1048576 4194304 16777216 67108864 268435456 inf"),
    ] {
        let shown: Vec<String> = histogram.cumulated().map(|(bound, _)| bound.to_string()).collect();
        assert_eq!(shown.join(" "), bounds);
    }
}

#[test]
fn all_that_is_counted_at_once_is_counted() {
    let (counter, present, tally) = (Counter::default(), Present::default(), Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let _guard = present.enter();
                    counter.count();
                    tally.count("a");
                    tally.count("b");
                }
            });
        }
    });
    let mut counted: Vec<_> = tally.counted().collect();
    counted.sort_unstable();
    assert_eq!((counter.value(), present.value()), (4000, 0));
    assert_eq!(counted, [("a", 4000), ("b", 4000)]);
}

#[test]
fn more_words_than_places_are_counted_together() {
    let tally = Tally::default();
    for i in 0..WORDS + 6 {
        tally.count(format!("word {i}").leak());
    }
    let counted: Vec<_> = tally.counted().collect();
    assert_eq!((counted.len(), counted[WORDS - 1].1), (WORDS, 7));
}
