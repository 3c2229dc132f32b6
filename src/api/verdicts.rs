//! `/v1/verdicts`: saying what calls were, what was said of them, and what that suggests of others.
//!
//! An operator's token judges any call, as an analyst; a domain's only calls its own policy was
//! asked for, as a customer. What happened to others is told to no domain: neither a call that is
//! not its own, nor a suggestion that rests on one, nor how an operator's people are called and what
//! they note.

mod book;
mod words;

pub use book::{Book, Later};

use super::body::Body;
use super::caller::Caller;
use super::openapi::Api;
use super::params::{Names, Params};
use super::refused::wrong;
use super::{Desk, Problem};
use crate::store::{JudgeError, Said, Settle, Word};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa::IntoParams;
use uuid::Uuid;
use words::{NewVerdict, NotedCalls, Settled, Settling, SuggestedCall, Verdict};

/// Where it is.
pub(super) const PATH: &str = "/v1/verdicts";

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list)
        .on(__path_judge, judge)
        .on(__path_suggestions, suggestions)
        .on(__path_settle, settle)
}

/// Told where the word was noted and what it suggests was not.
const NOT_SUGGESTED: &str =
    "the verdict is noted, but what it suggests of other calls is not: say it again later";

/// Which verdicts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `list` takes")]
struct Filter {
    /// Everything that was said of this call, and not the latest words on all.
    call: Option<Uuid>,
    /// Only calls of which this is the latest word: `fraud` or `legitimate`.
    verdict: Option<String>,
    /// At most so many, 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What was said of calls, the latest first.
#[utoipa::path(get, path = "/v1/verdicts", tag = "verdicts", operation_id = "list_verdicts",
    params(Filter), responses((status = 200, description = "Verdicts", body = Vec<Verdict>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Vec<Verdict>>, Problem> {
    let call = params.value("call", "the id of a call", |text| text.parse().ok())?;
    let said = params.value("verdict", "fraud or legitimate", |text| {
        Said::parse(text).filter(|said| *said != Said::Withdrawn)
    })?;
    let limit = params.limit()? as usize;
    params.end()?;
    let own = caller.own_domain().map(str::to_owned);
    let book = desk.book();
    let is_customer = own.is_some();
    let verdicts: Vec<Verdict> = match call {
        Some(id) => {
            let said = book.history(id, own).await.map_err(problem)?;
            let said = said.into_iter().take(limit);
            said.map(|said| Verdict::of_history(id, said)).collect()
        }
        None => {
            let judged = book.latest(said, own, limit).await.map_err(problem)?;
            judged.into_iter().map(Verdict::from).collect()
        }
    };
    Ok(Json(match is_customer {
        true => verdicts.into_iter().map(Verdict::for_customer).collect(),
        false => verdicts,
    }))
}

/// Say what calls were, all of them or none. Your side's latest word on a call counts, an operator's
/// before a domain's; `withdrawn` takes back what your side said before. Fraud suggests the same of
/// the calls around.
#[utoipa::path(post, path = "/v1/verdicts", tag = "verdicts", operation_id = "judge_calls",
    request_body = NewVerdict,
    responses((status = 200, description = "Noted", body = NotedCalls)))]
async fn judge(
    State(desk): State<Desk>,
    caller: Caller,
    Body(new): Body<NewVerdict>,
) -> Result<Json<NotedCalls>, Problem> {
    let word = new.word(&caller, desk.now())?;
    let calls = desk.book().judge(word.clone()).await.map_err(problem)?;
    log(&desk, &caller, word.said.as_str(), word.clone()).await?;
    let (suggested, warning) = match desk.book().suggest(word).await {
        Ok(suggested) => (suggested, None),
        Err(error) => {
            tracing::warn!(%error, "a verdict was noted, but not what it suggests");
            (0, Some(NOT_SUGGESTED))
        }
    };
    Ok(Json(NotedCalls {
        calls,
        suggested,
        warning,
    }))
}

/// How many suggestions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `suggestions` takes")]
struct Most {
    /// At most so many, 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// What verdicts suggest of other calls, and why. A suggestion is no verdict until it is accepted.
#[utoipa::path(get, path = "/v1/verdicts/suggestions", tag = "verdicts",
    operation_id = "list_suggestions", params(Most),
    responses((status = 200, description = "Those that wait", body = Vec<SuggestedCall>)))]
async fn suggestions(
    State(desk): State<Desk>,
    caller: Caller,
    mut params: Params,
) -> Result<Json<Vec<SuggestedCall>>, Problem> {
    let limit = params.limit()? as usize;
    params.end()?;
    let own = caller.own_domain().map(str::to_owned);
    let is_customer = own.is_some();
    let open = desk.book().suggestions(own, limit).await.map_err(problem)?;
    let told = |suggestion| SuggestedCall::told(suggestion, is_customer);
    Ok(Json(open.into_iter().map(told).collect()))
}

/// Accept what is suggested of a call, which makes it a verdict of whoever accepts, or dismiss it.
#[utoipa::path(post, path = "/v1/verdicts/suggestions/{id}", tag = "verdicts",
    operation_id = "settle_suggestion", request_body = Settling,
    params(("id" = Uuid, Path, description = "The call")),
    responses((status = 200, description = "Settled", body = Settled)))]
async fn settle(
    State(desk): State<Desk>,
    caller: Caller,
    names: Names,
    Body(settling): Body<Settling>,
) -> Result<Json<Settled>, Problem> {
    let text = names.text("id");
    let id: Uuid = text
        .parse()
        .map_err(|_| wrong("id", text, "the id of a call"))?;
    let word = settling.word(id, &caller, desk.now())?;
    let settle = settling.action;
    let settled = desk
        .book()
        .settle(word.clone(), settle)
        .await
        .map_err(problem)?;
    let what = match settle {
        Settle::Accept => "suggestion accepted",
        Settle::Dismiss => "suggestion dismissed",
    };
    let word = Word {
        campaign: settled.campaign,
        ..word
    };
    log(&desk, &caller, what, word).await?;
    Ok(Json(Settled {
        settled: settled.calls,
    }))
}

async fn log(desk: &Desk, caller: &Caller, what: &'static str, word: Word) -> Result<(), Problem> {
    let logged = desk.work(caller.actor(), move |accounts, now| {
        accounts.log_verdict(what, &word.ids, &word.campaign, now)
    });
    logged.await
}

fn problem(error: JudgeError) -> Problem {
    let (status, field) = match &error {
        JudgeError::Unknown(_) => (StatusCode::NOT_FOUND, "calls"),
        JudgeError::NotSuggested(_) => (StatusCode::NOT_FOUND, "id"),
        JudgeError::Number(_) => (StatusCode::BAD_REQUEST, "calls"),
        JudgeError::Store(error) => {
            tracing::error!(%error, "a request on verdicts failed");
            let detail = "ClickHouse does not do as asked: the service's log says why; try again";
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        }
    };
    Problem::new(status, error.to_string()).in_field(field)
}
