//! Resampling by its definition in 64-bit floating point, Lanczos with three lobes, and the geometry
//! worked out anew: which place in a stored plane an upright sample is the mean about.

use super::*;

/// Mean about `centre` (in samples' edge coordinates) of `count` samples, `scale` to an output sample.
fn weights(count: usize, centre: f64, scale: f64) -> Vec<f64> {
    let scale = scale.max(1.0);
    let sinc = |x: f64| {
        if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) }
    };
    let raw: Vec<f64> = (0..count)
        .map(|i| (i as f64 + 0.5 - centre) / scale)
        .map(|x| if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 })
        .collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|w| w / sum).collect()
}

/// Weights of all outputs of one stored axis, in upright order. `step` upright pixels an output.
fn axis(plane: u32, ratio: f64, source: u32, fitted: u32, step: f64, reversed: bool) -> Vec<Vec<f64>> {
    let zoom = f64::from(source) / f64::from(fitted);
    (0..(f64::from(fitted) / step).ceil() as usize)
        .map(|j| {
            let upright = (j as f64 + 0.5) * step;
            let stored = if reversed { f64::from(fitted) - upright } else { upright };
            let centre = (stored * zoom / ratio).clamp(0.0, f64::from(plane));
            weights(plane as usize, centre, step * zoom / ratio)
        })
        .collect()
}

/// The upright plane that is to be encoded.
pub fn plane(
    picture: &Kept,
    index: usize,
    orientation: Orientation,
    fitted: Size,
    step: f64,
) -> Vec<Vec<f64>> {
    let layout = picture.layout.as_ref().unwrap();
    let Plane { size, channels, ratio } = layout.planes[index];
    let stored = orientation.apply(fitted);
    let x = axis(size.width, ratio.0, layout.size.width, stored.width, step, orientation.reverses_columns());
    let y = axis(size.height, ratio.1, layout.size.height, stored.height, step, orientation.reverses_rows());
    let samples = &picture.planes[index];
    let at = |column: usize, row: usize, c: usize| {
        f64::from(samples[(row * size.width as usize + column) * channels + c])
    };
    // Rows first: one value a channel for each output column of each source row.
    let mut across = vec![vec![0.0; x.len() * channels]; size.height as usize];
    for (row, out) in across.iter_mut().enumerate() {
        for (j, w) in x.iter().enumerate() {
            for c in 0..channels {
                out[j * channels + c] = w.iter().enumerate().map(|(i, w)| w * at(i, row, c)).sum();
            }
        }
    }
    let value = |column: usize, row: usize, c: usize| -> f64 {
        let sum: f64 = y[row].iter().zip(&across).map(|(w, r)| w * r[column * channels + c]).sum();
        sum.clamp(0.0, 255.0)
    };
    let (columns, rows) = if orientation.swaps_sides() { (y.len(), x.len()) } else { (x.len(), y.len()) };
    (0..rows)
        .map(|row| {
            (0..columns)
                .flat_map(|column| (0..channels).map(move |c| (column, c)))
                .map(
                    |(column, c)| {
                        if orientation.swaps_sides() { value(row, column, c) } else { value(column, row, c) }
                    },
                )
                .collect()
        })
        .collect()
}
