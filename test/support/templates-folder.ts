/** Names the folder where one run of the tests keeps the templates that it has synthesized. */
export const TEMPLATES_VARIABLE = 'LOCKZERO_TEST_TEMPLATES';
