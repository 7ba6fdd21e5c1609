// Puts the page together from its address, and again whenever that changes.
let now = null;

function go(change) {
  const address = hashOf({ ...now, ...change });
  if (address === location.hash) draw();
  else location.hash = address; // the browser's way back leads through what was seen
}

// Where the keyboard stands, as a selector: everything is made anew, and it must find its place again.
function focusedPlace() {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  if (at.id) return `#${CSS.escape(at.id)}`;
  for (const [name, value] of Object.entries(at.dataset)) return `[data-${name}="${CSS.escape(value)}"]`;
  const name = at.getAttribute('aria-label');
  return name && `button[aria-label="${CSS.escape(name)}"]`;
}

function draw() {
  const place = focusedPlace();
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
  const again = place && document.querySelector(place);
  if (again) again.focus({ preventScroll: true });
}

addSheets();
window.addEventListener('hashchange', draw);
draw();
