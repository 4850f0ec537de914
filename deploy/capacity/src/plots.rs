//! Outcomes as SVG: two panels over one time axis, waits above machines; and what headroom costs and buys.
//! Lines differ in colour, in lightness and in their dashes, so that they can be told apart in grey.

use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::outcome::Outcome;

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (900, 640);
const FONT: &str = "Helvetica, Arial, sans-serif";
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// Colour, width, and dash and gap (none for a whole line).
type Style = (RGBColor, u32, Option<(i32, i32)>);

const STYLES: [Style; 5] = [
    (RGBColor(0xe6, 0x9f, 0x00), 2, None),
    (RGBColor(0x56, 0xb4, 0xe9), 2, Some((8, 5))),
    (RGBColor(0xcc, 0x66, 0x99), 2, Some((3, 4))),
    (RGBColor(0x00, 0x72, 0xb2), 2, Some((14, 4))),
    (RGBColor(0x11, 0x11, 0x11), 3, None),
];

/// A policy's line.
pub type Line<'a> = (&'a str, &'a Outcome);

/// Waits and machines over time, `span` seconds a point.
///
/// # Errors
/// When the file cannot be written.
pub fn over_time(file: &Path, title: &str, lines: &[Line], span: f64) -> Drawn {
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (20, 14), (FONT, 19).into_font().color(&INK)))?;
    legend(&root, lines)?;
    let (upper, lower) = root.margin(88, 8, 10, 20).split_vertically(290);

    let hours = span > 60.0;
    let scale = if hours { 3600.0 } else { 60.0 };
    let from =
        lines.iter().filter_map(|line| line.1.seconds.first()).map(|second| second.at.as_seconds()).next();
    let from = from.unwrap_or(0.0);
    let at = |seconds: f64| (seconds - from) / scale;

    let waits: Vec<Vec<(f64, f64)>> = lines
        .iter()
        .map(|(_, outcome)| {
            let points = outcome.percentile_over_time(0.99, span);
            points.iter().map(|(time, wait)| (at(*time), wait.max(0.5))).collect()
        })
        .collect();
    let machines: Vec<Vec<(f64, f64)>> = lines
        .iter()
        .map(|(_, outcome)| machines(outcome, span).iter().map(|(time, count)| (at(*time), *count)).collect())
        .collect();
    let end = waits.iter().flatten().map(|point| point.0).fold(0.0, f64::max).ceil();
    let longest = waits.iter().flatten().map(|point| point.1).fold(20.0, f64::max) * 1.3;
    let most = machines.iter().flatten().map(|point| point.1).fold(5.0, f64::max) * 1.1;

    panel(&upper, end, (0.5..longest).log_scale(), "p99 wait, seconds (log scale)", "", &waits, Some(10.0))?;
    let axis = if hours { "hours" } else { "minutes" };
    panel(&lower, end, 0.0..most, "machines at work", axis, &machines, None)?;
    root.present()?;
    Ok(())
}

/// Machines at work, over spans and runs.
fn machines(outcome: &Outcome, span: f64) -> Vec<(f64, f64)> {
    let mut seconds: Vec<(f64, f64)> =
        outcome.seconds.iter().map(|second| (second.at.as_seconds(), second.serving as f64)).collect();
    seconds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let chunks = seconds.chunk_by(|a, b| (a.0 / span).floor() == (b.0 / span).floor());
    chunks
        .map(|chunk| {
            let mean = chunk.iter().map(|second| second.1).sum::<f64>() / chunk.len() as f64;
            (((chunk[0].0 / span).floor() + 0.5) * span, mean)
        })
        .collect()
}

fn panel<Y>(
    area: &Area,
    end: f64,
    range: Y,
    what: &str,
    axis: &str,
    lines: &[Vec<(f64, f64)>],
    promise: Option<f64>,
) -> Drawn
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .x_label_area_size(if axis.is_empty() { 24 } else { 44 })
        .y_label_area_size(66)
        .build_cartesian_2d(0.0..end, range)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style((FONT, 14).into_font().color(&INK))
        .axis_desc_style((FONT, 15).into_font().color(&INK))
        .x_labels(12)
        .y_labels(7)
        .x_desc(axis)
        .y_desc(what)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| number(*value))
        .draw()?;
    if let Some(promise) = promise {
        let line = [(0.0, promise), (end, promise)];
        chart.draw_series(std::iter::once(PathElement::new(
            line,
            RGBColor(0xbb, 0x33, 0x33).stroke_width(1),
        )))?;
        let label = (FONT, 13)
            .into_font()
            .color(&RGBColor(0xbb, 0x33, 0x33))
            .pos(Pos::new(HPos::Right, VPos::Bottom));
        chart.draw_series(std::iter::once(Text::new("10 s", (0.93 * end, promise), label)))?;
    }
    for (points, (colour, width, dash)) in lines.iter().zip(STYLES) {
        let style = colour.stroke_width(width);
        match dash {
            None => {
                chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            }
            Some((long, gap)) => {
                chart.draw_series(DashedLineSeries::new(points.iter().copied(), long, gap, style))?;
            }
        }
    }
    Ok(())
}

