// Numbers in words, as the program itself writes them, and elements with texts. Texts only ever become text nodes, so
// that a name with markup in it is shown and not obeyed.

const big = value => typeof value === "bigint" ? value : BigInt(Math.round(value));

// "642KiB": in the largest unit that divides it, as in a trace.
function sizeWord(value) {
  const units = ["", "KiB", "MiB", "GiB", "TiB"];
  let number = big(value), unit = 0;
  while (number > 0n && number % 1024n === 0n && unit < 4) {
    number /= 1024n;
    unit++;
  }
  return number + units[unit];
}

// "1.886291ms": exact, in seconds or less.
function timeWord(ns) {
  const units = [[1000000000, "s"], [1000000, "ms"], [1000, "us"], [1, "ns"]];
  if (!Number.isFinite(ns)) return "never";
  if (ns === 0) return "0s";
  const [factor, word] = units.find(([size]) => ns >= size) ?? units[3];
  const digits = String(Math.round(ns % factor)).padStart(String(factor).length - 1, "0").replace(/0+$/, "");
  return Math.floor(ns / factor) + (factor > 1 && digits ? "." + digits : "") + word;
}

// The same in four digits, for axes.
function shortTime(ns) {
  if (ns === 0) return "0";
  const [factor, word] = [[1e9, "s"], [1e6, "ms"], [1e3, "us"], [1, "ns"]].find(([size]) => ns >= size);
  return String(Number((ns / factor).toPrecision(5))) + word;
}

// "12.3 MiB": rounded, for curves.
function shortSize(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return Number(bytes.toPrecision(4)) + units[unit];
}

function rangeWord(offset, bytes) {
  return `${sizeWord(offset)} +${sizeWord(bytes)}`;
}

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// An element: make("p", {class: "x", onclick: f}, "text", otherElement...).
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key.startsWith("aria-") && value != null) element.setAttribute(key, String(value));
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter(child => child != null && child !== false));
  return element;
}

// A button that copies a command.
function commandLine(command) {
  const button = make("button", {class: "copy", type: "button", "aria-label": `Copy: ${command}`, onclick: async () => {
    await navigator.clipboard?.writeText(command).catch(() => {});
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1200);
  }}, "copy");
  return make("div", {class: "command"}, make("code", {}, command), button);
}
