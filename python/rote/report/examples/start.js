// Puts the page together from its address, and again whenever that changes.
let now = null;

function go(change) {
  const address = hashOf({ ...now, ...change });
  if (address === location.hash) draw();
  else location.hash = address; // the browser's way back leads through what was seen
}

function draw() {
  const { state, problems } = stateOf(location.hash);
  const rows = select(state, problems);
  now = state;
  drawControls(state, go);
  drawList(state, rows, go);
  drawDetail(state, rows, go);
  const found = document.getElementById('found');
  found.textContent = [
    `${rows.length.toLocaleString('en')} of ${data.n.toLocaleString('en')} examples, by ${words(state.sort)}`, ...problems,
  ].join(' · ');
  found.className = problems.length ? 'warning' : '';
}

addSheets();
window.addEventListener('hashchange', draw);
draw();
