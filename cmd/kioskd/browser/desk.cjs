// The whole desk in two windows: the kiosk's screen, and the page that moves
// the simulated hardware. A person clicks; what happens is read off both.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const {launch, open, shot, axe, layout} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO;
const size = {viewport: {width: 1280, height: 800}};

(async () => {
  const browser = await launch();
  const screen = await open(browser, size), sim = await open(browser, {viewport: {width: 1280, height: 900}});
  await screen.goto(base + '/');
  await sim.goto(base + '/sim');

  const view = name => screen.waitForSelector(`.screen[data-view="${name}"]`);
  const says = text => screen.waitForFunction(t => document.body.innerText.includes(t), text);
  const click = code => sim.click(`.thing[data-scan="${code}"]`);
  const preset = label => sim.click(`button:has-text("${label}")`);
  const inILS = code => sim.waitForSelector(`#loans tr[data-item="${code}"]`);
  const notInILS = code => sim.waitForSelector(`#loans tr[data-item="${code}"]`, {state: 'detached'});
  const picture = async name => {
    await shot(screen, 'desk-' + name);
    if (process.env.CARREL_PICTURES) await screen.screenshot({path: path.join(process.env.CARREL_PICTURES, name + '.png'), animations: 'disabled'});
  };
  const card = '20417000020018', other = '20417000020026';
  const books = ['30417000010066', '30417000010074', '30417000010033'];

  // Lend.
  await view('welcome');
  await picture('welcome');
  assert.deepEqual(await axe(sim), [], 'axe on /sim');
  await click(card);
  await view('items');
  for (const b of books) await click(b);
  await says('Corduroy');
  await screen.waitForFunction(() => (document.querySelector('main').innerText.match(/\bLent\b/g) || []).length === 3);
  await says('Due ');
  for (const b of books) await inILS(b);
  await preset('Wrong check digit');
  await says('Not taken');
  assert.deepEqual(await layout(screen), [], 'layout of the items view');
  await picture('items');
  await shot(sim, 'desk-sim');
  await screen.click('#finish');
  await view('receipt');
  await says('Corduroy');
  await shot(screen, 'desk-receipt');
  await screen.click('#done');
  await view('welcome');
  await screen.waitForFunction(() => !document.getElementById('say').textContent);
  assert.ok(!(await screen.innerText('body')).includes('Corduroy'), 'nothing of the last patron stays');

  // Return, without a card.
  await screen.click('#return');
  await view('items');
  await click(books[0]);
  await says('returns cart');
  await notInILS(books[0]);
  await shot(screen, 'desk-return');
  await screen.click('#finish');
  await view('receipt');
  await screen.click('#done');

  // A book before the card.
  await view('welcome');
  await click(books[0]);
  await says('Corduroy');
  await shot(screen, 'desk-waiting');
  await click(other);
  await view('items');
  await says('Lent');
  await inILS(books[0]);

  // The line is cut: lending goes on, and the ILS hears of it later.
  await sim.click('[data-switch="cut"]');
  await click('30417000010090');
  await says('The Mitten');
  await screen.waitForFunction(() => (document.querySelector('main').innerText.match(/\bLent\b/g) || []).length === 2);
  await screen.waitForSelector('#offline', {state: 'visible'});
  await shot(screen, 'desk-offline');
  assert.equal(await sim.locator('#loans tr[data-item="30417000010090"]').count(), 0, 'the ILS can not know yet');
  await sim.click('[data-switch="cut"]');
  await sim.waitForSelector('#loans tr[data-item="30417000010090"]', {timeout: 30_000});
  await screen.click('#finish');
  await view('receipt');
  await screen.click('#done');
  await view('welcome');

  // The scanner is pulled out and put back.
  await sim.click('#plug');
  await screen.waitForSelector('#fault', {state: 'visible'});
  await shot(screen, 'desk-fault');
  await sim.click('#plug');
  await screen.waitForFunction(() => { const f = document.getElementById('fault'); return !f || !f.offsetParent; });

  // A card that is barred.
  await sim.fill('#search', 'barred');
  await sim.click('.thing:visible');
  await screen.waitForSelector('#notice', {state: 'visible'});
  await shot(screen, 'desk-barred');

  for (const page of [screen, sim]) {
    assert.deepEqual(page.wrong, [], 'errors in the page');
    assert.deepEqual([...page.asked], [new URL(base).host], 'requests leave the machine');
  }
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
