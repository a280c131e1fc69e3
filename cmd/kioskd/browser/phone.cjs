// A phone scans for an inventory: paired at the kiosk, trusted by its certificate, with a camera that sees a film of labels.
'use strict';
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const tls = require('node:tls');
const {chromium} = require('playwright-core');
const {launch, open, shot, axe} = require(process.env.CARREL_BROWSERTEST + '/lib.cjs');

const base = process.env.BASE;
const panels = [['phone', 390, 844], ['tablet', 820, 1180], ['kiosk', 1280, 800]];

// A network between phone and kiosk that can be cut.
async function network(port) {
  const lines = new Set();
  const n = {cut: false};
  const server = net.createServer(near => {
    if (n.cut) return near.destroy();
    const far = net.connect(port, '127.0.0.1');
    for (const [a, b] of [[near, far], [far, near]]) {
      lines.add(a);
      a.on('error', () => b.destroy()).on('close', () => { lines.delete(a); b.destroy(); });
      a.pipe(b);
    }
  });
  await new Promise(done => server.listen(0, '127.0.0.1', done));
  n.port = server.address().port;
  n.set = cut => { n.cut = cut; if (cut) for (const l of lines) l.destroy(); };
  n.close = () => { n.set(true); server.close(); };
  return n;
}
const certificate = (port, options) => new Promise((done, fail) => {
  const s = tls.connect({port, host: '127.0.0.1', ...options}, () => { done([s.authorized, new crypto.X509Certificate(s.getPeerCertificate().raw)]); s.end(); });
  s.on('error', fail);
});

