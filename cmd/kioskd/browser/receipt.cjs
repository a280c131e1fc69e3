// Ways to take a receipt along, in two windows: the code that a phone reads off
// the screen, and paper from the simulated printer. When the time is up nothing
// of the patron is left: not on the screen, not under a dialog, not in the printer.
'use strict';
const assert = require('node:assert/strict');
const {launch, open, shot, axe, layout, read} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO;
const post = (path, form) => fetch(base + path, {method: 'POST', body: new URLSearchParams(form)});
const scan = code => post('/sim/scan', {code});
const turn = (name, on) => post('/sim/switch', {name, on});
const slips = async () => ((await (await fetch(base + '/sim/state')).json()).paper ?? []).map(s => s.lines.map(l => l.text).join('\n'));
const until = async (what, is) => {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise(r => setTimeout(r, 50))) { const got = await is(); if (got) return got; }
  throw new Error(`${what} did not come`);
};

(async () => {
  const browser = await launch();
  const screen = await open(browser, {viewport: {width: 1024, height: 600}, reducedMotion: 'reduce'});
  await screen.goto(base + '/');
  const view = name => screen.locator(`.screen[data-view="${name}"]`).waitFor({timeout: 30_000}); // longer than a receipt stays
  const lend = async (card, books) => {
    await view('welcome');
    await scan(card);
    await view('items');
    for (const b of books) await scan(b);
    await until('the loans', async () => await screen.locator('.line[data-state=lent]').count() === books.length);
    await screen.locator('#finish').click();
    await view('receipt');
  };
  const code = async () => {
    await screen.locator('#to-phone').click();
    await screen.locator('#phone:popover-open').waitFor();
    assert.deepEqual(await layout(screen), []);
    return read(screen, screen.locator('#phone .dots'));
  };

  // A phone reads what was lent, in the patron's language and script, in colours or not.
  await lend('20417000020018', ['30417000010066', '30417000010074']);
  const english = await code();
  let stays = 0; // nobody touches it, and it stays while a phone looks
  screen.on('request', r => { if (r.url().endsWith('/touch/stay')) stays++; });
  assert.match(english, /Corduroy/);
  assert.match(english, /Due/);
  assert.ok(!english.includes('20417000020018'), 'the card’s number is in the code');
  assert.deepEqual(await axe(screen), []);
  await shot(screen, 'receipt-code');
  await until('the page to say that a phone looks', () => stays > 0);
  await screen.getByRole('button', {name: 'Close'}).click();
  await screen.locator('#phone:popover-open').waitFor({state: 'detached'});
  await screen.goto(`${base}/?lang=ar&mode=standard.contrast`);
  const arabic = await code();
  assert.match(arabic, /Corduroy/);
  assert.match(arabic, /[\u0600-\u06ff]{3}/, `no Arabic: ${arabic}`);
  await screen.goto(base + '/');

  // Paper: pressed, said, printed once.
  await screen.locator('#to-print').click();
  await screen.locator('#became-print.is-done').waitFor();
  const [first] = await until('paper', async () => { const s = await slips(); return s.length === 1 && s; });
  assert.match(first, /Corduroy/);
  await shot(screen, 'receipt-printed');

  // The time is up while the code lies open: it goes with the rest. Open it stays longer; a page that can't say so is waited for no longer.
  await screen.route('**/touch/stay', r => r.abort());
  await screen.locator('#to-phone').click();
  await screen.locator('#phone:popover-open').waitFor();
  await view('welcome');
  assert.equal(await screen.locator(':popover-open, dialog[open]').count(), 0);
  const whole = await screen.content();
  for (const word of ['Corduroy', 'Chidi', 'id="phone"']) assert.ok(!whole.includes(word), `${word} is still there`);
  await screen.locator('#return').click({trial: true}); // nothing lies over it
  await screen.unroute('**/touch/stay');

  // Without paper it says so, and what was not printed is nobody's any more: the next one gets his own, and only that.
  await turn('no-paper', true);
  await lend('20417000020026', ['30417000010033']);
  await screen.locator('#to-print').click();
  await screen.locator('#became-print.is-no-paper').waitFor();
  await shot(screen, 'receipt-no-paper');
  await screen.locator('#done').click();
  await view('welcome');
  await turn('no-paper', false);
  await lend('20417000020034', ['30417000010082']);
  await until('a print', async () => {
    if (await screen.locator('#became-print.is-done').count()) return true;
    await screen.locator('#to-print, #again-print').click({timeout: 1000}).catch(() => {}); // none while it is printed, or just then printed
  });
  const printed = await until('paper', async () => { const s = await slips(); return s.length > 1 && s; });
  assert.equal(printed.length, 2, printed.join('\n--\n'));
  const titles = await screen.locator('.line h2').allInnerTexts();
  assert.ok(printed[0].includes(titles[0].slice(0, 15)), `${printed[0]} is not of ${titles}`);
  await screen.locator('#done').click();
  await view('welcome');

  assert.deepEqual(screen.wrong, []);
  assert.deepEqual([...screen.asked], [new URL(base).host]);
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
