// The browser prints what it shows.
document.getElementById('print').addEventListener('click', () => print());
