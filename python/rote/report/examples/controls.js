// What a reader sets: score and direction, label, flags, bounds, an example's number.
function drawControls(state, go) {
  const option = (value, text, chosen) => element('option', { value, selected: chosen }, text);
  const field = (name, ...inside) => element('label', {}, element('span', {}, name), ...inside);
  const sortable = data.columns.filter((column) => column.kind !== 'text');
  const sort = element('select', {
    id: 'sort', onchange: (e) => go({ sort: e.target.value, descending: !rising.has(e.target.value), page: 1 }),
  }, ...sortable.map((c) => option(c.name, words(c.name), c.name === state.sort)));
  const direction = element('button', {
    type: 'button', id: 'direction', onclick: () => go({ descending: !state.descending, page: 1 }),
  }, state.descending ? 'largest first ↓' : 'smallest first ↑');
  const parts = [field('Sort by', sort), direction];
  if (shownLabel) {
    const found = [...new Set(shownLabel.values)].sort((a, b) => a - b);
    parts.push(field('Label', element('select', {
      id: 'label', onchange: (e) => go({ label: e.target.value, page: 1 }),
    }, option('', 'all', !state.label), ...found.map((l) => option(className(l), className(l), className(l) === state.label)))));
  }
  for (const flag of flags) {
    const now = state.filters.find((text) => columnNamed(text.replace(/^!/, '')) === flag);
    const others = state.filters.filter((text) => text !== now);
    parts.push(field(words(flag.name), element('select', {
      'data-flag': flag.name,
      onchange: (e) => go({ filters: e.target.value ? [...others, e.target.value] : others, page: 1 }),
    }, option('', 'all', !now), option(flag.name, 'yes', now && !now.startsWith('!')),
    option(`!${flag.name}`, 'no', now && now.startsWith('!')))));
  }
  const bounds = state.filters.filter((text) => /[<>]/.test(text));
  const rest = state.filters.filter((text) => !/[<>]/.test(text));
  parts.push(field('Bounds', element('input', {
    id: 'bounds', type: 'text', size: '16', placeholder: `${state.sort}<0.5`, value: bounds.join(', '),
    onchange: (e) => go({ filters: [...rest, ...e.target.value.split(',').map((t) => t.replace(/\s/g, '')).filter(Boolean)], page: 1 }),
  })));
  parts.push(field('Example', element('input', {
    id: 'example', type: 'text', inputmode: 'numeric', size: '7', value: state.id === null ? '' : state.id,
    onchange: (e) => go({ id: e.target.value.trim() === '' ? null : Number(e.target.value), page: null }),
  })));
  const form = document.getElementById('controls');
  form.replaceChildren(...parts);
}
