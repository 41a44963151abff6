import { createServer } from "node:http";

/** Starts a proxy that refuses and logs every request. */
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

/** Browser flags that send every request, including those of workers, through this proxy, except to the host of `address`. */
export function throughProxy({ port }, address) {
  return [`--proxy-server=127.0.0.1:${port}`, `--proxy-bypass-list=${new URL(address).hostname}`];
}

/**
 * Records a page's requests. `elsewhere()` returns those that go neither to the page's own address nor to the chosen
 * model, as seen by the page's events and by the proxy; `seen` contains all requests seen by the page's events.
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

/** Chromium makes requests of its own, for example for updates. */
function isBrowsers(url) {
  return /(^|\.|\/)(google|googleapis|gstatic|gvt1|googleusercontent)\.com(:|\/|$)/.test(url);
}
