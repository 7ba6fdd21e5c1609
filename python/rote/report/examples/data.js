// The examples: columns, trajectories and pictures out of the JSON that stands in the page.
const data = JSON.parse(document.getElementById('data').textContent);
const columns = new Map(data.columns.map((column) => [column.name, column]));
const ids = columns.get('id').values;
const rowOf = new Map(ids.map((id, row) => [id, row]));
const numeric = data.columns.filter((c) => c.kind === 'int' || c.kind === 'float');
const flags = data.columns.filter((c) => c.kind === 'flag');
const labels = data.columns.filter((c) => c.kind === 'label');
const shownLabel = ['label_used', 'label', 'label_true'].map((n) => columns.get(n)).find(Boolean) || labels[0];

const words = (name) => name.replace(/^is_/, '').replaceAll('_', ' ');
const className = (label) => (label >= 0 && label < data.classes.length ? data.classes[label] : String(label));

function shown(column, row) {
  const value = column.values[row];
  if (value === null || value === '') return '–';
  if (column.kind === 'label') return value < 0 ? '–' : className(value);
  if (column.kind === 'flag') return value ? 'yes' : 'no';
  if (column.kind === 'float') return number(value);
  return String(value);
}

function number(value) {
  if (value === null) return '–';
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace('-', '−');
}

// A column by its name, or by its name without "is_".
const columnNamed = (name) => columns.get(name) || columns.get(`is_${name}`);

// The values of a trajectory of one example, null where it has none.
function trajectory(path, row) {
  if (!path.cells) {
    const bytes = atob(path.grid);
    path.cells = new Uint16Array(bytes.length / 2);
    for (let i = 0; i < path.cells.length; i += 1) {
      path.cells[i] = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    }
  }
  const length = path.epochs.length;
  return Array.from(path.cells.subarray(row * length, (row + 1) * length), (step) =>
    step === 65535 ? null : path.low + (step / 65534) * path.span);
}

// An element with attributes, and children that are elements or text: text never becomes markup.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// The picture of an example, so many pixels high; null where there are none.
function picture(row, height) {
  const p = data.pictures;
  if (!p) return null;
  const place = row % p.perSheet;
  const scale = height / p.height;
  const made = element('span', { class: `picture sheet-${Math.floor(row / p.perSheet)}`, role: 'img' });
  made.setAttribute('aria-label', `example ${ids[row]}`);
  made.style.width = `${p.width * scale}px`;
  made.style.height = `${height}px`;
  made.style.backgroundSize = `${p.columns * p.width * scale}px auto`;
  made.style.backgroundPosition =
    `${-(place % p.columns) * p.width * scale}px ${-Math.floor(place / p.columns) * height}px`;
  return made;
}

function addSheets() {
  if (!data.pictures) return;
  const rules = data.pictures.uris.map((uri, i) => `.sheet-${i}{background-image:url(${uri})}`);
  document.head.append(element('style', {}, rules.join('\n')));
}
