// The set-up page: what is typed stays in it until it is saved.
(() => {
  'use strict';
  const $ = id => document.getElementById(id);
  const t = JSON.parse(document.body.dataset.words);
  const send = (path, body) => fetch(path, {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'}, signal: AbortSignal.timeout(30_000)});
  const make = (tag, text, more = {}) => Object.assign(document.createElement(tag), {textContent: text}, more);

  keyboard();

  $('door')?.addEventListener('submit', async e => {
    e.preventDefault();
    $('refused').textContent = '';
    try {
      const r = await send('/setup/code', {code: $('code').value});
      if (r.ok) return location.assign('/setup' + location.search);
      $('refused').textContent = r.status === 429 ? t['code.soon'] : t['code.wrong'];
    } catch { $('refused').textContent = t['lost']; }
    $('code').select();
  });
  if ($('door')) { // a code does not live for ever
    if ($('shown')) setInterval(() => { if (!$('code').value) location.reload(); }, 60_000);
    return;
  }

  // The keys on the screen: they open where a finger touches a field, and by their button.
  function keyboard() {
    const box = $('keys'), shift = [...box.querySelectorAll('[data-shift]')];
    const typed = e => e instanceof HTMLInputElement && !['checkbox', 'radio'].includes(e.type);
    let field = null, touched = false, capital = false;
    const fields = () => [...document.querySelectorAll('main input')].filter(e => typed(e) && e.checkVisibility());
    const layer = name => { for (const l of box.querySelectorAll('.layer')) l.hidden = l.dataset.layer !== name; };
    const open = is => {
      box.hidden = !is;
      document.body.classList.toggle('typing', is);
      $('show-keys').setAttribute('aria-expanded', is);
      if (is && field) { layer(field.inputMode === 'numeric' ? 'digits' : 'letters'); field.scrollIntoView({block: 'center'}); }
    };
    const capitals = is => { capital = is; for (const b of shift) b.setAttribute('aria-pressed', is); box.classList.toggle('capital', is); };
    const put = text => {
      const [from, to] = [field.selectionStart, field.selectionEnd];
      field.setRangeText(text, from, to, 'end');
      field.dispatchEvent(new Event('input', {bubbles: true}));
    };
    addEventListener('pointerdown', e => {
      touched = e.pointerType === 'touch';
      if (box.contains(e.target)) e.preventDefault(); // the caret stays in its field
    });
    addEventListener('mousedown', e => { if (box.contains(e.target)) e.preventDefault(); });
    addEventListener('focusin', e => {
      if (!typed(e.target)) return;
      field = e.target;
      if (touched || !box.hidden) open(true);
    });
    addEventListener('keydown', e => {
      touched = false;
      if (e.key !== 'Escape' || box.hidden) return;
      open(false);
      field?.focus();
    });
    $('show-keys').addEventListener('click', () => {
      field = field?.isConnected ? field : fields()[0];
      open(box.hidden);
      if (!box.hidden) field.focus();
    });
    box.addEventListener('click', e => {
      const b = e.target.closest('button');
      if (!b || !field) return;
      if ('put' in b.dataset) {
        if ('mark' in b.dataset) { // onto the letter before
          if (field.selectionStart === field.selectionEnd && field.selectionStart > 0) {
            const at = field.selectionStart, on = (field.value[at - 1] + b.dataset.put).normalize('NFC');
            field.setSelectionRange(at - 1, at);
            put(on);
          }
        } else put(capital ? b.dataset.put.toUpperCase() : b.dataset.put);
        if (capital) capitals(false);
      } else if ('back' in b.dataset) {
        if (field.selectionStart === field.selectionEnd && field.selectionStart > 0) field.setSelectionRange(field.selectionStart - 1, field.selectionStart);
        put('');
      } else if ('shift' in b.dataset) capitals(!capital);
      else if ('to' in b.dataset) {
        layer(b.dataset.to);
        if (document.activeElement === document.body || box.contains(document.activeElement)) box.querySelector('.layer:not([hidden]) button').focus();
      } else if ('next' in b.dataset) {
        const all = fields(), to = all[all.indexOf(field) + 1];
        if (to) to.focus();
        else { open(false); field.form.querySelector('button:not([type])').focus(); }
      }
    });
  }

  // Devices.
  const used = [];
  const name = driver => { for (let n = 1; ; n++) { const s = n > 1 ? `${driver} ${n}` : driver; if (!used.some(d => d.name === s)) return s; } };
  function list() {
    $('used').replaceChildren(...used.map(d => {
      const li = make('li', `${d.name}: ${d.driver} ${d.path ?? ''} `);
      li.append(make('button', t['devices.remove'], {type: 'button', onclick: () => { used.splice(used.indexOf(d), 1); list(); }}));
      return li;
    }));
  }
  let n = 0;
  function row(f) {
    const li = make('li', ''), id = `driver${n++}`;
    const driver = make('select', '', {id});
    driver.append(...f.drivers.map(d => make('option', d, {value: d})));
    const path = f.kind === 'hand' ? make('input', '', {id: id + 'p', dir: 'ltr'}) : null;
    const baud = make('input', '', {id: id + 'b', inputMode: 'numeric', dir: 'ltr'});
    const entry = () => {
      const d = {...f.keys, name: name(driver.value), driver: driver.value};
      if (path) d.path = path.value.trim();
      if (baud.value.trim()) d.baud = Number(baud.value);
      return d;
    };
    li.append(make('strong', f.kind === 'hand' ? t['devices.hand'] : `${f.product} ${f.where}`), make('label', t['devices.driver'], {htmlFor: id}), driver);
    if (path) li.append(make('label', t['devices.path'], {htmlFor: path.id}), path);
    if (f.kind !== 'hid') li.append(make('label', t['devices.baud'], {htmlFor: baud.id}), baud);
    li.append(make('button', t['devices.try'], {type: 'button', className: 'try', onclick: () => attempt(entry())}), ' ',
      make('button', t['devices.add'], {type: 'button', className: 'add', onclick: () => { used.push(entry()); list(); }}));
    return li;
  }
  async function look() {
    let all = [];
    try {
      const r = await fetch('/setup/devices');
      if (r.status === 403) return location.reload();
      const got = await r.json();
      if (Array.isArray(got)) all = got;
    } catch { $('state').textContent = t['lost']; }
    $('none').hidden = all.length > 0;
    $('found').replaceChildren(...all.map(row), row({kind: 'hand', drivers: ['serialscan', 'feig', 'rfid3m', 'twn4', 'escpos'], keys: {}}));
  }
  let watching = 0;
  async function attempt(entry) {
    clearInterval(watching);
    $('reads').replaceChildren();
    $('state').textContent = t['devices.opening'];
    try {
      const got = await (await send('/setup/try', {devices: [entry]})).json();
      if (got.problems?.length) return $('state').textContent = got.problems.map(p => p.Key + ': ' + p.Why).join('; ');
    } catch { return $('state').textContent = t['lost']; }
    watching = setInterval(async () => {
      try {
        const r = await (await fetch('/setup/reads')).json();
        const state = r.error ? `${t['devices.fails']} ${r.error}` : r.working ? t['devices.works'] : t['devices.opening'];
        if ($('state').textContent !== state) $('state').textContent = state;
        if ($('reads').children.length !== r.reads.length || $('reads').firstChild?.textContent !== r.reads[0]) $('reads').replaceChildren(...r.reads.map(x => make('li', x, {dir: 'ltr'})));
      } catch { $('state').textContent = t['lost']; }
    }, 400);
  }
  $('look').addEventListener('click', look);
  look();

  // The library's system.
  const driver = () => document.querySelector('input[name=driver]:checked').value;
  for (const r of document.querySelectorAll('input[name=driver]')) r.addEventListener('change', () => {
    $('koha').hidden = $('returns').hidden = driver() !== 'koha';
    $('sip2').hidden = $('asks').hidden = driver() === 'none';
    $('said').replaceChildren();
  });
  const answers = () => ({
    name: $('name').value.trim(), title: $('title').value.trim(), library: $('library').value.trim(), timezone: $('timezone').value.trim(),
    cards: $('cards').value.trim(), items: $('items').value.trim(),
    languages: [...document.querySelectorAll('#languages input:checked')].map(i => i.value), devices: used,
    upstream: {driver: driver(), address: $('address').value.trim(), tls: $('tls').checked, user: $('user').value, password: $('password').value, location: $('location').value.trim(),
      koha: {url: $('url').value.trim(), as: $('as').value, name: $('client').value.trim(), secret: $('kohasecret').value}},
    staff: {badge: $('badge').value.trim(), name: $('who').value.trim(), secret: $('secret').value},
  });
  $('test').addEventListener('click', async () => {
    const said = (...lines) => $('said').replaceChildren(...lines.map(([text, good]) => make('li', text, {className: good === undefined ? '' : good ? 'good' : 'bad'})));
    said([t['ils.asking']]);
    try {
      const got = await (await send('/setup/upstream', answers())).json();
      if (got.problems?.length) return said(...got.problems.map(p => [p.Key + ': ' + p.Why, false]));
      said(...got.map(g => [`${g.driver === 'koha' ? 'Koha' : 'SIP2'}: ${t[g.ok ? 'ils.ok' : 'ils.fails']} ${g.says}`, g.ok]));
    } catch { said([t['lost'], false]); }
  });

  // A scanner that types ends with Enter: that is not yet the end.
  $('answers').addEventListener('keydown', e => { if (e.key === 'Enter' && e.target.tagName === 'INPUT') e.preventDefault(); });
  $('answers').addEventListener('submit', async e => {
    e.preventDefault();
    const wrong = list => {
      $('problems').hidden = list.length === 0;
      $('problems').querySelector('ul').replaceChildren(...list.map(p => make('li', `${p.Key}: ${p.Value ? p.Value + ': ' : ''}${p.Why}`)));
      if (list.length) $('problems').focus();
    };
    wrong([]);
    try {
      const got = await (await send('/setup/save', answers())).json();
      if (got.problems?.length) return wrong(got.problems);
    } catch { return wrong([{Key: '', Why: t['lost']}]); }
    clearInterval(watching);
    $('save').disabled = true;
    $('done').textContent = t['done'];
    setInterval(async () => {
      try { if ((await fetch('/api/v1/screen')).ok) location.assign('/'); } catch { /* not yet */ }
    }, 500);
  });
})();
