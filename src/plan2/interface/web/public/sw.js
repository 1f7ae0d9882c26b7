// The offline shell of the web app: it opens without a server and says that it is OFFLINE.
//
// Pages come from the network and, without one, from the copy of the last visit; files whose names
// carry their hash come from the copy. Nothing of the API, no sign-in and no command is ever kept.
const SHELL = "plan2-shell-1";
const ASSETS = "plan2-assets-1";
const PAGE = "/";
const NEVER = /^\/(api|signin|kill|metrics|ws)(\/|$)/;
const STATIC = /^\/(favicon\.svg|theme\.js|manifest\.webmanifest|icon-[\w-]+\.png)$/;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const answer = await fetch(PAGE, { cache: "no-cache" });
      const names = [...(await answer.clone().text()).matchAll(/\/assets\/[\w.-]+/g)].map(String);
      await keepPage(answer);
      const assets = await caches.open(ASSETS);
      await assets.addAll([...new Set(names)]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      const old = names.filter((name) => name !== SHELL && name !== ASSETS);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || NEVER.test(pathname)) return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (STATIC.test(pathname)) event.respondWith(fresh(request));
});

/** Remembers the app's page; another build of it makes the files of the one before useless. */
async function keepPage(answer) {
  const shell = await caches.open(SHELL);
  const before = await shell.match(PAGE);
  if (before && (await before.text()) !== (await answer.clone().text()))
    await caches.delete(ASSETS);
  await shell.put(PAGE, answer);
}

/** The page from the server, else the one of the last visit. */
async function page(request) {
  try {
    const answer = await fetch(request);
    const isApp = answer.ok && !answer.redirected && answer.headers.get("etag");
    if (isApp && answer.headers.get("content-type")?.startsWith("text/html"))
      await keepPage(answer.clone());
    return answer;
  } catch (error) {
    const kept = await (await caches.open(SHELL)).match(PAGE);
    if (kept) return kept;
    throw error;
  }
}

/** A file whose name says what is in it: once fetched it is right for ever. */
async function asset(request) {
  const assets = await caches.open(ASSETS);
  const kept = await assets.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await assets.put(request, answer.clone());
  return answer;
}

/** A small file that may change: from the server, else the copy. */
async function fresh(request) {
  const shell = await caches.open(SHELL);
  try {
    const answer = await fetch(request);
    if (answer.ok) await shell.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await shell.match(request);
    if (kept) return kept;
    throw error;
  }
}