/// Whole numbers as such.
fn number(value: f64) -> String {
    if value.fract().abs() < 1e-6 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// Names beside a piece of their line, two in a row.
fn legend(root: &Area, lines: &[Line]) -> Drawn {
    for (number, ((name, _), (colour, width, dash))) in lines.iter().zip(STYLES).enumerate() {
        let (x, y) = (30 + 285 * (number as i32 % 3), 52 + 24 * (number as i32 / 3));
        let style = colour.stroke_width(width);
        let mut from = 0;
        let (long, gap) = dash.unwrap_or((36, 0));
        while from < 36 {
            let to = (from + long).min(36);
            root.draw(&PathElement::new([(x + from, y), (x + to, y)], style))?;
            from = to + gap;
        }
        let label = (FONT, 15).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new((*name).to_owned(), (x + 44, y), label))?;
    }
    Ok(())
}

/// One point of the curve of headroom: processor use held, dollars, wait.
pub struct Point {
    /// What stands beside it.
    pub label: String,
    /// Dollars for a million images at the steady load.
    pub dollars: f64,
    /// The worst minute's p99 in the surge, in seconds.
    pub wait: f64,
}

/// What headroom costs and buys: one line of points for each series.
///
/// # Errors
/// When the file cannot be written.
pub fn frontier(file: &Path, title: &str, series: &[(&str, Vec<Point>)]) -> Drawn {
    let root = SVGBackend::new(file, (900, 480)).into_drawing_area();
    root.fill(&WHITE)?;
    root.draw(&Text::new(title.to_owned(), (20, 14), (FONT, 19).into_font().color(&INK)))?;
    let styles = [STYLES[4], STYLES[0]];
    for (number, ((name, _), (colour, _, _))) in series.iter().zip(styles).enumerate() {
        let (x, y) = (30 + 285 * number as i32, 54);
        root.draw(&Circle::new((x + 16, y), 6, colour.filled()))?;
        let label = (FONT, 15).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new((*name).to_owned(), (x + 34, y), label))?;
    }
    let area = root.margin(72, 8, 10, 24);
    let points = || series.iter().flat_map(|(_, points)| points);
    let right = points().map(|point| point.dollars).fold(1.0, f64::max) * 1.12;
    let top = points().map(|point| point.wait).fold(12.0, f64::max) * 1.1;
    let mut chart = ChartBuilder::on(&area)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(0.0..right, RangedCoordf64::from(0.0..top))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style((FONT, 14).into_font().color(&INK))
        .axis_desc_style((FONT, 15).into_font().color(&INK))
        .x_desc("machines: dollars for a million images at 20 uploads/s")
        .y_desc("worst minute's p99, seconds")
        .x_label_formatter(&|value| number(*value))
        .y_label_formatter(&|value| number(*value))
        .draw()?;
    let red = RGBColor(0xbb, 0x33, 0x33);
    chart
        .draw_series(std::iter::once(PathElement::new([(0.0, 10.0), (right, 10.0)], red.stroke_width(1))))?;
    let label = (FONT, 13).into_font().color(&red).pos(Pos::new(HPos::Right, VPos::Bottom));
    chart.draw_series(std::iter::once(Text::new("10 s", (right, 10.0), label)))?;
    for ((_, points), (colour, width, _)) in series.iter().zip(styles) {
        let places = || points.iter().map(|point| (point.dollars, point.wait));
        chart.draw_series(LineSeries::new(places(), colour.stroke_width(width)))?;
        chart.draw_series(places().map(|place| Circle::new(place, 5, colour.filled())))?;
    }
    if let Some((_, points)) = series.first() {
        let style = (FONT, 13).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Bottom));
        chart.draw_series(points.iter().map(|point| {
            EmptyElement::at((point.dollars, point.wait))
                + Text::new(point.label.clone(), (7, -6), style.clone())
        }))?;
    }
    root.present()?;
    Ok(())
}
