import { isIPv4 } from 'node:net';

/** What a database holds of a network. */
export type MmdbValue = string | number | boolean | { readonly [key: string]: MmdbValue };

interface Mmdb {
  /** By network, such as `203.0.113.0/24` or `2001:db8::/32`; no two may overlap. */
  readonly networks: { readonly [network: string]: MmdbValue };
  /** 6 unless said; IPv4 networks then stand in `::/96`. */
  readonly ipVersion?: 4 | 6;
}

const RECORD_BYTES = 3;
const MAX_UINT32 = 0xffffffff;

interface Node {
  readonly children: (Node | number | undefined)[];
}

/** A file of the MaxMind DB format 2.0 (maxmind.github.io/MaxMind-DB), with records of 24 bits. */
export function mmdb({ networks, ipVersion = 6 }: Mmdb): Buffer {
  const root: Node = { children: [] };
  const nodes = [root];
  const values: Buffer[] = [];
  let size = 0;
  for (const [network, value] of Object.entries(networks)) {
    const bits = bitsOf(network, ipVersion);
    let node = root;
    for (const bit of bits.slice(0, -1)) {
      const next = node.children[bit] ?? { children: [] };
      if (typeof next === 'number') throw new Error(`${network} lies within another network.`);
      if (node.children[bit] === undefined) nodes.push(next);
      node.children[bit] = next;
      node = next;
    }
    const last = bits.at(-1) ?? 0;
    if (node.children[last] !== undefined) throw new Error(`${network} is there already.`);
    node.children[last] = size;
    const encoded = encode(value);
    values.push(encoded);
    size += encoded.length;
  }
  const numbers = new Map(nodes.map((node, index) => [node, index]));
  const record = (child: Node | number | undefined): number => {
    if (child === undefined) return nodes.length;
    return typeof child === 'number' ? nodes.length + 16 + child : (numbers.get(child) ?? 0);
  };
  const tree = Buffer.alloc(nodes.length * 2 * RECORD_BYTES);
  for (const [index, { children }] of nodes.entries()) {
    for (const side of [0, 1])
      tree.writeUIntBE(record(children[side]), (2 * index + side) * RECORD_BYTES, RECORD_BYTES);
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_772_323_200,
    database_type: 'Test-City',
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: 8 * RECORD_BYTES,
  });
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...values,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    metadata,
  ]);
}

function bitsOf(network: string, ipVersion: 4 | 6): readonly number[] {
  const [address = '', prefix] = network.split('/');
  const bytes = isIPv4(address) ? address.split('.').map(Number) : bytesOf(address);
  const padding = isIPv4(address) && ipVersion === 6 ? 96 : 0;
  const bits = bytes.flatMap((byte) => [7, 6, 5, 4, 3, 2, 1, 0].map((shift) => (byte >> shift) & 1));
  return [...Array.from({ length: padding }, () => 0), ...bits.slice(0, Number(prefix))];
}

function bytesOf(address: string): number[] {
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}

const STRING = 2;
const DOUBLE = 3;
const UINT32 = 6;
const MAP = 7;
const BOOLEAN = 14;

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value, 'utf8');
    return Buffer.concat([control(STRING, text.length), text]);
  }
  if (typeof value === 'boolean') return control(BOOLEAN, value ? 1 : 0);
  if (typeof value === 'number') return encodeNumber(value);
  const members = Object.entries(value);
  return Buffer.concat([control(MAP, members.length), ...members.flat().map(encode)]);
}

function encodeNumber(value: number): Buffer {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_UINT32) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(UINT32, 4), bytes]);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Buffer.concat([control(DOUBLE, 8), bytes]);
}

/** Types from 8 on stand in a second byte. Sizes of 29 and more would, too; nothing here is as long. */
function control(type: number, size: number): Buffer {
  if (size >= 29) throw new Error('This is too long for a test database.');
  return type < 8 ? Buffer.of((type << 5) | size) : Buffer.of(size, type - 7);
}
