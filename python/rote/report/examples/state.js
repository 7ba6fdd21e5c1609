// What is shown, as it stands in the address after #: sort=aum&desc&filter=is_corrupted,aum<0&label=cat&id=17&page=2
const PER_PAGE = 50;
const preferred = ['suspicion', 'aum', 'confidence', 'memorization', 'knn_disagreement'];
const rising = new Set(['id', 'aum', 'confidence', 'self_confidence', 'probability_margin', 'rank', 'margin', 'p_true']);

function firstState() {
  const sort = preferred.find((name) => columns.has(name)) || 'id';
  return { sort, descending: !rising.has(sort), filters: [], label: '', id: null, page: null };
}

function stateOf(hash) {
  const state = firstState();
  const problems = [];
  let ordered = false;
  for (const part of hash.replace(/^#/, '').split('&').filter(Boolean)) {
    const [key, ...rest] = part.split('=');
    let value = rest.join('=');
    try { value = decodeURIComponent(value); } catch { /* taken as it is */ }
    if (key === 'asc' || key === 'desc') { state.descending = key === 'desc'; ordered = true; }
    else if (key === 'sort') {
      const column = columnNamed(value);
      if (column) { state.sort = column.name; if (!ordered) state.descending = !rising.has(column.name); }
      else problems.push(`no column ${value}`);
    } else if (key === 'filter') state.filters = value.split(',').map((text) => text.trim()).filter(Boolean);
    else if (key === 'label') state.label = value;
    else if (key === 'id') state.id = Number(value);
    else if (key === 'page') state.page = Math.max(1, Math.floor(Number(value)) || 1);
    else problems.push(`nothing called ${key}`);
  }
  return { state, problems };
}

function hashOf(state) {
  const parts = [`sort=${encodeURIComponent(state.sort)}`, state.descending ? 'desc' : 'asc'];
  if (state.filters.length) parts.push(`filter=${state.filters.map(encodeURIComponent).join(',')}`);
  if (state.label) parts.push(`label=${encodeURIComponent(state.label)}`);
  if (state.page !== null) parts.push(`page=${state.page}`);
  if (state.id !== null) parts.push(`id=${state.id}`);
  return `#${parts.join('&')}`;
}

// A test of rows for one filter: a flag, its contrary, or a bound of a number; null if it cannot be read.
function testOf(text) {
  const bound = text.match(/^(\w+)(<=|>=|<|>)(-?[\d.]+(?:e[-+]?\d+)?)$/i);
  if (bound) {
    const column = columnNamed(bound[1]);
    const limit = Number(bound[3]);
    if (!column || (column.kind !== 'int' && column.kind !== 'float') || Number.isNaN(limit)) return null;
    const compare = {
      '<': (v) => v < limit, '>': (v) => v > limit, '<=': (v) => v <= limit, '>=': (v) => v >= limit,
    }[bound[2]];
    return (row) => column.values[row] !== null && compare(column.values[row]);
  }
  const contrary = text.startsWith('!');
  const column = columnNamed(contrary ? text.slice(1) : text);
  if (!column || column.kind !== 'flag') return null;
  return (row) => Boolean(column.values[row]) !== contrary;
}

// The rows that pass, in order; examples without a value stand last either way, equals by id.
function select(state, problems) {
  const tests = [];
  for (const text of state.filters) {
    const test = testOf(text);
    if (test) tests.push(test);
    else problems.push(`no filter ${text}`);
  }
  if (state.label) {
    const wanted = data.classes.indexOf(state.label);
    const label = wanted >= 0 ? wanted : Number(state.label);
    if (!shownLabel || Number.isNaN(label)) problems.push(`no label ${state.label}`);
    else tests.push((row) => shownLabel.values[row] === label);
  }
  const rows = [];
  for (let row = 0; row < data.n; row += 1) if (tests.every((test) => test(row))) rows.push(row);
  const { values, kind } = columns.get(state.sort);
  const sign = state.descending ? -1 : 1;
  const compare = kind === 'text' ? (a, b) => a.localeCompare(b) : (a, b) => a - b;
  rows.sort((a, b) => {
    const missing = (values[a] === null) - (values[b] === null);
    if (missing || values[a] === null) return missing || ids[a] - ids[b];
    return sign * compare(values[a], values[b]) || ids[a] - ids[b];
  });
  return rows;
}
