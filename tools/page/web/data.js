// Blocks: what block.c has written. A block is deflated and in base64; it begins with a head in JSON, whose
// `tables` say which columns follow.

const textDecoder = new TextDecoder();

function bytesOfBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// A number in groups of seven bits, the lowest first. What has more than 53 bits is rounded.
function readNumber(bytes, at) {
  let value = 0, unit = 1, byte;
  do {
    byte = bytes[at.at++];
    value += (byte & 127) * unit;
    unit *= 128;
  } while (byte > 127);
  return value;
}

const signed = value => value % 2 === 0 ? value / 2 : -(value + 1) / 2;

// `rising` columns have differences, of numbers that are one more than what they mean: 0 is "never". A long run has ten
// million numbers, so they are not read one call at a time.
function readColumn(bytes, at, count, kind) {
  const column = new Float64Array(count), isNumber = kind === "number", isRising = kind === "rising";
  let place = at.at, sum = 0;
  for (let i = 0; i < count; i++) {
    let byte = bytes[place++], value = byte & 127;
    for (let unit = 128; byte > 127; unit *= 128) {
      byte = bytes[place++];
      value += (byte & 127) * unit;
    }
    if (!isNumber) value = signed(value);
    if (isRising) {
      sum += value;
      value = sum === 0 ? Infinity : sum - 1;
    }
    column[i] = value;
  }
  return column;
}

function readTable(bytes, at, table) {
  if (table.blob) {
    const length = readNumber(bytes, at);
    at.at += length;
    return bytes.subarray(at.at - length, at.at);
  }
  const columns = {count: table.count};
  for (const [name, kind] of table.columns) {
    const length = readNumber(bytes, at), end = at.at + length;
    columns[name] = readColumn(bytes, at, table.count, kind);
    at.at = end;
  }
  return columns;
}

// {head, NAME: columns...} of the element with this id; null if there is none.
async function readBlock(id) {
  const element = document.getElementById(id);
  if (!element) return null;
  const bytes = await inflate(bytesOfBase64(element.textContent));
  const at = {at: 0}, length = readNumber(bytes, at);
  const head = JSON.parse(textDecoder.decode(bytes.subarray(at.at, at.at + length)));
  const block = {head};
  at.at += length;
  for (const [name, table] of Object.entries(head.tables)) block[name] = readTable(bytes, at, table);
  return block;
}
