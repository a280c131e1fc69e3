// Lets the page open without a network. The line above names the version and its files.
'use strict';
const name = 'carrel-' + version;
addEventListener('install', e => e.waitUntil(caches.open(name).then(c => c.addAll(files.map(f => new Request(f, {cache: 'reload'})))).then(() => skipWaiting())));
addEventListener('activate', e => e.waitUntil((async () => {
  for (const old of await caches.keys()) if (old !== name) await caches.delete(old);
  await clients.claim();
})()));

// The page comes from the kiosk where it answers soon, so that a new version is taken up; else from here.
async function page(request) {
  const cache = await caches.open(name);
  try {
    const r = await fetch(request, {signal: AbortSignal.timeout(4000)});
    if (r.ok) await cache.put('/phone/', r.clone());
    return r;
  } catch (e) {
    const r = await cache.match('/phone/');
    if (!r) throw e;
    return r;
  }
}
// A file never changes under its address.
async function file(request) {
  const cache = await caches.open(name), kept = await cache.match(request);
  if (kept) return kept;
  const r = await fetch(request);
  if (r.ok) await cache.put(request, r.clone());
  return r;
}
addEventListener('fetch', e => {
  const {pathname, origin} = new URL(e.request.url);
  if (e.request.method !== 'GET' || origin !== location.origin) return;
  if (pathname === '/phone/') e.respondWith(page(e.request));
  else if (pathname.startsWith('/static/') || pathname === '/phone/manifest.webmanifest') e.respondWith(file(e.request));
});
