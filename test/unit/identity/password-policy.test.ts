import fc from 'fast-check';
import {
  isPossiblePassword,
  PASSWORD_PROFILES,
  type PasswordPolicy,
  passwordFaults,
  strictest,
} from '../../../core/identity/password-policy.ts';

const WORDS = ['lockzero', 'ada.byron'];
const composition = (password: string) => passwordFaults(password, ['composition'], WORDS);
const length = (password: string) => passwordFaults(password, ['length'], WORDS);

describe('I1: the composition profile', () => {
  it('takes 12 characters with upper, lower, digit and special', () => {
    expect(composition('Tr0ub4dor&3x')).toEqual([]);
  });

  it.each([
    ['11 characters', 'Tr0ub4dor&3', 'must have at least 12 characters'],
    ['no upper', 'tr0ub4dor&3x', 'must contain an upper-case letter'],
    ['no lower', 'TR0UB4DOR&3X', 'must contain a lower-case letter'],
    ['no digit', 'Troubador&ex', 'must contain a digit'],
    ['no special', 'Tr0ub4dor13x', 'must contain a special character, such as a punctuation mark or a space'],
  ])('refuses %s', (_, password, reason) => {
    expect(composition(password)).toEqual([reason]);
  });

  it('tells everything that is missing at once', () => {
    expect(composition('')).toHaveLength(5);
  });

  it('knows the letters, digits and signs of every script', () => {
    expect(composition('Пароль¿٣ пример')).toEqual([]);
    expect(composition('Ünïcode 1 näht')).toEqual([]);
  });

  it('does not take a mark or something invisible for a special character', () => {
    expect(composition('Tr0ub4dor13x\u0301')).toHaveLength(1);
    expect(composition('Tr0ub4dor13x\u200d')).toHaveLength(1);
  });
});

describe('I1: the profile after NIST SP 800-63B', () => {
  it('takes any 15 characters, without rules of composition', () => {
    expect(length('x'.repeat(15))).toEqual([]);
    expect(length(' '.repeat(15))).toEqual([]);
    expect(length('😀'.repeat(15))).toEqual([]);
  });

  it.each(['x'.repeat(14), '😀'.repeat(14), 'e\u0301'.repeat(14)])(
    'counts characters, not bytes: %j',
    (password) => {
      expect(length(password)).toEqual(['must have at least 15 characters']);
    },
  );
});

it('asks for what both profiles ask when both hold', () => {
  const both = (password: string) => passwordFaults(password, PASSWORD_PROFILES, WORDS);
  expect(both('Tr0ub4dor&3x')).toEqual(['must have at least 15 characters']);
  expect(both('x'.repeat(15))).toHaveLength(3);
  expect(both('Tr0ub4dor&3 horse')).toEqual([]);
});

describe.each(PASSWORD_PROFILES)('whatever the profile (%s)', (profile) => {
  const faults = (password: string, words: readonly string[] = WORDS) =>
    passwordFaults(password, [profile], words);
  const GOOD = 'Tr0ub4dor & 3 horses';

  it('takes at most 1,024 characters', () => {
    const longest = GOOD + '😀'.repeat(1_024 - GOOD.length);
    expect(faults(longest)).toEqual([]);
    expect(isPossiblePassword(longest)).toBe(true);
    expect(faults(`${longest}x`)).toEqual(['must have at most 1,024 characters']);
    expect(isPossiblePassword(`${longest}x`)).toBe(false);
  });

  it.each([
    ['half of a surrogate pair', '\ud83d'],
    ['a pair the wrong way round', '\ude00\ud83d'],
    ['a code point that is none', '\uffff'],
  ])('refuses %s', (_, character) => {
    const password = `${GOOD}${character}${GOOD}`;
    expect(faults(password)).toEqual(['must not contain undefined characters']);
    expect(isPossiblePassword(password)).toBe(false);
  });

  it.each(['\0', '\t', '\n', '\x7f', '\x85', '\u200d', '\u202e'])('takes the character %j', (character) => {
    expect(faults(`${GOOD}${character}${GOOD}`)).toEqual([]);
  });

  it.each(['my LockZero vault 1', 'I am aDA.bYRON, no 1', 'lockzero: Ada.Byron 1'])(
    'refuses the words of its context, in any case: %s',
    (password) => {
      expect(faults(password)).toEqual([
        'must not contain the name of this service, of your workspace or in your e-mail address',
      ]);
      expect(faults(password, [])).toEqual([]);
    },
  );

  it('finds a word of its context however its characters are composed', () => {
    expect(faults(`${GOOD} zo\u00ebs`, ['zoe\u0308s'])).toHaveLength(1);
    expect(faults(`${GOOD} zoe\u0308s`, ['ZO\u00cbS'])).toHaveLength(1);
  });

  it('never repeats the password', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (password) => {
        for (const reason of faults(`~${password}~`)) expect(reason).not.toContain(`~${password}~`);
      }),
    );
  });
});

describe('the strictest of several policies', () => {
  const policy = (
    profile: (typeof PASSWORD_PROFILES)[number],
    breachUnavailable: PasswordPolicy['breachUnavailable'],
  ): PasswordPolicy => ({ profiles: [profile], breachUnavailable });

  it('is the one there is', () => {
    expect(strictest([policy('length', 'accept')])).toEqual(policy('length', 'accept'));
  });

  it('asks for the profiles of all, and refuses if any refuses', () => {
    const both = [policy('length', 'accept'), policy('composition', 'refuse'), policy('length', 'accept')];
    expect(strictest(both)).toEqual({ profiles: ['composition', 'length'], breachUnavailable: 'refuse' });
    expect(strictest(both.toReversed())).toEqual(strictest(both));
  });

  it('of none is what every workspace begins with', () => {
    expect(strictest([])).toEqual(policy('composition', 'refuse'));
  });
});
