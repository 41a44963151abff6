//! A static server on the loopback interface, with the headers that a host of the page should send.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path as FolderPath, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
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
    let folders: Arc<HashMap<String, PathBuf>> =
        Arc::new(models.iter().map(|model| (model.name.clone(), model.folder.clone())).collect());
    let model_file = move |Path((name, _)): Path<(String, String)>, request: Request| async move {
        match folders.get(&name) {
            Some(folder) => file(folder, request).await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let mut router = Router::new()
        .route("/models/models.json", get(index))
        // Not a route per model: names may contain anything that folder names may, such as spaces and braces.
        .route("/models/{name}/{*file}", get(model_file))
        .nest_service("/pkg/dist", ServeDir::new(root.join("pkg/dist")))
        .nest_service("/pkg/wasm", ServeDir::new(root.join("pkg/wasm")))
        .fallback_service(ServeDir::new(pages::folder()));
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

/// Serves a model's file, requested as `/models/NAME/FILE`.
async fn file(folder: &FolderPath, mut request: Request) -> Response {
    let rest = request.uri().path().splitn(4, '/').nth(3).unwrap_or_default();
    match format!("/{rest}").parse() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    }
    match ServeDir::new(folder).append_index_html_on_directories(false).try_call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied => {
                StatusCode::NOT_FOUND
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
        .into_response(),
    }
}

/// Listens on the requested port, or on the first free one.
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn fetch(address: SocketAddr, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        Ok(response)
    }

    #[tokio::test]
    async fn models_are_served_whatever_their_names() -> Result<()> {
        let parent = std::env::temp_dir().join(format!("serve-{}", std::process::id()));
        let names = ["plain", "my model", "modèle", "{rest}", "{*all}", "100%", "a#b?c"];
        let entries = names.map(|name| Entry {
            name: name.into(),
            task: String::new(),
            architecture: String::new(),
            bytes: 0,
            folder: parent.join(name),
        });
        for entry in &entries {
            std::fs::create_dir_all(entry.folder.join("1_Pooling"))?;
            std::fs::write(entry.folder.join("1_Pooling/config.json"), &entry.name)?;
        }
        let listener = listen(None).await?;
        let address = listener.local_addr()?;
        let router = router(&entries, true)?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        let encoded =
            ["plain", "my%20model", "mod%C3%A8le", "%7Brest%7D", "%7B*all%7D", "100%25", "a%23b%3Fc"];
        for (name, encoded) in names.into_iter().zip(encoded) {
            let response = fetch(address, &format!("/models/{encoded}/1_Pooling/config.json")).await?;
            assert!(
                response.starts_with("HTTP/1.1 200") && response.ends_with(&format!("\r\n{name}")),
                "{response}"
            );
        }
        for path in
            ["/models/plain/missing", "/models/unknown/1_Pooling/config.json", "/models/plain/..%2Fmy model"]
        {
            let response = fetch(address, &path.replace(' ', "%20")).await?;
            assert!(response.starts_with("HTTP/1.1 404"), "{path}: {response}");
        }
        assert!(fetch(address, "/models/models.json").await?.contains("nosniff"));
        std::fs::remove_dir_all(parent)?;
        Ok(())
    }
}
