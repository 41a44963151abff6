/** A result in a link's fragment. */
import { fromFragment, linkTo } from "../share/link.js";
import { readResult } from "./result.js";

const KEY = "#result=";

/** @param {import("./result.js").Result} result */
export function linkToResult(result) {
  return linkTo(KEY, result);
}

/** Returns whether a fragment contains a result. @param {string} fragment */
export function isShared(fragment) {
  return fragment.startsWith(KEY);
}

/** @param {string} fragment */
export function resultIn(fragment) {
  return fromFragment(KEY, fragment, readResult);
}
