//! Bytes against score as SVG, a panel a picture, a line an encoder. Lines differ in colour, in lightness and in
//! their dashes, so that they can be told apart in grey.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::SIDES;
use super::compare::{Compared, SCORES as COMPARED};
use super::encoders::Encoder;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

const ACROSS: usize = 2;
const PANEL: (u32, u32) = (450, 300);
const TOP: u32 = 100;
const FONT: &str = "Helvetica, Arial, sans-serif";
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const FAINT: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// Scores that are of interest: from what is just good to what can't be told apart.
const SCORES: std::ops::Range<f64> = 50.0..90.0;

/// Colour, width, and dash and gap (none for a whole line).
type Style = (RGBColor, u32, Option<(i32, i32)>);

const STYLES: [Style; 4] = [
    (RGBColor(0xe6, 0x9f, 0x00), 2, Some((14, 4))),
    (RGBColor(0x11, 0x11, 0x11), 3, None),
    (RGBColor(0x56, 0xb4, 0xe9), 2, None),
    (RGBColor(0xcc, 0x66, 0x99), 2, Some((3, 4))),
];

/// Draws what was measured at the largest size, at most eight pictures.
///
/// # Errors
/// When the file cannot be written.
pub fn curves(file: &Path, compared: &[Compared<'_>], encoders: &[Encoder]) -> Drawn {
    let shown: Vec<&Compared<'_>> = compared.iter().filter(|one| one.side == SIDES[0]).take(8).collect();
    let down = shown.len().div_ceil(ACROSS);
    let size = (PANEL.0 * ACROSS as u32, TOP + PANEL.1 * down as u32);
    let root = SVGBackend::new(file, size).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("Bytes against quality: JPEG thumbnails of {} px", SIDES[0]);
    root.draw(&Text::new(title, (20, 14), (FONT, 19).into_font().color(&INK)))?;
    legend(&root, encoders)?;
    let (_, panels) = root.split_vertically(TOP);
    for (area, one) in panels.split_evenly((down, ACROSS)).iter().zip(shown) {
        panel(area, one)?;
    }
    root.present()?;
    Ok(())
}

fn panel(area: &Area<'_>, one: &Compared<'_>) -> Drawn {
    // Points outside too, one on each side, so that lines reach the edges.
    let lines: Vec<Vec<(f64, f64)>> = one
        .curves
        .iter()
        .map(|curve| within(curve.points().map(|(_, point)| (point.score, point.bytes / 1e3)).collect()))
        .collect();
    let all = || lines.iter().flatten().map(|point| point.1);
    let (least, most) = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
    let name = Text::new(one.picture.name.clone(), (84, 4), (FONT, 15).into_font().color(&INK));
    area.draw(&name)?;
    let mut chart = ChartBuilder::on(area)
        .margin_top(26)
        .margin_right(16)
        .margin_bottom(8)
        .margin_left(14)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(SCORES, (least * 0.93..most * 1.07).log_scale())?;
    let ticks = ticks(least, most);
    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(INK)
        .label_style((FONT, 14).into_font().color(&INK))
        .axis_desc_style((FONT, 15).into_font().color(&INK))
        .x_labels(9)
        .y_label_formatter(&|_| String::new())
        .x_desc("SSIMULACRA2")
        .y_desc("kB (log scale)")
        .x_label_formatter(&|value| format!("{value:.0}"))
        .draw()?;
    for tick in ticks {
        let line = [(SCORES.start, tick), (SCORES.end, tick)];
        chart.draw_series(std::iter::once(PathElement::new(line, FAINT)))?;
        let label = (FONT, 14).into_font().color(&INK).pos(Pos::new(HPos::Right, VPos::Center));
        chart.draw_series(std::iter::once(
            EmptyElement::at((SCORES.start, tick)) + Text::new(format!("{tick}"), (-8, 0), label),
        ))?;
    }
    for score in COMPARED {
        let line = [(score, least * 0.93), (score, most * 1.07)];
        chart.draw_series(std::iter::once(PathElement::new(line, FAINT)))?;
    }
    // Ours above the others': fast lies on libjpeg-turbo's.
    for (points, (colour, width, dash)) in lines.into_iter().zip(STYLES).rev() {
        let style = colour.stroke_width(width);
        match dash {
            None => chart.draw_series(LineSeries::new(points, style)).map(|_| ())?,
            Some((long, gap)) => {
                chart.draw_series(DashedLineSeries::new(points, long, gap, style)).map(|_| ())?;
            }
        }
    }
    Ok(())
}

/// The part of a line between the least and the most score, cut at both.
fn within(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut cut = Vec::new();
    for pair in points.windows(2) {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        let (from, to) = (x0.max(SCORES.start), x1.min(SCORES.end));
        if from < to {
            let at = |x: f64| (x, y0 * (y1 / y0).powf((x - x0) / (x1 - x0)));
            cut.extend([at(from), at(to)]);
        }
    }
    cut.dedup();
    cut
}

/// Round numbers of kB between two.
fn ticks(least: f64, most: f64) -> Vec<f64> {
    let round =
        [1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 70.0, 100.0, 150.0, 200.0, 300.0];
    round.into_iter().filter(|tick| (least..most).contains(tick)).collect()
}

/// Names beside a piece of their line.
fn legend(root: &Area<'_>, encoders: &[Encoder]) -> Drawn {
    for (number, (encoder, (colour, width, dash))) in encoders.iter().zip(STYLES).enumerate() {
        let (x, y) = (30 + 210 * number as i32, 64);
        let style = colour.stroke_width(width);
        let (long, gap) = dash.unwrap_or((36, 0));
        let mut from = 0;
        while from < 36 {
            let to = (from + long).min(36);
            root.draw(&PathElement::new([(x + from, y), (x + to, y)], style))?;
            from = to + gap;
        }
        let label = (FONT, 15).into_font().color(&INK).pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(encoder.title, (x + 44, y), label))?;
    }
    Ok(())
}
