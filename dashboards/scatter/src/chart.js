// The chart: points on the graphics card, marks above them, one selection.
import createScatterplot from 'regl-scatterplot';
import { MODES, buildFrame, buildLegend, buildSides, button } from './frame.js';
import { listen } from './keys.js';
import { MARGIN, drawOverlay, linear } from './overlay.js';
import { firstOfEach, sideOf, starts, unpack } from './payload.js';

const MOST = 200; // rows that go up, and rings
const LINES = 400; // pair lines: more is a grey cloud
const CLICK = 4; // pixels that a hand may shake
const DENSE = 5000; // points from which opacity follows their density

export class Chart {
  constructor(parent) {
    this.frame = buildFrame(parent);
    this.send = () => {};
    this.selected = [];
    this.marks = { lines: [], rings: [], cross: false };
    this.hidden = new Set();
    this.scales = { x: linear(-1, 1), y: linear(-1, 1) };
    const { bar } = this.frame;
    this.modes = Object.entries(MODES).map(([mode, words]) => [mode, button(bar, words, () => this.setMode(mode))]);
    button(bar, 'Show all', () => this.reset());
    try {
      this.plot = this.#start();
    } catch (error) {
      this.#refuse(error);
      return;
    }
    this.setMode('lasso');
    this.#dragsAreNoClicks();
    listen(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.frame.inner);
  }

  #start() {
    const plot = createScatterplot({
      canvas: this.frame.points,
      ...this.#size(),
      xScale: this.scales.x,
      yScale: this.scales.y,
      deselectOnEscape: false, // a key of this chart, not of the page
      lassoOnLongPress: false,
      spatialIndexUseWorker: false, // copying a million points to a worker takes longer than indexing them
      actionKeyMap: { lasso: 'shift', merge: 'ctrl', remove: 'alt' },
      pointOutlineWidth: 0,
      pointSizeSelected: 0,
      opacityInactiveScale: 0.15,
    });
    plot.subscribe('select', ({ points }) => this.#caught(points));
    plot.subscribe('deselect', () => this.#caught([]));
    plot.subscribe('view', () => this.paint());
    plot.subscribe('pointover', (row) => this.#tell(row));
    plot.subscribe('pointout', () => (this.frame.tip.hidden = true));
    return plot;
  }

  // A lasso that ends where it began is followed by a click, which would select one point in its place.
  #dragsAreNoClicks() {
    const { inner } = this.frame;
    let [from, far] = [null, 0];
    const reach = (event) => Math.hypot(event.clientX - from[0], event.clientY - from[1]);
    inner.addEventListener('mousedown', (event) => ([from, far] = [[event.clientX, event.clientY], 0]), true);
    inner.addEventListener('mousemove', (event) => from && (far = Math.max(far, reach(event))), true);
    inner.addEventListener('click', (event) => far > CLICK && event.stopImmediatePropagation(), true);
  }

  #refuse(error) {
    this.frame.plot.textContent =
      'This browser draws no WebGL here, so the points cannot be shown: choose the sample in place of all points above.';
    this.frame.root.dataset.fault = String(error?.message ?? error);
  }

