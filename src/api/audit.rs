//! `/v1/audit`

use super::caller::Caller;
use super::openapi::Api;
use super::params::{Page, Params};
use super::{Desk, Problem};
use crate::accounts::{AuditFilter, AuditRow, Expiry};
use axum::Json;
use axum::extract::State;
use utoipa::IntoParams;

pub(super) fn routes(api: Api) -> Api {
    api.on(__path_list, list)
}

/// Which lines.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `filter` takes")]
struct Filter {
    /// Not older; RFC 3339.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only by this actor: `cli`, `import`, `tfps`, or `token:` and its name.
    actor: Option<String>,
    /// Only where the subject holds this text.
    subject: Option<String>,
    /// At most so many, 1 to 1000.
    #[param(default = 100, minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<i64>,
}

fn filter(mut params: Params) -> Result<AuditFilter, Problem> {
    let since = params.value("since", "RFC 3339, e.g. 2030-01-01T00:00:00Z", |text| {
        text.parse::<Expiry>().ok()
    })?;
    let filter = AuditFilter {
        since: since.map(Expiry::at),
        actor: params.text("actor")?,
        subject: params.text("subject")?,
        limit: params.limit()?,
        before: params.value("cursor", "`next` of another page", |text| {
            text.parse().ok().filter(|line| *line > 0)
        })?,
    };
    params.end()?;
    Ok(filter)
}

/// Lines of the audit log, the newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", operation_id = "list_audit",
    params(Filter), responses((status = 200, description = "Some of them", body = Page<AuditRow>)))]
async fn list(
    State(desk): State<Desk>,
    caller: Caller,
    params: Params,
) -> Result<Json<Page<AuditRow>>, Problem> {
    let mut filter = filter(params)?;
    let limit = filter.limit;
    filter.limit += 1;
    let rows = desk.work(caller.actor(), move |accounts, _| {
        accounts.audit_log(&filter)
    });
    let page = Page::of(rows.await?, limit, |row| row.id.to_string());
    Ok(Json(page))
}
