// Two neighbours are heard, too: whoever goes along a shelf looks at the books.
(() => {
  'use strict';
  const tone = document.querySelector('main').dataset.tone;
  if (tone) carrelTunes.play(tone);
})();
