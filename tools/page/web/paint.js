// What drawings share: colours, which the style sheet says, hatching, and labels that do not lie on one another.

const PALETTE = ["ground", "ink", "faint", "grid", "read", "write", "guest", "active", "dirty", "fault", "line", "mark", "hole"];

function palette() {
  const style = getComputedStyle(document.documentElement), colours = {};
  for (const name of PALETTE) colours[name] = style.getPropertyValue("--" + name).trim();
  return colours;
}

// What is drawn anew, once a frame at most: when its own element's size has changed, and when somebody says so.
class Drawing {
  watch(element) {
    this.watched = element;
    new ResizeObserver(() => this.redraw()).observe(element);
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.watched.isConnected) this.draw();
    });
  }
}

// A canvas of its element's size, in device pixels; everything else is in CSS pixels.
function sized(canvas, height) {
  const ratio = window.devicePixelRatio || 1, width = Math.max(1, canvas.clientWidth);
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = height + "px";
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  return {context, width, height};
}

const hatchings = new Map();

// Stripes tell zeroes and discards from data, and held from moving, without any colour.
function hatch(context, colour, step = 6) {
  const key = colour + step;
  if (!hatchings.has(key)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = step;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 1.3;
    pen.beginPath();
    for (const shift of [-step, 0, step]) {
      pen.moveTo(shift, step);
      pen.lineTo(shift + step, 0);
    }
    pen.stroke();
    hatchings.set(key, tile);
  }
  return context.createPattern(hatchings.get(key), "repeat");
}

// Labels of vertical lines: on as many levels as they need, up to the last.
class Levels {
  constructor(count) {
    this.ends = new Array(count).fill(-Infinity);
  }

  place(x, width) {
    const level = this.ends.findIndex(end => end < x);
    if (level >= 0) this.ends[level] = x + width + 6;
    return level;
  }
}

function cut(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  while (text.length > 1 && context.measureText(text + "…").width > width) text = text.slice(0, -1);
  return text.length > 1 ? text + "…" : "";
}
