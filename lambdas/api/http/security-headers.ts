/**
 * On every answer, errors included. The API serves no page, so its content policy allows nothing at all; answers are
 * never stored; HSTS is good for the preload list (two years, subdomains, preload: hstspreload.org).
 */
export const SECURITY_HEADERS: { readonly [name: string]: string } = {
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'accelerometer=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Cache-Control': 'no-store',
};
