// The tones of staff's pages. A high note: next book. Two low ones: look here.
// Browsers let a page sound after the first key or click.
const carrelTunes = (() => {
  'use strict';
  let audio;
  function note(hz, at, length) {
    const o = audio.createOscillator(), g = audio.createGain();
    o.frequency.value = hz;
    g.gain.setValueAtTime(.2, audio.currentTime + at);
    g.gain.exponentialRampToValueAtTime(.001, audio.currentTime + at + length);
    o.connect(g).connect(audio.destination);
    o.start(audio.currentTime + at);
    o.stop(audio.currentTime + at + length);
  }
  const tunes = {
    good: () => note(1320, 0, .15),
    bad: () => { note(330, 0, .25); note(260, .25, .35); },
    // of an inventory: on these shelves, but elsewhere; seen before
    elsewhere: () => { note(660, 0, .12); note(880, .12, .12); note(660, .24, .15); },
    sought: () => { note(523, 0, .1); note(659, .1, .1); note(784, .2, .1); note(1047, .3, .25); },
    twice: () => note(500, 0, .06),
  };
  tunes.take = tunes.bad;
  const play = tune => {
    audio ??= new AudioContext();
    tunes[tune]();
    document.documentElement.dataset.sound = tune + ' ' + (Number(document.documentElement.dataset.sound?.split(' ')[1] ?? 0) + 1);
  };
  return {...tunes, play};
})();
