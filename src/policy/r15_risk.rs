//! R15: the risk score is above the policy's threshold, or the model's when it names none.

use super::{Context, Rule};

pub(super) struct Risk;

impl Rule for Risk {
    fn refuses(&self, c: &Context<'_>) -> Option<String> {
        let threshold = c.policy.risk_threshold.or(c.model_threshold)?;
        let score = c.score?;
        (score > threshold).then(|| format!("risk {score:.3} above {threshold:.3}"))
    }
}
