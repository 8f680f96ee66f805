// What Python packs (alignkit/explorer/payload.py): the length of a header, the header, then columns.

export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  // columns are copied out: the bytes of a message need not start where a float may
  let at = 4 + length;
  const take = (Kind, count) => {
    const size = count * Kind.BYTES_PER_ELEMENT;
    const column = new Kind(bytes.slice(at, at + size).buffer);
    at += size;
    return column;
  };
  const points = header.counts.reduce((sum, count) => sum + count, 0);
  const x = take(Float32Array, points);
  const y = take(Float32Array, points);
  const links = take(Uint32Array, 2 * header.links);
  const colour = take(Uint8Array, points);
  return { header, points, x, y, links, colour };
}

// Sides stand one after the other: where each begins, and where the last ends.
export function starts(counts) {
  const found = [0];
  for (const count of counts) found.push(found[found.length - 1] + count);
  return found;
}

export function sideOf(begin, row) {
  let side = 0;
  while (row >= begin[side + 1]) side += 1;
  return side;
}

// The first rows of every side in turn, so that a side with many does not crowd the others out.
export function firstOfEach(rows, begin, most) {
  const sides = begin.slice(1).map(() => []);
  const sorted = Uint32Array.from(rows).sort();
  for (const row of sorted) {
    const own = sides[sideOf(begin, row)];
    if (own.length < most) own.push(row);
  }
  const chosen = [];
  for (let turn = 0; chosen.length < most && sides.some((own) => own.length > turn); turn += 1) {
    for (const own of sides) if (own.length > turn && chosen.length < most) chosen.push(own[turn]);
  }
  return chosen.sort((a, b) => a - b);
}
