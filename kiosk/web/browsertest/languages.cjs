// Each language, chosen by touch, in the views that say most.
'use strict';
const {launch, open, shot, swap, axe, layout} = require('./lib.cjs');
const base = process.env.BASE;
const names = {en: 'English', es: 'Español', fr: 'Français', de: 'Deutsch', ar: 'العربية', 'zh-Hans': '简体中文', vi: 'Tiếng Việt', uk: 'Українська'};
const scenes = ['welcome', 'welcome-fault', 'fatal', 'held', 'pin-wrong', 'items-empty', 'items', 'items-countdown', 'items-broken', 'returning', 'receipt']; // back at the welcome, the choice ends
const wrong = [];

// strange gives what is drawn in the machine's own fonts.
async function strange(page) {
  await page.evaluate(() => {
    for (const e of document.querySelectorAll('body *')) if ([...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim())) e.setAttribute('data-text', '');
  });
  const cdp = await page.context().newCDPSession(page), found = [];
  await cdp.send('DOM.enable');
  await cdp.send('CSS.enable');
  const {root} = await cdp.send('DOM.getDocument', {depth: 0});
  const {nodeIds} = await cdp.send('DOM.querySelectorAll', {nodeId: root.nodeId, selector: '[data-text]'});
  for (const nodeId of nodeIds) found.push(...(await cdp.send('CSS.getPlatformFontsForNode', {nodeId})).fonts);
  await cdp.detach();
  if (!found.some(f => f.isCustomFont)) return ['no text at all'];
  return found.filter(f => !f.isCustomFont).map(f => `${f.glyphCount} letters in ${f.familyName}, which is the machine's own`);
}

// walk chooses each language by touch on one panel and looks at the views in it.
// They come from the gallery, which knows what was chosen; the page stays.
async function walk(browser, [width, height]) {
  for (const [tag, name] of Object.entries(names)) {
    const page = await open(browser, {viewport: {width, height}, reducedMotion: 'reduce', hasTouch: true});
    await page.goto(base);
    await page.tap('#language');
    const button = page.locator('#languages button', {hasText: name});
    await button.waitFor();
    if (tag === 'ar') {
      wrong.push(...(await layout(page)).map(w => `menu ${width}x${height}: ${w}`), ...(await axe(page)).map(w => `menu: ${w}`));
      await shot(page, `languages-${width}x${height}`);
    }
    await Promise.all([page.waitForEvent('load'), button.tap()]);
    if (await page.evaluate(() => document.documentElement.lang) !== tag) wrong.push(`${tag} can't be chosen by touch`);
    const dir = await page.evaluate(() => getComputedStyle(document.body).direction);
    if (dir !== (tag === 'ar' ? 'rtl' : 'ltr')) wrong.push(`${tag} runs ${dir}`);
    if (!(await page.textContent('#language')).includes(name)) wrong.push(`${tag}: the menu does not say that ${name} is chosen`);
    if (await page.locator('#languages[open]').count()) wrong.push(`${tag}: the menu stays open`);
    for (const scene of scenes) {
      const where = `${scene} ${tag} ${width}x${height}`;
      await swap(page, scene);
      if (await page.evaluate(() => document.documentElement.lang) !== tag) wrong.push(`${where}: the choice is lost`);
      wrong.push(...(await layout(page)).map(w => `${where}: ${w}`));
      if (height === 600) wrong.push(...(await axe(page)).map(w => `${where}: ${w}`), ...(await strange(page)).map(w => `${where}: ${w}`));
      if (process.env.PICTURES) await shot(page, `${tag}-${scene}-${width}x${height}`);
    }
    wrong.push(...page.wrong.map(w => `${tag} ${width}x${height}: ${w}`));
    await page.context().close();
  }
}

(async () => {
  const browser = await launch();
  // The same screen anew must not close the menu.
  const menu = await open(browser, {viewport: {width: 1024, height: 600}, hasTouch: true});
  await fetch(`${base}/bench/welcome`);
  await menu.goto(base);
  await menu.tap('#language');
  const seq = await menu.locator('.screen').getAttribute('data-seq');
  await fetch(`${base}/bench/welcome`);
  await menu.locator(`.screen:not([data-seq="${seq}"])`).waitFor({state: 'attached'});
  if (!await menu.locator('#languages[open]').count()) wrong.push('a new screen closes the menu');
  await menu.context().close();
  await Promise.all([[1024, 600], [1080, 1920]].map(size => walk(browser, size)));
  // By keyboard: the menu opens, the arrows and Tab reach each, Escape closes it.
  const page = await open(browser, {viewport: {width: 1024, height: 600}});
  await fetch(`${base}/bench/welcome`);
  await page.goto(base);
  await page.focus('#language');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
  const at = await page.evaluate(() => document.activeElement.value);
  await page.keyboard.press('Escape');
  if (await page.locator('#languages[open]').count()) wrong.push('Escape does not close the menu');
  await page.focus('#language');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Tab');
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  if (!at || await page.evaluate(() => document.documentElement.lang) !== at) wrong.push(`${at} can't be chosen by the keyboard`);
  await browser.close();
  for (const w of wrong) console.log(w);
  if (wrong.length) process.exitCode = 1;
})().catch(e => { console.error(e); process.exit(1); });
