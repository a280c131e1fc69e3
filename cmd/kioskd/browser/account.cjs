// A patron sees to the account: what is at home, renewing, what waits; then the
// same with the library's system away.
'use strict';
const assert = require('node:assert');
const {launch, open, shot, axe, layout} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.CARREL_DEMO;

(async () => {
  const browser = await launch();
  const screen = await open(browser, {viewport: {width: 1280, height: 800}}), sim = await open(browser, {viewport: {width: 1280, height: 900}});
  await screen.goto(base + '/');
  await sim.goto(base + '/sim');
  const view = name => screen.waitForSelector(`.screen[data-view="${name}"]`);
  const says = text => screen.waitForFunction(t => document.body.innerText.includes(t), text);
  const click = code => sim.click(`.thing[data-scan="${code}"]`);
  const finish = async () => {
    await screen.click('#finish');
    await screen.waitForSelector('.screen:is([data-view="receipt"], [data-view="welcome"])');
    if (await screen.locator('#done').count()) await screen.click('#done');
    await view('welcome');
  };
  const teacher = '20417000020307', waiter = '20417000020505', reader = '20417000020018', debtor = '20417000020760';

  // Loans, as the library's system tells them; the keyboard is enough.
  await view('welcome');
  await screen.focus('#account');
  await screen.keyboard.press('Enter');
  await view('card');
  await click(teacher);
  await view('account');
  await screen.waitForFunction(() => document.querySelectorAll('.line.listed').length === 12);
  assert.equal(await screen.locator('.aged').count(), 0, 'the library’s system has told');
  assert.deepEqual(await axe(screen), [], 'axe on the account');
  assert.deepEqual(await layout(screen), [], 'layout of the account');
  await shot(screen, 'account-loans');
  await screen.locator('.line.listed button').first().focus();
  await screen.keyboard.press('Enter');
  await screen.waitForFunction(() => document.querySelectorAll('.line.is-renewed').length === 1);
  await screen.click('#renew-all');
  await screen.waitForFunction(() => document.querySelectorAll('.line.is-renewed').length === 12);
  await finish();

  // A hold that is ready.
  await screen.click('#account');
  await click(waiter);
  await view('account');
  await says('It is waiting for you.');
  await shot(screen, 'account-hold');
  await finish();
  assert.ok(!(await screen.innerText('body')).includes('waiting for you'), 'nothing of the last patron stays');

  // What is owed, and why nothing is lent for it.
  await screen.click('#account');
  await click(debtor);
  await view('account');
  await says('To pay: 14.75 USD');
  await click('30417000010066');
  await screen.waitForSelector('.line.is-refused');
  await finish();

  // A book in place of the account.
  await screen.click('#account');
  await click(reader);
  await view('account');
  await screen.waitForSelector('.line.listed');
  await click('30417000010066');
  await view('items');
  await says('Lent');
  await finish();

  // The line is cut: the mirror tells, and says that it does.
  await sim.click('[data-switch="cut"]');
  await screen.click('#account');
  await click(reader);
  await view('account');
  await says('does not answer now');
  await screen.waitForFunction(() => document.querySelectorAll('.line.listed').length === 2);
  await shot(screen, 'account-away');
  await screen.locator('.line.listed button').first().click();
  await screen.waitForFunction(() => document.querySelectorAll('.line.is-renewed').length === 1);
  await finish();

  for (const page of [screen, sim]) {
    assert.deepEqual(page.wrong, [], 'errors in the page');
    assert.deepEqual([...page.asked], [new URL(base).host], 'requests leave the machine');
  }
  await browser.close();
})().catch(e => { console.error(e); process.exit(1); });
