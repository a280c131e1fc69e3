// Tools for scripts that look at the screen with Chromium.
'use strict';
const assert = require('node:assert/strict');
const path = require('node:path');
const {chromium} = require('playwright-core');
const {source: axeSource} = require('axe-core');

exports.launch = () => chromium.launch({
  executablePath: process.env.CARREL_CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
});

// open gives a page that remembers what went wrong in it, and every address it asked for.
exports.open = async (browser, options = {}) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.wrong = [];
  page.asked = new Set();
  page.on('pageerror', e => page.wrong.push(`script: ${e}`));
  // What a cut line leaves in the console is expected; everything else is not.
  page.on('console', m => { if (m.type() === 'error' && !/net::ERR_|status of 409|htmx:(sse:)?error/.test(m.text())) page.wrong.push(`console: ${m.text()}`); });
  page.on('request', r => page.asked.add(new URL(r.url()).host));
  return page;
};

// shot keeps a picture; motion is finished first, endless motion is frozen.
exports.shot = (page, name) => page.screenshot({
  path: path.join(process.env.CARREL_SCREENSHOTS || '.', name + '.png'), animations: 'disabled',
});

// swap shows a scene of the gallery in a page that is there already, as if the
// stream had sent it: a tenth of the time of a reload.
exports.swap = (page, scene, more = '') => page.evaluate(async at => {
  const r = await fetch(at), stage = document.getElementById('stage');
  if (!r.ok) throw new Error(`${at}: ${r.status}`);
  stage.innerHTML = await r.text();
  stage.dispatchEvent(new CustomEvent('htmx:sse:after:message', {detail: {message: {}}}));
  document.body.offsetHeight; // now it wants its fonts
  await document.fonts.ready;
}, `/gallery/screen?scene=${scene}${more}`);

// axe gives what WCAG 2.2 AA and axe's own best practice find wrong.
exports.axe = async page => {
  if (!await page.evaluate(() => 'axe' in window)) await page.evaluate(axeSource);
  const r = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
  return r.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary.replace(/\s+/g, ' ')}`));
};

// layout gives what lies outside of the panel, over another target, or is too small to touch.
exports.layout = page => page.evaluate(() => {
  const wrong = [], W = innerWidth, H = innerHeight;
  const name = e => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''}.${String(e.className.baseVal ?? e.className).replace(/ /g, '.')} "${e.textContent.trim().slice(0, 20)}"`;
  const root = document.scrollingElement;
  if (root.scrollWidth > W || root.scrollHeight > H) wrong.push(`the page scrolls: ${root.scrollWidth}x${root.scrollHeight} in ${W}x${H}`);
  const scrolled = e => e.closest('.lines');
  const modal = document.querySelector('dialog:modal, :popover-open'); // nothing else can be touched then
  const visible = e => { if (modal && !modal.contains(e)) return false; const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0 && getComputedStyle(e).visibility !== 'hidden' && !e.closest('.sr, [hidden]'); };
  const targets = [...document.querySelectorAll('button, input:not([type=hidden])')].filter(visible);
  const boxes = targets.map(e => [e, e.getBoundingClientRect()]);
  for (const [e, r] of boxes) {
    if (r.width < 44 || r.height < 44) wrong.push(`${name(e)} is ${r.width.toFixed()}x${r.height.toFixed()} px`);
    if (!scrolled(e) && (r.left < 0 || r.top < 0 || r.right > W + .5 || r.bottom > H + .5)) wrong.push(`${name(e)} is cut off`);
  }
  for (const [i, [a, r]] of boxes.entries()) for (const [b, q] of boxes.slice(i + 1)) {
    if (a.closest('.countdown') || b.closest('.countdown') || scrolled(a) !== scrolled(b)) continue;
    if (Math.min(r.right, q.right) - Math.max(r.left, q.left) > 1 && Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top) > 1) wrong.push(`${name(a)} and ${name(b)} overlap`);
  }
  // No text spills: a box that clips says so by its style.
  for (const e of document.querySelectorAll('.screen *')) {
    if (!visible(e) || e.closest('svg') || getComputedStyle(e).display === 'inline') continue;
    const r = e.getBoundingClientRect();
    if (r.left < -1 || r.right > W + 1) wrong.push(`${name(e)} leaves the panel: ${r.left.toFixed()} to ${r.right.toFixed()}`);
    if (!scrolled(e) && (r.bottom > H + 1 || r.top < -1)) wrong.push(`${name(e)} leaves the panel: ${r.top.toFixed()} to ${r.bottom.toFixed()}`);
    const s = getComputedStyle(e);
    if (s.overflowX === 'visible' && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0) wrong.push(`${name(e)} spills sideways: ${e.scrollWidth} in ${e.clientWidth}`);
  }
  // Blocks that stand beside each other do not cover each other.
  for (const e of document.querySelectorAll('.view > *, .view > * > *, .line > *')) {
    const next = e.nextElementSibling;
    if (!next || !visible(e) || !visible(next) || e.closest('svg')) continue;
    const r = e.getBoundingClientRect(), q = next.getBoundingClientRect();
    const w = Math.min(r.right, q.right) - Math.max(r.left, q.left), h = Math.min(r.bottom, q.bottom) - Math.max(r.top, q.top);
    if (w > 1 && h > 1) wrong.push(`${name(e)} and ${name(next)} cover each other by ${w.toFixed()}x${h.toFixed()}`);
  }
  return wrong;
});

