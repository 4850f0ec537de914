//! Made-up pictures of the kinds that come as PNG: a screenshot, and a logo with soft alpha. The same on every
//! machine.

use image_sharer::image::encode::png;
use image_sharer::image::{Color, Effort, Size};

/// The screenshot's size.
const SCREEN: Size = Size { width: 1600, height: 1200 };
/// The logo's side.
const LOGO: u32 = 1200;

type Rgb = [u8; 3];

const PAPER: Rgb = [255, 255, 255];
const INK: Rgb = [36, 41, 47];
const NIGHT: Rgb = [30, 34, 42];
/// Colours of what is written on night: words, keywords, strings, remarks.
const SYNTAX: [Rgb; 4] = [[212, 216, 224], [198, 120, 221], [152, 195, 121], [106, 114, 128]];

/// A desktop with a page of text, an editor, and buttons, as a PNG file.
pub fn screenshot() -> Vec<u8> {
    let mut screen = Screen { rgb: vec![0; SCREEN.pixels() as usize * 3], random: 1 };
    for y in 0..SCREEN.height {
        // A ground that is smooth.
        let shade = |from: u32, to: u32| ((from * (SCREEN.height - y) + to * y) / SCREEN.height) as u8;
        screen.fill([0, y, SCREEN.width, 1], [shade(40, 90), shade(92, 40), shade(140, 120)]);
    }
    screen.fill([0, 0, SCREEN.width, 36], [24, 26, 30]);
    screen.line([24, 10, 500, 2], &[SYNTAX[0]]);
    screen.window([60, 90, 820, 960], PAPER);
    screen.line([90, 150, 560, 4], &[INK]);
    for line in 0..36 {
        // Paragraphs, the last line of each short.
        let width = if line % 6 == 5 { 300 } else { 740 };
        screen.line([90, 210 + line * 22, width, 2], &[INK]);
    }
    screen.window([930, 60, 620, 700], NIGHT);
    for line in 0..27 {
        let indent = 24 * (line * 7 % 4);
        screen.line([960 + indent, 120 + line * 23, 540 - indent - line * 53 % 200, 2], &SYNTAX);
    }
    screen.window([980, 800, 540, 330], [246, 248, 250]);
    for (i, colour) in [[9, 105, 218], [31, 136, 61], [207, 34, 46]].into_iter().enumerate() {
        let x = 1010 + 170 * i as u32;
        screen.fill([x, 870, 140, 44], colour);
        screen.line([x + 20, 884, 100, 2], &[PAPER]);
        screen.fill([x, 940, 140, 140], colour.map(|level| 255 - (255 - level) / 4));
        screen.fill([x + 40, 980, 60, 60], colour);
    }
    png::encode(SCREEN, Color::Rgb, &screen.rgb, Effort::Fast)
}

/// A ring and a disc in shades, with a shadow that fades, on nothing, as a PNG file.
pub fn logo() -> Vec<u8> {
    let mut rgba = Vec::with_capacity((LOGO * LOGO * 4) as usize);
    let half = LOGO as f32 / 2.0;
    for y in 0..LOGO {
        for x in 0..LOGO {
            let (dx, dy) = ((x as f32 + 0.5 - half) / half, (y as f32 + 0.5 - half) / half);
            rgba.extend_from_slice(&logo_pixel(dx, dy));
        }
    }
    png::encode(Size { width: LOGO, height: LOGO }, Color::Rgba, &rgba, Effort::Fast)
}

/// At (`x`, `y`) from the middle, half sides being 1.
fn logo_pixel(x: f32, y: f32) -> [u8; 4] {
    // How much of a pixel lies inside an edge, which is some thousandths wide.
    let inside = |distance: f32| (0.5 - distance * LOGO as f32 / 2.0).clamp(0.0, 1.0);
    let radius = x.hypot(y);
    let ring = inside((radius - 0.62).abs() - 0.11);
    let disc = inside((x + 0.1).hypot(y + 0.1) - 0.34);
    let shadow = 0.55 * (-(x - 0.04).hypot(y - 0.06).powi(4) / 0.22).exp();
    let cover = ring.max(disc);
    let alpha = cover + (1.0 - cover) * shadow;
    if alpha < 1.0 / 510.0 {
        return [0; 4];
    }
    let slope = (x + y) / 2.8 + 0.5;
    let shade = |from: f32, to: f32| from + (to - from) * slope.clamp(0.0, 1.0);
    let colour = if ring >= disc {
        [shade(250.0, 214.0), shade(140.0, 36.0), shade(40.0, 110.0)]
    } else {
        [shade(20.0, 60.0), shade(150.0, 60.0), shade(220.0, 190.0)]
    };
    // The shadow is dark blue.
    let under = [10.0, 14.0, 40.0];
    let share = cover / alpha;
    let mix = |i: usize| (colour[i] * share + under[i] * (1.0 - share)) as u8;
    [mix(0), mix(1), mix(2), (alpha * 255.0 + 0.5) as u8]
}

struct Screen {
    rgb: Vec<u8>,
    random: u32,
}

/// Left, top, width and height.
type Area = [u32; 4];

impl Screen {
    fn next(&mut self) -> u32 {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.random >> 8
    }

    fn fill(&mut self, [left, top, width, height]: Area, colour: Rgb) {
        for y in top..(top + height).min(SCREEN.height) {
            let row = (y * SCREEN.width) as usize * 3;
            let right = (left + width).min(SCREEN.width) as usize;
            let pixels = &mut self.rgb[row + left as usize * 3..row + right * 3];
            pixels.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = colour);
        }
    }

    /// A frame, a bar with three buttons, and paper.
    fn window(&mut self, [left, top, width, height]: Area, paper: Rgb) {
        self.fill([left - 2, top - 2, width + 4, height + 4], [16, 18, 22]);
        self.fill([left, top, width, height], paper);
        self.fill([left, top, width, 34], [60, 64, 72]);
        for (i, colour) in [[255, 95, 86], [255, 189, 46], [39, 201, 63]].into_iter().enumerate() {
            self.fill([left + 12 + 22 * i as u32, top + 11, 12, 12], colour);
        }
        self.line([left + 120, top + 10, 240, 2], &[[200, 204, 212]]);
    }

    /// Words of letters that are made of strokes in 5 × 7 points, each word in one of the colours.
    fn line(&mut self, [left, top, width, point]: Area, colours: &[Rgb]) {
        let advance = 6 * point;
        let mut x = left;
        while x + advance <= left + width {
            let colour = colours[self.next() as usize % colours.len()];
            for _ in 0..2 + self.next() % 8 {
                if x + advance > left + width {
                    return;
                }
                self.letter(x, top, point, colour);
                x += advance;
            }
            x += advance;
        }
    }

    /// One of 64 letters: an upright stroke, and some of the others.
    fn letter(&mut self, x: u32, y: u32, point: u32, colour: Rgb) {
        let strokes: [Area; 6] =
            [[1, 0, 3, 1], [1, 3, 3, 1], [1, 6, 3, 1], [4, 1, 1, 2], [4, 4, 1, 2], [2, 0, 1, 7]];
        let kind = self.next() % 64;
        self.fill([x, y + point * (kind % 2), point, point * (7 - kind % 2)], colour);
        for (_, stroke) in strokes.iter().enumerate().filter(|(i, _)| kind >> i & 1 == 1) {
            let [left, top, width, height] = stroke.map(|length| length * point);
            self.fill([x + left, y + top, width, height], colour);
        }
    }
}
