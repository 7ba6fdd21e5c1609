// The table of examples, a page at a time.
const MOST_COLUMNS = flags.length ? 5 : 6;

// What the table shows beside id and picture: the label, the score sorted by, flags that hold, a few further scores.
function tableColumns(state) {
  const chosen = [shownLabel, columns.get(state.sort)];
  const wanted = ['suggested_label', 'prediction', 'aum', 'confidence', 'variability', 'forgetting_events', 'memorization'];
  for (const name of wanted) chosen.push(columns.get(name));
  chosen.push(...numeric);
  return [...new Set(chosen)].filter((c) => c && c.name !== 'id').slice(0, MOST_COLUMNS);
}

function drawList(state, rows, go) {
  const pages = Math.max(1, Math.ceil(rows.length / PER_PAGE));
  // Without a page of its own the address leads to that of the chosen example.
  const at = state.id === null ? -1 : rows.indexOf(rowOf.get(state.id));
  const page = Math.min(state.page ?? Math.floor(Math.max(at, 0) / PER_PAGE) + 1, pages);
  const chosen = [columns.get('id'), ...tableColumns(state)];
  const head = element('tr', {}, data.pictures ? element('th', {}, '') : null, ...chosen.map((column) => {
    const sorted = column.name === state.sort;
    const arrow = sorted ? (state.descending ? ' ↓' : ' ↑') : '';
    const turn = () => go({
      sort: column.name, descending: sorted ? !state.descending : !rising.has(column.name), page: 1,
    });
    return element('th', { 'aria-sort': sorted ? (state.descending ? 'descending' : 'ascending') : null },
      element('button', {
        type: 'button', 'data-sort': column.name, title: column.about || `sort by ${words(column.name)}`, onclick: turn,
      }, words(column.name) + arrow));
  }), flags.length ? element('th', {}, '') : null);
  document.querySelector('#rows thead').replaceChildren(head);
  const body = rows.slice((page - 1) * PER_PAGE, page * PER_PAGE).map((row) => {
    const id = ids[row];
    const marks = flags.filter((flag) => flag.values[row]).map((flag) =>
      element('span', { class: `mark ${flag.name === 'is_corrupted' ? 'bad' : ''}` }, words(flag.name)));
    return element('tr', {
      'data-id': id, tabindex: '0', class: id === state.id ? 'chosen' : null,
      onclick: () => go({ id, page }), onkeydown: (event) => { if (event.key === 'Enter') go({ id, page }); },
    },
    data.pictures ? element('td', {}, picture(row, 40)) : null,
    ...chosen.map((column) => element('td', { class: column.kind === 'label' || column.kind === 'text' ? null : 'number' },
      shown(column, row))),
    flags.length ? element('td', { class: 'marks' }, ...marks) : null);
  });
  document.querySelector('#rows tbody').replaceChildren(...body);
  const turn = (to, text, name) => element('button', {
    type: 'button', 'aria-label': name, disabled: to < 1 || to > pages || to === page, onclick: () => go({ page: to }),
  }, text);
  document.getElementById('pages').replaceChildren(...(pages === 1 ? [] : [
    turn(1, '«', 'first page'), turn(page - 1, '‹', 'page before'),
    element('span', {}, `page ${page} of ${pages}`),
    turn(page + 1, '›', 'next page'), turn(pages, '»', 'last page'),
  ]));
}
