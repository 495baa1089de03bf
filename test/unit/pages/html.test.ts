import { html } from '../../../lambdas/api/pages/html.ts';

it('escapes every value, in elements and in attributes', () => {
  const hostile = `<script>"&'</script>`;
  expect(html`<p title="${hostile}">${hostile}</p>`.markup).toBe(
    '<p title="&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;">&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;</p>',
  );
});

it('takes markup and lists of markup as they are, and nothing for undefined', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
  expect(html`<ul>${items}</ul>${undefined}${html`<hr>`}`.markup).toBe(
    '<ul><li>a</li><li>&lt;b&gt;</li></ul><hr>',
  );
});

it('does not take for markup what only looks like it', () => {
  const forged = { markup: '<script>' };
  expect(() => html`${forged as never}`).toThrow(TypeError);
});
