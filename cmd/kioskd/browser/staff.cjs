// Staff prepares tags: the page for staff, the kiosk's screen, and the page
// that moves the simulated hardware.
'use strict';
const assert = require('node:assert');
const path = require('node:path');
const {launch, open, shot, axe} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO, badge = process.env.CARREL_STAFF_BADGE, password = process.env.CARREL_STAFF_PASSWORD;

(async () => {
  const browser = await launch();
  const staff = await open(browser, {viewport: {width: 1280, height: 800}}), screen = await open(browser, {viewport: {width: 1280, height: 800}});
  const sim = await open(browser, {viewport: {width: 1280, height: 1000}});
  await screen.goto(base + '/');
  await sim.goto(base + '/sim');

  const stage = (want, more = '') => staff.waitForSelector(`#now[data-stage="${want}"]${more}`).catch(async e => { await shot(staff, 'staff-stuck'); await shot(sim, 'staff-stuck-sim'); throw new Error(`stage ${want}${more}: ${e.message}`); });
  const done = n => stage('lift', `[data-count="${n}"]`);
  const lay = code => sim.click(`.lay[data-lay="${code}"]`);
  const lift = async code => { await sim.click(`[data-lift="${code}"]`); await sim.waitForFunction(c => !document.querySelector(`#laid li[data-code="${c}"]`), code); };
  const type = async code => { await staff.keyboard.type(code); await staff.keyboard.press('Enter'); };
  const list = () => staff.locator('#done li code').allInnerTexts();
  const sound = () => staff.evaluate(() => document.documentElement.dataset.sound);

  // The door.
  await staff.goto(base + '/staff');
  await staff.waitForSelector('#read:has-text("under the kiosk’s scanner")'); // it waits for a badge
  assert.deepEqual(await axe(staff), [], 'axe at the door');
  const hold = code => sim.evaluate(async code => (await fetch('/sim/scan', {method: 'POST', body: new URLSearchParams({code})})).status, code);
  assert.equal(await hold(badge), 204);
  await staff.waitForSelector('#read:has-text("Your badge was read")');
  assert.equal(await staff.inputValue('#badge'), badge);
  assert.equal(await staff.evaluate(() => document.activeElement.id), 'password', 'a badge leads to the PIN');
  assert.ok(await screen.$('.screen[id^="screen-welcome"]'), 'the desk has not seen the badge');
  await staff.keyboard.type('guess!');
  await staff.keyboard.press('Enter');
  await staff.waitForSelector('.failed');
  await shot(staff, 'staff-door');
  staff.wrong = staff.wrong.filter(w => !/status of 403/.test(w));
  await staff.keyboard.type(password);
  await staff.keyboard.press('Enter');
  await staff.click('a[href="/staff/tags"]');
  await stage('scan');
  await screen.waitForSelector('.screen[id^="screen-fatal"]'); // patrons see that staff has the desk
  await shot(screen, 'staff-screen');
  assert.deepEqual(await axe(staff), [], 'axe on the station');

  // A blank tag and a barcode typed, the cursor being anywhere.
  await lay('blank');
  await staff.evaluate(() => document.activeElement.blur());
  await type('30417000010157');
  await done(1);
  assert.match(await sound(), /^good/);
  assert.deepEqual(await list(), ['30417000010157']);
  await shot(staff, 'staff-written');
  await lift('blank');
  await stage('scan');

  // A code of the kiosk's own scanner, and a tag of another library: it asks.
  await sim.click('.thing[data-scan="30417000010165"]');
  await stage('place');
  await lay('other-library');
  await stage('ask', '[data-verdict="another library"]');
  assert.match(await sound(), /^bad/);
  assert.match(await staff.innerText('#now'), /1000000056 and belongs to DE-705/);
  assert.deepEqual(await axe(staff), [], 'axe on a question');
  await shot(staff, 'staff-ask');
  if (process.env.CARREL_PICTURES) await staff.screenshot({path: path.join(process.env.CARREL_PICTURES, 'staff.png'), animations: 'disabled'});
  await staff.keyboard.press('Control+Enter');
  await done(2);

  // Undone, the tag says again what it said; and done again.
  await staff.keyboard.press('Control+z');
  await staff.waitForSelector('#done li.undone');
  await stage('lift').catch(() => {});
  await staff.keyboard.press('Control+y');
  await staff.waitForFunction(() => !document.querySelector('#done li.undone'));
  await lift('other-library');
  await stage('scan');

  // Two tags at once are never written.
  await type('30417000010173');
  await stage('place');
  await lay('blank');
  await lay('ski-pass');
  await staff.waitForSelector('#now[data-verdict="several tags"]');
  await shot(staff, 'staff-two');
  await staff.keyboard.press('Escape');
  await lift('blank');
  await lift('ski-pass');
  await stage('scan');

  // A code that is no item's.
  await type('12345');
  await staff.waitForSelector('#now .note');

  // A tag of the model before keeps its number.
  await staff.click('button:has-text("Convert older tags")');
  await staff.waitForSelector('button[aria-pressed="true"]:has-text("Convert older tags")');
  await lay('old-model');
  await done(3);
  assert.equal((await list())[0], '30417000010140');
  await lift('old-model');
  await stage('place');
  await shot(staff, 'staff-converted');

  // The pad is pulled out, and comes back.
  await sim.click('#plugpad');
  await staff.waitForSelector('#now[data-tone="bad"]');
  await sim.click('#plugpad');
  await stage('place', '[data-tone="calm"]');

  // The log has what was done, and who did it.
  await staff.click('a[href="/staff/log"]');
  await staff.waitForSelector('tbody tr:has-text("Robin Vega"):has-text("Tags: overwrite")');
  assert.deepEqual(await axe(staff), [], 'axe on the log');
  await shot(staff, 'staff-log');
  await staff.click('a[href="/staff/tags"]');
  await stage('place');

  // The desk has it all again, and reads what lies there as it now is.
  await lay('blank');
  await stage('trouble');
  await staff.click('button:has-text("Sign out")');
  await staff.waitForSelector('#badge');
  await screen.waitForFunction(() => document.body.innerText.includes('Bear Hunt'));
  await lift('blank');
  await screen.waitForSelector('.screen[id^="screen-welcome"]');
  await staff.goto(base + '/staff/tags');
  assert.equal(new URL(staff.url()).pathname, '/staff', 'the page without a session');

  for (const page of [screen, sim, staff]) {
    assert.deepEqual(page.wrong, [], 'errors in the page');
    assert.deepEqual([...page.asked], [new URL(base).host], 'requests leave the machine');
  }
  await browser.close();
})().catch(e => { console.error(e, e.actual ?? ""); process.exit(1); });
