// A stack on the RFID pad, in two windows: the kiosk's screen, and the page
// that moves the simulated hardware. Books are dragged and clicked; what
// happens is read off both.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const {launch, open, shot, axe, layout} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO;

(async () => {
  const browser = await launch();
  const screen = await open(browser, {viewport: {width: 1280, height: 800}}), sim = await open(browser, {viewport: {width: 1280, height: 1000}});
  await screen.goto(base + '/');
  await sim.goto(base + '/sim');

  const view = name => screen.waitForSelector(`.screen[data-view="${name}"]`);
  const says = text => screen.waitForFunction(t => document.body.innerText.includes(t), text);
  const lines = (state, n) => screen.waitForFunction(([s, n]) => document.querySelectorAll(`.line[data-state="${s}"]`).length === n, [state, n]).catch(async e => { await shot(screen, 'stack-stuck'); await shot(sim, 'stack-stuck-sim'); throw new Error(`${n} lines ${state}: ${e.message}`); });
  const lay = code => sim.click(`.lay[data-lay="${code}"]`);
  const lift = code => sim.click(`[data-lift="${code}"]`);
  const gate = (code, text) => sim.waitForFunction(([c, t]) => document.querySelector(`#laid li[data-code="${c}"] .gate`)?.textContent === t, [code, text]);
  const inILS = code => sim.waitForSelector(`#loans tr[data-item="${code}"]`);
  const picture = async (page, name) => {
    await shot(page, 'stack-' + name);
    if (!process.env.CARREL_PICTURES || !['items', 'putback'].includes(name)) return;
    await page.click('#language'); // the patron speaks Spanish
    await page.click('#languages button[value="en"]');
    await page.waitForFunction(() => document.documentElement.lang === 'en');
    await page.mouse.move(0, 0);
    await page.screenshot({path: path.join(process.env.CARREL_PICTURES, 'stack-' + name + '.png'), animations: 'disabled'});
  };
  const books = ['30417000010017', '30417000010025', '30417000010033', '30417000010066', '30417000010074',
    '30417000010082', '30417000010090', '30417000010132', '30417000010116'];
  const early = '30417000010124', kit = '30417000014142', card = '20417000020604';

  // Ten books in all, a set of three pieces, a stranger: twelve things.
  await view('welcome');
  await sim.click(`.thing[data-scan="${card}"]`);
  await view('items');
  await sim.dragAndDrop(`[data-tagged="${books[0]}"]`, '#drop');
  await sim.waitForSelector(`#laid li[data-code="${books[0]}"]`);
  for (const b of books.slice(1, 5)) await lay(b);
  await lines('lent', 5);
  await gate(books[0], 'released');
  assert.deepEqual(await axe(sim), [], 'axe on /sim with books on the pad');

  // A set of which a part is missing, and somebody's ski pass.
  await lay(kit);
  await sim.click(`[data-of="${kit}"][data-part="3"]`);
  await lay('ski-pass');
  await lines('refused', 1);
  await picture(sim, 'sim');

  await sim.click(`[data-of="${kit}"][data-part="3"]`);
  await lines('lent', 6);
  await inILS(kit);

  // The ILS takes its time, and one book is lifted before its tag is written.
  await sim.click('[data-switch="slow"]');
  await lay(early);
  await lines('waiting', 1);
  await lift(early);
  await screen.waitForSelector('.line[data-state="action"]');
  await inILS(early); // the loan stands
  assert.deepEqual(await layout(screen), [], 'layout with a book to be put back');
  assert.deepEqual(await axe(screen), [], 'axe with a book to be put back');
  await picture(screen, 'putback');
  await sim.click('[data-switch="slow"]');
  await lay(early);
  await lines('lent', 7);
  await gate(early, 'released');

  for (const b of books.slice(5, 8)) await lay(b);
  await lines('lent', 10);
  await lay(books[8]); // the eleventh and last of the library's
  await lines('lent', 11);
  await sim.waitForFunction(() => document.querySelectorAll('#laid li').length === 12);
  await picture(screen, 'items');
  assert.deepEqual(await layout(screen), [], 'layout of a stack');
  assert.deepEqual(await axe(screen), [], 'axe on a stack');
  await lift('ski-pass');
  await lines('refused', 0);
  await screen.click('#finish');
  await view('receipt');
  await lines('lent', 11).catch(() => {}); // the receipt may show them otherwise
  await picture(screen, 'receipt');
  await screen.click('#done');
  await view('welcome');
  for (const b of [...books, early, kit]) await gate(b, 'released');
  await sim.click('#clearpad');

  // Back again: secured before it is shown as returned.
  await sim.waitForFunction(() => document.querySelectorAll('#laid li').length === 0);
  await new Promise(r => setTimeout(r, 1500)); // the pad must see that they are gone
  await screen.click('#return');
  await view('items');
  for (const b of [books[0], kit]) await lay(b);
  await lines('returned', 2);
  for (const b of [books[0], kit]) await gate(b, 'alarms');
  await picture(screen, 'return');
  await screen.click('#finish');
  await view('receipt');

  // The pad is pulled out.
  await sim.click('#plugpad');
  await screen.waitForSelector('#fault', {state: 'visible'});
  await sim.click('#plugpad');
  await screen.waitForFunction(() => { const f = document.getElementById('fault'); return !f || !f.offsetParent; });

  for (const page of [screen, sim]) {
    assert.deepEqual(page.wrong, [], 'errors in the page');
    assert.deepEqual([...page.asked], [new URL(base).host], 'requests leave the machine');
  }
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
