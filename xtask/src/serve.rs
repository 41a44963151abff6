//! A static server on the loopback interface, with the headers that any host of the page should send.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::models::Entry;
use crate::pages;
use crate::process::root;

/// Allows only the page's own scripts and wasm. `connect-src` lets visitors load a model from any host.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
     connect-src 'self' https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// First port to try if none is given.
const FIRST_PORT: u16 = 8080;

/// Isolate the page from other origins, so that its workers may share memory.
const ISOLATION: [(HeaderName, &str); 2] = [
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-embedder-policy"), "require-corp"),
];

/// The page at `/`, the package under `/pkg/` and the models under `/models/`.
pub fn router(models: &[Entry], isolated: bool) -> Result<Router> {
    let root = root();
    let index = serde_json::to_string(models)?;
    let index = move || async move { ([(header::CONTENT_TYPE, "application/json")], index).into_response() };
    let mut router = Router::new()
        .route("/models/models.json", get(index))
        .nest_service("/pkg/dist", ServeDir::new(root.join("pkg/dist")))
        .nest_service("/pkg/wasm", ServeDir::new(root.join("pkg/wasm")))
        .fallback_service(ServeDir::new(pages::folder()));
    for model in models {
        router = router.nest_service(&format!("/models/{}", model.name), ServeDir::new(&model.folder));
    }
    let set =
        |name: HeaderName, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    for (name, value) in ISOLATION.into_iter().filter(|_| isolated) {
        router = router.layer(set(name, value));
    }
    Ok(router
        .layer(set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "no-referrer"))
        .layer(set(header::CACHE_CONTROL, "no-cache")))
}

/// Listens on the port asked for, or on the first free one.
pub async fn listen(port: Option<u16>) -> Result<TcpListener> {
    let bind = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    match port {
        Some(port) => bind(port).await.with_context(|| {
            format!("port {port} is not available; pass another with --port, or omit it to use a free one")
        }),
        None => {
            for port in FIRST_PORT..FIRST_PORT + 100 {
                if let Ok(listener) = bind(port).await {
                    return Ok(listener);
                }
            }
            bail!("no free port between {FIRST_PORT} and {}; pass one with --port", FIRST_PORT + 99)
        }
    }
}
