//! Bodies: of the right type, bounded, and read with the path of whatever is wrong in them.

use super::Problem;
use crate::accounts::strict::Strict;
use crate::accounts::{place, shortened};
use axum::body::Body as HttpBody;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// Largest body but a policy file, bytes.
const BODY: usize = 1 << 20;
/// Largest policy file, bytes.
const FILE: usize = 64 << 20;
/// Longest time a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
/// What is still read of a body that is too large, bytes, and for how long: a peer that is cut off
/// while it sends may never read the answer.
const DRAIN: (usize, Duration) = (16 << 20, Duration::from_secs(2));

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

/// A JSON merge patch (RFC 7396).
pub(super) struct MergePatch(pub(super) Value);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = read(request, &["application/json"], BODY).await?;
        json(&bytes).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let media = ["application/merge-patch+json", "application/json"];
        let bytes = read(request, &media, BODY).await?;
        match json(&bytes)? {
            patch @ Value::Object(_) => Ok(Self(patch)),
            _ => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "body: expected a JSON object with the fields that change",
            )
            .in_field("body")),
        }
    }
}

/// A policy file.
pub(super) async fn file(request: Request) -> Result<String, Problem> {
    let bytes = read(request, &["application/toml"], FILE).await?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let detail = format!("body: byte {at} is not UTF-8: expected a TOML file");
        Problem::new(StatusCode::BAD_REQUEST, detail).in_field("body")
    })
}

/// Reads a JSON text whole.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Strict(&mut text));
    let value = value.map_err(|error| misread(place::of(error.path()), &error.into_inner()))?;
    text.end().map_err(|error| misread(None, &error))?;
    Ok(value)
}

/// As [`json`], of a value that was read already.
pub(super) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Strict(value))
        .map_err(|error| misread(place::of(error.path()), &error.into_inner()))
}

fn misread(place: Option<String>, error: &serde_json::Error) -> Problem {
    let place = match place {
        None => "body".to_owned(),
        // Of a body that is a list.
        Some(place) if place.starts_with('[') => format!("body{place}"),
        Some(place) => place,
    };
    let detail = format!("{place}: {}", shortened(&error.to_string(), 400));
    Problem::new(StatusCode::BAD_REQUEST, detail).in_field(place)
}

async fn read(request: Request, media: &[&str], most: usize) -> Result<Vec<u8>, Problem> {
    let (parts, body) = request.into_parts();
    if !is_media(&parts.headers, media) {
        drain(body).await;
        let detail = format!("Content-Type: expected {}", media.join(" or "));
        return Err(
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).in_field("Content-Type")
        );
    }
    let told: Option<usize> = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if told.is_some_and(|told| told > most) {
        drain(body).await;
        return Err(too_large(most));
    }
    let collected = tokio::time::timeout(ARRIVAL, collect(body, most)).await;
    collected.unwrap_or_else(|_| {
        Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body: expected all of it within 60 seconds",
        ))
    })
}

async fn collect(body: HttpBody, most: usize) -> Result<Vec<u8>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "body: broke off before its end"))?;
        if bytes.len() + chunk.len() > most {
            drain(HttpBody::from_stream(chunks)).await;
            return Err(too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn too_large(most: usize) -> Problem {
    let detail = format!("body: expected at most {} MiB", most >> 20);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).in_field("body")
}

/// Reads on for a little, and forgets it.
async fn drain(body: HttpBody) {
    let (most, time) = DRAIN;
    let mut chunks = body.into_data_stream();
    let reading = async {
        let mut read = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            read += chunk.len();
            if read > most {
                break;
            }
        }
    };
    // However it ends, the answer is the same.
    let _ = tokio::time::timeout(time, reading).await;
}

fn is_media(headers: &HeaderMap, media: &[&str]) -> bool {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let plain = given.split(';').next().unwrap_or("").trim();
    media.iter().any(|known| plain.eq_ignore_ascii_case(known))
}
