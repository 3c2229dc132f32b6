//! Platt's calibration: a straight line from log-odds to log-odds.
//!
//! Platt 1999, "Probabilistic outputs for support vector machines", with the numerically
//! stable Newton method of Lin, Lin and Weng 2007, "A note on Platt's probabilistic outputs".

/// Newton steps; it takes about 10.
const MAX_STEPS: usize = 100;
/// The gradient at which the optimum counts as reached, per call.
const TOLERANCE: f64 = 1e-10;
/// Shortest step tried along Newton's direction.
const SHORTEST: f64 = 1e-10;

/// Slope and offset such that `slope * log_odds + offset` are the calibrated log-odds.
///
/// Targets are drawn in a little (`(n+ + 1) / (n+ + 2)` and `1 / (n- + 2)`), so that
/// perfectly separated calls do not lead to infinite slopes.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
pub fn platt(log_odds: &[f64], fraud: &[bool]) -> (f64, f64) {
    let positives = fraud.iter().filter(|y| **y).count() as f64;
    let negatives = fraud.len() as f64 - positives;
    let high = (positives + 1.0) / (positives + 2.0);
    let low = 1.0 / (negatives + 2.0);
    let targets: Vec<f64> = fraud.iter().map(|y| if *y { high } else { low }).collect();
    let (mut slope, mut offset) = (0.0, ((positives + 1.0) / (negatives + 1.0)).ln());
    let mut loss = loss_of(log_odds, &targets, slope, offset);
    for _ in 0..MAX_STEPS {
        let d = Derivatives::at(log_odds, &targets, slope, offset);
        if d.gradient.0.abs().max(d.gradient.1.abs()) < TOLERANCE * log_odds.len() as f64 {
            break;
        }
        let (step_slope, step_offset) = d.newton_step();
        let mut length = 1.0;
        loop {
            let (s, o) = (slope + length * step_slope, offset + length * step_offset);
            let tried = loss_of(log_odds, &targets, s, o);
            if tried < loss {
                (slope, offset, loss) = (s, o, tried);
                break;
            }
            length /= 2.0;
            if length < SHORTEST {
                return (slope, offset);
            }
        }
    }
    (slope, offset)
}

/// Cross-entropy of the targets, summed without overflow on either side.
fn loss_of(log_odds: &[f64], targets: &[f64], slope: f64, offset: f64) -> f64 {
    log_odds
        .iter()
        .zip(targets)
        .map(|(f, t)| {
            let z = slope * f + offset;
            // ln(1 + e^z) - t z
            z.max(0.0) + (-z.abs()).exp().ln_1p() - t * z
        })
        .sum()
}

struct Derivatives {
    gradient: (f64, f64),
    /// Second derivatives: slope-slope, slope-offset, offset-offset.
    hessian: (f64, f64, f64),
}

impl Derivatives {
    fn at(log_odds: &[f64], targets: &[f64], slope: f64, offset: f64) -> Self {
        // Keeps the matrix invertible where all scores are one value.
        let (mut gradient, mut hessian) = ((0.0, 0.0), (1e-12, 0.0, 1e-12));
        for (f, t) in log_odds.iter().zip(targets) {
            let p = probability(slope * f + offset);
            let (d1, d2) = (p - t, p * (1.0 - p));
            gradient.0 += f * d1;
            gradient.1 += d1;
            hessian.0 += f * f * d2;
            hessian.1 += f * d2;
            hessian.2 += d2;
        }
        Self { gradient, hessian }
    }

    fn newton_step(&self) -> (f64, f64) {
        let ((g1, g2), (h11, h12, h22)) = (self.gradient, self.hessian);
        let determinant = h11 * h22 - h12 * h12;
        (
            -(h22 * g1 - h12 * g2) / determinant,
            -(h11 * g2 - h12 * g1) / determinant,
        )
    }
}

fn probability(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

#[cfg(test)]
#[path = "calibrate_tests.rs"]
mod tests;
