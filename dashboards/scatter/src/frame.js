// The page around the points: buttons, a box for each side, a legend, a tip. Words are text, never HTML.
import style from './style.css';

export const HELP =
  'Mouse: drag with Lasso or Box to select, with Move to shift; wheel zooms; a click selects one point. ' +
  'Keys, once the map has the focus: arrows shift, + and - zoom, 0 shows all, Enter selects the point nearest ' +
  'to the cross, B all points in view, Esc selects none.';

export const MODES = { lasso: 'Lasso', box: 'Box', move: 'Move' };

function make(kind, look, parent, words = '') {
  const node = document.createElement(kind);
  node.className = look;
  node.textContent = words;
  parent.append(node);
  return node;
}

export function button(parent, words, act) {
  const node = make('button', 'button', parent, words);
  node.type = 'button';
  node.addEventListener('click', act);
  return node;
}

export function buildFrame(parent) {
  const root = document.createElement('div');
  root.className = 'root';
  make('style', '', root, style);
  const bar = make('div', 'bar', root);
  bar.setAttribute('role', 'toolbar');
  bar.setAttribute('aria-label', 'Map');
  const plot = make('div', 'plot', root);
  plot.tabIndex = 0;
  plot.setAttribute('role', 'application');
  plot.setAttribute('aria-label', `Map of points. ${HELP}`);
  const inner = make('div', 'inner', plot);
  const points = make('canvas', 'points', inner);
  const over = make('canvas', 'over', plot);
  const tip = make('div', 'tip', plot);
  tip.hidden = true;
  const legend = make('div', 'legend', root);
  make('div', 'help', root, HELP);
  const status = make('div', 'status', root);
  status.setAttribute('role', 'status');
  parent.append(root);
  return { root, bar, plot, inner, points, over, tip, legend, status };
}

// A dot of the side's own size: size tells the sides apart where colour stands for something else.
function dot(parent, size, colour) {
  const node = make('span', 'dot', parent);
  node.style.width = `${size}px`;
  node.style.height = `${size}px`;
  node.style.background = colour;
}

export function buildSides(bar, names, sizes, colours, toggle) {
  bar.querySelector('.sides')?.remove();
  const group = make('span', 'sides', bar);
  names.forEach((name, side) => {
    const label = make('label', 'side', group);
    const box = make('input', '', label);
    box.type = 'checkbox';
    box.checked = true;
    box.addEventListener('change', () => toggle(side, box.checked));
    dot(label, sizes[side] * 2.2, colours[side] ?? 'currentColor');
    label.append(document.createTextNode(`${name}${names.length > 1 ? `, ${WORDS[side]} dots` : ''}`));
  });
}

const WORDS = ['large', 'small', 'smallest'];

export function buildLegend(legend, header) {
  legend.replaceChildren();
  for (const { name, colour } of header.legend) {
    const entry = make('span', 'entry', legend);
    dot(entry, 10, header.palette[colour]);
    entry.append(document.createTextNode(name));
  }
  if (header.scale) {
    const { low, high, unit, steps } = header.scale;
    make('span', 'entry', legend, low);
    const strip = make('span', 'strip', legend);
    strip.style.background = `linear-gradient(to right, ${header.palette.slice(0, steps).join(',')})`;
    make('span', 'entry', legend, `${high}  ${unit}`);
  }
}