(async () => {
  const browser = await launch();
  const staff = await open(browser, {viewport: {width: 1280, height: 800}});
  staff.setDefaultTimeout(30_000);
  const fits = page => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  const looks = async (page, name, rest) => {
    assert.deepEqual(await axe(page), [], `axe on ${name}`);
    for (const [kind, width, height] of panels) {
      await page.setViewportSize({width, height});
      assert.ok(await fits(page), `${name} scrolls sideways on a ${kind}`);
      await shot(page, `phone-${name}-${kind}`);
    }
    await page.setViewportSize(rest);
  };

  // At the kiosk: an inventory is begun, and a code made.
  await staff.goto(base + '/staff');
  await staff.fill('#password', process.env.PASSWORD);
  await staff.press('#password', 'Enter');
  await staff.goto(base + '/staff/inventory');
  await staff.fill('#name', 'Science, upstairs');
  await staff.press('#name', 'Enter');
  await staff.waitForSelector('#head');
  const walk = staff.url();
  await staff.click('nav a[href="/staff/phones"]');
  await staff.click('button.primary');
  const code = await staff.locator('.big code').textContent();
  const kiosk = new URL(await staff.locator('.card code').first().textContent());
  await looks(staff, 'pairing', {width: 1280, height: 800});

  // The certificate: the authority that the page gives vouches for it, and nobody else may read the keys.
  const [, leaf] = await certificate(kiosk.port, {rejectUnauthorized: false});
  const pin = crypto.createHash('sha256').update(leaf.publicKey.export({type: 'spki', format: 'der'})).digest('base64');
  const root = new crypto.X509Certificate(fs.readFileSync(path.join(process.env.LEDGER, 'phones-ca.pem')));
  assert.equal((await certificate(kiosk.port, {ca: root.toString(), servername: ''}))[0], true, 'the authority does not vouch for the server');
  assert.equal(await staff.locator('code.print').textContent(), root.fingerprint256, 'the page shows another fingerprint');
  for (const f of ['phones-ca.pem', 'phones-cert.pem']) assert.equal(fs.statSync(path.join(process.env.LEDGER, f)).mode & 0o777, 0o600, `others may read ${f}`);

  // The phone. Its browser trusts the one certificate, as if its authority had been installed.
  const wire = await network(Number(kiosk.port));
  const home = `https://127.0.0.1:${wire.port}/phone/`;
  const pocket = await chromium.launch({executablePath: process.env.CARREL_CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
    '--disable-background-networking', `--ignore-certificate-errors-spki-list=${pin}`, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${process.env.FILM}`]});
  const small = {width: 390, height: 844};
  const phone = await open(pocket, {viewport: small, permissions: ['camera']});
  phone.setDefaultTimeout(30_000);
  const head = text => phone.waitForFunction(t => document.querySelector('#head').textContent === t, text).catch(async e => { await shot(phone, 'phone-stuck'); throw new Error(`"${text}": ${e.message}`); });
  const state = text => phone.waitForFunction(t => document.querySelector('#net').textContent === t, text).catch(async e => { throw new Error(`"${text}", and not "${await phone.textContent('#net')}": ${e.message}`); });
  const seen = n => phone.waitForFunction(n => document.querySelector('#seen').textContent === String(n), n).catch(async e => { await shot(phone, 'phone-stuck'); throw new Error(`seen ${n}: ${e.message}`); });
  const type = async (text, said) => { await phone.fill('#code', text); await phone.press('#code', 'Enter'); await head(said); };
  const tone = () => phone.getAttribute('html', 'data-sound').then(s => s.split(' ')[0]);

  await phone.goto(home);
  await phone.waitForSelector('#v-pair:not([hidden])');
  await phone.fill('#pair-code', 'AAAA-AAAA');
  await phone.press('#pair-code', 'Enter');
  await phone.waitForSelector('#pair .failed >> text=not right');
  await looks(phone, 'pair', small);
  await phone.goto('about:blank');
  await phone.goto(home + '#code=' + code.trim());
  await phone.waitForSelector('#v-sign:not([hidden])');
  assert.equal(new URL(phone.url()).hash, '', 'the code stays in the address');
  await staff.waitForSelector('.states li');
  await looks(staff, 'paired', {width: 1280, height: 800});
  await phone.fill('#password', 'wrong');
  await phone.press('#password', 'Enter');
  await phone.waitForSelector('#sign .failed:not(:empty)');
  await looks(phone, 'sign-in', small);
  await phone.fill('#password', process.env.PASSWORD);
  await phone.press('#password', 'Enter');
  await phone.waitForSelector('#walks button');
  await looks(phone, 'list', small);
  await phone.click('#walks button');
  await head('Scan the first book');
  await phone.waitForFunction(() => navigator.serviceWorker.controller, null, {timeout: 30_000});

  // The camera reads one label of each kind, each once while it stays in sight. On a slow machine it may take two turns of the film.
  const film = 11000, began = Date.now();
  await phone.click('#camera');
  await seen(2);
  await shot(phone, 'phone-camera');
  await seen(5);
  await phone.click('#camera');
  const turns = 1 + Math.ceil((Date.now() - began) / film);
  await staff.goto(walk);
  const scans = () => staff.getAttribute('#now', 'data-count').then(Number);
  assert.ok(await scans() <= 5 * turns, `${await scans()} scans of five labels in ${turns} turns`);
  await staff.waitForSelector('.recent >> text=504 A');
  await looks(phone, 'scan', small);

  // By hand; a condition; and back.
  await type('B06', 'In place');
  await type('B30', 'A gap before it');
  assert.equal(await tone(), 'elsewhere');
  await type('B08', 'Wanted: take it along');
  await type('nonsense', 'This is no item of this library');
  assert.equal(await tone(), 'take');
  await phone.evaluate(() => { document.querySelector('#code').maxLength = 5000; }); // as a camera reads a QR code
  await type('B06', 'Seen already');
  await type('https://' + 'é'.repeat(30), 'This is no item of this library');
  assert.equal(await phone.evaluate(() => phoneStore.waiting().then(all => all.length)), 0, 'what is too long is kept');
  await type('B07', 'In place');
  await phone.evaluate(() => { phoneStore.put = phoneStore.add; phoneStore.add = () => Promise.reject(new Error('full')); });
  await phone.click('.condition[data-text=cover]');
  await phone.waitForFunction(() => document.querySelector('#head').textContent.startsWith('This phone keeps nothing more'));
  assert.doesNotMatch(await phone.textContent('#lines'), /Noted/, 'noted, and not kept');
  await phone.evaluate(() => { phoneStore.add = phoneStore.put; });
  await phone.click('.condition[data-text=cover]');
  await phone.waitForSelector('#lines >> text=Noted: Cover');
  await phone.setInputFiles('#file', process.env.PICTURE);
  await phone.waitForSelector('#lines >> text=Noted: Photo');
  await phone.setInputFiles('#file', {name: 'x.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no picture')});
  await phone.waitForSelector('#lines >> text=can’t be read');
  await state('Connected');
  await phone.click('#undo');
  await head('Taken back: 507 A');
  await type('B07', 'In place');
  await seen(9);

  // The network is gone: it says what it can, and keeps the rest, over a new start of the page too.
  wire.set(true);
  await phone.context().setOffline(true);
  await type('B09', 'Kept: of this range');
  await state('No connection · waiting: 1');
  await type('X99', 'Kept: not of this range');
  assert.equal(await tone(), 'take');
  await type('B09', 'Scanned already');
  await looks(phone, 'offline', small);
  await phone.evaluate(() => phoneStore.waiting().then(([a]) => phoneStore.add({id: 'long', inventory: a.inventory, kind: 'scan', text: 'x'.repeat(5000), at: a.at}))); // as earlier versions did
  await phone.goto('about:blank');
  await phone.goto(home);
  await phone.click('#walks button');
  await state('No connection · waiting: 3');
  await phone.click('#camera'); // the decoder is here, too
  await phone.waitForFunction(() => document.querySelectorAll('#recent li.waits').length >= 2);
  await phone.click('#camera');
  const waiting = await phone.evaluate(() => phoneStore.waiting().then(all => all.length));
  assert.ok(waiting >= 5, `${waiting} wait`);
  const before = await scans();
  await phone.evaluate(async () => { // and much more, which goes over in several requests: it says how far it is
    const [a] = await phoneStore.waiting();
    for (let i = 0; i < 105; i++) await phoneStore.add({id: 'start ' + i, inventory: a.inventory, kind: 'start', text: '', at: a.at});
    window.handed = [];
    new MutationObserver(() => { const e = document.querySelector('#handing'); if (!e.hidden) window.handed.push(e.textContent.trim()); }).observe(document.querySelector('#handing'), {attributes: true, childList: true, subtree: true});
  });

  // It is back: all is handed over once, as of when it was scanned.
  wire.set(false);
  await phone.context().setOffline(false);
  await state('Connected');
  await seen(10);
  await phone.waitForFunction(() => document.querySelector('#handing').hidden);
  const handed = await phone.evaluate(() => window.handed);
  assert.ok(handed.includes(`Handing over: 100 of ${waiting + 105}`), `it says ${handed}`);
  await staff.waitForFunction(n => Number(document.querySelector('#now').dataset.count) === n, before + waiting - 1); // X99 is no number of this library

  // Signed out meanwhile, and the inventory ended: nothing is lost, and it says what to do.
  await phone.context().clearCookies({name: 'carrel-staff'});
  await phone.fill('#code', 'B10');
  await phone.press('#code', 'Enter');
  await phone.waitForSelector('#v-sign:not([hidden])');
  await state('Connected · waiting: 1');
  await phone.fill('#password', process.env.PASSWORD);
  await phone.press('#password', 'Enter');
  await seen(11);
  await staff.goto(walk + '/report');
  await staff.locator('.photos img').scrollIntoViewIfNeeded();
  await staff.waitForFunction(() => document.querySelector('.photos img').naturalWidth === 1024);
  await looks(staff, 'report', {width: 1280, height: 800});
  await staff.click('details.end summary');
  await staff.click('button.danger');
  await staff.waitForSelector('main > p >> text=Finished');
  await phone.fill('#code', 'B11');
  await phone.press('#code', 'Enter');
  await phone.waitForSelector('#refused:not([hidden]) >> text=is finished');
  await looks(phone, 'ended', small);
  await staff.goto(base + '/staff/inventory');
  await staff.fill('#name', 'Science again');
  await staff.press('#name', 'Enter');
  await staff.waitForSelector('#head');
  await phone.click('#move');
  await phone.click('#walks button');
  await seen(1);
  await state('Connected');

  // What it asked for, it asked the kiosk for.
  assert.deepEqual([...phone.asked].filter(h => h !== `127.0.0.1:${wire.port}` && h !== ''), [], 'a request leaves the kiosk');
  assert.deepEqual([...staff.wrong, ...phone.wrong.filter(w => !/status of (401|403)/.test(w))], [], 'errors in the page');
  await phone.context().close();
  await pocket.close();
  wire.close();
  await browser.close();
})().catch(e => { console.error(e, e.actual ?? ''); process.exit(1); });
