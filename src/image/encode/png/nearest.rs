//! The nearest of up to 256 points, exactly, by looking at a few blocks of them.

use super::oklab::Point;

/// The axis on which most colours differ most: lightness.
const AXIS: usize = 1;

/// Points that are compared at once, for the compiler to use vectors.
const LANES: usize = 8;

/// What fills the last block: farther than all points.
const FAR: f32 = 1e9;

/// Points in the order of their lightness.
pub(super) struct Nearest {
    points: Vec<Point>,
    blocks: Vec<Block>,
}

/// [`LANES`] points that follow each other, an axis after the other.
struct Block([[f32; LANES]; 4]);

impl Nearest {
    /// `points`, 1 to 256, are numbered anew, from dark to light.
    pub(super) fn new(points: Vec<Point>) -> Nearest {
        let points: Vec<Point> = order(&points).into_iter().map(|at| points[at]).collect();
        let block = |points: &[Point]| {
            Block(std::array::from_fn(|axis| {
                std::array::from_fn(|lane| points.get(lane).map_or(FAR, |point| point[axis]))
            }))
        };
        Nearest { blocks: points.chunks(LANES).map(block).collect(), points }
    }

    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    /// For many questions, of which those that follow each other are alike.
    pub(super) fn search(&self) -> Search<'_> {
        Search { blocks: &self.blocks, last: vec![0; CELLS] }
    }
}

/// Where points are, from dark to light; what is in that order already stays in it.
pub(super) fn order(points: &[Point]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| points[a][AXIS].total_cmp(&points[b][AXIS]));
    order
}

/// How many kinds of points are told apart for a first guess: 32 of lightness, 16 of each other axis of colour.
const CELLS: usize = 32 * 16 * 16;

/// See [`Nearest::search`].
pub(super) struct Search<'a> {
    blocks: &'a [Block],
    /// The block in which the nearest to a point of a kind was last.
    last: Vec<u8>,
}

impl Search<'_> {
    /// The number of a point than which none is nearer.
    pub(super) fn nearest(&mut self, to: &Point) -> usize {
        let cell = cell(to);
        let first = usize::from(self.last[cell]);
        let mut best = Best { block: first, lane: 0, distance: f32::INFINITY };
        best.look_at(self.blocks, first, to);
        // From there on both sides, until lightness alone is farther than the best.
        for at in first + 1..self.blocks.len() {
            let beside = (self.blocks[at].0[AXIS][0] - to[AXIS]).max(0.0);
            if beside * beside > best.distance {
                break;
            }
            best.look_at(self.blocks, at, to);
        }
        for at in (0..first).rev() {
            let beside = (to[AXIS] - self.blocks[at].0[AXIS][LANES - 1]).max(0.0);
            if beside * beside > best.distance {
                break;
            }
            best.look_at(self.blocks, at, to);
        }
        self.last[cell] = best.block as u8;
        best.block * LANES + best.lane
    }
}

struct Best {
    block: usize,
    lane: usize,
    distance: f32,
}

impl Best {
    fn look_at(&mut self, blocks: &[Block], block: usize, to: &Point) {
        let mut distances = [0.0; LANES];
        for (lanes, to) in blocks[block].0.iter().zip(to) {
            for (distance, lane) in distances.iter_mut().zip(lanes) {
                *distance += (lane - to) * (lane - to);
            }
        }
        let [a, b, c, d]: [f32; 4] = std::array::from_fn(|i| distances[i].min(distances[i + 4]));
        let least = a.min(b).min(c.min(d));
        if least < self.distance {
            let lane = distances.iter().position(|distance| *distance == least).unwrap_or(0);
            *self = Best { block, lane, distance: least };
        }
    }
}

fn cell([_, l, a, b]: &Point) -> usize {
    let step = |value: f32, steps: f32| (value * steps).clamp(0.0, steps - 1.0) as usize;
    (step(*l, 32.0) * 16 + step((a + 0.25) * 2.0, 16.0)) * 16 + step((b + 0.25) * 2.0, 16.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::oklab::distance;
    use super::*;

    fn point() -> impl Strategy<Value = Point> {
        prop::array::uniform4(-0.2f32..1.2)
    }

    proptest! {
        #[test]
        fn it_is_the_nearest(points in prop::collection::vec(point(), 1..257), all in prop::collection::vec(point(), 1..9)) {
            let nearest = Nearest::new(points);
            let mut search = nearest.search();
            for to in all {
                let found = search.nearest(&to);
                let least = nearest.points().iter().map(|p| distance(p, &to)).min_by(f32::total_cmp).unwrap();
                prop_assert_eq!(distance(&nearest.points()[found], &to), least);
            }
        }
    }
}
