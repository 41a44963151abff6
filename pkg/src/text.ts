/** Halves of surrogate pairs are no characters; each becomes U+FFFD, which is as long, so that places stay. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
