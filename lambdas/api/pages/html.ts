/** Markup. Only {@link html} makes it, so whatever else stands in a page is text. */
class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type { Html };

export type Fragment = string | Html | readonly Html[] | undefined;

/** Markup with values in it: text is escaped, for elements and for quoted attributes alike; `undefined` is nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Fragment[]): Html {
  return new Html(strings.reduce((markup, next, index) => markup + render(values[index - 1]) + next));
}

function render(value: Fragment): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escaped(value);
  return value instanceof Html ? value.markup : value.map(({ markup }) => markup).join('');
}

const ENTITIES: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