// lit tells whether the ring lies around a thing, alone or with its row.
const lit = (page, what, alone = false) => page.evaluate(([what, alone]) => {
  const ring = document.querySelector('.scan'), e = document.querySelector(what);
  if (ring.hidden || !e) return false;
  const r = ring.getBoundingClientRect(), q = e.getBoundingClientRect(), x = q.left + q.width / 2, y = q.top + q.height / 2;
  const around = r.left <= x && x <= r.right && r.top <= y && y <= r.bottom;
  return around && (!alone || r.width < q.width + 40 && r.height < q.height + 40);
}, [what, alone]);

// choose goes on until a thing is lit, and takes it: its row first, if it is in one.
exports.choose = async (page, what, on, press, most = 40) => {
  for (let i = 0; i < most; i++) {
    if (await lit(page, what, true)) return press();
    if (await lit(page, what)) await press(); else await on();
  }
  throw new Error(`${what} is never lit`);
};

// read gives what a phone reads off an element that shows a QR code: from a picture of it, not from its dots.
exports.read = async (page, locator) => {
  const {default: decode} = await import('qr/decode.js');
  const png = (await locator.screenshot({animations: 'disabled'})).toString('base64');
  const other = await page.context().newPage(); // whose policy lets pictures in
  const {width, height, data} = await other.evaluate(async png => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + png;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), {width: image.width, height: image.height}), on = canvas.getContext('2d');
    on.drawImage(image, 0, 0);
    return {width: image.width, height: image.height, data: [...on.getImageData(0, 0, image.width, image.height).data]};
  }, png);
  await other.close();
  return decode({width, height, data: Uint8Array.from(data)}, {effort: 9, timeLimit: 20_000});
};

// bench sets the scene of the fake desk at an address, and takes the touches that have reached it since; signs of life are left out.
exports.bench = base => {
  const touches = async () => (await (await fetch(`${base}/bench/touches`)).json()).filter(t => !t.startsWith('kiosk.Touched'));
  return {
    touches,
    scene: name => fetch(`${base}/bench/${name}`),
    sent: async want => { // waits for them
      const got = [];
      for (const end = Date.now() + 10_000; Date.now() < end && got.length < want.length;) got.push(...await touches());
      assert.deepEqual(got, want);
    },
  };
};

// cases runs tests by name, each in a page of its own; ONLY picks those that have it in their names. before is called
// before each, mend after one that failed.
exports.cases = (tests, before = () => {}, mend = () => {}) => (async () => {
  const browser = await exports.launch();
  for (const [name, run] of Object.entries(tests)) {
    if (process.env.ONLY && !name.includes(process.env.ONLY)) continue;
    const page = await exports.open(browser, {viewport: {width: 1280, height: 800}});
    try {
      await before();
      await run(page, browser);
      assert.deepEqual(page.wrong, []);
      console.log(`ok   ${name}`);
    } catch (e) {
      await exports.shot(page, 'failed-' + name.replace(/\W+/g, '-')).catch(() => {});
      console.log(`FAIL ${name}: ${e.stack}\n${page.wrong.join('\n')}`);
      process.exitCode = 1;
      await mend();
    }
    await page.context().close();
  }
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
