// What is picked is shown at once.
document.getElementById('pick').addEventListener('change', e => e.currentTarget.submit());