  #size() {
    const box = this.frame.inner.getBoundingClientRect();
    return { width: Math.max(1, box.width), height: Math.max(1, box.height) };
  }

  resize() {
    if (this.plot && !this.gone) {
      this.plot.set(this.#size());
      this.paint();
    }
  }

  // Read the theme: Streamlit hands it down as variables of the style sheet.
  #look() {
    const style = getComputedStyle(this.frame.root);
    const paper = style.getPropertyValue('--st-background-color').trim() || '#ffffff';
    return { text: style.color, paper, font: style.fontFamily || 'sans-serif' };
  }

  show(bytes) {
    if (!this.plot) return;
    const { header, ...columns } = unpack(bytes);
    const [old, fresh] = [this.header, header.digest !== this.header?.digest];
    this.header = header;
    this.look = this.#look();
    if (fresh) {
      Object.assign(this, columns, { begin: starts(header.counts) });
      this.#frameOf(header, old);
      buildLegend(this.frame.legend, header);
    }
    this.plot.set({
      pointColor: header.palette,
      pointColorActive: header.palette, // rings, or the dimming of the others, tell what is selected
      pointColorHover: header.palette.map(() => asHex(this.look.text)), // as many, or all take the first one's
      backgroundColor: asHex(this.look.paper),
    });
    if (fresh) this.#draw();
    else this.#choose();
    this.paint();
  }

  #frameOf(header, old) {
    const { centre, half, axes, names } = header;
    const place = JSON.stringify([centre, half, axes, names, header.counts]);
    if (place === this.place) return; // the same points somewhere along a map: the view stays
    this.place = place;
    this.hidden.clear();
    if (JSON.stringify([names, header.counts]) !== JSON.stringify([old?.names, old?.counts])) {
      [this.selected, this.mark] = [[], undefined]; // other points: their numbers name nothing here
    }
    for (const [name, at] of [['x', 0], ['y', 1]]) this.scales[name] = linear(centre[at] - half, centre[at] + half);
    this.plot.set({ xScale: this.scales.x, yScale: this.scales.y });
    this.sizes = sizesOf(header.counts.length, this.points);
    const colours = names.map((_, side) => (header.by === 'modality' ? header.palette[side] : undefined));
    buildSides(this.frame.bar, names, this.sizes, colours, (side, on) => this.toggle(side, on));
    if (old) this.reset();
  }

  async #draw() {
    const dense = this.points > DENSE;
    this.plot.set({
      colorBy: 'valueA',
      sizeBy: 'valueB',
      pointSize: this.sizes,
      opacityBy: dense ? 'density' : null,
      opacity: dense ? 1 : 0.8,
    });
    const side = new Uint8Array(this.points);
    this.begin.slice(1, -1).forEach((start) => side.subarray(start).forEach((_, n, all) => (all[n] += 1)));
    const columns = { x: this.x, y: this.y, valueA: this.colour, valueB: side };
    this.drawing = this.header.digest;
    await this.plot.draw(columns, { zDataType: 'categorical', wDataType: 'categorical', preventFilterReset: true });
    if (this.gone || this.drawing !== this.header.digest) return;
    if (this.selected.length) this.plot.select(this.selected, { preventEvent: true });
    this.#mark(this.selected);
    this.#choose();
    this.paint();
    this.frame.root.dataset.painted = this.header.digest; // for whoever waits: all points have been drawn
    performance.mark(`alignkit-painted-${this.points}`);
  }

  // Show what a link or the field of ids has chosen; one's own selection is not sent back.
  #choose() {
    const { rows, mark } = this.header.chosen;
    if (mark === this.mark) return;
    this.mark = mark;
    const same = rows.length === this.selected.length && rows.every((row, n) => row === this.selected[n]);
    if (!mark || same) return;
    if (rows.length) this.plot.select(rows, { preventEvent: true });
    else this.plot.deselect({ preventEvent: true });
    this.#mark(rows);
  }

  #caught(points) {
    this.#mark(points);
    const counts = this.begin.slice(1).map(() => 0);
    for (const row of points) counts[sideOf(this.begin, row)] += 1;
    this.send({ count: points.length, counts, rows: firstOfEach(points, this.begin, MOST) });
  }

  // Ring the selected and draw the lines of their pairs.
  #mark(points) {
    this.selected = points;
    const wanted = new Uint8Array(this.points);
    for (const row of points) wanted[row] = 1;
    this.marks.rings = points.length > MOST ? [] : [...points].map((row) => this.spot(row));
    this.marks.lines = [];
    for (let at = 0; at < this.links.length && this.marks.lines.length < LINES; at += 2) {
      const [one, other] = [this.links[at], this.links[at + 1]];
      if (wanted[one] || wanted[other]) this.marks.lines.push([...this.spot(one), ...this.spot(other)]);
    }
    const lines = this.marks.lines.length;
    this.frame.status.textContent = points.length
      ? `${points.length.toLocaleString('en')} selected${lines ? `, ${lines} pair lines` : ''}`
      : '';
    this.paint();
  }

  spot(row) {
    const { centre, half } = this.header;
    return [centre[0] + half * this.x[row], centre[1] + half * this.y[row]];
  }

  #tell(row) {
    if (!this.header) return;
    const { names, legend, scale, by } = this.header;
    const side = sideOf(this.begin, row);
    const words = [names[side], `point ${(row - this.begin[side] + 1).toLocaleString('en')}`];
    if (scale) words.push(this.colour[row] < scale.steps ? `${scale.unit} about ${valueAt(scale, this.colour[row])}` : 'no value');
    else if (by === 'label') words.push(legend.find(({ colour }) => colour === this.colour[row])?.name ?? '');
    const { tip } = this.frame;
    tip.textContent = words.filter(Boolean).join(' · ');
    const [x, y] = this.spot(row);
    const left = this.scales.x(x) + MARGIN.left;
    tip.style.left = `${Math.min(left + 12, this.frame.plot.clientWidth - 240)}px`;
    tip.style.top = `${Math.max(0, this.scales.y(y) - 20)}px`;
    tip.hidden = false;
  }

  setMode(mode) {
    for (const [name, node] of this.modes) node.setAttribute('aria-pressed', String(name === mode));
    this.plot?.set({
      mouseMode: mode === 'move' ? 'panZoom' : 'lasso',
      lassoType: mode === 'box' ? 'rectangle' : 'freeform',
    });
  }

  toggle(side, on) {
    if (on) this.hidden.delete(side);
    else this.hidden.add(side);
    if (!this.hidden.size) {
      this.plot.unfilter();
      return;
    }
    const shown = [];
    for (let at = 0; at < this.header.counts.length; at += 1) {
      if (!this.hidden.has(at)) for (let row = this.begin[at]; row < this.begin[at + 1]; row += 1) shown.push(row);
    }
    this.plot.filter(shown);
  }

  select(rows) {
    if (rows.length) this.plot.select(rows);
  }

  clear() {
    if (this.plot && this.selected.length) this.plot.deselect();
  }

  reset() {
    this.moving = this.plot?.zoomToOrigin();
  }

  paint() {
    if (!this.header || this.gone) return;
    cancelAnimationFrame(this.soon);
    this.soon = requestAnimationFrame(() => {
      const { plot, over } = this.frame;
      const size = { width: plot.clientWidth, height: plot.clientHeight };
      drawOverlay(over, size, this.scales, this.look, this.header, this.marks);
    });
  }

  destroy() {
    this.gone = true;
    this.watch?.disconnect();
    this.plot?.destroy();
    this.frame.root.remove();
  }
}

// The sides differ in size, for the component draws discs only; the larger ones are drawn first, beneath.
function sizesOf(sides, points) {
  const base = points > 200000 ? 1.2 : points > 20000 ? 2 : points > 2000 ? 3 : 4;
  return Array.from({ length: sides }, (_, side) => base * (sides === 1 ? 1.5 : [2, 1, 0.6][side]));
}

function valueAt({ from, to, steps }, step) {
  return (from + ((to - from) * (step + 0.5)) / steps).toPrecision(3);
}

function asHex(colour) {
  if (/^\s*#[0-9a-f]{6}/i.test(colour)) return colour.trim().slice(0, 7);
  const parts = /(\d+)[^\d]+(\d+)[^\d]+(\d+)/.exec(colour);
  return parts ? `#${parts.slice(1, 4).map((part) => Number(part).toString(16).padStart(2, '0')).join('')}` : '#888888';
}
