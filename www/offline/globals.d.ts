/** Identifies the pages' version: changes with any of the files. */
declare const VERSION: string;

/** The SHA-256 of each file, in base64, by its path relative to the site. */
declare const FILES: Readonly<Record<string, string>>;
