import { createServer } from "node:http";

/** A proxy that refuses everything and notes who was asked for. */
export async function startRefusingProxy() {
  const asked = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(403).end();
  });
  proxy.on("connect", (request, socket) => {
    asked.push(request.url);
    socket.on("error", () => {});
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return { asked, port: proxy.address().port, stop: () => proxy.close() };
}

/** Flags for a browser that asks this proxy for everything but the host at `address`: requests of workers among it. */
export function throughProxy({ port }, address) {
  return [`--proxy-server=127.0.0.1:${port}`, `--proxy-bypass-list=${new URL(address).hostname}`];
}

/**
 * Watches a page from its first request on. `elsewhere()` gives what was asked for that is neither of the page's own
 * address nor of the model that is chosen, as the page's events and the proxy saw it; `seen` holds
 * all that the page's events told.
 */
export function watch(page, proxy, address, chosen = address) {
  const seen = [];
  const before = proxy.asked.length;
  page.on("request", (request) => seen.push(request.url()));
  const isOwn = (url) => [address, chosen].some((own) => url.startsWith(own)) || /^(data|about|blob):/.test(url);
  const host = new URL(chosen).host;
  return {
    seen,
    elsewhere: () => [
      ...seen.filter((url) => !isOwn(url)),
      ...proxy.asked.slice(before).filter((url) => !isBrowsers(url) && url !== `${host}:443`),
    ],
  };
}

/** Chromium looks for updates and the like by itself, whatever page is open. */
function isBrowsers(url) {
  return /(^|\.|\/)(google|googleapis|gstatic|gvt1|googleusercontent)\.com(:|\/|$)/.test(url);
}
