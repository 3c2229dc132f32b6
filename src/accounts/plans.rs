//! Plans: what is paid for, as calls per second and as seats. An operator may change what a plan
//! gives; a policy's own calls per second go before its plan's.

use super::audit::Edit;
use super::{Accounts, AccountsError, edit::domains};
use crate::domain::{Plan, Timestamp};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a plan gives; absent: unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"calls_per_second": 10, "seats": 10}))]
pub struct PlanLimits {
    /// Calls per second of each subscriber, at least 1.
    #[serde(default)]
    pub calls_per_second: Option<u32>,
    /// Subscribers of one domain whose policy has the plan.
    #[serde(default)]
    pub seats: Option<u32>,
}

/// Every plan and what it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "`Plan` says what each is")]
pub struct Plans {
    #[serde(default)]
    pub free: PlanLimits,
    #[serde(default)]
    pub basic: PlanLimits,
    #[serde(default)]
    pub itsp: PlanLimits,
}

/// The plans, cheapest first.
pub const PLANS: [Plan; 3] = [Plan::Free, Plan::Basic, Plan::Itsp];

/// As written in policies and stored.
#[must_use]
pub const fn plan_name(plan: Plan) -> &'static str {
    match plan {
        Plan::Free => "free",
        Plan::Basic => "basic",
        Plan::Itsp => "itsp",
    }
}

impl Plans {
    /// What one plan gives.
    #[must_use]
    pub const fn of(&self, plan: Plan) -> PlanLimits {
        match plan {
            Plan::Free => self.free,
            Plan::Basic => self.basic,
            Plan::Itsp => self.itsp,
        }
    }
}

pub(super) fn read(db: &Connection) -> Result<Plans, AccountsError> {
    let of = |plan: Plan| {
        db.prepare_cached("SELECT calls_per_second, seats FROM plan WHERE name = ?1")?
            .query_row([plan_name(plan)], |row| {
                Ok(PlanLimits {
                    calls_per_second: row.get(0)?,
                    seats: row.get(1)?,
                })
            })
    };
    Ok(Plans {
        free: of(Plan::Free)?,
        basic: of(Plan::Basic)?,
        itsp: of(Plan::Itsp)?,
    })
}

/// Changes what a plan gives. Those who have seats keep them, also above the new number.
pub(super) fn set(edit: &Edit<'_>, plan: Plan, limits: PlanLimits) -> Result<bool, AccountsError> {
    if limits.calls_per_second == Some(0) {
        return Err(AccountsError::BadRate.at("calls_per_second"));
    }
    let before = read(edit)?.of(plan);
    edit.execute(
        "UPDATE plan SET calls_per_second = ?2, seats = ?3 WHERE name = ?1",
        params![plan_name(plan), limits.calls_per_second, limits.seats],
    )?;
    edit.log_change("plan set", plan_name(plan), Some(&before), Some(&limits))
}

/// Subscribers of a domain on each plan, in the order of [`PLANS`].
fn seats_taken(db: &Connection, domain: &str) -> Result<[i64; 3], AccountsError> {
    let mut statement = db.prepare_cached(
        "SELECT count(*) FROM subscriber JOIN policy
             ON policy.domain = subscriber.domain AND policy.name = subscriber.policy
         WHERE subscriber.domain = ?1 AND coalesce(rules ->> '$.plan', 'basic') = ?2",
    )?;
    let mut taken = [0; 3];
    for (taken, plan) in taken.iter_mut().zip(PLANS) {
        *taken = statement.query_row([domain, plan_name(plan)], |row| row.get(0))?;
    }
    Ok(taken)
}

/// Runs a change after which no plan may have more subscribers of the domain than seats, unless
/// it had as many before: a plan that was made smaller turns nobody out.
pub(super) fn within_seats<T>(
    edit: &Edit<'_>,
    domain: &str,
    change: impl FnOnce() -> Result<T, AccountsError>,
) -> Result<T, AccountsError> {
    let before = seats_taken(edit, domain)?;
    let result = change()?;
    check_seats(edit, domain, before)?;
    Ok(result)
}

/// As [`within_seats`], for a change to any number of domains.
pub(super) fn all_within_seats<T>(
    edit: &Edit<'_>,
    change: impl FnOnce() -> Result<T, AccountsError>,
) -> Result<T, AccountsError> {
    let mut before = std::collections::HashMap::new();
    for domain in domains::all(edit)? {
        let taken = seats_taken(edit, &domain.name)?;
        before.insert(domain.name, taken);
    }
    let result = change()?;
    for domain in domains::all(edit)? {
        let before = before.get(&domain.name).copied().unwrap_or_default();
        check_seats(edit, &domain.name, before)?;
    }
    Ok(result)
}

fn check_seats(edit: &Edit<'_>, domain: &str, before: [i64; 3]) -> Result<(), AccountsError> {
    let plans = read(edit)?;
    let after = seats_taken(edit, domain)?;
    for ((plan, before), after) in PLANS.into_iter().zip(before).zip(after) {
        let Some(seats) = plans.of(plan).seats else {
            continue;
        };
        if after > i64::from(seats) && after > before {
            return Err(AccountsError::NoSeat {
                plan: plan_name(plan),
                seats,
                domain: domain.to_owned(),
                taken: before,
                wanted: after,
            });
        }
    }
    Ok(())
}

