// Every scene on every panel.
'use strict';
const {launch, open, shot, axe, layout} = require('./lib.cjs');
const base = process.env.BASE;
const scenes = (process.env.ONLY || process.env.SCENES).split(' ');
const panels = (process.env.PANELS || '1024x600 1280x800 1920x1080 1080x1920').split(' ').map(p => p.split('x').map(Number));

(async () => {
  const browser = await launch();
  const wrong = [];
  for (const [width, height] of panels) {
    const page = await open(browser, {viewport: {width, height}, reducedMotion: 'reduce'});
    for (const lang of ['en', 'es']) {
      for (const scene of scenes) {
        await fetch(`${base}/bench/${scene}`);
        await page.goto(`${base}/?lang=${lang}`);
        const where = `${scene} ${lang} ${width}x${height}`;
        wrong.push(...(await layout(page)).map(w => `${where}: ${w}`));
        if (lang === 'en' && height >= 800 && width <= 1280) wrong.push(...(await axe(page)).map(w => `${where}: ${w}`));
        if (lang === 'en' || width === 1024) await shot(page, `${scene}-${width}x${height}-${lang}`);
      }
    }
    wrong.push(...page.wrong.map(w => `${width}x${height}: ${w}`));
    const hosts = [...page.asked].filter(h => h !== new URL(base).host);
    if (hosts.length) wrong.push(`requests to ${hosts}`);
    if (await page.title() !== 'Maple Street Library') wrong.push(`the title is now ${await page.title()}`);
    await page.context().close();
  }
  await browser.close();
  for (const w of wrong) console.log(w);
  if (wrong.length) process.exitCode = 1;
})().catch(e => { console.error(e); process.exit(1); });
