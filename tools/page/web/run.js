// One run in full: its trace and its shapes, as run.c has written them.

const LINES_A_MARK = 64;  // as in trace.c
const RANGE = {DIRTY: 0, IN_FLIGHT: 1, LOCKED: 2};  // enum shape_range_kind
const LANE = {STATUS: 0, PHASE: 1, SECTION: 2, HOLD: 3};  // enum shape_lane
const COUNTER = {DIRTY: 0, IN_FLIGHT: 1, QUEUED: 2, OFFSET: 3, LEN: 4, LATENCY: 5};  // enum shape_counter
const BY = {JOB: 1, GUEST: 2, ACTIVE: 3};  // enum by

class Run {
  // The second run of a pair, the nearest one, has no head of its own: it takes that of the first.
  constructor(block, head) {
    this.head = {...head, ...block.head};
    this.events = block.events;
    this.count = block.events.count;
    this.marks = block.marks.at;
    this.numbers = block.numbers;
    this.requests = block.requests;
    this.ranges = block.ranges;
    this.periods = block.periods;
    this.instants = block.instants;
    this.samples = block.samples;
    this.templates = this.head.templates;
    this.endNs = this.count > 0 ? this.events.ns[this.count - 1] : 0;
    this.cached = null;
    this.byNumber = new Map();
    for (let i = 0; i < this.requests.count; i++) this.byNumber.set(this.requests.request[i], i);
  }

  // ---- The trace ----

  numbersIn(template) {
    let count = template[1] ? 1 : 0;
    for (let i = 2; i < template.length; i++) count += template[i][2] !== "word";
    return count;
  }

  exactNumber(at) {
    let value = 0n, shift = 0n, byte;
    const begin = at.at, rounded = readNumber(this.numbers, at);
    if (rounded <= Number.MAX_SAFE_INTEGER) return rounded;
    at.at = begin;
    do {
      byte = this.numbers[at.at++];
      value |= BigInt(byte & 127) << shift;
      shift += 7n;
    } while (byte > 127);
    return value;
  }

  // The numbers in the lines from a mark to the next.
  chunk(number) {
    if (this.cached?.number === number) return this.cached.lines;
    const at = {at: this.marks[number]}, lines = [];
    const end = Math.min(this.count, (number + 1) * LINES_A_MARK);
    for (let i = number * LINES_A_MARK; i < end; i++) {
      const count = this.numbersIn(this.templates[this.events.template[i]]);
      lines.push(Array.from({length: count}, () => this.exactNumber(at)));
    }
    this.cached = {number, lines};
    return lines;
  }

  // [{key, before, text, value}...], and the request's number.
  line(event) {
    const template = this.templates[this.events.template[event]];
    const numbers = this.chunk(Math.floor(event / LINES_A_MARK))[event % LINES_A_MARK];
    let next = 0;
    const request = template[1] ? numbers[next++] : 0;
    const fields = template.slice(2).map(([key, before, style, word]) => {
      const value = style === "word" ? word : numbers[next++];
      return {key, before, value, text: this.valueText(style, value)};
    });
    return {kind: template[0], request, fields};
  }

  valueText(style, value) {
    switch (style) {
      case "word": return value.replace(/[\x00-\x1f\x7f]/g, "?");
      case "size": return sizeWord(value);
      case "signed": return String(value % (typeof value === "bigint" ? 2n : 2) == 0 ? big(value) / 2n : -(big(value) + 1n) / 2n);
      case "flags": return "0x" + big(value).toString(16);
      case "errno": return "error " + value;
      default: return String(value);
    }
  }

  kind(event) {
    return this.templates[this.events.template[event]][0];
  }

  field(event, key) {
    return this.line(event).fields.find(field => field.key === key)?.value;
  }

  // The same text as `mirrorsim trace`.
  lineText(event) {
    const {kind, request, fields} = this.line(event);
    const ns = this.events.ns[event], ms = Math.floor(ns / 1e6);
    const time = `${String(ms).padStart(6)}.${String(ns - ms * 1e6).padStart(6, "0")}ms`;
    const head = `${time}  ${(request ? "#" + request : "").padEnd(6)} `;
    return head + (fields.length ? kind.padEnd(13) : kind) + fields.map(field => " " + field.before + field.text).join("");
  }

  // The first event at this time or later.
  eventAt(ns) {
    let low = 0, high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.events.ns[middle] < ns) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.count - 1);
  }

  // ---- Words for shapes ----

  disk(node) {
    return this.head.plan.disks[node]?.name ?? "the filter";
  }

  isCopy(i) {
    return this.requests.by[i] !== BY.GUEST;
  }

  // "guest write #3 newer (line 21)"
  requestName(i) {
    const {requests, head} = this;
    const guest = requests.action[i] > 0 ? head.plan.guests[requests.action[i] - 1] : null;
    const by = head.by[requests.by[i]];
    return [by === "job" ? "" : by, head.ops[requests.op[i]], "#" + requests.request[i], guest?.[1]].filter(Boolean).join(" ");
  }

  outcomeWord(i) {
    const {requests} = this;
    if (!Number.isFinite(requests.over[i])) return "not over at the end";
    if (requests.ret[i] === 0) return "ok";
    const event = Number.isFinite(requests.done[i]) ? requests.done[i] : requests.over[i];
    return this.field(event, "ret") ?? "error " + requests.ret[i];
  }

  // Lines for the hover and for the table.
  requestFacts(i) {
    const {requests, head} = this;
    const facts = [`${this.requestName(i)} on ${this.disk(requests.node[i])}`];
    if (requests.bytes[i] > 0) facts.push(`at ${rangeWord(requests.offset[i], requests.bytes[i])}, sector ${requests.offset[i] / 512}`);
    if (requests.cameNs[i] < requests.submitNs[i]) facts.push(`waited ${timeWord(requests.cameNs[i])} to ${timeWord(requests.submitNs[i])}`);
    facts.push(`${timeWord(requests.submitNs[i])} to ${timeWord(requests.overNs[i])}: ${this.outcomeWord(i)}`);
    if (Number.isFinite(requests.overNs[i])) facts.push(`took ${timeWord(requests.overNs[i] - requests.cameNs[i])}`);
    if (Number.isFinite(requests.effectNs[i])) facts.push(`effect at ${timeWord(requests.effectNs[i])}`);
    if (requests.carries[i]) facts.push(`brings what #${requests.carries[i]} ${requests.by[i] === BY.ACTIVE ? "writes" : "has read"}`);
    if (requests.fault[i]) facts.push(`hit by ${head.plan.faults[requests.fault[i] - 1].name}`);
    return facts;
  }
}
