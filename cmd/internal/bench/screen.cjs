// The demo's screen in a browser as slow as a Pi's: what a visit costs from idle
// to "lent", and what script costs for ten lines. Prints one JSON object.
'use strict';
const {launch, open} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');
const base = process.env.BASE, slow = Number(process.env.SLOW), pace = Number(process.env.PACE);
const visits = JSON.parse(process.env.VISITS), ten = JSON.parse(process.env.TEN);

const post = (path, form) => fetch(base + path, {method: 'POST', body: new URLSearchParams(form)});
const scan = code => post('/sim/scan', {code});
const now = async () => (await fetch(base + '/api/v1/screen')).json();
const until = async (what, is) => {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise(r => setTimeout(r, 5))) if (is(await now())) return;
  throw new Error(`the screen never showed ${what}`);
};

// watched notes in the page, without asking it anything: touches, and when a screen was painted.
const watched = () => {
  window.touches = 0;
  window.shown = []; // [time, view, lines lent]
  addEventListener('pointerdown', e => { if (e.isTrusted) window.touches++; }, true);
  addEventListener('DOMContentLoaded', () => {
    const note = () => requestAnimationFrame(() => setTimeout(() => {
      const s = document.querySelector('.screen');
      window.shown.push([Date.now(), s.dataset.view, document.querySelectorAll('[data-state=lent]').length]);
    }));
    new MutationObserver(note).observe(document.getElementById('stage'), {subtree: true, attributes: true, attributeFilter: ['data-seq']});
  });
};

// painted waits for a screen in the page, and gives the moment it was there.
async function painted(page, from, view, lent) {
  const h = await page.waitForFunction(([from, view, lent]) => window.shown.find(([at, v, n]) => at >= from && v === view && n >= lent), [from, view, lent]);
  return (await h.jsonValue())[0];
}

async function home(page) {
  if ((await now()).view === 'items') await post('/touch/finish', {});
  await until('receipt or welcome', s => ['receipt', 'welcome'].includes(s.view));
  await post('/touch/cancel', {});
  await until('welcome', s => s.view === 'welcome' && !s.lines.length);
  await page.goto(base + '/');
  await idle(page);
}

// visit does one from idle to "lent"; what the machine took, of each step, in ms.
async function visit(page, v) {
  await home(page);
  if (v.mode) await page.goto(`${base}/?mode=${v.mode}`);
  await page.evaluate(() => { window.touches = 0; });
  const waits = [];
  const step = async (what, view, lent) => {
    const from = Date.now();
    await what();
    waits.push(await painted(page, from, view, lent) - from);
  };
  for (const s of v.steps) {
    if (s.touch) {
      const tap = () => page.locator(s.touch).click();
      if (s.view) await step(tap, s.view, 0); else await tap();
    } else await step(() => scan(s.scan), s.view, s.lent ?? 0);
  }
  const touches = await page.evaluate(() => window.touches);
  await page.locator('#finish').click();
  await page.locator('#done').click();
  return {name: v.name, touches, waits};
}

// script adds up, from a trace, what the page's main thread computed while any script ran, with what it had to lay
// out for it; other work of this machine does not count.
function script(trace) {
  const names = new Set(['FunctionCall', 'EvaluateScript', 'RunMicrotasks', 'EventDispatch', 'TimerFire', 'FireAnimationFrame', 'FireIdleCallback', 'v8.callFunction', 'v8.run']);
  const threads = new Map();
  for (const e of JSON.parse(trace).traceEvents) {
    if (e.ph !== 'X') continue;
    const on = `${e.pid} ${e.tid}`, t = threads.get(on) ?? {spans: [], longest: 0};
    threads.set(on, t);
    if (names.has(e.name)) t.spans.push(e);
    if (e.name === 'RunTask') t.longest = Math.max(t.longest, e.tdur ?? e.dur);
  }
  const outermost = spans => {
    let sum = 0, end = 0;
    for (const e of spans.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) if (e.ts >= end) { sum += e.tdur ?? e.dur; end = e.ts + e.dur; }
    return sum;
  };
  const [main] = [...threads.values()].map(t => ({script: outermost(t.spans) / 1000, longest: t.longest / 1000})).sort((a, b) => b.script - a.script);
  return main;
}

const pause = ms => new Promise(r => setTimeout(r, ms));
const idle = page => page.evaluate(() => new Promise(requestIdleCallback));

(async () => {
  const browser = await launch();
  const page = await open(browser, {viewport: {width: 1024, height: 600}});
  await page.addInitScript(watched);
  const cdp = await page.context().newCDPSession(page);
  await page.goto(base + '/');
  await cdp.send('Emulation.setCPUThrottlingRate', {rate: slow});
  const out = {visits: [], lines: []};
  for (const v of visits) out.visits.push(await visit(page, v));

  const traced = async what => {
    await browser.startTracing(page, {categories: ['devtools.timeline', 'v8.execute', 'toplevel', 'disabled-by-default-devtools.timeline']});
    await what();
    return script((await browser.stopTracing()).toString());
  };
  for (const {card, books} of ten) {
    await home(page);
    await scan(card);
    await until('items', s => s.view === 'items');
    await page.waitForFunction(() => window.shown.some(s => s[1] === 'items'));
    const screens = await page.evaluate(() => window.shown.length);
    const landing = await traced(async () => {
      for (const [i, b] of books.entries()) {
        await scan(b);
        await until(`${i + 1} lines lent`, s => s.lines.filter(l => l.state === 'lent').length === i + 1);
        await pause(pace); // nobody is quicker; the page is slower than the desk
      }
    });
    landing.screens = await page.evaluate(() => window.shown.length) - screens;
    const lent = await page.locator('.line[data-state=lent]').count();
    if (lent !== books.length) throw new Error(`${lent} lines in the page`);
    // One more screen of ten lines: the page takes it as a whole.
    const more = n => traced(async () => {
      const {seq} = await now();
      await scan('3123400000000' + n);
      await until('a newer screen', s => s.seq > seq);
      await pause(pace);
    });
    const one = await more(1);
    const load = await traced(() => page.reload());
    await pause(pace);
    await idle(page);
    const first = await more(2);
    out.lines.push({landing, one, load, first});
  }
  if (page.wrong.length) throw new Error(page.wrong.join('\n'));
  await browser.close();
  console.log(JSON.stringify(out));
})().catch(e => { console.error(e); process.exit(1); });
