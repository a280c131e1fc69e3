// The pages for staff beside the tags': how the kiosk is, figures, look-up,
// settings, in every size and in the languages.
'use strict';
const assert = require('node:assert');
const {launch, open, shot, axe, layout} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO, badge = process.env.CARREL_STAFF_BADGE, pin = process.env.CARREL_STAFF_PASSWORD;
const panels = [[1024, 600], [768, 1024], [1920, 1080]];

(async () => {
  const browser = await launch();
  const staff = await open(browser, {viewport: {width: 1280, height: 800}}), sim = await open(browser, {viewport: {width: 1280, height: 1000}});
  await sim.goto(base + '/sim');

  // looks walks through sizes and languages of the page that is open.
  const looks = async name => {
    for (const [width, height] of panels) {
      await staff.setViewportSize({width, height});
      await shot(staff, `office-${name}-${width}x${height}`);
      assert.ok(await staff.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways at ${width}`);
      const small = await staff.evaluate(() => [...document.querySelectorAll('button, a.button, nav a, select, input:not([type=hidden], [type=checkbox], [type=radio]), summary')]
        .filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()]).filter(([, r]) => r.width < 43.9 || r.height < 43.9).map(([e]) => e));
      assert.deepEqual(small, [], `${name} has small targets at ${width}`);
    }
    await staff.setViewportSize({width: 1280, height: 800});
    assert.deepEqual(await axe(staff), [], `axe on ${name}`);
    const url = staff.url();
    for (const lang of name === 'now' ? ['ar', 'zh-Hans'] : ['ar']) {
      await speak(lang);
      await staff.goto(url);
      assert.ok(await staff.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways in ${lang}`);
      assert.doesNotMatch(await staff.innerText('body'), /staff\.[a-z]/, `${name} shows a key in ${lang}`);
      await shot(staff, `office-${name}-${lang}`);
    }
    await speak('en');
    await staff.goto(url);
  };
  const speak = async lang => {
    await staff.click('.me .languages summary');
    await Promise.all([staff.waitForNavigation(), staff.click(`.me .languages button[value="${lang}"]`)]);
  };
  const go = async path => { await staff.click(`nav a[href="${path}"]`); await staff.waitForSelector(`nav a[href="${path}"][aria-current]`); };

  // By keyboard alone: the badge as a scanner types it, then the PIN.
  await staff.goto(base + '/staff');
  await shot(staff, 'office-door');
  await staff.keyboard.type(badge + '\n');
  await staff.keyboard.type(pin + '\n');
  await staff.waitForURL('**/staff/now');
  await staff.waitForSelector('.well');

  // What breaks shows at once, and rings.
  await staff.click('#bell');
  await sim.click('#plugpad');
  await staff.waitForSelector('.need:has-text("pad")');
  await staff.waitForSelector('.states .bad:has-text("pad")');
  assert.equal(await staff.evaluate(() => document.documentElement.dataset.rung), '2', 'the bell: once to try it, once for the pad');
  assert.match(await staff.title(), /^\(1\) /);
  await looks('now');
  await sim.click('#plugpad');
  await staff.waitForSelector('.well');

  // A patron calls from the screen: staff hear it, say that they come, and end it.
  const kiosk = await open(browser, {viewport: {width: 1280, height: 800}});
  await kiosk.goto(base + '/');
  await kiosk.click('#help');
  await staff.waitForSelector('.need.help');
  await kiosk.waitForSelector('#cared.called');
  await shot(staff, 'office-help');
  assert.deepEqual(await axe(staff), [], 'axe while help is called');
  await staff.click('form[action="/staff/help/coming"] button');
  await kiosk.waitForSelector('#cared:has-text("on the way")');
  await shot(kiosk, 'office-coming');
  await staff.click('form[action="/staff/help/done"] button');
  await kiosk.waitForSelector('#help');
  await staff.waitForSelector('.well');

  // A patron borrows one and is refused another; the figures of the day have it.
  await sim.click('.thing[data-scan="20417000020018"]');
  await kiosk.waitForSelector('.screen[data-view="items"]');
  await sim.click('.thing[data-scan="30417000010157"]');
  await kiosk.waitForSelector('.line.is-lent');
  await sim.click(`.thing[data-scan="30417000014043"]`);
  await kiosk.waitForSelector(".line.is-refused");
  await kiosk.click('button:has-text("Finish")');
  await kiosk.waitForSelector('.screen[data-view="receipt"]');
  await kiosk.click('button:has-text("Done")');
  await kiosk.waitForSelector('.view.welcome');
  await go('/staff/today');
  assert.match(await staff.innerText('.figures'), /1\s+Loans/);
  assert.match(await staff.innerText('.figures'), /1\s+Visits/);
  await looks('today');
  await staff.click('a[href*="day="]');
  await staff.waitForSelector('.plot .quiet');
  const [file] = await Promise.all([staff.waitForEvent('download'), staff.click('a[href="/staff/figures.csv"]')]);
  assert.match(require('node:fs').readFileSync(await file.path(), 'utf8'), /checkout,1\r\n/);

  // A patron is found by name; what was refused is lent with a reason, told to the library's system, and taken back.
  await go('/staff/look');
  await staff.keyboard.type('lindqv\n');
  await staff.click('.found a:has-text("Lindqvist")');
  await staff.waitForSelector('p.quiet:has-text("said so just now")');
  await staff.fill('#item', '30417000014043'); // for use in the library
  await staff.fill('#why', 'for the exhibition');
  await staff.click('.form .danger');
  await staff.waitForSelector('.done');
  await staff.waitForSelector('.found:has-text("Elementary Dictionary")');
  await sim.waitForSelector('#ils:has-text("Elementary Dictionary")');
  await looks('look');
  await staff.fill('#item', '30417000014043');
  await staff.fill('#why', 'twice');
  await staff.click('.form .danger');
  await staff.waitForSelector('.failed');
  await staff.goBack();
  await staff.click('form[action="/staff/look/back"] button');
  await staff.waitForSelector('.done');
  await staff.waitForSelector('.card:has-text("Nothing on loan")');

  // What staff puts up is on the kiosk's screen at once, and can be taken back.
  await go('/staff/board');
  await staff.fill('#message', 'Story time at three <b>today</b>');
  await staff.click('form[action="/staff/board/message"] button');
  await staff.waitForSelector('.done');
  await kiosk.waitForSelector('#board:has-text("Story time at three <b>today</b>")');
  for (let d = 0; d < 7; d++) await staff.fill(`#day${d}`, '0:00-24:00');
  await staff.click('form[action="/staff/board/hours"] button');
  await kiosk.waitForSelector('#board:has-text("Open today")');
  for (const [width, height] of [[1024, 600], [1280, 800], [1080, 1920]]) {
    await kiosk.setViewportSize({width, height});
    assert.deepEqual(await layout(kiosk), [], `the kiosk's screen at ${width}x${height}`);
    await shot(kiosk, `office-kiosk-${width}x${height}`);
  }
  assert.deepEqual(await axe(kiosk), [], 'axe on the screen with a board');
  await looks('board');
  await staff.fill('#why', 'The pad is being mended');
  await staff.click('button[name="closed"]');
  await kiosk.waitForSelector('.view.fatal:has-text("The pad is being mended")');
  await sim.click('.thing[data-scan="20417000020018"]'); // and no card begins anything
  await staff.click('form[action="/staff/board/undo"] button');
  await kiosk.waitForSelector('.view.welcome');
  await sim.click('.thing[data-scan="20417000020026"]');
  await kiosk.waitForSelector('.screen[data-view="items"]');

  // A look of the library's own; a colour that can't be read is refused, with one that would do.
  await go('/staff/brand');
  await staff.fill('#name', 'Elm Street Library');
  await staff.fill('#house', '#ffcc00');
  await staff.click('form[action="/staff/brand/set"] button');
  await staff.waitForSelector('.failed:has-text("would do")');
  await staff.click('form[action="/staff/brand/set"] button');
  await staff.waitForSelector('.done');
  await kiosk.waitForSelector('.brand:has-text("Elm Street Library")');
  await kiosk.waitForSelector('link[href^="/brand.css"]', {state: 'attached'});
  await shot(kiosk, 'office-kiosk-brand');
  assert.deepEqual(await axe(kiosk), [], 'axe on a screen with a brand');
  await staff.click('form[action="/staff/brand/undo"] button');
  await kiosk.waitForSelector('.brand:has-text("Maple Street")');
  await looks('brand');

  // Signed out, every page leads to the door.
  await staff.click('button:has-text("Sign out")');
  await staff.waitForSelector('#badge');
  await staff.goto(base + '/staff/now');
  assert.equal(new URL(staff.url()).pathname, '/staff');

  for (const page of [sim, staff]) {
    assert.deepEqual(page.wrong.filter(w => !/status of 422/.test(w)), [], 'errors in the page');
    assert.deepEqual([...page.asked], [new URL(base).host], 'requests leave the machine');
  }
  await browser.close();
})().catch(e => { console.error(e, e.actual ?? ''); process.exit(1); });
