// One example: its picture, labels, scores with their place among all, trajectories, neighbours.
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 360, HEIGHT = 150, LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 24;
const paths = { loss: 'loss', margin: 'margin (logit)', p_true: 'probability of its label', el2n: 'EL2N' };

function drawing(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function plot(name, path, row) {
  const values = trajectory(path, row);
  const everything = [...path.bands.flat(), ...values].filter((v) => v !== null);
  let low = Math.min(...everything), high = Math.max(...everything);
  if (!(high > low)) { low -= 0.5; high += 0.5; }
  const first = path.epochs[0], last = path.epochs[path.epochs.length - 1];
  const x = (epoch) => LEFT + (last > first ? (epoch - first) / (last - first) : 0.5) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - (value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const line = (series) => {
    let text = '', open = false;
    series.forEach((value, i) => {
      if (value === null) { open = false; return; }
      text += `${open ? 'L' : 'M'}${x(path.epochs[i]).toFixed(1)} ${y(value).toFixed(1)}`;
      open = true;
    });
    return text;
  };
  const svg = drawing('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img' });
  svg.setAttribute('aria-label', `${paths[name] || words(name)} of example ${ids[row]} along training`);
  for (const tick of ticks(low, high, 4)) {
    svg.append(drawing('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick), class: 'grid' }));
    svg.append(drawing('text', { x: LEFT - 6, y: y(tick) + 4, 'text-anchor': 'end' }, number(tick)));
  }
  for (const tick of ticks(first, last, 6).filter(Number.isInteger)) {
    svg.append(drawing('text', { x: x(tick), y: HEIGHT - 6, 'text-anchor': 'middle' }, String(tick)));
  }
  const inside = path.epochs.map((_, i) => i).filter((i) => path.bands[0][i] !== null);
  const edge = [...inside.map((i) => [i, 2]), ...inside.reverse().map((i) => [i, 0])];
  const band = edge.map(([i, q]) => `${x(path.epochs[i]).toFixed(1)},${y(path.bands[q][i]).toFixed(1)}`).join(' ');
  svg.append(drawing('polygon', { points: band, class: 'band' }));
  svg.append(drawing('path', { d: line(path.bands[1]), class: 'median' }));
  svg.append(drawing('path', { d: line(values), class: 'own' }));
  if (values.length < 40) {
    values.forEach((value, i) => {
      if (value !== null) svg.append(drawing('circle', { cx: x(path.epochs[i]), cy: y(value), r: 2.4, class: 'dot' }));
    });
  }
  return element('figure', { 'data-trajectory': name }, element('figcaption', {}, paths[name] || words(name)), svg);
}

function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((s) => s * power >= rough) || 10);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}

// The share of examples with a smaller value.
function placeOf(column, row) {
  if (!column.sorted) column.sorted = Float64Array.from(column.values.filter((v) => v !== null)).sort();
  let low = 0, high = column.sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column.sorted[middle] < column.values[row]) low = middle + 1; else high = middle;
  }
  return low / Math.max(1, column.sorted.length - 1);
}

function drawDetail(state, rows, go) {
  const pane = document.getElementById('detail');
  const row = rowOf.get(state.id);
  if (row === undefined) {
    const text = state.id === null ? 'Choose a row to see how the example fared.' : `There is no example ${state.id}.`;
    pane.replaceChildren(element('p', { class: 'hint' }, text));
    return;
  }
  const at = rows.indexOf(row);
  const step = (by, text, name) => element('button', {
    type: 'button', 'aria-label': name, disabled: at < 0 || at + by < 0 || at + by >= rows.length,
    onclick: () => go({ id: ids[rows[at + by]], page: null }),
  }, text);
  const facts = [...labels, ...flags, ...data.columns.filter((c) => c.kind === 'text')];
  const scores = numeric.filter((c) => c.name !== 'id');
  const parts = [
    element('header', {}, element('h3', {}, `Example ${state.id}`),
      element('span', {}, step(-1, '‹', 'example before'), step(1, '›', 'next example'))),
    picture(row, 160),
    element('dl', { class: 'facts' }, ...facts.map((c) => element('div', {},
      element('dt', {}, words(c.name)), element('dd', { 'data-column': c.name }, shown(c, row))))),
    ...Object.entries(data.trajectories).map(([name, path]) => plot(name, path, row)),
    Object.keys(data.trajectories).length
      ? element('p', { class: 'hint' }, 'Blue: this example. Grey: the median of all, and the middle 80 %.') : null,
    element('h4', {}, 'Scores'),
    element('dl', { class: 'scores' }, ...scores.map((c) => {
      const place = c.values[row] === null ? null : placeOf(c, row);
      const bar = element('i', {});
      bar.style.left = `${100 * (place || 0)}%`;
      return element('div', { title: c.about || null }, element('dt', {}, words(c.name)),
        element('dd', { 'data-column': c.name }, shown(c, row)),
        element('span', { class: 'place', title: place === null ? null : `above ${Math.round(100 * place)} % of the examples` },
          place === null ? '' : bar));
    })),
  ];
  if (data.neighbours) {
    const near = data.neighbours[row].filter((other) => other >= 0);
    parts.push(element('h4', {}, 'Nearest neighbours'), element('div', { class: 'near' }, ...near.map((other) =>
      element('button', {
        type: 'button', 'data-neighbour': ids[other], onclick: () => go({ id: ids[other], page: null }),
        class: shownLabel && shownLabel.values[other] !== shownLabel.values[row] ? 'other' : null,
      }, picture(other, 48), shownLabel ? shown(shownLabel, other) : String(ids[other])))));
  }
  pane.replaceChildren(...parts.filter((part) => part !== null));
}
