/**
 * What an import of a file of the page is to the compiler, whatever the file is to the browser: its
 * text. package.json leads `#page/*` here for types, and to the file itself for the program.
 */
declare const text: string;
export default text;