impl Accounts {
    /// What every plan gives.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn plans(&self) -> Result<Plans, AccountsError> {
        read(&self.connection)
    }

    /// Changes what a plan gives; what it gives then.
    ///
    /// # Errors
    /// Calls per second of 0.
    pub fn set_plan(
        &mut self,
        plan: Plan,
        now: Timestamp,
        change: impl FnOnce(&mut PlanLimits),
    ) -> Result<PlanLimits, AccountsError> {
        self.transact(now, |edit| {
            let mut limits = read(edit)?.of(plan);
            change(&mut limits);
            set(edit, plan, limits)?;
            Ok(limits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Identity, Snapshot, Subscriber};
    use crate::domain::{CallAttempt, Ingress};

    const NOW: Timestamp = Timestamp::from_secs(1_760_000_000);

    /// A domain with policies `free`, `free2` and `default` (basic).
    fn accounts() -> Accounts {
        let mut a = Accounts::in_memory(NOW).expect("accounts");
        a.add_domain("a.example", &[], NOW).expect("domain");
        for policy in ["free", "free2"] {
            a.create_policy("a.example", policy, NOW).expect("policy");
            plan(&mut a, policy, Plan::Free).expect("plan");
        }
        a
    }

    fn plan(a: &mut Accounts, policy: &str, plan: Plan) -> Result<PlanLimits, AccountsError> {
        a.change_policy("a.example", policy, NOW, |rules| {
            rules.plan = plan;
            Ok(())
        })?;
        Ok(PlanLimits::default())
    }

    fn add(a: &mut Accounts, user: &str, policy: &str) -> Result<bool, AccountsError> {
        a.set_subscriber(Subscriber::User(user), "a.example", policy, NOW)
    }

    #[test]
    fn the_last_seat_is_taken_and_the_next_is_none() {
        let mut a = accounts();
        a.set_plan(Plan::Free, NOW, |p| p.seats = Some(2))
            .expect("set");
        assert!(add(&mut a, "u1", "free").expect("first"));
        assert!(add(&mut a, "u2", "free2").expect("second, of another policy"));
        let error = add(&mut a, "u3", "free").expect_err("third");
        assert_eq!(error.field().as_deref(), Some("policy"));
        for part in ["plan free", "2 seats", "has 2 subscribers", "would have 3"] {
            assert!(error.to_string().contains(part), "{part}: {error}");
        }
        assert!(!add(&mut a, "u1", "free2").expect("moved on the same plan"));
        assert!(add(&mut a, "u3", "default").expect("basic has seats"));
        add(&mut a, "u3", "free").expect_err("moved to a full plan");
        // A caller number takes no seat, and another domain has seats of its own.
        let caller = Subscriber::Ani("442079460000");
        a.set_subscriber(caller, "a.example", "free", NOW)
            .expect("caller");
        a.add_domain("b.example", &[], NOW).expect("domain");
    }

    #[test]
    fn a_policy_that_changes_its_plan_needs_seats_for_all_on_it() {
        let mut a = accounts();
        a.set_plan(Plan::Free, NOW, |p| p.seats = Some(1))
            .expect("set");
        add(&mut a, "u1", "default").expect("basic");
        add(&mut a, "u2", "default").expect("basic");
        plan(&mut a, "default", Plan::Free).expect_err("two on one seat");
        let rules = a.policy("a.example", "default").expect("policy");
        assert_eq!(rules.plan, Plan::Basic, "nothing changed");
        a.set_plan(Plan::Free, NOW, |p| p.seats = None)
            .expect("set");
        plan(&mut a, "default", Plan::Free).expect("unlimited");
        // Made smaller again, nobody is turned out, and nobody comes in.
        a.set_plan(Plan::Free, NOW, |p| p.seats = Some(1))
            .expect("set");
        a.remove_subscriber(Subscriber::User("u1"), "a.example", NOW)
            .expect("removed");
        add(&mut a, "u3", "free").expect_err("full");
    }

    #[test]
    fn a_policy_s_own_rate_goes_before_its_plan_s() {
        let mut a = Accounts::in_memory(NOW).expect("accounts");
        let rate = |a: &Accounts| {
            let peer = "127.0.0.1".parse().expect("address");
            let call = CallAttempt {
                id: uuid::Uuid::nil(),
                ingress: Ingress::Prevention,
                call_id: String::new(),
                peer,
                source_ip: peer,
                user: "x".into(),
                domain: "root".into(),
                policy_user: None,
                dialed: "442079460123".into(),
                user_agent: String::new(),
                concurrent: None,
                signs: crate::domain::Signs::NONE,
            };
            match Snapshot::load(a).expect("snapshot").identify(&call) {
                Identity::Customer(who) => who.policy.calls_per_second,
                Identity::Stranger(_) => panic!("trusted"),
            }
        };
        assert_eq!(rate(&a), None, "itsp is unlimited");
        a.set_plan(Plan::Itsp, NOW, |p| p.calls_per_second = Some(500))
            .expect("set");
        assert_eq!(rate(&a), Some(500));
        let own = |rate| {
            move |rules: &mut crate::accounts::PolicyRules| {
                rules.calls_per_second = Some(rate);
                Ok(())
            }
        };
        a.change_policy("root", "default", NOW, own(7))
            .expect("set");
        assert_eq!(rate(&a), Some(7));
        a.change_policy("root", "default", NOW, own(0))
            .expect_err("none");
        a.set_plan(Plan::Itsp, NOW, |p| p.calls_per_second = Some(0))
            .expect_err("none");
        assert_eq!(rate(&a), Some(7));
    }

    #[test]
    fn the_plans_of_a_first_start() {
        let plans = Accounts::in_memory(NOW)
            .expect("accounts")
            .plans()
            .expect("plans");
        let given = PLANS.map(|plan| (plans.of(plan).calls_per_second, plans.of(plan).seats));
        assert_eq!(
            given,
            [(Some(10), Some(10)), (Some(100), Some(1_000)), (None, None)]
        );
    }
}
