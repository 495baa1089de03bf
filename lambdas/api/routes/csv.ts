import type { ApiResponse } from '../http/route.ts';

/** A CSV file as an answer (RFC 4180), with a link to the rest if there is more (RFC 8288). */
export function csv(
  filename: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  path: string,
  filters: { readonly [name: string]: string },
  nextCursor: string | null,
): ApiResponse {
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Disposition': `attachment; filename="${filename}"`,
      ...nextLink(path, filters, nextCursor),
    },
    text: [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join(''),
  };
}

/** The header that leads to the rest of an answer that comes in pages and is no JSON (RFC 8288). */
export function nextLink(
  path: string,
  filters: { readonly [name: string]: string },
  nextCursor: string | null,
): { readonly Link?: string } {
  if (nextCursor === null) return {};
  return { Link: `<${path}?${new URLSearchParams({ ...filters, cursor: nextCursor })}>; rel="next"` };
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Free text for a CSV file that people open in a spreadsheet: what would be taken for a formula gets an apostrophe in
 * front (OWASP, CSV Injection).
 */
export function csvText(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
