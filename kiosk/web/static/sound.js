// Tones, made by Web Audio; no files. Each differs from the others in its tune,
// not only in its pitch, so that nobody has to remember a note:
//
//	accepted  two notes up        a book is lent, renewed or taken back
//	refused   two low notes, flat it did not work: look at the screen
//	back      three equal notes   put it back on the pad
//	done      a chord that rises  the visit is over
(() => {
  'use strict';
  const tunes = { // notes as [Hz, begin, length] in seconds
    accepted: [[659.26, 0, .11], [987.77, .1, .2]],
    refused: [[233.08, 0, .16], [174.61, .19, .3]],
    back: [[523.25, 0, .12], [523.25, .2, .12], [523.25, .4, .22]],
    done: [[523.25, 0, .14], [659.26, .12, .14], [783.99, .24, .14], [1046.5, .36, .45]],
  };
  let context = null;
  // A browser lets no page sound before it was touched, unless it is told so
  // when it starts (--autoplay-policy=no-user-gesture-required).
  const ready = () => { context ??= new AudioContext(); if (context.state === 'suspended') context.resume?.()?.catch?.(() => {}); return context; };

  // play sounds a tune at a volume from 0 to 1.
  function play(name, volume) {
    if (!(volume > 0) || !tunes[name] || !window.AudioContext) return;
    const c = ready(), t0 = c.currentTime + .01;
    document.documentElement.dataset.sounded = name;
    for (const [hz, at, length] of tunes[name]) {
      const tone = c.createOscillator(), loud = c.createGain(), begin = t0 + at, end = begin + length;
      tone.type = name === 'refused' ? 'triangle' : 'sine';
      tone.frequency.value = hz;
      loud.gain.setValueAtTime(0, begin);
      loud.gain.linearRampToValueAtTime(volume * .4, begin + .015);
      loud.gain.setValueAtTime(volume * .4, end - .05);
      loud.gain.linearRampToValueAtTime(0, end);
      tone.connect(loud).connect(c.destination);
      tone.start(begin);
      tone.stop(end);
    }
  }
  // The first context takes a slow machine half a second: it is made while nothing happens.
  addEventListener('load', () => requestIdleCallback(() => { if (Number(document.querySelector('.screen')?.dataset.volume) > 0) ready(); }));
  addEventListener('pointerdown', () => { if (context) ready(); }, true);
  addEventListener('carrel:sound', e => play(e.detail.name, e.detail.volume));
})();
