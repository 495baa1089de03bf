import { VaultError } from './errors.ts';

/** Deeper than any request of the API, and far from exhausting the stack of whatever walks the value. */
const MAX_DEPTH = 32;

/**
 * Parses JSON from a stranger.
 *
 * @throws VaultError `malformed_json` when it is not JSON (RFC 8259), is nested deeper than 32 levels, or has a member
 * called `__proto__`, which careless code downstream could take for a prototype.
 */
export function parseJson(text: string): unknown {
  if (depthOf(text) > MAX_DEPTH) throw malformed(`is nested deeper than ${MAX_DEPTH} levels`);
  try {
    return JSON.parse(text, (key, value) => {
      if (key === '__proto__') throw malformed('has a member with the reserved name "__proto__"');
      return value;
    });
  } catch (error) {
    if (error instanceof VaultError) throw error;
    // The parser's own message quotes the text around the fault, which may be a secret.
    throw malformed('is not valid JSON');
  }
}

/** The deepest nesting of brackets outside strings: found before parsing, without recursion. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}

function malformed(reason: string): VaultError {
  return new VaultError('malformed_json', `The body ${reason}.`);
}
