// Everything that the mouse does, by keys: for whoever has none.

const STEP = 0.2; // of half the view, for an arrow

export function listen(chart) {
  const { plot: node } = chart.frame;
  const cross = (on) => {
    chart.marks.cross = on;
    chart.paint();
  };
  node.addEventListener('focus', () => cross(node.matches(':focus-visible')));
  node.addEventListener('blur', () => cross(false));
  node.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = ACTS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || !chart.header) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has keys of its own
    cross(true);
    act(chart);
  });
}

function shift(across, up) {
  return (chart) => {
    const { plot } = chart;
    const [x, y] = plot.get('cameraTarget');
    const distance = scalar(plot.get('cameraDistance'));
    chart.moving = plot.zoomToLocation([x + across * STEP * distance, y + up * STEP * distance], distance);
  };
}

function zoom(factor) {
  return (chart) => {
    const { plot } = chart;
    chart.moving = plot.zoomToLocation([...plot.get('cameraTarget')], scalar(plot.get('cameraDistance')) * factor);
  };
}

const scalar = (distance) => (typeof distance === 'number' ? distance : distance[0]);

// A selection by what is in view waits until the view is drawn: a slow machine lags behind the keys.
function settled(act) {
  return (chart) => Promise.resolve(chart.moving).then(() => chart.gone || act(chart));
}

// The point nearest to the middle of the view, of those that are shown.
function nearest(chart) {
  const { x, y } = chart.scales;
  const middle = [x, y].map((scale) => (scale.domain()[0] + scale.domain()[1]) / 2);
  const { centre, half } = chart.header;
  const [left, up] = middle.map((value, at) => (value - centre[at]) / half);
  let [best, found] = [Infinity, -1];
  chart.header.counts.forEach((_, side) => {
    if (chart.hidden.has(side)) return;
    for (let row = chart.begin[side]; row < chart.begin[side + 1]; row += 1) {
      const far = (chart.x[row] - left) ** 2 + (chart.y[row] - up) ** 2;
      if (far < best) [best, found] = [far, row];
    }
  });
  if (found >= 0) chart.select([found]);
}

function inView(chart) {
  const { centre, half } = chart.header;
  const [across, upward] = ['x', 'y'].map((name, at) => chart.scales[name].domain().map((value) => (value - centre[at]) / half));
  const rows = [];
  chart.header.counts.forEach((_, side) => {
    if (chart.hidden.has(side)) return;
    for (let row = chart.begin[side]; row < chart.begin[side + 1]; row += 1) {
      const [x, y] = [chart.x[row], chart.y[row]];
      if (x >= across[0] && x <= across[1] && y >= upward[0] && y <= upward[1]) rows.push(row);
    }
  });
  chart.select(rows);
}

const ACTS = {
  ArrowLeft: shift(-1, 0),
  ArrowRight: shift(1, 0),
  ArrowUp: shift(0, 1),
  ArrowDown: shift(0, -1),
  '+': zoom(0.8),
  '=': zoom(0.8),
  '-': zoom(1.25),
  0: (chart) => chart.reset(),
  Home: (chart) => chart.reset(),
  Enter: settled(nearest),
  ' ': settled(nearest),
  b: settled(inView),
  Escape: (chart) => chart.clear(),
};
