//! A picture in 256 colours, where that is to the eye what it was in more.

use super::dither::dither;
use super::exact::key;
use super::oklab::{Eye, Point, distance};
use super::palette;
use super::raster::Raster;
use crate::image::Size;

/// The picture in a palette, if that shows it well. It has at least one pixel.
pub(super) fn palette(size: Size, pixels: &[[u8; 4]]) -> Option<Raster<'static>> {
    let (eye, width) = (Eye::on(size), size.width as usize);
    let points = eye.points(pixels);
    let palette = palette::palette(eye, pixels, &points, width)?;
    let numbers = dither(&points, width, &palette.nearest, eye.diffused);
    if off(&points, &numbers, palette.nearest.points()) > eye.forgives {
        return None;
    }
    Some(in_order(size, &palette.pixels, &numbers))
}

/// How far pixels are off: the mean of squared distances.
fn off(points: &[Point], numbers: &[u8], palette: &[Point]) -> f32 {
    let sum: f64 = points
        .iter()
        .zip(numbers)
        .map(|(point, number)| f64::from(distance(point, &palette[usize::from(*number)])))
        .sum();
    (sum / points.len() as f64) as f32
}

/// With the palette in the order in which files have it.
fn in_order(size: Size, colours: &[[u8; 4]], numbers: &[u8]) -> Raster<'static> {
    let mut order: Vec<usize> = (0..colours.len()).collect();
    order.sort_by_key(|&number| key(&colours[number]));
    let mut places = [0; 256];
    order.iter().enumerate().for_each(|(place, &number)| places[number] = place as u8);
    let palette: Vec<[u8; 4]> = order.iter().map(|&number| colours[number]).collect();
    let numbers: Vec<u8> = numbers.iter().map(|&number| places[usize::from(number)]).collect();
    Raster::of_numbers(size, &palette, &numbers)
}
