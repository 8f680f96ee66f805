// What lies over the points: axes with units, the ends of the view, pair lines, rings around the selected.

export function linear(start, end) {
  let domain = [start, end];
  let range = [0, 1];
  const scale = (value) => range[0] + ((value - domain[0]) / (domain[1] - domain[0])) * (range[1] - range[0]);
  scale.domain = (next) => (next ? ((domain = [...next]), scale) : [...domain]);
  scale.range = (next) => (next ? ((range = [...next]), scale) : [...range]);
  return scale;
}

export function ticks(low, high, about) {
  const rough = (high - low) / Math.max(1, about);
  if (!(rough > 0) || !Number.isFinite(rough)) return { at: [], digits: 0 };
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const at = [];
  for (let n = Math.ceil(low / step); n * step <= high + step * 1e-6; n += 1) at.push(n * step);
  return { at, digits };
}

export const MARGIN = { left: 64, right: 10, top: 8, bottom: 46 };

export function drawOverlay(canvas, size, scales, look, { axes, words }, marks) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(size.width * ratio);
  canvas.height = Math.round(size.height * ratio);
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  drawAxes(pen, size, scales, look, axes);
  pen.save();
  pen.beginPath();
  pen.rect(MARGIN.left, MARGIN.top, size.width - MARGIN.left - MARGIN.right, size.height - MARGIN.top - MARGIN.bottom);
  pen.clip();
  pen.translate(MARGIN.left, MARGIN.top);
  drawLines(pen, scales, look, marks.lines);
  drawRings(pen, scales, look, marks.rings);
  drawWords(pen, scales, look, words);
  if (marks.cross) drawCross(pen, scales, look);
  pen.restore();
}

function drawAxes(pen, size, { x, y }, look, axes) {
  const { left, right, top, bottom } = MARGIN;
  const [wide, high] = [size.width - left - right, size.height - top - bottom];
  pen.strokeStyle = look.text;
  pen.fillStyle = look.text;
  pen.lineWidth = 1;
  pen.font = `12px ${look.font}`;
  pen.strokeRect(left + 0.5, top + 0.5, wide - 1, high - 1);
  pen.textAlign = 'center';
  pen.textBaseline = 'top';
  const across = ticks(...x.domain(), wide / 90);
  for (const value of across.at) {
    const spot = left + x(value);
    pen.fillRect(spot, top + high, 1, 4);
    pen.fillText(value.toFixed(across.digits), spot, top + high + 7);
  }
  pen.fillText(axes[0], left + wide / 2, top + high + 26, wide);
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  const up = ticks(...y.domain(), high / 60);
  for (const value of up.at) {
    const spot = top + y(value);
    pen.fillRect(left - 4, spot, 4, 1);
    pen.fillText(value.toFixed(up.digits), left - 7, spot);
  }
  pen.save();
  pen.translate(13, top + high / 2);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = 'center';
  pen.fillText(axes[1], 0, 0, high);
  pen.restore();
}

function drawLines(pen, { x, y }, look, lines) {
  pen.strokeStyle = look.text;
  pen.globalAlpha = 0.5;
  pen.beginPath();
  for (const [x1, y1, x2, y2] of lines) {
    pen.moveTo(x(x1), y(y1));
    pen.lineTo(x(x2), y(y2));
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawRings(pen, { x, y }, look, rings) {
  pen.strokeStyle = look.text;
  pen.lineWidth = 1.5;
  for (const [left, up] of rings) {
    pen.beginPath();
    pen.arc(x(left), y(up), 7, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.lineWidth = 1;
}

// Labels in words where their points lie, so that colour is not all that tells them.
function drawWords(pen, { x, y }, look, words) {
  pen.font = `bold 12px ${look.font}`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.lineWidth = 4;
  pen.lineJoin = 'round';
  for (const { name, at } of words) {
    pen.strokeStyle = look.paper;
    pen.fillStyle = look.text;
    pen.strokeText(name, x(at[0]), y(at[1]));
    pen.fillText(name, x(at[0]), y(at[1]));
  }
  pen.lineWidth = 1;
}

function drawCross(pen, { x, y }, look) {
  const [wide, high] = [x.range()[1], y.range()[0]];
  pen.strokeStyle = look.text;
  pen.beginPath();
  pen.moveTo(wide / 2 - 9, high / 2);
  pen.lineTo(wide / 2 + 9, high / 2);
  pen.moveTo(wide / 2, high / 2 - 9);
  pen.lineTo(wide / 2, high / 2 + 9);
  pen.stroke();
}
