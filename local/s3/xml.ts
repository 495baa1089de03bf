import { AwsError } from '../stand-in.ts';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** A whole response body: the root element in the namespace of S3. */
export function xmlDocument(name: string, ...children: string[]): string {
  const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name} ${namespace}>${children.join('')}</${name}>`;
}

/** An element around children that are XML already. */
export function xmlElement(name: string, ...children: string[]): string {
  return `<${name}>${children.join('')}</${name}>`;
}

/** An element around text; nothing where there is no text. */
export function xmlText(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? '' : xmlElement(name, escapeText(String(text)));
}

/** Control characters, which keys may have, go as character references, as S3 sends them. */
function escapeText(text: string): string {
  return Array.from(text, (char) => ESCAPES[char] ?? (char < ' ' ? `&#${char.charCodeAt(0)};` : char)).join(
    '',
  );
}

/** The contents of each element of this name, as XML. Enough for the small bodies that S3 is sent. */
export function readElements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|>(.*?)</${name}>)`, 'gs');
  return Array.from(xml.matchAll(pattern), ([, content]) => content ?? '');
}

/** The text of the first element of this name, or undefined where there is none. */
export function readText(xml: string, name: string): string | undefined {
  const [content] = readElements(xml, name);
  if (content?.includes('<')) throw malformedXml(`${name} must hold text only.`);
  return content?.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal, hex, named) => {
    if (named !== undefined) return NAMED[named] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** Checks that a request body has this root element. */
export function readDocument(body: Buffer, root: string): string {
  const [content] = readElements(body.toString('utf8'), root);
  if (content === undefined) throw malformedXml(`The body must be one ${root} element.`);
  return content;
}

export function malformedXml(reason: string): AwsError {
  return new AwsError('MalformedXML', reason);
}
