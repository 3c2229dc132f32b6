//! The calibration, laid out for the hot path: log-odds in, calibrated log-odds out.

use super::Calibration;

/// Straight pieces that join, each with a slope above 0.
#[derive(Clone, Debug)]
pub struct Curve(Box<[Piece]>);

/// From `x` on: `y + slope * (log_odds - x)`.
#[derive(Clone, Copy, Debug)]
struct Piece {
    x: f64,
    y: f64,
    slope: f64,
}

impl Curve {
    /// Of a calibration that was checked.
    #[must_use]
    pub fn new(calibration: &Calibration) -> Self {
        Self(match calibration {
            Calibration::Platt { slope, offset } => Box::new([Piece {
                x: 0.0,
                y: f64::from(*offset),
                slope: f64::from(*slope),
            }]),
            Calibration::Piecewise { from, to } => pieces(from, to),
        })
    }

    /// The calibrated log-odds.
    #[must_use]
    pub fn at(&self, log_odds: f64) -> f64 {
        let piece = self.piece(log_odds);
        piece.y + piece.slope * (log_odds - piece.x)
    }

    /// Mean slope between two log-odds: what one before calibration is worth after it on the
    /// way from the one to the other.
    pub(super) fn slope_between(&self, from: f64, to: f64) -> f64 {
        let way = to - from;
        if way.abs() > 1e-9 && self.0.len() > 1 {
            (self.at(to) - self.at(from)) / way
        } else {
            self.piece(from).slope
        }
    }

    /// The piece a value lies on; the first one goes on to the left.
    fn piece(&self, log_odds: f64) -> &Piece {
        let after = self.0.partition_point(|piece| piece.x <= log_odds);
        &self.0[after.saturating_sub(1)]
    }
}

fn pieces(from: &[f32], to: &[f32]) -> Box<[Piece]> {
    let knots: Vec<(f64, f64)> = from
        .iter()
        .zip(to)
        .map(|(x, y)| (f64::from(*x), f64::from(*y)))
        .collect();
    let each = knots.windows(2).map(|pair| {
        let ((x, y), (next_x, next_y)) = (pair[0], pair[1]);
        Piece {
            x,
            y,
            slope: (next_y - y) / (next_x - x),
        }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bent() -> Curve {
        Curve::new(&Calibration::Piecewise {
            from: vec![-2.0, 0.0, 1.0],
            to: vec![-6.0, -2.0, 0.0 + 1.0],
        })
    }

    #[test]
    fn it_meets_its_knots_and_goes_on_beyond_them() {
        let curve = bent();
        for (x, y) in [
            (-4.0, -10.0),
            (-2.0, -6.0),
            (-1.0, -4.0),
            (0.0, -2.0),
            (1.0, 1.0),
            (3.0, 7.0),
        ] {
            assert!((curve.at(x) - y).abs() < 1e-12, "{x}: {}", curve.at(x));
        }
    }

    #[test]
    fn the_mean_slope_leads_from_one_value_to_the_other() {
        let curve = bent();
        for (from, to) in [(-5.0, 4.0), (0.5, -3.0), (0.25, 0.25), (-1.0, -1.0 + 1e-12)] {
            let there = curve.at(from) + curve.slope_between(from, to) * (to - from);
            assert!((there - curve.at(to)).abs() < 1e-9, "{from} {to}");
        }
        let line = Curve::new(&Calibration::Platt {
            slope: 0.5,
            offset: -1.0,
        });
        assert!((line.at(4.0) - 1.0).abs() < 1e-12);
        assert!((line.slope_between(-9.0, 9.0) - 0.5).abs() < 1e-12);
    }
}
