// The inventory on a phone. A scan is kept in the phone first, then handed over; without a network that waits, and what
// can be said here is said here.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const words = JSON.parse(document.body.dataset.words);
  const say = (key, more = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => more[name] ?? all);
  const views = ['v-pair', 'v-sign', 'v-list', 'v-scan'];
  let state = {paired: false, signed: '', inventories: []}, online = true, walk, books, wanted, shown, waiting = 0, refused;
  let met = new Set(); // what was scanned since the inventory was chosen, and what waits
  let recent = []; // the newest first: {id, n, text, head, tone, item, line, waits}

  // Pages and states

  function view(id) {
    const before = views.find(v => !$(v).hidden);
    for (const v of views) $(v).hidden = v !== id;
    if (id !== 'v-scan') stopCamera();
    $('title').textContent = id === 'v-scan' ? walk.name : document.title.split(' · ')[0];
    if (before && before !== id) $($(id).getAttribute('aria-labelledby')).focus(); // what was touched is gone
  }
  function net() {
    const e = $('net');
    e.className = !online ? 'off' : waiting ? 'wait' : '';
    const said = online ? say('phone.online') : say('phone.offline');
    const text = [said, waiting ? say('phone.waiting', {n: waiting}) : ''].filter(Boolean).join(' · ');
    if (e.textContent !== text) e.textContent = text;
    // A screen reader is not told each number: a scan is said by itself.
    if ($('net-said').textContent !== said) $('net-said').textContent = said;
  }
  // handing shows how far a hand-over is that takes more than one request.
  const atOnce = 100;
  function handing(n, of) {
    $('handing').hidden = of <= atOnce;
    $('handing').firstElementChild.textContent = say('phone.handing', {n, of});
    $('handing-bar').value = of ? n / of : 0;
  }
  async function counted() {
    waiting = (await phoneStore.waiting()).length;
    net();
    return waiting;
  }
  const post = (path, body, json) => fetch('/phone/' + path, {method: 'POST', signal: AbortSignal.timeout(15000), credentials: 'same-origin',
    ...json ? {headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)} : {body: new URLSearchParams(body)}});

  // look asks the kiosk how things are; false: it can't be reached.
  async function look() {
    try {
      const r = await fetch('/phone/state', {cache: 'no-store', signal: AbortSignal.timeout(6000)});
      if (!r.ok) throw new Error(String(r.status));
      state = await r.json();
      online = true;
      await phoneStore.keep('state', state);
      if (state.version !== document.documentElement.dataset.version && !waiting && $('v-scan').hidden) navigator.serviceWorker?.getRegistration().then(g => g?.update());
    } catch {
      online = false;
      state = await phoneStore.kept('state') ?? state;
    }
    net();
    return online;
  }
  async function home() {
    await look();
    if (!state.paired) return view('v-pair');
    if (!state.signed && online) return sign();
    list();
  }
  function sign() {
    $('sign-badge').hidden = !state.badges;
    $('later').hidden = !walk;
    view('v-sign');
    (state.badges ? $('badge') : $('password')).focus();
  }
  function list() {
    walk = undefined;
    $('walks').replaceChildren(...state.inventories.map(v => {
      const li = document.createElement('li'), b = document.createElement('button'), small = document.createElement('small');
      b.textContent = v.name;
      b.dir = 'auto';
      small.textContent = v.stage;
      b.append(small);
      b.dataset.id = v.id;
      b.addEventListener('click', () => choose(v));
      li.append(b);
      return li;
    }));
    $('no-walks').hidden = state.inventories.length > 0;
    view('v-list');
  }

  async function choose(v) {
    if (refused) return move(v);
    walk = v;
    recent = [];
    shown = undefined;
    met = new Set((await phoneStore.waiting()).filter(a => a.inventory === v.id && a.kind === 'scan').map(a => a.text));
    await phoneStore.keep('walk', v);
    verdict({tone: '', head: say('phone.first'), lines: []});
    view('v-scan');
    books = wanted = undefined;
    try {
      const r = await fetch(`/phone/inventory/${v.id}`, {cache: 'no-store', signal: AbortSignal.timeout(20000)});
      if (r.status === 401) return home();
      if (!r.ok) throw new Error(String(r.status));
      const took = await r.json();
      await phoneStore.keep('books ' + v.id, took);
      take(took);
    } catch {
      const took = await phoneStore.kept('books ' + v.id);
      if (took) take(took);
    }
    send();
  }
  function take(took) {
    if (took.id !== walk?.id) return;
    books = took.all ? new Set(took.books) : undefined;
    wanted = new Set(took.wanted);
    tally(took.seen, took.expected);
  }
  function tally(seen, expected) {
    $('seen').textContent = seen;
    $('expected').textContent = say('phone.of', {n: expected});
    $('progress').value = expected ? Math.min(100, seen * 100 / expected) : 0;
  }

  // What a scan says

  const colours = {good: 'good', sought: 'good', elsewhere: 'ask', take: 'bad'};
  function verdict(v) {
    $('now').className = 'now ' + (colours[v.tone] ?? 'calm');
    $('now').dataset.tone = v.tone;
    $('head').textContent = v.head;
    $('lines').replaceChildren(...v.lines.map(text => {
      const p = document.createElement('p');
      p.className = 'place';
      p.dir = 'auto';
      p.textContent = text;
      return p;
    }));
    $('book').textContent = [v.call, v.title, v.item || v.text].filter(Boolean).join(' · ');
    for (const b of document.querySelectorAll('.condition, #photo')) b.disabled = !v.item;
    $('undo').disabled = !recent.length;
  }
  function alarm(tone) {
    if (carrelTunes[tone]) carrelTunes.play(tone);
    navigator.vibrate?.({good: 40, sought: [40, 40, 40], twice: [30], elsewhere: [60, 60, 60], take: [150, 80, 150]}[tone] ?? 40);
  }
  function remember() {
    recent = recent.slice(0, 12);
    $('recent').replaceChildren(...recent.map(x => {
      const li = document.createElement('li'), b = document.createElement('b'), d = document.createElement('bdi');
      li.className = 't-' + x.tone + (x.waits ? ' waits' : '');
      d.textContent = x.call || x.item || x.text;
      b.append(d);
      li.append(b, ' ' + x.head);
      return li;
    }));
  }
  // local is what can be said without the kiosk: too little to say that a book stands in its place.
  function local(text) {
    if (met.has(text)) return {tone: 'twice', head: say('phone.kept.again'), lines: [], item: text};
    if (!books) return {tone: 'good', head: say('phone.kept'), lines: [], item: text};
    if (wanted.has(text)) return {tone: 'take', head: say('phone.kept.wanted'), lines: [], item: text};
    if (books.has(text)) return {tone: 'good', head: say('phone.kept.known'), lines: [], item: text};
    return {tone: 'take', head: say('phone.kept.unknown'), lines: [], item: text};
  }

  // No number is longer (kiosk.MaxCode, in bytes): an address in a QR code is not kept.
  const longest = 64, tooLong = text => new TextEncoder().encode(text).length > longest;
  function strange(text) {
    shown = undefined;
    verdict({tone: 'take', head: say('staff.inv.nocode'), lines: [], text: text.slice(0, longest)});
  }
  async function scanned(text) {
    text = text.trim();
    if (!text || !walk) return;
    if (tooLong(text)) { strange(text); return alarm('take'); }
    const act = {id: crypto.randomUUID(), inventory: walk.id, kind: 'scan', text, at: Date.now()};
    const said = local(text);
    try {
      act.n = await phoneStore.add(act);
    } catch {
      verdict({tone: 'take', head: say('phone.full'), lines: [], text});
      return alarm('take');
    }
    met.add(text);
    recent.unshift({...said, id: act.id, n: act.n, text, waits: true});
    remember();
    shown = act.id;
    await counted();
    if (!online) {
      verdict({...said, text});
      alarm(said.tone);
    } else if (!await sends(act.id, 1500) && shown === act.id) { // the kiosk is slow: what is known here, now
      verdict({...said, text});
      alarm(said.tone);
    }
    if (!online) send();
  }
  // sends hands over, and tells whether the kiosk has answered for id in time.
  async function sends(id, ms) {
    const sent = send();
    await Promise.race([sent, new Promise(done => setTimeout(done, ms))]);
    return !recent.find(x => x.id === id)?.waits;
  }
  // note tells whether it is kept.
  async function note(kind, more) {
    if (!walk) return false;
    try {
      await phoneStore.add({id: crypto.randomUUID(), inventory: walk.id, kind, text: '', at: Date.now(), ...more});
    } catch {
      verdict({tone: 'take', head: say('phone.full'), lines: [], ...more.item && {item: more.item}});
      alarm('take');
      return false;
    }
    await counted();
    send();
    return true;
  }

  // Handing over

  let sending, wait = 1000, timer;
  function send() {
    sending ??= navigator.locks.request('carrel-hand-over', deliver).catch(() => {}).finally(() => { sending = undefined; });
    return sending;
  }
  function later() {
    clearTimeout(timer);
    timer = setTimeout(send, wait);
    wait = Math.min(wait * 2, 15000);
  }
  const deliver = () => handOver().finally(() => handing(0, 0));
  async function handOver() {
    clearTimeout(timer);
    for (let gone = 0;;) {
      const kept = await phoneStore.waiting(), odd = kept.filter(a => tooLong(a.text ?? '')), all = kept.filter(a => !odd.includes(a));
      if (odd.length) { // of an earlier version, which kept them
        await phoneStore.remove(odd.map(a => a.n));
        strange(odd[0].text);
      }
      waiting = all.length;
      net();
      handing(gone, gone + waiting);
      const first = all.find(a => a.inventory !== refused?.inventory);
      if (!first) return;
      const mine = all.filter(a => a.inventory === first.inventory), now = Date.now();
      const photo = mine.findIndex(a => a.kind === 'photo'), part = mine.slice(0, photo === 0 ? 1 : photo > 0 ? Math.min(photo, atOnce) : atOnce);
      let r;
      try {
        r = photo === 0 ? await sendPhoto(first, now) : await post(`inventory/${first.inventory}/hand`, {acts: part.map(a => ({id: a.id, kind: a.kind, text: a.text, item: a.item, age: now - a.at}))}, true);
      } catch { /* no network */ }
      if (r?.status === 401) {
        online = true;
        net();
        await look();
        return state.paired ? sign() : view('v-pair');
      }
      if (r?.status === 404) r = {status: 409, json: async () => ({said: [], refused: say('phone.gone')})};
      if (!r || r.status !== 200 && r.status !== 409) {
        online = false;
        net();
        return later();
      }
      const answer = await r.json();
      online = true;
      wait = 1000;
      const said = new Map(answer.said.map(x => [x.id, x])), done = part.filter(a => said.has(a.id));
      await phoneStore.remove(done.map(a => a.n));
      gone += done.length;
      if (r.status === 409) refuse(first.inventory, answer.refused);
      else if (done.length < part.length) refuse(first.inventory, say('phone.gone'));
      heard(said, first.inventory, answer, gone);
      await counted();
    }
  }
  // A photo goes by itself; what is wrong with it does not hold up the scans behind it.
  async function sendPhoto(a, now) {
    const q = new URLSearchParams({id: a.id, item: a.item, age: Math.max(0, Math.round(now - a.at))});
    const r = await fetch(`/phone/inventory/${a.inventory}/photo?${q}`, {method: 'POST', headers: {'Content-Type': 'image/jpeg'}, body: a.picture, signal: AbortSignal.timeout(60000)});
    if ([400, 413, 422].includes(r.status)) verdict({tone: 'take', head: say('phone.photo.not'), lines: [(await r.text()).trim()], text: a.item});
    if ([204, 400, 413, 422].includes(r.status)) return {status: 200, json: async () => ({said: [{id: a.id}]})};
    if (r.status === 409) return {status: 409, json: async () => ({said: [], refused: (await r.text()).trim()})};
    return r;
  }
  function heard(said, inventory, answer, gone) {
    if (inventory !== walk?.id) return;
    if (answer.expected) tally(answer.seen, answer.expected);
    for (const x of recent) if (said.has(x.id)) Object.assign(x, said.get(x.id), {waits: false});
    remember();
    const x = recent.find(x => x.id === shown);
    if (x && said.has(shown)) {
      verdict(x);
      alarm(x.tone);
    } else if (said.size > 1) verdict({tone: 'good', head: say('phone.handed', {n: gone}), lines: []});
  }
  function refuse(inventory, why) {
    refused = {inventory};
    $('refused-why').textContent = why;
    $('refused').hidden = false;
    alarm('take');
  }
  function settled() {
    refused = undefined;
    $('refused').hidden = true;
  }
  async function move(v) {
    const all = (await phoneStore.waiting()).filter(a => a.inventory === refused.inventory);
    await phoneStore.change(all.map(a => ({...a, inventory: v.id})));
    settled();
    return choose(v);
  }

  // Touches

  async function form(e, path, then) {
    e.preventDefault();
    const f = e.target, why = f.querySelector('.failed');
    why.textContent = '';
    try {
      const r = await post(path, new FormData(f));
      if (r.status === 401) return home();
      if (!r.ok) { why.textContent = (await r.text()).trim(); return; }
      f.reset();
      await then();
    } catch { why.textContent = say('phone.unreached'); }
  }
  $('pair').addEventListener('submit', e => form(e, 'pair', () => { history.replaceState(null, '', '/phone/'); return home(); }));
  $('sign').addEventListener('submit', e => form(e, 'sign-in', async () => {
    const was = walk;
    await look();
    if (was) { view('v-scan'); send(); } else { list(); send(); }
  }));
  $('later').addEventListener('click', () => view('v-scan'));
  $('again').addEventListener('click', () => home().then(send));
  $('out').addEventListener('click', async () => {
    try { await post('sign-out', {}); } catch { /* the session ends by itself */ }
    state.signed = '';
    await phoneStore.keep('state', state);
    home();
  });
  $('leave').addEventListener('click', home);
  $('type').addEventListener('submit', e => {
    e.preventDefault();
    const text = $('code').value;
    $('code').value = '';
    $('code').focus();
    scanned(text);
  });
  $('elsewhere').addEventListener('click', () => note('start', {}));
  for (const b of document.querySelectorAll('.condition')) b.addEventListener('click', async () => {
    const x = recent.find(x => x.id === shown);
    if (!x?.item || !await note('note', {text: b.dataset.text, item: x.item})) return;
    verdict({...x, lines: [...x.lines, say('phone.noted', {what: b.textContent})]});
  });
  // The picture is made small here, which also turns it the right way up: it waits in the phone, and goes over a slow network.
  $('photo').addEventListener('click', () => $('file').click());
  $('file').addEventListener('change', async () => {
    const file = $('file').files[0], x = recent.find(x => x.id === shown);
    $('file').value = '';
    if (!file || !x?.item) return;
    try {
      const img = await createImageBitmap(file), k = Math.min(1, 1024 / Math.max(img.width, img.height));
      const c = document.createElement('canvas');
      c.width = Math.max(1, img.width * k);
      c.height = Math.max(1, img.height * k);
      c.getContext('2d').drawImage(img, 0, 0, c.width, c.height);
      const picture = await new Promise(done => c.toBlob(done, 'image/jpeg', .8));
      if (await note('photo', {item: x.item, picture: await picture.arrayBuffer()})) verdict({...x, lines: [...x.lines, say('phone.noted', {what: $('photo').textContent})]});
    } catch {
      verdict({...x, lines: [...x.lines, say('phone.photo.bad')]});
    }
  });
  $('undo').addEventListener('click', async () => {
    const x = recent[0];
    if (!x) return;
    if (sending) await sending;
    if (x.waits) await phoneStore.remove([x.n]);
    else if (x.line) {
      try {
        const r = await post(`inventory/${walk.id}/undo`, {value: x.line});
        if (r.status === 401) return home();
      } catch {
        return verdict({...x, lines: [say('phone.unreached')]});
      }
    }
    recent.shift();
    if (!recent.some(r => r.text === x.text)) met.delete(x.text);
    remember();
    shown = undefined;
    verdict({tone: '', head: say('phone.undone', {what: x.call || x.text}), lines: []});
    counted();
  });
  $('retry').addEventListener('click', () => { settled(); send(); });
  $('move').addEventListener('click', async () => { await look(); list(); });
  $('drop').addEventListener('click', async () => {
    const all = (await phoneStore.waiting()).filter(a => a.inventory === refused.inventory);
    if (!confirm(say('phone.drop', {n: all.length}))) return;
    await phoneStore.remove(all.map(a => a.n));
    settled();
    counted();
  });

  function stopCamera() {
    phoneCamera.stop();
    $('camera').setAttribute('aria-pressed', 'false');
    $('torch').hidden = true;
  }
  $('camera').addEventListener('click', async () => {
    if (phoneCamera.on) return stopCamera();
    $('camera-why').hidden = true;
    try {
      const torch = await phoneCamera.start($('video'), scanned);
      $('camera').setAttribute('aria-pressed', 'true');
      $('torch').hidden = !torch;
    } catch (e) {
      $('camera-why').textContent = e.name === 'NotAllowedError' ? say('phone.camera.denied') : say('phone.camera.none');
      $('camera-why').hidden = false;
    }
  });
  $('torch').addEventListener('click', async () => {
    const on = $('torch').getAttribute('aria-pressed') !== 'true';
    try { await phoneCamera.torch(on); $('torch').setAttribute('aria-pressed', String(on)); } catch { $('torch').hidden = true; }
  });
  addEventListener('online', send);
  addEventListener('offline', () => { online = false; net(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) send(); });

  navigator.serviceWorker?.register('/phone/sw.js', {scope: '/phone/'}).then(() => navigator.storage?.persist?.()).catch(() => {}); // without a trusted certificate there is none
  counted().then(home).then(() => {
    const code = new URLSearchParams(location.hash.slice(1)).get('code');
    if (code && !state.paired) { $('pair-code').value = code; $('pair').requestSubmit(); }
    send();
  });
})();
