// The two axes of a map. Neither is to scale unless it is asked for: what matters in a run is what came before what, and
// what lies beside what, and that is to be seen for a write of 4 KiB in a copy of 4 MiB as well.
//
// Both go from something (an event; an address) to units, of which the map shows a part.

const FOLDED = 0.6;  // units of a stretch in which there is nothing

function lowerBound(list, value) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function median(list) {
  const sorted = Float64Array.from(list).sort();
  return sorted.length ? sorted[sorted.length >> 1] : 0;
}

// Time: a unit is about the usual time between two instants. What happens at one instant is still drawn in its order,
// and a long time without any event is little longer than a short one.
class TimeAxis {
  constructor(run) {
    this.run = run;
    this.isTrue = false;
    this.order = this.orderOf(run);
  }

  orderOf(run) {
    const {ns} = run.events, count = run.count, order = new Float64Array(count + 1);
    const gaps = [], stride = Math.max(1, Math.floor(count / 100000));
    for (let i = 1; i < count; i += stride) if (ns[i] > ns[i - 1]) gaps.push(ns[i] - ns[i - 1]);
    this.usual = Math.max(1, median(gaps));
    const drawn = run.templates.map(([kind]) => /^(submit|effect|done|queued|dirty-set|dirty-clear|arrive|answered)$/.test(kind));
    let at = 0.4;
    for (let i = 0; i < count; i++) {
      if (i > 0) at += ns[i] > ns[i - 1] ? 0.5 + Math.log2(1 + (ns[i] - ns[i - 1]) / this.usual) : drawn[run.events.template[i]] ? 0.3 : 0.05;
      order[i] = at;
    }
    order[count] = at + 0.6;
    return order;
  }

  get total() {
    return this.isTrue ? Math.max(1, this.run.endNs * 1.02) : this.order[this.run.count];
  }

  // Of an event; of one that never came, the end.
  at(event) {
    if (!Number.isFinite(event) || event >= this.run.count) return this.total;
    return this.isTrue ? this.run.events.ns[event] : this.order[event];
  }

  // The event nearest to a place.
  eventAt(units) {
    const list = this.isTrue ? this.run.events.ns : this.order.subarray(0, this.run.count);
    const after = Math.min(lowerBound(list, units), this.run.count - 1);
    return after > 0 && units - list[after - 1] < list[after] - units ? after - 1 : after;
  }

  // Stretches with nothing in them that are drawn much too short: [from, to, ns].
  folds(from, to) {
    const found = [], {ns} = this.run.events;
    if (this.isTrue) return found;
    const begin = Math.max(1, lowerBound(this.order, from)), end = Math.min(this.run.count, lowerBound(this.order, to) + 1);
    if (end - begin > 20000) return found;
    for (let i = begin; i < end; i++) {
      if (ns[i] - ns[i - 1] > 24 * this.usual) found.push([this.order[i - 1], this.order[i], ns[i] - ns[i - 1]]);
    }
    return found;
  }
}

// Addresses: every beginning and end of anything is a boundary. Between two of them everything is alike, so each of
// these bands gets a height by the logarithm of its size; bands with nothing in them fold.
class AddressAxis {
  constructor(run) {
    this.isTrue = false;
    this.build(run);
  }

  build(run) {
    const starts = [], ends = [];
    let disks = 0;
    for (const table of [run.requests, run.ranges]) {
      for (let i = 0; i < table.count; i++) {
        if (table.bytes[i] > 0) {
          starts.push(table.offset[i]);
          ends.push(table.offset[i] + table.bytes[i]);
        }
      }
    }
    for (const disk of run.head.plan.disks) disks = Math.max(disks, disk.bytes);
    const edges = Float64Array.from([0, disks, ...starts.length < 50000 ? starts : [], ...ends.length < 50000 ? ends : []]);
    this.bounds = starts.length < 50000 ? edges : Float64Array.from([...new Set(starts), ...new Set(ends), 0, disks]);
    this.bounds = Float64Array.from(new Set(this.bounds)).sort();
    this.cover(Float64Array.from(starts).sort(), Float64Array.from(ends).sort());
  }

  cover(starts, ends) {
    const {bounds} = this, bands = bounds.length - 1;
    this.touched = new Uint8Array(Math.max(0, bands));
    let open = 0, start = 0, end = 0, least = Infinity, holes = 0;
    for (let i = 0; i < bands; i++) {
      while (start < starts.length && starts[start] <= bounds[i]) { open++; start++; }
      while (end < ends.length && ends[end] <= bounds[i]) { open--; end++; }
      this.touched[i] = open > 0;
      if (open > 0) least = Math.min(least, bounds[i + 1] - bounds[i]);
      else holes++;
    }
    this.least = Number.isFinite(least) ? least : 512;
    const folded = holes > 20 ? FOLDED / 2 : FOLDED;
    this.units = new Float64Array(bounds.length);
    for (let i = 0; i < bands; i++) {
      const height = 1 + Math.log2((bounds[i + 1] - bounds[i]) / this.least);
      this.units[i + 1] = this.units[i] + (this.touched[i] ? height : Math.max(0.3, Math.min(folded, height)));
    }
  }

  get total() {
    return this.isTrue ? Math.max(1, this.bounds[this.bounds.length - 1]) : Math.max(1, this.units[this.units.length - 1]);
  }

  at(address) {
    if (this.isTrue) return address;
    const {bounds, units} = this, after = lowerBound(bounds, address);
    if (after >= bounds.length) return this.total;
    if (bounds[after] === address || after === 0) return units[after];
    const part = (address - bounds[after - 1]) / (bounds[after] - bounds[after - 1]);
    return units[after - 1] + part * (units[after] - units[after - 1]);
  }

  addressAt(place) {
    if (this.isTrue) return Math.max(0, Math.floor(place));
    const {bounds, units} = this, after = Math.min(bounds.length - 1, Math.max(1, lowerBound(units, place)));
    const part = (place - units[after - 1]) / Math.max(1e-9, units[after] - units[after - 1]);
    return Math.max(0, Math.floor(bounds[after - 1] + part * (bounds[after] - bounds[after - 1])));
  }

  // Bands with nothing in them: [from, to, bytes].
  folds() {
    const found = [];
    for (let i = 0; !this.isTrue && i + 1 < this.bounds.length && this.bounds.length < 5000; i++) {
      if (!this.touched[i]) found.push([this.units[i], this.units[i + 1], this.bounds[i + 1] - this.bounds[i]]);
    }
    return found;
  }
}
